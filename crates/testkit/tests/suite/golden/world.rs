//! The site that the recordings were made at, with users, clients and whatever a case needs.

use std::collections::BTreeMap;

use crema_auth::user::{self, ADMINISTRATOR, NewUser};
use crema_crypto::{Secret, hash_hex};
use crema_document::Clock as _;
use crema_protocol::client_rules::AuthMethod;
use crema_store::params;
use crema_testkit::{App, ClientSpec, Engine, Request, TestClient, Visitor};
use serde_json::Value;

/// Where codes are sent.
const CALLBACK: &str = "http://127.0.0.1:9999/cb";

/// Name in the recordings, first and last name, password, roles.
const USERS: &[(&str, &str, &str, &str, &[&str])] = &[
    (
        "user",
        "Test",
        "User",
        "Passw0rd!user",
        &["Report Manager", "Website Manager"],
    ),
    ("sysmgr", "Sys", "Mgr", "Passw0rd!sys", &["System Manager"]),
    ("web", "Web", "", "Passw0rd!web", &[]),
    (
        "disabled",
        "Disabled",
        "",
        "Passw0rd!dis",
        &["Report Manager"],
    ),
];
const ADMINISTRATOR_PASSWORD: &str = "admin";

/// A site in the state of the recordings, and the values that cases name.
pub(super) struct World {
    pub(super) app: App,
    /// The clients, by the names of the recordings.
    pub(super) clients: BTreeMap<String, TestClient>,
    values: BTreeMap<String, String>,
    /// How many seconds lie between two users, and two clients.
    apart: u64,
}

impl World {
    /// Users, clients and settings as they were. With `aged`, each user and client is a second
    /// younger than the one before, so that lists have an order.
    pub(super) async fn new(engine: Engine, aged: bool) -> World {
        // The recordings came through a proxy on the same machine.
        let app = App::builder()
            .engine(engine)
            .config("trusted_proxies", vec!["127.0.0.1"]);
        let mut world = World {
            app: app.build().await,
            clients: BTreeMap::new(),
            values: BTreeMap::new(),
            apart: u64::from(aged),
        };
        world.add_users().await;
        world.add_clients().await;
        let origin = world.app.issuer();
        world.values.insert("origin".to_owned(), origin);
        world
    }

    async fn add_users(&self) {
        for (name, first_name, last_name, password, roles) in USERS {
            self.app
                .create_user(NewUser {
                    email: email(name),
                    first_name: Some((*first_name).to_owned()),
                    last_name: Some((*last_name).to_owned()),
                    password: Some(Secret::new((*password).to_owned())),
                    roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                    email_verified: true,
                    ..NewUser::default()
                })
                .await;
            self.app.clock.advance_seconds(self.apart);
        }
        self.app
            .set_password(ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
            .await;
        let ctx = self.app.ctx().await;
        user::disable(&ctx, ADMINISTRATOR, &email("disabled"))
            .await
            .unwrap();
    }

    async fn add_clients(&mut self) {
        let skipping = |app_name: &str| plain(app_name).with("skip_authorization", "1");
        let public = plain("App Public")
            .auth_method(AuthMethod::None)
            .with("skip_authorization", "1")
            .with("id_token_signed_response_alg", "RS256");
        let lines = format!("{CALLBACK}\n{CALLBACK}2");
        let specs = [
            ("code", plain("App Code")),
            ("skip", skipping("App Skip")),
            ("public", public),
            (
                "post",
                skipping("App Post").auth_method(AuthMethod::ClientSecretPost),
            ),
            (
                "implicit",
                skipping("App Implicit")
                    .with("grant_type", "Implicit")
                    .with("response_type", "Token"),
            ),
            (
                "sysmgr",
                skipping("App Sysmgr").with("allowed_roles", "System Manager"),
            ),
            ("allroles", skipping("App All").with("allowed_roles", "All")),
            (
                "guestrole",
                skipping("App Guest").with("allowed_roles", "Guest"),
            ),
            (
                "newline",
                skipping("App Newline").with("redirect_uris", &lines),
            ),
            ("nouris", skipping("App No URIs").with("redirect_uris", "")),
            ("limited", skipping("App Limited").scopes("read")),
        ];
        for (name, spec) in specs {
            let client = self.app.add_client(spec).await;
            self.app.clock.advance_seconds(self.apart);
            let mut put =
                |part: &str, value: String| self.values.insert(format!("{name}{part}"), value);
            put("", client.client_id.clone());
            if let Some(secret) = &client.client_secret {
                put(".secret", secret.clone());
                put(".basic", basic(&client.client_id, secret));
            }
            self.clients.insert(name.to_owned(), client);
        }
    }

    /// The present second.
    pub(super) fn now(&self) -> i64 {
        self.app.clock.now().seconds()
    }

    /// Does what has to be done before a case.
    pub(super) async fn prepare(&mut self, steps: &[Value]) {
        for step in steps {
            let (kind, _) = step
                .as_object()
                .and_then(|step| step.iter().next())
                .unwrap();
            match kind.as_str() {
                "sign_in" => self.sign_in(step).await,
                "csrf" => self.hand_out_csrf_token(text(step, "csrf")).await,
                "code" => {
                    let code = self.code(step).await;
                    self.values.insert(text(step, "code").to_owned(), code);
                }
                "tokens" => self.tokens(step).await,
                "register" => self.register(step).await,
                "expire" => self.expire(text(step, "expire")).await,
                "revoke" => {
                    let token = self.value(text(step, "revoke"));
                    self.app.http().revoke(&self.client(step), &token).await;
                }
                "change_client" => {
                    let client = &self.clients[text(step, "change_client")];
                    self.app.change_client(client, &pairs(&step["set"])).await;
                }
                "set_user" => self.set_user(step).await,
                "settings" => {
                    let values = pairs(&step["set"]);
                    self.app.set_settings(text(step, "settings"), &values).await;
                }
                "api_key" => self.api_key(step).await,
                "fill" => {
                    for index in 0..step["fill"].as_u64().unwrap() {
                        self.app.clock.advance_seconds(1);
                        self.app.add_client(plain(&format!("App {index}"))).await;
                    }
                }
                "advance" => self
                    .app
                    .clock
                    .advance_seconds(step["advance"].as_u64().unwrap()),
                "send" => {
                    for _ in 0..step["times"].as_u64().unwrap_or(1) {
                        self.request(&step["send"]).send().await;
                    }
                }
                other => panic!("no step {other}"),
            }
        }
    }

    /// Sends a case's request and reduces the answer.
    pub(super) async fn send(&mut self, request: &Value, keep: Option<&str>) -> Value {
        let response = self.request(request).send().await;
        let caching = response.header("cache-control").unwrap_or_default();
        let published = path_is_published(request) && response.status == 200;
        let wanted = if published {
            "public, max-age=300"
        } else {
            "no-store"
        };
        assert!(caching.contains(wanted), "{request}: {caching}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        if let Some(name) = keep.filter(|_| response.status == 200) {
            let json = response.json();
            let mut put = |part: &str, value: &Value| {
                let value = value.as_str().map(str::to_owned);
                value.map(|value| self.values.insert(format!("{name}{part}"), value));
            };
            put(".access_token", &json["access_token"]);
            put(".refresh_token", &json["refresh_token"]);
            put("", &json["data"]["name"]);
        }
        self.observe(&response).await
    }

    fn request(&self, request: &Value) -> Request {
        let path = self.filled(text(request, "path"));
        let mut built = self.app.http().request(text(request, "method"), &path);
        for (name, value) in pairs(&request["headers"]) {
            built = built.header(name, &self.filled(value));
        }
        let body = request["body"].as_str().map(|body| self.filled(body));
        if let Some(host) = request["host"].as_str() {
            let origin = self.app.http_of(host).origin();
            built = built.host(origin.strip_prefix("http://"));
        }
        let is_post = request["method"] == "POST";
        if body.is_some() && request["headers"].get("Content-Type").is_none() {
            built = built.header("Content-Type", "application/x-www-form-urlencoded");
        }
        match body {
            Some(body) => built.body(body),
            None if is_post => built.body(""),
            None => built,
        }
    }

    /// Replaces `${name}`, `${upper:name}`, `${swap:name}` (letters in the other case) and
    /// `${start:name}` (the first two characters).
    fn filled(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').unwrap();
            filled.push_str(before);
            let (how, name) = name.split_once(':').unwrap_or(("", name));
            let value = self.value(name);
            match how {
                "upper" => filled.push_str(&value.to_uppercase()),
                "swap" => filled.extend(value.chars().map(swap)),
                "start" => filled.push_str(&value[..2]),
                _ => filled.push_str(&value),
            }
            rest = tail;
        }
        filled + rest
    }

    fn value(&self, name: &str) -> String {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("no value {name}"))
            .clone()
    }

    fn client(&self, step: &Value) -> TestClient {
        self.clients[text(step, "client")].clone()
    }

    async fn visitor(&self, name: &str) -> Visitor {
        if name == ADMINISTRATOR {
            return self
                .app
                .signed_in(ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
                .await;
        }
        let (_, _, _, password, _) = USERS.iter().find(|user| user.0 == name).unwrap();
        self.app.signed_in(&email(name), password).await
    }

    async fn sign_in(&mut self, step: &Value) {
        let visitor = self.visitor(text(step, "user")).await;
        let name = format!("{}.sid", text(step, "sign_in"));
        self.values.insert(name, visitor.sid().to_owned());
    }

    async fn hand_out_csrf_token(&mut self, session: &str) {
        let mut visitor = self.app.visitor();
        visitor
            .cookies
            .insert("sid".to_owned(), self.value(&format!("{session}.sid")));
        let token = visitor.csrf_token().await;
        self.values.insert(format!("{session}.csrf"), token);
    }

    /// A code by the way of a browser.
    async fn code(&self, step: &Value) -> String {
        let mut visitor = self.visitor(step["user"].as_str().unwrap_or("user")).await;
        if let Some(user) = step["forged"].as_str() {
            visitor
                .cookies
                .insert("user_id".to_owned(), user.to_owned());
        }
        let client = self.client(step);
        let scope = step["scope"].as_str().unwrap_or("all openid");
        let mut params = vec![
            ("client_id", client.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", client.redirect_uri.as_str()),
            ("scope", scope),
        ];
        params.extend(pairs(&step["more"]));
        let answer = visitor.authorize_and_allow(&params).await;
        let location = answer
            .location()
            .unwrap_or_else(|| panic!("{step}: {}", answer.text()));
        let code = location
            .split_once("code=")
            .unwrap_or_else(|| panic!("{step}: {location}"))
            .1;
        code.split('&').next().unwrap().to_owned()
    }

    async fn tokens(&mut self, step: &Value) {
        let code = self.code(step).await;
        let tokens = self
            .app
            .http()
            .redeem(&self.client(step), &code, &[])
            .await
            .tokens();
        let name = text(step, "tokens");
        let id_token = tokens.id_token.unwrap_or_default();
        for (part, value) in [
            ("access_token", tokens.access_token),
            ("refresh_token", tokens.refresh_token),
            ("id_token", id_token),
        ] {
            self.values.insert(format!("{name}.{part}"), value);
        }
    }

    /// A client that registers itself.
    async fn register(&mut self, step: &Value) {
        let path = "/api/method/frappe.integrations.oauth2.register_client";
        let request = self.app.http().post(path).json(&step["metadata"]);
        let answer = request.send().await;
        assert_eq!(answer.status, 201, "{step}: {}", answer.text());
        let made = answer.json();
        let method = text(&made, "token_endpoint_auth_method");
        let client = TestClient {
            client_id: text(&made, "client_id").to_owned(),
            client_secret: made["client_secret"].as_str().map(str::to_owned),
            redirect_uri: made["redirect_uris"][0].as_str().unwrap().to_owned(),
            auth_method: AuthMethod::from_name(method).unwrap(),
        };
        let name = text(step, "register").to_owned();
        self.values.insert(name.clone(), client.client_id.clone());
        self.clients.insert(name, client);
    }

    /// Makes a token or code end an hour ago, as the recordings did: in the database.
    async fn expire(&self, name: &str) {
        let hash = hash_hex(&self.value(name));
        let past = self.app.clock.now().minus_seconds(3600).micros();
        let tokens = r#"UPDATE "tabOAuth Bearer Token" SET expires_at = ? WHERE access_token = ?"#;
        let codes = r#"UPDATE "tabOAuth Authorization Code" SET expires_at = ?
            WHERE authorization_code = ?"#;
        let mut changed = 0;
        for sql in [tokens, codes] {
            changed += self.app.execute(sql, params![past, &hash]).await;
        }
        assert_eq!(changed, 1, "{name}");
    }

    /// The user's pair, as an administrator makes it.
    async fn api_key(&mut self, step: &Value) {
        let mut visitor = self.visitor(ADMINISTRATOR).await;
        let user = email(text(step, "user"));
        let request = visitor
            .http()
            .post("/api/method/frappe.core.doctype.user.user.generate_keys")
            .form(&[("user", &user)]);
        let made = visitor.send(request).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let made = &made.json()["message"];
        let (key, secret) = (text(made, "api_key"), text(made, "api_secret"));
        let name = text(step, "api_key");
        for (part, value) in [
            ("", format!("{key}:{secret}")),
            (".key", key.to_owned()),
            (".empty", basic(key, "")),
        ] {
            self.values.insert(format!("{name}{part}"), value);
        }
    }

    async fn set_user(&self, step: &Value) {
        let name = email(text(step, "set_user"));
        let ctx = self.app.ctx().await;
        match step["enabled"].as_bool() {
            Some(true) => user::enable(&ctx, ADMINISTRATOR, &name).await.unwrap(),
            Some(false) => user::disable(&ctx, ADMINISTRATOR, &name).await.unwrap(),
            None => {}
        }
        for (column, value) in pairs(&step["columns"]) {
            let sql = format!(r#"UPDATE "tabUser" SET {column} = ? WHERE name = ?"#);
            assert_eq!(self.app.execute(&sql, params![value, &name]).await, 1);
        }
        self.app
            .execute(r#"UPDATE "__version" SET version = version + 1"#, params![])
            .await;
    }
}

/// Whether the request is for a document that anybody may keep for a while.
fn path_is_published(request: &Value) -> bool {
    request["method"] == "GET" && text(request, "path").starts_with("/.well-known/")
}

/// A client as Frappe makes it: for the role Desk User unless it says otherwise.
fn plain(app_name: &str) -> ClientSpec {
    let uris = format!("{CALLBACK} {CALLBACK}2");
    ClientSpec::new(CALLBACK)
        .with("app_name", app_name)
        .with("redirect_uris", &uris)
        .with("allowed_roles", "")
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(format!("{name}:{password}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {value}"))
}

fn pairs(value: &Value) -> Vec<(&str, &str)> {
    let Some(members) = value.as_object() else {
        return Vec::new();
    };
    members
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect()
}

fn swap(character: char) -> char {
    if character.is_ascii_lowercase() {
        character.to_ascii_uppercase()
    } else {
        character.to_ascii_lowercase()
    }
}
