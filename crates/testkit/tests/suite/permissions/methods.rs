//! Every other method that reads or writes asks for the same rights.

use crema_testkit::{App, Request, for_each_engine};
use serde_json::json;

use super::model::{Credential, Person};
use super::people::Office;

const READ: Credential = Credential::Bearer("ticket:read");

/// Writes in every shape.
fn writes(office: &Office) -> Vec<Request> {
    let http = office.app.http();
    let method = |name: &str| http.post(&format!("/api/method/frappe.client.{name}"));
    let whole = json!({"doctype": "Ticket", "name": "FOREIGN", "subject": "Taken"});
    let new = json!({"doctype": "Ticket", "code": "TAKEN"});
    let many = json!([{"doctype": "Ticket", "docname": "FOREIGN", "subject": "Taken"}]);
    let fields = json!({"subject": "Taken", "assigned_to": "other@example.com"});
    vec![
        method("save").json(&json!({"doc": whole})),
        method("save").form(&[("doc", &whole.to_string())]),
        method("set_value")
            .json(&json!({"doctype": "Ticket", "name": "FOREIGN", "fieldname": fields})),
        method("bulk_update").json(&json!({"docs": many})),
        method("insert_many").json(&json!({"docs": [new]})),
        method("insert").form(&[("doc", &new.to_string())]),
        http.post("/")
            .form(&[("cmd", "frappe.client.insert"), ("doc", &new.to_string())]),
        http.post("/api/resource/Ticket")
            .form(&[("data", &new.to_string())]),
        http.request("PUT", "/api/v2/document/Ticket/FOREIGN")
            .json(&whole),
        http.request("PUT", "/api/v1/resource/Ticket/FOREIGN/")
            .json(&whole),
    ]
}

for_each_engine! {
    async fn every_method_asks_for_the_same_rights(engine: Engine) {
        let app = App::builder().engine(engine).build().await;
        let mut office = Office::open(app).await;
        let http = office.app.http();
        office.issue_token(Person::Lead, "ticket:read").await;
        office.issue_token(Person::Manager, "ticket:read").await;
        for (person, credential) in [
            (Person::Guest, Credential::Session),
            (Person::Desk, Credential::Session),
            (Person::Reader, Credential::Session),
            (Person::Agent, Credential::Session),
            (Person::Lead, READ),
        ] {
            for write in writes(&office) {
                // An agent may make tickets, but not change this one.
                let what = String::from_utf8_lossy(&write.to_bytes()).into_owned();
                if person == Person::Agent && what.contains("TAKEN") {
                    continue;
                }
                let answer = office.by(person, credential, write).await.send().await;
                let failed = answer.text().contains("failed_docs")
                    && answer.text().contains("PermissionError");
                let refused = matches!(answer.status, 401 | 403) || failed;
                assert!(refused, "{person:?}: {what}: {} {}", answer.status, answer.text());
            }
        }
        let sql = r#"SELECT COUNT(*) FROM "tabTicket" WHERE name = 'TAKEN' OR subject = 'Taken'"#;
        assert_eq!(office.app.count(sql, vec![]).await, 0);
        let path = "/api/method/frappe.client.get_single_value?doctype=OAuth%20Settings&field=resource_name";
        for (person, credential, status) in [
            (Person::Guest, Credential::Session, 401),
            (Person::Reader, Credential::Session, 403),
            (Person::Manager, READ, 403),
            (Person::Manager, Credential::Session, 200),
        ] {
            let request = http.get(path);
            let answer = office.by(person, credential, request).await.send().await;
            assert_eq!(answer.status, status, "{person:?}: {}", answer.text());
        }
        let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
        for (person, credential, user, status) in [
            (Person::Guest, Credential::Session, Person::Desk, 401),
            (Person::Reader, Credential::Session, Person::Reader, 403),
            (Person::Reader, Credential::Session, Person::Administrator, 403),
            (Person::Manager, READ, Person::Desk, 403),
            // Roles that a manager lacks cannot be taken by way of a key.
            (Person::Manager, Credential::Session, Person::Lead, 403),
            (Person::Manager, Credential::Session, Person::Administrator, 403),
            (Person::Manager, Credential::Session, Person::Website, 200),
        ] {
            let request = http.post(path).form(&[("user", &user.user())]);
            let answer = office.by(person, credential, request).await.send().await;
            assert_eq!(answer.status, status, "{person:?} for {user:?}: {}", answer.text());
        }
        office.app.close().await;
    }
}
