//! Tokens as an administrator sees them: what is out, and ending it by user, by client, or all.
//!
//! Nothing that could be presented is shown: only hashes are stored.
//! Records: OAuth Bearer Token, OAuth Authorization Code, `__oauth_family`, Activity Log.

use std::sync::Arc;

use crema_document::{LocalTime, Timestamp};
use crema_store::{Row, Sql, Transaction, Value, params};

use super::family;
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure};

static LIST: Sql = Sql::new(
    r#"SELECT name, client, "user", scopes, grant_type, issued_at, expires_at,
    refresh_expires_at, status, last_used FROM "tabOAuth Bearer Token"
    WHERE (? = '' OR client = ?) AND (? = '' OR "user" = ?)
    AND (? = 1 OR (status = 'Active' AND (expires_at > ? OR refresh_expires_at > ?)))
    ORDER BY issued_at DESC, name LIMIT ?"#,
);
static COUNT: Sql = Sql::new(
    r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token"
    WHERE status = 'Active' AND (? = '' OR client = ?) AND (? = '' OR "user" = ?)"#,
);
static END_FAMILIES: Sql = Sql::new(
    r#"UPDATE "__oauth_family" SET revoked_at = ?, refresh_token = NULL
    WHERE revoked_at IS NULL AND (? = '' OR client = ?) AND (? = '' OR "user" = ?)"#,
);
static END_TOKENS: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'
    WHERE status = 'Active' AND (? = '' OR client = ?) AND (? = '' OR "user" = ?)"#,
);
static END_CODES: Sql = Sql::new(
    r#"UPDATE "tabOAuth Authorization Code" SET validity = 'Invalid'
    WHERE validity = 'Valid' AND (? = '' OR client = ?) AND (? = '' OR "user" = ?)"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&LIST, &COUNT, &END_FAMILIES, &END_TOKENS, &END_CODES];

/// Which tokens are meant: those that fit everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFilter {
    /// Of this user.
    pub user: Option<String>,
    /// Of this client.
    pub client: Option<String>,
}

impl TokenFilter {
    fn values(&self) -> Vec<Value> {
        let client = self.client.as_deref().unwrap_or_default();
        let user = self.user.as_deref().unwrap_or_default();
        params![client, client, user, user]
    }

    /// Frappe's tables may be collated without regard to case.
    fn admits(&self, client: &str, user: &str) -> bool {
        self.client.as_deref().is_none_or(|own| own == client)
            && self.user.as_deref().is_none_or(|own| own == user)
    }
}

/// A token as `token list` shows it.
#[derive(Debug, Clone)]
pub struct TokenSummary {
    /// Name of the record.
    pub name: String,
    /// OAuth Client.
    pub client: String,
    /// User; for client credentials the client's own.
    pub user: String,
    /// Granted scopes, space-separated.
    pub scopes: String,
    /// The grant that made it; empty for rows of Frappe.
    pub grant_type: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// End of the access token.
    pub expires_at: Timestamp,
    /// End of the refresh token, when there is one.
    pub refresh_expires_at: Option<Timestamp>,
    /// Whether anything of it works as of now, its user and client permitting.
    pub active: bool,
    /// Last use, in the site's time.
    pub last_used: Option<LocalTime>,
}

/// The newest tokens, at most `limit`: those that live, with `all` also those that do not.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(
    ctx: &Ctx,
    filter: &TokenFilter,
    all: bool,
    limit: u32,
) -> Result<Vec<TokenSummary>, Failure> {
    let mut values = filter.values();
    values.extend(params![all, ctx.now, ctx.now, limit]);
    let rows = ctx.provider.database().rows(&LIST, values).await?;
    let mut tokens = Vec::with_capacity(rows.len());
    for row in &rows {
        let token = summary(row, ctx.now)?;
        if filter.admits(&token.client, &token.user) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

fn summary(row: &Row, now: Timestamp) -> Result<TokenSummary, Failure> {
    let text = |index| Ok::<_, Failure>(row.opt_text(index)?.unwrap_or_default().to_owned());
    let moment = |index| {
        let micros = row.opt_int(index)?;
        Ok::<_, Failure>(
            micros
                .filter(|micros| *micros != 0)
                .map(Timestamp::from_micros),
        )
    };
    let expires_at = moment(6)?.unwrap_or_default();
    let refresh_expires_at = moment(7)?;
    let in_time = expires_at > now || refresh_expires_at.is_some_and(|end| end > now);
    Ok(TokenSummary {
        name: text(0)?,
        client: text(1)?,
        user: text(2)?,
        scopes: text(3)?,
        grant_type: text(4)?,
        issued_at: moment(5)?.unwrap_or_default(),
        expires_at,
        refresh_expires_at,
        active: in_time && row.opt_text(8)? == Some("Active"),
        last_used: row.opt_datetime(9)?.map(LocalTime::from_micros),
    })
}

/// Ends every token and code that fits, of all users and clients when nothing is given. `by` is
/// the user who does it. Gives the number of tokens that had not been revoked before.
///
/// # Errors
/// When the database refuses.
pub async fn revoke(ctx: &Ctx, by: &str, filter: &TokenFilter) -> Result<u64, Failure> {
    let mut entry = Entry::new(ctx, Operation::Revocation, Status::Success).user(by);
    if let Some(user) = &filter.user {
        entry = entry.detail("of user", user.as_str());
    }
    if let Some(client) = &filter.client {
        entry = entry.client(client);
    }
    let now = ctx.now;
    let job = Arc::new((filter.clone(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (filter, entry) = &*job;
                let ended = end(tx, filter, now).await?;
                audit::record(tx, entry).await?;
                Ok(ended)
            })
        })
        .await
}

async fn end(tx: &mut Transaction, filter: &TokenFilter, now: Timestamp) -> Result<u64, Failure> {
    let count = match tx.row(&COUNT, filter.values()).await? {
        Some(row) => u64::try_from(row.int(0)?).unwrap_or_default(),
        None => 0,
    };
    match (filter.user.as_deref(), filter.client.as_deref()) {
        (Some(user), None) => family::revoke_user(tx, user, now).await?,
        (None, Some(client)) => family::revoke_client(tx, client, now).await?,
        _ => {
            let mut families = params![now];
            families.extend(filter.values());
            // Families first: that waits for refreshes under way, whose tokens are then seen.
            tx.execute(&END_FAMILIES, families).await?;
            tx.execute(&END_TOKENS, filter.values()).await?;
            tx.execute(&END_CODES, filter.values()).await?;
        }
    }
    Ok(count)
}
