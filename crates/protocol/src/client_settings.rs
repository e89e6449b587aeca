//! The values that a client's settings can have, by their names in metadata and in records.

/// A grant of the token endpoint, or the implicit one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.3.
    Password,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.2: tokens from the authorization endpoint.
    Implicit,
}

impl GrantType {
    /// All of them.
    pub const ALL: [GrantType; 5] = [
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::Password,
        GrantType::ClientCredentials,
        GrantType::Implicit,
    ];

    /// The name in `grant_type` and in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::Password => "password",
            GrantType::ClientCredentials => "client_credentials",
            GrantType::Implicit => "implicit",
        }
    }

    /// The grant of that name.
    pub fn from_name(name: &str) -> Option<GrantType> {
        GrantType::ALL
            .into_iter()
            .find(|grant| grant.as_str() == name)
    }

    /// Reads a record's Grant Type as Frappe writes it, or the name of RFC 7591.
    pub fn from_label(label: &str) -> Option<GrantType> {
        let name = label.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        GrantType::from_name(&name)
    }
}

/// How a client is registered to prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// Not at all: a public client.
    None,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [AuthMethod; 3] = [
        AuthMethod::ClientSecretBasic,
        AuthMethod::ClientSecretPost,
        AuthMethod::None,
    ];

    /// The name in metadata (RFC 7591 §2).
    pub const fn as_str(self) -> &'static str {
        match self {
            AuthMethod::ClientSecretBasic => "client_secret_basic",
            AuthMethod::ClientSecretPost => "client_secret_post",
            AuthMethod::None => "none",
        }
    }

    /// The label in Frappe's OAuth Client record.
    pub const fn label(self) -> &'static str {
        match self {
            AuthMethod::ClientSecretBasic => "Client Secret Basic",
            AuthMethod::ClientSecretPost => "Client Secret Post",
            AuthMethod::None => "None",
        }
    }

    /// The method of that name in metadata.
    pub fn from_name(name: &str) -> Option<AuthMethod> {
        AuthMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    /// The method of that label in a record.
    pub fn from_label(label: &str) -> Option<AuthMethod> {
        AuthMethod::ALL
            .into_iter()
            .find(|method| method.label() == label)
    }
}

/// Whether a client's rules bind, or are only watched while it moves to strict ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Rules bind.
    #[default]
    Enforce,
    /// The three things of [`ObservedViolation`] pass and are written down.
    Observe,
}

/// What an `Observe` client is let pass with. There is nothing else.
// spec: security.md, Clients, "`Observe` may let pass only"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObservedViolation {
    /// A confidential client sent no credentials.
    ClientAuthenticationAbsent,
    /// No `code_challenge` where one is needed.
    PkceAbsent,
    /// The right secret by another method than the registered one.
    OtherMethod,
}

impl ObservedViolation {
    /// A name for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            ObservedViolation::ClientAuthenticationAbsent => "client_authentication_absent",
            ObservedViolation::PkceAbsent => "pkce_absent",
            ObservedViolation::OtherMethod => "other_method",
        }
    }
}

/// The algorithm of a client's ID tokens (`id_token_signed_response_alg`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdTokenAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: the default of OpenID Connect.
    #[default]
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// HMAC with SHA-256 under the client secret.
    HS256,
}

impl IdTokenAlgorithm {
    /// All of them.
    pub const ALL: [IdTokenAlgorithm; 5] = [
        IdTokenAlgorithm::RS256,
        IdTokenAlgorithm::ES256,
        IdTokenAlgorithm::EdDSA,
        IdTokenAlgorithm::PS256,
        IdTokenAlgorithm::HS256,
    ];

    /// The name in JWS headers and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            IdTokenAlgorithm::RS256 => "RS256",
            IdTokenAlgorithm::ES256 => "ES256",
            IdTokenAlgorithm::EdDSA => "EdDSA",
            IdTokenAlgorithm::PS256 => "PS256",
            IdTokenAlgorithm::HS256 => "HS256",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<IdTokenAlgorithm> {
        IdTokenAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}
