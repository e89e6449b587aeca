//! Making, changing and removing clients.
//!
//! Records: OAuth Client, OAuth Client Role, Previous Client Secret, OAuth Consent, OAuth Bearer
//! Token, OAuth Authorization Code, `__oauth_family`, `__Auth`, Activity Log; Role, User (read).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crema_crypto::{Secret, random_name, random_token};
use crema_document::passwords::StoredPassword;
use crema_document::row::{self, RowHead};
use crema_document::{DocType, LocalTime, Timestamp, version};
use crema_store::{BoxFuture, Sql, Transaction, Value, params};

use super::check::{Surroundings, check};
use super::record::{ALLOWED_ROLES, ClientFields, Record, fault};
use super::secret::{self, MASK, not_found};
use super::{Client, DEFAULT_ROLE, DOCTYPE, metadata_document, rules, signing_algorithm};
use crate::audit::{self, Entry, Operation, Status};
use crate::settings::Settings;
use crate::token::family;
use crate::user::{ADMINISTRATOR, GUEST};
use crate::{Ctx, Failure, keys};

static LOCK: Sql = Sql::new(r#"SELECT * FROM "tabOAuth Client" WHERE name = ? {lock}"#);
static ROLE: Sql = Sql::new(r#"SELECT name FROM "tabRole" WHERE name = ?"#);
static DELETE_ROLES: Sql = Sql::new(
    r#"DELETE FROM "tabOAuth Client Role" WHERE parent = ? AND parenttype = 'OAuth Client'"#,
);
static SET_ENABLED: Sql = Sql::new(
    r#"UPDATE "tabOAuth Client" SET enabled = ?, modified = ?, modified_by = ? WHERE name = ?"#,
);
static DELETE: Sql = Sql::new(r#"DELETE FROM "tabOAuth Client" WHERE name = ?"#);
static DELETE_CONSENTS: Sql = Sql::new(r#"DELETE FROM "tabOAuth Consent" WHERE client = ?"#);
static DELETE_REGISTRATIONS: Sql =
    Sql::new(r#"DELETE FROM "tabRegistration Access Token" WHERE client = ?"#);
static TOUCH: Sql = Sql::new(r#"UPDATE "tabOAuth Client" SET last_used = ? WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[
    &LOCK,
    &ROLE,
    &DELETE_ROLES,
    &SET_ENABLED,
    &DELETE,
    &DELETE_CONSENTS,
    &DELETE_REGISTRATIONS,
    &TOUCH,
];

/// How often the last use of a client is written, in µs.
const TOUCH_EVERY: i64 = 600 * 1_000_000;

/// What else has to be done in the transaction of a change, before the change; may be done again
/// when the transaction is.
pub(crate) type Along =
    Arc<dyn for<'a> Fn(&'a mut Transaction) -> BoxFuture<'a, Result<(), Failure>> + Send + Sync>;

async fn done(along: Option<&Along>, tx: &mut Transaction) -> Result<(), Failure> {
    match along {
        Some(along) => along(tx).await,
        None => Ok(()),
    }
}

/// A client to be made.
#[derive(Debug, Clone, Default)]
pub struct NewClient {
    /// Its fields; the others get their defaults.
    pub fields: ClientFields,
    /// It comes by dynamic registration or a metadata document: stricter defaults.
    pub dynamically_registered: bool,
}

/// A client that was made, or changed to have a secret.
#[derive(Debug)]
pub struct CreatedClient {
    /// Its id, the name of the record.
    pub client_id: String,
    /// The secret of a confidential client, shown this once.
    pub client_secret: Option<Secret<String>>,
}

/// Makes a client. `by` is the user who does it.
///
/// # Errors
/// [`Failure::Validation`], naming the field; [`Failure::Permission`] when the client's `user`
/// holds roles that `by` lacks.
pub async fn create(ctx: &Ctx, by: &str, new: NewClient) -> Result<CreatedClient, Failure> {
    let client_id = random_name(&*ctx.provider.environment().entropy);
    create_along(ctx, by, client_id, new, None).await
}

/// As [`create`], with the id that the client is to have.
///
/// # Errors
/// As [`create`]; those of `along`.
pub(crate) async fn create_along(
    ctx: &Ctx,
    by: &str,
    client_id: String,
    new: NewClient,
    along: Option<Along>,
) -> Result<CreatedClient, Failure> {
    let write = Write::prepare(ctx, by, &client_id, new.fields).await?;
    let mut record = Record::with_defaults(&write.doctype);
    record.put("name", client_id.as_str());
    record.put("client_id", client_id.as_str());
    record.put("enabled", 1);
    record.put("dynamically_registered", new.dynamically_registered);
    if new.dynamically_registered {
        record.put("claims_in_id_token", 0);
        record.put("may_introspect", 0);
    }
    write.change(&mut record)?;
    prepare_key(ctx, &record).await?;
    let public = rules(&record).is_public();
    record.put("client_secret", (!public).then_some(MASK));
    let entry = write.entry.clone().detail("change", "created");
    let job = Arc::new((write, record, entry, along));
    let shown = (!public).then(|| job.0.secret.clone());
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (write, record, entry, along) = &*job;
                done(along.as_ref(), tx).await?;
                let columns = record.columns(&write.doctype);
                row::insert(tx, DOCTYPE, &write.head, columns).await?;
                write.set_roles(tx, true).await?;
                if !rules(record).is_public() {
                    secret::store(tx, &write.client_id, &write.encrypted).await?;
                }
                audit::record(tx, entry).await?;
                // Nobody keeps in memory that a client is not there, and strangers must not be
                // able to have everything read again that is.
                if !record.flag("dynamically_registered") {
                    version::bump(tx).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .await?;
    Ok(CreatedClient {
        client_id,
        client_secret: shown,
    })
}

/// Changes fields of a client. A public client that becomes confidential gets a secret.
///
/// # Errors
/// As [`create`]; [`Failure::NotFound`].
pub async fn update(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    fields: ClientFields,
) -> Result<CreatedClient, Failure> {
    let changed = update_as_of(ctx, by, client_id, fields, None).await?;
    changed.ok_or_else(|| not_found(client_id))
}

/// As [`update`]; `None` when the client is no longer as it was at `modified`, which is then
/// looked at in the transaction.
///
/// # Errors
/// As [`update`].
pub(crate) async fn update_as_of(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    fields: ClientFields,
    modified: Option<String>,
) -> Result<Option<CreatedClient>, Failure> {
    update_along(ctx, by, client_id, fields, modified, None).await
}

/// As [`update_as_of`], with something else in the same transaction.
///
/// # Errors
/// As [`update`]; those of `along`.
pub(crate) async fn update_along(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    fields: ClientFields,
    modified: Option<String>,
    along: Option<Along>,
) -> Result<Option<CreatedClient>, Failure> {
    let write = Arc::new(Write::prepare(ctx, by, client_id, fields).await?);
    if let Some(algorithm) = write.wanted.get("id_token_signed_response_alg") {
        // Outside of the transaction; without need when it turns out that nothing changes.
        let mut wanted = Record::default();
        wanted.put("id_token_signed_response_alg", algorithm);
        wanted.put("scopes", "openid");
        prepare_key(ctx, &wanted).await?;
    }
    let job = Arc::new((Arc::clone(&write), modified, along));
    let done = ctx
        .provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (write, modified, along) = &*job;
                done(along.as_ref(), tx).await?;
                write.update(tx, modified.as_deref()).await
            })
        })
        .await?;
    Ok(done.map(|has_new_secret| CreatedClient {
        client_id: client_id.to_owned(),
        client_secret: has_new_secret.then(|| write.secret.clone()),
    }))
}

/// What one change of a client needs, made ready outside of the transaction.
struct Write {
    client_id: String,
    head: RowHead,
    doctype: Arc<DocType>,
    settings: Arc<Settings>,
    developer_mode: bool,
    wanted: ClientFields,
    roles: Vec<(String, String)>,
    secret: Secret<String>,
    encrypted: StoredPassword,
    entry: Entry,
}

impl Write {
    async fn prepare(
        ctx: &Ctx,
        by: &str,
        client_id: &str,
        wanted: ClientFields,
    ) -> Result<Write, Failure> {
        let site = ctx.provider.site();
        let entropy = &*ctx.provider.environment().entropy;
        if let Some(user) = wanted
            .get("user")
            .map(str::trim)
            .filter(|user| !user.is_empty())
        {
            check_user(ctx, by, user).await?;
        }
        let mut roles = wanted.roles().unwrap_or_default();
        if roles.is_empty() {
            roles.push(DEFAULT_ROLE.to_owned());
        }
        let secret = random_token(entropy);
        let doctype = site.registry().get(DOCTYPE).cloned();
        let mut entry = Entry::new(ctx, Operation::ClientChanged, Status::Success)
            .user(by)
            .client(client_id);
        for (field, value) in wanted.iter() {
            entry = entry.detail(field, value);
        }
        Ok(Write {
            client_id: client_id.to_owned(),
            head: RowHead::new(client_id, by, site.local(ctx.now)),
            doctype: doctype.ok_or_else(|| Failure::internal("no DocType OAuth Client"))?,
            settings: ctx.settings().await?,
            developer_mode: site.config().developer_mode(),
            roles: roles
                .into_iter()
                .map(|role| (random_name(entropy), role))
                .collect(),
            encrypted: secret::encrypt(ctx, &secret)?,
            secret,
            entry,
            wanted,
        })
    }

    fn change(&self, record: &mut Record) -> Result<(), Failure> {
        record.apply(&self.doctype, &self.wanted)?;
        let around = Surroundings {
            settings: &self.settings,
            developer_mode: self.developer_mode,
        };
        check(record, &self.wanted, &around)
    }

    /// Gives whether a new secret was stored; `None` when the client is not as of `modified`.
    async fn update(
        &self,
        tx: &mut Transaction,
        modified: Option<&str>,
    ) -> Result<Option<bool>, Failure> {
        let mut record = locked(tx, &self.client_id).await?;
        if let Some(modified) = modified {
            let stored = record.datetime("modified").map(LocalTime::from_micros);
            if stored.is_none_or(|stored| stored.to_string() != modified) {
                return Ok(None);
            }
        }
        let was_public = rules(&record).is_public();
        let before = record.clone();
        self.change(&mut record)?;
        metadata_document::refuse_owned(&before, &record)?;
        let is_public = rules(&record).is_public();
        if is_public && !was_public {
            secret::remove_all(tx, &self.client_id).await?;
            record.put("client_secret", Value::Null);
        }
        let needs_secret = was_public && !is_public;
        if needs_secret {
            secret::store(tx, &self.client_id, &self.encrypted).await?;
            record.put("client_secret", MASK);
        }
        let columns = record.columns(&self.doctype);
        let (by, now) = (self.head.owner.as_str(), self.head.now);
        row::update(tx, DOCTYPE, &self.client_id, by, now, columns).await?;
        self.set_roles(tx, false).await?;
        audit::record(tx, &self.entry).await?;
        version::bump(tx).await?;
        Ok(Some(needs_secret))
    }

    /// Stores the allowed roles: those that are wanted, for a new client at least the default.
    async fn set_roles(&self, tx: &mut Transaction, is_new: bool) -> Result<(), Failure> {
        if !is_new && self.wanted.get(ALLOWED_ROLES).is_none() {
            return Ok(());
        }
        tx.execute(&DELETE_ROLES, params![&self.client_id]).await?;
        for (idx, (name, role)) in (1_u32..).zip(&self.roles) {
            if tx.row(&ROLE, params![role]).await?.is_none() {
                return Err(fault(ALLOWED_ROLES, &format!("names no role: {role}")));
            }
            let head = RowHead::new(name, &self.head.owner, self.head.now);
            let head = head.below(DOCTYPE, &self.client_id, ALLOWED_ROLES, idx);
            row::insert(tx, "OAuth Client Role", &head, vec![("role", role.into())]).await?;
        }
        Ok(())
    }
}

async fn locked(tx: &mut Transaction, client_id: &str) -> Result<Record, Failure> {
    let row = tx.row(&LOCK, params![client_id]).await?;
    let record = row.as_ref().map(Record::from_row);
    record
        .filter(|record| record.text("name") == Some(client_id))
        .ok_or_else(|| not_found(client_id))
}

/// The client's `user` must not lend roles that the acting person lacks.
// spec: security.md, Clients, line 6
pub(crate) async fn check_user(ctx: &Ctx, by: &str, name: &str) -> Result<(), Failure> {
    let user = ctx
        .user(name)
        .await?
        .filter(|user| user.enabled && user.name != GUEST);
    let user = user.ok_or_else(|| fault("user", "is no enabled user"))?;
    if by == ADMINISTRATOR {
        return Ok(());
    }
    let acting = ctx.user(by).await?;
    let lends_nothing = acting.is_some_and(|acting| {
        user.name != ADMINISTRATOR && user.roles.iter().all(|role| acting.has_role(role))
    });
    match lends_nothing {
        true => Ok(()),
        false => Err(Failure::Permission(format!(
            "{name} holds roles that you do not hold."
        ))),
    }
}

/// A client that could not get an ID token must not be made.
async fn prepare_key(ctx: &Ctx, record: &Record) -> Result<(), Failure> {
    let rules = rules(record);
    let algorithm = signing_algorithm(rules.id_token_signed_response_alg);
    if rules.may_use_openid() && !algorithm.is_symmetric() {
        keys::ensure(ctx, algorithm).await?;
    }
    Ok(())
}

/// Enables or disables a client. While it is disabled nothing of it works; what it was granted
/// is not lost.
///
/// # Errors
/// [`Failure::NotFound`]; when the database refuses.
pub async fn set_enabled(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    enabled: bool,
) -> Result<(), Failure> {
    let local = ctx.provider.site().local(ctx.now);
    let values = params![enabled, local, by, client_id];
    let entry = Entry::new(ctx, Operation::ClientChanged, Status::Success)
        .user(by)
        .client(client_id)
        .detail("change", if enabled { "enabled" } else { "disabled" });
    let job = Arc::new((client_id.to_owned(), values, entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (client_id, values, entry) = &*job;
                locked(tx, client_id).await?;
                tx.execute(&SET_ENABLED, values.clone()).await?;
                audit::record(tx, entry).await?;
                Ok(version::bump(tx).await?)
            })
        })
        .await
}

/// Removes a client with its secrets and consents, and ends its tokens and codes.
///
/// # Errors
/// [`Failure::NotFound`]; when the database refuses.
// spec: security.md, Codes and tokens, "deleted or disabled clients"
pub async fn delete(ctx: &Ctx, by: &str, client_id: &str) -> Result<(), Failure> {
    delete_along(ctx, by, client_id, None).await
}

/// As [`delete`], with something else in the same transaction.
///
/// # Errors
/// As [`delete`]; those of `along`.
pub(crate) async fn delete_along(
    ctx: &Ctx,
    by: &str,
    client_id: &str,
    along: Option<Along>,
) -> Result<(), Failure> {
    let entry = Entry::new(ctx, Operation::ClientChanged, Status::Success)
        .user(by)
        .client(client_id)
        .detail("change", "deleted");
    let job = Arc::new((client_id.to_owned(), entry, along));
    let now: Timestamp = ctx.now;
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (client_id, entry, along) = &*job;
                done(along.as_ref(), tx).await?;
                locked(tx, client_id).await?;
                remove(tx, client_id, now).await?;
                audit::record(tx, entry).await?;
                Ok(version::bump(tx).await?)
            })
        })
        .await
}

/// Removes the rows of a client that is locked, and ends its tokens and codes. Whoever calls it
/// moves the site's version.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn remove(
    tx: &mut Transaction,
    client_id: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    family::revoke_client(tx, client_id, now).await?;
    secret::remove_all(tx, client_id).await?;
    let gone = [
        &DELETE_CONSENTS,
        &DELETE_REGISTRATIONS,
        &DELETE_ROLES,
        &DELETE,
    ];
    for statement in gone {
        tx.execute(statement, params![client_id]).await?;
    }
    Ok(())
}

/// Writes down that a client was used, at most every 10 minutes. A failure is only logged.
// spec: security.md, Audit, "`last_used` is written behind, at most every 10 minutes"
pub async fn touch(ctx: &Ctx, client: &Client) {
    let now = ctx.now.micros();
    let stored = client.last_used.map_or(0, Timestamp::micros);
    let last = client.touched.load(Ordering::Relaxed).max(stored);
    if now.saturating_sub(last) < TOUCH_EVERY {
        return;
    }
    client.touched.store(now, Ordering::Relaxed);
    let local: LocalTime = ctx.provider.site().local(ctx.now);
    let name = client.name.clone();
    let written: Result<u64, Failure> = ctx
        .provider
        .database()
        .write(move |tx| {
            let values = params![local, &name];
            Box::pin(async move { Ok(tx.execute(&TOUCH, values).await?) })
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(%error, "the last use of a client was not written");
    }
}
