//! What of a User may become different, and by whom.

use crema_document::access::{Action, Reach};
use crema_document::documents::{Change, value};
use crema_document::{DocType, DocumentError, Reason};
use crema_store::{Sql, Transaction, params};
use serde_json::{Map, Value as Json};

use super::super::values::{column, flag, forbidden, invalid, put, text};
use super::super::{SYSTEM_MANAGER, View};
use super::PASSWORD;
use crate::user::{ADMINISTRATOR, GUEST, SYSTEM_USER, WEBSITE_USER};

pub(super) static MANAGERS: Sql = Sql::new(
    r#"SELECT u.name FROM "tabHas Role" r JOIN "tabUser" u ON u.name = r.parent
    WHERE r.role = 'System Manager' AND r.parenttype = 'User' AND u.enabled = 1
    AND u.name <> 'Administrator' AND u.name <> ? LIMIT 1"#,
);
pub(super) static USERNAME: Sql =
    Sql::new(r#"SELECT name FROM "tabUser" WHERE username = ? AND name <> ?"#);
pub(super) static DESK_ROLE: Sql =
    Sql::new(r#"SELECT name, desk_access FROM "tabRole" WHERE name = ?"#);

/// What people change of themselves without keeping the Users of the site.
const OWN: &[&str] = &[
    "first_name",
    "middle_name",
    "last_name",
    "full_name",
    "user_image",
    "language",
    "time_zone",
    "phone",
    "mobile_no",
    "location",
    "bio",
];

/// Refuses what whoever asks may not, and sets what follows from roles.
pub(in super::super) async fn before_write(
    view: &View,
    change: &mut Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    keep_subject(change);
    let actor = view.actor();
    let standard = [ADMINISTRATOR, GUEST].contains(&change.name.as_str());
    if standard && !actor.administrator {
        return forbidden(format!(
            "User {} is changed by Administrator only",
            change.name
        ));
    }
    if !keeps_users(&change.doctype, view) {
        only_own(view, change)?;
    }
    if !actor.administrator {
        gives_what_it_has(view, change)?;
    }
    if change.changes("enabled") && !flag(&change.after, "enabled") && standard {
        return invalid(format!("User {} cannot be disabled", change.name));
    }
    let mail_of_standard = standard && change.before.is_some() && change.changes("email");
    if mail_of_standard && !view.caller.is_fresh(&view.ctx) {
        return forbidden("Sign in again to change an e-mail address");
    }
    stays_manager(view, change, tx).await?;
    username(change, tx).await?;
    user_type(change, tx).await
}

/// Whether a role lets the caller write Users that are not their own.
fn keeps_users(doctype: &DocType, view: &View) -> bool {
    let actor = view.actor();
    let by_role = doctype.permissions.iter().any(|permission| {
        let write = permission.allows(Action::Write) || permission.allows(Action::Create);
        permission.permlevel == 0 && write && !permission.if_owner && actor.holds(&permission.role)
    });
    actor.administrator || by_role
}

/// Somebody who keeps no Users changes a few fields of their own record.
fn only_own(view: &View, change: &Change) -> Result<(), DocumentError> {
    let own = !change.is_new() && change.name == view.by();
    let fields = change.doctype.fields.iter();
    let other = fields
        .filter(|field| differs(change, &field.fieldname))
        .find(|field| !OWN.contains(&field.fieldname.as_str()));
    match other {
        _ if !own || change.secrets.contains_key(PASSWORD) => forbidden("No permission for User"),
        Some(field) => {
            let label = field.label.as_deref().unwrap_or(&field.fieldname);
            forbidden(format!("You may not change {label} of your User"))
        }
        None => Ok(()),
    }
}

/// Whether a field has another value than before, where nothing and empty are the same.
fn differs(change: &Change, field: &str) -> bool {
    let none = |document: Option<&Map<String, Json>>| {
        let value = document.and_then(|document| document.get(field));
        value.is_none_or(value::is_empty)
    };
    change.changes(field) && !(none(change.before.as_ref()) && none(Some(&change.after)))
}

/// Roles and passwords are not given by who lacks the roles, nor by a credential that opens
/// only a part of what its user may do: with the password it would have all.
fn gives_what_it_has(view: &View, change: &Change) -> Result<(), DocumentError> {
    let actor = view.actor();
    let before = change.before.as_ref();
    let had = |role: &str| {
        before.is_some_and(|before| column(before, "roles", "role").any(|held| held == role))
    };
    let added: Vec<&str> = column(&change.after, "roles", "role")
        .filter(|role| !had(role))
        .collect();
    if let Some(role) = added.iter().find(|role| !actor.holds(role)) {
        return forbidden(format!(
            "You cannot give the role {role}, which you do not have"
        ));
    }
    let password = change.secrets.contains_key(PASSWORD);
    let lends = password && column(&change.after, "roles", "role").any(|role| !actor.holds(role));
    if lends && change.name != view.by() {
        let message = "You cannot set the password of somebody with roles that you do not have";
        return forbidden(message);
    }
    let powerful = !added.is_empty() || (password && !change.is_new());
    let limited = actor.reach != Reach::Everything;
    if limited && powerful {
        return forbidden("Roles and passwords need a credential that opens everything (all)");
    }
    Ok(())
}

/// The row that holds the OpenID `sub` stays, whatever rows are given.
// spec: http.md, openid_profile, `sub`
fn keep_subject(change: &mut Change) {
    const TABLE: &str = "social_logins";
    let is_subject = |row: &Json| row.get("provider").and_then(Json::as_str) == Some("frappe");
    let rows = |document: &Map<String, Json>| {
        let rows = document.get(TABLE).and_then(Json::as_array);
        rows.cloned().unwrap_or_default()
    };
    let mut after = rows(&change.after);
    // Providers fill these rows; one made by hand would be empty.
    after.retain(|row| {
        let provider = row.get("provider").and_then(Json::as_str);
        provider.is_some_and(|provider| !provider.is_empty())
    });
    if let Some(before) = &change.before
        && !after.iter().any(is_subject)
    {
        after.extend(rows(before).into_iter().filter(is_subject));
    }
    change.after.insert(TABLE.to_owned(), Json::Array(after));
}

/// Somebody remains who keeps the site, beside Administrator.
async fn stays_manager(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let manages = |document: &Map<String, Json>| {
        flag(document, "enabled")
            && column(document, "roles", "role").any(|role| role == SYSTEM_MANAGER)
    };
    let was = change.before.as_ref().is_some_and(manages);
    match was && !manages(&change.after) {
        true => a_manager_remains(view, &change.name, tx).await,
        false => Ok(()),
    }
}

/// Administrator may take the last one away.
pub(super) async fn a_manager_remains(
    view: &View,
    name: &str,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    if view.actor().administrator || tx.row(&MANAGERS, params![name]).await?.is_some() {
        return Ok(());
    }
    invalid("There should remain at least one System Manager")
}

/// As in Frappe: a user name that was not asked for is left out when it is taken.
async fn username(change: &mut Change, tx: &mut Transaction) -> Result<(), DocumentError> {
    let given = text(&change.after, "username").trim().to_owned();
    let asked = !given.is_empty();
    if !change.is_new() && (!asked || !change.changes("username")) {
        return Ok(());
    }
    let wanted = match asked {
        true => given,
        false => text(&change.after, "first_name")
            .replace([' ', '-'], "_")
            .to_lowercase(),
    };
    let taken = tx.row(&USERNAME, params![&wanted, &change.name]).await?;
    match (taken.is_some(), asked) {
        (false, _) => put(&mut change.after, "username", &wanted),
        (true, false) => put(&mut change.after, "username", ""),
        (true, true) => {
            let message = format!("Username {wanted} already exists");
            return Err(DocumentError::refused(Reason::Unique, message));
        }
    }
    Ok(())
}

/// Who has a role with access to the Desk is a System User.
async fn user_type(change: &mut Change, tx: &mut Transaction) -> Result<(), DocumentError> {
    let standard = [ADMINISTRATOR, GUEST].contains(&change.name.as_str());
    if standard || !(change.is_new() || change.changes("roles")) {
        return Ok(());
    }
    let roles: Vec<String> = column(&change.after, "roles", "role")
        .map(str::to_owned)
        .collect();
    let mut user_type = WEBSITE_USER;
    for role in &roles {
        let row = tx.row(&DESK_ROLE, params![role]).await?;
        let desk = row.as_ref().map(|row| row.opt_int(1)).transpose()?;
        if desk.flatten().unwrap_or_default() != 0 {
            user_type = SYSTEM_USER;
        }
    }
    put(&mut change.after, "user_type", user_type);
    Ok(())
}
