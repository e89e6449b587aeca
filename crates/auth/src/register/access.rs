//! Registration access tokens: with which registration each may do anything.
//!
//! RFC 7592 §3. Only hashes are kept. Records: Registration Access Token.

use std::sync::Arc;

use crema_crypto::{Secret, hash_hex};
use crema_store::{Sql, Transaction, params};

use super::{Presented, invalid_token, limit};
use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::{Ctx, Failure};

static FIND: Sql = Sql::new(
    r#"SELECT name, client, token FROM "tabRegistration Access Token"
    WHERE token = ? AND purpose = 'Manage' AND status = 'Active'
    AND (expires_at = 0 OR expires_at > ?)"#,
);
static ROTATE: Sql = Sql::new(
    r#"UPDATE "tabRegistration Access Token" SET token = ?, issued_at = ?, modified = ?
    WHERE name = ? AND token = ? AND status = 'Active'"#,
);
static HOLD: Sql = Sql::new(
    r#"SELECT status FROM "tabRegistration Access Token" WHERE name = ? AND token = ? {lock}"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&FIND, &ROTATE, &HOLD];

const REFUSED: &str = "The registration access token is not one of this client.";

/// A registration whose token was presented.
pub(super) struct Managed {
    pub(super) client: Arc<Client>,
    /// The token as it was presented.
    pub(super) token: Secret<String>,
    /// Name and hash of its record.
    pub(super) record: TokenRecord,
}

#[derive(Clone)]
pub(super) struct TokenRecord {
    name: String,
    hash: String,
}

/// The registration that this token manages, if it is that of the client that is named.
///
/// # Errors
/// `invalid_token`, the same for a wrong token, one of another client and a client that is not
/// there; [`Failure::Permission`] for a client that an administrator has disabled.
// spec: RFC 7592 §2.1, §2.2, §2.3; standards.md E, "unknown client must not reveal itself"
pub(super) async fn authorize(
    ctx: &Ctx,
    presented: Presented<'_>,
    client_id: &str,
) -> Result<Managed, Failure> {
    let token = match presented {
        Presented::Bearer(token) => token,
        Presented::Nothing => {
            return Err(invalid_token("The registration access token is missing."));
        }
        Presented::Other => return refuse(ctx).await,
    };
    let Some(record) = find(ctx, token, client_id).await? else {
        return refuse(ctx).await;
    };
    let client = ctx.client_record(client_id).await?;
    let Some(client) = client.filter(|client| client.dynamically_registered) else {
        return refuse(ctx).await;
    };
    if !client.enabled {
        return Err(Failure::Permission(
            "An administrator has disabled the client.".to_owned(),
        ));
    }
    Ok(Managed {
        client,
        token: Secret::from(token),
        record,
    })
}

async fn find(ctx: &Ctx, token: &str, client_id: &str) -> Result<Option<TokenRecord>, Failure> {
    let hash = hash_hex(token);
    let values = params![&hash, ctx.now];
    let Some(row) = ctx.provider.database().row(&FIND, values).await? else {
        return Ok(None);
    };
    let is_of_client = row.opt_text(1)? == Some(client_id) && row.opt_text(2)? == Some(&hash);
    Ok(match row.opt_text(0)? {
        Some(name) if is_of_client => Some(TokenRecord {
            name: name.to_owned(),
            hash,
        }),
        _ => None,
    })
}

/// Guesses are counted with registrations: they cost the database as much.
async fn refuse(ctx: &Ctx) -> Result<Managed, Failure> {
    limit::admit(ctx).await?;
    let entry = Entry::new(ctx, Operation::ClientAuthentication, Status::Failed)
        .detail("violation", "registration_access_token");
    audit::record_now(ctx, entry).await?;
    Err(invalid_token(REFUSED))
}

impl TokenRecord {
    /// Puts another token in the place of this one, in the transaction of what it was used for.
    ///
    /// # Errors
    /// `invalid_token` when somebody else was faster.
    pub(super) async fn rotate(
        &self,
        tx: &mut Transaction,
        new: &str,
        (now, local): (crema_document::Timestamp, crema_document::LocalTime),
    ) -> Result<(), Failure> {
        let values = params![new, now, local, &self.name, &self.hash];
        match tx.execute(&ROTATE, values).await? {
            0 => Err(invalid_token(REFUSED)),
            _ => Ok(()),
        }
    }

    /// Makes sure that it is still the one, and stays so to the end of the transaction.
    ///
    /// # Errors
    /// `invalid_token` when it is not.
    pub(super) async fn hold(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let row = tx.row(&HOLD, params![&self.name, &self.hash]).await?;
        match row.as_ref().map(|row| row.opt_text(0)).transpose()? {
            Some(Some("Active")) => Ok(()),
            _ => Err(invalid_token(REFUSED)),
        }
    }
}
