//! Signing keys of ID tokens: made when first needed, published before they are used, kept until
//! what they signed is dead.
//!
//! OpenID Connect Core §10.1 and §10.1.1; RFC 7517. A new key stands in the JWKS for ten minutes
//! before it signs, so that relying parties which keep a copy have it by then; the old one stays
//! until the last token it signed has expired. The unique `slot` of a key (`RS256:3`) decides
//! between processes that make one at the same time.
//! Records: Signing Key, `__Auth`, Activity Log; OAuth Client (lifetimes, read).

mod rotate;

pub use rotate::{rotate, rotate_due};

use std::str::FromStr;
use std::sync::Arc;

use crema_crypto::{SigningAlgorithm, SigningKey};
use crema_document::Timestamp;
use crema_store::{Row, Sql, params};
use serde_json::{Value as Json, json};

use crate::{Ctx, Failure, Provider};
use rotate::Made;

static LOAD: Sql = Sql::new(
    r#"SELECT k.name, k.algorithm, k.slot, k.created_at, k.active_from, k.retire_at, a.password
    FROM "tabSigning Key" k LEFT JOIN "__Auth" a
    ON a.doctype = 'Signing Key' AND a.name = k.name AND a.fieldname = 'private_key'
    WHERE k.status <> 'Retired' ORDER BY k.active_from, k.created_at, k.name"#,
);
static LIST: Sql = Sql::new(
    r#"SELECT name, algorithm, created_at, active_from, retire_at, status
    FROM "tabSigning Key" ORDER BY algorithm, created_at, name"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &LOAD,
    &rotate::INSERT,
    &rotate::INSERT_PRIVATE,
    &rotate::RETIRE,
    &rotate::BURY,
    &rotate::FORGET_PRIVATE,
    &rotate::SLOTS,
    &rotate::LONGEST,
    &LIST,
];

/// How long a new key is published before it signs, in seconds.
pub const PUBLISH_BEFORE: i64 = 600;
/// How long an old key is published at least after it last signed, in seconds.
pub const KEEP_AFTER: i64 = 86_400;

/// The signing keys of a site, as of one site version.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    key: Arc<SigningKey>,
    algorithm: SigningAlgorithm,
    active_from: Timestamp,
    /// `None` while nothing has replaced it.
    retire_at: Option<Timestamp>,
}

impl Held {
    fn is_published(&self, now: Timestamp) -> bool {
        self.retire_at.is_none_or(|end| now < end)
    }
}

impl Keyring {
    /// The key that signs now: of those that may sign the newest; before any may, the first.
    pub fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Arc<SigningKey>> {
        let mut candidates = self
            .keys
            .iter()
            .filter(|held| held.algorithm == algorithm && held.is_published(now));
        // Sorted by `active_from`.
        let first = candidates.clone().next();
        candidates
            .rfind(|held| held.active_from <= now)
            .or(first)
            .map(|held| &held.key)
    }

    /// The keys whose signatures count.
    pub fn verifying(&self, now: Timestamp) -> Vec<&SigningKey> {
        self.published(now).map(|held| &*held.key).collect()
    }

    /// The JSON Web Key Set: active, coming and retiring keys.
    pub fn jwks(&self, now: Timestamp) -> Json {
        let keys: Vec<&Json> = self
            .published(now)
            .filter_map(|held| held.key.public_jwk())
            .collect();
        json!({ "keys": keys })
    }

    fn published(&self, now: Timestamp) -> impl Iterator<Item = &Held> {
        self.keys.iter().filter(move |held| held.is_published(now))
    }
}

/// The site's keys that are not retired.
///
/// # Errors
/// When the database cannot be read or a private key cannot be decrypted.
pub async fn load(provider: &Provider) -> Result<Keyring, Failure> {
    let rows = provider.database().rows(&LOAD, params![]).await?;
    let keys = rows
        .iter()
        .map(|row| held(provider, row))
        .collect::<Result<_, _>>()?;
    Ok(Keyring { keys })
}

fn held(provider: &Provider, row: &Row) -> Result<Held, Failure> {
    let name = row.text(0)?;
    let broken = |what: &str| Failure::Internal(format!("signing key {name}: {what}"));
    let algorithm = SigningAlgorithm::from_str(row.text(1)?).map_err(|e| broken(&e.to_string()))?;
    let encrypted = row
        .opt_text(6)?
        .ok_or_else(|| broken("its private key is missing"))?;
    let pkcs8 = provider
        .site_keys()
        .fernet()
        .decrypt(encrypted)
        .map_err(|error| broken(&error.to_string()))?;
    let key = SigningKey::from_pkcs8(algorithm, name, pkcs8.expose())
        .map_err(|error| broken(&error.to_string()))?;
    let retire_at = row
        .opt_int(5)?
        .filter(|micros| *micros > 0)
        .map(Timestamp::from_micros);
    Ok(Held {
        key: Arc::new(key),
        algorithm,
        active_from: Timestamp::from_micros(row.opt_int(4)?.unwrap_or_default()),
        retire_at,
    })
}

/// The key that signs with this algorithm now; the first one is made here.
///
/// # Errors
/// For HS256, which has no key of the site; when a key cannot be made, stored or read.
pub async fn ensure(ctx: &Ctx, algorithm: SigningAlgorithm) -> Result<Arc<SigningKey>, Failure> {
    let keyring = ctx.provider.keyring(ctx.version().await?).await?;
    if let Some(key) = keyring.signing(algorithm, ctx.now) {
        return Ok(Arc::clone(key));
    }
    // The version of this request may be older than a key that another request has just made.
    if let Some(key) = current(ctx).await?.signing(algorithm, ctx.now) {
        return Ok(Arc::clone(key));
    }
    let made = Made::generate(ctx, algorithm, 1, ctx.now, "Guest").await?;
    made.store(ctx, None).await?;
    let keyring = current(ctx).await?;
    let key = keyring.signing(algorithm, ctx.now).cloned();
    key.ok_or_else(|| Failure::Internal(format!("no {algorithm} key could be made")))
}

async fn current(ctx: &Ctx) -> Result<Arc<Keyring>, Failure> {
    ctx.provider
        .keyring(ctx.provider.site().version().await?)
        .await
}

/// A key as `keys list` shows it.
#[derive(Debug, Clone)]
pub struct KeySummary {
    /// Name of the record and `kid` in the JWKS.
    pub name: String,
    /// Its algorithm.
    pub algorithm: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub active_from: Timestamp,
    /// When it leaves the JWKS; `None` while nothing has replaced it.
    pub retire_at: Option<Timestamp>,
    /// `Coming`, `Active`, `Retiring` or `Retired`, as of now.
    pub status: &'static str,
}

/// All keys of the site, retired ones too.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx) -> Result<Vec<KeySummary>, Failure> {
    let rows = ctx.provider.database().rows(&LIST, params![]).await?;
    rows.iter().map(|row| summary(row, ctx.now)).collect()
}

fn summary(row: &Row, now: Timestamp) -> Result<KeySummary, Failure> {
    let moment = |index| Ok::<_, Failure>(row.opt_int(index)?.unwrap_or_default());
    let active_from = Timestamp::from_micros(moment(3)?);
    let retire_at = Some(moment(4)?)
        .filter(|micros| *micros > 0)
        .map(Timestamp::from_micros);
    let status = match retire_at {
        Some(end) if end <= now => "Retired",
        _ if row.text(5)? == "Retired" => "Retired",
        Some(_) => "Retiring",
        None if active_from > now => "Coming",
        None => "Active",
    };
    Ok(KeySummary {
        name: row.text(0)?.to_owned(),
        algorithm: row.text(1)?.to_owned(),
        created_at: Timestamp::from_micros(moment(2)?),
        active_from,
        retire_at,
        status,
    })
}
