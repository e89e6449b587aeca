//! The endpoints that clients call, with a client's own way to authenticate.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crema_protocol::client_rules::AuthMethod;
use serde_json::Value;

use crate::client::TestClient;
use crate::http::{Http, Request};
use crate::response::Response;

/// The PKCE verifier that [`TestClient::authorization`] makes its challenges of.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The S256 challenge of a verifier (RFC 7636 §4.2).
#[must_use]
pub fn challenge(verifier: &str) -> String {
    let digest = crema_crypto::hash_hex(verifier);
    let bytes: Vec<u8> = (0..digest.len() / 2)
        .map(|index| u8::from_str_radix(&digest[index * 2..index * 2 + 2], 16).expect("hex"))
        .collect();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A token answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token; empty when there is none.
    pub refresh_token: String,
    /// The ID token, when there is one.
    pub id_token: Option<String>,
    /// The granted scopes.
    pub scope: String,
    /// Seconds that the access token lives.
    pub expires_in: i64,
}

impl Response {
    /// The tokens of a token answer.
    ///
    /// # Panics
    /// When this is none.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        assert_eq!(self.status, 200, "{}", self.text());
        let json = self.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Tokens {
            access_token: text("access_token").expect("no access token"),
            refresh_token: text("refresh_token").unwrap_or_default(),
            id_token: text("id_token"),
            scope: text("scope").unwrap_or_default(),
            expires_in: json["expires_in"].as_i64().expect("no expires_in"),
        }
    }

    /// The `error` of an OAuth answer; empty when there is none.
    #[must_use]
    pub fn error(&self) -> String {
        self.member("error")
    }
}

/// The claims of a JWT, unverified: where the signature is not the question.
///
/// # Panics
/// When it is no JWT.
#[must_use]
pub fn claims(token: &str) -> Value {
    jwt_part(token, 1)
}

/// The header of a JWT.
///
/// # Panics
/// When it is no JWT.
#[must_use]
pub fn jose_header(token: &str) -> Value {
    jwt_part(token, 0)
}

fn jwt_part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("no JWT");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("no base64url");
    serde_json::from_slice(&bytes).expect("no JSON")
}

/// The path of a method of `frappe.integrations.oauth2`.
#[must_use]
pub fn method(name: &str) -> String {
    format!("/api/method/frappe.integrations.oauth2.{name}")
}

impl Http {
    /// A POST of a client to a method of `frappe.integrations.oauth2`, authenticated in the
    /// client's registered way.
    pub fn client_request(
        &self,
        name: &str,
        client: &TestClient,
        params: &[(&str, &str)],
    ) -> Request {
        let mut all = params.to_vec();
        let request = self.post(&method(name));
        match client.auth_method {
            AuthMethod::None => all.push(("client_id", &client.client_id)),
            AuthMethod::ClientSecretBasic => {
                // RFC 6749 §2.3.1: form-encoded first. Ours need no encoding.
                return request.basic(&client.client_id, client.secret()).form(&all);
            }
            _ => {
                all.push(("client_id", &client.client_id));
                all.push(("client_secret", client.secret()));
            }
        }
        request.form(&all)
    }

    /// A token request.
    pub async fn token(&self, client: &TestClient, params: &[(&str, &str)]) -> Response {
        self.client_request("get_token", client, params)
            .send()
            .await
    }

    /// Redeems a code with the client's redirect URI, and with [`VERIFIER`] for public clients.
    pub async fn redeem(&self, client: &TestClient, code: &str, more: &[(&str, &str)]) -> Response {
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &client.redirect_uri),
        ];
        if client.auth_method == AuthMethod::None {
            params.push(("code_verifier", VERIFIER));
        }
        params.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        params.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.token(client, &params).await
    }

    /// Refreshes.
    pub async fn refresh(&self, client: &TestClient, refresh_token: &str) -> Response {
        let params = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        self.token(client, &params).await
    }

    /// Introspects a token.
    pub async fn introspect(&self, client: &TestClient, token: &str) -> Response {
        self.client_request("introspect_token", client, &[("token", token)])
            .send()
            .await
    }

    /// Revokes a token.
    pub async fn revoke(&self, client: &TestClient, token: &str) -> Response {
        self.client_request("revoke_token", client, &[("token", token)])
            .send()
            .await
    }

    /// Userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Response {
        self.get(&method("openid_profile"))
            .bearer(access_token)
            .send()
            .await
    }

    /// The API's own question who a bearer is.
    pub async fn logged_user(&self, access_token: &str) -> Response {
        self.get("/api/method/frappe.auth.get_logged_user")
            .bearer(access_token)
            .send()
            .await
    }
}
