//! What an ID token says. OpenID Connect Core §2, §3.1.3.6, §3.3.2.11.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::client_rules::IdTokenAlgorithm;

/// The value of `at_hash` or `c_hash`: the left half of the token's hash, where the algorithm of
/// the signature decides about the hash (SHA-512 for Ed25519).
// spec: OpenID Connect Core §3.1.3.6, §3.3.2.11
pub fn half_hash(algorithm: IdTokenAlgorithm, token: &str) -> String {
    let algorithm = match algorithm {
        IdTokenAlgorithm::EdDSA => &digest::SHA512,
        IdTokenAlgorithm::RS256
        | IdTokenAlgorithm::ES256
        | IdTokenAlgorithm::PS256
        | IdTokenAlgorithm::HS256 => &digest::SHA256,
    };
    let hash = digest::digest(algorithm, token.as_bytes());
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

/// The claims of an ID token, built up one by one.
#[derive(Clone, PartialEq)]
pub struct IdTokenClaims {
    claims: Map<String, Value>,
}

impl IdTokenClaims {
    /// Who says about whom, for which client, from when to when (seconds since 1970, UTC).
    // spec: OpenID Connect Core §2
    pub fn new(issuer: &str, subject: &str, client_id: &str, issued_at: i64, expires: i64) -> Self {
        let claims = IdTokenClaims { claims: Map::new() };
        claims
            .with("iss", issuer)
            .with("sub", subject)
            .with("aud", client_id)
            .with("azp", client_id)
            .with("exp", expires)
            .with("iat", issued_at)
    }

    /// Adds a claim; one that is there already is left as it is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.entry(name).or_insert_with(|| value.into());
        self
    }

    /// Adds a claim if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds `at_hash` and `c_hash` for the access token and the code that come along.
    // spec: OpenID Connect Core §3.1.3.6, §3.3.2.11
    #[must_use]
    pub fn with_hashes(
        self,
        algorithm: IdTokenAlgorithm,
        access_token: Option<&str>,
        code: Option<&str>,
    ) -> Self {
        self.with_some(
            "at_hash",
            access_token.map(|token| half_hash(algorithm, token)),
        )
        .with_some("c_hash", code.map(|code| half_hash(algorithm, code)))
    }

    /// Adds claims about the user; none of them replaces a claim of the protocol.
    #[must_use]
    pub fn with_user(mut self, user: Map<String, Value>) -> Self {
        for (name, value) in user {
            self.claims.entry(name).or_insert(value);
        }
        self
    }

    /// The claims, to be signed.
    pub fn into_map(self) -> Map<String, Value> {
        self.claims
    }
}

impl std::fmt::Debug for IdTokenClaims {
    /// Names only: the values are about a person.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("IdTokenClaims")?;
        formatter.debug_list().entries(self.claims.keys()).finish()
    }
}
