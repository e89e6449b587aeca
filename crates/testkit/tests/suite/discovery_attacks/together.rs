//! Changes of one client at the same time, at two servers.

use crema_testkit::for_each_engine;

use super::*;

async fn tokens_of(app: &App, id: &str) -> i64 {
    let sql = r#"SELECT COUNT(*) FROM "tabRegistration Access Token" WHERE client = ?"#;
    app.count(sql, vec![id.into()]).await
}

for_each_engine! {
    // Whoever comes first: a client that was removed is gone, with all that could bring it back.
    async fn a_replacement_brings_no_removed_client_back(engine: Engine) {
        let world = World::new(engine).await;
        let second = world.app.second_server().await;
        for _ in 0..4 {
            let information = registered(&world.app.http(), json!({})).await;
            let id = text(&information, "client_id").to_owned();
            let token = text(&information, "registration_access_token").to_owned();
            let body = metadata(json!({"client_id": id}));
            let put = management(&world.app.http(), "PUT", &id, &token).json(&body);
            let delete = management(&second.http(), "DELETE", &id, &token);
            let (put, delete) = tokio::join!(tokio::spawn(put.send()), tokio::spawn(delete.send()));
            let (put, delete) = (put.unwrap(), delete.unwrap());
            let clients = r#"SELECT COUNT(*) FROM "tabOAuth Client" WHERE name = ?"#;
            let there = world.app.count(clients, vec![id.as_str().into()]).await;
            match (put.status, delete.status) {
                (200, 401) => assert_eq!((there, tokens_of(&world.app, &id).await), (1, 1)),
                (401 | 404, 204) => assert_eq!((there, tokens_of(&world.app, &id).await), (0, 0)),
                other => panic!("{other:?} {} {}", put.text(), delete.text()),
            }
        }
        second.stop().await;
        world.app.close().await;
    }

    // spec: security.md, Codes and tokens, "deleted or disabled clients: their tokens … stop"
    async fn no_token_outlives_the_removal_of_its_client(engine: Engine) {
        let world = World::new(engine).await;
        let second = world.app.second_server().await;
        let mut visitor = world.user().await;
        for _ in 0..4 {
            let information = registered(&world.app.http(), json!({})).await;
            let own = client(&information);
            let code = visitor.code(&own, &[("scope", "openid")]).await;
            let token = text(&information, "registration_access_token");
            let delete = management(&second.http(), "DELETE", &own.client_id, token);
            let http = world.app.http();
            let same = own.clone();
            let redeem = tokio::spawn(async move { http.redeem(&same, &code, &[]).await });
            let (redeemed, deleted) = tokio::join!(redeem, tokio::spawn(delete.send()));
            assert_eq!(deleted.unwrap().status, 204);
            let redeemed = redeemed.unwrap();
            if redeemed.status == 200 {
                let tokens = redeemed.tokens();
                for http in [world.app.http(), second.http()] {
                    assert_eq!(http.userinfo(&tokens.access_token).await.status, 401);
                    let again = http.refresh(&own, &tokens.refresh_token).await;
                    assert_eq!(again.error(), "invalid_client");
                }
            } else {
                let error = redeemed.error();
                assert!(error == "invalid_grant" || error == "invalid_client", "{error}");
            }
            let live = r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" WHERE client = ? AND status = 'Active'"#;
            let live = world.app.count(live, vec![own.client_id.as_str().into()]).await;
            assert_eq!(live, 0, "after {}", redeemed.status);
        }
        second.stop().await;
        world.app.close().await;
    }

    // What the user saw is what is allowed, whenever the client changes itself.
    async fn no_consent_for_a_client_as_it_was_stays_for_what_it_is(engine: Engine) {
        let world = World::new(engine).await;
        let second = world.app.second_server().await;
        let mut visitor = world.user().await;
        for round in 0..4 {
            let information = registered(&world.app.http(), json!({})).await;
            let own = client(&information);
            let page = authorize(&mut visitor, &own, &[("scope", "openid")]).await;
            let other = format!("https://evil.example/{round}");
            let http = second.http();
            let changes = json!({"client_name": "Bank", "redirect_uris": [other]});
            let before = information.clone();
            let change = tokio::spawn(async move { replace(&http, &before, changes).await });
            let answer = visitor.decide(&page, "allow").await;
            let changed = change.await.unwrap();
            assert_eq!(changed.status, 200, "{}", changed.text());
            assert!(matches!(answer.status, 302 | 303 | 400), "{}", answer.text());
            let silent = [("scope", "openid"), ("prompt", "none")];
            let silent = visitor.grant(&client(&changed.json()), &silent).await;
            assert_eq!(silent.param("error"), "consent_required");
        }
        second.stop().await;
        world.app.close().await;
    }
}
