//! Everybody, every credential, every verb, every kind of ticket, every way in.

use crema_testkit::{App, Engine, Request, Response, for_each_engine};
use serde_json::{Value, json};

use super::helpdesk::{LEVEL_ONE, LEVEL_ONE_ROW, PART, PIN};
use super::model::{Action, Credential, KINDS, Kind, Outcome, PEOPLE, Person, SCOPES, expected};
use super::people::{Office, Ticket};

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// `/api/resource`
    V1,
    /// `/api/v2/document`
    V2,
    /// `frappe.client.*`
    Client,
}

const APIS: &[Api] = &[Api::V1, Api::V2, Api::Client];

/// What somebody tries with one ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    GetValue,
    Update,
    Delete,
}

impl Verb {
    fn action(self) -> Action {
        match self {
            Verb::Read | Verb::GetValue => Action::Read,
            Verb::Update => Action::Write,
            Verb::Delete => Action::Delete,
        }
    }

    /// The status of success.
    fn status(self, api: Api) -> u16 {
        if self == Verb::Delete && api != Api::Client {
            202
        } else {
            200
        }
    }
}

const VERBS: &[Verb] = &[Verb::Read, Verb::GetValue, Verb::Update, Verb::Delete];

/// Collects what is not as expected.
struct Walk {
    office: Office,
    requests: usize,
    wrong: Vec<String>,
}

// spec: http.md, Resource server, the table of statuses; http.md, Resource server, "Role permissions
// always apply on top"
for_each_engine! {
    async fn everybody_gets_what_the_model_says(engine: Engine) {
        // The whole table on SQLite; elsewhere what differs there, the conditions of the queries.
        let whole = engine == Engine::Sqlite;
        let app = App::builder().engine(engine).build().await;
        let mut walk = Walk {
            office: Office::open(app).await,
            requests: 0,
            wrong: Vec::new(),
        };
        for person in PEOPLE {
            for credential in walk.credentials(*person, whole).await {
                walk.person(*person, credential, whole).await;
            }
        }
        let wrong = walk.wrong;
        assert!(walk.requests > if whole { 2500 } else { 300 }, "{}", walk.requests);
        assert!(
            wrong.is_empty(),
            "{} of {} requests\n{}",
            wrong.len(),
            walk.requests,
            wrong[..wrong.len().min(60)].join("\n")
        );
        walk.office.app.close().await;
    }
}

impl Walk {
    /// The credentials that somebody tries.
    async fn credentials(&mut self, person: Person, whole: bool) -> Vec<Credential> {
        if person == Person::Guest {
            // It is not looked at.
            return vec![Credential::Session];
        }
        let scopes = if whole {
            SCOPES
        } else {
            &["all", "ticket:write"]
        };
        let mut credentials = vec![Credential::Session];
        if whole {
            self.office.issue_key(person).await;
            credentials.push(Credential::Key);
            for scope in ["ticket:read", "region:*"] {
                self.office.issue_limited_key(person, scope).await;
                credentials.push(Credential::Limited(scope));
            }
        }
        for scope in scopes {
            self.office.issue_token(person, scope).await;
            credentials.push(Credential::Bearer(scope));
        }
        credentials
    }

    /// All that one person tries with one credential.
    async fn person(&mut self, person: Person, credential: Credential, whole: bool) {
        let apis = if whole { APIS } else { &[Api::V1] };
        for api in apis {
            self.list(person, credential, *api).await;
            self.count(person, credential, *api).await;
            self.create(person, credential, *api).await;
            for kind in KINDS {
                for verb in VERBS {
                    self.one(person, credential, *api, *verb, *kind).await;
                }
            }
        }
    }

    /// The tickets that a list has to show, by name.
    fn visible(&self, person: Person) -> Vec<String> {
        let tickets = self.office.tickets.iter();
        let visible = tickets.filter(|ticket| person.covers(ticket.kind_for(person)));
        let mut names: Vec<_> = visible.map(|ticket| ticket.name.clone()).collect();
        names.sort();
        names
    }

    async fn list(&mut self, person: Person, credential: Credential, api: Api) {
        let http = self.office.app.http();
        let request = match api {
            Api::V1 => http.get("/api/resource/Ticket?limit_page_length=0"),
            Api::V2 => http.get("/api/v2/document/Ticket?limit=500"),
            Api::Client => {
                http.get("/api/method/frappe.client.get_list?doctype=Ticket&limit_page_length=0")
            }
        };
        let answer = self.send(person, credential, request).await;
        let outcome = expected(person, credential, Action::Read, None);
        let what = format!("{person:?} {credential:?} {api:?} list");
        if self.check(&what, credential, &answer, &outcome, 200) {
            let json = answer.json();
            let rows = if api == Api::Client {
                &json["message"]
            } else {
                &json["data"]
            };
            let mut names: Vec<String> = rows
                .as_array()
                .map(|rows| rows.iter().map(|row| text(&row["name"])).collect())
                .unwrap_or_default();
            names.sort();
            let visible = self.visible(person);
            self.same(&what, &names, &visible);
        }
    }

    async fn count(&mut self, person: Person, credential: Credential, api: Api) {
        let http = self.office.app.http();
        let request = match api {
            // There is no count in v1 but this one.
            Api::V1 => return,
            Api::V2 => http.get("/api/v2/doctype/Ticket/count"),
            Api::Client => http.get("/api/method/frappe.client.get_count?doctype=Ticket"),
        };
        let answer = self.send(person, credential, request).await;
        let outcome = expected(person, credential, Action::Read, None);
        let what = format!("{person:?} {credential:?} {api:?} count");
        if self.check(&what, credential, &answer, &outcome, 200) {
            let json = answer.json();
            let count = if api == Api::Client {
                &json["message"]
            } else {
                &json["data"]
            };
            let visible = self.visible(person).len();
            self.same(&what, count, &json!(visible));
        }
    }

    async fn create(&mut self, person: Person, credential: Credential, api: Api) {
        let http = self.office.app.http();
        let body = json!({"code": "NEW", "subject": "New", "region": "North"});
        let request = match api {
            Api::V1 => http.post("/api/resource/Ticket").json(&body),
            Api::V2 => http.post("/api/v2/document/Ticket").json(&body),
            Api::Client => {
                let mut doc = body;
                doc["doctype"] = json!("Ticket");
                http.post("/api/method/frappe.client.insert")
                    .json(&json!({"doc": doc}))
            }
        };
        let answer = self.send(person, credential, request).await;
        let outcome = expected(person, credential, Action::Create, None);
        let what = format!("{person:?} {credential:?} {api:?} create");
        let done = self.check(&what, credential, &answer, &outcome, 200);
        let sql = r#"DELETE FROM "tabTicket" WHERE name = 'NEW' AND owner = ?"#;
        let owner = vec![person.user().as_str().into()];
        let made = self.office.app.execute(sql, owner).await;
        self.same(&format!("{what}: made"), &made, &u64::from(done));
    }

    async fn one(
        &mut self,
        person: Person,
        credential: Credential,
        api: Api,
        verb: Verb,
        kind: Kind,
    ) {
        let ticket = self.ticket(person, kind);
        let Some(request) = self.request(api, verb, &ticket.name) else {
            return;
        };
        let answer = self.send(person, credential, request).await;
        let what = format!("{person:?} {credential:?} {api:?} {verb:?} {kind:?}");
        let mut outcome = expected(person, credential, verb.action(), Some(kind));
        if verb == Verb::GetValue {
            // A search: what is not to be seen is not found.
            let without = expected(person, credential, verb.action(), None);
            if without == Outcome::Done && outcome == Outcome::Denied {
                self.check(&what, credential, &answer, &Outcome::Done, 200);
                self.same(&what, &answer.text().contains("Subject of"), &false);
                return;
            }
            outcome = without;
        }
        let done = self.check(&what, credential, &answer, &outcome, verb.status(api));
        match verb {
            Verb::Read if done => {
                let shown = answer
                    .text()
                    .contains(&format!("{LEVEL_ONE} {}", ticket.name));
                self.same(
                    &format!("{what}: level 1"),
                    &shown,
                    &person.sees_level_one(),
                );
            }
            Verb::GetValue if done => {
                let subject = text(&answer.json()["message"]["subject"]);
                let known = subject.ends_with(&ticket.name);
                self.same(&format!("{what}: {subject}"), &known, &true);
            }
            Verb::Update => {
                let subject = self.subject(&ticket.name).await;
                let changed = subject.as_deref() == Some("Changed");
                self.same(&format!("{what}: {subject:?}"), &changed, &done);
                let back = format!("Subject of {}", ticket.name);
                let sql = r#"UPDATE "tabTicket" SET subject = ? WHERE name = ?"#;
                let row = vec![back.as_str().into(), ticket.name.as_str().into()];
                self.office.app.execute(sql, row).await;
            }
            Verb::Delete => {
                let gone = self.subject(&ticket.name).await.is_none();
                self.same(&format!("{what}: gone"), &gone, &done);
                if gone {
                    self.office.restore(&ticket).await;
                }
            }
            _ => {}
        }
    }

    fn request(&self, api: Api, verb: Verb, name: &str) -> Option<Request> {
        let http = self.office.app.http();
        let v1 = format!("/api/resource/Ticket/{name}");
        let v2 = format!("/api/v2/document/Ticket/{name}");
        let method = |method: &str| format!("/api/method/frappe.client.{method}");
        let about = [("doctype", "Ticket"), ("name", name)];
        Some(match (verb, api) {
            (Verb::Read, Api::V1) => http.get(&v1),
            (Verb::Read, Api::V2) => http.get(&v2),
            (Verb::Read, Api::Client) => http.get(&method("get")).query(&about),
            (Verb::GetValue, Api::Client) => http.get(&method("get_value")).query(&[
                ("doctype", "Ticket"),
                ("filters", &json!({"name": name}).to_string()),
                ("fieldname", "subject"),
            ]),
            (Verb::GetValue, _) => return None,
            (Verb::Update, Api::V1) => {
                let request = http.request("PUT", &v1);
                request.json(&json!({"subject": "Changed"}))
            }
            (Verb::Update, Api::V2) => {
                let request = http.request("PATCH", &v2);
                request.json(&json!({"subject": "Changed"}))
            }
            (Verb::Update, Api::Client) => {
                let mut form = about.to_vec();
                form.extend([("fieldname", "subject"), ("value", "Changed")]);
                http.post(&method("set_value")).form(&form)
            }
            (Verb::Delete, Api::V1) => http.request("DELETE", &v1),
            (Verb::Delete, Api::V2) => http.request("DELETE", &v2),
            (Verb::Delete, Api::Client) => http.post(&method("delete")).form(&about),
        })
    }

    /// A ticket of that kind for somebody.
    fn ticket(&self, person: Person, kind: Kind) -> Ticket {
        let tickets = &self.office.tickets;
        // Guests have no tickets: for them every ticket is somebody else's.
        let mut wanted = tickets
            .iter()
            .filter(|ticket| person == Person::Guest || ticket.kind_for(person) == kind);
        wanted.next().expect("a ticket of every kind").clone()
    }

    async fn subject(&self, name: &str) -> Option<String> {
        let sql = r#"SELECT subject FROM "tabTicket" WHERE name = ?"#;
        let rows = self.office.app.rows(sql, vec![name.into()]).await;
        rows.first().map(|row| row.text(0).unwrap().to_owned())
    }

    async fn send(&mut self, person: Person, credential: Credential, request: Request) -> Response {
        self.requests += 1;
        let request = self.office.by(person, credential, request).await;
        let answer = request.send().await;
        let text = answer.text();
        let mut hidden = vec![PIN, PART];
        if !person.sees_level_one() {
            hidden.extend([LEVEL_ONE, LEVEL_ONE_ROW, "31337"]);
        }
        for marker in hidden {
            if text.contains(marker) {
                self.wrong
                    .push(format!("{person:?} {credential:?} sees {marker}: {text}"));
            }
        }
        answer
    }

    /// Compares status, challenge and kind of error. Gives whether it should be done, and is.
    fn check(
        &mut self,
        what: &str,
        credential: Credential,
        answer: &Response,
        outcome: &Outcome,
        status: u16,
    ) -> bool {
        let challenge = answer.header("www-authenticate");
        let exc_type = |answer: &Response| {
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let v2 = text(&json["errors"][0]["type"]);
            if v2.is_empty() {
                text(&json["exc_type"])
            } else {
                v2
            }
        };
        let fine = match outcome {
            Outcome::Done => answer.status == status && challenge.is_none(),
            Outcome::SignIn => {
                answer.status == 401
                    && challenge.is_some_and(|challenge| challenge.starts_with("Bearer "))
                    && exc_type(answer) == "AuthenticationError"
            }
            Outcome::Denied => {
                answer.status == 403 && challenge.is_none() && exc_type(answer) == "PermissionError"
            }
            Outcome::Scope(scope) => {
                let scope_said = format!("scope=\"{scope}\"");
                let challenged = challenge.is_some_and(|challenge| {
                    challenge.starts_with("Bearer ")
                        && challenge.contains("error=\"insufficient_scope\"")
                        && challenge.contains(&scope_said)
                });
                answer.status == 403
                    // Keys cannot ask for more; tokens can.
                    && challenged == matches!(credential, Credential::Bearer(_))
                    && challenged == challenge.is_some()
                    && exc_type(answer) == "PermissionError"
                    && answer.text().contains(scope)
            }
        };
        if !fine {
            self.wrong.push(format!(
                "{what}: expected {outcome:?}, got {} {challenge:?} {}",
                answer.status,
                answer.text()
            ));
        }
        fine && *outcome == Outcome::Done
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, wanted: &T) {
        if found != wanted {
            self.wrong
                .push(format!("{what}: {found:?}, not {wanted:?}"));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
