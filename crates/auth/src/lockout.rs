//! Counters of failed attempts, in the database, so that all processes of a site share them.
//!
//! A key is a user, an address, or a client or API key at an address. After `limit` failures within
//! `window` seconds the key is locked for `window` seconds; then counting starts anew. Attempts
//! that were under way when the lock fell are told about the lock and not about their password,
//! so that many at once do not get more answers than one after the other.
//! Records: `__failure`, Activity Log.
// spec: security.md, Sign-in and sessions, lines 2 and 3

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_document::Timestamp;
use crema_store::{Row, Sql, StoreError, Transaction, params};

use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure};

static READ: Sql =
    Sql::new(r#"SELECT "count", started_at, locked_until FROM "__failure" WHERE name = ?"#);
static READ_LOCKED: Sql =
    Sql::new(r#"SELECT "count", started_at, locked_until FROM "__failure" WHERE name = ? {lock}"#);
static CREATE: Sql = Sql::new(
    r#"INSERT INTO "__failure" (name, "count", started_at, locked_until) VALUES (?, 0, ?, 0)
    ON CONFLICT (name) DO NOTHING"#,
);
static SET: Sql = Sql::new(
    r#"UPDATE "__failure" SET "count" = ?, started_at = ?, locked_until = ? WHERE name = ?"#,
);
static DELETE: Sql = Sql::new(r#"DELETE FROM "__failure" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&READ, &READ_LOCKED, &CREATE, &SET, &DELETE];

/// Whose failures are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Someone who signs in. The name is folded and hashed: what is typed there may be anything,
    /// even a password.
    pub fn user(name: &str) -> Key {
        Key(format!("user:{}", hash_hex(&name.trim().to_lowercase())))
    }

    /// Where sign-ins come from; of an IPv6 address the network that one subscriber has.
    pub fn address(address: IpAddr) -> Key {
        Key(format!("address:{}", network(address)))
    }

    /// A client at an address, so that nobody can lock a client out from elsewhere.
    // spec: security.md, Sign-in and sessions, "Client limits are keyed by client and address"
    pub fn client(client_id: &str, address: IpAddr) -> Key {
        Key(format!(
            "client:{}:{}",
            hash_hex(client_id),
            network(address)
        ))
    }

    /// An API key at an address; empty for keys that nobody has.
    pub fn api_key(key: &str, address: IpAddr) -> Key {
        Key(format!("api_key:{}:{}", hash_hex(key), network(address)))
    }

    /// Where registrations come from: of clients, and of what leads to one.
    pub fn registration(address: IpAddr) -> Key {
        Key(format!("registration:{}", network(address)))
    }

    /// Its name in the table: `user:…`, `address:…`, `client:…`, `api_key:…` or
    /// `registration:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn kind(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

/// An IPv4 address as it is, also when it is mapped into IPv6; of IPv6 the first 64 bits.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Refuses while this client is locked at the address that the request comes from; the name is
/// empty for ids that nobody has.
///
/// # Errors
/// [`Failure::TooMany`]; also when the database cannot be read.
pub async fn check_client(ctx: &Ctx, client: &str) -> Result<(), Failure> {
    match ctx.of_ahead(|ahead| ahead.locked_until(client)) {
        Some(until) if until <= ctx.now => Ok(()),
        // Not looked up, or to be looked at closely.
        _ => check(ctx, &[Key::client(client, ctx.address)]).await,
    }
}

/// What counting a failure brought to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The end of a lock that stood already when this failure was counted: the caller must not
    /// say whether the credentials were wrong.
    pub locked_until: Option<Timestamp>,
}

/// Refuses while one of the keys is locked.
///
/// # Errors
/// [`Failure::TooMany`]; also when the database cannot be read.
pub async fn check(ctx: &Ctx, keys: &[Key]) -> Result<(), Failure> {
    for key in keys {
        let row = ctx
            .provider
            .database()
            .row(&READ, params![key.as_str()])
            .await?;
        if let Some(row) = row {
            Stored::from_row(&row)?.refuse_locked(ctx.now)?;
        }
    }
    Ok(())
}

/// Counts a failure for each key and locks those that reach `limit` within `window` seconds.
/// A limit of 0 switches counting off, as Frappe's setting does.
///
/// # Errors
/// When the database refuses.
pub async fn record_failure(
    ctx: &Ctx,
    keys: &[Key],
    limit: u32,
    window: i64,
) -> Result<Counted, Failure> {
    if limit == 0 {
        return Ok(Counted { locked_until: None });
    }
    // One order for all, so that no two transactions wait for each other.
    let mut keys = keys.to_vec();
    keys.sort();
    keys.dedup();
    let keys: Vec<(Key, Entry)> = keys
        .into_iter()
        .map(|key| {
            let entry = Entry::new(ctx, Operation::Lockout, Status::Failed)
                .detail("of", key.kind())
                .detail("seconds", window);
            (key, entry)
        })
        .collect();
    let keys = Arc::new(keys);
    let rule = Rule {
        limit: i64::from(limit),
        window,
        now: ctx.now,
    };
    ctx.provider
        .database()
        .write(move |tx| {
            let keys = Arc::clone(&keys);
            Box::pin(async move {
                let mut locked_until = None;
                for (key, entry) in keys.iter() {
                    locked_until = locked_until.max(rule.count(tx, key, entry).await?);
                }
                Ok::<_, Failure>(Counted { locked_until })
            })
        })
        .await
}

#[derive(Clone, Copy)]
struct Rule {
    limit: i64,
    window: i64,
    now: Timestamp,
}

impl Rule {
    /// Counts one failure of one key; gives the end of a lock that stood before.
    async fn count(
        self,
        tx: &mut Transaction,
        key: &Key,
        entry: &Entry,
    ) -> Result<Option<Timestamp>, Failure> {
        tx.execute(&CREATE, params![key.as_str(), self.now]).await?;
        let stored = read_locked(tx, key).await?.unwrap_or(Stored {
            count: 0,
            started_at: self.now,
            locked_until: Timestamp::EPOCH,
        });
        let standing = stored.is_locked(self.now).then_some(stored.locked_until);
        let mut next = self.after_failure(stored);
        if standing.is_none() && next.count >= self.limit {
            next.locked_until = self.now.plus_seconds(self.window);
            audit::record(tx, entry).await?;
        }
        write(tx, key, next).await?;
        Ok(standing)
    }

    fn after_failure(self, stored: Stored) -> Stored {
        let locked = stored.is_locked(self.now);
        let was_locked = stored.locked_until > Timestamp::EPOCH && !locked;
        let stale = self.now < stored.started_at
            || self.now.seconds_since(stored.started_at) >= self.window;
        if !locked && (was_locked || stale) {
            return Stored {
                count: 1,
                started_at: self.now,
                locked_until: Timestamp::EPOCH,
            };
        }
        Stored {
            count: stored.count.saturating_add(1),
            ..stored
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    count: i64,
    started_at: Timestamp,
    locked_until: Timestamp,
}

impl Stored {
    fn from_row(row: &Row) -> Result<Stored, StoreError> {
        Ok(Stored {
            count: row.int(0)?,
            started_at: Timestamp::from_micros(row.int(1)?),
            locked_until: Timestamp::from_micros(row.int(2)?),
        })
    }

    /// A lock ends at its time, and also when the clock has been set back to before its reason:
    /// else it would last for as long as the clock was wrong.
    fn is_locked(self, now: Timestamp) -> bool {
        self.started_at <= now && now < self.locked_until
    }

    fn refuse_locked(self, now: Timestamp) -> Result<(), Failure> {
        if !self.is_locked(now) {
            return Ok(());
        }
        Err(Failure::TooMany {
            retry_after: seconds_until(self.locked_until, now),
        })
    }
}

async fn read_locked(tx: &mut Transaction, key: &Key) -> Result<Option<Stored>, Failure> {
    let row = tx.row(&READ_LOCKED, params![key.as_str()]).await?;
    Ok(row.as_ref().map(Stored::from_row).transpose()?)
}

async fn write(tx: &mut Transaction, key: &Key, stored: Stored) -> Result<(), Failure> {
    let values = params![
        stored.count,
        stored.started_at,
        stored.locked_until,
        key.as_str()
    ];
    tx.execute(&SET, values).await?;
    Ok(())
}

/// Forgets the failures of a user who has now proven the password, and takes as many off the
/// address, where failures of other users stay counted: one good account must not wash away
/// guesses at others.
///
/// # Errors
/// [`Failure::TooMany`] when one of the keys was locked meanwhile: the right password of an
/// attempt among many must not be told apart then.
pub async fn succeed(ctx: &Ctx, user: &Key, address: &Key) -> Result<(), Failure> {
    let database = ctx.provider.database();
    let known = database.row(&READ, params![user.as_str()]).await?.is_some()
        || database
            .row(&READ, params![address.as_str()])
            .await?
            .is_some();
    if !known {
        return Ok(());
    }
    let (user, address, now) = (user.clone(), address.clone(), ctx.now);
    database
        .write(move |tx| {
            let (user, address) = (user.clone(), address.clone());
            Box::pin(async move {
                // Address before user: the order of `record_failure`.
                let of_address = read_locked(tx, &address).await?;
                let of_user = read_locked(tx, &user).await?;
                for stored in [of_address, of_user].into_iter().flatten() {
                    stored.refuse_locked(now)?;
                }
                let Some(of_user) = of_user else {
                    return Ok(());
                };
                tx.execute(&DELETE, params![user.as_str()]).await?;
                if let Some(stored) = of_address {
                    let count = (stored.count - of_user.count).max(0);
                    write(tx, &address, Stored { count, ..stored }).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Forgets all failures of the keys.
///
/// # Errors
/// When the database refuses.
pub async fn clear(ctx: &Ctx, keys: &[Key]) -> Result<(), Failure> {
    let mut keys = keys.to_vec();
    keys.sort();
    ctx.provider
        .database()
        .write(move |tx| {
            let keys = keys.clone();
            Box::pin(async move {
                for key in &keys {
                    tx.execute(&DELETE, params![key.as_str()]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Seconds from now until then, rounded up: a client that waits so long is not refused again.
pub(crate) fn seconds_until(then: Timestamp, now: Timestamp) -> u32 {
    let micros = then.micros_since(now).max(0);
    u32::try_from(micros.saturating_add(999_999) / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_address_and_a_mapped_one_is_its_ipv4() {
        let key = |text: &str| text.parse().map(Key::address).ok();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_eq!(
            Key::user(" USER@Example.com"),
            Key::user("user@example.com")
        );
    }

    #[test]
    fn waiting_is_rounded_up() {
        let now = Timestamp::from_micros(1_000_000);
        assert_eq!(seconds_until(Timestamp::from_micros(1_000_001), now), 1);
        assert_eq!(seconds_until(now.plus_seconds(60), now), 60);
        assert_eq!(seconds_until(Timestamp::EPOCH, now), 0);
    }
}
