//! Findings 1 to 17: codes, tokens, clients, consent.

use crema_auth::user;
use crema_testkit::flow::method;
use crema_testkit::{ClientSpec, VERIFIER, for_each_engine};
use serde_json::json;
use tokio::task::JoinSet;

use crate::security::scene::{self, PASSWORD, REDIRECT, USER, call, is_alive};

// spec: behaviour.md, finding 1
#[tokio::test]
async fn finding_01_a_cookie_does_not_choose_the_user_of_a_code() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let page = scene::authorize(&mut visitor, &client, &[]).await;
    for victim in ["Administrator", "no-user"] {
        visitor
            .cookies
            .insert("user_id".to_owned(), victim.to_owned());
        let redirect = crema_testkit::Redirect::of(&visitor.decide(&page, "allow").await);
        let mut with_cookie = visitor.clone();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", redirect.param("code")),
            ("redirect_uri", REDIRECT),
        ];
        let request = app.http().client_request("get_token", &client, &form);
        let tokens = with_cookie.send(request).await.tokens();
        let who = app.http().logged_user(&tokens.access_token).await;
        assert_eq!(who.json()["message"], USER);
    }
    app.close().await;
}

// spec: behaviour.md, finding 2
#[tokio::test]
async fn finding_02_a_filter_as_a_token_extracts_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let begin = format!("{}%", &tokens.access_token[..1]);
    for filter in [
        json!(["like", begin]),
        json!(["!=", "x"]),
        json!({"access_token": ["like", "%"]}),
    ] {
        let guest = app.http().post(&method("introspect_token"));
        let guest = guest.json(&json!({"token": filter})).send().await;
        assert_eq!(guest.status, 400, "{}", guest.text());
        let as_text = filter.to_string();
        let known = app.http().introspect(&client, &as_text).await;
        assert_eq!(known.json(), json!({"active": false}));
        assert!(!known.text().contains(USER));
    }
    app.close().await;
}

// spec: behaviour.md, finding 3
#[tokio::test]
async fn finding_03_client_secrets_are_verified_and_basic_works() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    let code = scene::code(&app, &client, "openid").await;
    for secret in ["", "wrong"] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("client_id", client.client_id.as_str()),
            ("client_secret", secret),
        ];
        let refused = call(&http, "get_token", &form).send().await;
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (401, "invalid_client")
        );
    }
    let tokens = http.redeem(&client, &code, &[]).await.tokens();
    assert!(is_alive(&http, &tokens.access_token).await);
    app.close().await;
}

// spec: behaviour.md, finding 4
#[tokio::test]
async fn finding_04_codes_expire() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let code = scene::code(&app, &client, "openid").await;
    app.clock.advance_seconds(61);
    let refused = app.http().redeem(&client, &code, &[]).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (400, "invalid_grant")
    );
    app.close().await;
}

for_each_engine! {
    // spec: behaviour.md, finding 5
    async fn finding_05_parallel_redemptions_do_not_both_succeed(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        for _ in 0..5 {
            let code = scene::code(app, &client, "openid").await;
            let mut both = JoinSet::new();
            for http in [app.http(), second.http()] {
                let (client, code) = (client.clone(), code.clone());
                both.spawn(async move { http.redeem(&client, &code, &[]).await.status });
            }
            let mut statuses = both.join_all().await;
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400]);
        }
        second.stop().await;
    }

    // spec: behaviour.md, finding 16
    async fn finding_16_case_and_trailing_blanks_count(app: &App) {
        scene::add_user(app).await;
        let client = scene::public(app).await;
        let http = app.http();
        let code = scene::code(app, &client, "openid").await;
        let upper = code.to_uppercase();
        let blank = format!("{code} ");
        for other in [&upper, &blank] {
            assert_eq!(http.redeem(&client, other, &[]).await.error(), "invalid_grant");
        }
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        for other in [tokens.access_token.to_lowercase(), format!("{} ", tokens.access_token)] {
            assert_eq!(http.introspect(&client, &other).await.json(), json!({"active": false}));
        }
        for other in [tokens.refresh_token.to_lowercase(), format!("{} ", tokens.refresh_token)] {
            assert_eq!(http.refresh(&client, &other).await.error(), "invalid_grant");
        }
        for other in [client.client_id.to_uppercase(), format!("{} ", client.client_id)] {
            let form = [("client_id", other.as_str()), ("token", "x")];
            let refused = call(&http, "revoke_token", &form).send().await;
            assert_eq!(refused.error(), "invalid_client");
        }
    }

    // spec: behaviour.md, finding 17
    async fn finding_17_nothing_lies_in_the_database_in_clear(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let pending = scene::code(app, &client, "openid").await;
        let tokens = scene::tokens(app, &client, "openid").await;
        let dump = scene::dump(app).await;
        for secret in [
            pending.as_str(), &tokens.access_token, &tokens.refresh_token, client.secret(), PASSWORD,
        ] {
            assert!(!dump.contains(secret));
        }
    }
}

// spec: behaviour.md, finding 6
#[tokio::test]
async fn finding_06_reuse_of_a_code_revokes_the_tokens() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let code = scene::code(&app, &client, "openid").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    assert_eq!(
        app.http().redeem(&client, &code, &[]).await.error(),
        "invalid_grant"
    );
    assert!(!is_alive(&app.http(), &tokens.access_token).await);
    app.close().await;
}

// spec: behaviour.md, finding 7
#[tokio::test]
async fn finding_07_the_redirect_uri_is_bound_to_the_code() {
    let app = scene::start().await;
    let other = "https://client.example/other";
    let spec = ClientSpec::new(REDIRECT).with("redirect_uris", &format!("{REDIRECT} {other}"));
    let client = app.add_client(spec).await;
    for sent in [other, ""] {
        let code = scene::code(&app, &client, "openid").await;
        let refused = app
            .http()
            .redeem(&client, &code, &[("redirect_uri", sent)])
            .await;
        assert_eq!(refused.error(), "invalid_grant");
    }
    app.close().await;
}

// spec: behaviour.md, finding 8
#[tokio::test]
async fn finding_08_pkce_is_needed_strong_and_cannot_be_guessed_at() {
    let app = scene::start().await;
    let client = scene::public(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    for changes in [
        [("code_challenge", ""), ("code_challenge_method", "")],
        [
            ("code_challenge", VERIFIER),
            ("code_challenge_method", "plain"),
        ],
        [("code_challenge", "abc"), ("code_challenge_method", "S256")],
    ] {
        let redirect = visitor.grant(&client, &changes).await;
        assert_eq!(redirect.param("error"), "invalid_request", "{changes:?}");
    }
    let code = visitor.code(&client, &[]).await;
    let guess = VERIFIER.replace('d', "x");
    let refused = app
        .http()
        .redeem(&client, &code, &[("code_verifier", &guess)])
        .await;
    assert_eq!(refused.error(), "invalid_grant");
    assert_eq!(
        app.http().redeem(&client, &code, &[]).await.error(),
        "invalid_grant"
    );
    app.close().await;
}

// spec: behaviour.md, finding 9
#[tokio::test]
async fn finding_09_refresh_tokens_rotate_belong_to_a_client_and_end() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let other = scene::confidential(&app).await;
    let old = scene::tokens(&app, &client, "openid").await;
    assert_eq!(
        app.http().refresh(&other, &old.refresh_token).await.error(),
        "invalid_grant"
    );
    let new = app
        .http()
        .refresh(&client, &old.refresh_token)
        .await
        .tokens();
    assert!(!is_alive(&app.http(), &old.access_token).await);
    app.clock.advance_seconds(60);
    assert_eq!(
        app.http()
            .refresh(&client, &old.refresh_token)
            .await
            .error(),
        "invalid_grant"
    );
    assert!(
        !is_alive(&app.http(), &new.access_token).await,
        "replay is detected"
    );
    let idle = scene::tokens(&app, &client, "openid").await;
    app.clock.advance_seconds(31 * 86_400);
    assert_eq!(
        app.http()
            .refresh(&client, &idle.refresh_token)
            .await
            .error(),
        "invalid_grant"
    );
    app.close().await;
}

// spec: behaviour.md, finding 10
#[tokio::test]
async fn finding_10_a_link_grants_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let params = client.authorization(&[]);
    let pairs: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let link = visitor.http().get(&method("approve")).query(&pairs);
    let answer = visitor
        .send(link.header("Sec-Fetch-Site", "cross-site"))
        .await;
    assert_eq!((answer.status, answer.location()), (405, None));
    let form = visitor.http().post(&method("approve")).form(&pairs);
    let answer = visitor.send(form).await;
    assert_eq!((answer.status, answer.location()), (400, None));
    app.close().await;
}

// spec: behaviour.md, finding 11
#[tokio::test]
async fn finding_11_the_password_grant_is_closed_unless_a_client_has_it() {
    let app = scene::start().await;
    app.add_role("Auditor", true).await;
    let password = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
    ];
    for client in [scene::confidential(&app).await, scene::public(&app).await] {
        let refused = app.http().token(&client, &password).await;
        assert_eq!(refused.error(), "unauthorized_client");
    }
    let spec = ClientSpec::new(REDIRECT)
        .grant_types("authorization_code password")
        .with("allowed_roles", "Auditor");
    let restricted = app.add_client(spec).await;
    assert_eq!(
        app.http().token(&restricted, &password).await.error(),
        "invalid_grant"
    );
    app.close().await;
}

// spec: behaviour.md, finding 12
#[tokio::test]
async fn finding_12_introspection_and_revocation_need_authentication() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let other = scene::public(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let http = app.http();
    for endpoint in ["introspect_token", "revoke_token"] {
        for id in ["", client.client_id.as_str(), "unknown"] {
            let form = [("token", tokens.access_token.as_str()), ("client_id", id)];
            let refused = call(&http, endpoint, &form).send().await;
            assert_eq!(
                (refused.status, refused.error().as_str()),
                (401, "invalid_client")
            );
            assert!(!refused.text().contains(USER));
        }
    }
    assert_eq!(
        http.introspect(&other, &tokens.access_token).await.json(),
        json!({"active": false})
    );
    http.revoke(&other, &tokens.access_token).await;
    assert!(is_alive(&http, &tokens.access_token).await);
    app.clock.advance_seconds(3600);
    assert_eq!(
        http.introspect(&client, &tokens.access_token).await.json(),
        json!({"active": false})
    );
    app.close().await;
}

// spec: behaviour.md, finding 13
#[tokio::test]
async fn finding_13_a_refresh_token_is_revoked_without_a_hint() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    assert_eq!(
        app.http()
            .revoke(&client, &tokens.refresh_token)
            .await
            .status,
        200
    );
    assert_eq!(
        app.http()
            .refresh(&client, &tokens.refresh_token)
            .await
            .error(),
        "invalid_grant"
    );
    assert!(!is_alive(&app.http(), &tokens.access_token).await);
    app.close().await;
}

// spec: behaviour.md, finding 14
#[tokio::test]
async fn finding_14_a_disabled_users_tokens_are_dead() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    user::disable(&app.ctx().await, "Administrator", USER)
        .await
        .unwrap();
    assert!(!is_alive(&app.http(), &tokens.access_token).await);
    assert_eq!(
        app.http()
            .refresh(&client, &tokens.refresh_token)
            .await
            .error(),
        "invalid_grant"
    );
    app.close().await;
}

// spec: behaviour.md, finding 15
#[tokio::test]
async fn finding_15_scopes_limit_and_changing_the_client_does_not_end_tokens() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let without_openid = scene::tokens(&app, &client, "all").await;
    assert_eq!(
        app.http()
            .userinfo(&without_openid.access_token)
            .await
            .status,
        403
    );
    let tokens = scene::tokens(&app, &client, "openid all").await;
    app.change_client(&client, &[("scopes", "openid")]).await;
    assert!(is_alive(&app.http(), &tokens.access_token).await);
    assert_eq!(app.http().userinfo(&tokens.access_token).await.status, 200);
    app.close().await;
}
