//! Input that nobody would send who means well.

use super::*;

/// An answer to anything at all: a status below 500 and JSON-RPC.
fn assert_sound(answer: &Response, what: &str) {
    assert!(
        answer.status < 500,
        "{what}: {} {}",
        answer.status,
        answer.text()
    );
    if answer.status != 202 {
        assert_eq!(answer.json()["jsonrpc"], "2.0", "{what}: {}", answer.text());
    }
}

// spec: security.md, Inputs, outputs, network, "Malformed JSON …: 400", "No input gives a 500"
#[tokio::test]
async fn what_is_no_message_is_400() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let nested = |levels: usize| {
        let inner = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let params = format!("{{\"x\":{inner}}}");
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{params}}}")
    };
    let (deep, deeper) = (nested(62), nested(63));
    let answer = who.post().header("Content-Type", "application/json");
    let answer = answer.body(deep).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for (body, expected) in [
        (b"".as_slice(), -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}",
            -32700,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\\u0000\"}",
            -32700,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
            -32700,
        ),
        (deeper.as_bytes(), -32700),
        (b"null", -32600),
        (b"[]", -32600),
        (b"{}", -32600),
        (
            b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
            -32600,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
            -32600,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"ping\"}",
            -32600,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
            -32602,
        ),
    ] {
        let post = who.post().header("Content-Type", "application/json");
        let answer = post.body(body).send().await;
        let what = String::from_utf8_lossy(body);
        assert_eq!((answer.status, code(&answer)), (400, expected), "{what}");
    }
    let large = format!(
        "{{\"jsonrpc\":\"2.0\",\"x\":\"{}\"}}",
        "x".repeat(1024 * 1024)
    );
    let post = who.post().header("Content-Type", "application/json");
    assert_eq!(post.body(large).send().await.status, 413);
    app.close().await;
}

/// Values of every kind, in the place of every argument of every tool.
#[tokio::test]
async fn no_argument_of_any_kind_breaks_a_tool() {
    let app = site(&["System Manager"]).await;
    let who = Assistant::with(&app, "all").await;
    let name = who.todo("Water the plants").await;
    let tools = who.ask("tools/list", json!({})).await.json();
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!("'; DROP TABLE \"tabToDo\"; --"),
        json!("\u{202e}%_\\"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[["a"]]]),
        json!({"": {"a": [null]}}),
        json!("{\"name\": [\"like\", \"%\"]}"),
    ];
    for tool in tools["result"]["tools"].as_array().unwrap() {
        let tool_name = tool["name"].as_str().unwrap();
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        for argument in properties.keys() {
            for value in &values {
                let mut arguments = json!({});
                for other in properties.keys() {
                    match other.as_str() {
                        "doctype" => arguments["doctype"] = json!("ToDo"),
                        "name" => arguments["name"] = json!(name),
                        "values" => arguments["values"] = json!({"description": "x"}),
                        "method" => arguments["method"] = json!("frappe.client.get_list"),
                        _ => {}
                    }
                }
                arguments[argument] = value.clone();
                let answer = who.try_call(tool_name, arguments).await;
                assert_sound(&answer, &format!("{tool_name} {argument} {value}"));
            }
        }
    }
    app.close().await;
}
