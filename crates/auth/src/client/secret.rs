//! Client secrets: how they are kept, and how they are changed without breaking the client.
//!
//! Encrypted under the site's `encryption_key`, because HS256 ID tokens need the plain value. A
//! clear value that Frappe left in the record's own column is read. Records: OAuth Client,
//! Previous Client Secret, `__Auth`, Activity Log.
// spec: security.md, Clients, line 3

use std::sync::Arc;

use crema_crypto::{Secret, random_name, random_token};
use crema_document::passwords::{self, StoredPassword};
use crema_document::row::{self, RowHead};
use crema_document::{Timestamp, version};
use crema_store::{Sql, Transaction, params};

use super::DOCTYPE;
use super::record::Record;
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure, Provider};

static PREVIOUS: Sql = Sql::new(
    r#"SELECT p.expires_at, a.password FROM "tabPrevious Client Secret" p JOIN "__Auth" a
    ON a.doctype = 'Previous Client Secret' AND a.name = p.name AND a.fieldname = 'client_secret'
    WHERE p.client = ? ORDER BY p.expires_at DESC"#,
);
static PREVIOUS_NAMES: Sql =
    Sql::new(r#"SELECT name, expires_at FROM "tabPrevious Client Secret" WHERE client = ?"#);
static DELETE_PREVIOUS: Sql = Sql::new(r#"DELETE FROM "tabPrevious Client Secret" WHERE name = ?"#);
static LOCK: Sql = Sql::new(r#"SELECT * FROM "tabOAuth Client" WHERE name = ? {lock}"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&PREVIOUS, &PREVIOUS_NAMES, &DELETE_PREVIOUS, &LOCK];

const PREVIOUS_DOCTYPE: &str = "Previous Client Secret";
/// The longest overlap of a rotation, in seconds: 90 days.
const LONGEST_OVERLAP: i64 = 90 * 86_400;
/// What stands in the record's own column: not empty, so that Frappe would not fill it, and
/// always as long.
pub(super) const MASK: &str = "**********";

/// The secret of the client, from `__Auth` or as Frappe left it.
pub(super) async fn current(
    provider: &Provider,
    record: &Record,
) -> Result<Option<Secret<String>>, Failure> {
    let name = record.text("name").unwrap_or_default();
    let stored = passwords::read(provider.database(), DOCTYPE, name, "client_secret").await?;
    match stored {
        Some(stored) => decrypt(provider, stored.value.expose()).map(Some),
        None => Ok(left_by_frappe(record).map(Secret::from)),
    }
}

// spec: doctypes.md, "clear values that Frappe left are read, never rewritten"
fn left_by_frappe(record: &Record) -> Option<&str> {
    let text = record.text("client_secret")?;
    (!text.bytes().all(|byte| byte == b'*')).then_some(text)
}

/// Previous secrets, expired ones too: time is looked at when they are compared.
pub(super) async fn previous(
    provider: &Provider,
    client_id: &str,
) -> Result<Vec<(Secret<String>, Timestamp)>, Failure> {
    let rows = provider
        .database()
        .rows(&PREVIOUS, params![client_id])
        .await?;
    rows.iter()
        .map(|row| {
            let until = Timestamp::from_micros(row.opt_int(0)?.unwrap_or_default());
            Ok((decrypt(provider, row.text(1)?)?, until))
        })
        .collect()
}

fn decrypt(provider: &Provider, token: &str) -> Result<Secret<String>, Failure> {
    let plain = provider
        .site_keys()
        .fernet()
        .decrypt(token)
        .map_err(Failure::internal)?;
    let text = std::str::from_utf8(plain.expose()).map_err(Failure::internal)?;
    Ok(Secret::from(text))
}

pub(crate) fn encrypt(ctx: &Ctx, secret: &Secret<String>) -> Result<StoredPassword, Failure> {
    let seconds = u64::try_from(ctx.now.seconds()).unwrap_or_default();
    let token = ctx
        .provider
        .site_keys()
        .fernet()
        .encrypt(
            &*ctx.provider.environment().entropy,
            seconds,
            secret.expose().as_bytes(),
        )
        .map_err(Failure::internal)?;
    Ok(StoredPassword {
        value: token.into(),
        encrypted: true,
    })
}

/// Stores a client's secret in the place of what was there.
pub(super) async fn store(
    tx: &mut Transaction,
    client_id: &str,
    secret: &StoredPassword,
) -> Result<(), Failure> {
    Ok(passwords::set(tx, DOCTYPE, client_id, "client_secret", secret).await?)
}

/// Gives a confidential client a new secret, which is returned once. The old one stays valid for
/// `overlap_seconds`; with 0 it and all earlier ones end at once.
///
/// # Errors
/// [`Failure::NotFound`]; [`Failure::Validation`] for a public client or an overlap of more than
/// 90 days.
pub async fn rotate_secret(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    overlap_seconds: i64,
) -> Result<Secret<String>, Failure> {
    if !(0..=LONGEST_OVERLAP).contains(&overlap_seconds) {
        let text = "The overlap is between 0 seconds and 90 days.";
        return Err(Failure::Validation(text.to_owned()));
    }
    let entropy = &*ctx.provider.environment().entropy;
    let secret = random_token(entropy);
    let rotation = Arc::new(Rotation {
        client_id: client_id.to_owned(),
        new: encrypt(ctx, &secret)?,
        provider: Arc::clone(&ctx.provider),
        ctx_now: ctx.now,
        head: RowHead::new(random_name(entropy), by, ctx.provider.site().local(ctx.now)),
        until: ctx.now.plus_seconds(overlap_seconds),
        overlap_seconds,
        entry: Entry::new(ctx, Operation::ClientChanged, Status::Success)
            .user(by)
            .client(client_id)
            .detail("change", "secret rotated")
            .detail("overlap_seconds", overlap_seconds),
    });
    ctx.provider
        .database()
        .write(move |tx| {
            let rotation = Arc::clone(&rotation);
            Box::pin(async move { rotation.run(tx).await })
        })
        .await?;
    Ok(secret)
}

struct Rotation {
    client_id: String,
    new: StoredPassword,
    provider: Arc<Provider>,
    ctx_now: Timestamp,
    head: RowHead,
    until: Timestamp,
    overlap_seconds: i64,
    entry: Entry,
}

impl Rotation {
    async fn run(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let row = tx.row(&LOCK, params![&self.client_id]).await?;
        let record = row.as_ref().map(Record::from_row);
        let Some(record) = record.filter(|one| one.text("name") == Some(&self.client_id)) else {
            return Err(not_found(&self.client_id));
        };
        if super::rules(&record).is_public() {
            return Err(Failure::Validation(
                "A public client has no secret.".to_owned(),
            ));
        }
        self.drop_previous(tx).await?;
        if self.overlap_seconds > 0 {
            self.keep_current(tx, &record).await?;
        }
        store(tx, &self.client_id, &self.new).await?;
        audit::record(tx, &self.entry).await?;
        version::bump(tx).await?;
        Ok(())
    }

    /// Removes what has expired, or everything when nothing is to overlap.
    async fn drop_previous(&self, tx: &mut Transaction) -> Result<(), Failure> {
        for row in tx.rows(&PREVIOUS_NAMES, params![&self.client_id]).await? {
            let until = Timestamp::from_micros(row.opt_int(1)?.unwrap_or_default());
            if self.overlap_seconds == 0 || until <= self.ctx_now {
                remove_previous(tx, row.text(0)?).await?;
            }
        }
        Ok(())
    }

    async fn keep_current(&self, tx: &mut Transaction, record: &Record) -> Result<(), Failure> {
        let stored = passwords::get(tx, DOCTYPE, &self.client_id, "client_secret").await?;
        let old = match (stored, left_by_frappe(record)) {
            (Some(stored), _) => stored,
            (None, Some(clear)) => self.encrypt_again(clear)?,
            (None, None) => return Ok(()),
        };
        let fields = vec![
            ("client", self.client_id.as_str().into()),
            ("expires_at", self.until.into()),
        ];
        row::insert(tx, PREVIOUS_DOCTYPE, &self.head, fields).await?;
        passwords::set(tx, PREVIOUS_DOCTYPE, &self.head.name, "client_secret", &old).await?;
        Ok(())
    }

    fn encrypt_again(&self, clear: &str) -> Result<StoredPassword, Failure> {
        let entropy = &*self.provider.environment().entropy;
        let seconds = u64::try_from(self.ctx_now.seconds()).unwrap_or_default();
        let fernet = self.provider.site_keys().fernet();
        let token = fernet
            .encrypt(entropy, seconds, clear.as_bytes())
            .map_err(Failure::internal)?;
        Ok(StoredPassword {
            value: token.into(),
            encrypted: true,
        })
    }
}

/// Removes every secret of a client.
pub(super) async fn remove_all(tx: &mut Transaction, client_id: &str) -> Result<(), Failure> {
    for row in tx.rows(&PREVIOUS_NAMES, params![client_id]).await? {
        remove_previous(tx, row.text(0)?).await?;
    }
    Ok(passwords::delete_all(tx, DOCTYPE, client_id).await?)
}

async fn remove_previous(tx: &mut Transaction, name: &str) -> Result<(), Failure> {
    passwords::delete_all(tx, PREVIOUS_DOCTYPE, name).await?;
    tx.execute(&DELETE_PREVIOUS, params![name]).await?;
    Ok(())
}

pub(super) fn not_found(client_id: &str) -> Failure {
    Failure::NotFound(format!("{DOCTYPE} {client_id} not found"))
}
