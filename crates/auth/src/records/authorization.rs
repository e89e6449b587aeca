//! What a user or a System Manager ends by removing the record of it: tokens, codes, consents.
//!
//! Hashes of what was redeemed or rotated stay in their own table, so that a reuse is still
//! seen. Records: OAuth Bearer Token, OAuth Authorization Code, OAuth Consent,
//! `__oauth_family`, Activity Log.
// spec: doctypes.md, "list and revoke own tokens and sessions"

use crema_document::DocumentError;
use crema_store::{Sql, Transaction, params};
use serde_json::{Map, Value as Json};

use super::View;
use super::error::failed;
use super::values::text;
use crate::audit::{self, Entry, Operation, Status};
use crate::token::family;

static FAMILIES: Sql = Sql::new(
    r#"SELECT name, client, "user" FROM "__oauth_family"
    WHERE "user" = ? AND client = ? AND revoked_at IS NULL"#,
);
static TOKENS: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'
    WHERE "user" = ? AND client = ? AND status = 'Active'"#,
);
static CODES: Sql = Sql::new(
    r#"UPDATE "tabOAuth Authorization Code" SET validity = 'Invalid'
    WHERE "user" = ? AND client = ? AND validity = 'Valid'"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&FAMILIES, &TOKENS, &CODES];

/// A token goes: everything that descends from the same sign-in ends with it.
pub(super) async fn token(
    view: &View,
    token: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    end_family(view, token, tx).await?;
    record(view, token, "OAuth Bearer Token", tx).await
}

/// A code goes: it cannot be redeemed any more, and what it was redeemed for ends.
pub(super) async fn code(
    view: &View,
    code: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    end_family(view, code, tx).await?;
    record(view, code, "OAuth Authorization Code", tx).await
}

/// A consent is withdrawn: the client's tokens and codes of this user end.
pub(super) async fn consent(
    view: &View,
    consent: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let (user, client) = (text(consent, "user"), text(consent, "client"));
    // Families first: that waits for refreshes under way, whose tokens are then seen.
    for row in tx.rows(&FAMILIES, params![user, client]).await? {
        if row.opt_text(1)? == Some(client) && row.opt_text(2)? == Some(user) {
            let ended = family::revoke(tx, row.text(0)?, view.ctx.now);
            ended.await.map_err(failed)?;
        }
    }
    for statement in [&TOKENS, &CODES] {
        tx.execute(statement, params![user, client]).await?;
    }
    record(view, consent, "OAuth Consent", tx).await
}

async fn end_family(
    view: &View,
    document: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    // Rows that Frappe made have none; with the row the token is gone.
    match text(document, "family") {
        "" => Ok(()),
        name => family::revoke(tx, name, view.ctx.now).await.map_err(failed),
    }
}

async fn record(
    view: &View,
    document: &Map<String, Json>,
    doctype: &str,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let entry = Entry::new(&view.ctx, Operation::Revocation, Status::Success)
        .user(view.by())
        .client(text(document, "client"))
        .detail("of user", text(document, "user"))
        .detail("removed", doctype);
    audit::record(tx, &entry).await.map_err(failed)
}
