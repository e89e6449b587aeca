//! What can be asked about tokens, and their end.

use super::*;

pub(super) const REVOKE: Example = Example {
    place: "Revoke Token Endpoint",
    request: "`POST …revoke_token` with `token`",
    test: "the_revocation",
    switches: &[],
    corrections: &[CREDENTIALS],
};

#[tokio::test]
async fn the_revocation() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let body = format!("token={}", tokens.access_token);
    assert_eq!(post(&app, "revoke_token", &body).await.status, 401);
    assert_eq!(
        app.http().logged_user(&tokens.access_token).await.status,
        200
    );

    let answer = app.http().revoke(&client, &tokens.access_token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(
        app.http().logged_user(&tokens.access_token).await.status,
        401
    );
    // "Always returns empty response with HTTP status code 200."
    let answer = app.http().revoke(&client, &tokens.access_token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let answer = app.http().revoke(&client, "no token of ours").await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    app.close().await;
}

pub(super) const ID_TOKEN: Example = Example {
    place: "Open ID Connect id_token",
    request: "`jwt.decode(id_token, key=client_secret, …)`",
    test: "the_id_token",
    switches: &[Switch {
        set: "OAuth Client › ID Token Signed Response Alg: `HS256`",
        because: "a new client has `RS256`, which every OpenID library verifies by itself and \
                  public clients can verify too; clients that are in a Frappe database already \
                  have `HS256`",
    }],
    corrections: &[
        Correction {
            shown: "`algorithm=\"HS256\"`",
            instead: "`algorithms=[\"HS256\"]`",
            because: "PyJWT 2 takes no other form",
        },
        Correction {
            shown: "the ID token in the token answers",
            instead: "your own",
            because: "it is signed with `secret`, unlike the others, and has neither `iss` nor \
                      `aud`",
        },
    ],
};

/// The document's own token, that its Python lines decode.
const SHOWN_ID_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkouIERvZSIsImVtYWlsIjoiakBkb2UuY29tIiwiaWF0IjoxNTE2MjM5MDIyLCJleHAiOjE1MTYyNDIwMjIsImF1ZCI6ImNsaWVudF9pZCIsInJvbGVzIjpbIlN5c3RlbSBNYW5hZ2VyIiwiU2FsZXMgTWFuYWdlciJdLCJub25jZSI6Ijc4OTEyMyIsImlzcyI6Imh0dHBzOi8vZXJwLmV4YW1wbGUuY29tIn0.F8Wbh5dtD1loZPltJLj_sqF9DZNeBvEbo-ITtf3UPqk";

#[tokio::test]
async fn the_id_token() {
    let shown = checked_with_secret(SHOWN_ID_TOKEN, "client_secret").unwrap();
    assert_eq!(shown["aud"], "client_id");

    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "&nonce=789123").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let id_token = tokens.id_token.unwrap();
    assert!(checked_with_secret(&id_token, "another secret").is_none());
    let claims = checked_with_secret(&id_token, client.secret()).unwrap();
    assert_eq!(claims["aud"], json!(client.client_id));
    assert_eq!(claims["iss"], json!(app.issuer()));
    assert_eq!(claims["nonce"], "789123");
    assert_eq!(claims["email"], USER);
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    assert_eq!(claims["iat"], json!(now(&app)));
    let roles = claims["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("Sales User")), "{roles:?}");
    // "sub claim has User's userid": the same at every endpoint.
    let profile = app.http().userinfo(&tokens.access_token).await.json();
    assert_eq!(claims["sub"], profile["sub"]);
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(claims[name].is_string(), value.is_string(), "{name}");
        assert!(!claims[name].is_null(), "{name}");
    }
    app.close().await;
}

pub(super) const PROFILE: Example = Example {
    place: "OpenID User Info Endpoint",
    request: "`GET …openid_profile` with `Authorization: Bearer valid_access_token`",
    test: "the_profile",
    switches: &[],
    corrections: &[Correction {
        shown: "`iat`, `exp` and `aud` in the answer",
        instead: "look for them in the ID token or ask the introspection endpoint",
        because: "they speak about a token, not about a user (OpenID Connect Core §5.3.2)",
    }],
};

#[tokio::test]
async fn the_profile() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let name = [
        ("first_name", "J"),
        ("last_name", "Doe"),
        ("full_name", "J Doe"),
    ];
    for (field, value) in name.into_iter().chain([("user_image", "/files/jdoe.jpg")]) {
        let sql = format!(r#"UPDATE "tabUser" SET {field} = ? WHERE name = ?"#);
        app.execute(&sql, vec![value.into(), USER.into()]).await;
    }
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let answer = app.http().userinfo(&tokens.access_token).await;
    assert_eq!(answer.status, 200);
    let profile = answer.json();
    assert!(!profile["sub"].as_str().unwrap().is_empty());
    assert_eq!(profile["name"], "J Doe");
    assert_eq!(profile["given_name"], "J");
    assert_eq!(profile["family_name"], "Doe");
    assert_eq!(profile["iss"], json!(app.issuer()));
    assert_eq!(profile["picture"], json!(app.url("/files/jdoe.jpg")));
    assert_eq!(profile["email"], USER);
    assert!(
        profile["roles"]
            .as_array()
            .unwrap()
            .contains(&json!("Sales User"))
    );
    for absent in ["iat", "exp", "aud"] {
        assert!(profile[absent].is_null(), "{absent}");
    }
    app.close().await;
}

pub(super) const INTROSPECT: Example = Example {
    place: "Introspect Token Endpoint",
    request: "`POST …introspect_token` with `token` and a hint",
    test: "the_introspection",
    switches: &[],
    corrections: &[
        Correction {
            shown: "`tokentypehint`",
            instead: "`token_type_hint`",
            because: "RFC 7662 §2.1; it is a hint only, both kinds are found without it",
        },
        CREDENTIALS,
        Correction {
            shown: "`\"active\": false` beside `_server_messages`",
            instead: "exactly `{\"active\": false}`",
            because: "nothing else is told about a token that is not alive (RFC 7662 §2.2)",
        },
    ],
};

#[tokio::test]
async fn the_introspection() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let body = format!("token={}&token_type_hint=access_token", tokens.access_token);
    assert_eq!(post(&app, "introspect_token", &body).await.status, 401);

    let hints = [
        "",
        "&tokentypehint=refresh_token",
        "&token_type_hint=refresh_token",
    ];
    for (token, end) in [
        (&tokens.access_token, 3600),
        (&tokens.refresh_token, 30 * 86_400),
    ] {
        for hint in hints {
            let body = format!(
                "token={token}&client_id={}&client_secret={}{hint}",
                client.client_id,
                client.secret()
            );
            let answer = post(&app, "introspect_token", &body).await.json();
            assert_eq!(answer["active"], true, "{hint}");
            assert_eq!(answer["client_id"], json!(client.client_id));
            assert_eq!(answer["aud"], json!(client.client_id));
            assert_eq!(answer["trusted_client"], 0);
            assert_eq!(answer["scope"], "openid all");
            assert_eq!(answer["iss"], json!(app.issuer()));
            assert_eq!(answer["email"], USER);
            assert_eq!(answer["iat"], json!(now(&app)));
            assert_eq!(answer["exp"], json!(now(&app) + end));
        }
    }
    app.change_client(&client, &[("skip_authorization", "1")])
        .await;
    let answer = app.http().introspect(&client, &tokens.access_token).await;
    assert_eq!(answer.json()["trusted_client"], 1);
    let answer = app.http().introspect(&client, "no token of ours").await;
    assert_eq!(answer.json(), json!({"active": false}));
    app.close().await;
}
