//! What a user allowed an app, remembered.
//!
//! Records: OAuth Consent. A stored consent lets `prompt=none` succeed (OpenID Connect Core
//! §3.1.2.1); whether an interactive request asks again is for OAuth Settings and the client to
//! say. Nothing here decides about skipping: see `authorize`.

use std::sync::Arc;

use crema_crypto::token::random_name;
use crema_document::LocalTime;
use crema_protocol::limits;
use crema_protocol::redirect_uri::split_registered;
use crema_protocol::scope::Scope;
use crema_store::{Sql, Transaction, params};

use crate::client::Client;
use crate::token::covers_resources;
use crate::{Ctx, Failure};

static READ: Sql = Sql::new(
    r#"SELECT name, scopes, resource FROM "tabOAuth Consent" WHERE "user" = ? AND client = ?"#,
);
static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Consent" (name, creation, modified, modified_by, owner, docstatus,
    idx, "user", client, scopes, resource, given_at) VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?)"#,
);
static WIDEN: Sql = Sql::new(
    r#"UPDATE "tabOAuth Consent" SET scopes = ?, given_at = ?, modified = ? WHERE name = ?"#,
);
static CLIENT: Sql =
    Sql::new(r#"SELECT app_name, redirect_uris FROM "tabOAuth Client" WHERE name = ? {lock}"#);
static ACTIVE_TOKENS: Sql = Sql::new(
    r#"SELECT scopes, resource FROM "tabOAuth Bearer Token"
    WHERE "user" = ? AND client = ? AND status = 'Active' AND expires_at > ?"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&READ, &INSERT, &WIDEN, &CLIENT, &ACTIVE_TOKENS];

/// Whether what is asked for was allowed before.
///
/// # Errors
/// When the database cannot be read.
pub async fn covers(
    ctx: &Ctx,
    user: &str,
    client: &Client,
    scope: &Scope,
    resource: &str,
) -> Result<bool, Failure> {
    let rows = ctx
        .provider
        .database()
        .rows(&READ, params![user, &client.name])
        .await?;
    for row in &rows {
        let allowed = Scope::from_registered(row.opt_text(1)?.unwrap_or_default());
        let stored = row.opt_text(2)?.unwrap_or_default();
        if is_same(stored, resource) && allowed.covers(scope) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two lists of resources name the same ones, in whatever order.
fn is_same(stored: &str, asked: &str) -> bool {
    let all_in = |some: &str, others: &str| {
        let mut some = some.split_whitespace();
        some.all(|one| others.split_whitespace().any(|other| other == one))
    };
    all_in(stored, asked) && all_in(asked, stored)
}

/// Whether the user has a living token of this client with at least these scopes, for at least
/// these resources: what OAuth Settings' Skip Authorization ("Auto") asks for.
///
/// # Errors
/// When the database cannot be read.
// spec: behaviour.md, finding 24: expired tokens and other clients' tokens do not count
pub async fn has_active_token(
    ctx: &Ctx,
    user: &str,
    client: &Client,
    scope: &Scope,
    resources: &[String],
) -> Result<bool, Failure> {
    let values = params![user, &client.name, ctx.now.micros()];
    let rows = ctx.provider.database().rows(&ACTIVE_TOKENS, values).await?;
    for row in &rows {
        let granted = Scope::from_registered(row.opt_text(0)?.unwrap_or_default());
        let is_for = row.opt_text(1)?.unwrap_or_default();
        if granted.covers(scope) && covers_resources(is_for, resources) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A consent about to be stored.
#[derive(Debug, Clone)]
pub struct NewConsent {
    name: String,
    user: String,
    client: Arc<Client>,
    scope: Scope,
    resource: String,
    given_at: i64,
    local_now: LocalTime,
}

impl NewConsent {
    /// What `user` allows `client` now.
    pub fn new(
        ctx: &Ctx,
        user: &str,
        client: &Arc<Client>,
        scope: &Scope,
        resource: &str,
    ) -> NewConsent {
        NewConsent {
            name: random_name(&*ctx.provider.environment().entropy),
            user: user.to_owned(),
            client: Arc::clone(client),
            scope: scope.clone(),
            resource: resource.to_owned(),
            given_at: ctx.now.micros(),
            local_now: ctx.provider.site().local(ctx.now),
        }
    }

    /// Stores it, or widens the one that exists for the same user, client and resource. Nothing
    /// is remembered about a client that has become another one since the user was asked.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn store(&self, tx: &mut Transaction) -> Result<(), Failure> {
        if !self.is_as_it_was(tx).await? {
            return Ok(());
        }
        let rows = tx
            .rows(&READ, params![&self.user, &self.client.name])
            .await?;
        for row in &rows {
            if !is_same(row.opt_text(2)?.unwrap_or_default(), &self.resource) {
                continue;
            }
            let allowed = Scope::from_registered(row.opt_text(1)?.unwrap_or_default());
            let scopes = widened(&allowed, &self.scope).to_string();
            let values = params![scopes, self.given_at, self.local_now, row.text(0)?];
            tx.execute(&WIDEN, values).await?;
            return Ok(());
        }
        let values = params![
            &self.name,
            self.local_now,
            self.local_now,
            &self.user,
            &self.user,
            &self.user,
            &self.client.name,
            self.scope.to_string(),
            &self.resource,
            self.given_at,
        ];
        tx.execute(&INSERT, values).await?;
        Ok(())
    }

    /// Whether the client has the name that the user saw, and leads nowhere else; from here on to
    /// the end of the transaction.
    async fn is_as_it_was(&self, tx: &mut Transaction) -> Result<bool, Failure> {
        let Some(row) = tx.row(&CLIENT, params![&self.client.name]).await? else {
            return Ok(false);
        };
        let uris = split_registered(row.opt_text(1)?.unwrap_or_default());
        let were = &self.client.rules.redirect_uris;
        Ok(row.opt_text(0)? == Some(&self.client.app_name)
            && uris.iter().all(|uri| were.iter().any(|one| one == uri)))
    }
}

/// What was allowed before and what is allowed now. Under `all` a client may ask for ever other
/// narrow scopes; when all of them together are more than a request can ask for, the last word
/// counts.
fn widened(allowed: &Scope, new: &Scope) -> Scope {
    if allowed.covers(new) {
        return allowed.clone();
    }
    let both = allowed.union(new);
    match both.to_string().len() > limits::SCOPE {
        true => new.clone(),
        false => both,
    }
}
