//! What the database tells: tables, clock, keys, secrets, clients.

use anyhow::Context as _;
use crema_auth::checkup::{self, ClientAtRisk, Risk};
use crema_auth::keys;
use crema_document::{patches, schema};

use super::configuration::is_local;
use super::finding::Report;
use crate::shell::OpenSite;

/// Rows that are named one by one.
const NAMED: usize = 5;
/// A key that should have been replaced so many days ago was forgotten.
const KEY_PATIENCE_DAYS: i64 = 7;
const DAY: i64 = 86_400;

/// Whether tables and patches are those of this version.
pub(super) async fn schema(report: &mut Report, site: &OpenSite) -> anyhow::Result<()> {
    let database = site.ctx.provider.database();
    let registry = site.ctx.provider.site().registry();
    let changes = schema::pending(database, &registry).await?;
    let ran = patches::ran(database).await?;
    let missing = patches::builtin()
        .iter()
        .filter(|patch| !ran.contains(patch.name));
    let mut open: Vec<String> = changes.iter().map(ToString::to_string).collect();
    open.extend(missing.map(|patch| format!("patch {}", patch.name)));
    if open.is_empty() {
        report.fine("schema", "tables and patches are those of this version");
        return Ok(());
    }
    let advice = format!("{} migrate", report.crema);
    report.wrong("schema", format!("not done yet: {}", named(&open)), advice);
    Ok(())
}

/// Whether database and machine show the same time.
pub(super) async fn clock(report: &mut Report, site: &OpenSite) -> anyhow::Result<()> {
    match checkup::clock_offset(&site.ctx).await? {
        0 => report.fine("clock", "database and machine show the same time"),
        seconds => {
            let direction = if seconds > 0 { "ahead of" } else { "behind" };
            let seconds = seconds.unsigned_abs();
            report.wrong(
                "clock",
                format!("the database's clock is {seconds} seconds {direction} this machine's"),
                "Set both by NTP: tokens and codes end by this machine's clock.",
            );
        }
    }
    Ok(())
}

/// Whether signing keys are replaced when they should be.
pub(super) async fn keys(report: &mut Report, site: &OpenSite) -> anyhow::Result<()> {
    let ctx = &site.ctx;
    let days = ctx.settings().await?.key_rotation_days;
    let keys = keys::list(ctx).await?;
    let active: Vec<_> = keys.iter().filter(|key| key.status == "Active").collect();
    let crema = report.crema.clone();
    for key in &active {
        let age = (ctx.now.seconds() - key.active_from.seconds()) / DAY;
        let overdue = days > 0 && age > days + KEY_PATIENCE_DAYS;
        // Who never replaces keys by plan should do it by hand once in a while.
        if overdue || (days == 0 && age > 365) {
            report.risk(
                "keys",
                format!(
                    "{} key {} has signed for {age} days",
                    key.algorithm, key.name
                ),
                format!("{crema} keys rotate --alg {}", key.algorithm),
            );
        }
    }
    if report.is_fine("keys") {
        let text = match active.len() {
            0 => "none yet: one is made when it is first needed".to_owned(),
            count => format!("{count} sign, none of them is too old"),
        };
        report.fine("keys", text);
    }
    Ok(())
}

/// Whether `encryption_key` opens what is stored.
pub(super) async fn secrets(report: &mut Report, site: &OpenSite) -> anyhow::Result<()> {
    let secrets = checkup::secrets(&site.ctx).await?;
    if secrets.unreadable == 0 {
        let text = format!("encryption_key opens all {} that are stored", secrets.all);
        report.fine("secrets", text);
        return Ok(());
    }
    let names = secrets.named.iter();
    let names: Vec<String> = names
        .map(|(doctype, name, field)| format!("{field} of {doctype} {name}"))
        .collect();
    let text = format!(
        "encryption_key does not open {} of {}: {}",
        secrets.unreadable,
        secrets.all,
        named(&names)
    );
    let advice = "Put back the encryption_key that belongs to this database, from the backup of \
                  site_config.json. If it is lost, give clients new secrets (oauth-client \
                  rotate-secret) and replace the keys (keys rotate --now).";
    report.wrong("secrets", text, advice);
    Ok(())
}

/// Clients that are easier to attack than they have to be.
pub(super) async fn clients(report: &mut Report, site: &OpenSite) -> anyhow::Result<()> {
    let at_risk = checkup::clients_at_risk(&site.ctx).await?;
    for client in &at_risk {
        for risk in &client.risks {
            let (text, advice) = told(*risk);
            let ClientAtRisk {
                client_id,
                app_name,
                ..
            } = client;
            let set = format!("{} oauth-client set {client_id}", report.crema);
            report.risk(
                "clients",
                format!("{app_name} ({client_id}) {text}"),
                advice.replace("SET", &set),
            );
        }
    }
    if at_risk.is_empty() {
        report.fine("clients", "none is at risk");
    }
    Ok(())
}

/// What a risk is, and what to do; `SET` stands for the command that sets a field.
const fn told(risk: Risk) -> (&'static str, &'static str) {
    match risk {
        Risk::ImplicitGrant => (
            "gets tokens in the address bar (implicit grant)",
            "Move it to codes with PKCE, then: SET response_type=Code grant_types='authorization_code refresh_token'",
        ),
        Risk::PasswordGrant => (
            "sees its users' passwords (password grant)",
            "Move it to codes with PKCE, then take password out of its grant types.",
        ),
        Risk::Observed => (
            "is let pass where the rules would refuse it (Observe)",
            "Look at crema oauth-client report; when it is empty: SET enforcement=Enforce",
        ),
        Risk::PkceNotRequired => (
            "has no secret, and may redeem codes without PKCE",
            "Once it sends code_challenge: SET require_pkce=1",
        ),
        Risk::PlainPkce => (
            "may send its code verifier openly (plain)",
            "Once it sends S256: SET allow_plain_pkce=0",
        ),
        Risk::HttpRedirect => (
            "gets its codes over http, for others to read along",
            "Give it redirect URIs with https.",
        ),
        Risk::AllScopesSelfRegistered => (
            "registered itself and may ask for everything (scope all)",
            "Do you know it? SET scopes='openid' and what else it needs; OAuth Settings has the scopes for all of them.",
        ),
        Risk::SkipsConsent => (
            "gets what it asks for without its users being asked",
            "Unless it is your own: SET skip_authorization=0",
        ),
    }
}

/// Whether senders can be told apart.
// spec: security.md, Sign-in and sessions, line 3
pub(super) async fn senders(
    report: &mut Report,
    site: &OpenSite,
    own_host: &str,
) -> anyhow::Result<()> {
    let shared = checkup::shared_address(&site.ctx).await?;
    match shared {
        Some(address) if is_local(own_host) => report.fine(
            "senders",
            format!("all come from {address}, as they do on one's own machine"),
        ),
        Some(address) => {
            let advice = format!(
                "If that is your proxy: {} set-config trusted_proxies '[\"{address}\"]', and let \
                 the proxy send X-Forwarded-For.",
                report.crema
            );
            let text = format!(
                "users and clients of the last seven days all seem to come from {address}: \
                 failures of one count against all"
            );
            report.wrong("senders", text, advice);
        }
        None => report.fine("senders", "nothing says that they share one address"),
    }
    Ok(())
}

/// Opens a site's records, with the site's name in the error.
pub(super) async fn open(shell: &crate::shell::Shell, name: &str) -> anyhow::Result<OpenSite> {
    shell
        .open(name)
        .await
        .with_context(|| "the site cannot be opened")
}

fn named(all: &[String]) -> String {
    let first: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    match all.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{}, and {more} more", first.join(", ")),
    }
}
