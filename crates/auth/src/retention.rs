//! What leaves the database by itself, and when: a few rows at a time, beside the requests.
//!
//! A [`Sweep`] goes once over the rows of one [`Kind`] in the order in which they become due. Each
//! batch reads a few keys through an index and deletes them in a short transaction that asks for
//! the condition again. So any number of processes may sweep one database, and a row
//! that was changed in between stays. Whoever sweeps pauses between batches.
//!
//! Nothing that still proves something leaves: hashes of spent codes and refresh tokens stay until
//! their family has ended. Rows without a moment of ours are Frappe's and are left to Frappe.
//! Records: OAuth Authorization Code, OAuth Bearer Token, Session (`tabSessions`), Activity Log,
//! `__oauth_family`, `__oauth_spent`, `__login_handle`, `__failure`.
// spec: security.md, Codes and tokens, "Hashes of redeemed codes and rotated tokens stay … until
// the family expires"; Audit, "retention settable"

use std::sync::Arc;

use crema_document::{LocalTime, Timestamp};
use crema_store::{Row, Sql, StoreError, Transaction, Value, params};

use crate::hundred::{self, HUNDRED, marks};
use crate::{Ctx, Failure};

/// Rows stay so long after they are due: the clocks of several processes differ. In seconds.
const SLACK: i64 = 600;
const DAY: i64 = 86_400;
/// No date of the databases is further away, in days.
const LONGEST: i64 = 300 * 365;

/// What is due of a table, read in the order of an index, and the deletion of what was read.
struct Rule {
    /// Gives key and position of rows between two positions; the last parameter limits them.
    due: Sql,
    /// Takes the parameters without the limit, then a hundred keys.
    delete: Sql,
}

/// `when` has two parameters for the bounds of `position`, and perhaps more. `due_only` is asked
/// for when reading, `delete_only` when deleting.
macro_rules! rule {
    ($table:literal, $key:literal, $position:literal, $when:literal $(, delete_only $only:literal)?) => {
        Rule {
            due: Sql::new(concat!(
                "SELECT ", $key, ", ", $position, " FROM ", $table, " WHERE ", $when,
                " ORDER BY ", $position, " LIMIT ?"
            )),
            delete: Sql::new(concat!(
                "DELETE FROM ", $table, " WHERE ", $when, " AND ", $key, " IN (", marks!(), ")"
                $(, " AND ", $only)?
            )),
        }
    };
}

static CODES: Rule = rule!(
    r#""tabOAuth Authorization Code""#,
    "name",
    "expires_at",
    "expires_at >= ? AND expires_at < ?"
);
static ACCESS_TOKENS: Rule = rule!(
    r#""tabOAuth Bearer Token""#,
    "name",
    "expires_at",
    "refresh_expires_at = 0 AND expires_at >= ? AND expires_at < ?"
);
static REFRESH_TOKENS: Rule = rule!(
    r#""tabOAuth Bearer Token""#,
    "name",
    "refresh_expires_at",
    "refresh_expires_at >= ? AND refresh_expires_at < ? AND expires_at < ?"
);
static FAMILIES: Rule = rule!(
    r#""__oauth_family""#,
    "name",
    "expires_at",
    "expires_at >= ? AND expires_at < ?",
    delete_only
    r#"NOT EXISTS (SELECT 1 FROM "tabOAuth Bearer Token" WHERE family = "__oauth_family".name)"#
);
static SPENT: Rule = rule!(
    r#""__oauth_spent""#,
    "hash",
    "expires_at",
    "expires_at >= ? AND expires_at < ?"
);
static SESSIONS: Rule = rule!(
    r#""tabSessions""#,
    "sid",
    "last_seen",
    "last_seen >= ? AND last_seen < ?"
);
static LOGIN_HANDLES: Rule = rule!(
    r#""__login_handle""#,
    "hash",
    "expires_at",
    "expires_at >= ? AND expires_at < ?"
);
static FAILURES: Rule = rule!(
    r#""__failure""#,
    "name",
    "started_at",
    "started_at >= ? AND started_at < ? AND locked_until < ?"
);
static ENTRIES: Rule = rule!(
    r#""tabActivity Log""#,
    "name",
    "creation",
    "creation >= ? AND creation < ?"
);

/// The families of codes that nobody redeemed.
static UNREDEEMED: Sql = Sql::new(concat!(
    r#"SELECT family FROM "tabOAuth Authorization Code" WHERE validity = 'Valid' AND name IN ("#,
    marks!(),
    ")"
));
static DELETE_UNREDEEMED: Sql = Sql::new(concat!(
    r#"DELETE FROM "__oauth_family" WHERE expires_at < ? AND refresh_token IS NULL AND name IN ("#,
    marks!(),
    r#") AND NOT EXISTS
    (SELECT 1 FROM "tabOAuth Bearer Token" WHERE family = "__oauth_family".name)"#
));

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[
    &CODES.due,
    &CODES.delete,
    &ACCESS_TOKENS.due,
    &ACCESS_TOKENS.delete,
    &REFRESH_TOKENS.due,
    &REFRESH_TOKENS.delete,
    &FAMILIES.due,
    &FAMILIES.delete,
    &SPENT.due,
    &SPENT.delete,
    &SESSIONS.due,
    &SESSIONS.delete,
    &LOGIN_HANDLES.due,
    &LOGIN_HANDLES.delete,
    &FAILURES.due,
    &FAILURES.delete,
    &ENTRIES.due,
    &ENTRIES.delete,
    &UNREDEEMED,
    &DELETE_UNREDEEMED,
];

/// Rows that leave at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Codes, ten minutes after their end; with them the families of those never redeemed.
    Codes,
    /// Access tokens without a refresh token, `token_retention_days` after their end.
    AccessTokens,
    /// Tokens with a refresh token, `token_retention_days` after both would have ended, also when
    /// they were rotated or revoked before: the row is the record of the refresh.
    RefreshTokens,
    /// Families, `token_retention_days` after their end, once no token of theirs is left.
    Families,
    /// Hashes of redeemed codes and rotated refresh tokens, when their family has ended.
    Spent,
    /// Sessions that have ended because they were not used.
    Sessions,
    /// Requests that waited for a sign-in in vain, or not.
    LoginHandles,
    /// Counters of failures that lock nobody, a day after they began.
    Failures,
    /// Entries of the audit trail, after `activity_log_retention_days`.
    Entries,
}

impl Kind {
    /// All of them; tokens before their families.
    pub const ALL: [Kind; 9] = [
        Kind::Codes,
        Kind::AccessTokens,
        Kind::RefreshTokens,
        Kind::Families,
        Kind::Spent,
        Kind::Sessions,
        Kind::LoginHandles,
        Kind::Failures,
        Kind::Entries,
    ];

    /// Its name in log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Codes => "codes",
            Kind::AccessTokens => "access tokens",
            Kind::RefreshTokens => "refresh tokens",
            Kind::Families => "families",
            Kind::Spent => "spent hashes",
            Kind::Sessions => "sessions",
            Kind::LoginHandles => "login handles",
            Kind::Failures => "failures",
            Kind::Entries => "audit entries",
        }
    }

    /// How many rows a batch has. On SQLite the writers of requests wait for it, and each of the
    /// many indexes of a token costs a page: twenty of them take as long as a hundred hashes,
    /// a millisecond.
    pub fn batch_size(self) -> usize {
        match self {
            Kind::Codes | Kind::AccessTokens | Kind::RefreshTokens | Kind::Entries => 20,
            _ => HUNDRED,
        }
    }

    fn rule(self) -> &'static Rule {
        match self {
            Kind::Codes => &CODES,
            Kind::AccessTokens => &ACCESS_TOKENS,
            Kind::RefreshTokens => &REFRESH_TOKENS,
            Kind::Families => &FAMILIES,
            Kind::Spent => &SPENT,
            Kind::Sessions => &SESSIONS,
            Kind::LoginHandles => &LOGIN_HANDLES,
            Kind::Failures => &FAILURES,
            Kind::Entries => &ENTRIES,
        }
    }

    /// What the rule compares with: the position before which rows may go, then what else it has
    /// parameters for. `None` keeps everything.
    async fn bounds(self, ctx: &Ctx) -> Result<Option<Vec<Value>>, Failure> {
        let settings = ctx.settings().await?;
        let before = |seconds: i64| ctx.now.minus_seconds(seconds);
        let kept = |days: i64| (days > 0).then(|| before(days.min(LONGEST) * DAY + SLACK));
        let tokens = kept(settings.token_retention_days);
        Ok(match self {
            Kind::Codes | Kind::Spent | Kind::LoginHandles => Some(params![before(SLACK)]),
            Kind::AccessTokens | Kind::Families => tokens.map(|end| params![end]),
            Kind::RefreshTokens => tokens.map(|end| params![end, end]),
            // Every session ends at the latest when it was not used for the shorter of the two.
            Kind::Sessions => {
                let idle = settings.session_expiry.min(settings.session_absolute);
                Some(params![before(idle + SLACK)])
            }
            // A counter still counts while it is within its period.
            Kind::Failures => {
                let counted = settings.allow_login_after_fail.max(DAY);
                Some(params![before(counted), ctx.now])
            }
            Kind::Entries => kept(settings.activity_log_retention_days)
                .map(|end| params![ctx.provider.site().local(end)]),
        })
    }

    fn position(self, micros: i64) -> Value {
        match self {
            Kind::Entries => LocalTime::from_micros(micros).into(),
            _ => Timestamp::from_micros(micros).into(),
        }
    }

    fn position_of(self, row: &Row) -> Result<i64, StoreError> {
        let position = match self {
            Kind::Entries => row.opt_datetime(1)?,
            _ => row.opt_int(1)?,
        };
        Ok(position.unwrap_or_default())
    }
}

/// What one batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Rows that were removed. Other processes may have taken some of those that were found.
    pub removed: u64,
    /// There may be more to do.
    pub more: bool,
}

/// One pass over the rows of one kind, from those that are due the longest.
#[derive(Debug, Clone)]
pub struct Sweep {
    kind: Kind,
    /// Where the next batch begins: what stays is not read again in this pass, nor are the
    /// places of the index from which rows have just gone.
    from: i64,
}

impl Sweep {
    /// A pass that has not begun.
    pub fn new(kind: Kind) -> Sweep {
        // Frappe's rows have 0 where ours have a moment.
        Sweep { kind, from: 1 }
    }

    /// What it removes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Removes at most [`Kind::batch_size`] rows that are due at the moment of `ctx`.
    ///
    /// # Errors
    /// When the database refuses. The sweep may go on with the next batch.
    pub async fn batch(&mut self, ctx: &Ctx) -> Result<Batch, Failure> {
        let Some(bounds) = self.kind.bounds(ctx).await? else {
            return Ok(Batch {
                removed: 0,
                more: false,
            });
        };
        let mut values = vec![self.kind.position(self.from)];
        values.extend(bounds);
        let rule = self.kind.rule();
        let database = ctx.provider.database();
        let limit = self.kind.batch_size();
        let mut limited = values.clone();
        limited.extend(params![i64::try_from(limit).unwrap_or(i64::MAX)]);
        let rows = database.rows(&rule.due, limited).await?;
        let Some(last) = rows.last() else {
            return Ok(Batch {
                removed: 0,
                more: false,
            });
        };
        let reached = self.kind.position_of(last)?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(row.text(0)?.to_owned());
        }
        let more = keys.len() == limit;
        // One order for all processes, so that they do not wait for each other in a circle.
        keys.sort_unstable();
        let removed = remove(ctx, self.kind, values, keys).await?;
        // Many rows at one position that all stay must not hold the pass up.
        self.from = match removed {
            0 => reached.max(self.from).saturating_add(1),
            _ => reached,
        };
        Ok(Batch { removed, more })
    }
}

async fn remove(
    ctx: &Ctx,
    kind: Kind,
    bounds: Vec<Value>,
    keys: Vec<String>,
) -> Result<u64, Failure> {
    let job = Arc::new((hundred::values(&bounds, &keys), keys));
    let ended = ctx.now.minus_seconds(SLACK);
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (values, keys) = &*job;
                if kind == Kind::Codes {
                    remove_unredeemed(tx, keys, ended).await?;
                }
                Ok(tx.execute(&kind.rule().delete, values.clone()).await?)
            })
        })
        .await
}

/// The families of codes that were not redeemed and now cannot be: nothing grew out of them.
async fn remove_unredeemed(
    tx: &mut Transaction,
    codes: &[String],
    ended: Timestamp,
) -> Result<(), Failure> {
    let rows = tx.rows(&UNREDEEMED, hundred::values(&[], codes)).await?;
    let mut families = Vec::with_capacity(rows.len());
    for row in &rows {
        families.extend(row.opt_text(0)?.map(str::to_owned));
    }
    if families.is_empty() {
        return Ok(());
    }
    families.sort_unstable();
    let values = hundred::values(&params![ended], &families);
    tx.execute(&DELETE_UNREDEEMED, values).await?;
    Ok(())
}
