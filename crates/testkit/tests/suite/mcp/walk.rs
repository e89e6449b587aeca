//! A whole piece of work on every database.

use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn documents_are_found_made_changed_and_removed(app: &App) {
        switch(app, true).await;
        app.add_user(USER, PASSWORD, &["Desk User"]).await;
        let who = Assistant::with(app, "all").await;

        let doctypes = who.call("list_doctypes", json!({"search": "todo"})).await;
        assert_eq!(doctypes["doctypes"][0]["name"], "ToDo");
        let about = who.call("describe_doctype", json!({"doctype": "ToDo"})).await;
        let fields = about["fields"].as_array().unwrap();
        let description = fields.iter().find(|field| field["fieldname"] == "description");
        assert_eq!(description.unwrap()["reqd"], 1);

        let values = json!({"description": "Water the plants", "colour": "green"});
        let made = json!({"doctype": "ToDo", "values": values});
        let made = who.call("create_document", made).await;
        assert_eq!(made["ignored"], json!(["colour"]));
        assert_eq!(made["document"]["owner"], USER);
        let name = made["document"]["name"].as_str().unwrap();
        who.todo("Feed the cat").await;

        let list = json!({
            "doctype": "ToDo", "fields": ["description"], "filters": {"status": "Open"},
            "or_filters": [["description", "like", "%plants%"], ["description", "=", "x"]],
            "order_by": "description asc",
        });
        let list = who.call("list_documents", list).await;
        assert_eq!(list, json!({"documents": [{"description": "Water the plants"}]}));
        let page = json!({"doctype": "ToDo", "fields": ["description"], "order_by": "description asc", "limit": 1});
        let first = who.call("list_documents", page).await;
        assert_eq!(first["documents"][0]["description"], "Feed the cat");
        assert_eq!(first["next_start"], 1);
        let page = json!({"doctype": "ToDo", "limit": 1, "start": 1});
        assert_eq!(who.call("list_documents", page).await.get("next_start"), None);

        let one = json!({"doctype": "ToDo", "name": name});
        let read = who.call("get_document", one.clone()).await;
        let modified = read["document"]["modified"].clone();
        app.clock.advance_seconds(1);
        let change = json!({"status": "Closed", "modified": modified});
        let change = json!({"doctype": "ToDo", "name": name, "values": change});
        let changed = who.call("update_document", change.clone()).await;
        assert_eq!(changed["document"]["status"], "Closed");
        let late = who.refusal("update_document", change).await;
        assert!(late.starts_with("TimestampMismatchError: "), "{late}");

        let count = json!({"method": "frappe.client.get_count", "arguments": {"doctype": "ToDo"}});
        assert_eq!(who.call("call_method", count.clone()).await, json!({"result": 2}));
        assert_eq!(who.call("delete_document", one.clone()).await, json!({"deleted": name}));
        let gone = who.refusal("get_document", one).await;
        assert!(gone.starts_with("DoesNotExistError: "), "{gone}");
        assert_eq!(who.call("call_method", count).await, json!({"result": 1}));
    }
}
