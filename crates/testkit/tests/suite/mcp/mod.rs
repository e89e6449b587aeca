//! `/mcp`: the site's documents and methods as tools of the Model Context Protocol.

mod apps;
mod entrance;
mod hostile;
mod limits;
mod protocol;
mod secrets;
mod tools;
mod walk;

use crema_testkit::{App, AppBuilder, ClientSpec, Request, Response};
use serde_json::{Value, json};

const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";
const CALLBACK: &str = "https://client.example/cb";

/// A site that answers at `/mcp`, with a user of these roles.
async fn site_of(builder: AppBuilder, roles: &[&str]) -> App {
    let app = builder.build().await;
    switch(&app, true).await;
    app.add_user(USER, PASSWORD, roles).await;
    app
}

async fn site(roles: &[&str]) -> App {
    site_of(App::builder(), roles).await
}

async fn switch(app: &App, on: bool) {
    let value = if on { "1" } else { "0" };
    app.set_settings("OAuth Settings", &[("enable_mcp", value)])
        .await;
}

/// An access token of the user with these scopes, for that resource when there is one.
async fn token(app: &App, scope: &str, resource: Option<&str>) -> String {
    let client = app
        .add_client(ClientSpec::new(CALLBACK).scopes(scope))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let mut asked = vec![("scope", scope)];
    asked.extend(resource.map(|resource| ("resource", resource)));
    let code = visitor.code(&client, &asked).await;
    let answer = app.http().redeem(&client, &code, &[]).await;
    answer.tokens().access_token
}

/// An API key of the user with these scopes: its name, and the value of the header.
async fn key(app: &App, scopes: &str) -> (String, String) {
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let new = json!({"title": "Nightly export", "user": USER, "scopes": scopes});
    let post = app.http().post("/api/resource/API%20Key").json(&new);
    let made = visitor.send(post).await;
    let made = &made.json()["data"];
    let part = |name: &str| made[name].as_str().unwrap().to_owned();
    let header = format!("token {}:{}", part("api_key"), part("api_secret"));
    (part("name"), header)
}

/// A program that uses the tools.
#[derive(Clone)]
struct Assistant<'a> {
    app: &'a App,
    authorization: String,
}

impl<'a> Assistant<'a> {
    fn new(app: &'a App, authorization: &str) -> Assistant<'a> {
        Assistant {
            app,
            authorization: authorization.to_owned(),
        }
    }

    /// With a token of these scopes.
    async fn with(app: &'a App, scope: &str) -> Assistant<'a> {
        let token = token(app, scope, None).await;
        Assistant::new(app, &format!("Bearer {token}"))
    }

    /// A POST to be completed.
    fn post(&self) -> Request {
        let post = self.app.http().post("/mcp");
        post.header("Authorization", &self.authorization)
            .header("Accept", "application/json, text/event-stream")
    }

    /// Asks as clients of 2025-11-25 do.
    async fn ask(&self, method: &str, params: Value) -> Response {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let post = self.post().header("MCP-Protocol-Version", "2025-11-25");
        post.json(&body).send().await
    }

    /// Calls a tool; the whole answer.
    async fn try_call(&self, tool: &str, arguments: Value) -> Response {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask("tools/call", params).await
    }

    /// Calls a tool that has to work; its structured result.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.try_call(tool, arguments).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut result = answer.json()["result"].take();
        assert_eq!(result["isError"], false, "{result}");
        let structured = result["structuredContent"].take();
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), structured);
        structured
    }

    /// Calls a tool that has to be refused; what the assistant reads.
    async fn refusal(&self, tool: &str, arguments: Value) -> String {
        let answer = self.try_call(tool, arguments).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let result = answer.json()["result"].take();
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(result.get("structuredContent"), None);
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Calls a tool that the token's scopes do not open; the scope that is named.
    async fn missing_scope(&self, tool: &str, arguments: Value) -> String {
        let answer = self.try_call(tool, arguments).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.json()["id"], 1);
        let challenge = answer.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""));
        assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp\""));
        let scope = challenge.split("scope=\"").nth(1).unwrap();
        scope.split('"').next().unwrap().to_owned()
    }

    /// A ToDo of the caller; its name.
    async fn todo(&self, description: &str) -> String {
        let values = json!({"doctype": "ToDo", "values": {"description": description}});
        let made = self.call("create_document", values).await;
        made["document"]["name"].as_str().unwrap().to_owned()
    }
}

/// The code of a JSON-RPC error.
fn code(answer: &Response) -> i64 {
    let body = answer.json();
    assert_eq!(body["jsonrpc"], "2.0", "{body}");
    body["error"]["code"].as_i64().unwrap()
}
