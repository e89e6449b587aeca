//! What a request gives of a document, read in the types of its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::value;
use crate::doctype::{DocType, Field, FieldType};
use crate::refusal::{Reason, Refusal};
use crate::{Registry, SecretText};

/// Most rows that a child table may have.
pub(super) const MAX_ROWS: usize = 10_000;

/// Who gives the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A user: fields that only the system changes are left out.
    User,
    /// The system: fixtures and patches.
    System,
}

/// The members that count, in the types of their fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The name that was asked for.
    pub(super) name: Option<String>,
    /// Which state of the document the caller knows: microseconds on the site's clock.
    pub(super) modified: Option<i64>,
    /// Values as they will be shown.
    pub(super) values: Map<String, Json>,
    /// Rows of child tables.
    pub(super) tables: BTreeMap<String, Vec<GivenRow>>,
    /// Values of Password fields; an empty one removes what is kept.
    pub(super) secrets: BTreeMap<String, SecretText>,
}

/// A row of a child table.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenRow {
    /// The name of the stored row that it replaces.
    pub(super) name: Option<String>,
    /// Values as they will be shown.
    pub(super) values: Map<String, Json>,
}

impl Given {
    /// The fields that have a value of their own here.
    pub(super) fn named(&self) -> BTreeSet<String> {
        self.values.keys().cloned().collect()
    }

    /// The members as a keeper takes them: values in their types, rows with their names,
    /// secrets as text.
    pub(super) fn into_members(self) -> Map<String, Json> {
        let mut members = self.values;
        if let Some(name) = self.name {
            members.insert("name".to_owned(), Json::from(name));
        }
        for (field, rows) in self.tables {
            let rows = rows.into_iter().map(|row| {
                let mut members = row.values;
                if let Some(name) = row.name {
                    members.insert("name".to_owned(), Json::from(name));
                }
                Json::Object(members)
            });
            members.insert(field, rows.collect());
        }
        for (field, secret) in self.secrets {
            members.insert(field, Json::from(secret.expose()));
        }
        members
    }
}

/// How members are read.
pub(super) struct Reader<'a> {
    pub(super) registry: &'a Registry,
    /// The permission levels of fields that the actor may change.
    pub(super) levels: &'a BTreeSet<u32>,
    pub(super) origin: Origin,
    /// Nulls count as not given.
    pub(super) is_new: bool,
}

impl Reader<'_> {
    /// Reads a document's members. What is no field, what the actor may not change and what
    /// only the system changes is left out, as in Frappe.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub(super) fn read(
        &self,
        doctype: &DocType,
        members: Map<String, Json>,
    ) -> Result<Given, Refusal> {
        let mut given = Given {
            name: name(&members)?,
            modified: modified(&members)?,
            ..Given::default()
        };
        check_status(&members)?;
        for (member, value) in members {
            let Some(field) = doctype.field(&member).filter(|field| self.admits(field)) else {
                continue;
            };
            if self.is_new && value.is_null() {
                continue;
            }
            if field.fieldtype == FieldType::Password {
                if let Some(secret) = secret(field, &value)? {
                    given.secrets.insert(member, secret);
                }
            } else if field.fieldtype.is_table() {
                given.tables.insert(member, self.rows(field, value)?);
            } else {
                let stored = value::to_stored(field, &value)?;
                let shown = value::to_json(field, &stored);
                given.values.insert(member, shown);
            }
        }
        Ok(given)
    }

    fn admits(&self, field: &Field) -> bool {
        let open = self.origin == Origin::System || !field.read_only;
        let holds = field.fieldtype.is_table() || field.has_column();
        open && holds && !field.is_virtual && self.levels.contains(&field.permlevel)
    }

    fn rows(&self, field: &Field, value: Json) -> Result<Vec<GivenRow>, Refusal> {
        let label = value::label(field);
        let wrong = |message: String| Refusal::new(Reason::Validation, message);
        let rows = match value {
            Json::Null => Vec::new(),
            Json::Array(rows) => rows,
            _ => return Err(wrong(format!("{label}: not a list of rows"))),
        };
        if rows.len() > MAX_ROWS {
            return Err(wrong(format!("{label}: more than {MAX_ROWS} rows")));
        }
        let Some(child) = field.target().and_then(|target| self.registry.get(target)) else {
            return Ok(Vec::new());
        };
        let mut read = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            let place = |refusal: Refusal| in_row(index + 1, refusal);
            let Json::Object(members) = row else {
                let refusal = wrong(format!("{label}: a row is an object"));
                return Err(place(refusal));
            };
            read.push(self.row(child, members).map_err(place)?);
        }
        Ok(read)
    }

    fn row(&self, child: &DocType, members: Map<String, Json>) -> Result<GivenRow, Refusal> {
        let mut row = GivenRow {
            name: name(&members)?,
            values: Map::new(),
        };
        for (member, value) in members {
            let Some(field) = child.field(&member).filter(|field| self.admits(field)) else {
                continue;
            };
            // No rows in rows, and no secrets: Frappe's DocTypes have none there.
            if field.fieldtype.is_table() || field.fieldtype == FieldType::Password {
                continue;
            }
            let stored = value::to_stored(field, &value)?;
            row.values.insert(member, value::to_json(field, &stored));
        }
        Ok(row)
    }
}

/// What counts of the members of a document that whoever may change everything gives: values in
/// the types of their fields, rows of child tables in the types of theirs. Nothing is looked up.
///
/// # Errors
/// A [`Refusal`] that names the field.
pub fn typed_members(
    registry: &Registry,
    doctype: &DocType,
    members: Map<String, Json>,
) -> Result<Map<String, Json>, Refusal> {
    let levels = (0..=crate::doctype::MAX_LEVEL).collect();
    let reader = Reader {
        registry,
        levels: &levels,
        origin: Origin::System,
        is_new: false,
    };
    Ok(reader.read(doctype, members)?.into_members())
}

/// The same refusal, about a row of a child table.
pub(super) fn in_row(number: usize, refusal: Refusal) -> Refusal {
    let message = format!("Row #{number}: {}", refusal.message);
    Refusal { message, ..refusal }
}

fn name(members: &Map<String, Json>) -> Result<Option<String>, Refusal> {
    let given = match members.get("name") {
        None | Some(Json::Null) => members.get("__newname"),
        given => given,
    };
    match given {
        None | Some(Json::Null | Json::Bool(_)) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(Json::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Refusal::new(Reason::Malformed, "name: not a text")),
    }
}

fn modified(members: &Map<String, Json>) -> Result<Option<i64>, Refusal> {
    match members.get("modified") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.is_empty() => Ok(None),
        Some(Json::String(text)) => match crema_store::parse_datetime(text.trim()) {
            Some(micros) => Ok(Some(micros)),
            None => Err(Refusal::new(
                Reason::Malformed,
                "modified: not of the form YYYY-MM-DD HH:MM:SS.ffffff",
            )),
        },
        Some(_) => Err(Refusal::new(Reason::Malformed, "modified: not a text")),
    }
}

/// Documents are not submitted or cancelled here.
fn check_status(members: &Map<String, Json>) -> Result<(), Refusal> {
    let draft = match members.get("docstatus") {
        None | Some(Json::Null) => true,
        Some(Json::Number(number)) => number.as_f64() == Some(0.0),
        Some(Json::String(text)) => matches!(text.trim(), "" | "0"),
        Some(Json::Bool(flag)) => !flag,
        Some(_) => false,
    };
    if draft {
        return Ok(());
    }
    let message = "Documents cannot be submitted or cancelled: docstatus is 0";
    Err(Refusal::new(Reason::Validation, message))
}

/// The new value of a Password field; `None` when it is what a form shows instead of the stored
/// one.
fn secret(field: &Field, value: &Json) -> Result<Option<SecretText>, Refusal> {
    let text = match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => {
            let message = format!("{}: not a text", value::label(field));
            return Err(Refusal::new(Reason::Validation, message));
        }
    };
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return Ok(None);
    }
    if text.contains('\0') {
        let message = format!("{}: U+0000 is not allowed", value::label(field));
        return Err(Refusal::new(Reason::Malformed, message));
    }
    value::check(field, &crema_store::Value::from(text.as_str()))?;
    Ok(Some(SecretText::new(text)))
}
