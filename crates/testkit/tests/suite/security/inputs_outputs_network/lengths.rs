//! What comes from outside has a length that is the same on every database.

use crema_testkit::{ClientSpec, Redirect, for_each_engine};

use crate::security::scene;

/// Fills so many bytes with characters of that many bytes each.
fn filled(bytes: usize, character: char) -> String {
    let length = character.len_utf8();
    format!(
        "{}{}",
        character.to_string().repeat(bytes / length),
        "x".repeat(bytes % length)
    )
}

for_each_engine! {
    // spec: security.md, Inputs, outputs, network, line 6
    async fn what_is_stored_has_the_same_limit_everywhere(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let mut visitor = scene::signed_in(app).await;
        for (name, limit) in [("nonce", 1024), ("state", 8192), ("login_hint", 1024), ("acr_values", 1024)] {
            for character in ['x', 'é', '\u{1f600}'] {
                let fits = filled(limit, character);
                let changes = [("scope", "openid"), (name, fits.as_str())];
                let code = visitor.code(&client, &changes).await;
                let answer = app.http().redeem(&client, &code, &[]).await;
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                let longer = filled(limit + 1, character);
                let changes = [("scope", "openid"), (name, longer.as_str())];
                let answer = scene::authorize(&mut visitor, &client, &changes).await;
                assert_eq!(Redirect::of(&answer).param("error"), "invalid_request", "{name}");
            }
        }
        let claims = |name: &str| format!("{{\"userinfo\":{{\"{name}\":null}}}}");
        let claims = claims(&"x".repeat(8192 - claims("").len()));
        let changes = [("scope", "openid"), ("claims", claims.as_str())];
        let code = visitor.code(&client, &changes).await;
        assert_eq!(app.http().redeem(&client, &code, &[]).await.status, 200);
        let longer = claims.replace("null", "null ");
        let changes = [("scope", "openid"), ("claims", longer.as_str())];
        let answer = scene::authorize(&mut visitor, &client, &changes).await;
        assert_eq!(Redirect::of(&answer).param("error"), "invalid_request");
    }

    // spec: security.md, Inputs, outputs, network, line 6
    async fn the_longest_uris_and_resources_fit(app: &App) {
        scene::add_user(app).await;
        let uri = format!("https://client.example/{}", "x".repeat(2048 - 23));
        let client = app.add_client(ClientSpec::new(&uri)).await;
        let mut visitor = scene::signed_in(app).await;
        let code = visitor.code(&client, &[("scope", "openid")]).await;
        assert_eq!(app.http().redeem(&client, &code, &[]).await.status, 200);
        let longer = format!("{uri}x");
        let answer = scene::authorize(&mut visitor, &client, &[("redirect_uri", &longer)]).await;
        assert_eq!((answer.status, answer.location()), (400, None));

        let client = scene::confidential(app).await;
        let issuer = app.issuer();
        let resource = |number: usize, length: usize| {
            let begin = format!("{issuer}/{number:02}");
            format!("{begin}{}", "x".repeat(length - begin.len()))
        };
        let many: Vec<String> = (0..16).map(|number| resource(number, 2048)).collect();
        let mut changes = vec![("scope", "openid")];
        changes.extend(many.iter().map(|one| ("resource", one.as_str())));
        // A target of that length would not be read as a GET.
        let changes: Vec<_> = changes.into_iter().take(12).collect();
        let code = visitor.code(&client, &changes).await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        assert_eq!(app.http().refresh(&client, &tokens.refresh_token).await.status, 200);
        let longer = resource(0, 2049);
        let answer = scene::authorize(&mut visitor, &client, &[("resource", &longer)]).await;
        assert_eq!(Redirect::of(&answer).param("error"), "invalid_target");
        let short: Vec<String> = (0..17).map(|number| resource(number, 100)).collect();
        let changes: Vec<_> = short.iter().map(|one| ("resource", one.as_str())).collect();
        let answer = scene::authorize(&mut visitor, &client, &changes).await;
        assert_eq!(Redirect::of(&answer).param("error"), "invalid_target");
    }

    // spec: security.md, Inputs, outputs, network, line 6: and what only the audit trail keeps
    async fn names_and_agents_of_any_length_break_nothing(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        for character in ['x', 'é', '\u{1f600}'] {
            for length in [140, 141, 500, 501, 5000, 60_000] {
                let text = filled(length, character);
                let agent = filled(length.min(20_000), character);
                let request = app.http().post("/api/method/login").header("User-Agent", &agent);
                let login = request.form(&[("usr", text.as_str()), ("pwd", "wrong")]).send().await;
                assert!(matches!(login.status, 401 | 429), "{length}: {}", login.text());
                let request = app.http().post("/api/method/login").header("User-Agent", &agent);
                let form = [("usr", scene::USER), ("pwd", scene::PASSWORD)];
                app.clock.advance_seconds(61);
                assert_eq!(request.form(&form).send().await.status, 200, "{length}");
                let unknown = [("client_id", text.as_str()), ("client_secret", "x"), ("token", "x")];
                let unknown = scene::call(&app.http(), "revoke_token", &unknown).send().await;
                assert!(matches!(unknown.status, 401 | 429), "{length}: {}", unknown.text());
                let about = app.http().introspect(&client, &text).await;
                assert_eq!(about.json()["active"], false);
            }
        }
    }
}

// spec: security.md, Inputs, outputs, network, line 6: U+0000 is 400
#[tokio::test]
async fn u_0000_is_refused_everywhere() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    let with_nul = "a\0b";
    for endpoint in ["get_token", "revoke_token", "introspect_token"] {
        for name in [
            "token",
            "code",
            "refresh_token",
            "username",
            "password",
            "scope",
            "foo",
        ] {
            let params = [("grant_type", "password"), (name, with_nul)];
            let answer = http.client_request(endpoint, &client, &params).send().await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (400, "invalid_request")
            );
            let body = serde_json::json!({"client_id": client.client_id,
                "client_secret": client.secret(), name: with_nul});
            let answer = http
                .post(&crema_testkit::flow::method(endpoint))
                .json(&body)
                .send()
                .await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (400, "invalid_request")
            );
        }
    }
    let mut visitor = scene::signed_in(&app).await;
    for name in [
        "state",
        "nonce",
        "scope",
        "claims",
        "redirect_uri",
        "client_id",
    ] {
        let answer = scene::authorize(&mut visitor, &client, &[(name, with_nul)]).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{name}");
    }
    for form in [
        [("usr", with_nul), ("pwd", "x")],
        [("usr", "x"), ("pwd", with_nul)],
    ] {
        let answer = http.post("/api/method/login").form(&form).send().await;
        assert_eq!(answer.status, 400);
    }
    app.close().await;
}
