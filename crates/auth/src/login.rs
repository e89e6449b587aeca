//! Sign-in with user name and password.
//!
//! One answer and one amount of work for a user who does not exist, a wrong password and a
//! disabled user; failures are counted per user and address. The password grant checks passwords
//! through the same door. Records: User, `__Auth`, Session, `__failure`, Activity Log.
// spec: security.md, Sign-in and sessions

use std::sync::Arc;

use crema_crypto::Secret;
use crema_crypto::password::MAX_PASSWORD_BYTES;
use crema_store::{Sql, Transaction, Value, params};

use crate::audit::{self, Entry, Operation, Status};
use crate::lockout::{self, Key};
use crate::password::TOO_LONG;
use crate::session::{Beginning, NewSession};
use crate::settings::Settings;
use crate::user::{self, User};
use crate::{Ctx, Failure};

static PASSWORD: Sql = Sql::new(
    r#"SELECT password FROM "__Auth"
    WHERE doctype = 'User' AND name = ? AND fieldname = 'password' AND encrypted = 0"#,
);
static UPGRADE: Sql = Sql::new(
    r#"UPDATE "__Auth" SET password = ?
    WHERE doctype = 'User' AND name = ? AND fieldname = 'password' AND password = ?"#,
);
static LOCK_USER: Sql = Sql::new(r#"SELECT enabled FROM "tabUser" WHERE name = ? {lock}"#);
static SIGNED_IN: Sql =
    Sql::new(r#"UPDATE "tabUser" SET last_login = ?, last_active = ?, last_ip = ? WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&PASSWORD, &UPGRADE, &LOCK_USER, &SIGNED_IN];

// Frappe's texts.
const INVALID: &str = "Invalid login credentials";
const INCOMPLETE: &str = "Incomplete login details";
const NO_PASSWORDS: &str = "Login with username and password is not allowed.";
const SECOND_FACTOR: &str = "A second factor is required to sign in as this user.";

/// What a sign-in form sends.
#[derive(Debug)]
pub struct LoginRequest {
    /// E-mail address, or user name where System Settings allow it.
    pub usr: String,
    /// Password.
    pub pwd: Secret<String>,
    /// The `sid` cookie that came with the request: that session ends.
    pub previous_sid: Option<String>,
}

/// How a sign-in ended.
#[derive(Debug)]
pub enum LoginOutcome {
    /// A session has begun.
    SignedIn(Box<SignedIn>),
    /// Refused (401 `AuthenticationError`), with Frappe's message.
    Refused {
        /// What to tell.
        message: &'static str,
    },
    /// Too many failures (429 with `Retry-After`).
    Locked {
        /// Seconds to wait.
        retry_after: u32,
    },
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedIn {
    /// The new session.
    pub session: NewSession,
    /// Its user.
    pub user: Arc<User>,
    /// `Logged In`, or `No App` for those who may not use the Desk.
    pub message: &'static str,
    /// Where to go: `/app`, or `/me` for those who may not use the Desk.
    pub home_page: &'static str,
}

/// Signs a user in.
///
/// # Errors
/// When the database refuses, or [`Failure::TooMany`] when too many sign in at once.
pub async fn login(ctx: &Ctx, request: &LoginRequest) -> Result<LoginOutcome, Failure> {
    let proof = match verify(ctx, &request.usr, &request.pwd).await? {
        Verdict::Right(proof) => proof,
        Verdict::Refused(message) => return Ok(LoginOutcome::Refused { message }),
        Verdict::Locked { retry_after } => return Ok(LoginOutcome::Locked { retry_after }),
    };
    // spec: security.md, "The password grant refuses users who have a second factor; `login`
    // demands it": a password alone must not do.
    let Proof { user, hash } = proof;
    if user.has_second_factor {
        audit::failure(ctx, Operation::Login, &user.name).await?;
        return Ok(LoginOutcome::Refused {
            message: SECOND_FACTOR,
        });
    }
    let beginning = Beginning::new(ctx, &user, request.previous_sid.as_deref()).await?;
    if !begin(ctx, &user, hash, beginning.clone()).await? {
        return Ok(LoginOutcome::Refused { message: INVALID });
    }
    let (message, home_page) = match user.is_system_user() {
        true => ("Logged In", "/app"),
        false => ("No App", "/me"),
    };
    let session = beginning.into_new_session();
    Ok(LoginOutcome::SignedIn(Box::new(SignedIn {
        session,
        user,
        message,
        home_page,
    })))
}

/// Stores the session, unless the user was disabled or got another password since the password
/// was looked at: a sign-out everywhere must not be overtaken by a sign-in under way.
async fn begin(
    ctx: &Ctx,
    user: &User,
    hash: String,
    beginning: Beginning,
) -> Result<bool, Failure> {
    let local = ctx.provider.site().local(ctx.now);
    // `last_login` is a Data field in Frappe: text.
    let signed_in: Vec<Value> = params![
        local.to_string(),
        local,
        ctx.address.to_string(),
        &user.name
    ];
    let entry = Entry::new(ctx, Operation::Login, Status::Success)
        .user(&user.name)
        .subject(format!("{} logged in", user.full_name));
    let job = Arc::new((beginning, signed_in, entry, user.name.clone(), hash));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (beginning, signed_in, entry, user, hash) = &*job;
                if !still_proven(tx, user, hash).await? {
                    return Ok(false);
                }
                beginning.insert(tx).await?;
                tx.execute(&SIGNED_IN, signed_in.clone()).await?;
                audit::record(tx, entry).await?;
                Ok(true)
            })
        })
        .await
}

/// Holds the user until the transaction ends, and says whether they are still enabled and still
/// have the password that was looked at. What is then issued in the same transaction cannot
/// outlive a sign-out everywhere: that waits, and finds it.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn still_proven(
    tx: &mut Transaction,
    user: &str,
    hash: &str,
) -> Result<bool, Failure> {
    let row = tx.row(&LOCK_USER, params![user]).await?;
    let enabled = row.map_or(Ok(false), |row| row.bool(0))?;
    let row = tx.row(&PASSWORD, params![user]).await?;
    let proven = row.as_ref().map(|row| row.text(0)).transpose()? == Some(hash);
    Ok(enabled && proven)
}

/// A user, and the stored hash that the password fits.
pub(crate) struct Proof {
    pub(crate) user: Arc<User>,
    /// For [`still_proven`].
    pub(crate) hash: String,
}

/// How a look at user and password ended.
pub(crate) enum Verdict {
    /// The password is right and the user may sign in from here and now.
    Right(Proof),
    /// With what to tell.
    Refused(&'static str),
    /// Too many failures, or too many at once.
    Locked { retry_after: u32 },
}

/// Looks at user and password, and counts and locks.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn verify(ctx: &Ctx, usr: &str, pwd: &Secret<String>) -> Result<Verdict, Failure> {
    match attempt(ctx, usr, pwd).await {
        // Locked, or the password workers are overrun: both are answered in the same way.
        Err(Failure::TooMany { retry_after }) => Ok(Verdict::Locked { retry_after }),
        other => other,
    }
}

async fn attempt(ctx: &Ctx, usr: &str, pwd: &Secret<String>) -> Result<Verdict, Failure> {
    if usr.is_empty() || pwd.expose().is_empty() {
        return Ok(Verdict::Refused(INCOMPLETE));
    }
    if pwd.expose().len() > MAX_PASSWORD_BYTES {
        return Ok(Verdict::Refused(TOO_LONG));
    }
    let settings = ctx.settings().await?;
    let known = user::find_for_login(ctx, usr).await?;
    // The last resort of a site whose login provider is broken.
    let is_administrator = known
        .as_ref()
        .is_some_and(|user| user.name == user::ADMINISTRATOR);
    if settings.disable_user_pass_login && !is_administrator {
        return Ok(Verdict::Refused(NO_PASSWORDS));
    }
    let name = known
        .as_ref()
        .map_or_else(|| usr.to_owned(), |user| user.name.clone());
    let keys = [Key::address(ctx.address), Key::user(&name)];
    let [address_key, user_key] = &keys;
    lockout::check(ctx, &keys).await?;
    let stored = stored_hash(ctx, &name).await?;
    let comparable = stored.filter(|_| known.as_ref().is_some_and(|user| user.enabled));
    let verification = ctx
        .provider
        .environment()
        .passwords
        .check(pwd, comparable.clone(), settings.legacy_password_rounds)
        .await?;
    let (Some(user), Some(hash), true) = (known, comparable, verification.valid) else {
        return refuse(ctx, &settings, &keys, &name).await;
    };
    lockout::succeed(ctx, user_key, address_key).await?;
    let hash = match verification.needs_upgrade {
        true => upgrade(ctx, &user, pwd, hash).await?,
        false => Some(hash),
    };
    let Some(hash) = hash else {
        return Ok(Verdict::Refused(INVALID));
    };
    let Some(message) = user.refused_here_and_now(ctx) else {
        return Ok(Verdict::Right(Proof { user, hash }));
    };
    let entry = Entry::new(ctx, Operation::Login, Status::Failed)
        .user(&user.name)
        .detail("reason", message);
    audit::record_now(ctx, entry).await?;
    Ok(Verdict::Refused(message))
}

/// The same for everybody: counted for user and address, and written down.
async fn refuse(
    ctx: &Ctx,
    settings: &Settings,
    keys: &[Key],
    name: &str,
) -> Result<Verdict, Failure> {
    let limit = settings.allow_consecutive_login_attempts;
    let counted =
        lockout::record_failure(ctx, keys, limit, settings.allow_login_after_fail).await?;
    audit::failure(ctx, Operation::Login, name).await?;
    Ok(match counted.locked_until {
        Some(end) => Verdict::Locked {
            retry_after: lockout::seconds_until(end, ctx.now),
        },
        None => Verdict::Refused(INVALID),
    })
}

async fn stored_hash(ctx: &Ctx, name: &str) -> Result<Option<String>, Failure> {
    if name.contains('\0') {
        return Ok(None);
    }
    let row = ctx
        .provider
        .database()
        .row(&PASSWORD, params![name])
        .await?;
    Ok(match row {
        Some(row) => row.opt_text(0)?.map(str::to_owned),
        None => None,
    })
}

/// Replaces a hash that Frappe left. Gives the hash that is stored now and that the password
/// fits, which may be of another sign-in that was quicker; none when the password was changed.
// spec: security.md, Sign-in and sessions, line 1, "upgraded at the next login"
async fn upgrade(
    ctx: &Ctx,
    user: &User,
    pwd: &Secret<String>,
    old: String,
) -> Result<Option<String>, Failure> {
    let environment = ctx.provider.environment();
    let new = environment
        .passwords
        .hash(pwd, &environment.entropy)
        .await?;
    let values = params![&new, &user.name, old];
    let replaced = ctx
        .provider
        .database()
        .write(move |tx| {
            let values = values.clone();
            Box::pin(async move { Ok::<_, Failure>(tx.execute(&UPGRADE, values).await? == 1) })
        })
        .await?;
    if replaced {
        return Ok(Some(new));
    }
    let stored = stored_hash(ctx, &user.name).await?;
    let settings = ctx.settings().await?;
    let verification = environment
        .passwords
        .check(pwd, stored.clone(), settings.legacy_password_rounds)
        .await?;
    Ok(stored.filter(|_| verification.valid))
}
