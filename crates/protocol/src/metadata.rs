//! Metadata documents: OpenID Connect Discovery 1.0, RFC 8414, RFC 9728.
//!
//! [`Metadata`] renders both documents of the authorization server from the same values, so they
//! cannot contradict each other, and lists only what works on the site.

use serde_json::{Map, Value};
use url::Url;

use crate::claims::USER_CLAIMS;
use crate::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crate::limits;
use crate::pkce::Method;
use crate::prompt::Prompt;
use crate::resource_scope::ResourceScopes;
use crate::response::{ResponseMode, ResponseType};
use crate::scope::Scope;
use crate::{endpoints, resource};

/// Claims of the protocol that ID tokens carry beside those about the user.
const TOKEN_CLAIMS: [&str; 11] = [
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "at_hash",
    "c_hash",
    "azp",
    "sid",
    "acr",
    "amr",
];

/// What is offered when no Scopes Supported are set.
const DEFAULT_SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "roles",
    "offline_access",
    "all",
];

/// What the authorization server of a site can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The issuer, without a slash at its end.
    pub issuer: String,
    /// Scopes Supported of OAuth Settings; empty means the standard ones and those of
    /// [`Metadata::registration_scopes`].
    pub scopes: Vec<String>,
    /// What clients that registered themselves may ask for.
    pub registration_scopes: Vec<String>,
    /// Dynamic registration is on.
    pub registration: bool,
    /// Client metadata documents are on.
    pub client_id_metadata_document: bool,
    /// Grants that some client of the site may use beside code and refresh.
    pub optional_grants: Vec<GrantType>,
    /// Algorithms that ID tokens can have.
    pub id_token_algorithms: Vec<IdTokenAlgorithm>,
    /// A page for developers.
    pub service_documentation: Option<String>,
    /// Languages of the pages.
    pub ui_locales: Vec<String>,
}

impl Metadata {
    /// The metadata of a site with nothing optional on.
    pub fn new(issuer: impl Into<String>) -> Metadata {
        Metadata {
            issuer: issuer.into(),
            scopes: Vec::new(),
            registration_scopes: Vec::new(),
            registration: false,
            client_id_metadata_document: false,
            optional_grants: Vec::new(),
            id_token_algorithms: IdTokenAlgorithm::ALL.to_vec(),
            service_documentation: None,
            ui_locales: Vec::new(),
        }
    }

    /// The document behind `/.well-known/openid-configuration`.
    // spec: http.md, Metadata; OpenID Connect Discovery §3
    pub fn openid_configuration(&self) -> Value {
        self.document()
    }

    /// The document behind `/.well-known/oauth-authorization-server`.
    // spec: http.md, Metadata; RFC 8414 §2
    pub fn authorization_server(&self) -> Value {
        self.document()
    }

    fn document(&self) -> Value {
        let mut document = Document::default();
        self.endpoints(&mut document);
        self.capabilities(&mut document);
        document.into_value()
    }

    fn endpoints(&self, document: &mut Document) {
        document.text("issuer", Some(&self.issuer));
        let mut list = vec![
            ("authorization_endpoint", endpoints::AUTHORIZE),
            ("token_endpoint", endpoints::TOKEN),
            ("userinfo_endpoint", endpoints::USERINFO),
            ("revocation_endpoint", endpoints::REVOKE),
            ("introspection_endpoint", endpoints::INTROSPECT),
            ("jwks_uri", endpoints::JWKS),
        ];
        if self.registration {
            list.push(("registration_endpoint", endpoints::REGISTER));
        }
        for (name, endpoint) in list {
            document.text(name, Some(&endpoint.url(&self.issuer)));
        }
        document.text(
            "service_documentation",
            self.service_documentation.as_deref(),
        );
    }

    fn capabilities(&self, document: &mut Document) {
        let implicit = self.optional_grants.contains(&GrantType::Implicit);
        let front_channel = ResponseType::FRONT_CHANNEL.into_iter().filter(|_| implicit);
        document.list(
            "response_types_supported",
            ["code"].into_iter().chain(front_channel),
        );
        document.list("response_modes_supported", ResponseMode::VALUES);
        let grants = GrantType::ALL.into_iter().filter(|grant| {
            matches!(
                grant,
                GrantType::AuthorizationCode | GrantType::RefreshToken
            ) || self.optional_grants.contains(grant)
        });
        document.list("grant_types_supported", grants.map(GrantType::as_str));
        document.list("subject_types_supported", ["public"]);
        document.list(
            "id_token_signing_alg_values_supported",
            self.id_token_algorithms
                .iter()
                .map(|algorithm| algorithm.as_str()),
        );
        for endpoint in ["token", "revocation", "introspection"] {
            let name = format!("{endpoint}_endpoint_auth_methods_supported");
            document.list(&name, AuthMethod::ALL.map(AuthMethod::as_str));
        }
        document.list("code_challenge_methods_supported", [Method::S256.as_str()]);
        let standard = DEFAULT_SCOPES.into_iter();
        let registration = self.registration_scopes.iter().map(String::as_str);
        document.list("scopes_supported", standard.chain(registration));
        document.list("scopes_supported", self.scopes.iter().map(String::as_str));
        let user_claims = USER_CLAIMS.iter().map(|(claim, _)| *claim);
        document.list("claims_supported", user_claims.chain(TOKEN_CLAIMS));
        document.list("prompt_values_supported", Prompt::VALUES);
        document.list(
            "ui_locales_supported",
            self.ui_locales.iter().map(String::as_str),
        );
        document.flag("claims_parameter_supported", true);
        document.flag("request_parameter_supported", false);
        document.flag("request_uri_parameter_supported", false);
        document.flag("authorization_response_iss_parameter_supported", true);
        document.flag(
            "client_id_metadata_document_supported",
            self.client_id_metadata_document,
        );
    }
}

/// What a protected resource of a site says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtectedResource {
    /// The resource: the site's origin, or that and the path asked about.
    pub resource: String,
    /// The issuers whose tokens it takes.
    pub authorization_servers: Vec<String>,
    /// Scopes that its challenges name.
    pub scopes: Vec<String>,
    /// Its name.
    pub name: Option<String>,
    /// A page for developers.
    pub documentation: Option<String>,
    /// A page about what clients may do with data.
    pub policy_uri: Option<String>,
    /// The terms of service.
    pub tos_uri: Option<String>,
}

impl ProtectedResource {
    /// The document behind `/.well-known/oauth-protected-resource`.
    // spec: http.md, Metadata, "oauth-protected-resource"; RFC 9728 §2
    pub fn document(&self) -> Value {
        let mut document = Document::default();
        document.text("resource", Some(&self.resource));
        document.list(
            "authorization_servers",
            self.authorization_servers.iter().map(String::as_str),
        );
        document.list("bearer_methods_supported", ["header"]);
        document.list("scopes_supported", self.scopes.iter().map(String::as_str));
        document.text("resource_name", self.name.as_deref());
        document.text("resource_documentation", self.documentation.as_deref());
        document.text("resource_policy_uri", self.policy_uri.as_deref());
        document.text("resource_tos_uri", self.tos_uri.as_deref());
        document.into_value()
    }
}

/// The identifier of the resource at this path of the issuer, exactly as a client makes the
/// address of its metadata out of it: what comes behind the well-known path, its percent-encoding
/// and a slash at its end included. The bare path and `/` both mean the site itself.
///
/// `None` for a path that a browser would write in another way (dot segments, backslashes,
/// characters that have to be encoded), that has an empty segment, or that is too long.
// spec: RFC 9728 §3.1 and §3.3; http.md, Metadata, "with a path suffix, `resource` includes it"
pub fn resource_identifier(issuer: &str, path: &str) -> Option<String> {
    if matches!(path, "" | "/") {
        return Some(issuer.to_owned());
    }
    let identifier = format!("{issuer}{path}");
    if !path.starts_with('/') || path.contains("//") || identifier.len() > limits::RESOURCE {
        return None;
    }
    let url = Url::parse(&identifier).ok()?;
    let same = url.path() == path && url.query().is_none() && url.fragment().is_none();
    same.then_some(identifier)
}

/// What resource metadata names: what clients that registered themselves may ask for, and of that
/// only what is in Scopes Supported when anything is.
// spec: http.md, register_client, "resource metadata and challenges name only those"
pub fn resource_scopes(supported: &[String], registration: &[String]) -> Vec<String> {
    if supported.is_empty() {
        return registration.to_vec();
    }
    let allowed = Scope::from_registered(&registration.join(" "));
    let opened = ResourceScopes::of(&allowed);
    let is_allowed = |scope: &&String| {
        let wanted = ResourceScopes::of(&Scope::from_registered(scope));
        allowed.contains(scope) || (!wanted.is_empty() && opened.covers(&wanted))
    };
    supported.iter().filter(is_allowed).cloned().collect()
}

/// An address as the issuer of another authorization server (RFC 8414 §2): https, or http where
/// this site itself is served so; no query, no fragment, no credentials. A bare origin loses its
/// `/`; a path stays as it is written.
pub fn foreign_issuer(own: &str, address: &str) -> Option<String> {
    let issuer = resource::canonical(address.trim())?;
    let url = Url::parse(&issuer).ok()?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && own.starts_with("http:"));
    (secure && url.has_host() && url.query().is_none()).then_some(issuer)
}

/// A document under construction: a later member replaces an earlier one; empty texts and lists
/// are left out, as RFC 8414 §3.2 wants, and so is what a list has already.
#[derive(Default)]
struct Document {
    members: std::collections::BTreeMap<String, Value>,
}

impl Document {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.members.insert(name.to_owned(), value.into());
        }
    }

    fn list<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let mut list: Vec<Value> = Vec::new();
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            if !list.iter().any(|known| known == value) {
                list.push(value.into());
            }
        }
        if !list.is_empty() {
            self.members.insert(name.to_owned(), Value::Array(list));
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.members.insert(name.to_owned(), Value::Bool(value));
    }

    /// The object with its members in alphabetical order, as Frappe writes it.
    fn into_value(self) -> Value {
        Value::Object(self.members.into_iter().collect::<Map<_, _>>())
    }
}
