//! `prompt`: what has to be asked, and what must not be.
// spec: OpenID Connect Core §3.1.2.1 and §3.1.2.3; security.md, Authorization endpoint

use super::*;

#[tokio::test]
async fn none_without_a_session_is_login_required() {
    let app = app().await;
    let client = app.add_client(implicit()).await;
    let none = ("prompt", "none");
    let mut guest = app.visitor();
    assert_eq!(
        error(&app, &ask(&mut guest, &client, &[none]).await),
        "login_required"
    );
    let answer = ask(&mut guest, &client, &[none, ("response_mode", "fragment")]).await;
    assert!(Redirect::of(&answer).in_fragment);
    assert_eq!(error(&app, &answer), "login_required");
    // A session that has ended is none.
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    app.clock.advance_seconds(31 * 86_400);
    assert_eq!(
        error(&app, &ask(&mut visitor, &client, &[none]).await),
        "login_required"
    );
    app.close().await;
}

#[tokio::test]
async fn none_with_a_session_needs_a_consent_that_covers_the_request() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let none = ("prompt", "none");
    let wide = ("scope", "openid profile email");
    assert_eq!(
        error(&app, &ask(&mut visitor, &client, &[none, wide]).await),
        "consent_required"
    );

    allow(&app, &mut visitor, &client, &[wide]).await;
    for scope in ["openid profile email", "openid email", "openid"] {
        let answer = ask(&mut visitor, &client, &[none, ("scope", scope)]).await;
        let about = id_token(&app, &client, &answer).await;
        assert_eq!(about["auth_time"], now(&app));
    }
    for more in [
        ("scope", "openid roles"),
        ("scope", "all"),
        ("resource", &app.issuer()),
    ] {
        let answer = ask(&mut visitor, &client, &[none, wide, more]).await;
        let answer = match more.0 {
            "scope" => ask(&mut visitor, &client, &[none, more]).await,
            _ => answer,
        };
        assert_eq!(error(&app, &answer), "consent_required", "{more:?}");
    }
    // It is the user's own, and for this client.
    let mut other = app.signed_in(OTHER, PASSWORD).await;
    assert_eq!(
        error(&app, &ask(&mut other, &client, &[none, wide]).await),
        "consent_required"
    );
    let stranger = app.add_client(spec()).await;
    let answer = ask(&mut visitor, &stranger, &[none, wide]).await;
    assert_eq!(error(&app, &answer), "consent_required");
    app.close().await;
}

// spec: security.md, "`prompt=none` succeeds when it covers the request, except for custom
// schemes and loopback"; RFC 8252 §8.6
#[tokio::test]
async fn none_never_succeeds_where_another_app_could_listen() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for redirect_uri in [
        "http://127.0.0.1:4000/cb",
        "http://[::1]/cb",
        "com.example.app:/cb",
    ] {
        let client = app.add_client(ClientSpec::public(redirect_uri)).await;
        allow(&app, &mut visitor, &client, &[]).await;
        let answer = ask(&mut visitor, &client, &[("prompt", "none")]).await;
        assert_eq!(error(&app, &answer), "consent_required", "{redirect_uri}");
        assert!(
            asks(&ask(&mut visitor, &client, &[]).await),
            "{redirect_uri}"
        );
    }
    app.close().await;
}

#[tokio::test]
async fn none_with_anything_else_is_an_error() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for prompt in [
        "none login",
        "consent none",
        "none select_account",
        "none unheard_of",
    ] {
        let answer = ask(&mut visitor, &client, &[("prompt", prompt)]).await;
        assert_eq!(error(&app, &answer), "invalid_request", "{prompt}");
    }
    let answer = ask(&mut visitor, &client, &[("prompt", "none none")]).await;
    assert_eq!(error(&app, &answer), "consent_required");
    app.close().await;
}

#[tokio::test]
async fn login_shows_the_form_although_there_is_a_session() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for prompt in [
        "login",
        "select_account",
        "login select_account",
        "unheard_of login",
    ] {
        app.clock.advance_seconds(60);
        let answer = ask(&mut visitor, &client, &[("prompt", prompt)]).await;
        let back = visitor.sent_to_login(&answer);
        let answer = sign_in(&app, &mut visitor, &answer, USER).await;
        let about = id_token(&app, &client, &answer).await;
        assert_eq!(about["auth_time"], now(&app), "{prompt}");
        // Once: what was demanded then has been fulfilled, the next request demands anew.
        let again = visitor.get(&back).await;
        assert_ne!(visitor.sent_to_login(&again), back);
    }
    app.close().await;
}

#[tokio::test]
async fn login_can_bring_somebody_else() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let answer = ask(&mut visitor, &client, &[("prompt", "select_account")]).await;
    let answer = sign_in(&app, &mut visitor, &answer, OTHER).await;
    assert_eq!(id_token(&app, &client, &answer).await["email"], OTHER);
    app.close().await;
}

#[tokio::test]
async fn consent_asks_whatever_was_allowed_before() {
    let app = app().await;
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    allow(&app, &mut visitor, &client, &[]).await;
    assert!(asks(
        &ask(&mut visitor, &client, &[("prompt", "consent")]).await
    ));
    code(&app, &ask(&mut visitor, &client, &[("prompt", "")]).await);
    code(
        &app,
        &ask(&mut visitor, &client, &[("prompt", "unheard_of")]).await,
    );
    app.close().await;
}

#[tokio::test]
async fn login_and_consent_ask_one_after_the_other() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let answer = ask(&mut visitor, &client, &[("prompt", "consent login")]).await;
    let page = sign_in(&app, &mut visitor, &answer, USER).await;
    assert!(asks(&page));
    app.clock.advance_seconds(30);
    let answer = visitor.decide(&page, "allow").await;
    assert_eq!(
        id_token(&app, &client, &answer).await["auth_time"],
        now(&app) - 30
    );
    app.close().await;
}

// A guest signs in once, not twice.
#[tokio::test]
async fn a_guest_is_not_asked_twice() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    for demand in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("prompt", "select_account"),
    ] {
        let mut guest = app.visitor();
        let answer = ask(&mut guest, &client, &[demand]).await;
        let answer = sign_in(&app, &mut guest, &answer, USER).await;
        code(&app, &answer);
    }
    app.close().await;
}
