//! What everybody who is signed in may do: their own ToDos, and those allocated to them.

use crema_testkit::{App, for_each_engine};
use serde_json::{Value, json};

use super::model::{Credential, Person};
use super::people::Office;

const SOMEBODY: &str = "other@example.com";
const EVERY: &str = "/api/resource/ToDo?limit_page_length=0";
const PEOPLE: &[Person] = &[
    Person::Guest,
    Person::Website,
    Person::Desk,
    Person::Reader,
    Person::Manager,
    Person::Administrator,
];

/// Whose a ToDo is: owner, allocated to; and whether somebody without a role may have it.
fn todos(user: &str) -> [(&'static str, String, Value, bool); 4] {
    [
        ("own", user.to_owned(), json!(null), true),
        ("given away", user.to_owned(), json!(SOMEBODY), true),
        ("allocated", SOMEBODY.to_owned(), json!(user), true),
        ("foreign", SOMEBODY.to_owned(), json!(SOMEBODY), false),
    ]
}

for_each_engine! {
    async fn todos_are_for_who_made_them_and_who_has_them(engine: Engine) {
        let mut office = Office::open(App::builder().engine(engine).build().await).await;
        for person in PEOPLE {
            for credential in [Credential::Session, Credential::Bearer("todo:read")] {
                if *person == Person::Guest {
                    if credential == Credential::Session {
                        guest(&office).await;
                    }
                    continue;
                }
                if let Credential::Bearer(scope) = credential {
                    office.issue_token(*person, scope).await;
                }
                walk(&office, *person, credential).await;
            }
        }
        office.app.close().await;
    }
}

async fn guest(office: &Office) {
    let todo = make(office, SOMEBODY, &json!(null)).await;
    let one = format!("/api/resource/ToDo/{todo}");
    for (verb, path) in [
        ("GET", "/api/resource/ToDo"),
        ("POST", "/api/resource/ToDo"),
        ("GET", one.as_str()),
        ("PUT", one.as_str()),
        ("DELETE", one.as_str()),
    ] {
        let answer = send(office, Person::Guest, Credential::Session, verb, path).await;
        assert_eq!(answer.0, 401, "{verb} {path}: {}", answer.1);
    }
}

/// Reads, changes and removes each kind of ToDo.
async fn walk(office: &Office, person: Person, credential: Credential) {
    let everything = matches!(person, Person::Manager | Person::Administrator);
    let writes = credential == Credential::Session;
    let fine = |may: bool, status: u16| if may { status } else { 403 };
    for (kind, owner, allocated_to, mine) in todos(&person.user()) {
        let may = mine || everything;
        let todo = make(office, &owner, &allocated_to).await;
        let path = format!("/api/resource/ToDo/{todo}");
        let what = format!("{person:?} {credential:?} {kind}");
        let (_, list) = send(office, person, credential, "GET", EVERY).await;
        assert_eq!(list.contains(&todo), may, "{what}: {list}");
        let filters = json!([["name", "=", todo]]).to_string();
        let query = crema_testkit::http::encode(&[("doctype", "ToDo"), ("filters", &filters)]);
        let count = format!("/api/method/frappe.client.get_count?{query}");
        let (_, counted) = send(office, person, credential, "GET", &count).await;
        assert_eq!(
            counted,
            json!({"message": u8::from(may)}).to_string(),
            "{what}"
        );
        let (status, read) = send(office, person, credential, "GET", &path).await;
        assert_eq!(status, fine(may, 200), "{what}: {read}");
        let (status, changed) = send(office, person, credential, "PUT", &path).await;
        assert_eq!(status, fine(may && writes, 200), "{what}: {changed}");
        let (status, removed) = send(office, person, credential, "DELETE", &path).await;
        assert_eq!(status, fine(may && writes, 202), "{what}: {removed}");
    }
    let (status, made) = send(office, person, credential, "POST", "/api/resource/ToDo").await;
    assert_eq!(
        status,
        fine(writes, 200),
        "{person:?} {credential:?}: {made}"
    );
}

/// A ToDo of that owner.
async fn make(office: &Office, owner: &str, allocated_to: &Value) -> String {
    let body = json!({"description": "Call client", "allocated_to": allocated_to});
    let made = office.put("ToDo", &body).await.json();
    let name = made["data"]["name"].as_str().unwrap().to_owned();
    let sql = r#"UPDATE "tabToDo" SET owner = ? WHERE name = ?"#;
    let row = vec![owner.into(), name.as_str().into()];
    assert_eq!(office.app.execute(sql, row).await, 1);
    name
}

/// Status and body of an answer; what is written is the same every time.
async fn send(
    office: &Office,
    person: Person,
    credential: Credential,
    verb: &str,
    path: &str,
) -> (u16, String) {
    let mut request = office.app.http().request(verb, path);
    if matches!(verb, "POST" | "PUT") {
        request = request.json(&json!({"description": "Call again"}));
    }
    let answer = office.by(person, credential, request).await.send().await;
    (answer.status, answer.text())
}
