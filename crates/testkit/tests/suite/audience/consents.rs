//! What a consent, or a token, speaks for when nobody is asked.
// spec: security.md, Authorization endpoint, "OAuth Consent (user, client, scopes, resource)"

use crema_testkit::{Redirect, Visitor, for_each_engine};

use super::*;

async fn silently(visitor: &mut Visitor, client: &TestClient, params: &[(&str, &str)]) -> String {
    let mut params = params.to_vec();
    params.push(("prompt", "none"));
    let redirect: Redirect = visitor.grant(client, &params).await;
    match redirect.param("error") {
        "" => "granted".to_owned(),
        error => error.to_owned(),
    }
}

for_each_engine! {
    async fn a_consent_is_for_its_resources(app: &App) {
        prepare(app).await;
        let client = app.add_client(ClientSpec::new(CALLBACK)).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let (mcp, api) = (format!("{}/mcp", app.issuer()), format!("{}/api", app.issuer()));
        visitor.code(&client, &[("scope", "all"), ("resource", &mcp)]).await;
        let required = "consent_required";
        for (resources, expected) in [
            (vec![mcp.as_str()], "granted"),
            (vec![], required),
            (vec![&api], required),
            (vec![&mcp, &api], required),
            (vec![&app.issuer()], required),
        ] {
            let params: Vec<_> = [("scope", "all")].into_iter()
                .chain(resources.iter().map(|one| ("resource", *one))).collect();
            assert_eq!(silently(&mut visitor, &client, &params).await, expected, "{resources:?}");
        }
        // In whatever order they are named.
        visitor.code(&client, &[("resource", &mcp), ("resource", &api)]).await;
        let turned = [("resource", api.as_str()), ("resource", &mcp)];
        assert_eq!(silently(&mut visitor, &client, &turned).await, "granted");
        assert_eq!(app.count(r#"SELECT COUNT(*) FROM "tabOAuth Consent""#, vec![]).await, 2);
    }

    async fn a_consent_covers_narrower_scopes(app: &App) {
        prepare(app).await;
        let client = app.add_client(ClientSpec::new(CALLBACK).scopes("openid all")).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        visitor.code(&client, &[("scope", "todo:* method:crm.api.home")]).await;
        for (scope, expected) in [
            ("todo:read", "granted"),
            ("todo:write todo:delete method:crm.api.home", "granted"),
            ("todo:read note:read", "consent_required"),
            ("method:crm.api.other", "consent_required"),
            ("all", "consent_required"),
            ("openid todo:read", "consent_required"),
        ] {
            let params = [("scope", scope)];
            assert_eq!(silently(&mut visitor, &client, &params).await, expected, "{scope}");
        }
    }
}

// A client with `all` may ask for any number of narrow scopes, one after the other.
#[tokio::test]
async fn a_consent_does_not_grow_without_end() {
    let app = site().await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for round in 0..4 {
        let scopes: Vec<_> = (0..90)
            .map(|n| format!("some_long_doctype_{round}_{n}:read"))
            .collect();
        let scope = scopes.join(" ");
        assert!(scope.len() > 2000 && scope.len() < 4096, "{}", scope.len());
        visitor.code(&client, &[("scope", &scope)]).await;
        assert_eq!(
            silently(&mut visitor, &client, &[("scope", &scope)]).await,
            "granted"
        );
    }
    let rows = app
        .rows(r#"SELECT scopes FROM "tabOAuth Consent""#, vec![])
        .await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].text(0).unwrap().len() <= 4096);
    app.close().await;
}

// spec: security.md, Authorization endpoint, "Skip Authorization … of OAuth Settings with an active
// token of the same user, client and scopes"
#[tokio::test]
async fn an_active_token_skips_the_question_as_far_as_it_reaches() {
    let app = site().await;
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let client = app.add_client(ClientSpec::new(CALLBACK)).await;
    let api = format!("{}/api", app.issuer());
    let (v2, mcp) = (format!("{api}/v2"), format!("{}/mcp", app.issuer()));
    tokens(&app, &client, &[("scope", "todo:*"), ("resource", &api)]).await;
    // Only the token speaks for the user.
    app.execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (scope, resource, skipped) in [
        ("todo:read", api.as_str(), true),
        ("todo:read todo:write", &v2, true),
        ("todo:read", "", false),
        ("todo:read", &mcp, false),
        ("note:read", &api, false),
        ("all", &api, false),
    ] {
        let params = client.authorization(&[("scope", scope), ("resource", resource)]);
        let params: Vec<_> = params
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let answer = visitor.authorize(&params).await;
        assert_eq!(
            answer.status == 302,
            skipped,
            "{scope} {resource}: {}",
            answer.status
        );
    }
    app.close().await;
}
