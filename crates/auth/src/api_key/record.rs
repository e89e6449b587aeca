//! API Key records: made, changed, listed, revoked.
//!
//! Of the secret only its SHA-256 is kept: it has 256 bits, so nothing slower is needed, and
//! nobody needs it back. Records: API Key, `__Auth`, Activity Log.

use std::sync::Arc;

use crema_crypto::{hash_hex, random_name};
use crema_document::passwords::{self, StoredPassword};
use crema_document::row::{self, RowHead};
use crema_document::{LocalTime, Timestamp};
use crema_protocol::resource_scope::{ResourceScope, ResourceScopes};
use crema_protocol::scope::Scope;
use crema_store::{Row, Sql, Transaction, Value, params};

use super::{DOCTYPE, MASK, NewPair, SECRET_FIELD, draw_key, draw_secret};
use crate::audit::{self, Entry, Operation, Status};
use crate::caller::Caller;
use crate::user::{GUEST, User, addresses_are_valid};
use crate::{Ctx, Failure};

static READ: Sql = Sql::new(
    r#"SELECT name, title, "user", enabled, scopes, api_key, expires_at, restrict_ip, last_used
    FROM "tabAPI Key" WHERE name = ?"#,
);
static LIST: Sql = Sql::new(
    r#"SELECT name, title, "user", enabled, scopes, api_key, expires_at, restrict_ip, last_used
    FROM "tabAPI Key" WHERE "user" = ? ORDER BY creation DESC, name"#,
);
static NAMES_OF_USER: Sql = Sql::new(r#"SELECT name FROM "tabAPI Key" WHERE "user" = ?"#);
static DELETE: Sql = Sql::new(r#"DELETE FROM "tabAPI Key" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&READ, &LIST, &NAMES_OF_USER, &DELETE];

/// The longest title, in characters.
const TITLE_LENGTH: usize = 140;
/// The longest `restrict_ip`, in characters, as its field says.
const ADDRESSES_LENGTH: usize = 2000;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What it is for.
    pub title: String,
    /// The User as whom requests with it act.
    pub user: String,
    /// What it may be used for, separated by white space: `all`, `todo:read`, `method:a.b`.
    pub scopes: String,
    /// When it ends; never when absent.
    pub expires_at: Option<Timestamp>,
    /// Addresses that it may be used from; from anywhere when empty.
    pub restrict_ip: String,
    /// Whether it works yet.
    pub enabled: bool,
}

/// What is to become different of a key; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyChange {
    /// What it is for.
    pub title: Option<String>,
    /// What it may be used for.
    pub scopes: Option<String>,
    /// When it ends; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Addresses that it may be used from.
    pub restrict_ip: Option<String>,
    /// Whether it works.
    pub enabled: Option<bool>,
}

/// A key as its user sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeySummary {
    /// Name of the record.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// The User as whom requests with it act.
    pub user: String,
    /// Whether it works.
    pub enabled: bool,
    /// What it may be used for.
    pub scopes: String,
    /// The public half.
    pub api_key: String,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Addresses that it may be used from.
    pub restrict_ip: String,
    /// When it was last used, to within ten minutes, on the site's clock.
    pub last_used: Option<LocalTime>,
}

impl ApiKeySummary {
    fn from_row(row: &Row) -> Result<ApiKeySummary, Failure> {
        let text = |index| Ok::<_, Failure>(row.opt_text(index)?.unwrap_or_default().to_owned());
        let expires_at = row.opt_int(6)?.filter(|micros| *micros != 0);
        Ok(ApiKeySummary {
            name: text(0)?,
            title: text(1)?,
            user: text(2)?,
            enabled: row.opt_int(3)?.unwrap_or_default() != 0,
            scopes: text(4)?,
            api_key: text(5)?,
            expires_at: expires_at.map(Timestamp::from_micros),
            restrict_ip: text(7)?,
            last_used: row.opt_datetime(8)?.map(LocalTime::from_micros),
        })
    }
}

/// Makes a key. Its secret is in the answer, and nowhere else.
///
/// # Errors
/// [`Failure::Validation`] for what no key can have; [`Failure::NotFound`] for its user;
/// [`Failure::Permission`] for whoever is neither that user nor a System Manager with all their
/// roles, proved who he is more than ten minutes ago, or would open more than the request may.
pub async fn create(ctx: &Ctx, caller: &Caller, new: NewApiKey) -> Result<NewPair, Failure> {
    check_title(&new.title)?;
    check_addresses(&new.restrict_ip)?;
    check_end(ctx, new.expires_at)?;
    let opened = read_scopes(&new.scopes)?;
    let user = key_user(ctx, &new.user).await?;
    require_reach(ctx, caller, &user, &opened)?;
    let entropy = &*ctx.provider.environment().entropy;
    let local = ctx.provider.site().local(ctx.now);
    let (api_key, api_secret) = (draw_key(ctx), draw_secret(ctx));
    let name = random_name(entropy);
    let job = Arc::new((
        RowHead::new(name.clone(), &caller.user, local),
        columns(&new, &api_key),
        StoredPassword {
            value: hash_hex(api_secret.expose()).into(),
            encrypted: false,
        },
        entry(ctx, caller, &name, "made").detail("user", user.name.as_str()),
    ));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (head, columns, secret, entry) = &*job;
                row::insert(tx, DOCTYPE, head, columns.clone()).await?;
                passwords::set(tx, DOCTYPE, &head.name, SECRET_FIELD, secret).await?;
                audit::record(tx, entry).await
            })
        })
        .await?;
    Ok(NewPair {
        name,
        api_key,
        api_secret,
    })
}

fn columns(new: &NewApiKey, api_key: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("title", Value::from(new.title.trim())),
        ("user", Value::from(&new.user)),
        ("enabled", Value::from(new.enabled)),
        ("scopes", Value::from(normal(&new.scopes))),
        ("api_key", Value::from(api_key)),
        ("api_secret", Value::from(MASK)),
        ("expires_at", stored_end(new.expires_at)),
        ("restrict_ip", Value::from(new.restrict_ip.trim())),
    ]
}

/// Changes a key. The secret stays; who wants another one makes another key.
///
/// # Errors
/// As [`create`], with [`Failure::NotFound`] for the key.
pub async fn change(
    ctx: &Ctx,
    caller: &Caller,
    name: &str,
    change: ApiKeyChange,
) -> Result<(), Failure> {
    let before = find(ctx, name).await?;
    let user = key_user(ctx, &before.user).await?;
    let mut columns: Vec<(&'static str, Value)> = Vec::new();
    if let Some(title) = &change.title {
        check_title(title)?;
        columns.push(("title", Value::from(title.trim())));
    }
    if let Some(addresses) = &change.restrict_ip {
        check_addresses(addresses)?;
        columns.push(("restrict_ip", Value::from(addresses.trim())));
    }
    if let Some(end) = change.expires_at {
        check_end(ctx, end)?;
        columns.push(("expires_at", stored_end(end)));
    }
    if let Some(enabled) = change.enabled {
        columns.push(("enabled", Value::from(enabled)));
    }
    let scopes = change.scopes.as_deref().unwrap_or(&before.scopes);
    if change.scopes.is_some() {
        read_scopes(scopes)?;
        columns.push(("scopes", Value::from(normal(scopes))));
    }
    // Switching off takes nothing but a right to the key.
    let only_off = change.enabled == Some(false) && columns.len() == 1;
    if only_off {
        require_own(caller, &before)?;
    } else {
        let opened = ResourceScopes::of(&Scope::from_registered(scopes));
        require_reach(ctx, caller, &user, &opened)?;
    }
    let fields: Vec<&str> = columns.iter().map(|(field, _)| *field).collect();
    let entry = entry(ctx, caller, name, "changed").detail("fields", fields.join(", "));
    let local = ctx.provider.site().local(ctx.now);
    let job = Arc::new((name.to_owned(), caller.user.clone(), columns, entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (name, by, columns, entry) = &*job;
                if !row::update(tx, DOCTYPE, name, by, local, columns.clone()).await? {
                    return Err(not_found(name));
                }
                audit::record(tx, entry).await
            })
        })
        .await
}

/// The keys of a user, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, user: &str) -> Result<Vec<ApiKeySummary>, Failure> {
    let rows = ctx.provider.database().rows(&LIST, params![user]).await?;
    let keys = rows.iter().map(ApiKeySummary::from_row);
    keys.filter(|key| key.as_ref().map_or(true, |key| key.user == user))
        .collect()
}

/// Removes a key: requests with it are refused from the next one on.
///
/// # Errors
/// [`Failure::NotFound`]; [`Failure::Permission`] for whoever is neither its user nor a System
/// Manager.
pub async fn revoke(ctx: &Ctx, caller: &Caller, name: &str) -> Result<(), Failure> {
    let key = find(ctx, name).await?;
    require_own(caller, &key)?;
    let entry = entry(ctx, caller, name, "revoked").detail("user", key.user.as_str());
    let job = Arc::new((name.to_owned(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (name, entry) = &*job;
                if !remove(tx, name).await? {
                    return Err(not_found(name));
                }
                audit::record(tx, entry).await
            })
        })
        .await
}

/// Removes every key of a user who is being deleted, so that a later user of the same name does
/// not inherit them; the pair in the User record goes with that.
///
/// # Errors
/// When the database refuses.
pub async fn end_of_user(tx: &mut Transaction, user: &str) -> Result<(), Failure> {
    for row in tx.rows(&NAMES_OF_USER, params![user]).await? {
        remove(tx, row.text(0)?).await?;
    }
    Ok(())
}

async fn remove(tx: &mut Transaction, name: &str) -> Result<bool, Failure> {
    passwords::delete_all(tx, DOCTYPE, name).await?;
    Ok(tx.execute(&DELETE, params![name]).await? > 0)
}

async fn find(ctx: &Ctx, name: &str) -> Result<ApiKeySummary, Failure> {
    if name.contains('\0') {
        return Err(not_found(""));
    }
    let row = ctx.provider.database().row(&READ, params![name]).await?;
    let key = row.as_ref().map(ApiKeySummary::from_row).transpose()?;
    key.filter(|key| key.name == name)
        .ok_or_else(|| not_found(name))
}

async fn key_user(ctx: &Ctx, name: &str) -> Result<Arc<User>, Failure> {
    let user = ctx.user(name).await?;
    let user = user.ok_or_else(|| Failure::NotFound(format!("User {name} not found")))?;
    if user.name == GUEST {
        return Err(Failure::Validation("Guest has no API key.".to_owned()));
    }
    Ok(user)
}

/// The caller may act as the user, and may open as much as the key is going to.
fn require_reach(
    ctx: &Ctx,
    caller: &Caller,
    user: &User,
    opened: &ResourceScopes,
) -> Result<(), Failure> {
    super::require_right_over(ctx, caller, user)?;
    let covered = |scopes: &Arc<ResourceScopes>| scopes.covers(opened);
    if caller.scopes.as_ref().is_none_or(covered) {
        return Ok(());
    }
    let text = "The key would open more than the scope of this request does.";
    Err(Failure::Permission(text.to_owned()))
}

fn require_own(caller: &Caller, key: &ApiKeySummary) -> Result<(), Failure> {
    let actor = &caller.actor;
    let may = actor.administrator
        || actor.roles.contains(super::SYSTEM_MANAGER)
        || (caller.user == key.user && !caller.is_guest());
    match may {
        true => Ok(()),
        false => Err(Failure::Permission(format!("No permission for {DOCTYPE}"))),
    }
}

fn check_title(title: &str) -> Result<(), Failure> {
    match title.trim().chars().count() {
        1..=TITLE_LENGTH => Ok(()),
        0 => invalid("Title is missing."),
        _ => invalid("Title is longer than 140 characters."),
    }
}

fn check_addresses(addresses: &str) -> Result<(), Failure> {
    if addresses.chars().count() > ADDRESSES_LENGTH || !addresses_are_valid(addresses) {
        return invalid("Restrict IP holds something that is no address and no network.");
    }
    Ok(())
}

fn check_end(ctx: &Ctx, end: Option<Timestamp>) -> Result<(), Failure> {
    match end {
        Some(end) if end <= ctx.now => invalid("Expires At is in the past."),
        _ => Ok(()),
    }
}

fn stored_end(end: Option<Timestamp>) -> Value {
    end.unwrap_or(Timestamp::EPOCH).into()
}

fn normal(scopes: &str) -> String {
    Scope::from_registered(scopes).to_string()
}

/// A key opens resources alone, so everything else among its scopes is a mistake.
fn read_scopes(scopes: &str) -> Result<ResourceScopes, Failure> {
    let words = scopes.split_whitespace();
    for word in words.clone() {
        if ResourceScope::parse(word).is_none() {
            return invalid(
                "Scopes are all, a DocType in snake case with read, write, create, delete or * \
                 (crm_task:read), or method: with a dotted path.",
            );
        }
    }
    if words.clone().next().is_none() {
        return invalid("Scopes are missing; all is everything the user may do.");
    }
    let scope = Scope::parse(&words.collect::<Vec<_>>().join(" "));
    match scope {
        Ok(scope) => Ok(ResourceScopes::of(&scope)),
        Err(_) => invalid("Scopes are too long."),
    }
}

fn entry(ctx: &Ctx, caller: &Caller, name: &str, change: &str) -> Entry {
    Entry::new(ctx, Operation::ApiKeyChanged, Status::Success)
        .user(&caller.user)
        .about(DOCTYPE, name)
        .detail("change", change)
}

fn invalid<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Validation(text.to_owned()))
}

fn not_found(name: &str) -> Failure {
    Failure::NotFound(format!("{DOCTYPE} {name} not found"))
}
