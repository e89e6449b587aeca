//! The definitions as records: DocType with DocField and DocPerm, as Frappe's tables have them.
//!
//! They are there to be read, listed and linked to; nothing reads definitions from them. A
//! record that Frappe wrote is left alone.

use std::collections::{HashMap, HashSet};

use crema_store::{
    Database, Dialect, Statement, StoreError, Transaction, Value, params, statements,
};

use crate::Registry;
use crate::doctype::{DocType, Field, Permission};
use crate::names::sha256_hex;
use crate::patches::PatchContext;
use crate::row::{self, RowHead};

statements! {
    /// The records, and from which state of the definition they are.
    pub(crate) READ = r#"SELECT "name", "migration_hash" FROM "tabDocType""#;
    /// Removes a record.
    pub(crate) DELETE = r#"DELETE FROM "tabDocType" WHERE "name" = ?"#;
    /// Its fields.
    pub(crate) DELETE_FIELDS = r#"DELETE FROM "tabDocField"
        WHERE "parent" = ? AND "parenttype" = 'DocType'"#;
    /// Its permissions.
    pub(crate) DELETE_PERMISSIONS = r#"DELETE FROM "tabDocPerm"
        WHERE "parent" = ? AND "parenttype" = 'DocType'"#;
}

/// What our hashes begin with; Frappe's do not.
const OURS: &str = "crema:";
/// Moves when the records get other columns.
const VERSION: u32 = 1;
/// How many values a statement may have at most. SQLite takes 32766.
const MAX_VALUES: usize = 16_000;

/// Writes the records of the DocTypes that have changed, and removes those of ours that are
/// about no DocType any more. Answers how many were written or removed.
pub(super) async fn write(
    database: &Database,
    context: &PatchContext,
) -> Result<usize, StoreError> {
    let live = read(database).await?;
    let wanted: Vec<(String, String)> = context
        .registry
        .doctypes()
        .map(|doctype| (doctype.name.clone(), hash(doctype)))
        .collect();
    let known: HashSet<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
    let orphans: Vec<String> = live
        .iter()
        .filter(|(name, hash)| hash.starts_with(OURS) && !known.contains(name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    let stale: Vec<(String, String)> = wanted
        .into_iter()
        .filter(|(name, hash)| match live.get(name) {
            None => true,
            Some(found) => found.starts_with(OURS) && found != hash,
        })
        .collect();
    let count = stale.len() + orphans.len();
    if count == 0 {
        return Ok(0);
    }
    let context = context.clone();
    database
        .write(move |tx| {
            let (context, stale, orphans) = (context.clone(), stale.clone(), orphans.clone());
            Box::pin(async move {
                for name in stale.iter().map(|(name, _)| name).chain(&orphans) {
                    remove(tx, name).await?;
                }
                insert(tx, &context, &stale).await
            })
        })
        .await?;
    Ok(count)
}

/// Removes the records of ours that are about no DocType any more.
pub(super) async fn forget(database: &Database, registry: &Registry) -> Result<(), StoreError> {
    let live = read(database).await?;
    let orphans: Vec<String> = live
        .into_iter()
        .filter(|(name, hash)| hash.starts_with(OURS) && registry.get(name).is_none())
        .map(|(name, _)| name)
        .collect();
    database
        .write(move |tx| {
            let orphans = orphans.clone();
            Box::pin(async move {
                for name in &orphans {
                    remove(tx, name).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn read(database: &Database) -> Result<HashMap<String, String>, StoreError> {
    let rows = database.rows(&READ, params![]).await?;
    rows.iter()
        .map(|row| {
            let hash = row.opt_text(1)?.unwrap_or_default();
            Ok((row.text(0)?.to_owned(), hash.to_owned()))
        })
        .collect()
}

/// The state of a definition.
fn hash(doctype: &DocType) -> String {
    let mut text = VERSION.to_string();
    let fields = doctype.fields.iter().map(field_columns);
    let permissions = doctype.permissions.iter().map(permission_columns);
    let rows = std::iter::once(record_columns(doctype));
    for columns in rows.chain(fields).chain(permissions) {
        text.push('\n');
        for (name, value) in columns {
            // `Debug` does not show texts.
            let shown = match &value {
                Value::Text(text) => format!("{text:?}"),
                other => format!("{other:?}"),
            };
            text.push_str(&format!("{name}={shown};"));
        }
    }
    format!("{OURS}{}", sha256_hex(text.as_bytes()))
}

async fn remove(tx: &mut Transaction, name: &str) -> Result<(), StoreError> {
    for statement in [&DELETE, &DELETE_FIELDS, &DELETE_PERMISSIONS] {
        tx.execute(statement, params![name]).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Transaction,
    context: &PatchContext,
    stale: &[(String, String)],
) -> Result<(), StoreError> {
    let (mut records, mut fields, mut permissions) = (Vec::new(), Vec::new(), Vec::new());
    for (name, hash) in stale {
        let Some(doctype) = context.registry.get(name) else {
            continue;
        };
        let mut columns = record_columns(doctype);
        columns.push(("migration_hash", hash.as_str().into()));
        records.push((context.head(name.as_str()), columns));
        for field in &doctype.fields {
            let head = context.head(context.name());
            fields.push((
                head.below("DocType", name, "fields", field.idx),
                field_columns(field),
            ));
        }
        for (number, permission) in (1..).zip(&doctype.permissions) {
            let head = context.head(context.name());
            permissions.push((
                head.below("DocType", name, "permissions", number),
                permission_columns(permission),
            ));
        }
    }
    insert_all(tx, "tabDocType", records).await?;
    insert_all(tx, "tabDocField", fields).await?;
    insert_all(tx, "tabDocPerm", permissions).await
}

type Columns = Vec<(&'static str, Value)>;

/// Inserts rows that have the same columns, many with one statement.
async fn insert_all(
    tx: &mut Transaction,
    table: &str,
    rows: Vec<(RowHead, Columns)>,
) -> Result<(), StoreError> {
    let width = rows
        .first()
        .map_or(1, |(head, columns)| head.columns().len() + columns.len());
    for part in rows.chunks((MAX_VALUES / width).max(1)) {
        let rows = part.iter().map(|(head, columns)| {
            let head = head.columns().into_iter();
            head.chain(columns.iter().cloned()).collect()
        });
        let statement = many(tx.dialect(), table, rows.collect());
        tx.statement_execute(statement).await?;
    }
    Ok(())
}

/// `INSERT INTO table (…) VALUES (…), (…)`.
fn many(dialect: Dialect, table: &str, rows: Vec<Vec<(&str, Value)>>) -> Statement {
    let names: Vec<String> = rows
        .first()
        .map(|row| row.iter().map(|(name, _)| dialect.quote(name)).collect())
        .unwrap_or_default();
    let mut text = format!(
        "INSERT INTO {} ({}) VALUES ",
        dialect.quote(table),
        names.join(", ")
    );
    let mut values = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        text.push_str(if number == 0 { "(" } else { ", (" });
        for (column, (_, value)) in row.into_iter().enumerate() {
            if column > 0 {
                text.push_str(", ");
            }
            values.push(value);
            text.push_str(&row::placeholder(dialect, values.len()));
        }
        text.push(')');
    }
    Statement::new(text, values)
}

fn record_columns(doctype: &DocType) -> Columns {
    let text = |text: &str| Value::from(text);
    let optional = |text: &Option<String>| Value::from(text.as_deref());
    vec![
        ("module", text(&doctype.module)),
        ("app", text(app_of(doctype))),
        ("custom", Value::Int(0)),
        ("issingle", doctype.issingle.into()),
        ("istable", doctype.istable.into()),
        ("is_virtual", doctype.is_virtual.into()),
        ("track_changes", doctype.track_changes.into()),
        ("autoname", text(&doctype.autoname)),
        ("title_field", optional(&doctype.title_field)),
        ("search_fields", optional(&doctype.search_fields)),
        ("sort_field", optional(&doctype.sort_field)),
        ("sort_order", optional(&doctype.sort_order)),
        ("description", text(&doctype.description)),
        ("in_create", doctype.in_create.into()),
        ("read_only", doctype.read_only.into()),
    ]
}

fn app_of(doctype: &DocType) -> &str {
    match doctype.app.as_str() {
        "" => "frappe",
        app => app,
    }
}

fn field_columns(field: &Field) -> Columns {
    let optional = |text: &Option<String>| Value::from(text.as_deref());
    let number = |number: u32| Value::Int(number.into());
    vec![
        ("label", optional(&field.label)),
        ("fieldtype", field.fieldtype.name().into()),
        ("fieldname", field.fieldname.as_str().into()),
        ("options", optional(&field.options)),
        ("reqd", field.reqd.into()),
        ("unique", field.unique.into()),
        ("search_index", field.search_index.into()),
        ("hidden", field.hidden.into()),
        ("read_only", field.read_only.into()),
        ("set_only_once", field.set_only_once.into()),
        ("no_copy", field.no_copy.into()),
        ("in_list_view", field.in_list_view.into()),
        ("in_standard_filter", field.in_standard_filter.into()),
        ("collapsible", field.collapsible.into()),
        (
            "ignore_user_permissions",
            field.ignore_user_permissions.into(),
        ),
        ("is_virtual", field.is_virtual.into()),
        ("permlevel", number(field.permlevel)),
        ("length", number(field.length)),
        ("default", optional(&field.default)),
        ("description", optional(&field.description)),
        ("fetch_from", optional(&field.fetch_from)),
        ("depends_on", optional(&field.depends_on)),
        (
            "mandatory_depends_on",
            optional(&field.mandatory_depends_on),
        ),
        (
            "read_only_depends_on",
            optional(&field.read_only_depends_on),
        ),
    ]
}

fn permission_columns(permission: &Permission) -> Columns {
    vec![
        ("role", permission.role.as_str().into()),
        ("permlevel", Value::Int(permission.permlevel.into())),
        ("if_owner", permission.if_owner.into()),
        ("read", permission.read.into()),
        ("write", permission.write.into()),
        ("create", permission.create.into()),
        ("delete", permission.delete.into()),
        ("select", permission.select.into()),
        ("report", permission.report.into()),
        ("export", permission.export.into()),
        ("import", permission.import.into()),
        ("share", permission.share.into()),
        ("print", permission.print.into()),
        ("email", permission.email.into()),
    ]
}
