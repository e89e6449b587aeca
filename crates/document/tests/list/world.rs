//! A site with things, their kinds and their items, and the same rows in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crema_document::access::{Actor, Reach, UserPermissions};
use crema_document::documents::{Documents, NoRules};
use crema_document::list::{ListRequest, ListRow};
use crema_document::{
    Bench, DocType, DocumentError, LocalTime, Reason, Registry, Site, row, schema,
};
use crema_store::{DatabaseConfig, StoreError, Value as Stored};
use serde_json::{Value, json};

use crate::support::{Engine, NOW, TestDatabase, bench, random};

/// A site and the rows that are in it.
pub(crate) struct World {
    pub(crate) documents: Documents,
    pub(crate) things: Vec<Thing>,
    pub(crate) kinds: Vec<Value>,
    _place: TestDatabase,
    _folder: tempfile::TempDir,
    _bench: Bench,
}

/// A thing as an answer shows it, with its items.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) values: Value,
    pub(crate) items: Vec<Value>,
}

fn definitions() -> Vec<DocType> {
    let kind = json!({
        "name": "Thing Kind", "autoname": "prompt",
        "fields": [
            {"fieldname": "title", "fieldtype": "Data"},
            {"fieldname": "rank", "fieldtype": "Int"},
            {"fieldname": "note", "fieldtype": "Data", "permlevel": 1},
        ],
        "permissions": [
            {"role": "Reader", "read": 1},
            {"role": "Owner", "read": 1, "if_owner": 1},
            {"role": "Boss", "read": 1}, {"role": "Boss", "read": 1, "permlevel": 1},
        ],
    });
    let item = json!({
        "name": "Thing Item", "istable": 1,
        "fields": [
            {"fieldname": "label", "fieldtype": "Data"},
            {"fieldname": "qty", "fieldtype": "Int"},
            {"fieldname": "due", "fieldtype": "Date"},
            {"fieldname": "margin", "fieldtype": "Float", "permlevel": 1},
        ],
    });
    let thing = json!({
        "name": "Thing", "sort_field": "creation", "sort_order": "DESC",
        "fields": [
            {"fieldname": "title", "fieldtype": "Data"},
            {"fieldname": "status", "fieldtype": "Select", "options": "Open\nClosed", "search_index": 1},
            {"fieldname": "notes", "fieldtype": "Text"},
            {"fieldname": "number", "fieldtype": "Int"},
            {"fieldname": "big", "fieldtype": "Long Int"},
            {"fieldname": "price", "fieldtype": "Float"},
            {"fieldname": "done", "fieldtype": "Check"},
            {"fieldname": "day", "fieldtype": "Date"},
            {"fieldname": "at", "fieldtype": "Datetime"},
            {"fieldname": "clock", "fieldtype": "Time"},
            {"fieldname": "kind", "fieldtype": "Link", "options": "Thing Kind"},
            {"fieldname": "cost", "fieldtype": "Currency", "permlevel": 1},
            {"fieldname": "pin", "fieldtype": "Password"},
            {"fieldname": "section", "fieldtype": "Section Break"},
            {"fieldname": "items", "fieldtype": "Table", "options": "Thing Item"},
            {"fieldname": "hidden_items", "fieldtype": "Table", "options": "Thing Item", "permlevel": 1},
        ],
        "permissions": [
            {"role": "Reader", "read": 1},
            {"role": "Owner", "read": 1, "if_owner": 1},
            {"role": "Boss", "read": 1}, {"role": "Boss", "read": 1, "permlevel": 1},
        ],
    });
    let counter = json!({
        "name": "Thing Count", "autoname": "autoincrement",
        "fields": [{"fieldname": "title", "fieldtype": "Data"}],
        "permissions": [{"role": "Reader", "read": 1}],
    });
    let single = json!({"name": "Thing Settings", "issingle": 1, "fields": []});
    [kind, item, thing, counter, single]
        .iter()
        .map(|definition| DocType::from_json("test", &definition.to_string()).unwrap())
        .collect()
}

/// Every engine's site has the same rows. It has no other tables than those of things: making
/// all would take longer than the tests.
pub(crate) async fn world(engine: Engine) -> World {
    let world = empty(engine).await;
    store(&world.documents, &world.things, &world.kinds).await;
    world
}

/// The same without rows.
pub(crate) async fn empty(engine: Engine) -> World {
    let place = TestDatabase::new(engine);
    let (folder, bench) = bench();
    let site_folder = bench.sites_folder().join("list.localhost");
    std::fs::create_dir_all(&site_folder).unwrap();
    let config = config(&place).to_string();
    std::fs::write(site_folder.join("site_config.json"), config).unwrap();
    let registry: Arc<Registry> = Arc::new(Registry::default().with(definitions()).unwrap());
    let site = Site::open(&bench, "list.localhost", Arc::clone(&registry)).unwrap();
    schema::sync(site.database(), &registry).await.unwrap();
    let documents = Documents {
        site: Arc::new(site),
        registry,
        actor: Arc::new(administrator()),
        now: NOW,
        random: random(),
        rules: Arc::new(NoRules),
    };
    World {
        documents,
        things: things(),
        kinds: kinds(),
        _place: place,
        _folder: folder,
        _bench: bench,
    }
}

fn config(place: &TestDatabase) -> Value {
    let (db_type, server) = match place.config() {
        DatabaseConfig::Sqlite { .. } => return json!({"db_name": "list"}),
        DatabaseConfig::MariaDb(server) => ("mariadb", server),
        DatabaseConfig::Postgres(server) => ("postgres", server),
    };
    json!({
        "db_type": db_type, "db_host": server.host, "db_port": server.port,
        "db_name": server.database, "db_user": server.user,
        "db_password": format!("password-of-{}", server.user),
    })
}

pub(crate) fn administrator() -> Actor {
    Actor {
        administrator: true,
        ..actor("Administrator", &["System Manager"])
    }
}

pub(crate) fn actor(user: &str, roles: &[&str]) -> Actor {
    Actor {
        user: user.to_owned(),
        roles: roles
            .iter()
            .map(|role| (*role).to_owned())
            .collect::<BTreeSet<_>>(),
        administrator: false,
        user_permissions: Arc::new(UserPermissions::default()),
        reach: Reach::Everything,
    }
}

impl World {
    /// The same site for somebody else.
    pub(crate) fn seen_by(&self, actor: Actor) -> Documents {
        Documents {
            actor: Arc::new(actor),
            ..self.documents.clone()
        }
    }
}

const TITLES: &[Option<&str>] = &[
    None,
    Some(""),
    Some("abc"),
    Some("ABC"),
    Some("Äpfel"),
    Some("äPFEL"),
    Some("100%"),
    Some("100x"),
    Some("a_b"),
    Some("wow!"),
    Some("back\\slash"),
    Some("ΣΊΣΥΦΟΣ"),
    Some("trailing "),
    Some("trailing"),
    Some("😀"),
    Some("5"),
];
const DAYS: &[Option<&str>] = &[
    None,
    Some("2026-01-31"),
    Some("2026-02-01"),
    Some("1999-12-31"),
];
const MOMENTS: &[Option<&str>] = &[
    None,
    Some("2026-01-31 00:00:00.000000"),
    Some("2026-01-31 23:59:59.999999"),
    Some("2026-02-01 12:30:00.500000"),
    Some("1999-12-31 08:00:00.000000"),
];
const TIMES: &[Option<&str>] = &[
    None,
    Some("00:00:00"),
    Some("09:05:00"),
    Some("09:05:00.250000"),
    Some("23:59:59"),
];
const KINDS: &[Option<&str>] = &[
    None,
    Some(""),
    Some("First"),
    Some("Second"),
    Some("first"),
    Some("Gone"),
];

fn things() -> Vec<Thing> {
    let mut things = Vec::new();
    for index in 0..48_usize {
        // Steps without common factors, so that values meet in many ways.
        let pick = |list: &[Option<&str>], step: usize| json!(list[index * step % list.len()]);
        let number = [0, 1, -1, 2, 7, 2_147_483_647][index * 5 % 6];
        let big = [0, i64::MAX, i64::MIN, 9_007_199_254_740_993][index % 4];
        let price = [0.0, 0.5, -1.5, 2.0, 1e10][index % 5];
        let cost = [0.0, 10.0, 20.5][index % 3];
        let owner = ["jo@example.com", "Administrator"][index / 2 % 2];
        let values = json!({
            "name": format!("T{index:02}"),
            "owner": owner,
            // Several at the same moment.
            "creation": format!("2026-03-{:02} 10:00:00.000000", 1 + index / 3),
            "modified": format!("2026-03-{:02} 10:00:00.000000", 1 + index % 7),
            "modified_by": owner,
            "docstatus": index % 3,
            "idx": index % 4,
            "title": pick(TITLES, 1),
            "status": pick(&[Some("Open"), Some("Closed"), None], 1),
            "notes": pick(TITLES, 7),
            "number": number,
            "big": big,
            "price": price,
            "done": i64::from(index % 4 == 1),
            "day": pick(DAYS, 3),
            "at": pick(MOMENTS, 2),
            "clock": pick(TIMES, 3),
            "kind": pick(KINDS, 5),
            "cost": cost,
        });
        let items = (0..index % 4).map(|position| {
            let which = index * 3 + position;
            let qty = [0, 1, 5][which % 3];
            json!({
                "name": format!("I{index:02}-{position}"),
                "idx": position + 1,
                "label": TITLES[which % TITLES.len()],
                "qty": qty,
                "due": DAYS[which % DAYS.len()],
                "margin": 0.25,
            })
        });
        things.push(Thing {
            items: items.collect(),
            values,
        });
    }
    things
}

fn kinds() -> Vec<Value> {
    [
        ("First", json!("Äpfel"), 1),
        ("Second", json!(null), 0),
        ("first", json!("abc"), -5),
    ]
    .into_iter()
    .map(|(name, title, rank)| {
        let owner = if name == "First" {
            "jo@example.com"
        } else {
            "Administrator"
        };
        json!({"name": name, "title": title, "rank": rank, "note": "secret", "owner": owner})
    })
    .collect()
}

/// The value of a column of that name.
fn stored(column: &str, value: &Value) -> Stored {
    let moment = |text: &str| Stored::from(text.parse::<LocalTime>().unwrap());
    match value {
        Value::Null => Stored::Null,
        Value::Number(number) => match number.as_i64() {
            Some(int) => Stored::Int(int),
            None => Stored::Real(number.as_f64().unwrap()),
        },
        Value::String(text) if matches!(column, "creation" | "modified" | "at") => moment(text),
        Value::String(text) => Stored::from(text),
        other => panic!("{other}"),
    }
}

async fn store(documents: &Documents, things: &[Thing], kinds: &[Value]) {
    let mut rows: Vec<(&str, Value)> = Vec::new();
    rows.extend(kinds.iter().map(|kind| ("tabThing Kind", kind.clone())));
    for thing in things {
        rows.push(("tabThing", thing.values.clone()));
        let own = thing.items.iter().map(|item| ("items", "", item));
        let hidden = thing.items.iter().map(|item| ("hidden_items", "h", item));
        for (field, prefix, item) in own.chain(hidden) {
            let mut item = item.clone();
            item["name"] = json!(format!("{prefix}{}", item["name"].as_str().unwrap()));
            item["parent"] = thing.values["name"].clone();
            item["parenttype"] = json!("Thing");
            item["parentfield"] = json!(field);
            rows.push(("tabThing Item", item));
        }
    }
    let rows = Arc::new(rows);
    let database = documents.site.database();
    database
        .write(move |tx| {
            let rows = Arc::clone(&rows);
            Box::pin(async move {
                for (table, values) in rows.iter() {
                    let columns: Vec<(&str, Stored)> = values
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(|(name, value)| (name.as_str(), stored(name, value)))
                        .collect();
                    let statement = row::insert_statement(tx.dialect(), table, columns);
                    tx.statement_execute(statement).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

/// A request from its arguments, as they come over REST.
pub(crate) fn request(arguments: Value) -> ListRequest {
    ListRequest::from_arguments(arguments.as_object().unwrap()).unwrap()
}

/// The rows of a list of things.
pub(crate) async fn list(
    documents: &Documents,
    arguments: Value,
) -> Result<Vec<ListRow>, DocumentError> {
    let arguments = arguments.as_object().unwrap();
    let request = ListRequest::from_arguments(arguments)?;
    documents.list("Thing", &request).await
}

/// The values of one member.
pub(crate) fn column(rows: &[ListRow], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

/// Why something was refused.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, DocumentError>) -> Reason {
    match result {
        Err(DocumentError::Refused(refusal)) => refusal.reason,
        other => panic!("not refused: {other:?}"),
    }
}
