//! The people of the model at a real site, their credentials and their tickets.

use std::collections::BTreeMap;

use crema_auth::user::ADMINISTRATOR;
use crema_store::{Value as Stored, params};
use crema_testkit::{App, ClientSpec, Request, Response, TestClient};
use serde_json::{Value, json};

use super::helpdesk::{self, COST, LEVEL_ONE, LEVEL_ONE_ROW, PART, PIN};
use super::model::{Credential, Kind, PEOPLE, Person};

const PASSWORD: &str = "correct-horse-battery-9";
/// Somebody who has nothing to do with it, and owns what nobody else does.
const OTHER: &str = "other@example.com";

impl Person {
    /// Name of the User.
    pub(super) fn user(self) -> String {
        match self {
            Person::Administrator => ADMINISTRATOR.to_owned(),
            other => format!("{other:?}@example.com").to_lowercase(),
        }
    }

    fn roles(self) -> &'static [&'static str] {
        match self {
            Person::Guest | Person::Website | Person::Administrator => &[],
            Person::Desk => &["Report Manager"],
            Person::Reader => &["Ticket Reader"],
            Person::Agent => &["Ticket Agent"],
            Person::Clerk => &["Ticket Clerk"],
            Person::Lead => &["Ticket Lead"],
            Person::Manager => &["System Manager"],
        }
    }
}

/// A ticket of the site.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// Its name.
    pub(super) name: String,
    /// Whose it is.
    pub(super) person: Person,
    /// How it stands to them.
    pub(super) kind: Kind,
}

impl Ticket {
    /// How it stands to somebody.
    pub(super) fn kind_for(&self, person: Person) -> Kind {
        match self.kind {
            kind if self.person == person => kind,
            // Everybody's own tickets in the South are out of the clerk's reach.
            Kind::OwnSouth if person == Person::Clerk => Kind::OwnSouth,
            _ => Kind::Foreign,
        }
    }

    fn owner(&self) -> String {
        match self.kind {
            Kind::Own | Kind::OwnSouth => self.person.user(),
            Kind::Assigned | Kind::Foreign => OTHER.to_owned(),
        }
    }

    /// What it holds.
    pub(super) fn body(&self) -> Value {
        let name = &self.name;
        let assigned_to = match self.kind {
            Kind::Assigned => self.person.user(),
            Kind::Own | Kind::OwnSouth | Kind::Foreign => OTHER.to_owned(),
        };
        let region = match self.kind {
            Kind::OwnSouth => "South",
            Kind::Own | Kind::Assigned | Kind::Foreign => "North",
        };
        json!({
            "code": name, "subject": format!("Subject of {name}"), "region": region,
            "part": "Flux", "assigned_to": assigned_to, "cost": COST,
            "remark": format!("{LEVEL_ONE} {name}"), "pin": PIN,
            "items": [{
                "item": format!("Item of {name}"),
                "hint": format!("{LEVEL_ONE_ROW} {name}"),
                "part": "Flux",
            }],
        })
    }
}

/// A site with the app, the people, and tickets of every kind for each.
pub(super) struct Office {
    /// The product.
    pub(super) app: App,
    /// Every ticket.
    pub(super) tickets: Vec<Ticket>,
    client: TestClient,
    sessions: BTreeMap<Person, String>,
    keys: BTreeMap<Person, String>,
    limited: BTreeMap<(Person, &'static str), String>,
    tokens: BTreeMap<(Person, &'static str), String>,
}

impl Office {
    /// Opens it.
    pub(super) async fn open(app: App) -> Office {
        let everything = "openid all ticket:read ticket:write ticket:create ticket:delete \
             ticket:* region:* todo:read";
        helpdesk::install(&app).await;
        app.set_password(ADMINISTRATOR, PASSWORD).await;
        app.add_user(OTHER, PASSWORD, &[]).await;
        for person in PEOPLE {
            if !matches!(person, Person::Guest | Person::Administrator) {
                app.add_user(&person.user(), PASSWORD, person.roles()).await;
            }
        }
        let client = ClientSpec::new("https://client.example/cb")
            .scopes(everything)
            .grant_types("authorization_code password");
        let client = app.add_client(client).await;
        let mut office = Office {
            client,
            tickets: tickets(),
            sessions: BTreeMap::new(),
            keys: BTreeMap::new(),
            limited: BTreeMap::new(),
            tokens: BTreeMap::new(),
            app,
        };
        for person in PEOPLE.iter().filter(|person| **person != Person::Guest) {
            let visitor = office.app.signed_in(&person.user(), PASSWORD).await;
            office.sessions.insert(*person, visitor.sid().to_owned());
        }
        office.furnish().await;
        office
    }

    /// Regions, a part, the clerk's User Permission, and the tickets.
    async fn furnish(&self) {
        for region in ["North", "South"] {
            let body = json!({"title": region, "budget": format!("{LEVEL_ONE} of {region}")});
            self.put("Region", &body).await;
        }
        let part = json!({"title": "Flux", "formula": format!("{PART} of Flux")});
        self.put("Part", &part).await;
        let bulletin = json!({"title": "Open day", "draft": format!("{LEVEL_ONE} draft")});
        self.put("Bulletin", &bulletin).await;
        let north = json!({"user": Person::Clerk.user(), "allow": "Region", "for_value": "North"});
        self.put("User Permission", &north).await;
        for ticket in &self.tickets {
            self.restore(ticket).await;
        }
    }

    /// Makes a document as Administrator.
    pub(super) async fn put(&self, doctype: &str, body: &Value) -> Response {
        let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
        let request = self.app.http().post(&path).json(body);
        let answer = self.by(Person::Administrator, Credential::Session, request);
        let answer = answer.await.send().await;
        assert_eq!(answer.status, 200, "{doctype} {body}: {}", answer.text());
        answer
    }

    /// Makes a ticket (again), as its owner's.
    pub(super) async fn restore(&self, ticket: &Ticket) {
        self.put("Ticket", &ticket.body()).await;
        let sql = r#"UPDATE "tabTicket" SET owner = ? WHERE name = ?"#;
        let row: Vec<Stored> = params![ticket.owner(), &ticket.name];
        assert_eq!(self.app.execute(sql, row).await, 1);
    }

    /// The request with somebody's credential.
    pub(super) async fn by(
        &self,
        person: Person,
        credential: Credential,
        request: Request,
    ) -> Request {
        if person == Person::Guest {
            return request;
        }
        match credential {
            Credential::Session => {
                request.header("Cookie", &format!("sid={}", self.sessions[&person]))
            }
            Credential::Key => {
                request.header("Authorization", &format!("token {}", self.keys[&person]))
            }
            Credential::Limited(scope) => {
                let pair = &self.limited[&(person, scope)];
                request.header("Authorization", &format!("token {pair}"))
            }
            Credential::Bearer(scope) => request.bearer(&self.tokens[&(person, scope)]),
        }
    }

    /// Gets somebody a token.
    pub(super) async fn issue_token(&mut self, person: Person, scope: &'static str) {
        let user = person.user();
        let params = [
            ("grant_type", "password"),
            ("username", user.as_str()),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        let tokens = self.app.http().token(&self.client, &params).await.tokens();
        self.tokens.insert((person, scope), tokens.access_token);
    }

    /// Gets somebody a pair of key and secret.
    pub(super) async fn issue_key(&mut self, person: Person) {
        let user = person.user();
        let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
        let request = self.app.http().post(path).form(&[("user", &user)]);
        let made = self.by(Person::Administrator, Credential::Session, request);
        let made = made.await.send().await;
        assert_eq!(made.status, 200, "{}", made.text());
        self.keys.insert(person, pair(&made.json()["message"]));
    }

    /// Gets somebody a further key, with these scopes.
    pub(super) async fn issue_limited_key(&mut self, person: Person, scope: &'static str) {
        let body = json!({"title": scope, "user": person.user(), "scopes": scope});
        let made = self.put("API Key", &body).await;
        let pair = pair(&made.json()["data"]);
        self.limited.insert((person, scope), pair);
    }
}

fn pair(made: &Value) -> String {
    let part = |name: &str| made[name].as_str().expect(name).to_owned();
    format!("{}:{}", part("api_key"), part("api_secret"))
}

/// Tickets of every kind for everybody.
fn tickets() -> Vec<Ticket> {
    let mut tickets = Vec::new();
    for person in PEOPLE.iter().filter(|person| **person != Person::Guest) {
        for (prefix, kind) in [
            ("OWN", Kind::Own),
            ("ASG", Kind::Assigned),
            ("SOU", Kind::OwnSouth),
        ] {
            let name = format!("{prefix}-{person:?}").to_uppercase();
            tickets.push(Ticket {
                name,
                person: *person,
                kind,
            });
        }
    }
    tickets.push(Ticket {
        name: "FOREIGN".to_owned(),
        person: Person::Guest,
        kind: Kind::Foreign,
    });
    tickets
}
