//! `prompt=login`, `max_age` and the one-time handle.

use crema_testkit::flow::claims;
use crema_testkit::{App, Redirect, Response, TestClient, for_each_engine};

use crate::security::scene::{self, asks, authorize, leads_to_login, sign_in_and_return};

/// The ID token that the code of this redirect gives.
async fn auth_time(app: &App, client: &TestClient, answer: &Response) -> i64 {
    let redirect = Redirect::of(answer);
    let code = redirect.param("code");
    let tokens = app.http().redeem(client, code, &[]).await.tokens();
    claims(&tokens.id_token.unwrap())["auth_time"]
        .as_i64()
        .unwrap()
}

for_each_engine! {
    // spec: security.md, Authorization endpoint, line 5
    async fn prompt_login_is_fulfilled_by_a_later_sign_in_and_by_nothing_else(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let mut visitor = scene::signed_in(app).await;
        let began = scene::now(app);
        let changes = [("scope", "openid"), ("prompt", "login")];
        app.clock.advance_seconds(5);
        let demanded = authorize(&mut visitor, &client, &changes).await;
        assert!(leads_to_login(&demanded));
        let back = visitor.sent_to_login(&demanded);

        // Coming back without having signed in leads to the form again, and the form is shown
        // although there is a session: nobody loops.
        let again = visitor.get(&back).await;
        assert!(leads_to_login(&again));
        let form = visitor.get(again.location().unwrap()).await;
        assert!(form.text().contains("login_email"));

        // At another process, where the handle is known as well.
        let second = app.second_server().await;
        let mut elsewhere = visitor.at(second.http());
        app.clock.advance_seconds(5);
        let host = |text: &str| text.replace(&app.issuer(), &second.http().origin());
        let to = host(&back);
        let params = [("usr", scene::USER), ("pwd", scene::PASSWORD), ("redirect-to", to.as_str())];
        let signed_in = elsewhere.post("/login", &params).await;
        let page = elsewhere.get(signed_in.location().unwrap()).await;
        assert!(asks(&page), "{page:?}");
        let granted = elsewhere.decide(&page, "allow").await;
        assert_eq!(auth_time(app, &client, &granted).await, began + 10);

        // The handle works once.
        let reused = elsewhere.get(signed_in.location().unwrap()).await;
        assert!(leads_to_login(&reused));
        let reused = elsewhere.decide(&page, "allow").await;
        assert!(!Redirect::of(&reused).params.contains_key("code"), "{reused:?}");
        second.stop().await;
    }

    // spec: security.md, Authorization endpoint, line 5
    async fn max_age_demands_a_sign_in_that_is_young_enough(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let mut visitor = scene::signed_in(app).await;
        let changes = [("scope", "openid"), ("max_age", "60")];
        app.clock.advance_seconds(60);
        assert!(asks(&authorize(&mut visitor, &client, &changes).await));
        app.clock.advance_seconds(1);
        let demanded = authorize(&mut visitor, &client, &changes).await;
        let silent = [("scope", "openid"), ("max_age", "60"), ("prompt", "none")];
        let refused = Redirect::of(&authorize(&mut visitor, &client, &silent).await);
        assert_eq!(refused.param("error"), "login_required");
        app.clock.advance_seconds(1);
        let page = sign_in_and_return(&mut visitor, &demanded).await;
        assert!(asks(&page));
        // Long at the page: the sign-in that was demanded still counts.
        app.clock.advance_seconds(300);
        let granted = visitor.decide(&page, "allow").await;
        let now = scene::now(app);
        assert_eq!(auth_time(app, &client, &granted).await, now - 300);
    }
}

// spec: security.md, Authorization endpoint, line 5; OpenID Connect Core §3.1.2.1
#[tokio::test]
async fn max_age_zero_is_prompt_login() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let changes = [("scope", "openid"), ("max_age", "0")];
    // Within the second of the sign-in, too.
    let demanded = authorize(&mut visitor, &client, &changes).await;
    assert!(leads_to_login(&demanded));
    app.clock.advance_seconds(1);
    let page = sign_in_and_return(&mut visitor, &demanded).await;
    assert!(asks(&page));
    let silent = [("scope", "openid"), ("max_age", "0"), ("prompt", "none")];
    let refused = Redirect::of(&authorize(&mut visitor, &client, &silent).await);
    assert_eq!(refused.param("error"), "login_required");
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 5
#[tokio::test]
async fn a_handle_is_for_its_own_request_and_cannot_be_made_up() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let changes = [("scope", "all"), ("prompt", "login")];
    let demanded = authorize(&mut visitor, &client, &changes).await;
    let back = visitor.sent_to_login(&demanded);
    assert!(back.contains("login_handle="), "{back}");
    app.clock.advance_seconds(1);
    visitor.login(scene::USER, scene::PASSWORD).await;

    let wider = back.replace("scope=all", "scope=all%20openid");
    assert_ne!(wider, back);
    assert!(leads_to_login(&visitor.get(&wider).await));
    for handle in ["", "x", "%25"] {
        let (request, _) = back.split_once("&login_handle=").unwrap();
        let forged = format!("{request}&login_handle={handle}");
        assert!(leads_to_login(&visitor.get(&forged).await), "{forged}");
    }
    // Sent twice it is a repeated parameter.
    let doubled = format!("{back}&login_handle=x");
    assert_eq!(
        Redirect::of(&visitor.get(&doubled).await).param("error"),
        "invalid_request"
    );
    assert!(asks(&visitor.get(&back).await));

    // It does not last: the way to the page is not open for ever.
    app.clock.advance_seconds(3600);
    assert!(leads_to_login(&visitor.get(&back).await));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 5
#[tokio::test]
async fn select_account_and_a_hint_at_somebody_else_ask_for_a_sign_in_too() {
    let app = scene::start().await;
    app.add_user("other@example.com", scene::PASSWORD, &["Report Manager"])
        .await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let hint = tokens.id_token.unwrap();
    let mut visitor = scene::signed_in(&app).await;
    let select = [("prompt", "select_account")];
    let demanded = authorize(&mut visitor, &client, &select).await;
    app.clock.advance_seconds(1);
    assert!(asks(&sign_in_and_return(&mut visitor, &demanded).await));
    let own = [("id_token_hint", hint.as_str())];
    assert!(asks(&authorize(&mut visitor, &client, &own).await));

    let mut other = app.signed_in("other@example.com", scene::PASSWORD).await;
    assert!(leads_to_login(&authorize(&mut other, &client, &own).await));
    let silent = [("id_token_hint", hint.as_str()), ("prompt", "none")];
    let refused = Redirect::of(&authorize(&mut other, &client, &silent).await);
    assert_eq!(refused.param("error"), "login_required");
    // A hint that nobody signed says nothing, whoever it names.
    let parts: Vec<&str> = hint.split('.').collect();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    for forged in ["x", unsigned.as_str(), &format!("{hint}x")] {
        let silent = [("id_token_hint", forged), ("prompt", "none")];
        let refused = Redirect::of(&authorize(&mut visitor, &client, &silent).await);
        assert_eq!(refused.param("error"), "login_required", "{forged}");
    }
    app.close().await;
}
