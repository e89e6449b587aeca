//! Users as documents.
//!
//! Who may write Users keeps them, but gives nothing that they lack: no role, and no password of
//! somebody with such a role. Everybody else changes a few fields of their own record. What ends
//! with a change (sessions, tokens, codes) ends in its transaction.
//! Records: User, Has Role, User Social Login, `__Auth`, Session, the OAuth records, API Key,
//! Token Cache, User Permission, Activity Log; Role (read).
// spec: security.md, Clients, line 6; Codes and tokens, "Disabled users"

mod guard;
mod ready;

use crema_crypto::token::random_hex;
use crema_document::documents::Change;
use crema_document::{DocumentError, SecretText};
use crema_store::{Sql, Transaction, params};
use serde_json::{Map, Value as Json};

use super::error::failed;
use super::values::{flag, forbidden, text};
use super::{View, app};
use crate::audit::{self, Entry, Operation, Status};
use crate::user::{self, ADMINISTRATOR, GUEST};

pub(super) use guard::before_write;
pub(super) use ready::prepare;

static END_PERMISSIONS: Sql = Sql::new(r#"DELETE FROM "tabUser Permission" WHERE "user" = ?"#);
static END_CONSENTS: Sql = Sql::new(r#"DELETE FROM "tabOAuth Consent" WHERE "user" = ?"#);
static END_TOKENS: Sql = Sql::new(r#"DELETE FROM "tabOAuth Bearer Token" WHERE "user" = ?"#);
static END_CODES: Sql = Sql::new(r#"DELETE FROM "tabOAuth Authorization Code" WHERE "user" = ?"#);

/// The statements of this module, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[
    &END_PERMISSIONS,
    &END_CONSENTS,
    &END_TOKENS,
    &END_CODES,
    &guard::MANAGERS,
    &guard::USERNAME,
    &guard::DESK_ROLE,
];

/// Where the hash of a new password waits among the secrets of a change; no field is called so.
const PASSWORD: &str = "password";
/// Digits of the OpenID `sub`, as in Frappe.
const SUBJECT_LENGTH: usize = 39;

/// What follows from a change.
pub(super) async fn after_write(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let name = change.name.as_str();
    let password = change.secrets.get(PASSWORD).map(SecretText::expose);
    if let Some(hash) = password {
        user::store_password(tx, name, hash).await.map_err(failed)?;
        let entry = Entry::new(&view.ctx, Operation::PasswordChanged, Status::Success)
            .user(view.by())
            .about("User", name);
        audit::record(tx, &entry).await.map_err(failed)?;
    }
    let disabled = change.changes("enabled") && !flag(&change.after, "enabled");
    if !change.is_new() && (password.is_some() || disabled) {
        let ended = user::end_everything(tx, name, view.ctx.now);
        ended.await.map_err(failed)?;
    }
    Ok(())
}

/// Everything of a user goes with the record, so that a later one of the same name inherits
/// nothing. Hashes of what was redeemed stay in their own table.
pub(super) async fn before_delete(
    view: &View,
    document: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let name = text(document, "name");
    if name == ADMINISTRATOR || name == GUEST {
        return forbidden(format!("User {name} cannot be deleted"));
    }
    if name == view.by() {
        return forbidden("You cannot delete yourself");
    }
    guard::a_manager_remains(view, name, tx).await?;
    let ended = user::end_everything(tx, name, view.ctx.now);
    ended.await.map_err(failed)?;
    crate::api_key::end_of_user(tx, name)
        .await
        .map_err(failed)?;
    app::end_of_user(tx, name).await?;
    for statement in [&END_PERMISSIONS, &END_CONSENTS, &END_TOKENS, &END_CODES] {
        tx.execute(statement, params![name]).await?;
    }
    Ok(())
}

/// The row that holds the OpenID `sub` of a new user.
fn subject(view: &View, name: &str) -> Json {
    let entropy = &*view.ctx.provider.environment().entropy;
    serde_json::json!({
        "name": user::subject_row_name(name),
        "docstatus": 0,
        "idx": 1,
        "provider": "frappe",
        "userid": random_hex(entropy, SUBJECT_LENGTH).expose().as_str(),
    })
}
