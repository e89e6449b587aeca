//! The documents that an app brings along.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::AppError;
use super::files::{self, fault};
use super::folder::AppFolder;
use crate::doctype::FieldType;
use crate::documents::{Documents, value};
use crate::refusal::{DocumentError, Reason};
use crate::{DocType, Registry, SiteError};

/// A document of an app.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    /// Its DocType.
    pub doctype: String,
    /// Its name.
    pub name: String,
    /// Its members, without those that the system fills.
    pub values: Map<String, Value>,
    /// The file that it is in.
    pub file: PathBuf,
}

impl Fixture {
    /// Whether there can be such a document at all.
    pub(super) fn check(&self, registry: &Registry) -> Result<(), String> {
        let name = &self.doctype;
        match registry.get(name) {
            None => Err(format!("there is no DocType {name}")),
            Some(doctype) if doctype.istable => Err(format!(
                "{name}: its documents stand in those that they belong to"
            )),
            Some(doctype) if doctype.is_kept() => {
                Err(format!("{name}: only the system makes its documents"))
            }
            Some(_) => Ok(()),
        }
    }
}

/// What was done with a document of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixtureChange {
    /// Its DocType.
    pub doctype: String,
    /// Its name.
    pub name: String,
    /// It was not there before.
    pub new: bool,
}

impl std::fmt::Display for FixtureChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.new { "add" } else { "change" };
        write!(formatter, "{verb} {} {}", self.doctype, self.name)
    }
}

/// Members of an exported document that say nothing about its content.
const BOOKKEEPING: &[&str] = &[
    "doctype",
    "name",
    "creation",
    "modified",
    "modified_by",
    "owner",
    "docstatus",
    "idx",
    "parent",
    "parentfield",
    "parenttype",
];

/// Reads a file: a list of documents, or one.
pub(super) fn read(file: &Path) -> Result<Vec<Fixture>, AppError> {
    let text = files::read(file)?;
    let json: Value =
        serde_json::from_str(&text).map_err(|error| fault(file, error.to_string()))?;
    let documents = match json {
        Value::Array(documents) => documents,
        other => vec![other],
    };
    (1..)
        .zip(documents)
        .map(|(number, document)| {
            fixture(file, document)
                .map_err(|reason| fault(file, format!("document {number}: {reason}")))
        })
        .collect()
}

fn fixture(file: &Path, document: Value) -> Result<Fixture, &'static str> {
    let Value::Object(members) = document else {
        return Err("it is no object");
    };
    let text = |member: &str| match members.get(member) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let doctype = text("doctype").ok_or("it has no doctype")?;
    let name = text("name").ok_or("it has no name")?;
    let values = members
        .into_iter()
        .filter(|(member, _)| !BOOKKEEPING.contains(&member.as_str()))
        .map(|(member, value)| (member, rows_alone(value)))
        .collect();
    Ok(Fixture {
        doctype,
        name,
        values,
        file: file.to_owned(),
    })
}

/// Rows of a child table without what the system fills.
fn rows_alone(value: Value) -> Value {
    let Value::Array(rows) = value else {
        return value;
    };
    let alone = |row| match row {
        Value::Object(mut members) => {
            members.retain(|member, _| !BOOKKEEPING.contains(&member.as_str()));
            Value::Object(members)
        }
        other => other,
    };
    rows.into_iter().map(alone).collect()
}

/// Makes the documents of an app that are not there yet, and gives those that are the values
/// of the app's files. Nothing is removed, and a stored password is left as it is.
///
/// # Errors
/// [`AppError`] that names the file and the document which cannot be stored. Those before it
/// are.
pub async fn apply_fixtures(
    documents: &Documents,
    app: &AppFolder,
) -> Result<Vec<FixtureChange>, SiteError> {
    let mut changes = Vec::new();
    for fixture in &app.fixtures {
        let done = apply(documents, fixture).await;
        let new = done.map_err(|error| match error {
            DocumentError::Store(error) => SiteError::Store(error),
            other => {
                let reason = format!("{} {}: {other}", fixture.doctype, fixture.name);
                fault(&fixture.file, reason).into()
            }
        })?;
        changes.extend(new.map(|new| FixtureChange {
            doctype: fixture.doctype.clone(),
            name: fixture.name.clone(),
            new,
        }));
    }
    Ok(changes)
}

/// Whether the document is new; `None` when nothing had to be done.
async fn apply(documents: &Documents, fixture: &Fixture) -> Result<Option<bool>, DocumentError> {
    let doctype = documents.doctype(&fixture.doctype)?;
    let name = match doctype.issingle {
        true => doctype.name.as_str(),
        false => fixture.name.as_str(),
    };
    match documents.get(&doctype.name, name).await {
        Ok(there) => {
            let mut values = fixture.values.clone();
            values.retain(|member, wanted| {
                let there = there.values.get(member).unwrap_or(&Value::Null);
                differs(&documents.registry, &doctype, member, there, wanted)
            });
            if values.is_empty() {
                return Ok(None);
            }
            documents.import(&doctype.name, name, values).await?;
            Ok(Some(false))
        }
        Err(DocumentError::Refused(refusal)) if refusal.reason == Reason::DoesNotExist => {
            let values = fixture.values.clone();
            documents.import(&doctype.name, name, values).await?;
            Ok(Some(true))
        }
        Err(error) => Err(error),
    }
}

/// Whether a document has another value in a field than the wanted one, compared in the form in
/// which it is stored, so that a second run has nothing to do. Members that are no fields are
/// passed over, as are passwords.
fn differs(
    registry: &Registry,
    doctype: &DocType,
    member: &str,
    there: &Value,
    wanted: &Value,
) -> bool {
    let Some(field) = doctype.field(member) else {
        return false;
    };
    if field.fieldtype.is_table() {
        let child = field.target().and_then(|target| registry.get(target));
        return child.is_some_and(|child| rows_differ(registry, child, there, wanted));
    }
    if !field.has_column() || field.fieldtype == FieldType::Password {
        return false;
    }
    match value::convert(field, wanted) {
        Ok(stored) => value::to_json(field, &stored) != *there,
        // Storing it says what is wrong.
        Err(_) => true,
    }
}

fn rows_differ(registry: &Registry, child: &DocType, there: &Value, wanted: &Value) -> bool {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (there, wanted) = (rows(there), rows(wanted));
    let differ = |there: &Value, wanted: &Value| {
        let mut members = wanted.as_object().into_iter().flatten();
        members.any(|(member, wanted)| {
            let there = there.get(member).unwrap_or(&Value::Null);
            differs(registry, child, member, there, wanted)
        })
    };
    there.len() != wanted.len() || there.iter().zip(&wanted).any(|(a, b)| differ(a, b))
}
