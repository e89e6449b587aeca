//! Sessions: who a browser is, by the `sid` cookie alone.
//!
//! The cookie holds 56 random hex digits; the table holds their SHA-256. A session ends when it
//! was not used for `session_expiry`, at its absolute end, when its user is disabled or changes
//! the password, at a sign-out, and when its browser signs in again.
//! Records: Session (`tabSessions`), User (read; `last_active`).
// spec: security.md, Sign-in and sessions, lines 4 and 5

mod begin;
mod end;

pub(crate) use begin::Beginning;
pub use begin::{NewSession, start};
pub(crate) use end::end_in;
pub use end::{destroy_all, end, end_all, end_of_user, end_own};

use crema_crypto::{Secret, constant_time_eq, hash_hex};
use crema_document::Timestamp;
use crema_store::{Row, Sql, Transaction, Value, params};

use crate::{Ctx, Failure};

/// The site's version, and the session when there is one.
static RESOLVE: Sql = Sql::new(
    r#"SELECT s."user", s.auth_time, s.created_at, s.expires_at, s.last_seen, s.csrf_issued,
    s.oidc_sid, u.enabled, u.full_name, u.user_type, u.user_image, u.language, s.sid, v.version
    FROM "__version" v LEFT JOIN "tabSessions" s ON s.sid = ?
    LEFT JOIN "tabUser" u ON u.name = s."user" WHERE v.name = 'site'"#,
);
static LOCK_USER: Sql = Sql::new(r#"SELECT enabled FROM "tabUser" WHERE name = ? {lock}"#);
static EXISTS: Sql = Sql::new(r#"SELECT "user" FROM "tabSessions" WHERE sid = ?"#);
static TOUCH: Sql = Sql::new(
    r#"UPDATE "tabSessions" SET last_seen = ?, lastupdate = ? WHERE sid = ? AND last_seen < ?"#,
);
static TOUCH_USER: Sql = Sql::new(r#"UPDATE "tabUser" SET last_active = ? WHERE name = ?"#);
static CSRF_ISSUED: Sql =
    Sql::new(r#"UPDATE "tabSessions" SET csrf_issued = 1 WHERE sid = ? AND csrf_issued = 0"#);
static LIST: Sql = Sql::new(
    r#"SELECT sid, created_at, last_seen, ipaddress, user_agent FROM "tabSessions"
    WHERE "user" = ? AND expires_at > ? AND last_seen > ? ORDER BY last_seen DESC, created_at DESC"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &RESOLVE,
    &begin::INSERT,
    &LOCK_USER,
    &EXISTS,
    &TOUCH,
    &TOUCH_USER,
    &CSRF_ISSUED,
    &LIST,
    &end::END_OWN,
    &end::END,
    &end::END_OF_USER,
    &end::END_OF_EVERYBODY,
];

/// Digits of a `sid` cookie, as in Frappe: 224 bits.
const SID_LENGTH: usize = 56;
/// How often the last use of a session is written, in seconds.
const TOUCH_EVERY: i64 = 600;

/// A session that is alive, and what its cookies say about the user.
#[derive(Debug, Clone)]
pub struct Session {
    sid: Secret<String>,
    /// SHA-256 of the cookie: its key in `tabSessions`.
    pub sid_hash: String,
    /// Name of the User.
    pub user: String,
    /// The user's full name.
    pub full_name: String,
    /// `System User` or `Website User`.
    pub user_type: String,
    /// The user's picture, when there is one.
    pub user_image: Option<String>,
    /// The user's language, when set.
    pub language: Option<String>,
    /// When the user proved who he is.
    pub auth_time: Timestamp,
    /// When the session began.
    pub created_at: Timestamp,
    /// Its absolute end.
    pub expires_at: Timestamp,
    /// Its last use that was written down.
    pub last_seen: Timestamp,
    /// A page has handed out a CSRF token: from then on unsafe requests need it.
    pub csrf_issued: bool,
    /// The `sid` claim of ID tokens: neither the cookie nor its hash.
    pub oidc_sid: String,
}

impl Session {
    /// Whether the user may use the Desk (`system_user` cookie).
    pub fn is_system_user(&self) -> bool {
        self.user_type == "System User"
    }
}

/// The session of that cookie, if it is alive. Its use is written down at most every 10 minutes.
///
/// # Errors
/// When the database cannot be read.
pub async fn resolve(ctx: &Ctx, sid: &str) -> Result<Option<Session>, Failure> {
    if !is_sid(sid) {
        return Ok(None);
    }
    let hash = hash_hex(sid);
    let Some(row) = ctx
        .provider
        .database()
        .row(&RESOLVE, params![&hash])
        .await?
    else {
        return Ok(None);
    };
    ctx.learn_version(row.int(13)?).await?;
    if row.opt_text(12)?.is_none() {
        return Ok(None);
    }
    let enabled = row.opt_int(7)?.unwrap_or_default() != 0;
    let session = read(&row, sid)?;
    let settings = ctx.settings().await?;
    let idle_end = session.last_seen.plus_seconds(settings.session_expiry);
    let alive =
        enabled && session.sid_hash == hash && ctx.now < session.expires_at && ctx.now < idle_end;
    if !alive {
        return Ok(None);
    }
    // Where sessions end after minutes, every 10 minutes would end those that are in use.
    let every = TOUCH_EVERY.min(settings.session_expiry / 4);
    if ctx.now.seconds_since(session.last_seen) >= every {
        touch(ctx, &session).await;
    }
    Ok(Some(session))
}

/// Holds the session's user until the transaction ends, and says whether the session is still
/// there. What is then issued in the same transaction cannot outlive a sign-out everywhere: that
/// waits, and finds it.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn hold(
    tx: &mut Transaction,
    user: &str,
    sid_hash: &str,
) -> Result<bool, Failure> {
    let row = tx.row(&LOCK_USER, params![user]).await?;
    let enabled = row.map_or(Ok(false), |row| row.bool(0))?;
    let row = tx.row(&EXISTS, params![sid_hash]).await?;
    let same = row.as_ref().map(|row| row.text(0)).transpose()? == Some(user);
    Ok(enabled && same)
}

fn is_sid(sid: &str) -> bool {
    sid.len() == SID_LENGTH && sid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn read(row: &Row, sid: &str) -> Result<Session, Failure> {
    let text = |index| Ok::<_, Failure>(row.opt_text(index)?.map(str::to_owned));
    let moment = |index| {
        let micros = row.opt_int(index)?.unwrap_or_default();
        Ok::<_, Failure>(Timestamp::from_micros(micros))
    };
    Ok(Session {
        sid: Secret::new(sid.to_owned()),
        sid_hash: row.text(12)?.to_owned(),
        user: row.text(0)?.to_owned(),
        full_name: text(8)?.unwrap_or_default(),
        user_type: text(9)?.unwrap_or_default(),
        user_image: text(10)?.filter(|image| !image.is_empty()),
        language: text(11)?.filter(|language| !language.is_empty()),
        auth_time: moment(1)?,
        created_at: moment(2)?,
        expires_at: moment(3)?,
        last_seen: moment(4)?,
        csrf_issued: row.opt_int(5)?.unwrap_or_default() != 0,
        oidc_sid: text(6)?.unwrap_or_default(),
    })
}

/// A failure here must not fail the request: the next one writes it.
async fn touch(ctx: &Ctx, session: &Session) {
    let (hash, user, now) = (session.sid_hash.clone(), session.user.clone(), ctx.now);
    let local: Value = ctx.provider.site().local(now).into();
    let written: Result<(), Failure> = ctx
        .provider
        .database()
        .write(move |tx| {
            let (hash, user, local) = (hash.clone(), user.clone(), local.clone());
            Box::pin(async move {
                tx.execute(&TOUCH, params![now, local.clone(), &hash, now])
                    .await?;
                tx.execute(&TOUCH_USER, params![local, &user]).await?;
                Ok(())
            })
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(%error, "the last use of a session was not written");
    }
}

/// A session as its user sees it in a list.
#[derive(Debug, Clone)]
pub struct SessionSummary {
    /// SHA-256 of its cookie: names the session, opens nothing.
    pub sid_hash: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Its last use that was written down.
    pub last_seen: Timestamp,
    /// Where it began from.
    pub address: String,
    /// In which browser.
    pub user_agent: String,
}

/// The living sessions of a user, the last used one first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx, user: &str) -> Result<Vec<SessionSummary>, Failure> {
    let idle = ctx.now.minus_seconds(ctx.settings().await?.session_expiry);
    let rows = ctx
        .provider
        .database()
        .rows(&LIST, params![user, ctx.now, idle])
        .await?;
    let text =
        |row: &Row, index| Ok::<_, Failure>(row.opt_text(index)?.unwrap_or_default().to_owned());
    let summary = |row: &Row| {
        Ok(SessionSummary {
            sid_hash: text(row, 0)?,
            created_at: Timestamp::from_micros(row.int(1)?),
            last_seen: Timestamp::from_micros(row.int(2)?),
            address: text(row, 3)?,
            user_agent: text(row, 4)?,
        })
    };
    rows.iter().map(summary).collect()
}

/// The CSRF token of a session, for a page that hands it out. From then on unsafe requests of
/// the session need it.
///
/// # Errors
/// When the database refuses.
// spec: security.md, Sign-in and sessions, line 5
pub async fn csrf_token(ctx: &Ctx, session: &Session) -> Result<Secret<String>, Failure> {
    if !session.csrf_issued {
        let hash = session.sid_hash.clone();
        ctx.provider
            .database()
            .write(move |tx| {
                let hash = hash.clone();
                Box::pin(
                    async move { Ok::<_, Failure>(tx.execute(&CSRF_ISSUED, params![hash]).await?) },
                )
            })
            .await?;
    }
    Ok(ctx.provider.site_keys().csrf_token(session.sid.expose()))
}

/// Whether the presented CSRF token is the session's. Constant time.
pub fn check_csrf(ctx: &Ctx, session: &Session, presented: &str) -> bool {
    let expected = ctx.provider.site_keys().csrf_token(session.sid.expose());
    constant_time_eq(expected.expose().as_bytes(), presented.as_bytes())
}
