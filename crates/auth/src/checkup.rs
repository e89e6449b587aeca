//! A look at a site for its operator: what is broken, and what is risky.
//!
//! Nothing is changed. What to do about a finding is the business of who shows it.
//! Records: OAuth Client, `__Auth`, Activity Log (all read).

use std::collections::BTreeSet;

use crema_protocol::client_rules::{Enforcement, GrantType};
use crema_protocol::redirect_uri::is_loopback;
use crema_store::{Sql, Statement, params};

use crate::audit::{self, Operation};
use crate::client::{self, Client};
use crate::{Ctx, Failure};

static SENDERS: Sql = Sql::new(
    r#"SELECT DISTINCT ip_address, "user", reference_name FROM "tabActivity Log"
    WHERE operation IN (?, ?, ?) AND creation >= ? AND ip_address IS NOT NULL LIMIT 1000"#,
);
const ENCRYPTED: &str =
    r#"SELECT doctype, name, fieldname, password FROM "__Auth" WHERE encrypted = 1"#;

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&SENDERS];

/// How far back senders are looked at, in days.
const SENDER_DAYS: i64 = 7;
/// So many users and clients that come from one address are no accident.
const MANY: usize = 3;
/// A clock that is off by no more than this is right, in seconds.
const CLOCK_TOLERANCE: i64 = 2;
/// Fields whose values nobody could decrypt are named one by one up to this number.
const NAMED: usize = 20;

/// How far the database's clock is off, in seconds, when that is more than a request takes;
/// positive when it is ahead.
///
/// # Errors
/// When the database cannot be read.
pub async fn clock_offset(ctx: &Ctx) -> Result<i64, Failure> {
    let database = ctx.provider.database();
    let clock = &ctx.provider.environment().clock;
    let text = format!("SELECT {}", database.dialect().unix_seconds());
    let before = clock.now().seconds();
    let rows = database
        .statement_rows(Statement::new(text, Vec::new()))
        .await?;
    let after = clock.now().seconds();
    let shown = match rows.first() {
        Some(row) => row.int(0)?,
        None => before,
    };
    Ok(offset(before, shown, after))
}

/// How far `shown` lies outside of the two moments between which it was read.
const fn offset(before: i64, shown: i64, after: i64) -> i64 {
    if shown > after + CLOCK_TOLERANCE {
        shown - after
    } else if shown < before - CLOCK_TOLERANCE {
        shown - before
    } else {
        0
    }
}

/// The encrypted values of a site, tried with its `encryption_key`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// How many there are.
    pub all: usize,
    /// How many cannot be decrypted.
    pub unreadable: usize,
    /// The first of these: DocType, document, field.
    pub named: Vec<(String, String, String)>,
}

/// Tries every encrypted value.
///
/// # Errors
/// When the database cannot be read.
pub async fn secrets(ctx: &Ctx) -> Result<Secrets, Failure> {
    let fernet = ctx.provider.site_keys().fernet();
    let statement = Statement::new(ENCRYPTED, Vec::new());
    let mut stream = ctx.provider.database().stream(statement).await?;
    let mut secrets = Secrets::default();
    while let Some(rows) = stream.next().await {
        for row in rows? {
            secrets.all += 1;
            let readable = matches!(row.opt_text(3)?, Some(token) if fernet.decrypt(token).is_ok());
            if readable {
                continue;
            }
            secrets.unreadable += 1;
            if secrets.named.len() < NAMED {
                let text =
                    |column| Ok::<_, Failure>(row.opt_text(column)?.unwrap_or("").to_owned());
                secrets.named.push((text(0)?, text(1)?, text(2)?));
            }
        }
    }
    Ok(secrets)
}

/// What makes a client easier to attack than it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Risk {
    /// Tokens in the address bar (RFC 9700 §2.1.2).
    ImplicitGrant,
    /// It sees its users' passwords (RFC 9700 §2.4).
    PasswordGrant,
    /// Violations pass and are only written down.
    Observed,
    /// It has no secret, and its codes are accepted without PKCE (RFC 9700 §2.1.1).
    PkceNotRequired,
    /// `plain` is accepted as code challenge method (RFC 7636 §7.2).
    PlainPkce,
    /// Codes travel unencrypted to another machine.
    HttpRedirect,
    /// Nobody vouched for it, and it may ask for everything.
    AllScopesSelfRegistered,
    /// Users are not asked.
    SkipsConsent,
}

impl Risk {
    /// A name for scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Risk::ImplicitGrant => "implicit_grant",
            Risk::PasswordGrant => "password_grant",
            Risk::Observed => "observe",
            Risk::PkceNotRequired => "pkce_not_required",
            Risk::PlainPkce => "plain_pkce",
            Risk::HttpRedirect => "http_redirect",
            Risk::AllScopesSelfRegistered => "all_scopes_self_registered",
            Risk::SkipsConsent => "skips_consent",
        }
    }
}

/// A client with its risks, of which there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAtRisk {
    /// Its id in the protocol.
    pub client_id: String,
    /// What users see.
    pub app_name: String,
    /// The risks, in order.
    pub risks: Vec<Risk>,
}

/// The enabled clients that are at risk. One whose secret cannot be read is left out: [`secrets`]
/// names it.
///
/// # Errors
/// When the database cannot be read.
pub async fn clients_at_risk(ctx: &Ctx) -> Result<Vec<ClientAtRisk>, Failure> {
    let mut found = Vec::new();
    for summary in client::list(ctx).await? {
        if !summary.enabled {
            continue;
        }
        let client = match ctx.client_record(&summary.name).await {
            Ok(Some(client)) => client,
            Ok(None) | Err(Failure::Internal(_)) => continue,
            Err(error) => return Err(error),
        };
        let risks = risks(&client);
        if !risks.is_empty() {
            found.push(ClientAtRisk {
                client_id: summary.client_id,
                app_name: summary.app_name,
                risks,
            });
        }
    }
    Ok(found)
}

fn risks(client: &Client) -> Vec<Risk> {
    let rules = &client.rules;
    let has = |grant| rules.grant_types.contains(&grant);
    let http = |uri: &String| uri.starts_with("http://") && !is_loopback(uri);
    let all = [
        (has(GrantType::Implicit), Risk::ImplicitGrant),
        (has(GrantType::Password), Risk::PasswordGrant),
        (rules.enforcement == Enforcement::Observe, Risk::Observed),
        (
            has(GrantType::AuthorizationCode) && !rules.require_pkce && rules.is_public(),
            Risk::PkceNotRequired,
        ),
        (rules.allow_plain_pkce, Risk::PlainPkce),
        (rules.redirect_uris.iter().any(http), Risk::HttpRedirect),
        (
            client.dynamically_registered && rules.scopes.contains("all"),
            Risk::AllScopesSelfRegistered,
        ),
        (client.skip_authorization, Risk::SkipsConsent),
    ];
    let there = all.into_iter().filter(|(there, _)| *there);
    there.map(|(_, risk)| risk).collect()
}

/// The one address from which everybody seems to come, when there are many and they do: limits
/// that count by address then count all of them together.
///
/// # Errors
/// When the database cannot be read.
// spec: security.md, Sign-in and sessions, line 3
pub async fn shared_address(ctx: &Ctx) -> Result<Option<String>, Failure> {
    let values = params![
        Operation::Login.as_str(),
        Operation::TokenIssued.as_str(),
        Operation::ClientAuthentication.as_str(),
        audit::days_ago(ctx, SENDER_DAYS)
    ];
    let rows = ctx.provider.database().rows(&SENDERS, values).await?;
    let mut addresses = BTreeSet::new();
    let mut senders = BTreeSet::new();
    for row in &rows {
        addresses.insert(row.opt_text(0)?.unwrap_or_default());
        senders.insert((row.opt_text(1)?, row.opt_text(2)?));
    }
    let one = (addresses.len() == 1 && senders.len() >= MANY).then(|| addresses.pop_first());
    Ok(one.flatten().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_when_it_shows_what_cannot_be() {
        assert_eq!(offset(100, 100, 100), 0);
        assert_eq!(offset(100, 105, 110), 0);
        assert_eq!(offset(100, 112, 110), 0);
        assert_eq!(offset(100, 113, 110), 3);
        assert_eq!(offset(100, 98, 110), 0);
        assert_eq!(offset(100, 40, 110), -60);
    }
}
