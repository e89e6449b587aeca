//! No record of any DocType shows a secret, not even to Administrator: no token, code, session,
//! key or password, no hash of one, and nothing that is stored encrypted.

use std::collections::BTreeSet;

use crema_auth::user::ADMINISTRATOR;
use crema_crypto::hash_hex;
use crema_testkit::{App, ClientSpec, Visitor, for_each_engine};
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery-9";
const USER: &str = "user@example.com";

/// What must not be seen.
#[derive(Default)]
struct Secrets(BTreeSet<String>);

impl Secrets {
    /// A secret, and the hash that the database may know it by.
    fn add(&mut self, secret: &str) {
        assert!(secret.len() >= 15, "{secret} would be found anywhere");
        self.0.insert(secret.to_owned());
        self.0.insert(hash_hex(secret));
    }

    fn assert_absent(&self, what: &str, text: &str) {
        for secret in &self.0 {
            assert!(
                !text.contains(secret.as_str()),
                "{what}: {secret} in {text}"
            );
        }
        // Fernet, Argon2, a private JWK.
        for mark in ["gAAAA", "$argon2", "$pbkdf2", "\"d\":", "BEGIN"] {
            assert!(!text.contains(mark), "{what}: {mark} in {text}");
        }
    }
}

for_each_engine! {
    // spec: security.md, Clients, line 3; security.md, Codes and tokens, line 5
    async fn no_record_shows_a_secret(app: &App) {
        app.set_password(ADMINISTRATOR, PASSWORD).await;
        app.add_user(USER, PASSWORD, &["System Manager"]).await;
        let mut secrets = Secrets::default();
        let mut boss = app.signed_in(ADMINISTRATOR, PASSWORD).await;
        fill(app, &mut boss, &mut secrets).await;
        let stored = app.rows(r#"SELECT password FROM "__Auth""#, vec![]).await;
        assert!(!stored.is_empty());
        for row in stored {
            secrets.0.insert(row.text(0).unwrap().to_owned());
        }
        let manager = app.signed_in(USER, PASSWORD).await;
        secrets.add(manager.sid());
        let mut seen = 0;
        for mut visitor in [boss, manager] {
            let doctypes = read(&mut visitor, "/api/resource/DocType?limit_page_length=0").await;
            for doctype in names(&doctypes) {
                seen += look(&mut visitor, &secrets, &doctype).await;
            }
        }
        assert!(seen > 60, "{seen} records");
    }

    // A condition on a hash would tell it, one character after the other.
    async fn nobody_searches_for_a_secret(app: &App) {
        app.set_password(ADMINISTRATOR, PASSWORD).await;
        app.add_user(USER, PASSWORD, &["System Manager"]).await;
        let mut boss = app.signed_in(ADMINISTRATOR, PASSWORD).await;
        fill(app, &mut boss, &mut Secrets::default()).await;
        for (doctype, field) in [
            ("OAuth Bearer Token", "access_token"),
            ("OAuth Bearer Token", "refresh_token"),
            ("OAuth Authorization Code", "authorization_code"),
            ("OAuth Client", "client_secret"),
            ("API Key", "api_secret"),
            ("User", "api_secret"),
            ("User", "reset_password_key"),
            ("Social Login Key", "client_secret"),
            ("Connected App", "client_secret"),
            ("Token Cache", "access_token"),
            ("Previous Client Secret", "client_secret"),
            ("Registration Access Token", "token"),
            ("Signing Key", "private_key"),
        ] {
            for (name, value) in [
                ("fields", json!([field]).to_string()),
                ("filters", json!([[field, "like", "a%"]]).to_string()),
                ("or_filters", json!({field: "x"}).to_string()),
                ("order_by", format!("{field} asc")),
            ] {
                let query = crema_testkit::http::encode(&[(name, &value)]);
                let path = format!("/api/resource/{}?{query}", doctype.replace(' ', "%20"));
                let request = boss.http().get(&path);
                let answer = boss.send(request).await;
                let refused = (400..500).contains(&answer.status);
                assert!(refused, "{path}: {} {}", answer.status, answer.text());
            }
        }
    }
}

/// Records of every kind that has secrets.
async fn fill(app: &App, boss: &mut Visitor, secrets: &mut Secrets) {
    secrets.add(PASSWORD);
    secrets.add(boss.sid());
    let spec = ClientSpec::new("https://client.example/cb")
        .with("id_token_signed_response_alg", "RS256")
        .grant_types("authorization_code refresh_token password");
    let client = app.add_client(spec).await;
    secrets.add(client.secret());
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for redeemed in [true, false] {
        let code = visitor.code(&client, &[("scope", "openid all")]).await;
        secrets.add(&code);
        if redeemed {
            let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
            let again = app.http().refresh(&client, &tokens.refresh_token).await;
            for pair in [tokens, again.tokens()] {
                secrets.add(&pair.access_token);
                secrets.add(&pair.refresh_token);
            }
        }
    }
    let generate = "/api/method/frappe.core.doctype.user.user.generate_keys";
    let pair = write(boss, generate, &json!({"user": USER})).await;
    secrets.add(pair["message"]["api_secret"].as_str().unwrap());
    let key = json!({"title": "A key", "user": USER, "scopes": "todo:read"});
    let key = write(boss, "/api/resource/API%20Key", &key).await;
    secrets.add(key["data"]["api_secret"].as_str().unwrap());
    let made = json!({"app_name": "Made", "default_redirect_uri": "https://made.example/cb",
        "scopes": "all", "redirect_uris": "https://made.example/cb"});
    let made = write(boss, "/api/resource/OAuth%20Client", &made).await;
    secrets.add(made["data"]["client_secret"].as_str().unwrap());
    let given = "client-secret-of-elsewhere-0123456789";
    secrets.add(given);
    let login = json!({"provider_name": "Elsewhere", "social_login_provider": "Custom",
        "client_id": "us", "client_secret": given, "base_url": "https://elsewhere.example",
        "authorize_url": "/authorize", "access_token_url": "/token", "redirect_url": "/back",
        "api_endpoint": "/me"});
    write(boss, "/api/resource/Social%20Login%20Key", &login).await;
    let connected = json!({"provider_name": "Elsewhere", "client_id": "us",
        "client_secret": given, "authorization_uri": "https://elsewhere.example/authorize",
        "token_uri": "https://elsewhere.example/token"});
    write(boss, "/api/resource/Connected%20App", &connected).await;
}

async fn write(visitor: &mut Visitor, path: &str, body: &Value) -> Value {
    let request = visitor.http().post(path).json(body);
    let answer = visitor.send(request).await;
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
    answer.json()
}

async fn read(visitor: &mut Visitor, path: &str) -> Value {
    let request = visitor.http().get(path);
    let answer = visitor.send(request).await;
    assert!(answer.status < 500, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn names(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().into_iter().flatten();
    rows.map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Looks at every record of a DocType in every way. Gives how many there are.
async fn look(visitor: &mut Visitor, secrets: &Secrets, doctype: &str) -> usize {
    let encoded = doctype.replace(' ', "%20");
    let every = format!("/api/resource/{encoded}?fields=[%22*%22]&limit_page_length=0");
    let list = read(visitor, &every).await;
    secrets.assert_absent(doctype, &list.to_string());
    let mut records = names(&list);
    if records.is_empty() {
        // A single, or child rows, or nothing at all.
        records.push(doctype.to_owned());
    }
    for name in records.iter().take(6) {
        let name = crema_testkit::http::encode(&[("", name)]);
        let name = name.trim_start_matches('=').replace('+', "%20");
        for path in [
            format!("/api/resource/{encoded}/{name}"),
            format!("/api/v2/document/{encoded}/{name}"),
            format!("/api/method/frappe.client.get?doctype={encoded}&name={name}"),
        ] {
            let one = read(visitor, &path).await;
            secrets.assert_absent(&path, &one.to_string());
        }
    }
    records.len()
}
