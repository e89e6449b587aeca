//! Roles: those that everything stands on stay as they are.

use crema_document::documents::Change;
use crema_document::{DocumentError, Reason};
use crema_store::{Sql, Transaction, params};
use serde_json::{Map, Value as Json};

use super::values::{flag, forbidden, invalid, text};

static TAKE_AWAY: Sql =
    Sql::new(r#"DELETE FROM "tabHas Role" WHERE role = ? AND parenttype = 'User'"#);
static INTO_THE_DESK: Sql = Sql::new(
    r#"UPDATE "tabUser" SET user_type = 'System User'
    WHERE name IN (SELECT r.parent FROM "tabHas Role" r WHERE r.role = ? AND r.parenttype = 'User')
    AND name NOT IN ('Administrator', 'Guest')"#,
);
static OUT_OF_THE_DESK: Sql = Sql::new(
    r#"UPDATE "tabUser" SET user_type = 'Website User'
    WHERE name IN (SELECT r.parent FROM "tabHas Role" r WHERE r.role = ? AND r.parenttype = 'User')
    AND name NOT IN (SELECT h.parent FROM "tabHas Role" h JOIN "tabRole" d ON d.name = h.role
    WHERE h.parenttype = 'User' AND d.desk_access = 1 AND d.name <> ?)
    AND name NOT IN ('Administrator', 'Guest')"#,
);
static HOLDERS: Sql = Sql::new(r#"SELECT parent FROM "tabHas Role" WHERE role = ? LIMIT 1"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&TAKE_AWAY, &INTO_THE_DESK, &OUT_OF_THE_DESK, &HOLDERS];

/// Roles that exist from the start and that the program itself means by their name.
// spec: doctypes.md, "Roles that exist from the start"
const STANDARD: &[&str] = &[
    "Administrator",
    "Guest",
    "All",
    "Desk User",
    "System Manager",
];

/// A name as it is compared everywhere.
pub(super) fn prepare(change: &mut Change) -> Result<(), DocumentError> {
    if !change.is_new() {
        return Ok(());
    }
    let name = text(&change.after, "role_name").trim().to_owned();
    // Lists of roles are written with commas, or one a line.
    if name.contains(',') || name.chars().any(char::is_control) {
        let message = "The name of a role has no comma and no control characters";
        return Err(DocumentError::refused(Reason::Name, message));
    }
    let standard = STANDARD
        .iter()
        .find(|role| role.eq_ignore_ascii_case(&name));
    if standard.is_some_and(|role| *role != name) {
        return invalid(format!("There is a role {name} in other letters"));
    }
    change
        .after
        .insert("role_name".to_owned(), Json::from(name));
    change.after.insert("is_custom".to_owned(), Json::from(1));
    Ok(())
}

/// A role that the program means by its name is not switched off.
pub(super) fn check(change: &Change) -> Result<(), DocumentError> {
    let standard = STANDARD.contains(&change.name.as_str());
    if standard && change.changes("disabled") && flag(&change.after, "disabled") {
        return invalid(format!("Role {} cannot be disabled", change.name));
    }
    if standard && change.changes("desk_access") && change.before.is_some() {
        return invalid(format!("Desk access of role {} is fixed", change.name));
    }
    Ok(())
}

/// As in Frappe, a role that is switched off is taken away from everybody, and access to the
/// Desk makes System Users of those who have it.
pub(super) async fn after_write(
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    if change.is_new() {
        return Ok(());
    }
    let name = change.name.as_str();
    let off = change.changes("disabled") && flag(&change.after, "disabled");
    let desk = flag(&change.after, "desk_access");
    if off || (change.changes("desk_access") && !desk) {
        tx.execute(&OUT_OF_THE_DESK, params![name, name]).await?;
    } else if change.changes("desk_access") {
        tx.execute(&INTO_THE_DESK, params![name]).await?;
    }
    if off {
        tx.execute(&TAKE_AWAY, params![name]).await?;
    }
    Ok(())
}

/// A role that somebody has, or that the program means by its name, stays.
pub(super) async fn before_delete(
    role: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let name = text(role, "name");
    if STANDARD.contains(&name) {
        return forbidden(format!(
            "Role {name} is a standard role and cannot be deleted"
        ));
    }
    match tx.row(&HOLDERS, params![name]).await? {
        Some(row) => {
            let holder = row.opt_text(0)?.unwrap_or_default();
            let message = format!("Cannot delete Role {name}: User {holder} has it");
            Err(DocumentError::refused(Reason::LinkExists, message))
        }
        None => Ok(()),
    }
}
