//! The one table of endpoint paths, for routing, metadata and tests.

/// One endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Path on every site; `/api/v1/…` and `/api/v2/…` reach the same methods.
    pub path: &'static str,
    /// HTTP methods that it answers; all others get 405 with this list.
    pub methods: &'static [&'static str],
}

impl Endpoint {
    /// The dotted name of the method, when it is one under `/api/method/`.
    pub fn method_name(&self) -> Option<&'static str> {
        self.path.strip_prefix("/api/method/")
    }

    /// Its URL at this issuer.
    pub fn url(&self, issuer: &str) -> String {
        format!("{}{}", issuer.trim_end_matches('/'), self.path)
    }

    /// The value of `Allow`.
    pub fn allow(&self) -> String {
        self.methods.join(", ")
    }
}

const fn endpoint(path: &'static str, methods: &'static [&'static str]) -> Endpoint {
    Endpoint { path, methods }
}

/// The authorization endpoint.
pub const AUTHORIZE: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.authorize",
    &["GET", "POST"],
);
/// Where the consent page posts to.
pub const APPROVE: Endpoint = endpoint("/api/method/frappe.integrations.oauth2.approve", &["POST"]);
/// The token endpoint; GET only for sites in `developer_mode`.
pub const TOKEN: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.get_token",
    &["POST"],
);
/// RFC 7009.
pub const REVOKE: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.revoke_token",
    &["POST"],
);
/// RFC 7662.
pub const INTROSPECT: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.introspect_token",
    &["POST"],
);
/// OpenID Connect Core §5.3.
pub const USERINFO: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.openid_profile",
    &["GET", "POST"],
);
/// RFC 7591; the other methods are those of RFC 7592, at the `registration_client_uri`.
pub const REGISTER: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.register_client",
    &["POST", "GET", "PUT", "DELETE"],
);
/// The OpenID configuration where older clients look for it.
pub const OPENID_CONFIGURATION_METHOD: Endpoint = endpoint(
    "/api/method/frappe.integrations.oauth2.openid_configuration",
    &["GET"],
);
/// OpenID Connect Discovery §4.
pub const OPENID_CONFIGURATION: Endpoint =
    endpoint("/.well-known/openid-configuration", &["GET", "HEAD"]);
/// RFC 8414 §3.
pub const AUTHORIZATION_SERVER: Endpoint =
    endpoint("/.well-known/oauth-authorization-server", &["GET", "HEAD"]);
/// RFC 9728 §3.
pub const PROTECTED_RESOURCE: Endpoint =
    endpoint("/.well-known/oauth-protected-resource", &["GET", "HEAD"]);
/// The public keys.
pub const JWKS: Endpoint = endpoint("/.well-known/jwks.json", &["GET", "HEAD"]);

/// The Model Context Protocol's streamable HTTP transport, where OAuth Settings turn it on.
pub const MCP: Endpoint = endpoint("/mcp", &["POST"]);

/// All of them.
pub const ALL: [Endpoint; 13] = [
    AUTHORIZE,
    APPROVE,
    TOKEN,
    REVOKE,
    INTROSPECT,
    USERINFO,
    REGISTER,
    OPENID_CONFIGURATION_METHOD,
    OPENID_CONFIGURATION,
    AUTHORIZATION_SERVER,
    PROTECTED_RESOURCE,
    JWKS,
    MCP,
];
