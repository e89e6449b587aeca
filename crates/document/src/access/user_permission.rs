//! User Permissions: to which documents links are restricted for a user.

use std::collections::BTreeMap;

use crema_store::{Database, StoreError, params, statements};

use super::RowRule;
use crate::doctype::{DocType, FieldType};

statements! {
    /// The User Permissions of a user. Columns of Frappe's tables may compare without case.
    pub(crate) OF_USER = r#"SELECT "user", "allow", "for_value", "applicable_for",
        "apply_to_all_doctypes" FROM "tabUser Permission" WHERE "user" = ?
        ORDER BY "allow", "for_value", "name""#;
    /// System Settings' Apply Strict User Permissions.
    pub(crate) STRICT = r#"SELECT "value" FROM "tabSingles"
        WHERE "doctype" = 'System Settings' AND "field" = 'apply_strict_user_permissions'"#;
}

/// The User Permissions of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPermissions {
    /// By the DocType that is restricted.
    pub allowed: BTreeMap<String, Vec<Allowed>>,
    /// System Settings' Apply Strict User Permissions: an empty link is not admitted either.
    pub strict: bool,
}

/// One document that a user is restricted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its name.
    pub name: String,
    /// The DocType whose documents are restricted by it; every one when absent.
    pub applicable_for: Option<String>,
}

impl UserPermissions {
    /// The documents of `target` that links in documents of `doctype` may name; `None` when
    /// they are not restricted.
    fn names(&self, target: &str, doctype: &str) -> Option<Vec<String>> {
        let names: Vec<String> = self
            .allowed
            .get(target)?
            .iter()
            .filter(|allowed| {
                let place = allowed.applicable_for.as_deref();
                place.is_none_or(|place| place == doctype)
            })
            .map(|allowed| allowed.name.clone())
            .collect();
        (!names.is_empty()).then_some(names)
    }
}

/// What User Permissions leave of the rows of a DocType: its links lead to documents that the
/// user is restricted to, or nowhere, and it is itself one of those when it is restricted.
///
/// `place` is the DocType that a User Permission's Applicable For is compared with: the
/// DocType's own name, for child rows that of the document they belong to.
pub fn restrictions(doctype: &DocType, place: &str, of_user: &UserPermissions) -> Vec<RowRule> {
    if of_user.allowed.is_empty() {
        return Vec::new();
    }
    let links = doctype
        .value_fields()
        .filter(|field| field.fieldtype == FieldType::Link && !field.ignore_user_permissions)
        .filter_map(|field| {
            Some(RowRule::OneOf {
                column: field.fieldname.clone(),
                values: of_user.names(field.target()?, place)?,
                or_empty: !of_user.strict,
            })
        });
    let itself = of_user
        .names(&doctype.name, place)
        .map(|values| RowRule::OneOf {
            column: "name".to_owned(),
            values,
            or_empty: false,
        });
    itself.into_iter().chain(links).collect()
}

/// Reads the User Permissions of a user.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(database: &Database, user: &str) -> Result<UserPermissions, StoreError> {
    let mut permissions = UserPermissions::default();
    for row in database.rows(&OF_USER, params![user]).await? {
        let text = |index| row.opt_text(index).map(Option::unwrap_or_default);
        let (allow, name) = (text(1)?, text(2)?);
        if text(0)? != user || allow.is_empty() || name.is_empty() {
            continue;
        }
        let everywhere = row.opt_int(4)?.unwrap_or_default() != 0;
        let place = Some(text(3)?).filter(|place| !place.is_empty() && !everywhere);
        let allowed = Allowed {
            name: name.to_owned(),
            applicable_for: place.map(str::to_owned),
        };
        let of_doctype = permissions.allowed.entry(allow.to_owned()).or_default();
        if !of_doctype.contains(&allowed) {
            of_doctype.push(allowed);
        }
    }
    if !permissions.allowed.is_empty() {
        let row = database.row(&STRICT, params![]).await?;
        let value = row.as_ref().map(|row| row.opt_text(0)).transpose()?;
        permissions.strict = value.flatten() == Some("1");
    }
    Ok(permissions)
}
