//! A right that is taken away is gone at the next request, at every server, whatever the
//! credential; one that is given is there.

use crema_testkit::{App, Server, for_each_engine};
use serde_json::{Value, json};

use super::model::{Credential, Person};
use super::people::Office;

const CREDENTIALS: &[Credential] = &[
    Credential::Session,
    Credential::Key,
    Credential::Bearer("all"),
];

/// Two servers of the office.
struct Branches {
    office: Office,
    second: Server,
}

impl Branches {
    /// The statuses that somebody's list of tickets has now, everywhere: one, or it is wrong.
    async fn status(&self, person: Person) -> u16 {
        self.answers(person).await.0
    }

    /// How many tickets somebody sees, everywhere.
    async fn rows(&self, person: Person) -> usize {
        let (status, rows) = self.answers(person).await;
        assert_eq!(status, 200);
        rows
    }

    async fn answers(&self, person: Person) -> (u16, usize) {
        let mut seen = Vec::new();
        for credential in CREDENTIALS {
            for http in [self.second.http(), self.office.app.http()] {
                let request = http.get("/api/resource/Ticket?limit_page_length=0");
                let request = self.office.by(person, *credential, request).await;
                let answer = request.send().await;
                let rows = match answer.status {
                    200 => answer.json()["data"].as_array().unwrap().len(),
                    _ => 0,
                };
                seen.push((answer.status, rows));
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{person:?}: {seen:?}");
        seen[0]
    }

    /// Changes something as Administrator, at the first server.
    async fn send(&self, verb: &str, path: &str, body: &Value) -> Value {
        let request = self.office.app.http().request(verb, path).json(body);
        let by = (Person::Administrator, Credential::Session);
        let answer = self.office.by(by.0, by.1, request).await.send().await;
        let done = matches!(answer.status, 200 | 202);
        assert!(done, "{verb} {path} {body}: {}", answer.text());
        answer.json()["data"].clone()
    }

    async fn set_user(&self, person: Person, body: &Value) {
        let path = format!("/api/resource/User/{}", person.user());
        self.send("PUT", &path, body).await;
    }
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 4
    async fn a_right_is_what_it_is_at_the_next_request(engine: Engine) {
        let app = App::builder().engine(engine).build().await;
        let mut office = Office::open(app).await;
        for person in [Person::Lead, Person::Reader, Person::Clerk] {
            office.issue_key(person).await;
            office.issue_token(person, "all").await;
        }
        let second = office.app.second_server().await;
        let branches = Branches { office, second };
        roles(&branches).await;
        user_permissions(&branches).await;
        doctype_permissions(&branches).await;
        branches.second.stop().await;
        branches.office.app.close().await;
    }
}

async fn roles(branches: &Branches) {
    assert_eq!(branches.status(Person::Lead).await, 200);
    branches.set_user(Person::Lead, &json!({"roles": []})).await;
    assert_eq!(branches.status(Person::Lead).await, 403);
    let roles = json!({"roles": [{"role": "Ticket Reader"}]});
    branches.set_user(Person::Lead, &roles).await;
    assert_eq!(branches.status(Person::Lead).await, 200);
}

async fn user_permissions(branches: &Branches) {
    let all = branches.office.tickets.len();
    let north = branches.rows(Person::Clerk).await;
    assert!(north < all);
    let rows = branches
        .send("GET", "/api/resource/User%20Permission", &json!({}))
        .await;
    let name = rows[0]["name"].as_str().unwrap();
    let path = format!("/api/resource/User%20Permission/{name}");
    branches.send("DELETE", &path, &json!({})).await;
    assert_eq!(branches.rows(Person::Clerk).await, all);
    let body = json!({"user": Person::Clerk.user(), "allow": "Region", "for_value": "South"});
    branches
        .send("POST", "/api/resource/User%20Permission", &body)
        .await;
    assert_eq!(branches.rows(Person::Clerk).await, all - north);
}

/// Custom DocPerm rows stand in the place of the DocType's own.
async fn doctype_permissions(branches: &Branches) {
    assert_eq!(branches.status(Person::Reader).await, 200);
    let body = json!({"parent": "Ticket", "role": "Ticket Clerk", "permlevel": 0, "read": 1});
    let made = branches
        .send("POST", "/api/resource/Custom%20DocPerm", &body)
        .await;
    assert_eq!(branches.status(Person::Reader).await, 403);
    assert_eq!(branches.status(Person::Clerk).await, 200);
    let name = made["name"].as_str().unwrap();
    let path = format!("/api/resource/Custom%20DocPerm/{name}");
    branches.send("DELETE", &path, &json!({})).await;
    assert_eq!(branches.status(Person::Reader).await, 200);
}
