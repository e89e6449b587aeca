//! OAuth Clients of tests.

use crema_auth::client::{ClientFields, CreatedClient};
use crema_protocol::client_rules::AuthMethod;

use crate::flow::{VERIFIER, challenge};

/// An OAuth Client to be made.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientSpec {
    redirect_uri: String,
    auth_method: AuthMethod,
    pub(crate) fields: ClientFields,
    pub(crate) dynamically_registered: bool,
}

impl ClientSpec {
    /// A confidential client (`Client Secret Basic`) with that redirect URI, the scopes `all` and
    /// `openid`, for the role `All`, with HS256 ID tokens as Frappe has them.
    pub fn new(redirect_uri: &str) -> ClientSpec {
        let fields = ClientFields::new()
            .with("app_name", "Test Client")
            .with("redirect_uris", redirect_uri)
            .with("default_redirect_uri", redirect_uri)
            .with("scopes", "all openid")
            .with("allowed_roles", "All")
            .with("id_token_signed_response_alg", "HS256");
        ClientSpec {
            redirect_uri: redirect_uri.to_owned(),
            auth_method: AuthMethod::ClientSecretBasic,
            fields,
            dynamically_registered: false,
        }
    }

    /// The same as a public client, with RS256.
    pub fn public(redirect_uri: &str) -> ClientSpec {
        ClientSpec::new(redirect_uri)
            .auth_method(AuthMethod::None)
            .with("id_token_signed_response_alg", "RS256")
    }

    /// How it proves itself.
    pub fn auth_method(mut self, method: AuthMethod) -> ClientSpec {
        self.auth_method = method;
        self.with("token_endpoint_auth_method", method.label())
    }

    /// Any field of the record, as on the command line; an empty value leaves it to its default.
    pub fn with(mut self, field: &str, value: &str) -> ClientSpec {
        self.fields.set(field, value);
        self
    }

    /// Its scopes.
    pub fn scopes(self, scopes: &str) -> ClientSpec {
        self.with("scopes", scopes)
    }

    /// Its grant types, by the names of RFC 7591.
    pub fn grant_types(self, names: &str) -> ClientSpec {
        self.with("grant_types", names)
    }

    /// As if it had registered itself.
    pub fn dynamically_registered(mut self) -> ClientSpec {
        self.dynamically_registered = true;
        self
    }

    pub(crate) fn made(self, made: CreatedClient) -> TestClient {
        TestClient {
            client_id: made.client_id,
            client_secret: made.client_secret.map(|secret| secret.expose().clone()),
            redirect_uri: self.redirect_uri,
            auth_method: self.auth_method,
        }
    }
}

/// A client that was made, with what it keeps to itself.
#[derive(Debug, Clone)]
pub struct TestClient {
    /// Its id.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<String>,
    /// The redirect URI that it uses.
    pub redirect_uri: String,
    /// How it proves itself.
    pub auth_method: AuthMethod,
}

impl TestClient {
    /// Its secret.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.client_secret
            .as_deref()
            .expect("a public client has no secret")
    }

    /// The same client proving itself in another way.
    #[must_use]
    pub fn by(&self, method: AuthMethod) -> TestClient {
        TestClient {
            auth_method: method,
            ..self.clone()
        }
    }

    /// The parameters of its usual authorization request, changed by `changes`: those replace or
    /// are added; an empty value removes one.
    #[must_use]
    pub fn authorization(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut params = vec![
            own("client_id", &self.client_id),
            own("redirect_uri", &self.redirect_uri),
            own("response_type", "code"),
            own("state", "a state"),
        ];
        if self.auth_method == AuthMethod::None {
            params.push(own("code_challenge", &challenge(VERIFIER)));
            params.push(own("code_challenge_method", "S256"));
        }
        params.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let added = changes.iter().filter(|(_, value)| !value.is_empty());
        params.extend(added.map(|(name, value)| own(name, value)));
        params
    }
}
