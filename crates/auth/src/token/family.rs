//! Families: everything that grew out of one authorization, and how it ends at once.
//!
//! A family is one row of `__oauth_family`. It holds the hash of the one refresh token that is
//! alive, so that a second live pair cannot exist, and it is the row that every change of the
//! family locks first: whoever revokes waits for a refresh in flight and then sees its tokens.
//! RFC 9700 §4.14.2. Records: `__oauth_family`, `__oauth_spent`, OAuth Bearer Token,
//! OAuth Authorization Code.

use crema_document::Timestamp;
use crema_store::{Sql, Transaction, params};

use crate::Failure;

static INSERT: Sql = Sql::new(
    r#"INSERT INTO "__oauth_family" (name, client, "user", created_at, expires_at, refresh_token,
    scopes, resource, claims, auth_time, sid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
);
static START_TOKENS: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET refresh_token = ?, expires_at = ?
    WHERE name = ? AND revoked_at IS NULL"#,
);
static ROTATE: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET refresh_token = ?
    WHERE name = ? AND refresh_token = ? AND revoked_at IS NULL"#,
);
static HOLD: Sql = Sql::new(r#"SELECT revoked_at FROM "__oauth_family" WHERE name = ? {lock}"#);
static REVOKE: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET revoked_at = ?, refresh_token = NULL
    WHERE name = ? AND revoked_at IS NULL"#,
);
static REVOKE_TOKENS: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'
    WHERE family = ? AND status = 'Active'"#,
);
static REVOKE_USER: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET revoked_at = ?, refresh_token = NULL
    WHERE "user" = ? AND revoked_at IS NULL"#,
);
static REVOKE_USER_TOKENS: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'
    WHERE "user" = ? AND status = 'Active'"#,
);
static REVOKE_USER_CODES: Sql = Sql::new(
    r#"UPDATE "tabOAuth Authorization Code" SET validity = 'Invalid'
    WHERE "user" = ? AND validity = 'Valid'"#,
);
static REVOKE_CLIENT: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET revoked_at = ?, refresh_token = NULL
    WHERE client = ? AND revoked_at IS NULL"#,
);
static REVOKE_CLIENT_TOKENS: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'
    WHERE client = ? AND status = 'Active'"#,
);
static REVOKE_CLIENT_CODES: Sql = Sql::new(
    r#"UPDATE "tabOAuth Authorization Code" SET validity = 'Invalid'
    WHERE client = ? AND validity = 'Valid'"#,
);
static SPEND: Sql = Sql::new(
    r#"INSERT INTO "__oauth_spent" (hash, kind, family, client, spent_at, successor, scope,
    resource, key_id, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
);
static SPENT: Sql = Sql::new(
    r#"SELECT kind, family, client, spent_at, successor, scope, resource, key_id
    FROM "__oauth_spent" WHERE hash = ?"#,
);

static OWNER: Sql = Sql::new(r#"SELECT "user" FROM "__oauth_family" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &INSERT,
    &START_TOKENS,
    &ROTATE,
    &HOLD,
    &REVOKE,
    &REVOKE_TOKENS,
    &REVOKE_USER,
    &REVOKE_USER_TOKENS,
    &REVOKE_USER_CODES,
    &REVOKE_CLIENT,
    &REVOKE_CLIENT_TOKENS,
    &REVOKE_CLIENT_CODES,
    &SPEND,
    &SPENT,
    &OWNER,
];

/// One authorization and what was granted by it.
#[derive(Debug, Clone)]
pub struct Family {
    /// Its name, [`crate::Ctx`]'s `row_name`.
    pub name: String,
    /// The client it was granted to.
    pub client: String,
    /// The user who granted it.
    pub user: String,
    /// After this moment nothing of it works; also when its rows may be cleared.
    pub expires_at: Timestamp,
    /// SHA-256 of the live refresh token.
    pub refresh_token: Option<String>,
    /// The granted scopes, space-separated.
    pub scopes: String,
    /// The granted resources (RFC 8707), space-separated; empty for this site as a whole.
    pub resource: String,
    /// The `claims` parameter as it was sent.
    pub claims: Option<String>,
    /// When the user signed in, in seconds.
    pub auth_time: Option<i64>,
    /// The `sid` claim of the session it was granted in.
    pub session: Option<String>,
}

/// Stores a new family.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &mut Transaction, family: &Family, now: Timestamp) -> Result<(), Failure> {
    tx.execute(
        &INSERT,
        params![
            &family.name,
            &family.client,
            &family.user,
            now.micros(),
            family.expires_at.micros(),
            family.refresh_token.as_deref(),
            &family.scopes,
            &family.resource,
            family.claims.as_deref(),
            family.auth_time.unwrap_or(0),
            family.session.as_deref(),
        ],
    )
    .await?;
    Ok(())
}

/// Gives a family that so far had only a code its first refresh token and its final end.
/// False when it was revoked meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn start_tokens(
    tx: &mut Transaction,
    name: &str,
    refresh_hash: Option<&str>,
    expires_at: Timestamp,
) -> Result<bool, Failure> {
    let values = params![refresh_hash, expires_at.micros(), name];
    Ok(tx.execute(&START_TOKENS, values).await? == 1)
}

/// Replaces the live refresh token by its successor: the one statement that decides a race.
/// False when it is no longer the live one or the family was revoked.
///
/// # Errors
/// When the database refuses.
pub async fn rotate(
    tx: &mut Transaction,
    name: &str,
    old_hash: &str,
    new_hash: &str,
) -> Result<bool, Failure> {
    let values = params![new_hash, name, old_hash];
    Ok(tx.execute(&ROTATE, values).await? == 1)
}

/// Holds a family until the transaction ends, for a change that leaves its refresh token alone:
/// whoever revokes waits. False when it was revoked.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Transaction, name: &str) -> Result<bool, Failure> {
    let row = tx.row(&HOLD, params![name]).await?;
    Ok(match row {
        Some(row) => row.opt_int(0)?.is_none(),
        None => false,
    })
}

/// Ends one family: its refresh token, its access tokens, and its code if not yet redeemed.
///
/// # Errors
/// When the database refuses.
pub async fn revoke(tx: &mut Transaction, name: &str, now: Timestamp) -> Result<(), Failure> {
    tx.execute(&REVOKE, params![now.micros(), name]).await?;
    tx.execute(&REVOKE_TOKENS, params![name]).await?;
    Ok(())
}

/// The user a family belongs to, for the audit trail.
///
/// # Errors
/// When the database refuses.
pub async fn owner(tx: &mut Transaction, name: &str) -> Result<Option<String>, Failure> {
    let row = tx.row(&OWNER, params![name]).await?;
    let owner = row.as_ref().map(|row| row.opt_text(0)).transpose()?;
    Ok(owner.flatten().map(str::to_owned))
}

/// Ends every token and code of a user.
///
/// # Errors
/// When the database refuses.
pub async fn revoke_user(tx: &mut Transaction, user: &str, now: Timestamp) -> Result<(), Failure> {
    tx.execute(&REVOKE_USER, params![now.micros(), user])
        .await?;
    tx.execute(&REVOKE_USER_TOKENS, params![user]).await?;
    tx.execute(&REVOKE_USER_CODES, params![user]).await?;
    Ok(())
}

/// Ends every token and code of a client.
///
/// # Errors
/// When the database refuses.
pub async fn revoke_client(
    tx: &mut Transaction,
    client: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    tx.execute(&REVOKE_CLIENT, params![now.micros(), client])
        .await?;
    tx.execute(&REVOKE_CLIENT_TOKENS, params![client]).await?;
    tx.execute(&REVOKE_CLIENT_CODES, params![client]).await?;
    Ok(())
}

/// What a spent credential was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpentKind {
    /// An authorization code.
    Code,
    /// A refresh token that was rotated.
    Refresh,
}

impl SpentKind {
    fn as_str(self) -> &'static str {
        match self {
            SpentKind::Code => "code",
            SpentKind::Refresh => "refresh",
        }
    }
}

/// A redeemed code or rotated refresh token: kept until its family ends, so that a second use
/// is recognised whatever clears Frappe's rows.
#[derive(Debug, Clone)]
pub struct Spent {
    /// Code or refresh token.
    pub kind: SpentKind,
    /// The family it belonged to.
    pub family: String,
    /// The client that redeemed it.
    pub client: String,
    /// When.
    pub spent_at: Timestamp,
    /// The OAuth Bearer Token that was issued for it.
    pub successor: Option<String>,
    /// The `scope` that was asked for at that time, as sent.
    pub scope: Option<String>,
    /// The `resource` values that were asked for at that time, space-separated.
    pub resource: String,
    /// Which derivation key made the successor.
    pub key_id: String,
}

/// Remembers a spent credential.
///
/// # Errors
/// When the database refuses; a unique violation means that it was spent before.
pub async fn spend(
    tx: &mut Transaction,
    hash: &str,
    spent: &Spent,
    expires_at: Timestamp,
) -> Result<(), Failure> {
    tx.execute(
        &SPEND,
        params![
            hash,
            spent.kind.as_str(),
            &spent.family,
            &spent.client,
            spent.spent_at.micros(),
            spent.successor.as_deref(),
            spent.scope.as_deref(),
            &spent.resource,
            &spent.key_id,
            expires_at.micros(),
        ],
    )
    .await?;
    Ok(())
}

/// Looks a credential up among the spent ones.
///
/// # Errors
/// When the database refuses.
pub async fn spent(tx: &mut Transaction, hash: &str) -> Result<Option<Spent>, Failure> {
    let Some(row) = tx.row(&SPENT, params![hash]).await? else {
        return Ok(None);
    };
    Ok(Some(Spent {
        kind: match row.text(0)? {
            "code" => SpentKind::Code,
            _ => SpentKind::Refresh,
        },
        family: row.text(1)?.to_owned(),
        client: row.text(2)?.to_owned(),
        spent_at: Timestamp::from_micros(row.int(3)?),
        successor: row.opt_text(4)?.map(str::to_owned),
        scope: row.opt_text(5)?.map(str::to_owned),
        resource: row.opt_text(6)?.unwrap_or_default().to_owned(),
        key_id: row.opt_text(7)?.unwrap_or_default().to_owned(),
    }))
}
