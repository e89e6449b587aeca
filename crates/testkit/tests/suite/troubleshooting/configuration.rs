//! The commands of the chapter, by the real program, and CSRF: with the list of paths, without,
//! and with the token.

use std::path::PathBuf;
use std::process::Command;

use crema_testkit::App;
use crema_testkit::flow::method;
use serde_json::{Value, json};

use super::{PASSWORD, USER, site};

const ORIGIN: &str = "https://app.trust.com";
const TODOS: &str = "/api/resource/ToDo";

/// `crema` as cargo has built it beside this test, with the arguments of the guide's `bench`.
fn bench(app: &App, arguments: &[&str]) {
    let this = std::env::current_exe().unwrap();
    let folder: PathBuf = this.ancestors().nth(2).unwrap().to_owned();
    let program = folder.join(format!("crema{}", std::env::consts::EXE_SUFFIX));
    let done = Command::new(&program)
        .arg("--bench")
        .arg(app.bench().root())
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; cargo build -p crema", program.display()));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{arguments:?}: {said}");
}

#[tokio::test]
async fn the_commands_take_effect_without_a_restart() {
    let (app, _) = site().await;
    let site = app.site().to_owned();
    let preflight = || {
        app.http()
            .request("OPTIONS", TODOS)
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", "GET")
    };
    let allowed = "access-control-allow-origin";
    assert_eq!(preflight().send().await.header(allowed), None);
    bench(&app, &["--site", &site, "set-config", "allow_cors", "*"]);
    let set = [
        "--site",
        &site,
        "set-config",
        "cors_allow_credentials",
        "true",
    ];
    bench(&app, &set);
    let config = app.bench().site_config(&site).unwrap();
    assert!(config.cors_allow_credentials());
    let answer = preflight().send().await;
    assert_eq!(answer.header(allowed), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let list = json!([ORIGIN, "https://mobile.trust.com"]).to_string();
    bench(&app, &["--site", &site, "set-config", "allow_cors", &list]);
    let answer = preflight().send().await;
    assert_eq!(answer.header(allowed), Some(ORIGIN));
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, Some("true"));
    app.close().await;
}

/// The list of the guide.
fn exempt() -> Value {
    json!([
        method("get_token"),
        method("authorize"),
        method("revoke_token")
    ])
}

#[tokio::test]
async fn csrf_is_no_matter_for_the_token_endpoints() {
    let (app, client) = site().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    visitor.csrf_token().await;
    for configured in [false, true] {
        if configured {
            app.set_config("ignore_csrf", exempt());
        }
        for name in ["get_token", "revoke_token"] {
            let params = [
                ("client_id", client.client_id.as_str()),
                ("grant_type", "password"),
                ("username", USER),
                ("password", PASSWORD),
                ("token", "nosuch"),
            ];
            let request = visitor.http().post(&method(name)).form(&params);
            let answer = visitor.send(request).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        }
        let request = visitor.http().post(&method("authorize"));
        let request = request.form(&[("client_id", client.client_id.as_str())]);
        let answer = visitor.send(request).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5
#[tokio::test]
async fn csrf_errors_say_what_is_missing_and_can_be_configured_away() {
    let (app, _) = site().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let body = json!({"description": "Call client"});
    // An SDK that never saw a page has no token and needs none.
    let request = visitor.http().post(TODOS).json(&body);
    assert_eq!(visitor.send(request).await.status, 200);
    let token = visitor.csrf_token().await;
    let request = visitor.http().post(TODOS).json(&body);
    let refused = visitor.send(request).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.member("exc_type"), "CSRFTokenError");
    assert!(
        refused.text().contains("X-Frappe-CSRF-Token"),
        "{}",
        refused.text()
    );
    assert!(!refused.text().contains(&token));
    let request = visitor.http().post(TODOS).json(&body);
    let request = request.header("X-Frappe-CSRF-Token", &token);
    let made = visitor.send(request).await;
    assert_eq!(made.status, 200, "{}", made.text());
    // A bearer token or a key needs none, whatever cookies come along.
    let name = made.json()["data"]["name"].as_str().unwrap().to_owned();
    let other = [
        ("ignore_csrf", json!([method("get_token")])),
        ("ignore_csrf", json!([TODOS])),
    ];
    for (index, (key, value)) in other.into_iter().enumerate() {
        app.set_config(key, value);
        let request = visitor.http().post(TODOS).json(&body);
        let status = visitor.send(request).await.status;
        assert_eq!(status, if index == 0 { 400 } else { 200 });
        // The list is of whole paths.
        let request = visitor.http().request("DELETE", &format!("{TODOS}/{name}"));
        assert_eq!(visitor.send(request).await.status, 400);
    }
    app.set_config("ignore_csrf", 1);
    let request = visitor.http().request("DELETE", &format!("{TODOS}/{name}"));
    assert_eq!(visitor.send(request).await.status, 202);
    app.close().await;
}
