//! Making a signing key, and putting it in the place of another.
//!
//! Records: Signing Key, `__Auth`, Activity Log; OAuth Client (lifetimes, read).

use std::sync::Arc;

use crema_crypto::{Secret, SigningAlgorithm, SigningKey, random_name};
use crema_document::{Timestamp, version};
use crema_store::{Sql, StoreError, Transaction, Value, params};
use serde_json::Value as Json;

use super::{KEEP_AFTER, PUBLISH_BEFORE, current, list};
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure};

pub(super) static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabSigning Key" (name, creation, modified, modified_by, owner, docstatus, idx,
    algorithm, public_jwk, slot, created_at, active_from, retire_at, status)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 0, 'Active')"#,
);
pub(super) static INSERT_PRIVATE: Sql = Sql::new(
    r#"INSERT INTO "__Auth" (doctype, name, fieldname, password, encrypted)
    VALUES ('Signing Key', ?, 'private_key', ?, 1)"#,
);
pub(super) static RETIRE: Sql = Sql::new(
    r#"UPDATE "tabSigning Key" SET retire_at = ?, status = 'Retiring', modified = ?
    WHERE algorithm = ? AND retire_at = 0 AND name <> ?"#,
);
pub(super) static BURY: Sql = Sql::new(
    r#"UPDATE "tabSigning Key" SET status = 'Retired'
    WHERE status <> 'Retired' AND retire_at > 0 AND retire_at <= ?"#,
);
pub(super) static FORGET_PRIVATE: Sql = Sql::new(
    r#"DELETE FROM "__Auth" WHERE doctype = 'Signing Key' AND name IN
    (SELECT name FROM "tabSigning Key" WHERE status = 'Retired')"#,
);
pub(super) static SLOTS: Sql = Sql::new(r#"SELECT slot FROM "tabSigning Key" WHERE algorithm = ?"#);
pub(super) static LONGEST: Sql =
    Sql::new(r#"SELECT MAX(access_token_lifetime) FROM "tabOAuth Client""#);

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

/// Replaces the keys that have signed for longer than OAuth Settings' `key_rotation_days`; 0
/// switches that off. Gives the names of the new keys.
///
/// # Errors
/// As [`rotate`].
pub async fn rotate_due(ctx: &Ctx, by: &str) -> Result<Vec<String>, Failure> {
    let days = ctx.settings().await?.key_rotation_days;
    if days == 0 {
        return Ok(Vec::new());
    }
    let oldest = ctx.now.minus_seconds(days * 86_400);
    let keys = list(ctx).await?;
    let mut names = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        // The one that nothing has replaced, be it active or coming.
        let newest = keys
            .iter()
            .filter(|key| key.algorithm == algorithm.as_str() && key.retire_at.is_none());
        if newest.clone().count() > 0 && newest.clone().all(|key| key.active_from <= oldest) {
            names.extend(rotate(ctx, by, Some(algorithm), false).await?);
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
pub(super) struct Made {
    name: String,
    algorithm: SigningAlgorithm,
    row: Vec<Value>,
    private: Vec<Value>,
    local: Value,
    entry: Entry,
}

impl Made {
    pub(super) async fn generate(
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
    pub(super) async fn store(
        &self,
        ctx: &Ctx,
        retire_at: Option<Timestamp>,
    ) -> Result<bool, Failure> {
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
