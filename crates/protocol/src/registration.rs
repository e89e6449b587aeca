//! What a client says about itself: the metadata of dynamic registration and of client metadata
//! documents.
//!
//! RFC 7591 §2, OpenID Connect Dynamic Client Registration §2. Nothing here is trusted: whoever
//! registers has only said it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crate::error::{ErrorCode, OAuthError};

/// Where a client runs (OpenID Connect Dynamic Client Registration §2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApplicationType {
    /// On a web server.
    #[default]
    Web,
    /// On a device of its user.
    Native,
}

/// A client's metadata, every member in a form that can be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `redirect_uris`.
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// `grant_types`.
    pub grant_types: BTreeSet<GrantType>,
    /// `response_types`, each as it was sent.
    pub response_types: Vec<String>,
    /// `application_type`.
    pub application_type: ApplicationType,
    /// `client_name`.
    pub client_name: Option<String>,
    /// `client_name#…` and the other texts for people by member and language tag.
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
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata` and `invalid_software_statement`, with the
    /// member's name in the description.
    pub fn parse(
        object: &Map<String, Value>,
        allowed_schemes: &[&str],
    ) -> Result<ClientMetadata, OAuthError> {
        let _ = (object, allowed_schemes);
        Err(OAuthError::new(
            ErrorCode::InvalidClientMetadata,
            "There is no registration yet.",
        ))
    }
}
