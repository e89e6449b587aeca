//! Signing in again: `max_age`, and the one-time handle that keeps everybody from looping.
// spec: security.md, Authorization endpoint, "`prompt=login` and `max_age` are remembered"

use crema_testkit::http::encode;
use crema_testkit::visitor::AUTHORIZE;

use super::*;

#[tokio::test]
async fn max_age_counts_from_the_last_sign_in() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let signed_in_at = now(&app);
    let old = ("max_age", "100");
    app.clock.advance_seconds(100);
    let about = id_token(&app, &client, &ask(&mut visitor, &client, &[old]).await).await;
    assert_eq!(about["auth_time"], signed_in_at);
    app.clock.advance_seconds(1);
    let silent = ask(&mut visitor, &client, &[old, ("prompt", "none")]).await;
    assert_eq!(error(&app, &silent), "login_required");
    let answer = ask(&mut visitor, &client, &[old]).await;
    let answer = sign_in(&app, &mut visitor, &answer, USER).await;
    assert_eq!(
        id_token(&app, &client, &answer).await["auth_time"],
        now(&app)
    );

    // spec: OpenID Connect Core §3.1.2.1: as prompt=login, also right after a sign-in
    let answer = ask(&mut visitor, &client, &[("max_age", "0")]).await;
    code(&app, &sign_in(&app, &mut visitor, &answer, USER).await);
    app.close().await;
}

#[tokio::test]
async fn max_age_is_a_number_of_seconds() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for max_age in ["-1", "1.5", "a minute", "+5", "99999999999999999999999"] {
        let answer = ask(&mut visitor, &client, &[("max_age", max_age)]).await;
        assert_eq!(error(&app, &answer), "invalid_request", "{max_age}");
    }
    let answer = ask(
        &mut visitor,
        &client,
        &[("max_age", "18446744073709551615")],
    )
    .await;
    code(&app, &answer);
    app.close().await;
}

// The page may be read for longer than max_age allows: the sign-in that was good enough when
// the page was shown has aged since.
#[tokio::test]
async fn allow_that_comes_late_leads_back_through_the_sign_in() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let page = ask(&mut visitor, &client, &[("max_age", "60")]).await;
    assert!(asks(&page));
    app.clock.advance_seconds(61);
    let answer = visitor.decide(&page, "allow").await;
    let page = sign_in(&app, &mut visitor, &answer, USER).await;
    assert!(asks(&page));
    app.clock.advance_seconds(61);
    code(&app, &visitor.decide(&page, "allow").await);
    app.close().await;
}

#[tokio::test]
async fn going_back_without_signing_in_changes_nothing() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let answer = ask(&mut visitor, &client, &[("prompt", "login")]).await;
    let back = visitor.sent_to_login(&answer);
    app.clock.advance_seconds(5);
    for _ in 0..3 {
        let answer = visitor.get(&back).await;
        assert!(visitor.sent_to_login(&answer).contains("login_handle="));
    }
    // The first page still works.
    code(&app, &sign_in(&app, &mut visitor, &answer, USER).await);
    app.close().await;
}

#[tokio::test]
async fn a_handle_is_for_its_request_only_and_for_an_hour() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let login = ("prompt", "login");
    let handle_of = |back: &str| {
        let (_, handle) = back.split_once("login_handle=").unwrap();
        handle.split('&').next().unwrap().to_owned()
    };
    let first = ask(&mut visitor, &client, &[login, ("state", "1")]).await;
    let handle = handle_of(&visitor.sent_to_login(&first));
    app.clock.advance_seconds(1);
    visitor.login(USER, PASSWORD).await;
    // Another request with the handle of the first one, and handles that a client made up.
    for handle in [handle.as_str(), "made-up", ""] {
        let changes = [login, ("state", "2"), ("login_handle", handle)];
        let answer = ask(&mut visitor, &client, &changes).await;
        assert!(visitor.sent_to_login(&answer).contains("login_handle="));
    }
    let changes = [login, ("state", "1"), ("login_handle", handle.as_str())];
    let redirect = Redirect::of(&ask(&mut visitor, &client, &changes).await);
    assert!(!redirect.param("code").is_empty(), "{redirect:?}");

    let late = ask(&mut visitor, &client, &[login]).await;
    let back = visitor.sent_to_login(&late);
    app.clock.advance_seconds(3600);
    visitor.login(USER, PASSWORD).await;
    let answer = visitor.get(&back).await;
    code(&app, &sign_in(&app, &mut visitor, &answer, USER).await);
    app.close().await;
}

#[tokio::test]
async fn the_sign_in_page_passes_those_on_who_need_not_sign_in() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let request = client.authorization(&[("prompt", "login")]);
    let pairs: Vec<_> = request
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let path = format!("{AUTHORIZE}?{}", encode(&pairs));
    // No handle yet: the authorization endpoint demands the sign-in, not whoever made the link.
    let page = visitor
        .get(&format!("/login?{}", encode(&[("redirect-to", &path)])))
        .await;
    assert_eq!((page.status, page.location()), (302, Some(path.as_str())));
    let page = visitor.get("/login").await;
    assert_eq!((page.status, page.location()), (302, Some("/me")));
    app.close().await;
}
