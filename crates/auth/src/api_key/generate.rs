//! A new pair for a User record: Frappe's `generate_keys`.
//!
//! As in Frappe a key that is there stays, and its old secret ends. The secret has 256 bits where
//! Frappe's has 60. Records: User, `__Auth`, Activity Log.

use std::sync::Arc;

use crema_crypto::Secret;
use crema_document::passwords::{self, StoredPassword};
use crema_document::version;
use crema_store::{Sql, Transaction, Value, params};

use super::{MASK, NewPair, SECRET_FIELD, SYSTEM_MANAGER, draw_key, draw_secret};
use crate::audit::{self, Entry, Operation, Status};
use crate::caller::Caller;
use crate::user::GUEST;
use crate::{Ctx, Failure};

static LOCK: Sql =
    Sql::new(r#"SELECT name, api_key, api_secret FROM "tabUser" WHERE name = ? {lock}"#);
static SET: Sql = Sql::new(
    r#"UPDATE "tabUser" SET api_key = ?, api_secret = ?, modified = ?, modified_by = ?
    WHERE name = ?"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&LOCK, &SET];

/// Gives a user a new secret, and a key when there is none. The old secret ends at once.
///
/// # Errors
/// [`Failure::Permission`] for whoever is no System Manager, lacks a role of the user, comes with
/// a scope other than `all`, or proved who he is more than ten minutes ago;
/// [`Failure::NotFound`]; [`Failure::Validation`] for Guest.
// spec: http.md, Resource server, "`generate_keys` … System Manager only, secret shown once"
pub async fn generate(ctx: &Ctx, caller: &Caller, user: &str) -> Result<NewPair, Failure> {
    let (name, api_key, api_secret) = give(ctx, caller, user, false).await?;
    let api_secret = api_secret.ok_or_else(|| Failure::internal("no secret was stored"))?;
    Ok(NewPair {
        name,
        api_key,
        api_secret,
    })
}

/// Gives a user a key and a secret who has none; a pair that is there stays as it is. Answers
/// the key, and the secret when it is new.
///
/// # Errors
/// As [`generate`].
pub async fn generate_first(
    ctx: &Ctx,
    caller: &Caller,
    user: &str,
) -> Result<(String, Option<Secret<String>>), Failure> {
    let (_, api_key, api_secret) = give(ctx, caller, user, true).await?;
    Ok((api_key, api_secret))
}

async fn give(
    ctx: &Ctx,
    caller: &Caller,
    user: &str,
    only_first: bool,
) -> Result<(String, String, Option<Secret<String>>), Failure> {
    let actor = &caller.actor;
    if !(actor.administrator || actor.roles.contains(SYSTEM_MANAGER)) {
        let text = "Only a System Manager makes API keys.";
        return Err(Failure::Permission(text.to_owned()));
    }
    // The pair opens everything, so whoever makes it has to have everything opened.
    if caller.scopes.as_ref().is_some_and(|scopes| !scopes.all) {
        let text = "The key would open everything, so this needs the scope all.";
        return Err(Failure::Permission(text.to_owned()));
    }
    let known = ctx.user(user).await?;
    let known = known.ok_or_else(|| not_found(user))?;
    if known.name == GUEST {
        return Err(Failure::Validation("Guest has no API key.".to_owned()));
    }
    super::require_right_over(ctx, caller, &known)?;
    let secret = draw_secret(ctx);
    let job = Arc::new(Job {
        only_first,
        user: known.name.clone(),
        by: caller.user.clone(),
        local: ctx.provider.site().local(ctx.now).into(),
        new_key: draw_key(ctx),
        secret: crate::client::encrypt(ctx, &secret)?,
        entry: Entry::new(ctx, Operation::ApiKeyChanged, Status::Success)
            .user(&caller.user)
            .about("User", &known.name)
            .detail("change", "generated"),
    });
    let (api_key, is_new) = ctx
        .provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move { job.run(tx).await })
        })
        .await?;
    Ok((known.name.clone(), api_key, is_new.then_some(secret)))
}

struct Job {
    only_first: bool,
    user: String,
    by: String,
    local: Value,
    new_key: String,
    secret: StoredPassword,
    entry: Entry,
}

impl Job {
    /// The key, and whether the secret was stored.
    async fn run(&self, tx: &mut Transaction) -> Result<(String, bool), Failure> {
        let row = tx.row(&LOCK, params![&self.user]).await?;
        let row = row.ok_or_else(|| not_found(&self.user))?;
        if row.text(0)? != self.user {
            return Err(not_found(&self.user));
        }
        let kept = row.opt_text(1)?.filter(|key| !key.is_empty());
        let has_secret = row.opt_text(2)?.is_some_and(|mask| !mask.is_empty());
        if let Some(kept) = kept.filter(|_| self.only_first && has_secret) {
            return Ok((kept.to_owned(), false));
        }
        let key = kept.unwrap_or(&self.new_key).to_owned();
        let values = params![&key, MASK, self.local.clone(), &self.by, &self.user];
        tx.execute(&SET, values).await?;
        passwords::set(tx, "User", &self.user, SECRET_FIELD, &self.secret).await?;
        audit::record(tx, &self.entry).await?;
        // The record is kept in memory, with its `modified`.
        version::bump(tx).await?;
        Ok((key, true))
    }
}

fn not_found(user: &str) -> Failure {
    Failure::NotFound(format!("User {user} not found"))
}
