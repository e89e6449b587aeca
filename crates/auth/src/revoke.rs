//! Revocation: ending a token before its time.
//!
//! RFC 7009; Frappe's `revoke_token`, where one record is both tokens: revoking the access token
//! ends its refresh token as well. Records: OAuth Bearer Token, `__oauth_family`, Activity Log.

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_protocol::params::Params;
use crema_protocol::token_query::TokenQuery;
use crema_store::{Sql, params};

use crate::audit::{self, Entry, Operation, Status};
use crate::client_auth::{self, Proof};
use crate::token::family;
use crate::{Ctx, Failure};

static FIND: Sql = Sql::new(
    r#"SELECT name, client, family, "user" FROM "tabOAuth Bearer Token"
    WHERE access_token = ? OR refresh_token = ?"#,
);
static REVOKE_ROW: Sql =
    Sql::new(r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked' WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&FIND, &REVOKE_ROW];

/// Ends the presented token, whichever kind it is. Unknown tokens and other clients' tokens are
/// no error and nothing happens.
///
/// # Errors
/// `invalid_client`, `invalid_request` without a `token`.
// spec: RFC 7009 §2.2; security.md, "Revoking another client's token answers 200 and does nothing"
pub async fn revoke(
    ctx: &Ctx,
    authorization: Option<&str>,
    params: &Params,
) -> Result<(), Failure> {
    params.reject_repeated(&[client_auth::SECRET])?;
    let client = client_auth::authenticate(ctx, authorization, params, Proof::AsEnforced).await?;
    let query = TokenQuery::parse(params)?;
    let hash = hash_hex(query.token.expose());
    let entry = Entry::new(ctx, Operation::Revocation, Status::Success).client(&client.name);
    let (now, name) = (ctx.now, client.name.clone());
    let job = Arc::new((hash, name, entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (hash, client, entry) = &*job;
                let Some(row) = tx.row(&FIND, params![hash, hash]).await? else {
                    // A rotated refresh token: its family is what the client wants to end.
                    return match family::spent(tx, hash).await? {
                        Some(spent) if spent.client == *client => {
                            family::revoke(tx, &spent.family, now).await?;
                            audit::record(tx, entry).await
                        }
                        _ => Ok(()),
                    };
                };
                if row.opt_text(1)? != Some(client.as_str()) {
                    return Ok(());
                }
                match row.opt_text(2)? {
                    Some(family) => family::revoke(tx, family, now).await?,
                    None => {
                        tx.execute(&REVOKE_ROW, params![row.text(0)?]).await?;
                    }
                }
                let entry = entry.clone().user(row.opt_text(3)?.unwrap_or_default());
                audit::record(tx, &entry).await
            })
        })
        .await
}
