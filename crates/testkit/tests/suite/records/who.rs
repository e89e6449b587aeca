//! Who reads which records at all.

use crema_document::Registry;

use crate::resource::{PLAIN, Scene};

/// What every Desk User may list; of most of it only what is their own.
const FOR_ALL: &[&str] = &[
    "API Key",
    "Connected App",
    "Note",
    "OAuth Bearer Token",
    "OAuth Consent",
    "Session",
    "ToDo",
    "Token Cache",
    "User",
];

// spec: doctypes.md, "All DocTypes … readable over REST"; "OAuth records are for System Managers"
#[tokio::test]
async fn every_doctype_is_read_by_who_may() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let plain = scene.sender(PLAIN, "all").await;
    let http = scene.app.http();
    for doctype in Registry::builtin().unwrap().doctypes() {
        let name = doctype.name.replace(' ', "%20");
        let path = match doctype.issingle {
            true => format!("/api/resource/{name}/{name}"),
            false => format!("/api/resource/{name}"),
        };
        let guest = http.get(&path).send().await;
        assert_eq!(guest.status, 401, "{path}: {}", guest.text());
        let expected = if doctype.istable { 403 } else { 200 };
        let answer = manager.send("GET", &path).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        let for_all = FOR_ALL.contains(&doctype.name.as_str());
        let expected = if for_all { 200 } else { 403 };
        let answer = plain.send("GET", &path).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
    }
    scene.app.close().await;
}
