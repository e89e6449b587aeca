//! One client for another: ids, addresses and tokens that look alike.

use crema_testkit::ClientSpec;

use super::*;

/// Spellings that some reader might take for the address of the document.
const SPELLINGS: [&str; 22] = [
    "HTTPS://app.example/client.json",
    "https://APP.example/client.json",
    "https://app.example:443/client.json",
    "https://app.example/client.json/",
    "https://app.example//client.json",
    "https://app.example/./client.json",
    "https://app.example/x/../client.json",
    "https://app.example/%63lient.json",
    "https://app.example/client%2Ejson",
    "https://app.example/client.json?",
    "https://app.example/client.json#",
    "https://app.example/client.json#x",
    "https://app.example/client.json%00",
    "https://app.example/client.json ",
    " https://app.example/client.json",
    "https://app.example./client.json",
    "https://user@app.example/client.json",
    "https:/app.example/client.json",
    "https:app.example/client.json",
    "https:\\\\app.example\\client.json",
    "https://app.example/cl\tient.json",
    "http://app.example/client.json",
];

#[tokio::test]
async fn no_other_spelling_is_the_same_client() {
    let world = World::new(Engine::Sqlite).await;
    // Its server takes them all for the one document.
    for path in [
        "/client.json/",
        "//client.json",
        "/%63lient.json",
        "/client%2Ejson",
        "/client.json%00",
    ] {
        let same = Reply::json(&document(json!({})));
        world.site.answer(path, same);
    }
    let mut visitor = world.user().await;
    let code = visitor.code(&described(), &[("scope", "openid")]).await;
    let http = world.app.http();
    let tokens = http.redeem(&described(), &code, &[]).await.tokens();
    for spelling in SPELLINGS {
        let other = TestClient {
            client_id: spelling.to_owned(),
            ..described()
        };
        let page = authorize(&mut visitor, &other, &[]).await;
        assert_eq!((page.status, page.location()), (400, None), "{spelling}");
        let answer = http.refresh(&other, &tokens.refresh_token).await;
        assert_eq!(answer.error(), "invalid_client", "{spelling}");
    }
    assert_eq!(
        http.refresh(&described(), &tokens.refresh_token)
            .await
            .status,
        200
    );
    world.app.close().await;
}

#[tokio::test]
async fn the_record_of_a_document_is_no_client_of_its_own() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let mut visitor = world.user().await;
    let code = visitor.code(&described(), &[("scope", "openid")]).await;
    let tokens = http.redeem(&described(), &code, &[]).await.tokens();
    let sql = r#"SELECT name FROM "tabOAuth Client" WHERE metadata_document_uri IS NOT NULL"#;
    let rows = world.app.rows(sql, vec![]).await;
    let record = rows[0].text(0).unwrap().to_owned();
    let by_name = TestClient {
        client_id: record.clone(),
        ..described()
    };
    let page = authorize(&mut visitor, &by_name, &[]).await;
    assert_eq!((page.status, page.location()), (400, None));
    let answer = http.refresh(&by_name, &tokens.refresh_token).await;
    assert_eq!(answer.error(), "invalid_client");
    // Nobody was ever given a token that manages it.
    let own = registered(&http, json!({})).await;
    let token = text(&own, "registration_access_token");
    for id in [record.as_str(), "https%3A%2F%2Fapp.example%2Fclient.json"] {
        for method in ["GET", "PUT", "DELETE"] {
            for token in [token, &tokens.access_token, &tokens.refresh_token] {
                let body = metadata(json!({"client_id": id}));
                let request = management(&http, method, id, token).json(&body);
                assert_eq!(
                    request.send().await.error(),
                    "invalid_token",
                    "{method} {id}"
                );
            }
        }
    }
    world.app.close().await;
}

#[tokio::test]
async fn ids_and_tokens_of_management_are_exact() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let own = registered(&http, json!({"client_id": ADDRESS})).await;
    let id = text(&own, "client_id").to_owned();
    assert_ne!(id, ADDRESS, "ids are drawn here");
    let token = text(&own, "registration_access_token").to_owned();
    let by_hand = world.app.add_client(ClientSpec::public(CALLBACK)).await;
    let hash = crema_crypto::hash_hex(&token);
    let upper = token.to_uppercase();
    let spaced = format!("{token}%20");
    for wrong in [
        hash.as_str(),
        &upper,
        &token[1..],
        &spaced,
        "%",
        "_",
        "*",
        "null",
    ] {
        let answer = management(&http, "GET", &id, wrong).send().await;
        assert_eq!(answer.error(), "invalid_token", "{wrong}");
    }
    for other in [
        by_hand.client_id.as_str(),
        &id.to_uppercase(),
        "%00",
        "%25",
        &format!("{id}%20"),
    ] {
        let answer = management(&http, "DELETE", other, &token).send().await;
        let refused = matches!(answer.status, 400 | 401);
        assert!(refused, "{other}: {}", answer.text());
    }
    let twice = format!("{REGISTER}?client_id={}&client_id={id}", by_hand.client_id);
    let answer = http.request("DELETE", &twice).bearer(&token).send().await;
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
    // A body cannot name somebody else, nor can a form or a query carry the token.
    let answer = replace(&http, &own, json!({"client_id": by_hand.client_id})).await;
    assert_eq!(answer.error(), "invalid_client_metadata");
    assert_eq!(
        management(&http, "GET", &id, &token).send().await.status,
        200
    );
    // An administrator who vouches for it takes its management away from whoever has the token.
    let name = [id.as_str().into()];
    let sql = r#"UPDATE "tabOAuth Client" SET dynamically_registered = 0 WHERE name = ?"#;
    world.app.execute(sql, name.to_vec()).await;
    world
        .app
        .change_client(&client(&own), &[("app_name", "Ours")])
        .await;
    let answer = management(&http, "DELETE", &id, &token).send().await;
    assert_eq!(answer.error(), "invalid_token");
    world.app.close().await;
}
