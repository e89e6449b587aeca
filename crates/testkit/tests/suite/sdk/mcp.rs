//! The Model Context Protocol's own libraries, in Node and in Python, from nothing but `/mcp`.

use crema_testkit::outgoing::{Internet, Reply};

use super::walk::{Walk, allow};
use super::*;

/// What a client that knows nothing is told to ask for.
const FIRST: &str = "openid offline_access todo:read";
/// What it is told when a tool needs it.
const MORE: &str = "todo:create";

/// A site with tools, where clients may register for a bit of its data.
pub(super) async fn with_tools(builder: AppBuilder) -> App {
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

/// One library, with somebody at a browser.
struct Scene {
    app: App,
    internet: Internet,
    browser: Browser,
    program: PathBuf,
    script: &'static str,
}

impl Scene {
    async fn set(program: PathBuf, script: &'static str) -> Scene {
        let internet = Internet::new();
        let app = with_tools(builder().outgoing(internet.outgoing())).await;
        Scene {
            app,
            internet,
            browser: Browser::start().await,
            program,
            script,
        }
    }

    /// Goes all the way. Gives what the two pages of consent said.
    async fn walk(&self, more: Value) -> [String; 2] {
        let [first, second]: [String; 2] = self.talk(more).await.try_into().unwrap();
        assert!(first.contains("Read ToDo"), "{first}");
        assert!(!first.contains("Create ToDo"), "{first}");
        assert!(second.contains("Read ToDo"), "{second}");
        assert!(second.contains("Create ToDo"), "{second}");
        [first, second]
    }

    /// Runs the script; what is particular to this walk is added to its task. Gives what the pages
    /// of consent said.
    async fn talk(&self, more: Value) -> Vec<String> {
        let mut task = json!({
            "issuer": address(&self.app),
            "url": format!("{}/mcp", address(&self.app)),
            "first_scope": FIRST,
            "more": MORE,
            "list": {"doctype": "ToDo", "fields": ["name", "description"]},
            "create": {"doctype": "ToDo", "values": {"description": "Water the plants"}},
        });
        let members = task.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let mut pages = Vec::new();
        let mut walk = Walk::start(&self.program, self.script, &task);
        while let Some(ask) = walk.next().await {
            let answer = match ask.what.as_str() {
                "allow" => {
                    let url = ask.argument.as_str().unwrap();
                    pages.push(allow(&self.browser, url).await);
                    Value::Null
                }
                "pass" => {
                    let seconds = ask.argument.as_u64().unwrap();
                    self.app.clock.advance_seconds(seconds);
                    ask.argument
                }
                other => panic!("{other}"),
            };
            walk.answer(answer).await;
        }
        pages
    }

    /// The client registers itself: once, also when it asks for more.
    async fn registers(&self) {
        for page in self.walk(json!({})).await {
            assert!(page.contains("This app registered itself"), "{page}");
        }
        assert_eq!(self.clients("IS NULL").await, 1);
    }

    /// The client has a document about itself, at an address that only the server reaches.
    async fn has_a_document(&self) {
        let publisher = self.internet.serve("assistant.example").await;
        let document = publisher.url("/assistant/client.json");
        let said = json!({
            "client_id": document,
            "client_name": "Assistant",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        publisher.answer("/assistant/client.json", Reply::json(&said));
        for page in self.walk(json!({"document": document})).await {
            assert!(page.contains("assistant.example"), "{page}");
        }
        assert!(publisher.requests() > 0);
        assert_eq!(self.clients("IS NOT NULL").await, 1);
    }

    /// How many clients nobody made, with a document or without.
    async fn clients(&self, document: &str) -> i64 {
        let sql = format!(
            r#"SELECT COUNT(*) FROM "tabOAuth Client"
                WHERE "dynamically_registered" = 1 AND "metadata_document_uri" {document}"#
        );
        self.app.count(&sql, Vec::new()).await
    }

    async fn close(self) {
        self.browser.close().await;
        self.app.close().await;
    }
}

async fn walks(program: PathBuf, script: &'static str) {
    let scene = Scene::set(program, script).await;
    scene.registers().await;
    scene.has_a_document().await;
    scene.close().await;
}

// spec: standards.md, U, the order of a client, "step-up flow"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_library() {
    walks(node(), "js/mcp.mjs").await;
}

// It speaks revision 2026-07-28.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_library() {
    walks(installed("mcp2/bin/python"), "mcp2/mcp_walk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_version_of_the_python_library() {
    walks(installed("mcp1/bin/python"), "mcp1/mcp_walk.py").await;
}

// An app that hands its refresh token to the library can never ask for more; what it needs has to
// be named to it at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_library_in_an_app_that_cannot_ask_for_more() {
    let scene = Scene::set(node(), "js/mcp.mjs").await;
    let [page]: [String; 1] = scene
        .talk(json!({"simple": true}))
        .await
        .try_into()
        .unwrap();
    assert!(!page.contains("Create ToDo"), "{page}");

    let all = format!("openid\nemail\ntodo:read\n{MORE}\nall");
    let settings = [("scopes_supported", all.as_str())];
    scene.app.set_settings("OAuth Settings", &settings).await;
    let first = format!("{FIRST} email {MORE}");
    // As some type it.
    let url = format!("{}/mcp/", address(&scene.app));
    let more = json!({"simple": true, "first_scope": first, "more": null, "url": url});
    let [page]: [String; 1] = scene.talk(more).await.try_into().unwrap();
    assert!(page.contains("Create ToDo"), "{page}");
    scene.close().await;
}

// What is typed into an assistant's configuration where nobody can log in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_library_with_an_api_key() {
    let app = with_tools(builder()).await;
    let (key, secret) = keys(&app).await;
    let task = json!({
        "url": format!("{}/mcp", address(&app)), "authorization": format!("token {key}:{secret}"),
    });
    run(node(), "js/mcp-key.mjs", task).await;
    app.close().await;
}
