//! What stands in a client's record: the document's part, and the administrator's.

use crema_auth::retention::{Kind, Sweep};
use crema_testkit::outgoing::Reply;
use crema_testkit::visitor::Redirect;
use crema_testkit::{ClientSpec, Engine, for_each_engine};

use super::*;

const MORE: &str = "https://more.example/cb";

/// Whether the user is asked, or would be.
async fn is_asked(visitor: &mut Visitor, changes: &[(&str, &str)]) -> bool {
    let mut changes = changes.to_vec();
    changes.push(("prompt", "none"));
    let redirect = Redirect::of(&authorize(visitor, &changes).await);
    match redirect.param("error") {
        "" => {
            assert!(!redirect.param("code").is_empty());
            false
        }
        error => {
            assert_eq!(error, "consent_required");
            true
        }
    }
}

for_each_engine! {
    async fn a_changed_document_changes_the_record_at_the_next_authorization(engine: Engine) {
        let world = World::new(engine).await;
        let http = world.app.http();
        let mut visitor = world.user().await;
        let code = visitor.code(&client(), &[]).await;
        let tokens = http.redeem(&client(), &code, &[]).await.tokens();
        let name = world.column("name").await;
        let moved = "https://notes.acme.example/cb";
        world.describe(json!({
            "client_name": "Acme Notes 2",
            "client_uri": null,
            "policy_uri": "https://app.example/privacy",
            "redirect_uris": [moved],
            "contacts": ["help@app.example"],
        }));
        // While the old one is kept, it counts.
        let answer = world.ask(&[("redirect_uri", moved)]).await;
        assert_eq!(answer.status, 400);
        world.app.clock.advance_seconds(300);
        let answer = world.ask(&[]).await;
        assert_eq!(answer.status, 400, "the old redirect URI is gone");
        assert_eq!(world.column("app_name").await, "Acme Notes", "nobody has allowed that one");

        let moved = at(moved);
        let code = visitor.code(&moved, &[]).await;
        assert_eq!(http.redeem(&moved, &code, &[]).await.status, 200);
        assert_eq!(world.column("name").await, name);
        assert_eq!(world.column("app_name").await, "Acme Notes 2");
        assert_eq!(world.column("redirect_uris").await, moved.redirect_uri);
        assert_eq!(world.column("default_redirect_uri").await, moved.redirect_uri);
        assert_eq!(world.column("client_uri").await, "");
        assert_eq!(world.column("policy_uri").await, "https://app.example/privacy");
        assert_eq!(world.column("contacts").await, "help@app.example");
        // What was granted goes on.
        let tokens = http.refresh(&client(), &tokens.refresh_token).await.tokens();
        assert_eq!(http.logged_user(&tokens.access_token).await.status, 200);
        let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'"#;
        assert_eq!(world.app.count(sql, vec![]).await, 2);
        world.close().await;
    }

    async fn a_document_that_stays_the_same_changes_nothing(engine: Engine) {
        let world = World::new(engine).await;
        let mut visitor = world.user().await;
        visitor.code(&client(), &[]).await;
        let version = async || world.app.ctx().await.version().await.unwrap();
        let modified = async || world.app
            .rows(r#"SELECT modified FROM "tabOAuth Client" ORDER BY creation DESC"#, vec![])
            .await[0].opt_datetime(0).unwrap();
        let before = (version().await, modified().await);
        world.app.clock.advance_seconds(3600);
        visitor.code(&client(), &[]).await;
        world.app.signed_in(OTHER, PASSWORD).await.code(&client(), &[]).await;
        assert_eq!(world.site.requests(), 2);
        assert_eq!((version().await, modified().await), before);
        world.close().await;
    }

    // spec: security.md, Codes and tokens, "deleted or disabled clients: their tokens … stop"
    async fn a_disabled_client_stays_disabled(engine: Engine) {
        let world = World::new(engine).await;
        let http = world.app.http();
        let mut visitor = world.user().await;
        let code = visitor.code(&client(), &[]).await;
        let tokens = http.redeem(&client(), &code, &[]).await.tokens();
        let page = authorize(&mut visitor, &[("prompt", "consent")]).await;
        world.set(&[("enabled", "0")]).await.unwrap();
        world.app.clock.advance_seconds(86_400);
        let asked = world.site.requests();
        let mut visitor = world.user().await;
        let answer = authorize(&mut visitor, &[]).await;
        assert_eq!((answer.status, answer.location()), (400, None));
        assert!(answer.text().contains("no OAuth Client with this id"));
        assert_eq!(world.site.requests(), asked, "nobody asks for its document");
        let late = visitor.decide(&page, "allow").await;
        assert_eq!((late.status, late.location()), (400, None));
        let refused = http.refresh(&client(), &tokens.refresh_token).await;
        assert_eq!(refused.error(), "invalid_client");
        assert_eq!(world.records().await, 1);

        world.set(&[("enabled", "1")]).await.unwrap();
        visitor.code(&client(), &[]).await;
        world.close().await;
    }
}

#[tokio::test]
async fn a_document_that_is_gone_stops_new_authorizations_only() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let mut visitor = world.user().await;
    let code = visitor.code(&client(), &[]).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    let code = visitor.code(&client(), &[]).await;
    world.site.answer(PATH, Reply::status(404));
    assert!(
        !is_asked(&mut visitor, &[]).await,
        "the one that is kept counts"
    );
    // An access token lives on, a code given before can be redeemed, a refresh refreshes.
    world.app.clock.advance_seconds(59);
    assert_eq!(http.redeem(&client(), &code, &[]).await.status, 200);
    world.app.clock.advance_seconds(241);
    let answer = authorize(&mut visitor, &[]).await;
    assert_eq!((answer.status, answer.location()), (400, None));
    let tokens = http
        .refresh(&client(), &tokens.refresh_token)
        .await
        .tokens();
    assert_eq!(http.logged_user(&tokens.access_token).await.status, 200);
    world.close().await;
}

// spec: security.md, Authorization endpoint, "Everything shown … the client's name, URI and the
// host it will redirect to are shown": a consent is to what was shown
#[tokio::test]
async fn an_app_under_another_name_or_address_is_allowed_anew() {
    let world = World::new(Engine::Sqlite).await;
    let mut users = [
        world.user().await,
        world.app.signed_in(OTHER, PASSWORD).await,
    ];
    for visitor in &mut users {
        assert!(is_asked(visitor, &[]).await, "the first time");
        visitor.code(&client(), &[]).await;
        assert!(!is_asked(visitor, &[]).await, "remembered");
    }
    let more = json!({"redirect_uris": [CALLBACK, LOOPBACK, "https://evil.example/cb"]});
    let renamed = json!({"client_name": "Your Bank"});
    for change in [more, renamed] {
        world.describe(change.clone());
        world.app.clock.advance_seconds(300);
        for visitor in &mut users {
            assert!(is_asked(visitor, &[]).await, "{change}");
            visitor.code(&client(), &[]).await;
            assert!(!is_asked(visitor, &[]).await, "remembered");
        }
    }
    // Fewer places to go to, or other links, are the same app.
    world.describe(json!({
        "client_name": "Your Bank", "redirect_uris": [CALLBACK], "tos_uri": "https://app.example/t",
    }));
    world.app.clock.advance_seconds(300);
    for visitor in &mut users {
        assert!(!is_asked(visitor, &[]).await);
    }
    assert_eq!(
        world.column("redirect_uris").await,
        CALLBACK,
        "brought up to date all the same"
    );
    world.close().await;
}

/// A site that does not ask again while there is a token asks again all the same.
#[tokio::test]
async fn a_token_for_an_app_as_it_was_allows_nothing_to_the_app_as_it_is() {
    let world = World::new(Engine::Sqlite).await;
    let setting = [("skip_authorization", "1")];
    world.app.set_settings("OAuth Settings", &setting).await;
    let mut users = [
        world.user().await,
        world.app.signed_in(OTHER, PASSWORD).await,
    ];
    for visitor in &mut users {
        let code = visitor.code(&client(), &[]).await;
        assert_eq!(
            world.app.http().redeem(&client(), &code, &[]).await.status,
            200
        );
        let answer = authorize(visitor, &[]).await;
        assert_eq!(answer.status, 302, "not asked");
    }
    world.describe(json!({"redirect_uris": [CALLBACK, MORE]}));
    world.app.clock.advance_seconds(300);
    for visitor in &mut users {
        let answer = authorize(visitor, &[("redirect_uri", MORE)]).await;
        assert_eq!((answer.status, answer.location()), (200, None), "asked");
        visitor.code(&client(), &[]).await;
    }
    world.close().await;
}

#[tokio::test]
async fn switches_are_the_administrators_and_words_the_documents() {
    let world = World::new(Engine::Sqlite).await;
    let mut visitor = world.user().await;
    visitor.code(&client(), &[]).await;
    world
        .set(&[
            ("allowed_roles", "Report Manager"),
            ("access_token_lifetime", "120"),
            ("claims_in_id_token", "1"),
            ("skip_authorization", "1"),
            // The same as it is: forms send all they have.
            ("app_name", "Acme Notes"),
        ])
        .await
        .unwrap();
    for (field, value) in [
        ("app_name", "Mine"),
        (
            "redirect_uris",
            "https://app.example/cb https://mine.example/cb",
        ),
        ("default_redirect_uri", LOOPBACK),
        ("scopes", "all openid"),
        ("grant_types", "authorization_code password"),
        ("token_endpoint_auth_method", "Client Secret Basic"),
        ("client_uri", ""),
        ("logo_uri", "https://mine.example/logo"),
        ("require_pkce", "0"),
        ("enforcement", "Observe"),
        ("id_token_signed_response_alg", "ES256"),
    ] {
        let refused = world.set(&[(field, value)]).await.expect_err(field);
        assert!(refused.contains("metadata document"), "{field}: {refused}");
    }
    assert!(
        world
            .set(&[("metadata_document_uri", "https://x.example/y")])
            .await
            .is_err()
    );

    world.describe(json!({"client_name": "Acme Notes 2"}));
    world.app.clock.advance_seconds(300);
    assert!(
        is_asked(&mut visitor, &[]).await,
        "a new name is shown before anything is skipped"
    );
    let code = visitor.code(&client(), &[]).await;
    let tokens = world
        .app
        .http()
        .redeem(&client(), &code, &[])
        .await
        .tokens();
    assert_eq!(tokens.expires_in, 120);
    let roles = r#"SELECT role FROM "tabOAuth Client Role""#;
    let roles = world.app.rows(roles, vec![]).await;
    assert_eq!(roles.len(), 1);
    assert_eq!(roles[0].opt_text(0).unwrap(), Some("Report Manager"));
    let prompt = [("scope", "openid email")];
    assert!(!is_asked(&mut visitor, &prompt).await, "skipped again");
    // And no longer when the document names a new place: nobody has vouched for that.
    let more = json!({"client_name": "Acme Notes 2", "redirect_uris": [CALLBACK, LOOPBACK, MORE]});
    world.describe(more);
    world.app.clock.advance_seconds(300);
    visitor.code(&client(), &[("scope", "openid email")]).await;
    let other = [("scope", "openid profile"), ("redirect_uri", MORE)];
    assert!(is_asked(&mut visitor, &other).await);
    world.set(&[("skip_authorization", "1")]).await.unwrap();
    assert!(!is_asked(&mut visitor, &other).await);
    // Never where another program may listen.
    let loopback = [("redirect_uri", "http://127.0.0.1:7/cb")];
    assert!(is_asked(&mut visitor, &loopback).await);
    world.close().await;
}

/// A document cannot ask for trust.
#[tokio::test]
async fn a_document_says_nothing_about_trust() {
    let world = World::new(Engine::Sqlite).await;
    world.describe(json!({
        "skip_authorization": 1, "enabled": 1, "allowed_roles": ["All"], "user": "Administrator",
        "may_introspect": 1, "require_pkce": 0, "enforcement": "Observe", "name": "x",
        "dynamically_registered": 0, "claims_in_id_token": 1,
    }));
    let mut visitor = world.user().await;
    assert!(is_asked(&mut visitor, &[]).await);
    visitor.code(&client(), &[]).await;
    let sql = r#"SELECT skip_authorization + may_introspect + claims_in_id_token
        + (1 - require_pkce) + (1 - dynamically_registered) FROM "tabOAuth Client""#;
    assert_eq!(world.app.count(sql, vec![]).await, 0);
    assert_eq!(world.column("enforcement").await, "Enforce");
    assert_eq!(world.column(r#""user""#).await, "");
    world.close().await;
}

// spec: http.md, register_client, "unused ones are removed after 30 days"
#[tokio::test]
async fn a_client_that_nobody_uses_any_more_is_removed() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let mut visitor = world.user().await;
    let code = visitor.code(&client(), &[]).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    let sweep = async || {
        let mut sweep = Sweep::new(Kind::Clients);
        sweep.batch(&world.app.ctx().await).await.unwrap().removed
    };
    world.app.clock.advance_seconds(29 * 86_400);
    assert_eq!(sweep().await, 0);
    world.app.clock.advance_seconds(2 * 86_400);
    assert_eq!(sweep().await, 1);
    assert_eq!(world.records().await, 0);
    let refused = http.refresh(&client(), &tokens.refresh_token).await;
    assert_eq!(refused.error(), "invalid_client");
    // Nothing keeps it from coming back.
    let mut visitor = world.user().await;
    assert!(is_asked(&mut visitor, &[]).await);
    visitor.code(&client(), &[]).await;
    assert_eq!(world.records().await, 1);
    world.close().await;
}

/// The command line and the desk find the record by either of its names.
#[tokio::test]
async fn an_administrator_finds_it_by_address_and_by_name() {
    let world = World::new(Engine::Sqlite).await;
    world.user().await.code(&client(), &[]).await;
    let name = world.column("name").await;
    let ctx = world.app.ctx().await;
    let found = ctx.client(ADDRESS).await.unwrap().unwrap();
    assert_eq!(
        (found.name.as_str(), found.rules.client_id.as_str()),
        (name.as_str(), ADDRESS)
    );
    let same = ctx.client_record(&name).await.unwrap().unwrap();
    assert_eq!(same.rules.client_id, ADDRESS);
    assert!(ctx.client(&name).await.unwrap().is_none(), "no client_id");
    assert!(
        ctx.client_record(ADDRESS).await.unwrap().is_none(),
        "no name"
    );
    world.close().await;
}

/// Forms send back all that they were given.
#[tokio::test]
async fn a_form_changes_a_switch_and_not_a_word() {
    let world = World::new(Engine::Sqlite).await;
    world.user().await.code(&client(), &[]).await;
    let manager = "manager@example.com";
    world
        .app
        .add_user(manager, PASSWORD, &["System Manager"])
        .await;
    let desk = world
        .app
        .add_client(ClientSpec::new("https://desk.example/cb"))
        .await;
    let mut visitor = world.app.signed_in(manager, PASSWORD).await;
    let code = visitor.code(&desk, &[("scope", "all")]).await;
    let http = world.app.http();
    let token = http.redeem(&desk, &code, &[]).await.tokens().access_token;
    let path = format!(
        "/api/resource/OAuth%20Client/{}",
        world.column("name").await
    );
    let mut record = http.get(&path).bearer(&token).send().await.json()["data"].clone();
    assert_eq!(record["metadata_document_uri"], ADDRESS);
    record["enabled"] = json!(0);
    let put = async |record: &Value| {
        http.request("PUT", &path)
            .bearer(&token)
            .json(record)
            .send()
            .await
    };
    let answer = put(&record).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    record = answer.json()["data"].clone();
    assert_eq!(record["enabled"], 0);
    let moved = "https://elsewhere.example/client.json";
    let mut other = record.clone();
    other["metadata_document_uri"] = json!(moved);
    other["metadata_document_hash"] = json!(crema_crypto::hash_hex(moved));
    put(&other).await;
    assert_eq!(
        world.column("metadata_document_hash").await,
        crema_crypto::hash_hex(ADDRESS)
    );
    let mut other = http.get(&path).bearer(&token).send().await.json()["data"].clone();
    other["redirect_uris"] = json!(format!("{CALLBACK}\n{LOOPBACK}\n{MORE}"));
    let answer = put(&other).await;
    assert_eq!(answer.status, 417, "{}", answer.text());
    assert!(answer.text().contains("metadata document"));
    world.close().await;
}
