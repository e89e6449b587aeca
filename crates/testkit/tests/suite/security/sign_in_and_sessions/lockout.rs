//! Guessing passwords.

use crema_testkit::{App, ClientSpec, Http, Response, for_each_engine};
use tokio::task::JoinSet;

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

async fn login_from(http: &Http, address: &str, usr: &str, pwd: &str) -> Response {
    let request = http
        .post("/api/method/login")
        .header("X-Forwarded-For", address);
    request.form(&[("usr", usr), ("pwd", pwd)]).send().await
}

async fn limit(app: &App, attempts: u32, seconds: u32) {
    let (attempts, seconds) = (attempts.to_string(), seconds.to_string());
    app.set_settings(
        "System Settings",
        &[
            ("allow_consecutive_login_attempts", attempts.as_str()),
            ("allow_login_after_fail", seconds.as_str()),
        ],
    )
    .await;
}

fn assert_told_to_wait(response: &Response, at_most: u32) {
    assert_eq!(response.status, 429, "{}", response.text());
    let seconds: u32 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=at_most).contains(&seconds), "{seconds}");
    assert!(response.cookies().is_empty());
}

for_each_engine! {
    // spec: security.md, Sign-in and sessions, line 2: per user
    async fn a_user_is_locked_after_so_many_failures_from_anywhere(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        limit(&app, 3, 300).await;
        app.add_user("other@example.com", PASSWORD, &["Report Manager"]).await;
        let second = app.second_server().await;
        let http = [app.http(), second.http()];
        for (attempt, address) in ["192.0.2.1", "192.0.2.2", "2001:db8::3"].iter().enumerate() {
            let answer = login_from(&http[attempt % 2], address, USER, "wrong").await;
            assert_eq!(answer.status, 401);
        }
        // Also the right password, at both processes, however the name is written.
        for http in &http {
            for usr in [USER, "USER@Example.com", " user@example.com "] {
                assert_told_to_wait(&login_from(http, "192.0.2.9", usr, PASSWORD).await, 300);
            }
        }
        let page = http[0].post("/login").header("Accept", "text/html");
        let page = page.form(&[("usr", USER), ("pwd", PASSWORD)]).send().await;
        assert_told_to_wait(&page, 300);
        // Nobody else is.
        let other = login_from(&http[0], "192.0.2.9", "other@example.com", PASSWORD).await;
        assert_eq!(other.status, 200);
        app.clock.advance_seconds(299);
        assert_told_to_wait(&login_from(&http[1], "192.0.2.9", USER, PASSWORD).await, 1);
        app.clock.advance_seconds(1);
        assert_eq!(login_from(&http[1], "192.0.2.9", USER, PASSWORD).await.status, 200);
        assert_eq!(scene::audit(&app, "Lockout").await.len(), 1);
        second.stop().await;
        app.close().await;
    }

    // spec: security.md, Sign-in and sessions, line 2: per address
    async fn an_address_is_locked_whoever_it_tries(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        limit(&app, 3, 60).await;
        let second = app.second_server().await;
        let bad = "203.0.113.7";
        for usr in ["a@example.com", "b@example.com", "c@example.com"] {
            assert_eq!(login_from(&app.http(), bad, usr, "wrong").await.status, 401);
        }
        assert_told_to_wait(&login_from(&second.http(), bad, USER, PASSWORD).await, 60);
        assert_eq!(login_from(&second.http(), "203.0.113.8", USER, PASSWORD).await.status, 200);
        app.clock.advance_seconds(60);
        assert_eq!(login_from(&second.http(), bad, USER, PASSWORD).await.status, 200);
        // One right password does not wash away guesses at others.
        for usr in ["a@example.com", "b@example.com"] {
            assert_eq!(login_from(&app.http(), bad, usr, "wrong").await.status, 401);
        }
        assert_eq!(login_from(&app.http(), bad, USER, PASSWORD).await.status, 200);
        assert_eq!(login_from(&app.http(), bad, "d@example.com", "wrong").await.status, 401);
        assert_told_to_wait(&login_from(&app.http(), bad, USER, PASSWORD).await, 60);
        second.stop().await;
        app.close().await;
    }

    // spec: security.md, Sign-in and sessions, lines 2 and 3: counters live in the database
    async fn many_guesses_at_once_are_not_more_guesses(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        limit(&app, 5, 60).await;
        let second = app.second_server().await;
        let mut guesses = JoinSet::new();
        for number in 0..30 {
            let http = if number % 2 == 0 { app.http() } else { second.http() };
            guesses.spawn(async move {
                let address = format!("192.0.2.{number}");
                login_from(&http, &address, USER, "wrong").await.status
            });
        }
        let statuses = guesses.join_all().await;
        let looked_at = statuses.iter().filter(|status| **status == 401).count();
        let told_to_wait = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(looked_at, 5, "{statuses:?}");
        assert_eq!(told_to_wait, 25, "{statuses:?}");
        second.stop().await;
        app.close().await;
    }

    // spec: security.md, Sign-in and sessions, line 2: consecutive
    async fn a_right_password_begins_the_count_anew(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        limit(&app, 3, 60).await;
        let http = app.http();
        for _ in 0..3 {
            for _ in 0..2 {
                assert_eq!(login_from(&http, "192.0.2.1", USER, "wrong").await.status, 401);
            }
            assert_eq!(login_from(&http, "192.0.2.1", USER, PASSWORD).await.status, 200);
        }
        app.close().await;
    }
}

// spec: security.md, Sign-in and sessions, line 2: the password grant counts too
#[tokio::test]
async fn the_password_grant_is_no_way_round_the_lock() {
    let app = scene::start().await;
    limit(&app, 3, 60).await;
    let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code password");
    let client = app.add_client(spec).await;
    let grant = |password: &'static str| {
        [
            ("grant_type", "password"),
            ("username", USER),
            ("password", password),
        ]
    };
    for _ in 0..3 {
        let answer = app.http().token(&client, &grant("wrong")).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_grant")
        );
    }
    let locked = app.http().token(&client, &grant(PASSWORD)).await;
    assert_told_to_wait(&locked, 60);
    assert!(
        !locked.error().is_empty(),
        "an OAuth error beside: {}",
        locked.text()
    );
    assert_told_to_wait(&app.visitor().try_login(USER, PASSWORD).await, 60);
    app.clock.advance_seconds(60);
    assert_eq!(
        app.http().token(&client, &grant(PASSWORD)).await.status,
        200
    );
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 2: as settings say
#[tokio::test]
async fn a_new_site_locks_after_ten_failures_for_a_minute() {
    let app = scene::start().await;
    for _ in 0..10 {
        assert_eq!(app.visitor().try_login(USER, "wrong").await.status, 401);
    }
    assert_told_to_wait(&app.visitor().try_login(USER, PASSWORD).await, 60);
    app.clock.advance_seconds(60);
    app.visitor().login(USER, PASSWORD).await;
    app.close().await;
}
