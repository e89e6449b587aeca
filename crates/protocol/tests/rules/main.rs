//! The rules of the protocol, one module per module of the crate, one test per line of a spec.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod authorization;
mod authorize_request;
mod claims;
mod client_auth;
mod client_rules;
mod error;
mod id_token;
mod metadata;
mod metadata_document;
mod params;
mod pkce;
mod redirect_uri;
mod registration;
mod resource;
mod resource_scope;
mod response;
mod scope;
mod token_request;

use crema_protocol::client_rules::{AuthMethod, ClientRules, GrantType};
use crema_protocol::params::Params;

/// A confidential client with one redirect URI.
fn confidential() -> ClientRules {
    ClientRules {
        redirect_uris: vec!["http://127.0.0.1:9999/cb".to_owned()],
        default_redirect_uri: Some("http://127.0.0.1:9999/cb".to_owned()),
        ..ClientRules::new("em6d6dl40b")
    }
}

/// A public client with the switches of a new record.
fn public() -> ClientRules {
    ClientRules {
        auth_method: AuthMethod::None,
        require_pkce: true,
        ..confidential()
    }
}

/// A confidential client with the grant type Implicit.
fn implicit() -> ClientRules {
    let mut rules = confidential();
    rules.grant_types.insert(GrantType::Implicit);
    rules
}

fn params(query: &str) -> Params {
    Params::from_query(query.as_bytes()).unwrap()
}
