//! Keys in records that sellers write: nobody becomes somebody else by one, now or later.

use crema_testkit::{Engine, for_each_engine};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, MANAGER, OTHER, SELLER, Scene, WHO, assert_forbidden};

const SECRET: &str = "a-secret-that-the-seller-knows";

fn robot(label: &str, user: &str) -> Value {
    json!({"label": label, "user": user, "api_key": format!("key-{label}"), "api_secret": SECRET})
}

async fn who(scene: &Scene, label: &str) -> String {
    let pair = format!("token key-{label}:{SECRET}");
    let request = scene.app.http().get(WHO).header("Authorization", &pair);
    let answer = request.header("Frappe-Authorization-Source", "Robot");
    let answer = answer.send().await;
    match answer.status {
        200 => answer.member("message"),
        status => status.to_string(),
    }
}

// spec: security.md, Clients, "never give roles that the person setting them lacks"
async fn nobody_becomes_somebody_else(engine: Engine) {
    let scene = Scene::on(engine).await;
    let seller = scene.by(SELLER).await;
    for user in [MANAGER, ADMINISTRATOR, OTHER] {
        assert_forbidden(&seller.post("Robot", &robot("stolen", user)).await);
    }
    seller.make("Robot", &robot("own", SELLER)).await;
    assert_eq!(who(&scene, "own").await, SELLER);
    assert_forbidden(&seller.put("Robot", "own", &json!({"user": MANAGER})).await);

    // A secret that is waiting for a user of weight.
    let waiting = json!({"label": "waiting", "api_key": "key-waiting", "api_secret": SECRET});
    seller.make("Robot", &waiting).await;
    let manager = scene.by(MANAGER).await;
    let taken = manager
        .put("Robot", "waiting", &json!({"user": MANAGER}))
        .await;
    assert_eq!(taken.status, 417, "{}", taken.text());
    assert!(taken.text().contains("API Secret"), "{}", taken.text());
    assert_eq!(who(&scene, "waiting").await, "401");

    // Nor one half of a key of theirs, for them to add the other.
    let half = json!({"label": "half", "user": MANAGER, "api_secret": SECRET});
    assert_forbidden(&seller.post("Robot", &half).await);
    seller
        .make("Robot", &json!({"label": "half", "user": MANAGER}))
        .await;
    assert_forbidden(&seller.put("Robot", "half", &half).await);

    // A key of somebody else is not exchanged for one that the seller knows.
    let mut theirs = robot("theirs", MANAGER);
    theirs["api_secret"] = json!("another-secret-of-the-manager");
    manager.make("Robot", &theirs).await;
    assert_eq!(who(&scene, "theirs").await, "401");
    let secret = json!({"api_secret": SECRET});
    assert_forbidden(&seller.put("Robot", "theirs", &secret).await);
    // Nor is it of use after the manager has saved what the seller wrote.
    let label = manager.put("Robot", "theirs", &json!({"enabled": 1})).await;
    assert_eq!(label.status, 200);
    assert_eq!(who(&scene, "theirs").await, "401");
    scene.app.close().await;
}

for_each_engine! {
    async fn a_key_in_a_record_makes_nobody_somebody_else(engine: Engine) {
        nobody_becomes_somebody_else(engine).await;
    }
}

// Such a key opens everything.
#[tokio::test]
async fn a_narrow_credential_gets_no_wide_key() {
    let scene = Scene::start().await;
    let narrow = scene.key(SELLER, "robot:*").await;
    assert_forbidden(&narrow.post("Robot", &robot("narrow", SELLER)).await);
    let plain = json!({"label": "narrow"});
    narrow.make("Robot", &plain).await;
    let late = narrow
        .put("Robot", "narrow", &robot("narrow", SELLER))
        .await;
    assert_forbidden(&late);
    assert_eq!(who(&scene, "narrow").await, "401");
    // Neither does a session that is old, as with every key.
    let seller = scene.by(SELLER).await;
    scene.app.clock.advance_seconds(601);
    assert_forbidden(&seller.post("Robot", &robot("late", SELLER)).await);
    scene.app.close().await;
}
