//! Keys that another DocType keeps: the header `Frappe-Authorization-Source`.
//!
//! It has to have `api_key` (Data with an index), `api_secret` (Password) and `user` (Link to
//! User); with a Check `enabled` that has to be set. Table and columns are named by the
//! definition, never by the header. A record acts as its user only while who last changed it is
//! that user, or a System Manager with every role of that user: rows that were not written by way
//! of documents, where the rules are stricter, cannot make anybody somebody else. Records: any such DocType, `__Auth`.
// spec: http.md, Resource server, "`Frappe-Authorization-Source: <DocType>` picks another
// DocType holding keys"

use crema_document::row::placeholder;
use crema_document::{DocType, FieldType};
use crema_store::{Dialect, Row, Statement, params};

use super::check::Found;
use super::{SECRET_FIELD, SYSTEM_MANAGER, StoredSecret};
use crate::user::{ADMINISTRATOR, GUEST};
use crate::{Ctx, Failure};

/// The pairs with this key in the records of that DocType; none when it cannot keep keys.
pub(super) async fn find(ctx: &Ctx, key: &str, doctype: &str) -> Result<Vec<Found>, Failure> {
    // Brings the definitions up to date.
    ctx.version().await?;
    let registry = ctx.provider.site().registry();
    let Some(doctype) = registry.get(doctype).filter(|doctype| keeps_keys(doctype)) else {
        return Ok(Vec::new());
    };
    let database = ctx.provider.database();
    let statement = statement(database.dialect(), doctype, key);
    let rows = database
        .read(move |tx| {
            let statement = statement.clone();
            Box::pin(async move { tx.statement_rows(statement).await })
        })
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        if row.opt_text(0)? == Some(key)
            && row.opt_int(1)?.unwrap_or_default() != 0
            && is_rightful(ctx, row).await?
        {
            found.push(Found {
                user: row.opt_text(2)?.unwrap_or_default().to_owned(),
                secret: StoredSecret::read(row, 4)?,
                limits: None,
            });
        }
    }
    Ok(found)
}

/// Whether records of this DocType are looked at for keys.
pub(crate) fn keeps_keys(doctype: &DocType) -> bool {
    let has = |name: &str, fits: fn(&crema_document::Field) -> bool| {
        doctype.field(name).is_some_and(fits)
    };
    let enabled = doctype.field("enabled");
    doctype.has_table()
        && !doctype.istable
        && has("api_key", |field| {
            field.fieldtype == FieldType::Data && (field.unique || field.search_index)
        })
        && has(SECRET_FIELD, |field| field.fieldtype == FieldType::Password)
        && has("user", |field| {
            field.fieldtype == FieldType::Link && field.target() == Some("User")
        })
        && enabled.is_none_or(|field| field.fieldtype == FieldType::Check)
}

/// The key as stored, whether it is enabled, the user, who changed the record last, the secret.
fn statement(dialect: Dialect, doctype: &DocType, key: &str) -> Statement {
    let column = |name: &str| format!("d.{}", dialect.quote(name));
    let secret = |name: &str| format!("a.{}", dialect.quote(name));
    let place = |number| placeholder(dialect, number);
    let enabled = match doctype.field("enabled") {
        Some(_) => column("enabled"),
        None => "1".to_owned(),
    };
    let text = format!(
        "SELECT {}, {enabled}, {}, {}, {}, {} FROM {} d LEFT JOIN {} a \
         ON {} = {} AND {} = {} AND {} = {} WHERE {} = {}",
        column("api_key"),
        column("user"),
        column("modified_by"),
        secret("password"),
        secret("encrypted"),
        dialect.quote(&doctype.table()),
        dialect.quote("__Auth"),
        secret("doctype"),
        place(1),
        secret("name"),
        column("name"),
        secret("fieldname"),
        place(2),
        column("api_key"),
        place(3),
    );
    Statement::new(text, params![&doctype.name, SECRET_FIELD, key])
}

async fn is_rightful(ctx: &Ctx, row: &Row) -> Result<bool, Failure> {
    let user = row.opt_text(2)?.unwrap_or_default();
    let changed_by = row.opt_text(3)?.unwrap_or_default();
    if user == GUEST {
        return Ok(false);
    }
    if changed_by == user || changed_by == ADMINISTRATOR {
        return Ok(true);
    }
    let (Some(user), Some(changed_by)) = (ctx.user(user).await?, ctx.user(changed_by).await?)
    else {
        return Ok(false);
    };
    let manages = changed_by.has_role(SYSTEM_MANAGER);
    Ok(manages && user.roles.iter().all(|role| changed_by.has_role(role)))
}
