//! Refusals: statuses, challenges, and the two envelopes.

use serde_json::{Value, json};

use super::{MANAGER, PLAIN, Scene, fault};

const CLIENTS: &str = "/api/resource/OAuth%20Client";

// spec: http.md, Resource server, the table of statuses
#[tokio::test]
async fn nobody_is_401_and_who_may_not_is_403() {
    let scene = Scene::start().await;
    let metadata = format!(
        "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource\"",
        scene.app.issuer()
    );
    let http = scene.app.http();
    for path in [
        CLIENTS,
        "/api/v2/document/OAuth%20Client",
        "/api/resource/OAuth%20Client/x",
        "/api/v2/doctype/OAuth%20Client/meta",
        "/api/v2/doctype/OAuth%20Client/count",
        "/api/method/frappe.client.get_list?doctype=OAuth%20Client",
        "/api/method/frappe.auth.get_logged_user",
        "/api/method/frappe.utils.now",
    ] {
        let answer = http.get(path).send().await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        assert_eq!(answer.header("www-authenticate"), Some(metadata.as_str()));
        assert!(answer.cookies().is_empty());
        // Wrong keys are counted, so they are not tried at every path.
        let keys = ["token a:b", "Basic YTpi", "Basic !"].into_iter();
        let keys = keys.filter(|_| path == CLIENTS);
        for header in ["Bearer nosuch", "Bearer", "Digest x", ""]
            .into_iter()
            .chain(keys)
        {
            let answer = http.get(path).header("Authorization", header).send().await;
            assert_eq!(answer.status, 401, "{path} {header}: {}", answer.text());
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with(&metadata), "{challenge}");
            let dead = header == "Bearer nosuch";
            assert!(
                !dead || challenge.contains("error=\"invalid_token\""),
                "{challenge}"
            );
        }
    }
    let plain = scene.sender(PLAIN, "all").await;
    let answer = plain.send("GET", CLIENTS).await;
    assert_eq!(fault(&answer), (403, "PermissionError".to_owned()));
    let message = answer.member("_error_message");
    let words = "No permission for OAuth Client: no role of ";
    assert!(message.starts_with(words), "{message}");
    assert_eq!(answer.header("www-authenticate"), None);
    scene.app.close().await;
}

// spec: http.md, Resource server, "the token's scope is too small"
#[tokio::test]
async fn a_scope_that_is_too_small_is_named() {
    let scene = Scene::start().await;
    let reader = scene.sender(MANAGER, "todo:read").await;
    assert_eq!(reader.send("GET", "/api/resource/ToDo").await.status, 200);
    let insert = "/api/method/frappe.client.insert";
    for (method, path, scope) in [
        ("POST", "/api/resource/ToDo", "todo:create"),
        ("POST", insert, "todo:create"),
        ("GET", "/api/resource/Note", "note:read"),
        ("GET", "/api/v2/doctype/Note/meta", "note:read"),
        (
            "GET",
            "/api/method/frappe.client.get_count?doctype=Note",
            "note:read",
        ),
        (
            "POST",
            "/api/method/frappe.core.doctype.user.user.generate_keys",
            "method:frappe.core.doctype.user.user.generate_keys",
        ),
    ] {
        let body = json!({"doctype": "ToDo", "description": "x",
            "doc": {"doctype": "ToDo", "description": "x"}, "user": MANAGER});
        let answer = match method {
            "GET" => reader.send("GET", path).await,
            _ => reader.json(method, path, &body).await,
        };
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        assert!(answer.text().contains(scope), "{path}: {}", answer.text());
        let challenge = answer.header("www-authenticate").unwrap();
        let wanted = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains(&wanted),
            "{challenge}"
        );
    }
    scene.app.close().await;
}

// spec: http.md, Resource server, "Error envelope v1"
#[tokio::test]
async fn errors_have_the_members_that_clients_look_for() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let path = "/api/resource/ToDo/%3Cimg%20src%3Dx%3E";
    let answer = manager.send("GET", path).await;
    let body = answer.json();
    assert_eq!(body["exc_type"], "DoesNotExistError");
    let line = body["exception"].as_str().unwrap();
    assert!(line.starts_with("DoesNotExistError: "), "{line}");
    let exc: Vec<String> = serde_json::from_str(body["exc"].as_str().unwrap()).unwrap();
    assert_eq!(exc, [line]);
    let messages = body["_server_messages"].as_str().unwrap();
    let messages: Vec<String> = serde_json::from_str(messages).unwrap();
    let message: Value = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!(
        (&message["title"], &message["indicator"]),
        (&json!("Message"), &json!("red"))
    );
    // Clients show it as HTML.
    let text = message["message"].as_str().unwrap();
    assert!(
        text.contains("&lt;img src=x&gt;") && !text.contains('<'),
        "{text}"
    );
    assert_eq!(body["_error_message"], text);

    let second = path.replace("/api/resource/", "/api/v2/document/");
    let answer = manager.send("GET", &second).await;
    let expected = json!({"errors": [{"type": "DoesNotExistError", "message": text,
        "title": "Message", "indicator": "red"}]});
    assert_eq!((answer.status, answer.json()), (404, expected));

    let page = manager.request("GET", path).header("Accept", "text/html");
    let page = page.send().await;
    assert_eq!((page.status, page.media_type()), (404, "text/html"));
    assert!(!page.text().contains("<img src=x>"));
    scene.app.close().await;
}

// spec: golden, method-02 to method-05
#[tokio::test]
async fn names_that_are_no_method_are_told_apart_as_in_frappe() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let answer = manager.send("GET", "/api/method/nope.nope").await;
    let words = "Failed to get method for command nope.nope with App nope is not installed";
    assert_eq!(fault(&answer), (417, "ValidationError".to_owned()));
    assert_eq!(answer.member("_error_message"), words);
    let answer = manager.send("GET", "/api/v2/method/nope.nope").await;
    let words = words.replace(" for command", "");
    assert_eq!(answer.json()["errors"][0]["message"], json!(words));
    let answer = manager.send("GET", "/api/method/frappe.utils.now").await;
    assert_eq!(fault(&answer), (403, "PermissionError".to_owned()));
    assert!(
        answer
            .text()
            .contains("Function frappe.utils.now is not whitelisted.")
    );
    let answer = scene
        .app
        .http()
        .get("/?cmd=nope.nope")
        .header("Accept", "application/json");
    assert_eq!(answer.send().await.status, 417);
    let long = format!("/api/method/nope.{}", "x".repeat(4000));
    assert!(manager.send("GET", &long).await.body.len() < 2000);
    for path in ["/api/foo", "/api/v2/foo", "/api/"] {
        assert_eq!(
            scene.app.http().get(path).send().await.status,
            404,
            "{path}"
        );
        let answer = scene.app.http().get(path).bearer("nosuch").send().await;
        assert_eq!(answer.status, 401, "{path}");
    }
    scene.app.close().await;
}
