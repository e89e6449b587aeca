//! A credential that opens a part never gets the whole.

use serde_json::{Value, json};

use super::{MANAGER, Scene, assert_forbidden};

/// Everything but `all`, for what decides about other credentials.
const NARROW: &str = "custom_docperm:* oauth_client:* oauth_settings:* oauth_provider_settings:* \
                      social_login_key:* user:* todo:read";

fn client(more: &Value) -> Value {
    let mut client = json!({
        "app_name": "Evil", "default_redirect_uri": "https://evil.example/cb", "scopes": "openid",
    });
    for (member, value) in more.as_object().unwrap() {
        client[member] = value.clone();
    }
    client
}

// spec: http.md, Resource server, "Scopes on resources"
#[tokio::test]
async fn settings_of_credentials_need_a_credential_for_everything() {
    let scene = Scene::start().await;
    let narrow = scene.key(MANAGER, NARROW).await;
    let permission = json!({"parent": "Job", "role": "Guest", "read": 1});
    assert_forbidden(&narrow.post("Custom DocPerm", &permission).await);
    let guest = scene.app.http().get("/api/resource/Job").send().await;
    assert_eq!(guest.status, 401);
    let provider = json!({
        "provider_name": "Evil", "social_login_provider": "Custom", "client_id": "a",
        "base_url": "https://evil.example", "authorize_url": "https://evil.example/a",
        "access_token_url": "https://evil.example/t", "redirect_url": "/x",
    });
    assert_forbidden(&narrow.post("Social Login Key", &provider).await);
    for (single, values) in [
        ("OAuth Settings", json!({"registration_scopes": "all"})),
        ("OAuth Settings", json!({"skip_authorization": 1})),
        (
            "OAuth Provider Settings",
            json!({"skip_authorization": "Auto"}),
        ),
    ] {
        assert_forbidden(&narrow.put(single, single, &values).await);
    }
    let harmless = json!({"resource_name": "Ours"});
    let answer = narrow
        .put("OAuth Settings", "OAuth Settings", &harmless)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let manager = scene.by(MANAGER).await;
    let made = manager.make("Custom DocPerm", &permission).await;
    let path = format!(
        "/api/resource/Custom%20DocPerm/{}",
        made["name"].as_str().unwrap()
    );
    assert_forbidden(&narrow.request("DELETE", &path).send().await);
    scene.app.close().await;
}

#[tokio::test]
async fn clients_open_no_more_than_the_credential_that_makes_them() {
    let scene = Scene::start().await;
    let narrow = scene.key(MANAGER, NARROW).await;
    for more in [
        json!({"scopes": "all openid"}),
        json!({"scopes": null}),
        json!({"scopes": "openid todo:write"}),
        json!({"skip_authorization": 1}),
        json!({"skip_authorization": "1"}),
    ] {
        assert_forbidden(&narrow.post("OAuth Client", &client(&more)).await);
    }
    let body = client(&json!({"scopes": "openid todo:read"}));
    let own = narrow.make("OAuth Client", &body).await;
    let own = own["name"].as_str().unwrap();
    for change in [json!({"scopes": "all"}), json!({"skip_authorization": 1})] {
        assert_forbidden(&narrow.put("OAuth Client", own, &change).await);
    }
    // Nor does it send the codes of a wider one elsewhere.
    let manager = scene.by(MANAGER).await;
    for wide in [
        json!({"scopes": "all openid"}),
        json!({"skip_authorization": 1}),
    ] {
        let wide = manager.make("OAuth Client", &client(&wide)).await;
        let wide = wide["name"].as_str().unwrap();
        let change = json!({"default_redirect_uri": "https://evil.example/2"});
        assert_forbidden(&narrow.put("OAuth Client", wide, &change).await);
        let off = narrow
            .put("OAuth Client", wide, &json!({"enabled": 0}))
            .await;
        assert_eq!(off.status, 200, "{}", off.text());
    }
    scene.app.close().await;
}
