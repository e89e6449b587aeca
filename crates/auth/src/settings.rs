//! The site's settings, typed, with their defaults.
//!
//! Records: OAuth Settings, OAuth Provider Settings, System Settings (`tabSingles`), `__Auth`
//! (read, for the kind of hashes that are left), Activity Log.

use std::num::NonZeroU32;
use std::sync::Arc;

use crema_document::{DocType, FieldType, Single, singles, version};
use crema_store::{Sql, params};

use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure, Provider};

static LEGACY_HASH: Sql = Sql::new(
    r#"SELECT password FROM "__Auth" WHERE doctype = 'User' AND fieldname = 'password'
    AND encrypted = 0 AND password LIKE '$pbkdf2-sha256$%' LIMIT 1"#,
);

static PRIMARY_SERVER: Sql =
    Sql::new(r#"SELECT base_url FROM "tabSocial Login Key" WHERE name = 'frappe'"#);

static OTHER_SERVERS: Sql = Sql::new(
    r#"SELECT base_url FROM "tabSocial Login Key" WHERE enable_social_login = 1
    AND show_in_resource_metadata = 1 ORDER BY creation, name LIMIT 50"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&LEGACY_HASH, &PRIMARY_SERVER, &OTHER_SERVERS];

/// The DocTypes that are read here.
pub const OAUTH_SETTINGS: &str = "OAuth Settings";
/// Frappe's deprecated one.
pub const OAUTH_PROVIDER_SETTINGS: &str = "OAuth Provider Settings";
/// Sessions, sign-in, time zone.
pub const SYSTEM_SETTINGS: &str = "System Settings";

const DAY: i64 = 86_400;
/// Frappe's `170:00`.
const SESSION_EXPIRY: i64 = 170 * 3600;
const SESSION_ABSOLUTE: i64 = 30 * DAY;
/// Rounds that passlib uses when a hash does not say otherwise.
const PASSLIB_ROUNDS: u32 = 29_000;

/// The settings of a site as of one site version. Lifetimes are in seconds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Users with an active token of the same client and scopes are not asked for consent: the
    /// switch of OAuth Settings, or `Auto` of the deprecated single while that is off.
    pub skip_authorization: bool,
    /// An interactive request always asks, also when a stored consent covers it: `Force` of the
    /// deprecated single, while OAuth Settings' own switch is off.
    // spec: security.md, Authorization endpoint, "(Force asks)"
    pub force_consent: bool,
    /// `/.well-known/oauth-authorization-server` is answered.
    pub show_auth_server_metadata: bool,
    /// `/.well-known/oauth-protected-resource` is answered.
    pub show_protected_resource_metadata: bool,
    /// `register_client` is answered.
    pub enable_dynamic_client_registration: bool,
    /// A `client_id` may be the address of a metadata document.
    pub enable_client_id_metadata_documents: bool,
    /// `/mcp` is answered.
    pub enable_mcp: bool,
    /// Base URLs of Social Login Keys are named as authorization servers.
    pub show_social_login_key_as_authorization_server: bool,
    /// The Base URLs of enabled Social Login Keys that are to be named, as they were entered;
    /// empty unless they are shown.
    pub other_authorization_servers: Vec<String>,
    /// Origins, host names or `*` that may use the OAuth endpoints across origins.
    pub allowed_public_client_origins: Vec<String>,
    /// Name of the protected resource.
    pub resource_name: Option<String>,
    /// Its documentation.
    pub resource_documentation: Option<String>,
    /// Its privacy policy.
    pub resource_policy_uri: Option<String>,
    /// Its terms of service.
    pub resource_tos_uri: Option<String>,
    /// What metadata names as scopes; no permission.
    pub scopes_supported: Vec<String>,
    /// What dynamically registered clients may ask for.
    pub registration_scopes: Vec<String>,
    /// Private-use URI schemes without a dot that public clients may register.
    pub allowed_redirect_schemes: Vec<String>,
    /// Registrations per minute and address.
    pub registration_limit: i64,
    /// Registration needs an initial access token.
    pub initial_access_token_required: bool,
    /// Dynamically registered clients that are not used for so many days are removed; 0 for never.
    pub remove_unused_clients_after_days: i64,
    /// How long a rotated client secret stays valid when nothing else is said, in seconds.
    pub previous_secret_overlap: i64,
    /// Signing keys are replaced after so many days; 0 for never.
    pub key_rotation_days: i64,
    /// Entries of the audit trail are kept for so many days; 0 for ever.
    pub activity_log_retention_days: i64,
    /// Rows of tokens are kept for so many days after their end; 0 for ever.
    pub token_retention_days: i64,
    /// Life of access tokens.
    pub access_token_lifetime: i64,
    /// Life of an unused refresh token.
    pub refresh_token_lifetime: i64,
    /// Life of a family of refresh tokens.
    pub refresh_token_absolute_lifetime: i64,
    /// How long a rotated refresh token may come again.
    pub refresh_grace_seconds: i64,
    /// A session ends when it was not used for so long.
    pub session_expiry: i64,
    /// A session ends so long after it began.
    pub session_absolute: i64,
    /// A sign-in ends the user's other sessions.
    pub deny_multiple_sessions: bool,
    /// Failures until a user or an address is locked; 0 for no limit.
    pub allow_consecutive_login_attempts: u32,
    /// How long they are locked.
    pub allow_login_after_fail: i64,
    /// Sign-in by user name.
    pub allow_login_using_user_name: bool,
    /// No sign-in by password.
    pub disable_user_pass_login: bool,
    /// IANA name of the site's time zone.
    pub time_zone: String,
    /// Base URL of the Social Login Key named `frappe`: Frappe's "primary server". It names this
    /// site's issuer only if its host is one of the site's own names.
    pub primary_server: Option<String>,
    /// Rounds of a PBKDF2 hash that some user still has from Frappe.
    pub legacy_password_rounds: Option<NonZeroU32>,
}

/// Reads the settings.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(provider: &Provider) -> Result<Settings, Failure> {
    let oauth = single(provider, OAUTH_SETTINGS).await?;
    let legacy = single(provider, OAUTH_PROVIDER_SETTINGS).await?;
    let system = single(provider, SYSTEM_SETTINGS).await?;
    let row = provider.database().row(&LEGACY_HASH, params![]).await?;
    let hash = match &row {
        Some(row) => row.opt_text(0)?,
        None => None,
    };
    let mut settings = Settings::of(&oauth, &legacy, &system);
    settings.time_zone = provider.site().time_zone().name().to_owned();
    settings.legacy_password_rounds = hash.and_then(rounds);
    let primary = provider.database().row(&PRIMARY_SERVER, params![]).await?;
    if let Some(row) = &primary {
        settings.primary_server = row.opt_text(0)?.map(str::to_owned);
    }
    if settings.show_social_login_key_as_authorization_server {
        let rows = provider.database().rows(&OTHER_SERVERS, params![]).await?;
        for row in &rows {
            let shown = &mut settings.other_authorization_servers;
            shown.extend(row.opt_text(0)?.map(str::to_owned));
        }
    }
    Ok(settings)
}

async fn single(provider: &Provider, name: &str) -> Result<Single, Failure> {
    let doctype = definition(provider, name)?;
    Ok(singles::get(provider.database(), &doctype).await?)
}

fn definition(provider: &Provider, name: &str) -> Result<Arc<DocType>, Failure> {
    let doctype = provider.site().registry().get(name).cloned();
    doctype
        .filter(|doctype| doctype.issingle)
        .ok_or_else(|| Failure::Validation(format!("There are no settings {name}.")))
}

impl Settings {
    fn of(oauth: &Single, legacy: &Single, system: &Single) -> Settings {
        let own = |single: &Single, field: &str, default: i64| match single.int(field) {
            seconds if seconds > 0 => seconds,
            _ => default,
        };
        let legacy_choice = legacy.text("skip_authorization").unwrap_or_default();
        let skip = oauth.flag("skip_authorization");
        let line = |field| oauth.text(field).map(str::to_owned);
        Settings {
            skip_authorization: skip || legacy_choice == "Auto",
            force_consent: !skip && legacy_choice == "Force",
            show_auth_server_metadata: oauth.flag("show_auth_server_metadata"),
            show_protected_resource_metadata: oauth.flag("show_protected_resource_metadata"),
            enable_dynamic_client_registration: oauth.flag("enable_dynamic_client_registration"),
            enable_client_id_metadata_documents: oauth.flag("enable_client_id_metadata_documents"),
            enable_mcp: oauth.flag("enable_mcp"),
            show_social_login_key_as_authorization_server: oauth
                .flag("show_social_login_key_as_authorization_server"),
            other_authorization_servers: Vec::new(),
            allowed_public_client_origins: words(oauth, "allowed_public_client_origins"),
            resource_name: line("resource_name"),
            resource_documentation: line("resource_documentation"),
            resource_policy_uri: line("resource_policy_uri"),
            resource_tos_uri: line("resource_tos_uri"),
            scopes_supported: words(oauth, "scopes_supported"),
            registration_scopes: words(oauth, "registration_scopes"),
            allowed_redirect_schemes: words(oauth, "allowed_redirect_schemes"),
            registration_limit: own(oauth, "registration_limit", 20),
            initial_access_token_required: oauth.flag("initial_access_token_required"),
            remove_unused_clients_after_days: oauth.int("remove_unused_clients_after_days").max(0),
            previous_secret_overlap: oauth.int("previous_secret_overlap").max(0),
            key_rotation_days: oauth.int("key_rotation_days").max(0),
            activity_log_retention_days: oauth.int("activity_log_retention_days").max(0),
            token_retention_days: oauth.int("token_retention_days").max(0),
            access_token_lifetime: own(oauth, "access_token_lifetime", 3600),
            refresh_token_lifetime: own(oauth, "refresh_token_lifetime", 30 * DAY),
            refresh_token_absolute_lifetime: own(
                oauth,
                "refresh_token_absolute_lifetime",
                90 * DAY,
            ),
            refresh_grace_seconds: oauth.int("refresh_grace_seconds").max(0),
            session_expiry: system
                .text("session_expiry")
                .and_then(duration)
                .unwrap_or(SESSION_EXPIRY),
            session_absolute: system
                .text("session_absolute_expiry")
                .and_then(duration)
                .unwrap_or(SESSION_ABSOLUTE),
            deny_multiple_sessions: system.flag("deny_multiple_sessions"),
            allow_consecutive_login_attempts: u32::try_from(
                system.int("allow_consecutive_login_attempts"),
            )
            .unwrap_or(0),
            allow_login_after_fail: own(system, "allow_login_after_fail", 60),
            allow_login_using_user_name: system.flag("allow_login_using_user_name"),
            disable_user_pass_login: system.flag("disable_user_pass_login"),
            time_zone: String::new(),
            primary_server: None,
            legacy_password_rounds: None,
        }
    }
}

fn words(single: &Single, field: &str) -> Vec<String> {
    let text = single.text(field).unwrap_or_default();
    text.split([' ', ',', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Frappe's `HHH:MM[:SS]`, in seconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let mut seconds: i64 = 0;
    let mut parts = text.trim().split(':');
    for unit in [3600, 60, 1] {
        let Some(part) = parts.next() else { break };
        let number: i64 = part.trim().parse().ok().filter(|number| *number >= 0)?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
    }
    (parts.next().is_none() && seconds > 0).then_some(seconds)
}

/// The rounds in `$pbkdf2-sha256$29000$…`.
fn rounds(hash: &str) -> Option<NonZeroU32> {
    let written = hash
        .split('$')
        .nth(2)
        .and_then(|rounds| rounds.parse().ok());
    NonZeroU32::new(written.unwrap_or(PASSLIB_ROUNDS))
}

/// Changes fields of one of the settings singles. `None` empties a field. `by` is the user who
/// does it.
///
/// # Errors
/// [`Failure::Validation`] for an unknown single or field, or a value that does not fit.
pub async fn set(
    ctx: &Ctx,
    by: &str,
    doctype: &str,
    values: &[(String, Option<String>)],
) -> Result<(), Failure> {
    let definition = definition(&ctx.provider, doctype)?;
    let mut entry = Entry::new(ctx, Operation::SettingsChanged, Status::Success)
        .user(by)
        .detail("settings", doctype);
    for (field, value) in values {
        check(&definition, field, value.as_deref())?;
        entry = entry.detail(field, value.as_deref().unwrap_or_default());
    }
    let now = ctx.provider.site().local(ctx.now);
    let job = Arc::new((doctype.to_owned(), values.to_vec(), by.to_owned(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (doctype, values, by, entry) = &*job;
                let fields: Vec<(&str, Option<&str>)> = values
                    .iter()
                    .map(|(field, value)| (field.as_str(), value.as_deref()))
                    .collect();
                singles::set(tx, doctype, &fields, by, now).await?;
                audit::record(tx, entry).await?;
                Ok(version::bump(tx).await?)
            })
        })
        .await
}

fn check(doctype: &DocType, name: &str, value: Option<&str>) -> Result<(), Failure> {
    let fault = |reason: &str| Failure::Validation(format!("{}: {name} {reason}.", doctype.name));
    let field = doctype.value_fields().find(|field| field.fieldname == name);
    let field = field.ok_or_else(|| fault("is no field"))?;
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    if field.fieldtype.is_numeric() && !is_count(value) {
        return Err(fault("is a whole number that is not negative"));
    }
    let is_select = field.fieldtype == FieldType::Select;
    if is_select && !field.choices().any(|choice| choice == value) {
        return Err(fault("is not one of its choices"));
    }
    if matches!(name, "session_expiry" | "session_absolute_expiry") && duration(value).is_none() {
        return Err(fault("is a time of the form HHH:MM"));
    }
    if value.len() > 20_000 || value.contains('\0') {
        return Err(fault("is too long"));
    }
    Ok(())
}

fn is_count(value: &str) -> bool {
    value.trim().parse::<i64>().is_ok_and(|number| number >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_frappes() {
        assert_eq!(duration("170:00"), Some(612_000));
        assert_eq!(duration("06:00:30"), Some(21_630));
        assert_eq!(duration("240:00:00"), Some(864_000));
        for text in [
            "",
            "0:00",
            "-1:00",
            "a",
            "1:2:3:4",
            "99999999999999999999:00",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn rounds_are_read_from_the_hash() {
        let of = |hash| rounds(hash).map(NonZeroU32::get);
        assert_eq!(of("$pbkdf2-sha256$1000$salt$hash"), Some(1000));
        assert_eq!(of("$pbkdf2-sha256$"), Some(PASSLIB_ROUNDS));
    }
}
