//! Looking at clients: lists, one client, and what `Enforce` would refuse.
//!
//! Records: OAuth Client, OAuth Client Role, Activity Log.

use std::collections::BTreeMap;

use crema_document::LocalTime;
use crema_store::{Row, Sql, Value, params};
use serde_json::{Map, Value as Json};

use super::record::{ALLOWED_ROLES, Record};
use super::secret::not_found;
use super::{DOCTYPE, LOAD, ROLES, rules};
use crate::audit::{self, Operation};
use crate::{Ctx, Failure};

static LIST: Sql = Sql::new(r#"SELECT * FROM "tabOAuth Client" ORDER BY app_name, name"#);
static OBSERVED: Sql = Sql::new(
    r#"SELECT reference_name, content, creation FROM "tabActivity Log"
    WHERE operation = ? AND creation >= ? ORDER BY creation"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&LIST, &OBSERVED];

/// How far the report looks back, in days.
const REPORT_DAYS: i64 = 30;

/// A client as `oauth-client list` shows it.
#[derive(Debug, Clone)]
pub struct ClientSummary {
    /// Name of its record.
    pub name: String,
    /// Its id in the protocol: that name, or the address of its metadata document.
    pub client_id: String,
    /// What users see.
    pub app_name: String,
    /// Whether it may do anything.
    pub enabled: bool,
    /// Whether it has no secret.
    pub public: bool,
    /// It came by dynamic registration or a metadata document.
    pub dynamically_registered: bool,
    /// `Enforce` or `Observe`.
    pub enforcement: String,
    /// Last use, in the site's time.
    pub last_used: Option<LocalTime>,
}

/// All clients, by name.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx) -> Result<Vec<ClientSummary>, Failure> {
    let rows = ctx.provider.database().rows(&LIST, params![]).await?;
    Ok(rows
        .iter()
        .map(|row| summary(&Record::from_row(row)))
        .collect())
}

fn summary(record: &Record) -> ClientSummary {
    let text = |field| record.text(field).unwrap_or_default().to_owned();
    let rules = rules(record);
    ClientSummary {
        name: text("name"),
        app_name: text("app_name"),
        enabled: record.flag("enabled"),
        public: rules.is_public(),
        client_id: rules.client_id,
        dynamically_registered: record.flag("dynamically_registered"),
        enforcement: record.text("enforcement").unwrap_or("Enforce").to_owned(),
        last_used: record.datetime("last_used").map(LocalTime::from_micros),
    }
}

/// Every field of a client by name, without its secret.
///
/// # Errors
/// [`Failure::NotFound`]; when the database cannot be read.
pub async fn show(ctx: &Ctx, client_id: &str) -> Result<Map<String, Json>, Failure> {
    Ok(show_with_creation(ctx, client_id).await?.0)
}

/// As [`show`], and when the record was made, in microseconds of the site's clock.
///
/// # Errors
/// As [`show`].
pub(crate) async fn show_with_creation(
    ctx: &Ctx,
    client_id: &str,
) -> Result<(Map<String, Json>, Option<i64>), Failure> {
    let database = ctx.provider.database();
    let row = database.row(&LOAD, params![client_id]).await?;
    let row = row.filter(|row| row.named("name") == Some(&Value::from(client_id)));
    let row = row.ok_or_else(|| not_found(client_id))?;
    let registry = ctx.provider.site().registry();
    let doctype = registry.get(DOCTYPE);
    let doctype = doctype.ok_or_else(|| Failure::internal("no DocType OAuth Client"))?;
    let mut fields = Map::new();
    for field in doctype
        .value_fields()
        .filter(|field| field.fieldname != "client_secret")
    {
        let value = row.named(&field.fieldname).unwrap_or(&Value::Null);
        fields.insert(field.fieldname.clone(), json(value));
    }
    let mut roles = Vec::new();
    for role in &database.rows(&ROLES, params![client_id]).await? {
        roles.push(Json::from(role.opt_text(0)?.unwrap_or_default()));
    }
    fields.insert(ALLOWED_ROLES.to_owned(), Json::Array(roles));
    let creation = match row.named("creation") {
        Some(Value::DateTime(micros)) => Some(*micros),
        _ => None,
    };
    Ok((fields, creation))
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Bytes(_) => Json::Null,
        Value::Int(number) => Json::from(*number),
        Value::Real(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::DateTime(micros) => Json::from(LocalTime::from_micros(*micros).to_string()),
    }
}

/// What one client was let pass with in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// The client.
    pub client_id: String,
    /// What users see; empty when the client is gone.
    pub app_name: String,
    /// `Enforce` or `Observe`, as of now.
    pub enforcement: String,
    /// What `Enforce` would refuse: the name of an `ObservedViolation`.
    pub violation: String,
    /// How often.
    pub count: u64,
    /// Last time, in the site's time.
    pub last: Option<LocalTime>,
}

/// The enforcement report: clients that would break under `Enforce`, with what.
///
/// # Errors
/// When the database cannot be read.
// spec: security.md, Clients, "`Observe` may let pass only"; cli.md, `report`
pub async fn report(ctx: &Ctx) -> Result<Vec<ReportRow>, Failure> {
    let values = params![
        Operation::Observe.as_str(),
        audit::days_ago(ctx, REPORT_DAYS)
    ];
    let rows = ctx.provider.database().rows(&OBSERVED, values).await?;
    let mut found: BTreeMap<(String, String), ReportRow> = BTreeMap::new();
    for row in &rows {
        let Some((client_id, violation, count, last)) = observed(row)? else {
            continue;
        };
        let key = (client_id.clone(), violation.clone());
        let entry = found.entry(key).or_insert_with(|| ReportRow {
            client_id,
            app_name: String::new(),
            enforcement: String::new(),
            violation,
            count: 0,
            last: None,
        });
        entry.count += count;
        entry.last = entry.last.max(last);
    }
    let mut report: Vec<ReportRow> = found.into_values().collect();
    for row in &mut report {
        if let Some(client) = ctx.client_record(&row.client_id).await? {
            row.app_name.clone_from(&client.app_name);
            row.enforcement = format!("{:?}", client.rules.enforcement);
        }
    }
    Ok(report)
}

type Observed = (String, String, u64, Option<LocalTime>);

fn observed(row: &Row) -> Result<Option<Observed>, Failure> {
    let (Some(client), Some(content)) = (row.opt_text(0)?, row.opt_text(1)?) else {
        return Ok(None);
    };
    let content: Json = serde_json::from_str(content).unwrap_or_default();
    let violation = content
        .get("violation")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let count = audit::count_of(&content);
    let last = row.opt_datetime(2)?.map(LocalTime::from_micros);
    Ok(Some((client.to_owned(), violation.to_owned(), count, last)))
}
