//! The Model Context Protocol's own libraries, in Node and in Python, from nothing but `/mcp`.

use crema_testkit::outgoing::{Internet, Reply};

use super::walk::{Walk, allow};
use super::*;

/// What a client that knows nothing is told to ask for.
const FIRST: &str = "openid offline_access todo:read";
/// What it is told when a tool needs it.
const MORE: &str = "todo:create";

/// A site with tools, where clients may register for a bit of its data.
async fn with_tools(builder: AppBuilder) -> App {
    let app = started(builder.real_time()).await;
    let scopes = format!("openid profile email offline_access todo:read {MORE}");
    let settings = [
        ("enable_mcp", "1"),
        ("enable_dynamic_client_registration", "1"),
        ("registration_scopes", &scopes),
    ];
    app.set_settings("OAuth Settings", &settings).await;
    app
}

/// Runs a walk; what is particular to it is added to its task.
async fn walk(app: &App, browser: &Browser, program: &Path, script: &str, more: Value) {
    let mut task = json!({
        "issuer": address(app),
        "url": format!("{}/mcp", address(app)),
        "first_scope": FIRST,
        "more": MORE,
        "list": {"doctype": "ToDo", "fields": ["name", "description"]},
        "create": {"doctype": "ToDo", "values": {"description": "Water the plants"}},
    });
    let members = task.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let mut said = Vec::new();
    let mut walk = Walk::start(program, script, &task);
    while let Some(ask) = walk.next().await {
        let answer = match ask.what.as_str() {
            "open" => {
                said.push(allow(browser, ask.argument.as_str().unwrap()).await);
                Value::Null
            }
            "pass" => {
                app.clock.advance_seconds(ask.argument.as_u64().unwrap());
                ask.argument
            }
            other => panic!("{other}"),
        };
        walk.answer(answer).await;
    }
    let [first, second] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_ne!(first, second);
}

/// The two ways in which a client says who it is: it registers, or it has a document about itself
/// at an address that only this server knows how to reach.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Registration,
    Document,
}

async fn walks(program: &Path, script: &str, ways: &[Way]) {
    let internet = Internet::new();
    let app = with_tools(builder().outgoing(internet.outgoing())).await;
    let browser = Browser::start().await;
    for way in ways {
        match way {
            Way::Registration => walk(&app, &browser, program, script, json!({})).await,
            Way::Document => {
                let publisher = internet.serve("assistant.example").await;
                let document = "https://assistant.example/assistant/client.json";
                let said = json!({
                    "client_id": document,
                    "client_name": "Assistant",
                    "redirect_uris": ["http://127.0.0.1/callback"],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "token_endpoint_auth_method": "none",
                });
                publisher.answer("/assistant/client.json", Reply::json(&said));
                let more = json!({"document": document});
                walk(&app, &browser, program, script, more).await;
                assert!(publisher.requests() > 0);
            }
        }
    }
    browser.close().await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_library() {
    walks(&node(), "js/mcp.mjs", &[Way::Registration, Way::Document]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_library() {
    let program = installed("mcp2/bin/python");
    let ways = [Way::Registration, Way::Document];
    walks(&program, "mcp2/mcp_walk.py", &ways).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_version_of_the_python_library() {
    let program = installed("mcp1/bin/python");
    walks(&program, "mcp1/mcp_walk.py", &[Way::Registration]).await;
}
