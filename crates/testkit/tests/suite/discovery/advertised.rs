//! The metadata against the endpoints: whatever it lists works, and what it does not list is
//! refused. A value that is listed and that nothing here tries fails.
// spec: http.md, Metadata, "list exactly what works"

use std::collections::BTreeSet;

use crema_auth::client::ClientFields;
use crema_auth::user::NewUser;
use crema_crypto::Secret;
use crema_protocol::client_rules::AuthMethod;
use crema_testkit::{
    App, ClientSpec, Redirect, Response, TestClient, Visitor, challenge, flow, flow::method,
};
use serde_json::{Value, json};

use super::{CALLBACK, OPENID, PASSWORD, SERVER, USER, texts};

/// A site with somebody who has everything that a claim can tell, signed in.
struct Scene {
    app: App,
    visitor: Visitor,
    document: Value,
}

impl Scene {
    async fn start() -> Scene {
        let app = App::builder().build().await;
        let user = NewUser {
            email: USER.to_owned(),
            first_name: Some("Jo".to_owned()),
            last_name: Some("Doe".to_owned()),
            password: Some(Secret::new(PASSWORD.to_owned())),
            roles: vec!["Sales User".to_owned()],
            language: Some("de".to_owned()),
            time_zone: Some("Europe/Zurich".to_owned()),
            email_verified: true,
            ..NewUser::default()
        };
        app.create_user(user).await;
        let visitor = app.signed_in(USER, PASSWORD).await;
        let document = app.http().get(OPENID).send().await.json();
        Scene {
            app,
            visitor,
            document,
        }
    }

    fn list(&self, member: &str) -> Vec<String> {
        let list = texts(&self.document[member]).into_iter();
        list.map(str::to_owned).collect()
    }

    /// A client that may do everything that a switch of its record allows.
    async fn client(&self) -> TestClient {
        self.app.add_client(able()).await
    }

    /// A redirect with what the user allowed.
    async fn grant(&mut self, client: &TestClient, changes: &[(&str, &str)]) -> Redirect {
        self.visitor.grant(client, changes).await
    }

    /// What a request is answered, nothing clicked.
    async fn ask(&mut self, client: &TestClient, changes: &[(&str, &str)]) -> Response {
        let all = client.authorization(changes);
        let pairs: Vec<_> = all.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.visitor.authorize(&pairs).await
    }

    async fn error(&mut self, client: &TestClient, changes: &[(&str, &str)]) -> String {
        let answer = self.ask(client, changes).await;
        Redirect::of(&answer).param("error").to_owned()
    }
}

fn able() -> ClientSpec {
    ClientSpec::new(CALLBACK)
        .grant_types("authorization_code refresh_token implicit password client_credentials")
        .with("user", USER)
        .with("id_token_signed_response_alg", "RS256")
}

// spec: http.md, Metadata, "One source of truth renders both documents"
#[tokio::test]
async fn both_documents_say_the_same() {
    let scene = Scene::start().await;
    let server = scene.app.http().get(SERVER).send().await;
    assert_eq!(server.json(), scene.document);
    let method = method("openid_configuration");
    let older = scene.app.http().get(&method).send().await;
    assert_eq!(older.json(), scene.document, "where older clients look");
    let empty = |value: &Value| match value {
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        other => other.is_null(),
    };
    for (name, value) in scene.document.as_object().unwrap() {
        assert!(!empty(value), "{name}");
    }
    scene.app.close().await;
}

#[tokio::test]
async fn every_address_answers() {
    let scene = Scene::start().await;
    let members = scene.document.as_object().unwrap().iter();
    let mut seen = BTreeSet::new();
    for (name, value) in members {
        if !name.ends_with("_endpoint") && name != "jwks_uri" {
            continue;
        }
        let address = value.as_str().unwrap();
        assert!(address.starts_with(&scene.app.issuer()), "{name}");
        let verb = match name.as_str() {
            "authorization_endpoint" | "userinfo_endpoint" | "jwks_uri" => "GET",
            _ => "POST",
        };
        let answer = scene.app.http().request(verb, address).send().await;
        let expected: &[u16] = match name.as_str() {
            "jwks_uri" => &[200],
            "userinfo_endpoint" => &[401],
            "authorization_endpoint" | "token_endpoint" => &[400, 401],
            "revocation_endpoint" | "introspection_endpoint" => &[400, 401],
            // JSON is what it takes, and there was none.
            "registration_endpoint" => &[400, 415],
            other => panic!("{other} is listed, and nobody tries it"),
        };
        assert!(
            expected.contains(&answer.status),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
        seen.insert(name.clone());
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    scene.app.close().await;
}

#[tokio::test]
async fn every_grant_type_works_and_no_other() {
    let mut scene = Scene::start().await;
    let client = scene.client().await;
    let http = scene.app.http();
    let code = scene.visitor.code(&client, &[("scope", "openid")]).await;
    let first = http.redeem(&client, &code, &[]).await.tokens();
    for grant in scene.list("grant_types_supported") {
        let answer = match grant.as_str() {
            "authorization_code" => {
                let code = scene.visitor.code(&client, &[("scope", "openid")]).await;
                http.redeem(&client, &code, &[]).await
            }
            "refresh_token" => http.refresh(&client, &first.refresh_token).await,
            "password" => {
                let form = [("username", USER), ("password", PASSWORD)];
                token(&scene, &client, "password", &form).await
            }
            "client_credentials" => token(&scene, &client, "client_credentials", &[]).await,
            "implicit" => {
                let asked = [("response_type", "token"), ("scope", "openid")];
                let redirect = scene.grant(&client, &asked).await;
                assert!(!redirect.param("access_token").is_empty());
                continue;
            }
            other => panic!("{other} is listed, and nobody tries it"),
        };
        assert_eq!(answer.status, 200, "{grant}: {}", answer.text());
    }
    for grant in [
        "implicit",
        "none",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let answer = token(&scene, &client, grant, &[]).await;
        assert_eq!(answer.error(), "unsupported_grant_type", "{grant}");
    }
    scene.app.close().await;
}

async fn token(
    scene: &Scene,
    client: &TestClient,
    grant_type: &str,
    more: &[(&str, &str)],
) -> Response {
    let mut form = vec![("grant_type", grant_type)];
    form.extend(more);
    scene.app.http().token(client, &form).await
}

#[tokio::test]
async fn every_response_type_and_mode_works_and_no_other() {
    let mut scene = Scene::start().await;
    let client = scene.client().await;
    let nonce = ("nonce", "n-1");
    for wanted in scene.list("response_types_supported") {
        let asked = [
            ("response_type", wanted.as_str()),
            ("scope", "openid"),
            nonce,
        ];
        let redirect = scene.grant(&client, &asked).await;
        for (kind, member) in [
            ("code", "code"),
            ("token", "access_token"),
            ("id_token", "id_token"),
        ] {
            let has = wanted.split(' ').any(|one| one == kind);
            assert_eq!(redirect.params.contains_key(member), has, "{wanted}");
        }
        assert_eq!(redirect.param("iss"), scene.app.issuer(), "{wanted}");
    }
    let supported = &scene.document["authorization_response_iss_parameter_supported"];
    assert_eq!(supported, true);
    for other in ["none", "code none", "unheard_of", "code unheard_of"] {
        let error = scene.error(&client, &[("response_type", other)]).await;
        assert_eq!(error, "unsupported_response_type", "{other}");
    }
    for mode in scene.list("response_modes_supported") {
        let answer = scene.ask(&client, &[("response_mode", &mode)]).await;
        let answer = match answer.form_action("allow") {
            Some(_) => scene.visitor.decide(&answer, "allow").await,
            None => answer,
        };
        match mode.as_str() {
            "query" => assert!(!Redirect::of(&answer).in_fragment),
            "fragment" => assert!(Redirect::of(&answer).in_fragment),
            "form_post" => {
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert!(answer.hidden_field("code").is_some());
            }
            other => panic!("{other} is listed, and nobody tries it"),
        }
    }
    for other in ["jwt", "query.jwt", "web_message", "unheard_of"] {
        let error = scene.error(&client, &[("response_mode", other)]).await;
        assert_eq!(error, "invalid_request", "{other}");
    }
    scene.app.close().await;
}

#[tokio::test]
async fn every_way_to_authenticate_works_at_each_endpoint_and_no_other() {
    let mut scene = Scene::start().await;
    let http = scene.app.http();
    let confidential = scene.client().await;
    let public = scene.app.add_client(ClientSpec::public(CALLBACK)).await;
    for (endpoint, name) in [
        ("token", "get_token"),
        ("revocation", "revoke_token"),
        ("introspection", "introspect_token"),
    ] {
        let member = format!("{endpoint}_endpoint_auth_methods_supported");
        for way in scene.list(&member) {
            let way = AuthMethod::ALL
                .into_iter()
                .find(|known| known.as_str() == way)
                .unwrap_or_else(|| panic!("{way} is listed, and nobody tries it"));
            let client = match way {
                AuthMethod::None => public.clone(),
                way => confidential.by(way),
            };
            let code = scene.visitor.code(&client, &[("scope", "openid")]).await;
            let answer = http.redeem(&client, &code, &[]).await;
            assert_eq!(answer.status, 200, "{way:?}: {}", answer.text());
            if name == "get_token" {
                continue;
            }
            let access = answer.tokens().access_token;
            let request = http.client_request(name, &client, &[("token", &access)]);
            let answer = request.send().await;
            assert_eq!(answer.status, 200, "{name} {way:?}: {}", answer.text());
            if name == "introspect_token" {
                assert_eq!(answer.json()["active"], true, "{way:?}");
            }
        }
        let assertion = [
            ("client_id", confidential.client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", "e30.e30.e30"),
            ("grant_type", "client_credentials"),
            ("token", "x"),
        ];
        let answer = http.post(&method(name)).form(&assertion).send().await;
        let refused = (answer.status, answer.error());
        assert_eq!(refused, (401, "invalid_client".to_owned()), "{name}");
    }
    scene.app.close().await;
}

#[tokio::test]
async fn every_challenge_method_works_and_no_other() {
    let mut scene = Scene::start().await;
    let client = scene.app.add_client(ClientSpec::public(CALLBACK)).await;
    let verifier = "a-verifier-of-enough-characters-0123456789-0123456789";
    for wanted in scene.list("code_challenge_methods_supported") {
        assert_eq!(wanted, "S256", "{wanted} is listed, and nobody tries it");
        let challenge = challenge(verifier);
        let asked = [
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", wanted.as_str()),
        ];
        let code = scene.visitor.code(&client, &asked).await;
        let more = [("code_verifier", verifier)];
        let answer = scene.app.http().redeem(&client, &code, &more).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for other in ["plain", "S512", ""] {
        let asked = [
            ("code_challenge", verifier),
            ("code_challenge_method", other),
        ];
        let error = scene.error(&client, &asked).await;
        assert_eq!(error, "invalid_request", "{other}");
    }
    scene.app.close().await;
}

#[tokio::test]
async fn every_prompt_and_language_works() {
    let mut scene = Scene::start().await;
    let client = scene.client().await;
    scene.grant(&client, &[]).await;
    for prompt in scene.list("prompt_values_supported") {
        let answer = scene.ask(&client, &[("prompt", &prompt)]).await;
        match prompt.as_str() {
            "none" => assert!(!Redirect::of(&answer).param("code").is_empty()),
            "consent" => assert!(answer.form_action("allow").is_some()),
            "login" | "select_account" => {
                assert!(!scene.visitor.sent_to_login(&answer).is_empty());
            }
            other => panic!("{other} is listed, and nobody tries it"),
        }
    }
    for language in scene.list("ui_locales_supported") {
        let asked = [("prompt", "consent"), ("ui_locales", &*language)];
        let page = scene.ask(&client, &asked).await.text();
        assert!(page.contains(&format!("lang=\"{language}\"")), "{page}");
    }
    let asked = [("prompt", "consent"), ("ui_locales", "tlh")];
    let page = scene.ask(&client, &asked).await.text();
    assert!(!page.contains("lang=\"tlh\""), "{page}");
    scene.app.close().await;
}

#[tokio::test]
async fn every_signing_algorithm_works_and_no_other() {
    let mut scene = Scene::start().await;
    let listed = scene.list("id_token_signing_alg_values_supported");
    assert!(listed.contains(&"RS256".to_owned()), "OpenID Discovery §3");
    for alg in listed {
        let spec = able().with("id_token_signed_response_alg", &alg);
        let client = scene.app.add_client(spec).await;
        let code = scene.visitor.code(&client, &[("scope", "openid")]).await;
        let tokens = scene.app.http().redeem(&client, &code, &[]).await.tokens();
        let header = flow::jose_header(&tokens.id_token.unwrap());
        assert_eq!(header["alg"], alg);
        let jwks = scene.document["jwks_uri"].as_str().unwrap();
        let jwks = scene.app.http().get(jwks).send().await.json();
        let mut kids = jwks["keys"].as_array().unwrap().iter();
        let published = kids.any(|key| key["kid"] == header["kid"]);
        assert_eq!(published, alg != "HS256", "{alg}");
    }
    let client = scene.client().await;
    let ctx = scene.app.ctx().await;
    for alg in ["none", "RS1", "HS512"] {
        let fields: ClientFields = [("id_token_signed_response_alg", alg)]
            .into_iter()
            .collect();
        let changed = crema_auth::client::update(&ctx, "Administrator", &client.client_id, fields);
        assert!(changed.await.is_err(), "{alg}");
    }
    scene.app.close().await;
}

#[tokio::test]
async fn every_scope_is_granted_to_a_client_that_has_it_and_no_other() {
    let mut scene = Scene::start().await;
    let listed = scene.list("scopes_supported");
    let client = scene.app.add_client(able().scopes(&listed.join(" "))).await;
    for scope in &listed {
        let code = scene.visitor.code(&client, &[("scope", scope)]).await;
        let tokens = scene.app.http().redeem(&client, &code, &[]).await.tokens();
        assert_eq!(&tokens.scope, scope);
    }
    let error = scene.error(&client, &[("scope", "unheard_of")]).await;
    assert_eq!(error, "invalid_scope");
    scene.app.close().await;
}

#[tokio::test]
async fn every_claim_is_told_by_a_token_or_by_userinfo() {
    let mut scene = Scene::start().await;
    let image = r#"UPDATE "tabUser" SET user_image = '/files/jo.jpg' WHERE name = ?"#;
    scene.app.execute(image, vec![USER.into()]).await;
    let version = r#"UPDATE "__version" SET version = version + 1"#;
    scene.app.execute(version, vec![]).await;
    let client = scene.client().await;
    let asked = [
        ("response_type", "code id_token token"),
        ("scope", "openid profile email roles"),
        ("nonce", "n-1"),
    ];
    let redirect = scene.grant(&client, &asked).await;
    let http = scene.app.http();
    let profile = http.userinfo(redirect.param("access_token")).await;
    let mut told = BTreeSet::new();
    for claims in [flow::claims(redirect.param("id_token")), profile.json()] {
        let members = claims.as_object().unwrap();
        told.extend(members.keys().cloned());
    }
    let listed: BTreeSet<String> = scene.list("claims_supported").into_iter().collect();
    assert_eq!(told, listed);
    scene.app.close().await;
}

#[tokio::test]
async fn parameters_are_supported_as_the_document_says() {
    let mut scene = Scene::start().await;
    let client = scene.client().await;
    let flags = scene.document.clone();
    assert_eq!(flags["claims_parameter_supported"], true);
    let claims = json!({"id_token": {"zoneinfo": null}}).to_string();
    let asked = [("scope", "openid email"), ("claims", &claims)];
    let code = scene.visitor.code(&client, &asked).await;
    let tokens = scene.app.http().redeem(&client, &code, &[]).await.tokens();
    let about = flow::claims(&tokens.id_token.unwrap());
    assert_eq!(about["zoneinfo"], "Europe/Zurich");

    for (name, value, error) in [
        ("request", "e30.e30.", "request_not_supported"),
        (
            "request_uri",
            "https://client.example/request",
            "request_uri_not_supported",
        ),
    ] {
        assert_eq!(flags[format!("{name}_parameter_supported")], false);
        assert_eq!(scene.error(&client, &[(name, value)]).await, error);
    }

    // One subject for every client.
    assert_eq!(scene.list("subject_types_supported"), ["public"]);
    let other = scene.client().await;
    let code = scene.visitor.code(&other, &[("scope", "openid")]).await;
    let tokens = scene.app.http().redeem(&other, &code, &[]).await.tokens();
    assert_eq!(flow::claims(&tokens.id_token.unwrap())["sub"], about["sub"]);
    scene.app.close().await;
}
