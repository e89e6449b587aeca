//! Whose key is this, and is the secret right.
//!
//! One statement by the key reads the site's version, the pair of a User, an API Key record, and
//! whether wrong secrets have locked the key at this address; the user comes from memory. An
//! unknown key and a wrong secret go the same way and are answered alike.
//! Records: User, API Key (`last_used` written behind), `__Auth`, `__failure`, Activity Log.

use std::sync::Arc;

use crema_document::Timestamp;
use crema_protocol::authorization::ApiKeyPair;
use crema_protocol::resource_scope::ResourceScopes;
use crema_protocol::scope::Scope;
use crema_store::{Row, Sql, params};

use super::{DOCTYPE, StoredSecret, source};
use crate::audit::{self, Entry, Operation, Status};
use crate::lockout::{self, Key};
use crate::user::{User, addresses_admit};
use crate::{Ctx, Failure};

static FIND: Sql = Sql::new(
    r#"SELECT v.version, x.locked_until, u.name, u.api_key, a."password", a.encrypted,
    k.name, k.api_key, b."password", b.encrypted, k."user", k.enabled, k.scopes, k.expires_at,
    k.restrict_ip, k.last_used
    FROM "__version" v
    LEFT JOIN "__failure" x ON x.name = ?
    LEFT JOIN "tabUser" u ON u.api_key = ?
    LEFT JOIN "__Auth" a
    ON a.doctype = 'User' AND a.name = u.name AND a.fieldname = 'api_secret'
    LEFT JOIN "tabAPI Key" k ON k.api_key = ?
    LEFT JOIN "__Auth" b
    ON b.doctype = 'API Key' AND b.name = k.name AND b.fieldname = 'api_secret'
    WHERE v.name = 'site'"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&FIND];

/// Wrong secrets that one address may present for one key before it has to wait.
const WRONG_SECRETS: u32 = 10;
/// How long failures are remembered and how long the wait is, in seconds.
const WINDOW: i64 = 60;

/// The user that a key acts as.
pub struct KeyHolder {
    /// The user, enabled.
    pub user: Arc<User>,
    /// What the key opens; everything when absent, as with the pair of a User.
    pub scopes: Option<ResourceScopes>,
}

/// How a look at a key ended.
pub enum Verdict {
    /// The pair is right, and its user enabled.
    Right(KeyHolder),
    /// There is no such pair, or it has ended.
    Wrong,
    /// The pair is right, and may not be used from this address.
    WrongAddress,
}

/// A pair that was found by its key, wherever it is kept.
pub(super) struct Found {
    /// The User it acts as.
    pub(super) user: String,
    pub(super) secret: Option<StoredSecret>,
    /// What an API Key record says beyond that.
    pub(super) limits: Option<Limits>,
}

/// What limits an API Key.
pub(super) struct Limits {
    name: String,
    enabled: bool,
    scopes: String,
    expires_at: Option<Timestamp>,
    restrict_ip: String,
    last_used: Option<i64>,
}

/// Looks at a presented pair. `source` names another DocType that keeps keys; empty is none.
///
/// # Errors
/// [`Failure::TooMany`] after too many wrong secrets from this address.
pub async fn check(ctx: &Ctx, pair: &ApiKeyPair, source: Option<&str>) -> Result<Verdict, Failure> {
    let key = pair.key.expose();
    let counter = Key::api_key(key, ctx.address);
    let source = source.map(str::trim).filter(|source| !source.is_empty());
    let found = match source {
        None | Some("User" | DOCTYPE) => find(ctx, key, &counter, source).await?,
        Some(doctype) => source::find(ctx, key, doctype).await?,
    };
    // Made-up keys share one counter, or anybody could fill the table.
    let counter = match found.is_empty() {
        true => Key::api_key("", ctx.address),
        false => counter,
    };
    if found.is_empty() || source.is_some() {
        lockout::check(ctx, std::slice::from_ref(&counter)).await?;
    }
    let secret = pair.secret.expose();
    let right = found.iter().find(|found| found.has(ctx, secret));
    match right {
        Some(found) => admit(ctx, found).await,
        None => {
            let user = found.first().map_or("", |found| &found.user);
            refuse(ctx, counter, user).await
        }
    }
}

/// The same for everybody: counted, and written down.
async fn refuse(ctx: &Ctx, counter: Key, user: &str) -> Result<Verdict, Failure> {
    let counted = lockout::record_failure(ctx, &[counter], WRONG_SECRETS, WINDOW).await?;
    audit::failure(ctx, Operation::ApiKeyAuthentication, user).await?;
    match counted.locked_until {
        Some(end) => Err(Failure::TooMany {
            retry_after: lockout::seconds_until(end, ctx.now),
        }),
        None => Ok(Verdict::Wrong),
    }
}

/// The secret is right; whether it still opens anything, and from here.
async fn admit(ctx: &Ctx, found: &Found) -> Result<Verdict, Failure> {
    let user = ctx.user(&found.user).await?.filter(|user| user.enabled);
    let Some(user) = user else {
        return Ok(Verdict::Wrong);
    };
    let Some(limits) = &found.limits else {
        return Ok(Verdict::Right(KeyHolder { user, scopes: None }));
    };
    let ended = |end: Timestamp| end <= ctx.now;
    if !limits.enabled || limits.expires_at.is_some_and(ended) {
        return Ok(Verdict::Wrong);
    }
    if !addresses_admit(&limits.restrict_ip, ctx.address) {
        let entry = Entry::new(ctx, Operation::ApiKeyAuthentication, Status::Failed)
            .user(&user.name)
            .about(DOCTYPE, &limits.name)
            .detail("violation", "address");
        audit::record_now(ctx, entry).await?;
        return Ok(Verdict::WrongAddress);
    }
    let last_used = ctx.provider.keys_last_used();
    last_used.touch(ctx, &limits.name, limits.last_used);
    let scopes = ResourceScopes::of(&Scope::from_registered(&limits.scopes));
    Ok(Verdict::Right(KeyHolder {
        user,
        scopes: Some(scopes),
    }))
}

/// The pairs with this key. There is one at most; where a database ignores case, what differs in
/// it is left out here.
async fn find(
    ctx: &Ctx,
    key: &str,
    counter: &Key,
    source: Option<&str>,
) -> Result<Vec<Found>, Failure> {
    let database = ctx.provider.database();
    let values = params![counter.as_str(), key, key];
    let Some(row) = database.row(&FIND, values).await? else {
        return Ok(Vec::new());
    };
    ctx.learn_version(row.int(0)?).await?;
    let locked = Timestamp::from_micros(row.opt_int(1)?.unwrap_or_default());
    if locked > ctx.now {
        lockout::check(ctx, std::slice::from_ref(counter)).await?;
    }
    let wanted = |doctype: &str| source.is_none_or(|source| source == doctype);
    let mut found = Vec::new();
    if wanted("User") && row.opt_text(3)? == Some(key) {
        found.push(Found {
            user: row.text(2)?.to_owned(),
            secret: StoredSecret::read(&row, 4)?,
            limits: None,
        });
    }
    if wanted(DOCTYPE) && row.opt_text(7)? == Some(key) {
        found.push(Found {
            user: row.opt_text(10)?.unwrap_or_default().to_owned(),
            secret: StoredSecret::read(&row, 8)?,
            limits: Some(Limits::read(&row)?),
        });
    }
    Ok(found)
}

impl Limits {
    fn read(row: &Row) -> Result<Limits, Failure> {
        let text = |index| Ok::<_, Failure>(row.opt_text(index)?.unwrap_or_default().to_owned());
        let expires_at = row.opt_int(13)?.filter(|micros| *micros != 0);
        Ok(Limits {
            name: text(6)?,
            enabled: row.opt_int(11)?.unwrap_or_default() != 0,
            scopes: text(12)?,
            expires_at: expires_at.map(Timestamp::from_micros),
            restrict_ip: text(14)?,
            last_used: row.opt_datetime(15)?,
        })
    }
}

impl Found {
    fn has(&self, ctx: &Ctx, secret: &str) -> bool {
        let stored = self.secret.as_ref();
        stored.is_some_and(|stored| stored.matches(&ctx.provider, secret))
    }
}
