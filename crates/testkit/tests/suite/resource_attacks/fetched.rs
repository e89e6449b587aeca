//! What is fetched along a link is a copy of what the link leads to: for who may read that.

use crema_testkit::{Engine, for_each_engine};
use serde_json::json;

use super::lab::{CREDIT, PHONE};
use super::{LEAD, MANAGER, OTHER, SELLER, Scene};

async fn copies_need_a_right_to_read(engine: Engine) {
    let scene = Scene::on(engine).await;
    let manager = scene.by(MANAGER).await;
    let customer = json!({"title": "ACME", "phone": PHONE, "credit": CREDIT});
    manager.make("Customer", &customer).await;
    let body = json!({
        "subject": "x", "customer": "ACME", "rows": [{"customer": "ACME", "note": "n"}],
    });
    let seller = scene.by(SELLER).await;
    let made = seller.post("Job", &body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let name = made.json()["data"]["name"].as_str().unwrap().to_owned();
    let path = format!("/api/resource/Job/{name}");
    let read = seller.get(&path).await;
    for text in [made.text(), read.text()] {
        assert!(!text.contains(PHONE) && !text.contains(CREDIT), "{text}");
    }
    // Who reads customers, but not at that level.
    let lead = scene.by(LEAD).await;
    let made = lead.make("Job", &body).await;
    assert_eq!(made["phone"], PHONE);
    assert_eq!(made["rows"][0]["phone"], PHONE);
    assert_eq!(made.get("credit"), None, "{made}");

    // What somebody else has fetched stays when the link does.
    let saved = manager.put("Job", &name, &json!({"subject": "y"})).await;
    assert_eq!(saved.json()["data"]["credit"], CREDIT);
    let again = seller.put("Job", &name, &json!({"subject": "z"})).await;
    assert_eq!(again.json()["data"]["credit"], CREDIT);
    let customer = json!({"title": "Other", "phone": "none of your business"});
    manager.make("Customer", &customer).await;
    let moved = seller
        .put("Job", &name, &json!({"customer": "Other"}))
        .await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["data"].get("credit"), None);
    assert_eq!(moved.json()["data"].get("phone"), None);

    // Who reads only what is their own.
    scene
        .app
        .add_user(
            "master@example.com",
            super::PASSWORD,
            &["Sales User", "Sales Master Manager"],
        )
        .await;
    let master = scene.by("master@example.com").await;
    let own = json!({"title": "Mine", "phone": "of mine"});
    master.make("Customer", &own).await;
    let made = master.make("Job", &json!({"customer": "Mine"})).await;
    assert_eq!(made["phone"], "of mine");
    let made = master.make("Job", &json!({"customer": "ACME"})).await;
    assert_eq!(made.get("phone"), None);
    assert_eq!(scene.by(OTHER).await.get(&path).await.status, 403);
    scene.app.close().await;
}

for_each_engine! {
    async fn a_link_copies_only_what_its_writer_may_read(engine: Engine) {
        copies_need_a_right_to_read(engine).await;
    }
}
