//! Authorization codes.

use std::collections::HashSet;

use crema_testkit::{App, ClientSpec, Response, VERIFIER, for_each_engine};

use crate::security::scene::{self, REDIRECT, is_alive};

fn assert_not_valid(answer: &Response) {
    let seen = (answer.status, answer.error());
    assert_eq!(seen, (400, "invalid_grant".to_owned()), "{}", answer.text());
}

// spec: security.md, Codes and tokens, line 1: at least 256 bits
#[tokio::test]
async fn codes_and_tokens_have_256_bits_and_are_never_the_same() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let mut seen = HashSet::new();
    for _ in 0..10 {
        let code = visitor.code(&client, &[]).await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        let refreshed = app
            .http()
            .refresh(&client, &tokens.refresh_token)
            .await
            .tokens();
        for secret in [
            code,
            tokens.access_token,
            tokens.refresh_token,
            refreshed.access_token,
            refreshed.refresh_token,
        ] {
            assert!(
                secret.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{secret}"
            );
            assert!(secret.len() >= 43, "{secret}");
            assert!(seen.insert(secret));
        }
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 1: lives 60 s
#[tokio::test]
async fn a_code_lives_sixty_seconds() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[]).await;
    app.clock.advance_seconds(59);
    let answer = app.http().redeem(&client, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let code = visitor.code(&client, &[]).await;
    app.clock.advance_seconds(60);
    assert_not_valid(&app.http().redeem(&client, &code, &[]).await);
    app.close().await;
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 1: a second use revokes every token from the first
    async fn a_code_works_once_and_its_second_use_ends_what_the_first_gave(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let http = app.http();
        let second = app.second_server().await;
        let code = scene::code(app, &client, "openid").await;
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        let refreshed = http.refresh(&client, &tokens.refresh_token).await.tokens();
        let other = scene::tokens(app, &client, "openid").await;
        assert!(is_alive(&second.http(), &refreshed.access_token).await);

        assert_not_valid(&second.http().redeem(&client, &code, &[]).await);
        for http in [&http, &second.http()] {
            assert!(!is_alive(http, &tokens.access_token).await);
            assert!(!is_alive(http, &refreshed.access_token).await);
            assert_not_valid(&http.refresh(&client, &refreshed.refresh_token).await);
            assert_not_valid(&http.redeem(&client, &code, &[]).await);
            // What came from another code has nothing to do with it.
            assert!(is_alive(http, &other.access_token).await);
        }
        let reuse = scene::audit(app, "Code Reuse").await;
        assert_eq!(reuse[0].text(2).unwrap(), client.client_id);
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 1: another client neither burns nor revokes
    async fn another_clients_attempt_changes_nothing(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let stranger = scene::confidential(app).await;
        let public = scene::public(app).await;
        let http = app.http();
        let code = scene::code(app, &client, "openid").await;
        for other in [&stranger, &public] {
            assert_not_valid(&http.redeem(other, &code, &[]).await);
        }
        let mut guesser = client.clone();
        guesser.client_secret = Some("wrong".to_owned());
        assert_eq!(http.redeem(&guesser, &code, &[]).await.status, 401);
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        for other in [&stranger, &public] {
            assert_not_valid(&http.redeem(other, &code, &[]).await);
        }
        assert_eq!(http.redeem(&guesser, &code, &[]).await.status, 401);
        assert!(is_alive(&http, &tokens.access_token).await);
        assert_eq!(http.refresh(&client, &tokens.refresh_token).await.status, 200);
    }

    // spec: security.md, Codes and tokens, line 3: hashes of redeemed codes stay
    async fn reuse_is_recognised_whatever_clears_frappes_rows(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let code = scene::code(app, &client, "openid").await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        // Frappe's housekeeping, every hour.
        scene::force(app, "DELETE FROM \"tabOAuth Authorization Code\" WHERE validity = ?",
            vec!["Invalid".into()]).await;
        app.clock.advance_seconds(3000);
        assert_not_valid(&app.http().redeem(&client, &code, &[]).await);
        assert!(!is_alive(&app.http(), &tokens.access_token).await);
        assert_not_valid(&app.http().refresh(&client, &tokens.refresh_token).await);
    }
}

// spec: security.md, Codes and tokens, line 1: for the redirect_uri it was issued to
#[tokio::test]
async fn a_code_is_bound_to_the_redirect_uri_of_its_request() {
    let app = scene::start().await;
    let second = "https://client.example/second";
    let spec = ClientSpec::new(REDIRECT).with("redirect_uris", &format!("{REDIRECT} {second}"));
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    for wrong in [second, "https://evil.example/", &format!("{REDIRECT}/"), ""] {
        let code = visitor.code(&client, &[]).await;
        assert_not_valid(
            &app.http()
                .redeem(&client, &code, &[("redirect_uri", wrong)])
                .await,
        );
        // Burnt.
        assert_not_valid(&app.http().redeem(&client, &code, &[]).await);
    }
    // Not named in the request: it may be left out, or be the default one, and no other.
    for (sent, fine) in [("", true), (REDIRECT, true), (second, false)] {
        let code = visitor.code(&client, &[("redirect_uri", "")]).await;
        let answer = app
            .http()
            .redeem(&client, &code, &[("redirect_uri", sent)])
            .await;
        assert_eq!(answer.status == 200, fine, "{sent}: {}", answer.text());
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 1: for the challenge it was issued to
#[tokio::test]
async fn a_code_is_bound_to_the_challenge_of_its_request() {
    let app = scene::start().await;
    let client = scene::public(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let other = "another-verifier-of-forty-three-characters-.";
    let challenge = crema_testkit::challenge(other);
    let first = visitor.code(&client, &[]).await;
    let second = visitor
        .code(&client, &[("code_challenge", &challenge)])
        .await;
    let swapped = [("code_verifier", other)];
    assert_not_valid(&app.http().redeem(&client, &first, &swapped).await);
    assert_not_valid(
        &app.http()
            .redeem(&client, &second, &[("code_verifier", VERIFIER)])
            .await,
    );
    let third = visitor
        .code(&client, &[("code_challenge", &challenge)])
        .await;
    assert_eq!(
        app.http().redeem(&client, &third, &swapped).await.status,
        200
    );
    app.close().await;
}

async fn counts(app: &App) -> i64 {
    app.count("SELECT count(*) FROM \"tabOAuth Bearer Token\"", vec![])
        .await
}

// spec: security.md, Codes and tokens, line 1
#[tokio::test]
async fn what_is_no_code_gives_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let code = scene::code(&app, &client, "openid").await;
    let stored = crema_crypto::hash_hex(&code);
    let long = "x".repeat(4096);
    for wrong in ["x", "%", "' OR '1'='1", &stored, &code[1..], &long] {
        assert_not_valid(&app.http().redeem(&client, wrong, &[]).await);
    }
    let missing = app.http().redeem(&client, "", &[]).await;
    assert_eq!(missing.error(), "invalid_request");
    let longer = "x".repeat(4097);
    let too_long = app.http().redeem(&client, &longer, &[]).await;
    assert_eq!(too_long.error(), "invalid_request");
    let as_refresh = app.http().refresh(&client, &code).await;
    assert_not_valid(&as_refresh);
    assert_eq!(counts(&app).await, 0);
    assert_eq!(app.http().redeem(&client, &code, &[]).await.status, 200);
    app.close().await;
}
