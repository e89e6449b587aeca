//! The endpoints as a closed set: what a path leads to, and how it is named in figures.

use crema_protocol::endpoints;

use crate::api::methods;
use crate::api::path::endpoint as resource;
use crate::app::method_name;
use crate::pages::ASSET_PREFIX;

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$about:meta])* $name:ident => $label:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $kind {
            $($(#[$about])* $name,)+
        }

        impl $kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &[$kind] = &[$($kind::$name),+];

            /// The name in figures and log lines.
            pub const fn label(self) -> &'static str {
                match self {
                    $($kind::$name => $label,)+
                }
            }

            /// Its place in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

named! {
    /// What a path leads to.
    Endpoint {
        /// The authorization endpoint.
        Authorize => "authorize",
        /// Where the consent page posts to.
        Approve => "approve",
        /// The token endpoint.
        Token => "token",
        /// RFC 7009.
        Revoke => "revoke",
        /// RFC 7662.
        Introspect => "introspect",
        /// OpenID Connect Core §5.3.
        Userinfo => "userinfo",
        /// RFC 7591 and RFC 7592.
        Register => "register",
        /// The OpenID configuration, under either of its paths.
        OpenidConfiguration => "openid_configuration",
        /// RFC 8414.
        AuthorizationServer => "authorization_server",
        /// RFC 9728.
        ProtectedResource => "protected_resource",
        /// The public keys.
        Jwks => "jwks",
        /// `login` as a method.
        Login => "login",
        /// `logout` as a method.
        Logout => "logout",
        /// `web_logout`: logout with a page.
        WebLogout => "web_logout",
        /// `frappe.auth.get_logged_user`.
        LoggedUser => "logged_user",
        /// `ping`.
        Ping => "ping",
        /// `version`.
        Version => "version",
        /// `frappe.client.get_list`.
        ClientGetList => "client_get_list",
        /// `frappe.client.get_count`.
        ClientGetCount => "client_get_count",
        /// `frappe.client.get`.
        ClientGet => "client_get",
        /// `frappe.client.get_value`.
        ClientGetValue => "client_get_value",
        /// `frappe.client.get_single_value`.
        ClientGetSingleValue => "client_get_single_value",
        /// `frappe.client.insert`.
        ClientInsert => "client_insert",
        /// `frappe.client.insert_many`.
        ClientInsertMany => "client_insert_many",
        /// `frappe.client.set_value`.
        ClientSetValue => "client_set_value",
        /// `frappe.client.save`.
        ClientSave => "client_save",
        /// `frappe.client.bulk_update`.
        ClientBulkUpdate => "client_bulk_update",
        /// `frappe.client.delete`.
        ClientDelete => "client_delete",
        /// `frappe.core.doctype.user.user.generate_keys`.
        GenerateKeys => "generate_keys",
        /// A method that there is not.
        UnknownMethod => "unknown_method",
        /// A method of an app.
        AppMethod => "app_method",
        /// Documents of a DocType.
        List => "list",
        /// One document; until its HTTP method is looked at, also the three below.
        Read => "read",
        /// A document is made.
        Create => "create",
        /// A document is changed.
        Update => "update",
        /// A document is removed.
        Delete => "delete",
        /// The definition of a DocType.
        Meta => "meta",
        /// How many documents there are.
        Count => "count",
        /// The description of the site's own API.
        Openapi => "openapi",
        /// The Model Context Protocol.
        Mcp => "mcp",
        /// The sign-in page.
        LoginPage => "login_page",
        /// The page of the signed-in user.
        Me => "me",
        /// `/` and `/app`.
        Home => "home",
        /// `/oauth/callback`: what an authorization server sent back.
        Callback => "callback",
        /// Styles and pictures of the pages.
        Asset => "asset",
        /// `/healthz` and `/readyz`.
        Health => "health",
        /// Any other path.
        Other => "other",
    }
}

impl Endpoint {
    /// What a path leads to; a slash at its end changes nothing. `/` may turn out to be a method
    /// call, which its parameters tell.
    // spec: http.md: `/api/…` and `/api/v1/…` are the same, a trailing slash changes nothing
    pub fn of(path: &str) -> Endpoint {
        let path = match path.strip_suffix('/') {
            Some(shorter) if !shorter.is_empty() => shorter,
            _ => path,
        };
        if let Some(name) = method_name(path) {
            return Endpoint::of_method(name);
        }
        if let Some(endpoint) = resource(path) {
            return endpoint;
        }
        match path {
            _ if path == endpoints::OPENID_CONFIGURATION.path => Endpoint::OpenidConfiguration,
            _ if path == endpoints::JWKS.path => Endpoint::Jwks,
            _ if suffix(path, endpoints::AUTHORIZATION_SERVER.path).is_some() => {
                Endpoint::AuthorizationServer
            }
            _ if suffix(path, endpoints::PROTECTED_RESOURCE.path).is_some() => {
                Endpoint::ProtectedResource
            }
            "/api/openapi.json" => Endpoint::Openapi,
            _ if path == endpoints::MCP.path => Endpoint::Mcp,
            "/login" => Endpoint::LoginPage,
            "/me" => Endpoint::Me,
            "/oauth/callback" => Endpoint::Callback,
            "/" | "/app" => Endpoint::Home,
            "/healthz" | "/readyz" => Endpoint::Health,
            _ if path.starts_with(ASSET_PREFIX) => Endpoint::Asset,
            _ => Endpoint::Other,
        }
    }

    /// Whether its path ends with the name of a method that there is.
    pub fn is_method(self) -> bool {
        self.index() < Endpoint::UnknownMethod.index()
            && !matches!(
                self,
                Endpoint::AuthorizationServer | Endpoint::ProtectedResource | Endpoint::Jwks
            )
    }

    /// Whether it belongs to the resource server: data and methods beside the OAuth ones.
    pub fn is_resource(self) -> bool {
        (Endpoint::LoggedUser.index()..=Endpoint::Openapi.index()).contains(&self.index())
    }

    /// The method of that dotted name.
    pub fn of_method(name: &str) -> Endpoint {
        match name {
            "frappe.integrations.oauth2.authorize" => Endpoint::Authorize,
            "frappe.integrations.oauth2.approve" => Endpoint::Approve,
            "frappe.integrations.oauth2.get_token" => Endpoint::Token,
            "frappe.integrations.oauth2.revoke_token" => Endpoint::Revoke,
            "frappe.integrations.oauth2.introspect_token" => Endpoint::Introspect,
            "frappe.integrations.oauth2.openid_profile" => Endpoint::Userinfo,
            "frappe.integrations.oauth2.register_client" => Endpoint::Register,
            "frappe.integrations.oauth2.openid_configuration" => Endpoint::OpenidConfiguration,
            "login" => Endpoint::Login,
            "logout" => Endpoint::Logout,
            "web_logout" => Endpoint::WebLogout,
            _ => methods::named(name).unwrap_or(Endpoint::UnknownMethod),
        }
    }
}

/// What stands behind a well-known path: nothing, or a path of its own.
pub(crate) fn suffix<'a>(path: &'a str, well_known: &str) -> Option<&'a str> {
    path.strip_prefix(well_known)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

named! {
    /// What a token request asks for.
    Grant {
        /// No token request, or one whose grant type was not read.
        None => "",
        /// RFC 6749 §4.1.
        AuthorizationCode => "authorization_code",
        /// RFC 6749 §6.
        RefreshToken => "refresh_token",
        /// RFC 6749 §4.3.
        Password => "password",
        /// RFC 6749 §4.4.
        ClientCredentials => "client_credentials",
        /// Any other grant type.
        Other => "other",
    }
}

impl Grant {
    /// The grant that a token request names.
    pub fn of(grant_type: Option<&str>) -> Grant {
        let Some(grant_type) = grant_type else {
            return Grant::Other;
        };
        match grant_type {
            "authorization_code" => Grant::AuthorizationCode,
            "refresh_token" => Grant::RefreshToken,
            "password" => Grant::Password,
            "client_credentials" => Grant::ClientCredentials,
            _ => Grant::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_of_the_protocol_has_a_name_of_its_own() {
        for endpoint in endpoints::ALL {
            let found = Endpoint::of(endpoint.path);
            assert!(
                !matches!(found, Endpoint::Other | Endpoint::UnknownMethod),
                "{}",
                endpoint.path
            );
            assert_eq!(found, Endpoint::of(&format!("{}/", endpoint.path)));
            if let Some(name) = endpoint.method_name() {
                for version in ["v1", "v2"] {
                    let path = format!("/api/{version}/method/{name}");
                    assert_eq!(found, Endpoint::of(&path));
                }
            }
        }
    }

    #[test]
    fn labels_are_plain_and_differ() {
        for (number, endpoint) in Endpoint::ALL.iter().enumerate() {
            assert_eq!(endpoint.index(), number);
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(endpoint.label().chars().all(plain));
            let same = Endpoint::ALL
                .iter()
                .filter(|e| e.label() == endpoint.label());
            assert_eq!(same.count(), 1);
        }
    }
}
