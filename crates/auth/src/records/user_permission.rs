//! User Permissions: each names a document that exists, once.

use crema_document::DocumentError;
use crema_document::documents::{Change, Documents};
use crema_store::{Sql, Transaction, params};

use super::values::{flag, invalid, put, text};
use crate::user::{ADMINISTRATOR, GUEST};

static SAME: Sql = Sql::new(
    r#"SELECT name, for_value, applicable_for, apply_to_all_doctypes, is_default
    FROM "tabUser Permission" WHERE "user" = ? AND "allow" = ? AND name <> ?"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&SAME];

/// Refuses what has no effect, and what is there already.
pub(super) async fn check(
    documents: &Documents,
    change: &mut Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let user = text(&change.after, "user").to_owned();
    let allow = text(&change.after, "allow").to_owned();
    if user == ADMINISTRATOR || user == GUEST {
        return invalid(format!("User Permissions do not restrict {user}"));
    }
    let doctype = documents.registry.get(&allow);
    if doctype.is_none_or(|doctype| doctype.istable || doctype.issingle) {
        return invalid(format!("{allow} has no documents to restrict somebody to"));
    }
    if flag(&change.after, "apply_to_all_doctypes") {
        put(&mut change.after, "applicable_for", "");
    } else if text(&change.after, "applicable_for").is_empty() {
        return invalid("Applicable For is missing: Apply To All DocTypes is off");
    }
    let place = text(&change.after, "applicable_for");
    for row in tx.rows(&SAME, params![&user, &allow, &change.name]).await? {
        let same_place = row.opt_text(2)?.unwrap_or_default() == place;
        if same_place && row.opt_text(1)? == Some(text(&change.after, "for_value")) {
            return invalid("User permission already exists");
        }
        let default = row.opt_int(4)?.unwrap_or_default() != 0;
        if same_place && default && flag(&change.after, "is_default") {
            return invalid(format!("{user} has another default for {allow}"));
        }
    }
    Ok(())
}
