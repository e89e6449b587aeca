//! What a client says about itself: the metadata of dynamic registration and of client metadata
//! documents.
//!
//! RFC 7591 §2, OpenID Connect Dynamic Client Registration §2. Nothing here is trusted: whoever
//! registers has only said it. A member that is `null` or an empty text counts as absent; members
//! that mean nothing here are ignored, and not part of what is answered.

mod lists;
mod members;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::redirect_uri;
use crate::scope::Scope;
use members::{refuse, text};

/// Where a client runs (OpenID Connect Dynamic Client Registration §2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApplicationType {
    /// On a web server.
    #[default]
    Web,
    /// On a device of its user.
    Native,
}

impl ApplicationType {
    /// The name in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            ApplicationType::Web => "web",
            ApplicationType::Native => "native",
        }
    }

    /// The label in an OAuth Client record.
    pub const fn label(self) -> &'static str {
        match self {
            ApplicationType::Web => "Web",
            ApplicationType::Native => "Native",
        }
    }

    /// The type of that label in a record.
    pub fn from_label(label: &str) -> Option<ApplicationType> {
        [ApplicationType::Web, ApplicationType::Native]
            .into_iter()
            .find(|kind| kind.label() == label)
    }
}

/// A client's metadata, every member in a form that can be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `redirect_uris`: at least one, each once, in the order in which they were sent.
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`; see [`ClientMetadata::auth_method`] for an absent one.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// `grant_types`: the authorization code, and refresh tokens unless they were left out.
    pub grant_types: BTreeSet<GrantType>,
    /// `response_types`, each as it was sent: `code`.
    pub response_types: Vec<String>,
    /// `application_type`; an absent one follows from the redirect URIs.
    pub application_type: ApplicationType,
    /// `client_name`.
    pub client_name: Option<String>,
    /// `client_name#…` and the other texts for people by member and language tag (RFC 7591 §2.2).
    pub localized: BTreeMap<String, String>,
    /// `client_uri`.
    pub client_uri: Option<String>,
    /// `logo_uri`.
    pub logo_uri: Option<String>,
    /// `tos_uri`.
    pub tos_uri: Option<String>,
    /// `policy_uri`.
    pub policy_uri: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `contacts`.
    pub contacts: Vec<String>,
    /// `software_id`.
    pub software_id: Option<String>,
    /// `software_version`.
    pub software_version: Option<String>,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: Option<IdTokenAlgorithm>,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: Vec<String>,
}

impl ClientMetadata {
    /// Reads and checks all members of the object, and gives absent ones their defaults. Unknown
    /// ones are ignored.
    ///
    /// Without `token_endpoint_auth_method` the client counts as confidential, as RFC 7591 says;
    /// private-use schemes need `none`.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata`, `invalid_software_statement` and
    /// `unapproved_software_statement`, with the member's name in the description.
    // spec: http.md, register_client; RFC 7591 §2, §3.2.2
    pub fn parse(
        object: &Map<String, Value>,
        allowed_schemes: &[&str],
    ) -> Result<ClientMetadata, OAuthError> {
        members::software_statement(object)?;
        members::keys(object)?;
        members::subject_type(object)?;
        let method = members::auth_method(object)?;
        let public = method == Some(AuthMethod::None);
        let redirect_uris = lists::redirect_uris(object, public, allowed_schemes)?;
        Ok(ClientMetadata {
            application_type: members::application_type(object, &redirect_uris)?,
            token_endpoint_auth_method: method,
            grant_types: lists::grant_types(object)?,
            response_types: lists::response_types(object)?,
            client_name: texts::client_name(object)?,
            localized: texts::localized(object)?,
            client_uri: texts::page(object, "client_uri")?,
            logo_uri: texts::page(object, "logo_uri")?,
            tos_uri: texts::page(object, "tos_uri")?,
            policy_uri: texts::page(object, "policy_uri")?,
            scope: scope(object)?,
            contacts: lists::contacts(object)?,
            software_id: text(object, "software_id", limits::SOFTWARE)?,
            software_version: text(object, "software_version", limits::SOFTWARE)?,
            id_token_signed_response_alg: members::id_token_algorithm(object, public)?,
            post_logout_redirect_uris: lists::post_logout(object, public, allowed_schemes)?,
            redirect_uris,
        })
    }

    /// How the client proves itself; Basic when it does not say (RFC 7591 §2).
    pub fn auth_method(&self) -> AuthMethod {
        self.token_endpoint_auth_method
            .unwrap_or(AuthMethod::ClientSecretBasic)
    }

    /// Whether the client has no credentials.
    pub fn is_public(&self) -> bool {
        self.auth_method() == AuthMethod::None
    }

    /// What people are shown as its name: its own words, or the host that it sends them to.
    // spec: RFC 7591 §2, client_name
    pub fn display_name(&self) -> String {
        self.client_name.clone().unwrap_or_else(|| {
            let first = self.redirect_uris.first().map(String::as_str);
            let host = redirect_uri::host_for_display(first.unwrap_or_default());
            host.chars().take(limits::CLIENT_NAME).collect()
        })
    }

    /// All members, as an answer to a registration shows them: those that the client sent, and
    /// the defaults that it got.
    // spec: RFC 7591 §3.2.1, "all registered metadata"
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("client_name", self.client_name.clone().map(Value::from));
        put("redirect_uris", Some(list(&self.redirect_uris)));
        let method = self.auth_method().as_str();
        put("token_endpoint_auth_method", Some(method.into()));
        let grants = self.grant_types.iter().map(|grant| grant.as_str());
        put("grant_types", Some(grants.collect()));
        put("response_types", Some(list(&self.response_types)));
        let kind = self.application_type.as_str();
        put("application_type", Some(kind.into()));
        let algorithm = self.id_token_signed_response_alg.unwrap_or_default();
        put(
            "id_token_signed_response_alg",
            Some(algorithm.as_str().into()),
        );
        for (name, text) in [
            ("scope", &self.scope),
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
        ] {
            put(name, text.clone().map(Value::from));
        }
        for (name, texts) in [
            ("contacts", &self.contacts),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ] {
            put(name, (!texts.is_empty()).then(|| list(texts)));
        }
        for (name, text) in &self.localized {
            put(name, Some(text.as_str().into()));
        }
        object
    }
}

fn list(texts: &[String]) -> Value {
    texts.iter().map(String::as_str).collect()
}

fn scope(object: &Map<String, Value>) -> Result<Option<String>, OAuthError> {
    let Some(text) = text(object, "scope", limits::SCOPE)? else {
        return Ok(None);
    };
    let scope = Scope::parse(&text)
        .map_err(|_| refuse("scope", "has characters or a length that are not allowed"))?;
    Ok((!scope.is_empty()).then(|| scope.to_string()))
}

/// `invalid_client_metadata` when the body is no object at all.
///
/// # Errors
/// `invalid_client_metadata`.
// spec: RFC 7591 §3.1
pub fn object(value: &Value) -> Result<&Map<String, Value>, OAuthError> {
    value.as_object().ok_or_else(|| {
        OAuthError::new(
            ErrorCode::InvalidClientMetadata,
            "The client's metadata has to be a JSON object.",
        )
    })
}
