//! The bearer check: whose token is this, and is it alive.
//!
//! RFC 6750; RFC 9700 §2.3. One statement by the token's hash; client and user come from memory
//! while the site's version, read along in the same statement, has not moved.
//! Records: OAuth Bearer Token (read; `last_used` written behind).

use std::sync::Arc;

use crema_crypto::{Secret, hash_hex};
use crema_document::Timestamp;
use crema_protocol::client_auth::ClientCredentials;
use crema_protocol::resource;
use crema_protocol::scope::Scope;
use crema_store::{Row, Sql, params};

use crate::claims::Opens;
use crate::client::Client;
use crate::lockout::Key;
use crate::user::User;
use crate::{Ctx, Failure};

/// The site's version and the token with this hash in one row, which is there whether there is
/// such a token or not; with further columns and what they are joined from.
macro_rules! by_token {
    ($hash:literal $(, $columns:literal, $join:literal)?) => {
        Sql::new(concat!(
            r#"SELECT v.version, b.name, b.client, b."user", b.scopes, b.status, b.expires_at,
            b.issued_at, b.refresh_expires_at, b.resource, b.auth_time, b.claims, b.access_token,
            b.last_used, b.authorized_scopes"#, $(", ", $columns,)?
            r#" FROM "__version" v LEFT JOIN "tabOAuth Bearer Token" b ON b."#, $hash, " = ?",
            $(" ", $join,)?
            " WHERE v.name = 'site'"
        ))
    };
}

static BY_ACCESS_TOKEN: Sql = by_token!("access_token");
/// And until when the client that asks about it is locked.
static BY_ACCESS_TOKEN_FOR_CLIENT: Sql = by_token!(
    "access_token",
    "x.locked_until",
    r#"LEFT JOIN "__failure" x ON x.name = ?"#
);
static BY_REFRESH_TOKEN: Sql = by_token!("refresh_token");

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &BY_ACCESS_TOKEN,
    &BY_ACCESS_TOKEN_FOR_CLIENT,
    &BY_REFRESH_TOKEN,
];

/// Which of the two tokens of a row was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
}

/// A stored token that was found by its hash.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// Name of the OAuth Bearer Token.
    pub name: String,
    /// OAuth Client.
    pub client: String,
    /// User.
    pub user: String,
    /// Granted scopes, space-separated.
    pub scopes: String,
    /// Neither revoked nor rotated.
    pub active: bool,
    /// End of the access token.
    pub expires_at: Timestamp,
    /// Moment of issue.
    pub issued_at: Timestamp,
    /// End of the refresh token.
    pub refresh_expires_at: Option<Timestamp>,
    /// Resources it is for, space-separated.
    pub resource: String,
    /// When the user signed in, in seconds.
    pub auth_time: Option<i64>,
    /// The `claims` parameter of the authorization request.
    pub claims: Option<String>,
    /// SHA-256 of the access token.
    pub access_hash: String,
    last_used: Option<i64>,
    /// The scopes of the authorization that it came from, where these are fewer.
    authorized: Option<String>,
}

impl StoredToken {
    /// Columns 1 and on of the statements above; `None` when the row has no token.
    fn from_row(row: &Row) -> Result<Option<StoredToken>, Failure> {
        if row.opt_text(1)?.is_none() {
            return Ok(None);
        }
        let text = |index| -> Result<String, Failure> {
            Ok(row.opt_text(index)?.unwrap_or_default().to_owned())
        };
        let moment = |index| -> Result<Option<Timestamp>, Failure> {
            let micros = row.opt_int(index)?.filter(|micros| *micros != 0);
            Ok(micros.map(Timestamp::from_micros))
        };
        Ok(Some(StoredToken {
            name: text(1)?,
            client: text(2)?,
            user: text(3)?,
            scopes: text(4)?,
            active: row.opt_text(5)? == Some("Active"),
            expires_at: moment(6)?.unwrap_or(Timestamp::EPOCH),
            issued_at: moment(7)?.unwrap_or(Timestamp::EPOCH),
            refresh_expires_at: moment(8)?,
            resource: text(9)?,
            auth_time: row.opt_int(10)?.filter(|seconds| *seconds != 0),
            claims: row.opt_text(11)?.map(str::to_owned),
            access_hash: text(12)?,
            last_used: row.opt_datetime(13)?,
            authorized: row.opt_text(14)?.map(str::to_owned),
        }))
    }

    /// What the token opens about its user: its own scopes, seen against those that were asked
    /// for in the first place.
    pub fn opens(&self, scope: &Scope) -> Opens {
        let authorized = self
            .authorized
            .as_deref()
            .and_then(|text| Scope::parse(text).ok());
        Opens {
            requested: authorized.unwrap_or_else(|| scope.clone()),
            granted: scope.clone(),
        }
    }

    /// When the presented one of the two tokens ends.
    pub fn ends(&self, kind: TokenKind) -> Timestamp {
        match kind {
            TokenKind::Access => self.expires_at,
            TokenKind::Refresh => self.refresh_expires_at.unwrap_or(self.expires_at),
        }
    }
}

/// An access token that is alive, with its client and user.
pub struct BearerToken {
    /// The stored row.
    pub stored: StoredToken,
    /// The client it was issued to, enabled.
    pub client: Arc<Client>,
    /// The user it acts for, enabled.
    pub user: Arc<User>,
    /// The granted scopes.
    pub scope: Scope,
    /// The `claims` parameter of the authorization request.
    pub claims: Option<String>,
}

/// What one statement read at the start of a request, for those who ask for it later.
pub(crate) struct Ahead {
    token: Secret<String>,
    /// What it is, for the first who asks.
    stored: Option<Option<StoredToken>>,
    /// Client whose wrong secrets from this address were looked up, and until when it is locked.
    lockout: Option<(String, Timestamp)>,
    /// How the client presents itself, for the first who asks.
    presented: Option<ClientCredentials>,
}

impl Ahead {
    /// Until when the client is locked at this address, if that was looked up; the epoch when it
    /// is not locked.
    pub(crate) fn locked_until(&self, client: &str) -> Option<Timestamp> {
        let (looked_up, until) = self.lockout.as_ref()?;
        (looked_up == client).then_some(*until)
    }

    /// The credentials of the request, if they were read and nobody has taken them.
    pub(crate) fn take_presented(&mut self) -> Option<ClientCredentials> {
        self.presented.take()
    }

    fn take_stored(&mut self, token: &str) -> Option<Option<StoredToken>> {
        if self.token.expose() != token {
            return None;
        }
        self.stored.take()
    }
}

/// Reads, in one statement, what a request with this access token is going to need: the site's
/// version, the token, and whether the client that presents itself has to wait.
///
/// # Errors
/// When the database cannot be read.
pub async fn look_ahead(
    ctx: &Ctx,
    token: &str,
    presented: Option<ClientCredentials>,
) -> Result<(), Failure> {
    let database = ctx.provider.database();
    let hash = hash_hex(token);
    let row = match &presented {
        Some(presented) => {
            let key = Key::client(&presented.client_id, ctx.address);
            let values = params![hash, key.as_str()];
            database.row(&BY_ACCESS_TOKEN_FOR_CLIENT, values).await?
        }
        None => database.row(&BY_ACCESS_TOKEN, params![hash]).await?,
    };
    let Some(row) = row else {
        return Ok(());
    };
    ctx.learn_version(row.int(0)?).await?;
    let lockout = match &presented {
        Some(presented) => {
            let until = Timestamp::from_micros(row.opt_int(15)?.unwrap_or_default());
            Some((presented.client_id.clone(), until))
        }
        None => None,
    };
    ctx.keep_ahead(Ahead {
        token: Secret::from(token),
        stored: Some(StoredToken::from_row(&row)?),
        lockout,
        presented,
    });
    Ok(())
}

/// Looks a token up by its hash, as one of the two kinds.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(ctx: &Ctx, token: &str, kind: TokenKind) -> Result<Option<StoredToken>, Failure> {
    if kind == TokenKind::Access
        && let Some(stored) = ctx.of_ahead(|ahead| ahead.take_stored(token))
    {
        return Ok(stored);
    }
    let hash = hash_hex(token);
    let database = ctx.provider.database();
    let row = match kind {
        TokenKind::Access => database.row(&BY_ACCESS_TOKEN, params![hash]).await?,
        TokenKind::Refresh => database.row(&BY_REFRESH_TOKEN, params![hash]).await?,
    };
    let Some(row) = row else {
        return Ok(None);
    };
    ctx.learn_version(row.int(0)?).await?;
    StoredToken::from_row(&row)
}

/// Why an access token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is unknown, expired or revoked, or its client or user is gone, disabled or no longer
    /// entitled.
    Dead,
    /// It is alive, and for another resource.
    Elsewhere,
}

/// The living access token behind the characters that were sent; `None` for one that is
/// [`Unusable::Dead`]. For the authorization server's own endpoints, which take every token
/// whatever resource it is for.
///
/// # Errors
/// When the database cannot be read.
// spec: security.md, Codes and tokens, "their tokens … stop at the next request"
pub async fn check(ctx: &Ctx, token: &str) -> Result<Option<BearerToken>, Failure> {
    Ok(used(ctx, token, None).await?.ok())
}

/// The same at the resource server, where a token is good for the paths of its resources only.
/// `path` is the request's, as it was sent.
///
/// # Errors
/// When the database cannot be read.
// spec: RFC 8707 §2; standards.md, A, 2.3, "RS M check audience when restricted"
pub async fn check_at(
    ctx: &Ctx,
    token: &str,
    path: &str,
) -> Result<Result<BearerToken, Unusable>, Failure> {
    used(ctx, token, Some(path)).await
}

async fn used(
    ctx: &Ctx,
    token: &str,
    path: Option<&str>,
) -> Result<Result<BearerToken, Unusable>, Failure> {
    let Some(stored) = find(ctx, token, TokenKind::Access).await? else {
        return Ok(Err(Unusable::Dead));
    };
    let Some(alive) = alive(ctx, &stored, TokenKind::Access).await? else {
        return Ok(Err(Unusable::Dead));
    };
    if let Some(path) = path
        && !resource::admits(&stored.resource, &ctx.issuer, path)
    {
        return Ok(Err(Unusable::Elsewhere));
    }
    let last_used = ctx.provider.last_used();
    last_used.touch(ctx, &stored.name, stored.last_used);
    Ok(Ok(BearerToken {
        client: alive.client,
        user: alive.user,
        scope: Scope::parse(&stored.scopes)?,
        claims: stored.claims.clone(),
        stored,
    }))
}

/// Client and user of a token that is alive.
pub struct Alive {
    /// The client, enabled.
    pub client: Arc<Client>,
    /// The user, enabled and entitled to use the client.
    pub user: Arc<User>,
}

/// Judges a stored token at this moment.
///
/// # Errors
/// When the database cannot be read.
pub async fn alive(
    ctx: &Ctx,
    stored: &StoredToken,
    kind: TokenKind,
) -> Result<Option<Alive>, Failure> {
    if !stored.active || stored.ends(kind) <= ctx.now {
        return Ok(None);
    }
    let Some(client) = ctx
        .client_record(&stored.client)
        .await?
        .filter(|client| client.enabled)
    else {
        return Ok(None);
    };
    let user = ctx.user(&stored.user).await?.filter(|user| user.enabled);
    // A client that acts as its own user was given that user by an administrator; its Allowed
    // Roles speak about people who consent.
    let entitled =
        |user: &Arc<User>| client.user.as_deref() == Some(&user.name) || client.admits(user);
    Ok(user.filter(entitled).map(|user| Alive { client, user }))
}
