//! Signing in again because the request asks for it.
//!
//! `prompt=login` and `max_age` (OpenID Connect Core §3.1.2.1) are remembered in a one-time handle
//! on the server: it is fulfilled when the session's `auth_time` is later than the handle, so that
//! nobody loops and nobody can claim to have signed in. Records: `__login_handle`.

use crema_crypto::hash_hex;
use crema_crypto::token::random_token;
use crema_document::Timestamp;
use crema_protocol::params::Params;
use crema_store::{Sql, Transaction, params};

use crate::session::Session;
use crate::{Ctx, Failure};

/// The parameter that carries the handle through the sign-in page and back.
pub const HANDLE: &str = "login_handle";

/// How long a handle can be fulfilled, in seconds.
const LIFETIME: i64 = 3_600;

static INSERT: Sql = Sql::new(
    r#"INSERT INTO "__login_handle" (hash, created_at, expires_at, used_at, request)
    VALUES (?, ?, ?, NULL, ?)"#,
);
static READ: Sql = Sql::new(
    r#"SELECT created_at, expires_at, used_at, request FROM "__login_handle" WHERE hash = ?"#,
);
static USE: Sql =
    Sql::new(r#"UPDATE "__login_handle" SET used_at = ? WHERE hash = ? AND used_at IS NULL"#);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&INSERT, &READ, &USE];

/// The parameters of a request with a fresh handle for it.
///
/// # Errors
/// When the database cannot be written.
pub async fn demand(ctx: &Ctx, request: &Params) -> Result<Params, Failure> {
    let bare = request.without(&[HANDLE]);
    let handle = random_token(&*ctx.provider.environment().entropy);
    let hash = hash_hex(handle.expose());
    let (now, end) = (ctx.now, ctx.now.plus_seconds(LIFETIME));
    let fingerprint = fingerprint(&bare);
    ctx.provider
        .database()
        .write(move |tx| {
            let values = params![&hash, now.micros(), end.micros(), &fingerprint];
            Box::pin(async move {
                tx.execute(&INSERT, values).await?;
                Ok::<_, Failure>(())
            })
        })
        .await?;
    let mut demanding = bare;
    demanding.push(HANDLE, handle.expose().as_str());
    Ok(demanding)
}

/// Whether the request carries a handle of its own that this session's sign-in fulfils.
///
/// # Errors
/// When the database cannot be read.
pub async fn fulfilled(ctx: &Ctx, request: &Params, session: &Session) -> Result<bool, Failure> {
    match created_at(ctx, request).await? {
        Some(created_at) => Ok(session.auth_time > created_at),
        None => Ok(false),
    }
}

/// Whether the request waits for a sign-in that this session is too old for: then the sign-in
/// page shows its form although there is a session.
///
/// # Errors
/// When the database cannot be read.
pub async fn waits_for(ctx: &Ctx, request: &Params, session: &Session) -> Result<bool, Failure> {
    match created_at(ctx, request).await? {
        Some(created_at) => Ok(session.auth_time <= created_at),
        None => Ok(false),
    }
}

/// The moment a living handle of exactly this request was made.
async fn created_at(ctx: &Ctx, request: &Params) -> Result<Option<Timestamp>, Failure> {
    let Some(handle) = request.get(HANDLE) else {
        return Ok(None);
    };
    let row = ctx
        .provider
        .database()
        .row(&READ, params![hash_hex(handle)])
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let alive = row.int(1)? > ctx.now.micros() && row.opt_int(2)?.is_none();
    let same = row.opt_text(3)? == Some(&fingerprint(&request.without(&[HANDLE])));
    Ok((alive && same).then_some(Timestamp::from_micros(row.int(0)?)))
}

/// Uses the handle up, in the transaction that issues something for it.
///
/// # Errors
/// When the database refuses.
pub async fn consume(tx: &mut Transaction, handle: &str, now: Timestamp) -> Result<bool, Failure> {
    Ok(tx
        .execute(&USE, params![now.micros(), hash_hex(handle)])
        .await?
        == 1)
}

fn fingerprint(request: &Params) -> String {
    hash_hex(&request.to_query())
}
