//! Asking, remembering, not asking again.
// spec: security.md, Authorization endpoint, consent and skipping it

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::flow::method;
use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn a_consent_is_remembered_and_widened(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        app.set_settings("OAuth Provider Settings", &[("skip_authorization", "Auto")]).await;
        let client = app.add_client(spec()).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let stored = async || {
            let sql = r#"SELECT "user", client, scopes, resource, given_at FROM "tabOAuth Consent"
                ORDER BY resource"#;
            app.rows(sql, vec![]).await
        };
        let asked = async |visitor: &mut Visitor, changes: &[(&str, &str)]| {
            let answer = ask(visitor, &client, changes).await;
            if asks(&answer) {
                visitor.decide(&answer, "allow").await;
                return true;
            }
            code(app, &answer);
            false
        };
        assert!(asked(&mut visitor, &[("scope", "openid email")]).await);
        assert!(!asked(&mut visitor, &[("scope", "openid email")]).await);
        assert!(asked(&mut visitor, &[("scope", "openid all")]).await);
        for scope in ["openid all email", "all", "email openid"] {
            assert!(!asked(&mut visitor, &[("scope", scope)]).await, "{scope}");
        }
        let resource = format!("{}/mcp", app.issuer());
        assert!(asked(&mut visitor, &[("scope", "all"), ("resource", &resource)]).await);
        assert!(asked(&mut visitor, &[("scope", "openid"), ("resource", &resource)]).await);

        let rows = stored().await;
        let text = |row: usize, column: usize| rows[row].opt_text(column).unwrap().unwrap_or_default();
        assert_eq!(rows.len(), 2);
        for row in [0, 1] {
            assert_eq!((text(row, 0), text(row, 1)), (USER, client.client_id.as_str()));
            assert_eq!(rows[row].int(4).unwrap(), app.clock.now().micros());
        }
        assert_eq!((text(0, 2), text(0, 3)), ("openid email all", ""));
        assert_eq!((text(1, 2), text(1, 3)), ("all openid", resource.as_str()));
    }

    async fn deny_and_a_page_without_its_token_store_nothing(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let client = app.add_client(spec()).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let page = ask(&mut visitor, &client, &[]).await;
        assert_eq!(error(app, &visitor.decide(&page, "deny").await), "access_denied");
        let action = page.form_action("allow").unwrap();
        for form in [&[("decision", "allow")][..], &[("decision", "allow"), ("csrf_token", "x")][..]] {
            let answer = visitor.post(&action, form).await;
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
        for path in [action.clone(), format!("{action}&csrf_token={}", page.hidden_field("csrf_token").unwrap())] {
            let answer = visitor.get(&path).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
        }
        for table in ["tabOAuth Consent", "tabOAuth Authorization Code", "__oauth_family"] {
            let sql = format!(r#"SELECT COUNT(*) FROM "{table}""#);
            assert_eq!(app.count(&sql, vec![]).await, 0, "{table}");
        }
    }
}

// The page shows who asks for what, and where the answer goes.
#[tokio::test]
async fn the_page_says_what_is_asked() {
    let app = app().await;
    let client = spec()
        .with("app_name", "Ledger <b>")
        .with("client_uri", "https://ledger.example/")
        .with("tos_uri", "https://ledger.example/tos")
        .with("policy_uri", "https://ledger.example/policy");
    let client = app.add_client(client).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let page = ask(
        &mut visitor,
        &client,
        &[("scope", "openid all crm_contact")],
    )
    .await;
    assert_eq!(page.title().as_deref(), Some("Confirm Access"));
    let text = page.text();
    for shown in [
        "Ledger &#60;b&#62;",
        "https://ledger.example/",
        "https://ledger.example/tos",
        "https://ledger.example/policy",
        "client.example",
        USER,
        "Full Name",
        "Email",
        "User Image",
        "Roles",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    // A scope that the client does not have is dropped, and not asked for.
    assert!(!text.contains("CRM Contact"), "{text}");
    app.close().await;
}

// spec: http.md, authorize, "With `openid` requested, scopes that the client does not have are
// dropped … without it they are `invalid_scope`"
#[tokio::test]
async fn scopes_are_the_clients_or_are_dropped() {
    let app = app().await;
    let client = app.add_client(spec().scopes("openid crm_task:read")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (scope, granted) in [
        ("", "openid crm_task:read"),
        ("openid all crm_task:read", "openid crm_task:read"),
        (
            "openid profile offline_access x",
            "openid profile offline_access",
        ),
        ("crm_task:read", "crm_task:read"),
        ("roles email", "roles email"),
    ] {
        let tokens = allow(&app, &mut visitor, &client, &[("scope", scope)]).await;
        assert_eq!(tokens.scope, granted);
    }
    for scope in ["all", "crm_task:read all", "OPENID", "openid\u{e9}"] {
        let answer = ask(&mut visitor, &client, &[("scope", scope)]).await;
        assert_eq!(error(&app, &answer), "invalid_scope", "{scope}");
    }
    app.close().await;
}

#[tokio::test]
async fn the_clients_switch_skips_the_page_where_the_redirect_is_proven() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (redirect_uri, method, skips) in [
        (CALLBACK, AuthMethod::ClientSecretBasic, true),
        (CALLBACK, AuthMethod::None, true),
        ("http://127.0.0.1:1/cb", AuthMethod::ClientSecretBasic, true),
        ("http://127.0.0.1:1/cb", AuthMethod::None, false),
        ("http://localhost:1/cb", AuthMethod::None, false),
        ("http://[::1]:1/cb", AuthMethod::None, false),
        ("com.example.app:/cb", AuthMethod::None, false),
    ] {
        let spec = ClientSpec::public(redirect_uri).auth_method(method);
        let client = app.add_client(spec.with("skip_authorization", "1")).await;
        for _ in 0..2 {
            let answer = ask(&mut visitor, &client, &[]).await;
            assert_eq!(asks(&answer), !skips, "{redirect_uri} {method:?}");
            if !skips {
                visitor.decide(&answer, "allow").await;
            }
        }
    }
    app.close().await;
}

// spec: security.md, "or of OAuth Settings with an active token of the same user, client and
// scopes"; Frappe counted any client's
#[tokio::test]
async fn the_sites_switch_needs_a_living_token_of_the_same_user_client_and_scopes() {
    let app = app().await;
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let client = app.add_client(spec()).await;
    let other_client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let mut other = app.signed_in(OTHER, PASSWORD).await;
    let wide = ("scope", "openid all");
    assert!(asks(&ask(&mut visitor, &client, &[wide]).await));
    let tokens = allow(&app, &mut visitor, &client, &[wide]).await;
    // Only tokens shall speak here, not what is remembered.
    app.execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
        .await;

    code(&app, &ask(&mut visitor, &client, &[wide]).await);
    code(
        &app,
        &ask(&mut visitor, &client, &[("scope", "openid")]).await,
    );
    code(
        &app,
        &ask(&mut visitor, &client, &[wide, ("prompt", "none")]).await,
    );
    assert!(asks(
        &ask(&mut visitor, &client, &[("scope", "openid all email")]).await
    ));
    assert!(asks(
        &ask(&mut visitor, &client, &[wide, ("prompt", "consent")]).await
    ));
    assert!(asks(&ask(&mut visitor, &other_client, &[wide]).await));
    assert!(asks(&ask(&mut other, &client, &[wide]).await));

    app.http().revoke(&client, &tokens.access_token).await;
    assert!(asks(&ask(&mut visitor, &client, &[wide]).await));
    allow(&app, &mut visitor, &client, &[wide]).await;
    app.execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
        .await;
    app.clock.advance_seconds(3600);
    assert!(asks(&ask(&mut visitor, &client, &[wide]).await));
    app.close().await;
}

#[tokio::test]
async fn the_sites_switch_does_not_reach_public_clients_on_devices() {
    let app = app().await;
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for redirect_uri in ["http://127.0.0.1:1/cb", "com.example.app:/cb"] {
        let client = app.add_client(ClientSpec::public(redirect_uri)).await;
        allow(&app, &mut visitor, &client, &[]).await;
        assert!(
            asks(&ask(&mut visitor, &client, &[]).await),
            "{redirect_uri}"
        );
    }
    app.close().await;
}

// spec: security.md, "whether an interactive request asks again is OAuth Settings' … (Force asks)"
#[tokio::test]
async fn force_asks_every_time() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (choice, again) in [("Force", true), ("Auto", false), ("Force", true)] {
        let values = [("skip_authorization", choice)];
        app.set_settings("OAuth Provider Settings", &values).await;
        allow(&app, &mut visitor, &client, &[]).await;
        assert_eq!(
            asks(&ask(&mut visitor, &client, &[]).await),
            again,
            "{choice}"
        );
        code(
            &app,
            &ask(&mut visitor, &client, &[("prompt", "none")]).await,
        );
    }
    app.close().await;
}

// spec: security.md, Clients, "`Allowed Roles` is enforced at consent"
#[tokio::test]
async fn whoever_lacks_the_role_is_refused() {
    let app = app().await;
    let client = app
        .add_client(spec().with("allowed_roles", "System Manager"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for prompt in ["", "none", "consent"] {
        let answer = ask(&mut visitor, &client, &[("prompt", prompt)]).await;
        assert_eq!(error(&app, &answer), "access_denied", "{prompt}");
    }
    app.close().await;
}

// The session may be another one when Allow is clicked.
#[tokio::test]
async fn allow_counts_for_the_session_that_saw_the_page() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let page = ask(&mut visitor, &client, &[]).await;
    visitor.login(OTHER, PASSWORD).await;
    let answer = visitor.decide(&page, "allow").await;
    assert_eq!(answer.status, 400, "{}", answer.text());

    let page = ask(&mut visitor, &client, &[]).await;
    let mut gone = app.visitor();
    let answer = gone.decide(&page, "allow").await;
    assert!(gone.sent_to_login(&answer).contains(&method("authorize")));
    app.close().await;
}
