//! The library, and a browser that carries its addresses to the server and back.

use crema_testkit::{App, Http, Redirect, TestClient};
use openidconnect::core::*;
use openidconnect::http::{self, HeaderMap};
use openidconnect::*;
use serde::{Deserialize, Serialize};

use super::{ISSUER, PASSWORD, USER};

/// What the library's own metadata lack: RFC 8414 has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    revocation_endpoint: String,
    introspection_endpoint: String,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointSet,
    EndpointSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A relying party that has discovered its provider.
pub(super) struct Party {
    http: Http,
    metadata: Metadata,
    client: Client,
}

/// A login that came through.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) tokens: CoreTokenResponse,
    pub(super) nonce: Nonce,
}

impl Login {
    /// The algorithm of its ID token.
    pub(super) fn algorithm(&self) -> CoreJwsSigningAlgorithm {
        let id_token = self.tokens.id_token().expect("no ID token");
        id_token.signing_alg().expect("no algorithm").clone()
    }

    /// The `kid` of its ID token.
    pub(super) fn kid(&self) -> String {
        let id_token = self.tokens.id_token().expect("no ID token").to_string();
        let header = crema_testkit::flow::jose_header(&id_token);
        header["kid"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request of the library.
async fn exchange(http: Http, request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let uri = request.uri();
    assert!(uri.to_string().starts_with(&format!("{ISSUER}/")), "{uri}");
    let path = uri.path_and_query().unwrap().as_str();
    let mut sent = http.request(request.method().as_str(), path);
    for (name, value) in request.headers() {
        sent = sent.header(name.as_str(), value.to_str().unwrap());
    }
    let has_body = !request.body().is_empty();
    let sent = if has_body {
        sent.body(request.into_body())
    } else {
        sent
    };
    let answer = sent.send().await;
    let mut response = http::Response::new(answer.body.clone());
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap();
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in &answer.headers {
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    Ok(response)
}

impl Party {
    /// Discovers the provider with the issuer alone.
    pub(super) async fn new(app: &App, client: &TestClient) -> Party {
        let http = app.http();
        let issuer = IssuerUrl::new(ISSUER.to_owned()).unwrap();
        let send = |request| exchange(http.clone(), request);
        let metadata = Metadata::discover_async(issuer, &send).await.unwrap();
        let more = metadata.additional_metadata();
        let introspection = IntrospectionUrl::new(more.introspection_endpoint.clone()).unwrap();
        let revocation = RevocationUrl::new(more.revocation_endpoint.clone()).unwrap();
        let id = ClientId::new(client.client_id.clone());
        let secret = ClientSecret::new(client.secret().to_owned());
        let redirect_uri = RedirectUrl::new(client.redirect_uri.clone()).unwrap();
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret))
            .set_redirect_uri(redirect_uri)
            .set_introspection_url(introspection)
            .set_revocation_url(revocation);
        Party {
            http,
            metadata,
            client,
        }
    }

    /// Reads the provider's keys again, as a relying party does that meets an unknown `kid`.
    pub(super) async fn reread_keys(&mut self, app: &App, client: &TestClient) {
        *self = Party::new(app, client).await;
    }

    pub(super) fn auth_type(mut self, auth_type: AuthType) -> Party {
        self.client = self.client.set_auth_type(auth_type);
        self
    }

    pub(super) fn secret(mut self, secret: &str) -> Party {
        self.client = self
            .client
            .set_client_secret(ClientSecret::new(secret.to_owned()));
        self
    }

    pub(super) fn client_id(&self) -> &str {
        self.client.client_id()
    }

    pub(super) fn algorithms(&self) -> &Vec<CoreJwsSigningAlgorithm> {
        self.metadata.id_token_signing_alg_values_supported()
    }

    pub(super) fn kids(&self) -> Vec<String> {
        let keys = self.metadata.jwks().keys();
        keys.iter()
            .map(|key| key.key_id().unwrap().to_string())
            .collect()
    }

    fn send(&self) -> impl Fn(HttpRequest) -> ExchangeFuture + use<> {
        let http = self.http.clone();
        move |request| Box::pin(exchange(http.clone(), request))
    }

    /// The code flow with PKCE, state and nonce.
    pub(super) async fn login(&self, app: &App) -> Login {
        self.try_login(app).await.unwrap()
    }

    /// The same; the error of the token endpoint as the library prints it.
    pub(super) async fn try_login(&self, app: &App) -> Result<Login, String> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (url, state, nonce) = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let answer = visitor
            .get(url.as_str().strip_prefix(ISSUER).unwrap())
            .await;
        let answer = match answer.form_action("allow") {
            Some(_) => visitor.decide(&answer, "allow").await,
            None => answer,
        };
        let redirect = Redirect::of(&answer);
        assert_eq!(redirect.param("state"), state.secret());
        // RFC 9207: mixed-up servers are noticed before the code is sent anywhere.
        assert_eq!(redirect.param("iss"), ISSUER);
        let code = AuthorizationCode::new(redirect.param("code").to_owned());
        let request = self
            .client
            .exchange_code(code)
            .unwrap()
            .set_pkce_verifier(verifier);
        match request.request_async(&self.send()).await {
            Ok(tokens) => Ok(Login { tokens, nonce }),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    fn verifier(&self, algorithm: &CoreJwsSigningAlgorithm) -> CoreIdTokenVerifier<'_> {
        let verifier = self.client.id_token_verifier();
        // RS256 is what a relying party expects without being told.
        match algorithm {
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256 => verifier,
            other => verifier.set_allowed_algs([other.clone()]),
        }
    }

    /// Verifies the ID token of a login: signature, issuer, audience, expiry, nonce, `at_hash`.
    pub(super) fn verify(
        &self,
        login: &Login,
        algorithm: &CoreJwsSigningAlgorithm,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let verifier = self.verifier(algorithm);
        let id_token = login.tokens.id_token().expect("no ID token");
        let claims = id_token.claims(&verifier, &login.nonce)?.clone();
        let expected = claims.access_token_hash().expect("no at_hash");
        // The library finds keys in the set only; for the hash any key of the kind will do.
        let shared = CoreJsonWebKey::new_symmetric(Vec::new());
        let key = match algorithm {
            CoreJwsSigningAlgorithm::HmacSha256 => &shared,
            _ => id_token.signing_key(&verifier).unwrap(),
        };
        let actual = AccessTokenHash::from_token(login.tokens.access_token(), algorithm, key);
        assert_eq!(&actual.unwrap(), expected);
        Ok(claims)
    }

    /// Verifies a refreshed ID token, which has no nonce.
    pub(super) fn verify_refreshed(
        &self,
        tokens: &CoreTokenResponse,
        algorithm: &CoreJwsSigningAlgorithm,
    ) -> CoreIdTokenClaims {
        let none = |nonce: Option<&Nonce>| match nonce {
            None => Ok(()),
            Some(_) => Err("a nonce".to_owned()),
        };
        let id_token = tokens.id_token().expect("no ID token");
        id_token
            .claims(&self.verifier(algorithm), none)
            .unwrap()
            .clone()
    }

    pub(super) async fn userinfo(
        &self,
        login: &Login,
        claims: &CoreIdTokenClaims,
    ) -> CoreUserInfoClaims {
        let token = login.tokens.access_token().clone();
        let request = self
            .client
            .user_info(token, Some(claims.subject().clone()))
            .unwrap();
        request.request_async(&self.send()).await.unwrap()
    }

    pub(super) async fn refresh(&self, login: &Login) -> CoreTokenResponse {
        self.try_refresh(login.tokens.refresh_token().unwrap())
            .await
            .unwrap()
    }

    pub(super) async fn try_refresh(
        &self,
        token: &RefreshToken,
    ) -> Result<CoreTokenResponse, String> {
        let request = self.client.exchange_refresh_token(token).unwrap();
        let answer = request.request_async(&self.send()).await;
        answer.map_err(|error| format!("{error:?}"))
    }

    pub(super) async fn introspect(&self, token: &AccessToken) -> CoreTokenIntrospectionResponse {
        let request = self.client.introspect(token);
        request.request_async(&self.send()).await.unwrap()
    }

    pub(super) async fn revoke(&self, token: &RefreshToken) {
        let token = CoreRevocableToken::from(token.clone());
        let request = self.client.revoke_token(token).unwrap();
        request.request_async(&self.send()).await.unwrap();
    }
}

type ExchangeFuture =
    std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, std::io::Error>> + Send + 'static>>;
