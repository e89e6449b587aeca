//! Documents that several requests write at the same moment, at two servers on one database.

use std::collections::BTreeSet;

use crema_auth::user::ADMINISTRATOR;
use crema_testkit::{Server, Visitor, for_each_engine};
use serde_json::{Value, json};

use super::*;

/// Two servers, and somebody who may do everything at both.
struct Desk {
    second: Server,
    visitors: [Visitor; 2],
}

impl Desk {
    async fn open(app: &App) -> Desk {
        app.set_password(ADMINISTRATOR, PASSWORD).await;
        let second = app.second_server().await;
        let first = app.signed_in(ADMINISTRATOR, PASSWORD).await;
        let other = first.at(second.http());
        Desk {
            second,
            visitors: [first, other],
        }
    }

    /// Sends a request with a JSON body at one of the servers.
    async fn send(&self, index: usize, verb: &str, path: &str, body: Value) -> Response {
        send(
            self.visitors[index % 2].clone(),
            verb,
            path.to_owned(),
            body,
        )
        .await
    }

    /// Sends requests that begin together, by turns at the two servers.
    async fn together(
        &self,
        count: usize,
        verb: &'static str,
        path: &str,
        body: impl Fn(usize) -> Value,
    ) -> Vec<Response> {
        together(count, |index| {
            let visitor = self.visitors[index % 2].clone();
            send(visitor, verb, path.to_owned(), body(index))
        })
        .await
    }
}

async fn send(mut visitor: Visitor, verb: &str, path: String, body: Value) -> Response {
    let request = visitor.http().request(verb, &path).json(&body);
    visitor.send(request).await
}

fn statuses(answers: &[Response], wanted: u16) -> usize {
    let fine = answers.iter().filter(|answer| answer.status == wanted);
    fine.count()
}

fn name(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"]["name"].as_str().unwrap().to_owned()
}

for_each_engine! {
    // spec: http.md, Resource server, "optimistic locking by `modified`"
    // Of all who read the same state, one changes it.
    async fn one_of_many_changes_wins(app: &App) {
        let desk = Desk::open(app).await;
        let made = desk.send(0, "POST", "/api/resource/ToDo", json!({"description": "0"})).await;
        let path = format!("/api/resource/ToDo/{}", name(&made));
        for round in 0..3 {
            app.clock.advance_seconds(1);
            let read = desk.send(1, "GET", &path, json!({})).await;
            let modified = read.json()["data"]["modified"].clone();
            let answers = desk.together(10, "PUT", &path, |index| {
                json!({"description": format!("{round}-{index}"), "modified": modified})
            }).await;
            assert_eq!(statuses(&answers, 200), 1, "round {round}");
            for lost in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(lost.status, 417, "{}", lost.text());
                assert_eq!(lost.member("exc_type"), "TimestampMismatchError");
            }
            let won = answers.iter().find(|answer| answer.status == 200).unwrap();
            let stored = desk.send(1, "GET", &path, json!({})).await;
            assert_eq!(stored.json()["data"]["description"], won.json()["data"]["description"]);
        }
        desk.second.stop().await;
    }

    // Without `modified` every change is made, and none is lost.
    async fn changes_of_different_fields_are_all_kept(app: &App) {
        let desk = Desk::open(app).await;
        let made = desk.send(0, "POST", "/api/resource/Note", json!({"title": "A note"})).await;
        let path = format!("/api/resource/Note/{}", name(&made));
        let answers = desk.together(8, "PUT", &path, |index| match index % 2 {
            0 => json!({"content": "text"}),
            _ => json!({"public": 1}),
        }).await;
        assert_eq!(statuses(&answers, 200), 8, "{:?}", answers.iter().map(Response::text).collect::<Vec<_>>());
        let stored = desk.send(0, "GET", &path, json!({})).await.json();
        assert_eq!(stored["data"]["content"], "text");
        assert_eq!(stored["data"]["public"], 1);
        desk.second.stop().await;
    }

    // A name that is taken from a field, and a field that is unique.
    async fn a_name_is_given_once(app: &App) {
        let desk = Desk::open(app).await;
        for round in 0..3 {
            let role = format!("Role {round}");
            let answers = desk.together(10, "POST", "/api/resource/Role", |_| {
                json!({"role_name": role})
            }).await;
            assert_eq!(statuses(&answers, 200), 1, "round {round}");
            for lost in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(lost.status, 409, "{}", lost.text());
                assert_eq!(lost.member("exc_type"), "DuplicateEntryError");
            }
            let sql = r#"SELECT COUNT(*) FROM "tabRole" WHERE name = ?"#;
            assert_eq!(app.count(sql, vec![role.as_str().into()]).await, 1);
        }
        desk.second.stop().await;
    }

    // A pair of key and secret is one pair: whoever was last, key and secret belong together.
    async fn keys_that_are_made_together_are_one_pair(app: &App) {
        let desk = Desk::open(app).await;
        app.add_user(USER, PASSWORD, &[]).await;
        let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
        let answers = desk.together(6, "POST", path, |_| json!({"user": USER})).await;
        let mut alive = 0;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let pair = &answer.json()["message"];
            let (key, secret) = (&pair["api_key"], &pair["api_secret"]);
            let header = format!("token {}:{}", key.as_str().unwrap(), secret.as_str().unwrap());
            let who = app.http().get("/api/method/frappe.auth.get_logged_user");
            let who = who.header("Authorization", &header).send().await;
            alive += usize::from(who.status == 200);
        }
        assert_eq!(alive, 1, "pairs that work");
        desk.second.stop().await;
    }

    // What is deleted is deleted once, and a change that comes at the same moment does not
    // bring it back.
    async fn a_document_is_deleted_once(app: &App) {
        let desk = Desk::open(app).await;
        for _ in 0..3 {
            let made = desk.send(0, "POST", "/api/resource/ToDo", json!({"description": "x"})).await;
            let name = name(&made);
            let path = format!("/api/resource/ToDo/{name}");
            let (deleted, changed) = tokio::join!(
                desk.together(4, "DELETE", &path, |_| json!({})),
                desk.together(4, "PUT", &path, |index| json!({"description": index.to_string()})),
            );
            assert_eq!(statuses(&deleted, 202), 1);
            for lost in deleted.iter().filter(|answer| answer.status != 202) {
                assert_eq!(lost.status, 404, "{}", lost.text());
            }
            for change in &changed {
                assert!(matches!(change.status, 200 | 404), "{}", change.text());
            }
            let sql = r#"SELECT COUNT(*) FROM "tabToDo" WHERE name = ?"#;
            assert_eq!(app.count(sql, vec![name.as_str().into()]).await, 0);
        }
        desk.second.stop().await;
    }
}

/// Documents that are named by a series.
fn invoice() -> Value {
    json!({
        "doctype": "DocType", "name": "Race Invoice", "module": "Races",
        "autoname": "INV-.####",
        "fields": [
            {"fieldname": "title", "fieldtype": "Data", "label": "Title"},
            {"fieldname": "serial", "fieldtype": "Data", "label": "Serial", "unique": 1},
        ],
        "permissions": [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}],
    })
}

for_each_engine! {
    // A series has neither gaps nor doubles, although transactions that fail take a number too.
    async fn a_series_counts_without_gaps(app: &App) {
        let folder = app.bench().root().join("apps/races/races/doctype/race_invoice");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("race_invoice.json"), invoice().to_string()).unwrap();
        app.install_app("races").await;
        let desk = Desk::open(app).await;
        let path = "/api/resource/Race%20Invoice";
        let answers = desk.together(24, "POST", path, |index| {
            // Every third one wants a serial that only one can have.
            match index % 3 {
                0 => json!({"title": index.to_string(), "serial": "the one"}),
                _ => json!({"title": index.to_string()}),
            }
        }).await;
        let names: BTreeSet<String> = answers.iter()
            .filter(|answer| answer.status == 200).map(name).collect();
        assert_eq!(names.len(), 17, "{:?}", answers.iter().map(Response::text).collect::<Vec<_>>());
        let wanted: BTreeSet<String> = (1..=17).map(|number| format!("INV-{number:04}")).collect();
        assert_eq!(names, wanted);
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert!(matches!(lost.status, 409 | 417), "{} {}", lost.status, lost.text());
            let kind = lost.member("exc_type");
            assert_eq!(kind, "UniqueValidationError", "{}", lost.text());
        }
        desk.second.stop().await;
    }
}
