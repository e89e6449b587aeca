//! Every form of credentials, right and wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crema_testkit::{App, for_each_engine};

use super::{PASSWORD, USER, assert_refused, key, new_key, pair, token, who, with};

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

for_each_engine! {
    // spec: http.md, Resource server, "`Authorization: token <api_key>:<api_secret>` ·
    // `Authorization: Basic base64(api_key:api_secret)`"
    async fn keys_sign_requests(app: &App) {
        app.add_user(USER, PASSWORD, &["Sales User"]).await;
        let of_user = pair(app, USER).await;
        let of_ours = key(app, new_key(USER, "all")).await;
        for pair in [&of_user, &of_ours] {
            let both = format!("{}:{}", pair.api_key, pair.api_secret.expose());
            for header in [
                format!("token {both}"),
                format!("Token {both}"),
                basic(&both),
                basic(&both).replace("Basic", "basic"),
            ] {
                let response = with(app, &header).send().await;
                assert_eq!(response.status, 200, "{}", response.text());
                assert_eq!(response.member("message"), USER);
                // spec: http.md, Cookies, "An API request with a bearer token or API key sets no
                // cookie"
                assert!(response.cookies().is_empty());
            }
        }
    }
}

// spec: http.md, Resource server, "a bad or undecodable header is 401 and never falls back"
#[tokio::test]
async fn what_is_no_pair_is_refused_and_never_taken_for_nobody() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let pair = pair(&app, USER).await;
    let (api_key, secret) = (&pair.api_key, pair.api_secret.expose());
    let both = format!("{api_key}:{secret}");
    for header in [
        format!("token {api_key}:wrong"),
        format!("token unknown:{secret}"),
        format!("token {api_key}"),
        format!("token {api_key}:"),
        format!("token :{secret}"),
        format!("token {} ", both.to_uppercase()),
        format!("token {both} more"),
        both.clone(),
        format!("Digest {both}"),
        basic(api_key),
        basic(&format!("{api_key}:")),
        basic(&format!("{USER}:{PASSWORD}")),
        String::new(),
    ] {
        assert_refused(&with(&app, &header).send().await, "");
        // Also where guests may come.
        let ping = app.http().get("/api/method/ping");
        assert_refused(&ping.header("Authorization", &header).send().await, "");
    }
    // Frappe answers this with 400.
    assert_refused(&with(&app, "Basic !!!notb64").send().await, "");
    // The body says the same for a known and an unknown key.
    let known = with(&app, &format!("token {api_key}:wrong")).send().await;
    let unknown = with(&app, "token unknown:wrong").send().await;
    assert_eq!(known.text(), unknown.text());
    assert!(!known.text().contains(api_key.as_str()));
    app.close().await;
}

// spec: security.md, Clients, "On these three paths `Authorization: Basic` is never read as an API
// key"
#[tokio::test]
async fn a_key_is_no_client() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let pair = pair(&app, USER).await;
    let both = format!("{}:{}", pair.api_key, pair.api_secret.expose());
    for name in ["get_token", "revoke_token", "introspect_token"] {
        let path = format!("/api/method/frappe.integrations.oauth2.{name}");
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let request = app
            .http()
            .post(&path)
            .header("Authorization", &basic(&both));
        let response = request.form(&form).send().await;
        assert_eq!(response.status, 401, "{name}");
        assert_eq!(response.member("error"), "invalid_client");
    }
    app.close().await;
}

#[tokio::test]
async fn an_own_key_ends_by_time_by_switch_and_by_address() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let mut ending = new_key(USER, "all");
    ending.expires_at = Some(app.ctx().await.now.plus_seconds(60));
    let ending = key(&app, ending).await;
    let mut elsewhere = new_key(USER, "all");
    elsewhere.restrict_ip = "203.0.113.0/24".to_owned();
    let elsewhere = key(&app, elsewhere).await;
    let mut off = new_key(USER, "all");
    off.enabled = false;
    let off = key(&app, off).await;
    assert_eq!(who(&app, &token(&ending)).await, USER);
    assert_refused(&with(&app, &token(&off)).send().await, "");
    assert_refused(
        &with(&app, &token(&elsewhere)).send().await,
        "Access not allowed from this IP Address",
    );
    app.clock.advance_seconds(60);
    assert_refused(&with(&app, &token(&ending)).send().await, "");
    app.close().await;
}

// spec: security.md, Clients, "Wrong credentials are rate limited per client and per address: 429
// with `Retry-After`"
#[tokio::test]
async fn guesses_are_answered_with_a_wait() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let right = pair(&app, USER).await;
    let other = key(&app, new_key(USER, "all")).await;
    let wrong = format!("token {}:wrong", right.api_key);
    for _ in 0..10 {
        assert_eq!(who(&app, &wrong).await, "401");
    }
    for header in [wrong, token(&right)] {
        let response = with(&app, &header).send().await;
        assert_eq!(response.status, 429);
        let wait: u32 = response.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert_eq!(response.json()["exc_type"], "TooManyRequestsError");
    }
    assert_eq!(who(&app, &token(&other)).await, USER);
    app.clock.advance_seconds(61);
    assert_eq!(who(&app, &token(&right)).await, USER);
    app.close().await;
}
