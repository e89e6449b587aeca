//! Which rows leave, when, and by which statements.
//!
//! Every condition has the bounds of an indexed column first, and the index grows at its right
//! end only, so that finding what is due costs nothing and keeping it findable little.

use crema_document::{LocalTime, Timestamp};
use crema_store::{Row, Sql, StoreError, Value, params};

use crate::hundred::{HUNDRED, marks};
use crate::{Ctx, Failure};

/// Rows stay so long after they are due: the clocks of several processes differ. In seconds.
pub(super) const SLACK: i64 = 600;
const DAY: i64 = 86_400;
/// No date of the databases is further away, in days.
const LONGEST: i64 = 300 * 365;

/// What is due of a table, read in the order of an index, and the deletion of what was read.
pub(super) struct Rule {
    /// Gives key and position of rows between two positions; the last parameter limits them.
    pub(super) due: Sql,
    /// Takes the parameters without the limit, then a hundred keys. The condition stands in a
    /// `CASE`, which no index serves: else a planner that does not know how many rows are due
    /// may read all of those instead of the hundred.
    pub(super) delete: Sql,
}

/// `when` has two parameters for the bounds of `position`, and perhaps more. `delete_only` is
/// asked for when deleting.
macro_rules! rule {
    ($table:literal, $key:literal, $position:literal, $when:literal $(, delete_only $only:literal)?) => {
        Rule {
            due: Sql::new(concat!(
                "SELECT ", $key, ", ", $position, " FROM ", $table, " WHERE ", $when,
                " ORDER BY ", $position, " LIMIT ?"
            )),
            delete: Sql::new(concat!(
                "DELETE FROM ", $table, " WHERE CASE WHEN ", $when, " THEN 1 ELSE 0 END = 1 AND ",
                $key, " IN (", marks!(), ")"
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

static CLIENTS: Rule = rule!(
    r#""tabOAuth Client""#,
    "name",
    "creation",
    r#"creation >= ? AND creation < ? AND dynamically_registered = 1 AND enabled = 1
    AND (last_used IS NULL OR last_used < ?)
    AND NOT EXISTS (SELECT 1 FROM "tabOAuth Bearer Token" b WHERE b.client = "tabOAuth Client".name
        AND b.status = 'Active' AND (b.expires_at > ? OR b.refresh_expires_at > ?))
    AND NOT EXISTS (SELECT 1 FROM "__oauth_family" f WHERE f.client = "tabOAuth Client".name
        AND f.created_at > ?)"#
);

/// The families of codes that nobody redeemed.
pub(super) static UNREDEEMED: Sql = Sql::new(concat!(
    r#"SELECT family FROM "tabOAuth Authorization Code" WHERE validity = 'Valid' AND name IN ("#,
    marks!(),
    ")"
));
pub(super) static DELETE_UNREDEEMED: Sql = Sql::new(concat!(
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
    &CLIENTS.due,
    &CLIENTS.delete,
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
    /// Clients that registered themselves, with all that is theirs, when for
    /// `remove_unused_clients_after_days` nobody used them and nothing of theirs lives. Those that
    /// an administrator has disabled stay: their record is what keeps them out.
    Clients,
}

impl Kind {
    /// All of them; tokens before their families.
    pub const ALL: [Kind; 10] = [
        Kind::Codes,
        Kind::AccessTokens,
        Kind::RefreshTokens,
        Kind::Families,
        Kind::Spent,
        Kind::Sessions,
        Kind::LoginHandles,
        Kind::Failures,
        Kind::Entries,
        Kind::Clients,
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
            Kind::Clients => "unused clients",
        }
    }

    /// How many rows a batch has. On SQLite the writers of requests wait for it, and each of the
    /// many indexes of a token costs a page: twenty of them take as long as a hundred hashes,
    /// a millisecond.
    pub fn batch_size(self) -> usize {
        match self {
            Kind::Codes | Kind::AccessTokens | Kind::RefreshTokens | Kind::Entries => 20,
            // Each takes a dozen statements.
            Kind::Clients => 5,
            _ => HUNDRED,
        }
    }

    pub(super) fn rule(self) -> &'static Rule {
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
            Kind::Clients => &CLIENTS,
        }
    }

    /// What the rule compares with: the position before which rows may go, then what else it has
    /// parameters for. `None` keeps everything.
    pub(super) async fn bounds(self, ctx: &Ctx) -> Result<Option<Vec<Value>>, Failure> {
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
            Kind::Clients => kept(settings.remove_unused_clients_after_days).map(|end| {
                let local = ctx.provider.site().local(end);
                params![local, local, ctx.now, ctx.now, end]
            }),
        })
    }

    /// A position of the indexed column.
    pub(super) fn position(self, micros: i64) -> Value {
        match self {
            Kind::Entries | Kind::Clients => LocalTime::from_micros(micros).into(),
            _ => Timestamp::from_micros(micros).into(),
        }
    }

    /// The position of a row that is due.
    pub(super) fn position_of(self, row: &Row) -> Result<i64, StoreError> {
        let position = match self {
            Kind::Entries | Kind::Clients => row.opt_datetime(1)?,
            _ => row.opt_int(1)?,
        };
        Ok(position.unwrap_or_default())
    }
}
