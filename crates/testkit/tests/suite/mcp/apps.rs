//! Methods of an app that comes with the program, by the tool that calls methods.

use serde_json::json;

use super::{Assistant, site};

// spec: crm.md, Mobile API: by the tool as by the path
#[tokio::test]
async fn methods_of_apps_are_called_too() {
    let app = site(&["Sales User", "System Manager"]).await;
    let call = |name: &str, arguments: serde_json::Value| json!({"method": format!("crm.{name}"), "arguments": arguments});
    let home = || call("api.mobile_api.home_tasks", json!({"limit": 2}));
    let all = Assistant::with(&app, "all").await;
    let absent = all.refusal("call_method", home()).await;
    assert!(absent.contains("App crm is not installed"), "{absent}");

    app.install_app("crm").await;
    let create = call("api.mobile_api.create_task", json!({"title": "Call"}));
    let made = all.call("call_method", create).await;
    assert_eq!(made["result"]["title"], "Call");
    let found = all.call("call_method", home()).await;
    assert_eq!(found["result"]["today"][0]["title"], "Call");
    assert_eq!(found["result"]["limit"], 2);
    let wrong = call("api.mobile_api.home_tasks", json!({"limit": 0}));
    let wrong = all.refusal("call_method", wrong).await;
    assert!(wrong.contains("limit has to be a whole number"), "{wrong}");
    // What may show secrets is not for assistants.
    let bootstrap = call("setup.oauth_bootstrap.bootstrap_site", json!({}));
    let refused = all.refusal("call_method", bootstrap).await;
    assert!(refused.contains("secret"), "{refused}");

    let notes = Assistant::with(&app, "note:read").await;
    let missing = notes.missing_scope("call_method", home()).await;
    assert_eq!(missing, "note:read crm_task:read");
    app.close().await;
}
