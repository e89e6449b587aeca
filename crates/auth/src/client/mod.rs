//! OAuth Clients: the applications that may ask for tokens.
//!
//! RFC 6749 §2, RFC 7591 §2. Field names are those of the record; what they allow in a request
//! is decided by `crema_protocol::client_rules`.
//! Records: OAuth Client, OAuth Client Role, Previous Client Secret, `__Auth`.

mod check;
mod ensure;
pub(crate) mod metadata_document;
mod record;
mod report;
mod secret;
mod write;

pub use ensure::{EnsuredClient, ensure};
pub use record::ClientFields;
pub(crate) use report::show_with_creation;
pub use report::{ClientSummary, ReportRow, list, report, show};
pub(crate) use secret::encrypt;
pub use secret::rotate_secret;
pub(crate) use write::{
    Along, check_user, create_along, delete_along, remove, update_along, update_as_of,
};
pub use write::{CreatedClient, NewClient, create, delete, set_enabled, touch, update};

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;

use crema_crypto::{Secret, SigningAlgorithm, hash_hex};
use crema_document::{LocalTime, Timestamp};
use crema_protocol::client_rules::{
    AuthMethod, ClientRules, Enforcement, GrantType, IdTokenAlgorithm,
};
use crema_protocol::redirect_uri::split_registered;
use crema_protocol::scope::Scope;
use crema_store::{Database, Sql, params};

use crate::user::User;
use crate::{Failure, Provider};
use record::Record;

static LOAD: Sql = Sql::new(r#"SELECT * FROM "tabOAuth Client" WHERE name = ?"#);
static LOAD_BY_DOCUMENT: Sql =
    Sql::new(r#"SELECT * FROM "tabOAuth Client" WHERE metadata_document_hash = ?"#);
static ROLES: Sql = Sql::new(
    r#"SELECT role FROM "tabOAuth Client Role"
    WHERE parent = ? AND parenttype = 'OAuth Client' ORDER BY idx"#,
);

static STATEMENTS: &[&Sql] = &[&LOAD, &LOAD_BY_DOCUMENT, &ROLES];

/// The statements of this module, for the test that prepares each on every database.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [
        STATEMENTS,
        ensure::STATEMENTS,
        metadata_document::STATEMENTS,
        report::STATEMENTS,
        secret::STATEMENTS,
        write::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The DocType.
pub const DOCTYPE: &str = "OAuth Client";
/// The role that a client admits when none is named, as in Frappe.
const DEFAULT_ROLE: &str = "Desk User";

/// An OAuth Client as of one site version.
#[derive(Debug)]
pub struct Client {
    /// Name of the record, which everything stored refers to. The `client_id` of the protocol is
    /// in the rules; it is another one for a client with a metadata document.
    pub name: String,
    /// What users see.
    pub app_name: String,
    /// The user as whom it acts with the client credentials grant.
    pub user: Option<String>,
    /// Of a disabled client nothing works.
    pub enabled: bool,
    /// What it may do in the protocol.
    pub rules: ClientRules,
    /// The redirect URI of a request that names none.
    pub default_redirect_uri: Option<String>,
    /// Users are not asked for consent.
    pub skip_authorization: bool,
    /// Users need one of these roles.
    pub allowed_roles: Vec<String>,
    /// Home page.
    pub client_uri: Option<String>,
    /// Picture.
    pub logo_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// Privacy policy.
    pub policy_uri: Option<String>,
    /// The secret of a confidential client.
    pub secret: Option<Secret<String>>,
    /// Secrets that were rotated away, and until when each still counts.
    pub previous_secrets: Vec<(Secret<String>, Timestamp)>,
    /// Life of access tokens in seconds; the site's when `None`.
    pub access_token_lifetime: Option<i64>,
    /// Life of an unused refresh token in seconds; the site's when `None`.
    pub refresh_token_lifetime: Option<i64>,
    /// Life of a family in seconds; the site's when `None`.
    pub refresh_token_absolute_lifetime: Option<i64>,
    /// A refresh gives a new refresh token.
    pub refresh_rotation: bool,
    /// Seconds in which a rotated refresh token may come again; the site's when `None`.
    pub refresh_grace_seconds: Option<i64>,
    /// ID tokens carry the userinfo claims.
    pub claims_in_id_token: bool,
    /// It may introspect all tokens of the site.
    pub may_introspect: bool,
    /// It came by dynamic registration or a metadata document.
    pub dynamically_registered: bool,
    /// Where RP-initiated logout may go.
    pub post_logout_redirect_uris: Vec<String>,
    /// Its last use that was written down when this was read.
    pub last_used: Option<Timestamp>,
    /// The last use that this process wrote, in µs.
    touched: AtomicI64,
}

impl Client {
    /// Whether it has no credentials.
    pub fn is_public(&self) -> bool {
        self.rules.is_public()
    }

    /// Whether the presented secret is the current one or a previous one within its overlap. All
    /// are compared, each in constant time.
    // spec: security.md, Clients, line 3
    pub fn secret_matches(&self, presented: &str, now: Timestamp) -> bool {
        let current = self
            .secret
            .as_ref()
            .is_some_and(|secret| secret.matches(presented));
        self.previous_secrets
            .iter()
            .filter(|(_, until)| now < *until)
            .fold(current, |found, (secret, _)| {
                secret.matches(presented) | found
            })
    }

    /// Whether the user holds one of the Allowed Roles.
    // spec: security.md, Clients, "`Allowed Roles` is enforced"
    pub fn admits(&self, user: &User) -> bool {
        if self.allowed_roles.is_empty() {
            return user.has_role(DEFAULT_ROLE);
        }
        self.allowed_roles.iter().any(|role| user.has_role(role))
    }

    /// The algorithm of its ID tokens, as the keyring knows it.
    pub fn id_token_algorithm(&self) -> SigningAlgorithm {
        signing_algorithm(self.rules.id_token_signed_response_alg)
    }

    fn new(record: &Record, allowed_roles: Vec<String>) -> Client {
        let line = |field| record.text(field).map(str::to_owned);
        let seconds = |field| Some(record.int(field)).filter(|seconds| *seconds > 0);
        Client {
            name: line("name").unwrap_or_default(),
            app_name: line("app_name").unwrap_or_default(),
            user: line("user"),
            enabled: record.flag("enabled"),
            rules: rules(record),
            default_redirect_uri: line("default_redirect_uri"),
            skip_authorization: record.flag("skip_authorization"),
            allowed_roles,
            client_uri: line("client_uri"),
            logo_uri: line("logo_uri"),
            tos_uri: line("tos_uri"),
            policy_uri: line("policy_uri"),
            secret: None,
            previous_secrets: Vec::new(),
            access_token_lifetime: seconds("access_token_lifetime"),
            refresh_token_lifetime: seconds("refresh_token_lifetime"),
            refresh_token_absolute_lifetime: seconds("refresh_token_absolute_lifetime"),
            refresh_rotation: record.flag("refresh_rotation"),
            refresh_grace_seconds: Some(record.int("refresh_grace_seconds"))
                .filter(|seconds| *seconds >= 0),
            claims_in_id_token: record.flag("claims_in_id_token"),
            may_introspect: record.flag("may_introspect"),
            dynamically_registered: record.flag("dynamically_registered"),
            post_logout_redirect_uris: words(record, "post_logout_redirect_uris"),
            last_used: None,
            touched: AtomicI64::new(0),
        }
    }
}

/// The protocol's view of a record. What a record from Frappe leaves open is what its columns'
/// defaults say, and never the lenient reading.
fn rules(record: &Record) -> ClientRules {
    let text = |field| record.text(field).unwrap_or_default();
    let method = AuthMethod::from_label(text("token_endpoint_auth_method"));
    let algorithm = IdTokenAlgorithm::from_name(text("id_token_signed_response_alg"));
    let document = record.text("metadata_document_uri");
    ClientRules {
        client_id: document.unwrap_or(text("name")).to_owned(),
        // Whatever was done to the record: what everybody can read holds no secret.
        auth_method: match document {
            Some(_) => AuthMethod::None,
            None => method.unwrap_or(AuthMethod::ClientSecretBasic),
        },
        strict_client_auth: record.flag("strict_client_auth"),
        dynamically_registered: record.flag("dynamically_registered"),
        enforcement: match text("enforcement") {
            "Observe" if document.is_none() => Enforcement::Observe,
            _ => Enforcement::Enforce,
        },
        grant_types: grant_types(record),
        scopes: Scope::from_registered(text("scopes")),
        redirect_uris: words(record, "redirect_uris"),
        default_redirect_uri: record.text("default_redirect_uri").map(str::to_owned),
        require_pkce: record.flag("require_pkce") || document.is_some(),
        allow_plain_pkce: record.flag("allow_plain_pkce"),
        allow_short_code_verifier: record.flag("allow_short_code_verifier"),
        id_token_signed_response_alg: algorithm.unwrap_or_default(),
    }
}

/// `grant_types` of ours; where it is empty, code and refresh, and implicit as Frappe's own
/// column says.
fn grant_types(record: &Record) -> BTreeSet<GrantType> {
    let text = record.text("grant_types").unwrap_or_default();
    let named: BTreeSet<_> = text
        .split([' ', ',', '\n', '\t', '\r'])
        .filter_map(GrantType::from_label)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let mut usual = BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]);
    if record.text("grant_type") == Some("Implicit") {
        usual.insert(GrantType::Implicit);
    }
    usual
}

fn words(record: &Record, field: &str) -> Vec<String> {
    let text = record.text(field).unwrap_or_default();
    split_registered(text)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn signing_algorithm(algorithm: IdTokenAlgorithm) -> SigningAlgorithm {
    match algorithm {
        IdTokenAlgorithm::RS256 => SigningAlgorithm::RS256,
        IdTokenAlgorithm::ES256 => SigningAlgorithm::ES256,
        IdTokenAlgorithm::EdDSA => SigningAlgorithm::EdDSA,
        IdTokenAlgorithm::PS256 => SigningAlgorithm::PS256,
        IdTokenAlgorithm::HS256 => SigningAlgorithm::HS256,
    }
}

/// The client whose record has this name, enabled or not; names are compared byte for byte.
///
/// # Errors
/// When the database cannot be read or a secret cannot be decrypted.
// spec: doctypes.md, "look up by index, then compare bytes in Rust"
pub async fn load(provider: &Provider, name: &str) -> Result<Option<Client>, Failure> {
    if name.is_empty() || name.len() > 140 || name.contains('\0') {
        return Ok(None);
    }
    let row = provider.database().row(&LOAD, params![name]).await?;
    let record = row.as_ref().map(Record::from_row);
    match record.filter(|record| record.text("name") == Some(name)) {
        Some(record) => Ok(Some(of_record(provider, &record).await?)),
        None => Ok(None),
    }
}

/// The client that the metadata document at this address describes, enabled or not.
///
/// # Errors
/// When the database cannot be read.
// spec: doctypes.md, "A metadata-document client gets a random name and the hash of its URL"
pub(crate) async fn load_by_document(
    provider: &Provider,
    address: &str,
) -> Result<Option<Client>, Failure> {
    let values = params![hash_hex(address)];
    let row = provider.database().row(&LOAD_BY_DOCUMENT, values).await?;
    let record = row.as_ref().map(Record::from_row);
    match record.filter(|record| record.text("metadata_document_uri") == Some(address)) {
        Some(record) => Ok(Some(of_record(provider, &record).await?)),
        None => Ok(None),
    }
}

/// The Allowed Roles of the client of that name, in order.
async fn roles_of(database: &Database, name: &str) -> Result<Vec<String>, Failure> {
    let rows = database.rows(&ROLES, params![name]).await?;
    rows.iter()
        .map(|row| Ok(row.opt_text(0)?.unwrap_or_default().to_owned()))
        .collect()
}

/// The client with its roles and secrets.
async fn of_record(provider: &Provider, record: &Record) -> Result<Client, Failure> {
    let name = record.text("name").unwrap_or_default();
    let roles = roles_of(provider.database(), name).await?;
    let mut client = Client::new(record, roles);
    client.last_used = record.datetime("last_used").map(|micros| {
        let zone = provider.site().time_zone();
        zone.timestamp(LocalTime::from_micros(micros))
    });
    if !client.is_public() {
        client.secret = secret::current(provider, record).await?;
        client.previous_secrets = secret::previous(provider, name).await?;
    }
    Ok(client)
}
