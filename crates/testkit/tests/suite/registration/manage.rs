//! Reading, replacing and removing a registration (RFC 7592).

use crema_testkit::{App, Engine, for_each_engine};
use serde_json::{Value, json};

use super::{
    PASSWORD, REGISTER, USER, client, clients, confidential, management, public, refused,
    registered, registration, text,
};

/// The metadata of an answer with the members that a replacement has to have.
fn replacement(information: &Value, changes: Value) -> Value {
    let mut body = json!({
        "client_id": information["client_id"],
        "redirect_uris": information["redirect_uris"],
        "token_endpoint_auth_method": information["token_endpoint_auth_method"],
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

for_each_engine! {
    // spec: standards.md, I, "7592"; RFC 7592 §2.2
    async fn a_replacement_is_whole_and_rotates_the_token(app: &App) {
        let http = app.http();
        let mut sent = confidential("client_secret_basic");
        sent["tos_uri"] = json!("https://shop.example/tos");
        sent["client_name#de"] = json!("Laden");
        let first = registered(&http, &sent).await;
        app.clock.advance_seconds(90);
        let body = replacement(&first, json!({
            "client_name": "Other Shop",
            "client_secret": first["client_secret"],
            "redirect_uris": ["https://shop.example/new"],
        }));
        let answer = management(&http, "PUT", &first).json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        let second = answer.json();
        assert_eq!(second["client_id"], first["client_id"]);
        assert_eq!(second["client_id_issued_at"], first["client_id_issued_at"]);
        assert_eq!(second["client_name"], "Other Shop");
        assert_eq!(second["redirect_uris"], json!(["https://shop.example/new"]));
        assert!(second.get("client_secret").is_none(), "it is shown once");
        assert!(second.get("tos_uri").is_none() && second.get("client_name#de").is_none());
        assert_ne!(second["registration_access_token"], first["registration_access_token"]);

        for method in ["GET", "PUT", "DELETE"] {
            let old = management(&http, method, &first).json(&body).send().await;
            refused(&old, 401, "invalid_token");
        }
        let mut read = management(&http, "GET", &second).send().await.json();
        assert_eq!(read, second);
        // The answer can be sent back as it is.
        read["client_name"] = json!("Third Shop");
        let answer = management(&http, "PUT", &second).json(&read).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["client_name"], "Third Shop");
        let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'
            AND reference_name = ? AND "user" = 'Guest'"#;
        assert_eq!(app.count(sql, vec![text(&second, "client_id").into()]).await, 3);
    }

    // spec: RFC 7592 §2.2, "MUST include its client_id"; "MUST match the currently issued client secret"
    async fn a_replacement_cannot_change_who_it_is_about(app: &App) {
        let http = app.http();
        let first = registered(&http, &confidential("client_secret_post")).await;
        let other = registered(&http, &public()).await;
        for changes in [
            json!({"client_id": null}),
            json!({"client_id": other["client_id"]}),
            json!({"client_id": 5}),
            json!({"client_secret": "wrong"}),
            json!({"client_secret": ["x"]}),
            json!({"client_secret": ""}),
            json!({"grant_types": ["implicit"]}),
            json!({"redirect_uris": null}),
        ] {
            let body = replacement(&first, changes.clone());
            let answer = management(&http, "PUT", &first).json(&body).send().await;
            refused(&answer, 400, "invalid_client_metadata");
        }
        let body = replacement(&first, json!({"redirect_uris": ["http://evil.example/"]}));
        let answer = management(&http, "PUT", &first).json(&body).send().await;
        refused(&answer, 400, "invalid_redirect_uri");
        let form = management(&http, "PUT", &first).form(&[("client_id", "x")]).send().await;
        assert_eq!(form.status, 415);
        // Nothing has changed, and the token is still good.
        let read = management(&http, "GET", &first).send().await.json();
        assert_eq!(read["redirect_uris"], first["redirect_uris"]);
    }

    // spec: RFC 7592 §2.3; standards.md, I, "DELETE 204 and kill tokens, codes"
    async fn a_removal_ends_everything_of_the_client(app: &App) {
        let http = app.http();
        app.add_user(USER, PASSWORD, &["Report Manager"]).await;
        let information = registered(&http, &public()).await;
        let tool = client(&information, "http://127.0.0.1:4711/cb");
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&tool, &[]).await;
        let tokens = http.redeem(&tool, &code, &[]).await.tokens();
        let waiting = visitor.code(&tool, &[]).await;
        let before = clients(app).await;

        let answer = management(&http, "DELETE", &information).send().await;
        assert_eq!((answer.status, answer.text().as_str()), (204, ""));
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        assert_eq!(clients(app).await, before - 1);
        assert_eq!(http.logged_user(&tokens.access_token).await.status, 401);
        refused(&http.refresh(&tool, &tokens.refresh_token).await, 401, "invalid_client");
        refused(&http.redeem(&tool, &waiting, &[]).await, 401, "invalid_client");
        for table in ["OAuth Consent", "Registration Access Token", "OAuth Client Role"] {
            let column = if table.ends_with("Role") { "parent" } else { "client" };
            let sql = format!(r#"SELECT COUNT(*) FROM "tab{table}" WHERE {column} = ?"#);
            assert_eq!(app.count(&sql, vec![tool.client_id.as_str().into()]).await, 0, "{table}");
        }
        let sql = r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" WHERE client = ? AND status = 'Active'"#;
        assert_eq!(app.count(sql, vec![tool.client_id.as_str().into()]).await, 0);
        let again = management(&http, "DELETE", &information).send().await;
        refused(&again, 401, "invalid_token");
        // spec: security.md, Audit, "client change"
        let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'
            AND reference_name = ? AND "user" = 'Guest' AND content LIKE '%deleted%'"#;
        assert_eq!(app.count(sql, vec![tool.client_id.as_str().into()]).await, 1);
    }

    // A token that is rotated twice at once gives one successor.
    async fn only_one_of_many_replacements_at_once_succeeds(app: &App) {
        let second = app.second_server().await;
        let information = registered(&app.http(), &public()).await;
        let uri = text(&information, "registration_client_uri").replace(&app.issuer(), "");
        let body = replacement(&information, json!({"client_name": "Raced"}));
        let mut tasks = Vec::new();
        for number in 0..8 {
            let http = if number % 2 == 0 { app.http() } else { second.http() };
            let token = text(&information, "registration_access_token").to_owned();
            let (uri, body) = (uri.clone(), body.clone());
            tasks.push(tokio::spawn(async move {
                http.request("PUT", &uri).bearer(&token).json(&body).send().await
            }));
        }
        let mut won = Vec::new();
        for task in tasks {
            let answer = task.await.unwrap();
            match answer.status {
                200 => won.push(answer.json()),
                _ => refused(&answer, 401, "invalid_token"),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(management(&app.http(), "GET", &won[0]).send().await.status, 200);
        second.stop().await;
    }
}

// spec: standards.md, E, "bad token 401; unknown client must not reveal itself"
#[tokio::test]
async fn a_wrong_token_and_an_unknown_client_look_the_same() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    let own = registered(&http, &public()).await;
    let other = registered(&http, &public()).await;
    let made = crema_testkit::ClientSpec::public("http://127.0.0.1/cb");
    let by_hand = app.add_client(made).await;
    let at = |id: &str| format!("{REGISTER}?client_id={id}");
    let token = |information: &Value| text(information, "registration_access_token").to_owned();
    let id = text(&own, "client_id").to_owned();
    let mut answers = Vec::new();
    for (id, token) in [
        (id.clone(), "nosuch".to_owned()),
        (id.clone(), token(&other)),
        (id.to_uppercase(), token(&own)),
        (format!("{id}%20"), token(&own)),
        (by_hand.client_id.clone(), token(&own)),
        ("nosuch".to_owned(), token(&own)),
    ] {
        let answer = http.get(&at(&id)).bearer(&token).send().await;
        refused(&answer, 401, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"));
        answers.push(answer.text());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");

    let none = http.get(&at(&id)).send().await;
    refused(&none, 401, "invalid_token");
    let basic = http.get(&at(&id)).basic(&id, &token(&own)).send().await;
    refused(&basic, 401, "invalid_token");
    let in_query = format!("{}&access_token={}", at(&id), token(&own));
    refused(&http.get(&in_query).send().await, 401, "invalid_token");
    // Neither is it good for anything else, nor anything else for this.
    assert_eq!(http.logged_user(&token(&own)).await.status, 401);
    let answer = registration(&http, &public())
        .bearer(&token(&own))
        .send()
        .await;
    refused(&answer, 401, "invalid_token");
    let sql = r#"SELECT content FROM "tabActivity Log" WHERE operation = 'Client Authentication'
        AND status = 'Failed' AND content LIKE '%registration_access_token%'"#;
    assert!(!app.rows(sql, vec![]).await.is_empty());
    app.close().await;
}

// spec: RFC 7592 §2.1, "MUST return HTTP 403 (Forbidden)"
#[tokio::test]
async fn a_client_that_was_disabled_cannot_help_itself() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    let information = registered(&http, &public()).await;
    let id = text(&information, "client_id");
    let ctx = app.ctx().await;
    crema_auth::client::set_enabled(&ctx, "Administrator", id, false)
        .await
        .unwrap();
    for method in ["GET", "PUT", "DELETE"] {
        let body = replacement(&information, json!({}));
        let answer = management(&http, method, &information)
            .json(&body)
            .send()
            .await;
        assert_eq!(answer.status, 403, "{method}: {}", answer.text());
    }
    app.close().await;
}

// spec: RFC 7592 §2.2; security.md, Clients, "shown once"
#[tokio::test]
async fn a_client_may_become_confidential_and_public_again() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    let first = registered(&http, &public()).await;
    let body = replacement(
        &first,
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    );
    let second = management(&http, "PUT", &first)
        .json(&body)
        .send()
        .await
        .json();
    let secret = text(&second, "client_secret");
    assert!(secret.len() >= 43);
    let body = replacement(
        &second,
        json!({
            "token_endpoint_auth_method": "none",
            "client_secret": secret,
        }),
    );
    let third = management(&http, "PUT", &second)
        .json(&body)
        .send()
        .await
        .json();
    assert_eq!(third["token_endpoint_auth_method"], "none");
    assert!(third.get("client_secret").is_none());
    let body = replacement(&third, json!({"client_secret": secret}));
    let answer = management(&http, "PUT", &third).json(&body).send().await;
    refused(&answer, 400, "invalid_client_metadata");
    app.close().await;
}

// What users allowed was the client as they saw it.
#[tokio::test]
async fn users_are_asked_again_by_what_looks_like_another_client() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
    let mut information = registered(&http, &confidential("client_secret_basic")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let mut uri = "https://shop.example/cb".to_owned();
    for (changes, asked) in [
        (json!({"client_name": "Shop"}), false),
        (json!({"client_name": "Bank"}), true),
        (
            json!({"client_name": "Bank", "redirect_uris": ["https://elsewhere.example/"]}),
            true,
        ),
        (
            json!({"client_name": "Bank", "redirect_uris": ["https://elsewhere.example/"], "tos_uri": "https://a.example/"}),
            false,
        ),
    ] {
        let before = client(&information, &uri);
        visitor.code(&before, &[("scope", "openid")]).await;
        let body = replacement(&information, changes.clone());
        let answer = management(&http, "PUT", &information)
            .json(&body)
            .send()
            .await;
        information = answer.json();
        uri = body["redirect_uris"][0].as_str().unwrap().to_owned();
        let after = client(&information, &uri);
        let silent = visitor
            .grant(&after, &[("scope", "openid"), ("prompt", "none")])
            .await;
        let wanted = if asked { "consent_required" } else { "" };
        assert_eq!(silent.param("error"), wanted, "{changes}");
    }
    app.close().await;
}

// What an administrator has set stays his, and trust ends with the addresses it was given for.
#[tokio::test]
async fn a_replacement_takes_no_more_than_a_registration() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    let information = registered(&http, &confidential("client_secret_basic")).await;
    let shop = client(&information, "https://shop.example/cb");
    let trusted = [
        ("skip_authorization", "1"),
        ("scopes", "all openid"),
        ("access_token_lifetime", "60"),
    ];
    app.change_client(&shop, &trusted).await;
    let column = async |column: &str| {
        let sql = format!(r#"SELECT {column} FROM "tabOAuth Client" WHERE name = ?"#);
        let rows = app.rows(&sql, vec![shop.client_id.as_str().into()]).await;
        rows[0].int(0).unwrap()
    };
    let same = replacement(&information, json!({"scope": "all openid"}));
    let answer = management(&http, "PUT", &information)
        .json(&same)
        .send()
        .await
        .json();
    assert_eq!(answer["scope"], "openid");
    assert_eq!(
        (
            column("skip_authorization").await,
            column("access_token_lifetime").await
        ),
        (1, 60)
    );
    let elsewhere = replacement(
        &answer,
        json!({"redirect_uris": ["https://elsewhere.example/"]}),
    );
    let answer = management(&http, "PUT", &answer)
        .json(&elsewhere)
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        (
            column("skip_authorization").await,
            column("access_token_lifetime").await
        ),
        (0, 60)
    );
    app.close().await;
}
