//! Secrets never in logs, errors, the audit trail or the database.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};

use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Redirect, Response, for_each_engine};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

static LISTENING: AtomicBool = AtomicBool::new(false);
static HEARD: Mutex<String> = Mutex::new(String::new());
static INSTALL: Once = Once::new();

/// Hears everything that is logged in this program, at every level, while it listens.
struct Ear;

struct Scribe<'a>(&'a mut String);

impl Visit for Scribe<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push_str(&format!(" {field}={value}"));
    }
}

fn write(metadata: &Metadata<'_>, record: impl FnOnce(&mut dyn Visit)) {
    let mut heard = HEARD.lock().unwrap();
    heard.push_str(&format!("{} {}:", metadata.level(), metadata.target()));
    record(&mut Scribe(&mut heard));
    heard.push('\n');
}

impl<S: Subscriber> Layer<S> for Ear {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        LISTENING.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        write(event.metadata(), |visit| event.record(visit));
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        write(attributes.metadata(), |visit| attributes.record(visit));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Scribe(&mut HEARD.lock().unwrap()));
    }
}

fn listen() {
    INSTALL.call_once(|| {
        let subscriber = Registry::default().with(Ear);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    });
    LISTENING.store(true, Ordering::Relaxed);
}

fn heard() -> String {
    HEARD.lock().unwrap().clone()
}

/// What was secret in a run, and what its errors said.
#[derive(Default)]
struct Story {
    secrets: Vec<(&'static str, String)>,
    errors: Vec<Response>,
    /// Addresses that the server made and a browser would go to.
    built: Vec<String>,
}

impl Story {
    fn secret(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() >= 10, "{what}: too short to be looked for");
        self.secrets.push((what, secret.to_owned()));
    }

    fn error(&mut self, answer: Response) {
        assert!(answer.status >= 400, "{}", answer.text());
        self.errors.push(answer);
    }

    fn assert_unheard(&self, place: &str, text: &str) {
        for (what, secret) in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{what} in {place}");
        }
    }
}

const WRONG_PASSWORD: &str = "a-Wrong-passw0rd-typed";
const PASSWORD_AS_NAME: &str = "a-Passw0rd-typed-as-name";

/// Every flow, and every way to fail in it.
async fn live(app: &App) -> Story {
    let mut story = Story::default();
    story.secret("password", PASSWORD);
    story.secret("wrong password", WRONG_PASSWORD);
    let http = app.http();
    let spec = ClientSpec::new(REDIRECT)
        .grant_types("authorization_code refresh_token implicit password client_credentials")
        .with("user", USER)
        .with("skip_authorization", "1");
    let client = app.add_client(spec).await;
    let public = scene::public(app).await;
    story.secret("client secret", client.secret());

    let mut visitor = app.visitor();
    story.error(visitor.try_login(USER, WRONG_PASSWORD).await);
    story.error(visitor.try_login(PASSWORD_AS_NAME, WRONG_PASSWORD).await);
    visitor.login(USER, PASSWORD).await;
    story.secret("sid", visitor.sid());
    let csrf = visitor.csrf_token().await;
    story.secret("CSRF token", &csrf);

    let verifier = crema_testkit::VERIFIER;
    let code = visitor.code(&public, &[("scope", "openid")]).await;
    story.secret("code", &code);
    story.secret("verifier", verifier);
    let answer = http.redeem(&public, &code, &[]).await;
    let tokens = answer.tokens();
    story.secret("access token", &tokens.access_token);
    story.secret("refresh token", &tokens.refresh_token);
    story.secret("ID token", tokens.id_token.as_deref().unwrap());
    assert_eq!(http.userinfo(&tokens.access_token).await.status, 200);
    assert_eq!(
        http.introspect(&public, &tokens.access_token).await.status,
        200
    );
    let hint = [
        ("id_token_hint", tokens.id_token.as_deref().unwrap()),
        ("prompt", "none"),
    ];
    let _ = scene::authorize(&mut visitor, &client, &hint).await;
    let refreshed = http.refresh(&public, &tokens.refresh_token).await.tokens();
    story.secret("access token", &refreshed.access_token);
    story.secret("refresh token", &refreshed.refresh_token);
    story.error(http.redeem(&client, &code, &[]).await);
    story.error(http.refresh(&client, &refreshed.refresh_token).await);
    app.clock.advance_seconds(60);
    story.error(http.refresh(&public, &tokens.refresh_token).await);
    story.error(http.redeem(&public, &code, &[]).await);
    story.error(http.userinfo(&refreshed.access_token).await);
    story.error(http.logged_user(&refreshed.access_token).await);

    let implicit = [
        ("response_type", "code id_token token"),
        ("scope", "openid"),
        ("nonce", "n"),
    ];
    let implicit = visitor.grant(&client, &implicit).await;
    for name in ["code", "access_token", "id_token"] {
        story.secret("from the browser", implicit.param(name));
    }
    let form = [("response_mode", "form_post")];
    let page = scene::authorize(&mut visitor, &client, &form).await;
    story.secret("posted code", &scene::posted(&page).1["code"]);
    for (grant, password) in [
        ("password", PASSWORD),
        ("password", WRONG_PASSWORD),
        ("client_credentials", ""),
    ] {
        let params = [
            ("grant_type", grant),
            ("username", USER),
            ("password", password),
            ("scope", "openid"),
        ];
        let answer = http.token(&client, &params).await;
        if answer.status == 200 {
            story.secret("access token", &answer.tokens().access_token);
        } else {
            story.error(answer);
        }
    }
    let mut guesser = client.clone();
    guesser.client_secret = Some("a-wrong-client-secret".to_owned());
    story.secret("wrong client secret", guesser.secret());
    story.error(http.revoke(&guesser, &tokens.access_token).await);
    let demanded = scene::authorize(&mut visitor, &client, &[("prompt", "login")]).await;
    let back = visitor.sent_to_login(&demanded);
    story.secret("handle", back.split_once("login_handle=").unwrap().1);

    // In places where they do not belong.
    let stray = [
        ("access_token", tokens.access_token.as_str()),
        ("client_secret", client.secret()),
        ("pwd", PASSWORD),
        ("code", code.as_str()),
        ("refresh_token", refreshed.refresh_token.as_str()),
        ("csrf_token", &csrf),
    ];
    for name in [
        "get_token",
        "revoke_token",
        "introspect_token",
        "openid_profile",
    ] {
        let path = method(name);
        story.error(http.post(&path).query(&stray).send().await);
        story.error(http.get(&path).query(&stray).send().await);
        story.error(http.post(&path).form(&stray).send().await);
        let bearer = http.post(&path).bearer(&tokens.refresh_token);
        story.error(bearer.form(&stray).send().await);
    }
    for name in ["authorize", "approve"] {
        for request in [
            http.post(&method(name)).form(&stray),
            http.post(&method(name)).query(&stray),
        ] {
            let answer = request.send().await;
            assert_eq!(answer.status, 303);
            story.built.push(answer.location().unwrap().to_owned());
        }
    }
    story.error(http.get("/api/method/login").query(&stray).send().await);
    let refused = scene::authorize(&mut visitor, &client, &[("scope", PASSWORD_AS_NAME)]).await;
    assert_eq!(Redirect::of(&refused).param("error"), "invalid_scope");
    let code = visitor.code(&public, &[("scope", "all")]).await;
    let token = http.redeem(&public, &code, &[]).await.tokens().access_token;
    call_tools(app, &token, &mut story).await;
    visitor
        .post("/api/method/logout", &[("csrf_token", &csrf)])
        .await;
    story
}

/// Tools of `/mcp`, called with a secret.
async fn call_tools(app: &App, token: &str, story: &mut Story) {
    app.set_settings("OAuth Settings", &[("enable_mcp", "1")])
        .await;
    let typed = "a-Passw0rd-typed-to-a-tool";
    story.secret("access token", token);
    story.secret("password for a tool", typed);
    let values = json!({"email": "new@example.com", "first_name": "New", "new_password": typed});
    let arguments = json!({"doctype": "User", "values": values});
    let call = |name: &str, id: serde_json::Value| {
        let params = json!({"name": name, "arguments": arguments});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    };
    let post = app.http().post("/mcp").bearer(token);
    let answer = post.clone().json(&call("create_document", json!(1)));
    let answer = answer.send().await;
    assert_eq!(
        answer.json()["result"]["isError"],
        true,
        "{}",
        answer.text()
    );
    let notice = json!({"jsonrpc": "2.0", "method": typed, "params": arguments});
    assert_eq!(post.clone().json(&notice).send().await.status, 202);
    story.error(post.clone().json(&call("x", json!([typed]))).send().await);
    let cut = call("create_document", json!(1)).to_string();
    let cut = cut.trim_end_matches('}').to_owned();
    let cut = post.header("Content-Type", "application/json").body(cut);
    story.error(cut.send().await);
    let nobody = app.http().post("/mcp").bearer(typed);
    story.error(nobody.json(&call("create_document", json!(1))).send().await);
}

for_each_engine! {
    // spec: security.md, Inputs, outputs, network, line 8; Audit, line 1
    async fn no_secret_is_in_logs_errors_the_audit_trail_or_the_database(app: &App) {
        listen();
        scene::add_user(app).await;
        let story = live(app).await;
        assert!(story.secrets.len() > 15 && story.errors.len() > 20);

        let heard = heard();
        assert!(heard.contains("crema_web"), "the server was heard");
        assert!(heard.contains("/api/method/login"), "every request has its line");
        let ours: String = heard.lines().filter(|line| line.contains("crema")).collect();
        story.assert_unheard("our logs", &ours);
        let others: String = heard.lines().filter(|line| !line.contains("crema")).collect();
        story.assert_unheard("logs of libraries", &others);

        for url in &story.built {
            story.assert_unheard("an address of ours", url);
        }
        for error in &story.errors {
            let mut text = error.text();
            // A path that nobody has is not shown; Frappe's cookie values are not secrets.
            for (name, value) in &error.headers {
                text.push_str(&format!("\n{name}: {value}"));
            }
            let renewed = error.cookie("sid").map(|cookie| cookie.value);
            if let Some(sid) = renewed {
                text = text.replace(&sid, "");
            }
            story.assert_unheard("an error", &text);
        }

        let rows = app.rows("SELECT * FROM \"tabActivity Log\"", vec![]).await;
        assert!(rows.len() > 10);
        story.assert_unheard("the database, audit trail included", &scene::dump(app).await);
        // A password typed into the wrong field is not kept either.
        assert!(!scene::dump(app).await.contains(PASSWORD_AS_NAME));
        assert!(!ours.contains(PASSWORD_AS_NAME));
    }
}
