//! Links that somebody sets to keep what others want to remove.

use serde_json::json;

use super::{MANAGER, SELLER, Scene};

#[tokio::test]
async fn nobody_keeps_a_session_or_a_permission_by_a_link() {
    let scene = Scene::start().await;
    let seller = scene.by(SELLER).await;
    let manager = scene.by(MANAGER).await;
    let sessions = seller.get("/api/resource/Session").await;
    let session = sessions.json()["data"][0]["name"].clone();
    let permission = json!({"parent": "Parcel", "role": "Sales User", "read": 1});
    let permission = manager.make("Custom DocPerm", &permission).await["name"].clone();
    for (doctype, name) in [("Custom DocPerm", permission), ("Session", session)] {
        let link = json!({"subject": "x", "about_type": doctype, "about": name});
        seller.make("Job", &link).await;
        let path = format!("/api/resource/{doctype}/{}", name.as_str().unwrap());
        let path = path.replace(' ', "%20");
        let removed = manager.request("DELETE", &path).send().await;
        assert_eq!(removed.status, 202, "{}", removed.text());
    }
    // The session was the seller's own.
    assert_eq!(seller.get("/api/resource/Job").await.status, 401);
    scene.app.close().await;
}
