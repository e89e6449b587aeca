//! Secrets: shown where they are made, nowhere else.

use std::fs;

use crema_testkit::flow::method;
use crema_testkit::{Redirect, VERIFIER};
use serde_json::Value;

use crate::harness::{Bench, SITE, Server, text};
use crate::watching::figures_of;

const CALLBACK: &str = "https://shop.example.com/cb";

// spec: security.md, "Secrets and tokens never in logs, traces, metrics, errors, `Debug`, URLs"
#[test]
fn a_whole_flow_leaves_no_secret_in_what_is_written() {
    let bench = Bench::new();
    let password = "correct-horse-battery-9";
    let mut said = Vec::new();
    let mut run = |args: &[&str], stdin: &str| {
        let run = bench.run_with(args, stdin);
        said.push(run.stdout.clone());
        said.push(run.stderr.clone());
        run
    };
    run(
        &[
            "add-user",
            "jo@example.com",
            "--password",
            password,
            "--add-role",
            "Sales User",
        ],
        "",
    )
    .ok();
    run(
        &["set-password", "jo@example.com", "--password-stdin"],
        password,
    )
    .ok();
    run(&["set-password", "nobody@example.com", password], "");
    run(&["add-user", "jo@example.com", "--password", password], "");
    run(&["set-config", "stripe_api_key", "sk-t0p-s3cret"], "").ok();
    run(
        &[
            "set-config",
            "google_login",
            "{\"client_id\": \"x\", \"client_secret\": \"g-s3cret\"}",
        ],
        "",
    )
    .ok();
    run(&["show-config"], "").ok();

    let add = [
        "oauth-client",
        "add",
        "--app-name",
        "Shop",
        "--redirect-uri",
        CALLBACK,
    ];
    let made = bench.json(&add);
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    run(&["oauth-client", "list", "--json"], "").ok();
    run(&["oauth-client", "show", "Shop"], "").ok();
    run(&["oauth-client", "set", "Shop", "may_introspect=1"], "").ok();

    let mut secrets: Vec<String> = vec![password.into(), "sk-t0p-s3cret".into(), "g-s3cret".into()];
    secrets.push(secret.to_owned());
    let mut served = Vec::new();
    for format in ["text", "json"] {
        let args = ["--log-format", format, "--metrics-listen", "127.0.0.1:0"];
        let server = bench.serve_with(&args, "trace");
        crema_testkit::engines::run(async {
            secrets.extend(flow(&server, id, secret, password).await);
            let figures = figures_of(&server).get("/metrics").send().await.text();
            assert!(figures.contains("outcome=\"invalid_grant\""), "{figures}");
            served.push(figures);
        });
        let log = server.stop();
        assert!(log.contains("crema_web"), "the server has logged: {log}");
        served.push(log);
    }
    run(&["token", "list", "--all", "--json"], "").ok();
    run(&["keys", "rotate", "--json"], "").ok();
    run(&["keys", "list"], "").ok();
    let config = fs::read_to_string(bench.site_file(SITE, "site_config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    secrets.push(text(&config, "encryption_key").to_owned());

    said.extend(served);
    let said = said.join("\n");
    assert!(said.contains("get_token"), "the server has logged");
    for secret in secrets {
        assert!(secret.len() > 7);
        if let Some(at) = said.find(&secret) {
            let line = said[..at].rfind('\n').map_or(0, |begin| begin + 1);
            panic!("{secret} is in: {}", &said[line..at + secret.len()]);
        }
    }
}

/// A sign-in, tokens and their end, and ways to fail with each. Gives what was secret in it.
async fn flow(server: &Server, id: &str, secret: &str, password: &str) -> Vec<String> {
    let mut secrets = vec![
        "a-wrong-passw0rd".to_owned(),
        "a-wrong-client-s3cret".to_owned(),
        "t0ken-in-a-path-where-nothing-is".to_owned(),
        "t0ken-in-a-query".to_owned(),
        VERIFIER.to_owned(),
    ];
    let http = server.http(SITE);
    let mut jo = server.visitor(SITE);
    jo.try_login("jo@example.com", "a-wrong-passw0rd").await;
    jo.login("jo@example.com", password).await;
    secrets.push(jo.sid().to_owned());
    secrets.push(jo.csrf_token().await);
    let challenge = crema_testkit::challenge(VERIFIER);
    let request = [
        ("client_id", id),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid all"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let redirect = Redirect::of(&jo.authorize_and_allow(&request).await);
    secrets.push(redirect.param("code").to_owned());
    let post = async |name: &str, secret: &str, form: &[(&str, &str)]| {
        let request = http.post(&method(name)).basic(id, secret);
        request.form(form).send().await
    };
    let code = [
        ("grant_type", "authorization_code"),
        ("code", redirect.param("code")),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    post("get_token", "a-wrong-client-s3cret", &code).await;
    let tokens = post("get_token", secret, &code).await.tokens();
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    let refreshed = post("get_token", secret, &refresh).await.tokens();
    http.userinfo(&refreshed.access_token).await;
    http.userinfo(&tokens.access_token).await;
    let token = [("token", refreshed.access_token.as_str())];
    post("introspect_token", secret, &token).await;
    post("introspect_token", "a-wrong-client-s3cret", &token).await;
    assert_eq!(post("get_token", secret, &code).await.status, 400);
    let revoked = [("token", refreshed.refresh_token.as_str())];
    post("revoke_token", secret, &revoked).await;
    let typed = [
        ("grant_type", "password"),
        ("username", "jo@example.com"),
        ("password", password),
    ];
    post("get_token", secret, &typed).await;
    for path in [
        "/t0ken-in-a-path-where-nothing-is",
        "/api/method/t0ken-in-a-path-where-nothing-is",
        "/login?token=t0ken-in-a-query",
        "/nothing?token=t0ken-in-a-query",
    ] {
        http.get(path).send().await;
    }
    for tokens in [tokens, refreshed] {
        secrets.extend([tokens.access_token, tokens.refresh_token]);
        secrets.extend(tokens.id_token);
    }
    secrets
}
