//! `id_token_hint`, `login_hint`, `ui_locales`, `acr_values`.
// spec: OpenID Connect Core §3.1.2.1

use super::*;

#[tokio::test]
async fn a_login_hint_fills_in_the_name() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut guest = app.visitor();
    let hint = "\"><b>user@example.com";
    let answer = ask(&mut guest, &client, &[("login_hint", hint)]).await;
    let page = guest.get(answer.location().unwrap()).await;
    assert!(
        page.text()
            .contains("value=\"&#34;&#62;&#60;b&#62;user@example.com\""),
        "{}",
        page.text()
    );
    app.close().await;
}

#[tokio::test]
async fn a_hint_of_the_signed_in_user_is_satisfied() {
    let app = app().await;
    for algorithm in ["RS256", "HS256", "ES256"] {
        let client = spec().with("id_token_signed_response_alg", algorithm);
        let client = app.add_client(client).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let tokens = allow(&app, &mut visitor, &client, &[]).await;
        // An expired one still says who.
        app.clock.advance_seconds(7200);
        let id_token = tokens.id_token.unwrap();
        let hint = ("id_token_hint", id_token.as_str());
        code(
            &app,
            &ask(&mut visitor, &client, &[hint, ("prompt", "none")]).await,
        );
        assert!(asks(&ask(&mut visitor, &client, &[hint]).await));

        let mut other = app.signed_in(OTHER, PASSWORD).await;
        allow(&app, &mut other, &client, &[]).await;
        let answer = ask(&mut other, &client, &[hint, ("prompt", "none")]).await;
        assert_eq!(error(&app, &answer), "login_required");
    }
    app.close().await;
}

#[tokio::test]
async fn a_hint_of_somebody_else_leads_to_the_sign_in_once() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let id_token = allow(&app, &mut visitor, &client, &[])
        .await
        .id_token
        .unwrap();
    let hint = [("id_token_hint", id_token.as_str())];

    let mut other = app.signed_in(OTHER, PASSWORD).await;
    let answer = ask(&mut other, &client, &hint).await;
    let answer = sign_in(&app, &mut other, &answer, USER).await;
    code(&app, &answer);

    // Nobody goes in circles: whoever insists on another account is told no.
    let mut other = app.signed_in(OTHER, PASSWORD).await;
    let answer = ask(&mut other, &client, &hint).await;
    let answer = sign_in(&app, &mut other, &answer, OTHER).await;
    assert_eq!(error(&app, &answer), "login_required");
    app.close().await;
}

#[tokio::test]
async fn a_hint_that_says_nothing_does_not_lock_anybody_out() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let other_client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let foreign = allow(&app, &mut visitor, &other_client, &[])
        .await
        .id_token
        .unwrap();
    let own = allow(&app, &mut visitor, &client, &[])
        .await
        .id_token
        .unwrap();
    let (signed, _) = own.rsplit_once('.').unwrap();
    let forged = format!("{signed}.AAAA");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", own.split('.').nth(1).unwrap());
    for hint in [foreign.as_str(), &forged, &unsigned, "not a token", "a.b.c"] {
        let hint = ("id_token_hint", hint);
        let answer = ask(&mut visitor, &client, &[hint, ("prompt", "none")]).await;
        assert_eq!(error(&app, &answer), "login_required", "{hint:?}");
        let answer = ask(&mut visitor, &client, &[hint]).await;
        code(&app, &sign_in(&app, &mut visitor, &answer, USER).await);
    }
    app.close().await;
}

#[tokio::test]
async fn ui_locales_choose_the_language() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let (mut guest, mut visitor) = (app.visitor(), app.signed_in(USER, PASSWORD).await);
    for (locales, lang) in [
        ("ar", "<html lang=\"ar\" dir=\"rtl\">"),
        ("fr de-AT en", "<html lang=\"de\" dir=\"ltr\">"),
        ("tlh", "<html lang=\"en\" dir=\"ltr\">"),
        ("", "<html lang=\"en\" dir=\"ltr\">"),
    ] {
        let changes = [("ui_locales", locales)];
        let page = ask(&mut visitor, &client, &changes).await;
        assert!(asks(&page) && page.text().contains(lang), "{locales}");
        let answer = ask(&mut guest, &client, &changes).await;
        let page = guest.get(answer.location().unwrap()).await;
        assert!(page.text().contains(lang), "{locales}");
    }
    // So do pages about requests that cannot be answered at all.
    let errors = [("ui_locales", "ar"), ("client_id", "unknown")];
    let page = ask(&mut visitor, &client, &errors).await;
    assert_eq!(page.status, 400);
    let text = page.text();
    assert!(text.contains("<html lang=\"ar\" dir=\"rtl\">"), "{text}");
    assert!(
        text.contains("طلب غير مفهوم") && text.contains("invalid_request: "),
        "{text}"
    );
    app.close().await;
}

// What cannot be offered is not promised: the class of a sign-in by password is answered.
#[tokio::test]
async fn acr_values_are_wishes() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for wish in ["1", "phr phrh", "0 1"] {
        let answer = ask(&mut visitor, &client, &[("acr_values", wish)]).await;
        let about = id_token(&app, &client, &answer).await;
        assert_eq!(about["acr"], "1");
        assert_eq!(about["amr"], serde_json::json!(["pwd"]));
    }
    app.close().await;
}

// spec: http.md, authorize, "`display`, `claims_locales` and unknown parameters are accepted"
#[tokio::test]
async fn what_is_not_known_is_ignored() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let unknown = [
        ("display", "popup"),
        ("claims_locales", "de"),
        ("registration", "x"),
        ("x", "y"),
    ];
    code(&app, &ask(&mut visitor, &client, &unknown).await);
    app.close().await;
}

// spec: http.md, authorize; OpenID Connect Core §6.1, §6.2
#[tokio::test]
async fn request_objects_are_refused_by_name() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut guest = app.visitor();
    for (name, value, expected) in [
        (
            "request",
            "eyJhbGciOiJub25lIn0.e30.",
            "request_not_supported",
        ),
        (
            "request_uri",
            "https://client.example/request",
            "request_uri_not_supported",
        ),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "request_uri_not_supported",
        ),
    ] {
        let answer = ask(&mut guest, &client, &[(name, value)]).await;
        assert_eq!(error(&app, &answer), expected);
    }
    let metadata = app
        .http()
        .get("/.well-known/openid-configuration")
        .send()
        .await
        .json();
    assert_eq!(metadata["request_parameter_supported"], false);
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    app.close().await;
}
