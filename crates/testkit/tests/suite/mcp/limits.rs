//! How much comes at once, and how many at a time.

use super::*;

#[tokio::test]
async fn lists_come_in_pages_of_a_hundred() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let docs: Vec<_> = (0..150)
        .map(|n| json!({"doctype": "ToDo", "description": format!("Number {n:03}")}))
        .collect();
    let insert = json!({"method": "frappe.client.insert_many", "arguments": {"docs": docs}});
    who.call("call_method", insert).await;
    for limit in [json!(0), json!(100), json!(100_000), json!("all")] {
        let list = json!({"doctype": "ToDo", "limit": limit, "order_by": "description asc"});
        if limit == "all" {
            who.refusal("list_documents", list).await;
            continue;
        }
        let first = who.call("list_documents", list.clone()).await;
        assert_eq!(first["documents"].as_array().unwrap().len(), 100);
        assert_eq!(first["next_start"], 100);
        let mut second = list;
        second["start"] = first["next_start"].clone();
        let second = who.call("list_documents", second).await;
        assert_eq!(second["documents"].as_array().unwrap().len(), 50);
        assert_eq!(second.get("next_start"), None);
    }
    let list = json!({"doctype": "ToDo", "limit_page_length": 100_000});
    let list = json!({"method": "frappe.client.get_list", "arguments": list});
    let rows = who.call("call_method", list).await;
    assert_eq!(rows["result"].as_array().unwrap().len(), 100);
    assert_eq!(rows["next_start"], 100);
    app.close().await;
}

#[tokio::test]
async fn results_are_as_large_as_an_assistant_can_take() {
    let app = site(&["Desk User"]).await;
    let who = Assistant::with(&app, "all").await;
    let long = "long ".repeat(11_000);
    for _ in 0..5 {
        who.todo(&long).await;
    }
    // Whole rows, as many as there is room for; the others come with the next call.
    let mut list = json!({"doctype": "ToDo", "fields": ["name", "description"]});
    let mut rows = 0;
    while rows == 0 || list["start"].is_u64() {
        let page = who.call("list_documents", list.clone()).await;
        assert!(page.to_string().len() <= 200_000);
        for row in page["documents"].as_array().unwrap() {
            assert_eq!(row["description"].as_str().unwrap().trim(), long.trim());
            rows += 1;
        }
        list["start"] = page["next_start"].clone();
    }
    assert_eq!(rows, 5);
    // One that is too large by itself is shortened, and says so. In JSON each of these characters
    // takes six bytes.
    let huge = json!({"title": "Huge", "content": "\u{1}".repeat(59_000)});
    let made = json!({"doctype": "Note", "values": huge});
    let made = who.call("create_document", made).await;
    let name = made["document"]["name"].clone();
    let read = json!({"doctype": "Note", "name": name});
    let read = who.call("get_document", read).await;
    for shown in [made, read] {
        assert!(
            shown["shortened"]
                .as_str()
                .unwrap()
                .contains("Do not write them back")
        );
        assert_eq!(shown["document"]["name"], name);
        let text = shown["document"]["content"].as_str().unwrap();
        assert!(text.ends_with('…') && text.chars().count() == 20_001);
    }
    app.close().await;
}

// A request leaves nothing behind, whether it is answered or its connection ends before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_a_time_are_answered_and_leave_no_task_behind() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let name = who.todo("Water the plants").await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let asked = (0..100).map(|number| {
        let who = who.clone();
        let arguments = json!({"doctype": "ToDo", "name": name});
        let params = json!({"name": "get_document", "arguments": arguments});
        let body =
            json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params});
        let post = who.post().json(&body);
        tokio::spawn(async move { post.send().await })
    });
    let asked: Vec<_> = asked.collect();
    for (number, asked) in asked.into_iter().enumerate() {
        let answer = asked.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["id"], number);
    }
    // Connections that end before their answer.
    for _ in 0..50 {
        let params = json!({"name": "list_documents", "arguments": {"doctype": "ToDo"}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let bytes = who.post().json(&body).to_bytes();
        hang_up(&app, &bytes).await;
    }
    // Connections are accepted in order: when this one is answered, all of those were.
    assert_eq!(who.ask("ping", json!({})).await.status, 200);
    let ended = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(60), ended).await;
    assert!(ended.is_ok(), "{} tasks, {before} before", tasks());
    app.close().await;
}

/// Sends a request and does not wait for the answer.
async fn hang_up(app: &App, bytes: &[u8]) {
    use tokio::io::AsyncWriteExt as _;
    let origin = app.http().origin();
    let port = origin.rsplit(':').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
}
