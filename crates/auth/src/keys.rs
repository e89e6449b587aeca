//! Signing keys of ID tokens: made when first needed, published before they are used, kept until
//! what they signed is dead.
//!
//! OpenID Connect Core §10.1 and §10.1.1; RFC 7517. A new key stands in the JWKS for ten minutes
//! before it signs, so that relying parties which keep a copy have it by then; the old one stays
//! until the last token it signed has expired. The unique `slot` of a key (`RS256:3`) decides
//! between processes that make one at the same time.
//! Records: Signing Key, `__Auth`, Activity Log; OAuth Client (lifetimes, read).

use std::str::FromStr;
use std::sync::Arc;

use crema_crypto::{Secret, SigningAlgorithm, SigningKey, random_name};
use crema_document::{Timestamp, version};
use crema_store::{Row, Sql, StoreError, Transaction, Value, params};
use serde_json::{Value as Json, json};

use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure, Provider};

static LOAD: Sql = Sql::new(
    r#"SELECT k.name, k.algorithm, k.slot, k.created_at, k.active_from, k.retire_at, a.password
    FROM "tabSigning Key" k LEFT JOIN "__Auth" a
    ON a.doctype = 'Signing Key' AND a.name = k.name AND a.fieldname = 'private_key'
    WHERE k.status <> 'Retired' ORDER BY k.active_from, k.created_at, k.name"#,
);
static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabSigning Key" (name, creation, modified, modified_by, owner, docstatus, idx,
    algorithm, public_jwk, slot, created_at, active_from, retire_at, status)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 0, 'Active')"#,
);
static INSERT_PRIVATE: Sql = Sql::new(
    r#"INSERT INTO "__Auth" (doctype, name, fieldname, password, encrypted)
    VALUES ('Signing Key', ?, 'private_key', ?, 1)"#,
);
static RETIRE: Sql = Sql::new(
    r#"UPDATE "tabSigning Key" SET retire_at = ?, status = 'Retiring', modified = ?
    WHERE algorithm = ? AND retire_at = 0 AND name <> ?"#,
);
static BURY: Sql = Sql::new(
    r#"UPDATE "tabSigning Key" SET status = 'Retired'
    WHERE status <> 'Retired' AND retire_at > 0 AND retire_at <= ?"#,
);
static FORGET_PRIVATE: Sql = Sql::new(
    r#"DELETE FROM "__Auth" WHERE doctype = 'Signing Key' AND name IN
    (SELECT name FROM "tabSigning Key" WHERE status = 'Retired')"#,
);
static SLOTS: Sql = Sql::new(r#"SELECT slot FROM "tabSigning Key" WHERE algorithm = ?"#);
static LONGEST: Sql = Sql::new(r#"SELECT MAX(access_token_lifetime) FROM "tabOAuth Client""#);
static LIST: Sql = Sql::new(
    r#"SELECT name, algorithm, created_at, active_from, retire_at, status
    FROM "tabSigning Key" ORDER BY algorithm, created_at, name"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &LOAD,
    &INSERT,
    &INSERT_PRIVATE,
    &RETIRE,
    &BURY,
    &FORGET_PRIVATE,
    &SLOTS,
    &LONGEST,
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

/// Replaces the keys of one algorithm, or of all that the site has. The new one signs after
/// ten minutes, or at once when `immediately`. Gives the names of the new keys.
///
/// # Errors
/// [`Failure::Validation`] for HS256; when a key cannot be made or stored.
pub async fn rotate(
    ctx: &Ctx,
    by: &str,
    algorithm: Option<SigningAlgorithm>,
    immediately: bool,
) -> Result<Vec<String>, Failure> {
    let active_from = match immediately {
        true => ctx.now,
        false => ctx.now.plus_seconds(PUBLISH_BEFORE),
    };
    let retire_at = active_from.plus_seconds(KEEP_AFTER.max(longest_lifetime(ctx).await?));
    let algorithms = match algorithm {
        Some(algorithm) => vec![algorithm],
        None => in_use(ctx).await?,
    };
    let mut names = Vec::new();
    for algorithm in algorithms {
        let slot = next_slot(ctx, algorithm).await?;
        let made = Made::generate(ctx, algorithm, slot, active_from, by).await?;
        if made.store(ctx, Some(retire_at)).await? {
            names.push(made.name.clone());
        }
    }
    Ok(names)
}

/// ID tokens live as long as the access tokens beside them.
async fn longest_lifetime(ctx: &Ctx) -> Result<i64, Failure> {
    let of_site = ctx.settings().await?.access_token_lifetime;
    let row = ctx.provider.database().row(&LONGEST, params![]).await?;
    let of_clients = match row {
        Some(row) => row.opt_int(0)?.unwrap_or_default(),
        None => 0,
    };
    Ok(of_site.max(of_clients))
}

async fn in_use(ctx: &Ctx) -> Result<Vec<SigningAlgorithm>, Failure> {
    let keyring = current(ctx).await?;
    let all = SigningAlgorithm::ALL.into_iter();
    Ok(all
        .filter(|one| keyring.signing(*one, ctx.now).is_some())
        .collect())
}

async fn next_slot(ctx: &Ctx, algorithm: SigningAlgorithm) -> Result<u32, Failure> {
    let rows = ctx
        .provider
        .database()
        .rows(&SLOTS, params![algorithm.as_str()])
        .await?;
    let mut last = 0;
    for row in &rows {
        let number = row
            .text(0)?
            .rsplit(':')
            .next()
            .and_then(|text| text.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last + 1)
}

/// A key that was made and is not yet stored.
struct Made {
    name: String,
    algorithm: SigningAlgorithm,
    row: Vec<Value>,
    private: Vec<Value>,
    local: Value,
    entry: Entry,
}

impl Made {
    async fn generate(
        ctx: &Ctx,
        algorithm: SigningAlgorithm,
        slot: u32,
        active_from: Timestamp,
        by: &str,
    ) -> Result<Made, Failure> {
        if algorithm.is_symmetric() {
            let text = format!("{algorithm} has no signing key of the site.");
            return Err(Failure::Validation(text));
        }
        let environment = ctx.provider.environment();
        let name = random_name(&*environment.entropy);
        let (public, private) = new_key(algorithm, name.clone()).await?;
        let seconds = u64::try_from(ctx.now.seconds()).unwrap_or_default();
        let encrypted = ctx
            .provider
            .site_keys()
            .fernet()
            .encrypt(&*environment.entropy, seconds, private.expose())
            .map_err(Failure::internal)?;
        let local: Value = ctx.provider.site().local(ctx.now).into();
        let row = params![
            &name,
            local.clone(),
            local.clone(),
            by,
            by,
            algorithm.as_str(),
            public.to_string(),
            format!("{algorithm}:{slot}"),
            ctx.now,
            active_from,
        ];
        let entry = Entry::new(ctx, Operation::KeyRotated, Status::Success)
            .user(by)
            .about("Signing Key", &name)
            .detail("algorithm", algorithm.as_str())
            .detail("active_from", active_from.to_string());
        let private = params![&name, encrypted];
        Ok(Made {
            name,
            algorithm,
            row,
            private,
            local,
            entry,
        })
    }

    /// Stores the key; with `retire_at` the others of its algorithm end then. False when another
    /// process was quicker: then its key counts.
    async fn store(&self, ctx: &Ctx, retire_at: Option<Timestamp>) -> Result<bool, Failure> {
        let job = Arc::new(Storing {
            name: self.name.clone(),
            algorithm: self.algorithm,
            row: self.row.clone(),
            private: self.private.clone(),
            local: self.local.clone(),
            entry: self.entry.clone(),
            retire_at,
            now: ctx.now,
        });
        let stored = ctx
            .provider
            .database()
            .write(move |tx| {
                let job = Arc::clone(&job);
                Box::pin(async move { job.run(tx).await })
            })
            .await;
        match stored {
            Ok(()) => Ok(true),
            Err(Failure::Store(StoreError::UniqueViolation { .. })) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

struct Storing {
    name: String,
    algorithm: SigningAlgorithm,
    row: Vec<Value>,
    private: Vec<Value>,
    local: Value,
    entry: Entry,
    retire_at: Option<Timestamp>,
    now: Timestamp,
}

impl Storing {
    async fn run(&self, tx: &mut Transaction) -> Result<(), Failure> {
        tx.execute(&INSERT, self.row.clone()).await?;
        tx.execute(&INSERT_PRIVATE, self.private.clone()).await?;
        if let Some(end) = self.retire_at {
            let values = params![end, self.local.clone(), self.algorithm.as_str(), &self.name];
            tx.execute(&RETIRE, values).await?;
        }
        tx.execute(&BURY, params![self.now]).await?;
        tx.execute(&FORGET_PRIVATE, params![]).await?;
        audit::record(tx, &self.entry).await?;
        version::bump(tx).await?;
        Ok(())
    }
}

/// Makes a key pair off the async threads: RSA takes a good part of a second.
async fn new_key(
    algorithm: SigningAlgorithm,
    kid: String,
) -> Result<(Json, Secret<Vec<u8>>), Failure> {
    tokio::task::spawn_blocking(move || {
        let private = SigningKey::generate(algorithm)?.to_pkcs8()?;
        let key = SigningKey::from_pkcs8(algorithm, &kid, private.expose())?;
        Ok((key.public_jwk().cloned().unwrap_or_default(), private))
    })
    .await
    .map_err(|_| Failure::Internal("making a key was broken off".to_owned()))?
    .map_err(|error: crema_crypto::CryptoError| Failure::internal(error))
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
