//! Each revision of the protocol, message by message.

use super::*;

const TOOLS: [&str; 8] = [
    "list_doctypes",
    "describe_doctype",
    "list_documents",
    "get_document",
    "create_document",
    "update_document",
    "delete_document",
    "call_method",
];

fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }})
}

/// A request as 2026-07-28 has it: everything in it, and repeated in headers.
fn request(who: &Assistant<'_>, method: &str, mut params: Value) -> Request {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut post = who
        .post()
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", method);
    if let Some(name) = params.get("name").and_then(Value::as_str) {
        post = post.header("Mcp-Name", name);
    }
    post.json(&json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params}))
}

// spec: standards.md, U and U2
#[tokio::test]
async fn revisions_with_a_handshake_agree_on_theirs() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    for (asked, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let answer = who.post().json(&initialize(asked)).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("Mcp-Session-Id"), None);
        let result = answer.json()["result"].take();
        assert_eq!(result["protocolVersion"], agreed, "{asked}");
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        assert_eq!(result["serverInfo"]["name"], "crema");
        assert!(result["instructions"].as_str().unwrap().len() > 100);

        let notice = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let post = who.post().header("MCP-Protocol-Version", agreed);
        let answer = post.json(&notice).send().await;
        assert_eq!((answer.status, answer.body.len()), (202, 0));

        let mut silent = who.post();
        if agreed != "2025-03-26" {
            silent = silent.header("MCP-Protocol-Version", agreed);
        }
        let list = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"});
        let answer = silent.clone().json(&list).send().await.json();
        let names = answer["result"]["tools"].as_array().unwrap();
        let names: Vec<_> = names.iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!(names, TOOLS);
        assert_eq!(answer["result"].get("resultType"), None);
        let ping = json!({"jsonrpc": "2.0", "id": 8, "method": "ping"});
        let answer = silent.json(&ping).send().await;
        assert_eq!(
            answer.json(),
            json!({"jsonrpc": "2.0", "id": 8, "result": {}})
        );
    }
    app.close().await;
}

// spec: standards.md, U2, "Transport lost protocol sessions and GET"
#[tokio::test]
async fn the_revision_without_a_handshake_says_everything_each_time() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let answer = request(&who, "server/discover", json!({})).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let result = answer.json()["result"].take();
    let spoken = json!(["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]);
    assert_eq!(result["supportedVersions"], spoken);
    assert_eq!(result["capabilities"], json!({"tools": {}}));
    assert_eq!(result["resultType"], "complete");
    let about = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(about["name"], "crema");

    let list = request(&who, "tools/list", json!({})).send().await.json();
    assert_eq!(list["result"]["resultType"], "complete");
    assert_eq!(list["result"]["cacheScope"], "private");
    assert!(list["result"]["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(
        list["result"]["tools"].as_array().unwrap().len(),
        TOOLS.len()
    );

    let call = json!({"name": "list_documents", "arguments": {"doctype": "ToDo"}});
    let answer = request(&who, "tools/call", call.clone())
        .send()
        .await
        .json();
    assert_eq!(answer["id"], "q");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"documents": []})
    );

    // What there is no more.
    for method in ["ping", "logging/setLevel", "resources/subscribe"] {
        let answer = request(&who, method, json!({})).send().await;
        assert_eq!((answer.status, code(&answer)), (404, -32601), "{method}");
    }
    app.close().await;
}

#[tokio::test]
async fn headers_and_body_have_to_say_the_same() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let meta = |version: &str| {
        json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }})
    };
    let send = async |headers: &[(&str, &str)], method: &str, params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut post = who.post();
        for (name, value) in headers {
            post = post.header(name, value);
        }
        let answer = post.json(&body).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.json()["id"], 1);
        code(&answer)
    };
    const VERSION: &str = "MCP-Protocol-Version";
    const NEW: &str = "2026-07-28";
    let new = (VERSION, NEW);
    let list = ("Mcp-Method", "tools/list");
    let tool = json!({"name": "list_doctypes", "_meta": meta(NEW)["_meta"]});
    for (headers, method, params, expected) in [
        // The header is missing, another, or there twice.
        (vec![list], "tools/list", meta(NEW), -32020),
        (
            vec![(VERSION, "2025-11-25"), list],
            "tools/list",
            meta(NEW),
            -32020,
        ),
        (vec![new, new, list], "tools/list", meta(NEW), -32020),
        // So is the method, or the tool.
        (vec![new], "tools/list", meta(NEW), -32020),
        (
            vec![new, ("Mcp-Method", "ping")],
            "tools/list",
            meta(NEW),
            -32020,
        ),
        (vec![new, list, list], "tools/list", meta(NEW), -32020),
        (
            vec![new, ("Mcp-Method", "tools/call")],
            "tools/call",
            tool.clone(),
            -32020,
        ),
        (
            vec![
                new,
                ("Mcp-Method", "tools/call"),
                ("Mcp-Name", "get_document"),
            ],
            "tools/call",
            tool,
            -32020,
        ),
        // _meta is missing, or a part of it.
        (vec![new, list], "tools/list", json!({}), -32602),
        (vec![new, list], "tools/list", json!({"_meta": 1}), -32602),
        (vec![], "server/discover", json!({}), -32602),
        (
            vec![new, list],
            "tools/list",
            json!({"_meta": {"io.modelcontextprotocol/protocolVersion": NEW}}),
            -32602,
        ),
        // A revision that nobody speaks, or that had another transport.
        (
            vec![(VERSION, "2099-01-01")],
            "tools/list",
            meta("2099-01-01"),
            -32022,
        ),
        (
            vec![(VERSION, "2099-01-01")],
            "tools/list",
            json!({}),
            -32022,
        ),
        (
            vec![(VERSION, "2024-11-05")],
            "tools/list",
            json!({}),
            -32022,
        ),
        (vec![(VERSION, "x")], "tools/list", json!({}), -32022),
    ] {
        let found = send(&headers, method, params.clone()).await;
        assert_eq!(found, expected, "{headers:?} {method} {params}");
    }
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/cancelled"});
    let answer = who
        .post()
        .header(VERSION, "2099-01-01")
        .json(&notice)
        .send()
        .await;
    assert_eq!((answer.status, code(&answer)), (400, -32022));
    let supported = &answer.json()["error"]["data"]["supported"];
    assert_eq!(supported.as_array().unwrap().len(), 4);
    app.close().await;
}

#[tokio::test]
async fn unknown_methods_and_tools_are_errors_of_the_protocol() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    for method in ["resources/list", "prompts/get", "tasks/get", "", "x"] {
        let answer = who.ask(method, json!({})).await;
        assert_eq!((answer.status, code(&answer)), (200, -32601), "{method}");
    }
    for params in [
        json!({"name": "drop_tables"}),
        json!({"name": 1}),
        json!({}),
        json!({"name": "list_documents", "arguments": []}),
    ] {
        let answer = who.ask("tools/call", params.clone()).await;
        assert_eq!((answer.status, code(&answer)), (200, -32602), "{params}");
    }
    let answer = who.ask("tools/list", json!({"cursor": "next"})).await;
    assert_eq!(code(&answer), -32602);
    let answer = who
        .ask("initialize", json!({"protocolVersion": "2025-11-25"}))
        .await;
    assert_eq!(code(&answer), -32602);
    app.close().await;
}

// Revision 2025-03-26 wants them taken; the ones after it have none.
#[tokio::test]
async fn the_oldest_revision_may_send_several_messages_at_once() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "openid").await;
    let list = json!({"name": "list_documents", "arguments": {"doctype": "ToDo"}});
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": list});
    let batch = json!([ping, notice, list, 7, [], initialize("2025-03-26")]);
    for version in [None, Some("2025-03-26")] {
        let mut post = who.post();
        if let Some(version) = version {
            post = post.header("MCP-Protocol-Version", version);
        }
        let answer = post.clone().json(&batch).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answers = answer.json();
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 5);
        assert_eq!(
            (&answers[0]["id"], &answers[0]["result"]),
            (&json!(1), &json!({}))
        );
        // No challenge can stand among other answers; the words are the same.
        let refused = &answers[1]["error"];
        assert_eq!(
            (&answers[1]["id"], &refused["code"]),
            (&json!(2), &json!(-32600))
        );
        assert!(refused["message"].as_str().unwrap().contains("todo:read"));
        for answer in &answers[2..] {
            assert_eq!(answer["error"]["code"], -32600, "{answer}");
        }
        let answer = post.json(&json!([notice, notice])).send().await;
        assert_eq!((answer.status, answer.body.len()), (202, 0));
    }
    for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        let post = who.post().header("MCP-Protocol-Version", version);
        let answer = post.json(&batch).send().await;
        assert_eq!((answer.status, code(&answer)), (400, -32600), "{version}");
    }
    app.close().await;
}
