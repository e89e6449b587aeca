//! Where a token is good that was asked for one resource.
// spec: RFC 8707 §2; standards.md, N, "resource per site and per MCP endpoint"; standards.md, U,
// "RS M validate audience"

use crema_testkit::flow::method;
use crema_testkit::{Redirect, for_each_engine};

use super::*;

/// What each of these is good for: `/mcp`, everything under `/api/`, v2 alone, calls at `/`.
const PLACES: [(&str, [bool; 4]); 8] = [
    ("", [true, true, true, true]),
    ("/", [true, true, true, true]),
    ("/mcp", [true, false, false, false]),
    ("/mcp/", [true, false, false, false]),
    ("/api", [false, true, true, false]),
    ("/api/v2", [false, false, true, false]),
    ("/api/resource/ToDo", [false, false, false, false]),
    ("/elsewhere", [false, false, false, false]),
];

async fn good_for(app: &App, token: &str) -> [bool; 4] {
    let v2 = "/api/v2/method/frappe.auth.get_logged_user";
    let command = "/?cmd=frappe.auth.get_logged_user";
    [
        opens_mcp(app, token).await,
        opens(app, WHO, token).await,
        opens_v2(app, v2, token).await,
        // Outside `/api/` an error is a page unless JSON is asked for.
        at_root(app, command, token).await,
    ]
}

async fn opens_v2(app: &App, path: &str, token: &str) -> bool {
    let answer = get(app, path, token).await;
    assert!(answer.status == 200 || answer.json()["errors"][0]["type"] == "AuthenticationError");
    answer.status == 200
}

async fn at_root(app: &App, path: &str, token: &str) -> bool {
    let request = app.http().get(path).bearer(token);
    let answer = request.header("Accept", "application/json").send().await;
    assert!(
        answer.status == 200 || answer.status == 401,
        "{}",
        answer.text()
    );
    answer.status == 200
}

for_each_engine! {
    async fn a_token_of_every_grant_is_good_for_its_resource_alone(app: &App) {
        prepare(app).await;
        let spec = ClientSpec::new(CALLBACK).with("user", USER);
        let grants = "authorization_code refresh_token password client_credentials";
        let client = app.add_client(spec.grant_types(grants)).await;
        let implicit = ClientSpec::new(CALLBACK).with("grant_type", "Implicit").with("response_type", "Token");
        let implicit = app.add_client(implicit).await;
        let http = app.http();
        let mcp = format!("{}/mcp", app.issuer());
        let expected = [true, false, false, false];

        let by_code = tokens(app, &client, &[("resource", &mcp)]).await;
        let refreshed = refresh(app, &client, &by_code, &[]).await.tokens();
        let password = [
            ("grant_type", "password"), ("username", USER), ("password", PASSWORD),
            ("scope", "all"), ("resource", &mcp),
        ];
        let credentials = [("grant_type", "client_credentials"), ("resource", mcp.as_str())];
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let params = [("response_type", "token"), ("scope", "all"), ("resource", &mcp)];
        let redirect: Redirect = visitor.grant(&implicit, &params).await;
        for (grant, token) in [
            ("refresh_token", refreshed.access_token),
            ("password", http.token(&client, &password).await.tokens().access_token),
            ("client_credentials", http.token(&client, &credentials).await.tokens().access_token),
            ("implicit", redirect.param("access_token").to_owned()),
        ] {
            assert_eq!(good_for(app, &token).await, expected, "{grant}");
            let about = http.introspect(&client, &token).await.json();
            assert_eq!((&about["active"], &about["aud"]), (&json!(true), &json!(mcp)), "{grant}");
        }
        // Another site's address is refused by all of them.
        for grant in ["password", "client_credentials"] {
            let mut params = if grant == "password" { password.to_vec() } else { credentials.to_vec() };
            params.retain(|(name, _)| *name != "resource");
            params.push(("resource", "https://elsewhere.example/mcp"));
            assert_eq!(http.token(&client, &params).await.error(), "invalid_target", "{grant}");
        }
    }
}

#[tokio::test]
async fn what_stands_below_a_resource_belongs_to_it() {
    let app = site().await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let issuer = app.issuer();
    for (path, expected) in PLACES {
        let resource = format!("{issuer}{path}");
        let asked = tokens(&app, &client, &[("resource", &resource)]).await;
        assert_eq!(
            good_for(&app, &asked.access_token).await,
            expected,
            "{path}"
        );
    }
    // One for nothing in particular is for the site as a whole: Frappe's clients send none.
    let any = tokens(&app, &client, &[]).await;
    assert_eq!(good_for(&app, &any.access_token).await, [true; 4]);
    let both = [
        ("resource", format!("{issuer}/mcp")),
        ("resource", format!("{issuer}/api/v2")),
    ];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    let both = tokens(&app, &client, &both).await;
    let expected = [true, false, true, false];
    assert_eq!(good_for(&app, &both.access_token).await, expected);
    app.close().await;
}

#[tokio::test]
async fn a_resource_may_be_one_doctype() {
    let app = site().await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let resource = format!("{}/api/resource/OAuth%20Client", app.issuer());
    let token = tokens(&app, &client, &[("resource", &resource)])
        .await
        .access_token;
    let own = format!("/api/resource/OAuth%20Client/{}", client.client_id);
    for path in [
        "/api/resource/OAuth%20Client",
        "/api/resource/OAuth%20Client/",
        "/api/resource/%4FAuth%20Client",
        &own,
    ] {
        assert!(opens(&app, path, &token).await, "{path}");
    }
    for path in [
        "/api/resource/OAuth%20Client%20Role",
        "/api/resource/OAuth%20Client/../ToDo",
        "/api/resource/OAuth%20Client/%2e%2E/ToDo",
        "/api/v1/resource/OAuth%20Client",
        "/api/v2/document/OAuth%20Client",
        "/api/resource/ToDo",
        "/api/openapi.json",
        "/api/no/such/path",
        "/api/method/ping",
        "/api/method/no.such.method",
        WHO,
    ] {
        let answer = get(&app, path, &token).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    app.close().await;
}

// Userinfo, introspection and revocation are the authorization server's own.
#[tokio::test]
async fn the_authorization_server_takes_every_token() {
    let app = site().await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let resource = format!("{}/mcp", app.issuer());
    let request = [("resource", resource.as_str()), ("scope", "openid all")];
    let token = tokens(&app, &client, &request).await;
    let http = app.http();
    let about = http.userinfo(&token.access_token).await;
    assert_eq!(about.status, 200, "{}", about.text());
    let itself = http
        .post(&method("introspect_token"))
        .bearer(&token.access_token);
    let itself = itself.form(&[("token", &token.access_token)]).send().await;
    assert_eq!(itself.json()["aud"], json!(resource));
    // OpenID Connect Core §2: an ID token is for the client.
    let id_token = crema_testkit::flow::claims(&token.id_token.unwrap());
    assert_eq!(id_token["aud"], json!(client.client_id));
    assert_eq!(http.revoke(&client, &token.access_token).await.status, 200);
    assert!(!opens_mcp(&app, &token.access_token).await);
    app.close().await;
}

// The origin that a resource has to be of is the one under which the site answers: its issuer.
#[tokio::test]
async fn a_token_is_for_the_address_under_which_it_was_asked_for() {
    let app = App::builder().config("domains", json!(["alias.localhost"]));
    let app = app.build().await;
    prepare(&app).await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let (own, alias) = (app.http(), app.http_of("alias.localhost"));
    let bound = tokens(&app, &client, &[("resource", &own.origin())]).await;
    let free = tokens(&app, &client, &[]).await;
    assert_eq!(own.logged_user(&bound.access_token).await.status, 200);
    assert_eq!(alias.logged_user(&bound.access_token).await.status, 401);
    for http in [&own, &alias] {
        assert_eq!(http.logged_user(&free.access_token).await.status, 200);
    }
    // Each name is a resource of its own, and none of the other's.
    let mut visitor = crema_testkit::Visitor::new(alias.clone());
    visitor.login(USER, PASSWORD).await;
    let foreign = visitor.grant(&client, &[("resource", &own.origin())]).await;
    assert_eq!(foreign.param("error"), "invalid_target");

    // Renamed, the site is no longer what the token was for, and what was granted for the old
    // name is not granted for the new one.
    app.set_config("host_name", "https://new.example");
    assert_eq!(own.logged_user(&bound.access_token).await.status, 401);
    assert_eq!(own.logged_user(&free.access_token).await.status, 200);
    let again = refresh(
        &app,
        &client,
        &bound,
        &[("resource", "https://new.example")],
    )
    .await;
    assert_eq!(again.error(), "invalid_target");
    let same = refresh(&app, &client, &bound, &[]).await.tokens();
    assert_eq!(own.logged_user(&same.access_token).await.status, 401);
    let anew = tokens(&app, &client, &[("resource", "https://new.example/")]).await;
    assert_eq!(own.logged_user(&anew.access_token).await.status, 200);
    app.close().await;
}

#[tokio::test]
async fn what_is_no_part_of_the_site_is_no_target() {
    let app = site().await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let issuer = app.issuer();
    let host = issuer.strip_prefix("http://").unwrap().to_owned();
    for resource in [
        "mcp".to_owned(),
        "/mcp".to_owned(),
        format!("//{host}/mcp"),
        format!("https://{host}/mcp"),
        format!("{issuer}1/mcp"),
        format!("{issuer}/mcp#a"),
        format!("{issuer}/mcp?tenant=1"),
        format!("{issuer}//mcp"),
        format!("http://user@{host}/mcp"),
        "urn:example:mcp".to_owned(),
        "https://b\u{fc}cher.example/mcp".to_owned(),
    ] {
        let redirect = visitor.grant(&client, &[("resource", &resource)]).await;
        assert_eq!(redirect.param("error"), "invalid_target", "{resource}");
    }
    app.close().await;
}
