//! Who the user is, who the client is, and where the answer goes.

use crema_auth::client;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{App, ClientSpec, Redirect, Response, TestClient, Visitor};

use crate::security::scene::{self, REDIRECT, USER};

fn assert_shown(response: &Response) {
    assert_eq!(response.status, 400, "{}", response.text());
    assert_eq!(response.location(), None);
}

async fn ask_with(visitor: &mut Visitor, client: &TestClient, redirect_uri: &str) -> Response {
    scene::authorize(visitor, client, &[("redirect_uri", redirect_uri)]).await
}

// spec: security.md, Authorization endpoint, line 1
#[tokio::test]
async fn the_user_comes_from_the_session_alone() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    for (name, value) in [
        ("user_id", "Administrator"),
        ("full_name", "Administrator"),
        ("system_user", "yes"),
        ("user", "Administrator"),
    ] {
        visitor.cookies.insert(name.to_owned(), value.to_owned());
    }
    let claims = [
        ("scope", "openid"),
        ("user", "Administrator"),
        ("user_id", "Administrator"),
        ("sub", "Administrator"),
    ];
    let page = scene::authorize(&mut visitor, &client, &claims).await;
    assert!(page.text().contains(&format!("<bdi>{USER}</bdi>")));
    assert!(!page.text().contains("<bdi>Administrator"));
    let redirect = Redirect::of(&visitor.decide(&page, "allow").await);
    let tokens = app
        .http()
        .redeem(&client, redirect.param("code"), &[])
        .await
        .tokens();
    let who = app.http().logged_user(&tokens.access_token).await;
    assert_eq!(who.json()["message"], USER);

    // Cookies without a session are nobody.
    visitor.cookies.remove("sid");
    let guest = scene::authorize(&mut visitor, &client, &[]).await;
    assert!(scene::leads_to_login(&guest));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 2
#[tokio::test]
async fn redirect_uris_are_equal_byte_for_byte_or_nothing_redirects() {
    let app = scene::start().await;
    let registered = "https://client.example/cb?fixed=1\nhttps://other.example/a%2Fb\n\
                      https://xn--bcher-kva.example/cb";
    let spec =
        ClientSpec::new("https://client.example/cb?fixed=1").with("redirect_uris", registered);
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    for fine in registered.split('\n') {
        assert!(
            scene::asks(&ask_with(&mut visitor, &client, fine).await),
            "{fine}"
        );
    }
    for other in [
        "https://client.example/cb",
        "https://client.example/cb?fixed=1&more=2",
        "https://client.example/cb?fixed=2",
        "https://client.example/cb/?fixed=1",
        "https://client.example/cb/../cb?fixed=1",
        "https://client.example//cb?fixed=1",
        "https://client.example/CB?fixed=1",
        "https://CLIENT.example/cb?fixed=1",
        "HTTPS://client.example/cb?fixed=1",
        "https://client.example:443/cb?fixed=1",
        "https://client.example./cb?fixed=1",
        "https://user@client.example/cb?fixed=1",
        "https://client.example@evil.example/cb?fixed=1",
        "https://client.example.evil.example/cb?fixed=1",
        "https://evil.example/https://client.example/cb?fixed=1",
        "https://client.example/cb?fixed=1#",
        "https://client.example/cb?fixed=1#x",
        "https://client.example\\@evil.example/cb?fixed=1",
        "http://client.example/cb?fixed=1",
        "//client.example/cb?fixed=1",
        "/cb?fixed=1",
        " https://client.example/cb?fixed=1",
        "https://client.example/cb?fixed=1 ",
        "https://client.example/cb?fixed=1\n",
        "https://client.example/cb?fixed=1\t",
        "https://client.example/cb?fixed=1 https://other.example/a%2Fb",
        "https://other.example/a/b",
        "https://other.example/a%2fb",
        "https://b\u{fc}cher.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "*",
    ] {
        assert_shown(&ask_with(&mut visitor, &client, other).await);
        let denied = [
            ("redirect_uri", other),
            ("prompt", "none"),
            ("response_type", "x"),
        ];
        assert_shown(&scene::authorize(&mut visitor, &client, &denied).await);
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 2; RFC 8252 §7.3
#[tokio::test]
async fn only_the_port_of_a_loopback_host_may_differ() {
    let app = scene::start().await;
    let native = app
        .add_client(ClientSpec::public("http://127.0.0.1/cb").with(
            "redirect_uris",
            "http://127.0.0.1/cb http://[::1]:8080/cb https://127.0.0.1/tls",
        ))
        .await;
    let named = app
        .add_client(ClientSpec::public("http://localhost:1/cb"))
        .await;
    let web = app
        .add_client(ClientSpec::public("https://client.example:8443/cb"))
        .await;
    let mut visitor = scene::signed_in(&app).await;
    for (client, fine) in [
        (&native, "http://127.0.0.1/cb"),
        (&native, "http://127.0.0.1:1/cb"),
        (&native, "http://127.0.0.1:65535/cb"),
        (&native, "http://[::1]/cb"),
        (&native, "http://[::1]:9/cb"),
        (&native, "https://127.0.0.1/tls"),
        (&named, "http://localhost:2/cb"),
        (&named, "http://localhost/cb"),
    ] {
        assert!(
            scene::asks(&ask_with(&mut visitor, client, fine).await),
            "{fine}"
        );
    }
    for (client, other) in [
        // Registered with an address: `localhost` is not registered so.
        (&native, "http://localhost/cb"),
        (&native, "http://127.0.0.1:65536/cb"),
        (&native, "http://127.0.0.1:0/cb"),
        (&native, "http://127.0.0.1:x/cb"),
        (&native, "http://127.0.0.1:80@evil.example/cb"),
        (&native, "http://127.0.0.1.evil.example/cb"),
        (&native, "http://127.0.0.1:1/other"),
        (&native, "http://127.0.0.1:1/cb?x=1"),
        (&native, "http://127.0.0.2/cb"),
        (&native, "http://127.1/cb"),
        (&native, "http://2130706433/cb"),
        (&native, "http://[0:0:0:0:0:0:0:1]/cb"),
        (&native, "https://127.0.0.1:1/tls"),
        (&named, "http://127.0.0.1/cb"),
        (&named, "http://LOCALHOST:2/cb"),
        (&named, "http://localhost.evil.example:2/cb"),
        (&web, "https://client.example/cb"),
        (&web, "https://client.example:8444/cb"),
    ] {
        assert_shown(&ask_with(&mut visitor, client, other).await);
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 2
#[tokio::test]
async fn unknown_and_disabled_clients_get_a_page_or_json_and_never_a_redirect() {
    let app = scene::start().await;
    let disabled = scene::confidential(&app).await;
    client::set_enabled(
        &app.ctx().await,
        "Administrator",
        &disabled.client_id,
        false,
    )
    .await
    .unwrap();
    let known = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let id = known.client_id.as_str();
    let (upper, blank, longer) = (id.to_uppercase(), format!("{id} "), format!("{id}x"));
    let long = "x".repeat(3000);
    for client_id in [
        "unknown",
        "",
        "%",
        "_________",
        "' OR 1=1 --",
        &upper,
        &blank,
        &longer,
        &long,
        &disabled.client_id,
    ] {
        for prompt in ["", "none"] {
            let params = [
                ("client_id", client_id),
                ("redirect_uri", REDIRECT),
                ("response_type", "code"),
                ("state", "s"),
                ("prompt", prompt),
            ];
            let page = visitor.authorize(&params).await;
            assert_shown(&page);
            assert_eq!(page.media_type(), "text/html");
            // Guests too: nothing of the request is worth a sign-in.
            let json = app.http().get(AUTHORIZE).query(&params).send().await;
            assert_shown(&json);
            assert_eq!(json.error(), "invalid_request");
            assert_eq!(json.json()["status_code"], 400, "Frappe's members beside");
        }
    }
    app.close().await;
}

async fn without_redirect_uri(app: &App, client: &TestClient) -> Response {
    let mut visitor = scene::signed_in(app).await;
    scene::authorize(&mut visitor, client, &[("redirect_uri", "")]).await
}

// spec: security.md, Authorization endpoint, line 2
#[tokio::test]
async fn clients_that_registered_themselves_must_send_the_redirect_uri() {
    let app = scene::start().await;
    for spec in [
        ClientSpec::public(REDIRECT).dynamically_registered(),
        ClientSpec::new(REDIRECT).dynamically_registered(),
    ] {
        let client = app.add_client(spec).await;
        assert_shown(&without_redirect_uri(&app, &client).await);
        let mut visitor = scene::signed_in(&app).await;
        assert!(scene::asks(
            &scene::authorize(&mut visitor, &client, &[]).await
        ));
    }
    let record = scene::confidential(&app).await;
    assert!(scene::asks(&without_redirect_uri(&app, &record).await));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 2
#[tokio::test]
async fn the_click_is_checked_like_the_page() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let page = scene::authorize(&mut visitor, &client, &[]).await;
    let token = page.hidden_field("csrf_token").unwrap();
    let action = page.form_action("allow").unwrap();
    let form = [("csrf_token", token.as_str()), ("decision", "allow")];
    let encoded = "redirect_uri=https%3A%2F%2Fclient.example%2Fcb";
    assert!(action.contains(encoded), "{action}");
    let elsewhere = action.replace(encoded, "redirect_uri=https%3A%2F%2Fevil.example%2Fcb");
    assert_shown(&visitor.post(&elsewhere, &form).await);
    let unknown = action.replace(&client.client_id, "unknown");
    assert_shown(&visitor.post(&unknown, &form).await);
    // A second redirect URI in the body is a repeated parameter.
    let mut doubled = form.to_vec();
    doubled.push(("redirect_uri", "https://evil.example/cb"));
    assert_shown(&visitor.post(&action, &doubled).await);
    let fine = visitor.post(&action, &form).await;
    assert!(fine.location().unwrap().starts_with(REDIRECT));
    app.close().await;
}
