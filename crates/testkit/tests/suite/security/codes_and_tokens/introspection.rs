//! Introspection: who may look, and what is seen.

use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Response, TestClient, for_each_engine};
use serde_json::json;

use crate::security::scene::{self, REDIRECT, USER};

fn assert_nothing_seen(answer: &Response) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"active": false}));
}

async fn sees(app: &App, client: &TestClient, token: &str) -> bool {
    let answer = app.http().introspect(client, token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let active = answer.json()["active"] == true;
    if !active {
        assert_nothing_seen(&answer);
    }
    active
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 6: active:false for expired, revoked, unknown
    async fn what_is_expired_revoked_or_unknown_is_inactive_and_nothing_else(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let tokens = scene::tokens(app, &client, "openid").await;
        let seen = app.http().introspect(&client, &tokens.access_token).await.json();
        assert_eq!(seen["active"], true);
        assert_eq!(seen["client_id"], client.client_id);
        assert_eq!(seen["username"], USER);
        assert_eq!(seen["token_type"], "Bearer");
        assert_eq!(seen["exp"].as_i64().unwrap(), scene::now(app) + 3600);
        assert_eq!(seen["iat"].as_i64().unwrap(), scene::now(app));
        assert!(sees(app, &client, &tokens.refresh_token).await);
        assert!(!sees(app, &client, "unknown").await);

        app.clock.advance_seconds(3600);
        assert!(!sees(app, &client, &tokens.access_token).await, "expired");
        assert!(sees(app, &client, &tokens.refresh_token).await);
        let rotated = app.http().refresh(&client, &tokens.refresh_token).await.tokens();
        assert!(!sees(app, &client, &tokens.refresh_token).await, "rotated");
        app.http().revoke(&client, &rotated.refresh_token).await;
        assert!(!sees(app, &client, &rotated.access_token).await, "revoked");
        assert!(!sees(app, &client, &rotated.refresh_token).await, "revoked");
        let code = scene::code(app, &client, "openid").await;
        assert!(!sees(app, &client, &code).await, "a code is no token");
    }
}

// spec: security.md, Codes and tokens, line 6: needs client authentication or a bearer token
#[tokio::test]
async fn nobody_looks_without_having_proven_who_they_are() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let http = app.http();
    let params = [("token", tokens.access_token.as_str())];
    let nobody = scene::call(&http, "introspect_token", &params).send().await;
    assert_eq!(
        (nobody.status, nobody.error().as_str()),
        (401, "invalid_client")
    );
    let named = [
        ("token", tokens.access_token.as_str()),
        ("client_id", &client.client_id),
    ];
    let named = scene::call(&http, "introspect_token", &named).send().await;
    assert_eq!(
        (named.status, named.error().as_str()),
        (401, "invalid_client")
    );
    let mut visitor = scene::signed_in(&app).await;
    let by_session = scene::call(&http, "introspect_token", &params);
    assert_eq!(
        visitor.send(by_session).await.status,
        401,
        "a session is no client"
    );
    let dead = scene::call(&http, "introspect_token", &params)
        .bearer("dead")
        .send()
        .await;
    assert_eq!(dead.status, 401);
    assert!(
        dead.header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    app.close().await;
}

// spec: security.md, Codes and tokens, line 6: a bearer sees only itself
#[tokio::test]
async fn a_bearer_sees_only_itself() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let own = scene::tokens(&app, &client, "openid").await;
    let other = scene::tokens(&app, &client, "openid").await;
    let look = async |token: &str| {
        let call = scene::call(&app.http(), "introspect_token", &[("token", token)]);
        call.bearer(&own.access_token).send().await
    };
    assert_eq!(look(&own.access_token).await.json()["active"], true);
    for foreign in [&other.access_token, &other.refresh_token, &"x".to_owned()] {
        assert_nothing_seen(&look(foreign).await);
    }
    app.http().revoke(&client, &own.access_token).await;
    assert_eq!(look(&own.access_token).await.status, 401);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 6: public and dynamically registered clients only
// their own; others all while `may_introspect` is on
#[tokio::test]
async fn who_sees_whose_tokens() {
    let app = scene::start().await;
    let record = scene::confidential(&app).await;
    let blind = app
        .add_client(ClientSpec::new(REDIRECT).with("may_introspect", "0"))
        .await;
    let public = scene::public(&app).await;
    let registered = app
        .add_client(ClientSpec::new(REDIRECT).dynamically_registered())
        .await;
    // As somebody with the database might have set it.
    scene::force(
        &app,
        "UPDATE \"tabOAuth Client\" SET may_introspect = 1 WHERE name IN (?, ?)",
        vec![
            public.client_id.as_str().into(),
            registered.client_id.as_str().into(),
        ],
    )
    .await;
    let all = [&record, &blind, &public, &registered];
    for owner in all {
        let tokens = scene::tokens(&app, owner, "openid").await;
        for asker in all {
            let may = asker.client_id == owner.client_id || asker.client_id == record.client_id;
            for token in [&tokens.access_token, &tokens.refresh_token] {
                assert_eq!(sees(&app, asker, token).await, may);
            }
        }
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 6: parameters are strings only
#[tokio::test]
async fn a_list_or_object_as_a_parameter_is_an_invalid_request() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let begin = format!("{}%", &tokens.access_token[..2]);
    for endpoint in ["introspect_token", "revoke_token", "get_token"] {
        for value in [
            json!(["like", begin]),
            json!(["!=", "x"]),
            json!([tokens.access_token]),
            json!({"like": begin}),
            json!([]),
            json!({}),
        ] {
            for name in [
                "token",
                "refresh_token",
                "client_id",
                "token_type_hint",
                "unknown",
            ] {
                let mut body = json!({
                    "client_id": client.client_id,
                    "client_secret": client.secret(),
                    "grant_type": "refresh_token",
                    "refresh_token": tokens.refresh_token,
                    "token": tokens.access_token,
                });
                body[name] = value.clone();
                let answer = app.http().post(&method(endpoint)).json(&body).send().await;
                assert_eq!(answer.status, 400, "{endpoint} {body}: {}", answer.text());
                assert_eq!(answer.error(), "invalid_request");
            }
        }
        // The same in a form, where brackets mean nothing.
        let as_form = [
            ("token[]", "like"),
            ("token[1]", begin.as_str()),
            ("grant_type", "refresh_token"),
        ];
        let answer = app
            .http()
            .client_request(endpoint, &client, &as_form)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_request")
        );
    }
    let body = json!({
        "client_id": client.client_id, "client_secret": client.secret(),
        "token": tokens.access_token,
    });
    let answer = app
        .http()
        .post(&method("introspect_token"))
        .json(&body)
        .send()
        .await;
    assert_eq!(answer.json()["active"], true);
    app.close().await;
}
