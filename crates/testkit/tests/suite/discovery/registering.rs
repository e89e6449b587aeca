//! The fields of OAuth Settings about applications that register themselves, and those of
//! house-keeping: changed at one process, obeyed by another.

use crema_auth::retention::{Kind, Sweep};
use crema_auth::{Ctx, keys};
use crema_testkit::Response;
use crema_testkit::flow::method;
use serde_json::{Value, json};

use super::{CALLBACK, PASSWORD, Site, USER};

const DAY: u64 = 86_400;

impl Site {
    async fn register(&self, more: &Value) -> Response {
        let mut body = json!({"client_name": "App", "redirect_uris": [CALLBACK]});
        let members = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        let path = method("register_client");
        self.other().post(&path).json(&body).send().await
    }

    /// The process that did not hear of a change, as its house-keeping sees it.
    async fn ctx(&self) -> Ctx {
        let provider = self.other.provider().await;
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        Ctx::new(provider, address, "test", self.other().origin())
    }

    /// How many rows of a kind its house-keeping removes.
    async fn sweep(&self, kind: Kind) -> u64 {
        let mut sweep = Sweep::new(kind);
        let mut removed = 0;
        loop {
            let batch = sweep.batch(&self.ctx().await).await.unwrap();
            removed += batch.removed;
            if !batch.more {
                return removed;
            }
        }
    }
}

// "What applications that register themselves may ask for": when they register and later
#[tokio::test]
async fn registration_scopes() {
    let mut site = Site::start().await;
    let asked = json!({"scope": "openid todo:read all"});
    let answer = site.register(&asked).await;
    assert_eq!(answer.member("scope"), "openid");
    site.set_one("registration_scopes", "openid todo:*").await;
    let answer = site.register(&asked).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.member("scope"), "openid todo:read");

    let client = answer.member("client_id");
    let mut user = site.other.visitor();
    user.login(USER, PASSWORD).await;
    let challenge = crema_testkit::challenge(crema_testkit::VERIFIER);
    let request = [
        ("client_id", client.as_str()),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "todo:read"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(user.authorize(&request).await.status, 200);
    // Narrower from the next request on, also for those that have registered.
    site.set_one("registration_scopes", "openid").await;
    let answer = user.authorize(&request).await;
    let location = answer.location().unwrap_or_default();
    assert!(location.contains("error=invalid_scope"), "{location}");
    site.close().await;
}

// "Private URI schemes without a dot that public applications may register"
#[tokio::test]
async fn allowed_redirect_schemes() {
    let mut site = Site::start().await;
    for (allowed, expected) in [
        (None, ["cursor", "vscode"].as_slice()),
        (Some("cursor\nmyapp"), &["cursor", "myapp"]),
        (Some(""), &[]),
    ] {
        if let Some(allowed) = allowed {
            site.set_one("allowed_redirect_schemes", allowed).await;
        }
        for scheme in ["cursor", "vscode", "myapp"] {
            let answer = site
                .register(&json!({
                    "redirect_uris": [format!("{scheme}://callback")],
                    "token_endpoint_auth_method": "none",
                    "application_type": "native",
                }))
                .await;
            let status = if expected.contains(&scheme) { 201 } else { 400 };
            assert_eq!(answer.status, status, "{scheme}: {}", answer.text());
        }
    }
    let bad = json!({"allowed_redirect_schemes": "javascript"});
    assert_eq!(site.put("OAuth Settings", &bad).await.status, 417);
    site.close().await;
}

// "How many registrations one address may make in a minute."
#[tokio::test]
async fn registration_limit() {
    let mut site = Site::start().await;
    for (limit, minute) in [(2, 0), (3, 1)] {
        site.set_one("registration_limit", limit).await;
        for number in 0..limit {
            let answer = site.register(&json!({})).await;
            assert_eq!(answer.status, 201, "{minute} {number}: {}", answer.text());
        }
        let answer = site.register(&json!({})).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
        site.app.clock.advance_seconds(61);
    }
    let none = json!({"registration_limit": 0});
    assert_eq!(site.put("OAuth Settings", &none).await.status, 417);
    site.close().await;
}

// "Only who brings a token that an administrator issued may register an application."
#[tokio::test]
async fn initial_access_token_required() {
    let mut site = Site::start().await;
    for on in [1, 0] {
        site.set_one("initial_access_token_required", on).await;
        let answer = site.register(&json!({})).await;
        let expected = if on == 1 { 401 } else { 201 };
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
    site.close().await;
}

// "Applications that registered themselves and were not used for so long are removed. 0 keeps them."
#[tokio::test]
async fn remove_unused_clients_after_days() {
    let mut site = Site::start().await;
    assert_eq!(site.register(&json!({})).await.status, 201);
    site.set_one("remove_unused_clients_after_days", 0).await;
    site.app.clock.advance_seconds(400 * DAY);
    assert_eq!(site.sweep(Kind::Clients).await, 0);
    site.manager.login(super::MANAGER, PASSWORD).await;
    site.set_one("remove_unused_clients_after_days", 399).await;
    assert_eq!(site.sweep(Kind::Clients).await, 1);
    site.close().await;
}

// "For so many days the record of sign-ins … is kept. 0 keeps it for ever." and "For so many days
// after its end the record of a token is kept"
#[tokio::test]
async fn activity_log_and_token_retention_days() {
    let mut site = Site::start().await;
    let client = site.client_of_the_site().await;
    let mut user = site.other.visitor();
    user.login(USER, PASSWORD).await;
    let code = user.code(&client, &[]).await;
    let redeemed = site.other().redeem(&client, &code, &[]).await;
    assert_eq!(redeemed.status, 200);
    site.set(json!({"activity_log_retention_days": 0, "token_retention_days": 0}))
        .await;
    site.app.clock.advance_seconds(5000 * DAY);
    for kind in [Kind::Entries, Kind::RefreshTokens] {
        assert_eq!(site.sweep(kind).await, 0, "{kind:?}");
    }
    site.manager.login(super::MANAGER, PASSWORD).await;
    site.set(json!({"activity_log_retention_days": 4999, "token_retention_days": 4000}))
        .await;
    for kind in [Kind::Entries, Kind::RefreshTokens] {
        assert!(site.sweep(kind).await > 0, "{kind:?}");
    }
    site.close().await;
}

// "After so many days a new signing key takes over. 0 means that keys are rotated by hand."
#[tokio::test]
async fn key_rotation_days() {
    let mut site = Site::start().await;
    // The key of RS256 comes with the first look at the keys.
    site.client_of_the_site().await;
    site.other().get(super::JWKS).send().await;
    let due = async |site: &Site| {
        let rotated = keys::rotate_due(&site.ctx().await, "Administrator").await;
        rotated.unwrap().len()
    };
    site.set_one("key_rotation_days", 0).await;
    site.app.clock.advance_seconds(100 * DAY);
    assert_eq!(due(&site).await, 0);
    site.manager.login(super::MANAGER, PASSWORD).await;
    site.set_one("key_rotation_days", 99).await;
    assert_eq!(due(&site).await, 1);
    site.close().await;
}
