//! `state`, `iss`, repeated parameters, the order of checks, and tokens in addresses.

use crema_testkit::http::encode;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{ClientSpec, Redirect, VERIFIER};

use crate::security::scene::{self, REDIRECT};

/// States that break something where they are not handled as plain text.
const STATES: [&str; 12] = [
    "simple",
    "a b+c%20d&e=f?g#h/i\\j",
    "\"><script>alert(1)</script>",
    "'; DROP TABLE --",
    "\u{e9}\u{4e2d}\u{6587}\u{1f600}\u{202e}",
    "{\"csrf\":\"x\",\"next\":\"/a?b=c&d\"}",
    "line\nbreak\r\ncarriage\rtab\t",
    " leading and trailing ",
    "%zz%00%",
    "~`!@#$%^&*()_+-={}[]|\\:;<>,.?/",
    "&amp;&#38;&quot;",
    "\u{1}\u{7f}\u{80}\u{feff}",
];

// spec: security.md, Authorization endpoint, line 4: `state` byte-exact, `iss` always
#[tokio::test]
async fn state_comes_back_byte_for_byte_with_the_issuer() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let long = "s".repeat(4000);
    for state in STATES.into_iter().chain([long.as_str()]) {
        for mode in ["query", "fragment"] {
            let changes = [("state", state), ("response_mode", mode)];
            let allowed = visitor.grant(&client, &changes).await;
            assert_eq!(allowed.param("state"), state);
            assert_eq!(allowed.param("iss"), app.issuer());
            assert!(!allowed.param("code").is_empty());
        }
        let page = scene::authorize(&mut visitor, &client, &[("state", state)]).await;
        let denied = Redirect::of(&visitor.decide(&page, "deny").await);
        assert_eq!(denied.param("state"), state);
        let wrong = [("state", state), ("scope", "admin")];
        let wrong = Redirect::of(&scene::authorize(&mut visitor, &client, &wrong).await);
        assert_eq!(
            (wrong.param("state"), wrong.param("error")),
            (state, "invalid_scope")
        );
        assert_eq!(wrong.param("iss"), app.issuer());
        let form = [("state", state), ("response_mode", "form_post")];
        let page = scene::authorize(&mut visitor, &client, &form).await;
        let page = visitor.decide(&page, "allow").await;
        let (_, params) = scene::posted(&page);
        assert_eq!(
            (params["state"].as_str(), &params["iss"]),
            (state, &app.issuer())
        );
        // And all the way round by the sign-in page.
        let mut guest = app.visitor();
        let sent = scene::authorize(&mut guest, &client, &[("state", state)]).await;
        let back = guest.sent_to_login(&sent);
        guest.login(scene::USER, scene::PASSWORD).await;
        let page = guest.get(&back).await;
        let redirect = Redirect::of(&guest.decide(&page, "allow").await);
        assert_eq!(redirect.param("state"), state);
    }
    let none = visitor.grant(&client, &[("state", "")]).await;
    assert!(!none.params.contains_key("state"));
    assert_eq!(none.param("iss"), app.issuer());
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 4: repeated parameters
#[tokio::test]
async fn a_repeated_parameter_is_an_invalid_request_except_resource() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let params =
        client.authorization(&[("scope", "openid"), ("nonce", "n"), ("prompt", "consent")]);
    let once: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    for (name, value) in once.clone().into_iter().chain([("foo", "bar")]) {
        let mut twice = once.clone();
        twice.push((name, value));
        if name == "foo" {
            twice.push((name, value));
        }
        let answer = visitor.authorize(&twice).await;
        match name {
            // Which of the two would the error go to?
            "client_id" | "redirect_uri" => {
                assert_eq!((answer.status, answer.location()), (400, None), "{name}");
            }
            _ => {
                let redirect = Redirect::of(&answer);
                assert_eq!(redirect.param("error"), "invalid_request", "{name}");
                let state = if name == "state" { "" } else { "a state" };
                assert_eq!(redirect.param("state"), state, "{name}");
            }
        }
    }
    let issuer = app.issuer();
    let (slash, path) = (format!("{issuer}/"), format!("{issuer}/api"));
    let mut resources = once.clone();
    for resource in [&issuer, &slash, &path] {
        resources.push(("resource", resource));
    }
    assert!(scene::asks(&visitor.authorize(&resources).await));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 4: order of checks
#[tokio::test]
async fn client_and_redirect_uri_first_then_parameters_then_prompt_none_then_sign_in() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut guest = app.visitor();
    let everything = [
        ("scope", "admin"),
        ("prompt", "none"),
        ("redirect_uri", "https://evil.example/"),
    ];
    let answer = scene::authorize(&mut guest, &client, &everything).await;
    assert_eq!((answer.status, answer.location()), (400, None));
    let answer = scene::authorize(&mut guest, &client, &everything[..2]).await;
    assert_eq!(Redirect::of(&answer).param("error"), "invalid_scope");
    let answer = scene::authorize(&mut guest, &client, &everything[..1]).await;
    assert_eq!(Redirect::of(&answer).param("error"), "invalid_scope");
    let answer = scene::authorize(&mut guest, &client, &everything[1..2]).await;
    assert_eq!(Redirect::of(&answer).param("error"), "login_required");
    let answer = scene::authorize(&mut guest, &client, &[]).await;
    assert!(scene::leads_to_login(&answer));
    let back = guest.sent_to_login(&answer);
    assert!(
        back.contains(AUTHORIZE) && back.contains("state=a%20state"),
        "{back}"
    );
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 4: a challenge without a method means `plain`
#[tokio::test]
async fn a_challenge_without_a_method_means_plain() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).with("allow_plain_pkce", "1");
    let lenient = app.add_client(spec).await;
    let strict = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let bare = [("code_challenge", VERIFIER)];
    let refused = visitor.grant(&strict, &bare).await;
    assert_eq!(refused.param("error"), "invalid_request");
    let code = visitor.code(&lenient, &bare).await;
    let with = [("code_verifier", VERIFIER)];
    let answer = app.http().redeem(&lenient, &code, &with).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let uses = scene::audit(&app, "Legacy Switch").await;
    assert!(
        uses.iter()
            .any(|row| row.text(4).unwrap().contains("plain PKCE"))
    );
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 4: tokens are never put into a query
#[tokio::test]
async fn tokens_are_never_put_into_a_query() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code refresh_token implicit");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    for kind in [
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "code id_token token",
    ] {
        let changes = [("response_type", kind), ("scope", "openid"), ("nonce", "n")];
        let mut in_query = changes.to_vec();
        in_query.push(("response_mode", "query"));
        let refused = visitor.grant(&client, &in_query).await;
        assert_eq!(refused.param("error"), "invalid_request", "{kind}");
        assert_eq!(refused.params.len(), 4);
        let granted = visitor.grant(&client, &changes).await;
        assert!(granted.in_fragment, "{kind}");
        for (part, name) in [
            ("token", "access_token"),
            ("id_token", "id_token"),
            ("code", "code"),
        ] {
            let has = granted.params.contains_key(name);
            assert_eq!(
                has,
                kind.split(' ').any(|one| one == part),
                "{kind}: {granted:?}"
            );
        }
        assert!(!granted.params.contains_key("refresh_token"));
        let mut in_form = changes.to_vec();
        in_form.push(("response_mode", "form_post"));
        let page = scene::authorize(&mut visitor, &client, &in_form).await;
        let page = visitor.decide(&page, "allow").await;
        assert_eq!((page.status, page.location()), (200, None));
        assert!(!scene::posted(&page).0.contains('?'));
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 6: a POST to authorize is sent on to the GET
#[tokio::test]
async fn a_post_to_authorize_becomes_a_get_and_grants_nothing() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).with("skip_authorization", "1");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let params = client.authorization(&[("scope", "openid")]);
    let pairs: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    for path in [
        AUTHORIZE.to_owned(),
        format!("{AUTHORIZE}?{}", encode(&pairs[..1])),
    ] {
        let body = if path.contains('?') {
            &pairs[1..]
        } else {
            &pairs
        };
        let answer = visitor.post(&path, body).await;
        assert_eq!(answer.status, 303);
        let location = answer.location().unwrap().to_owned();
        assert!(location.starts_with(&format!("{AUTHORIZE}?")), "{location}");
        assert!(location.contains("state=a%20state"), "{location}");
        let codes = "SELECT count(*) FROM \"tabOAuth Authorization Code\"";
        let before = app.count(codes, vec![]).await;
        let followed = Redirect::of(&visitor.get(&location).await);
        assert!(!followed.param("code").is_empty());
        assert_eq!(app.count(codes, vec![]).await, before + 1);
    }
    app.close().await;
}
