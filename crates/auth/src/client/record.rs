//! A client's fields as they stand in the table, and as someone wants to change them.

use std::collections::BTreeMap;

use crema_document::{DocType, Field, FieldType};
use crema_store::{Row, Value};

use crate::Failure;

/// The field whose rows are a table of their own.
pub(super) const ALLOWED_ROLES: &str = "allowed_roles";

/// Fields and their new values, as text: `FIELD=VALUE` on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFields(BTreeMap<String, String>);

impl ClientFields {
    /// No field.
    pub fn new() -> ClientFields {
        ClientFields::default()
    }

    /// The same with this value for that field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<String>) -> ClientFields {
        self.set(field, value);
        self
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<String>) {
        self.0.insert(field.to_owned(), value.into());
    }

    /// The value of a field, if it is to be set.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Every field with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(field, value)| (field.as_str(), value.as_str()))
    }

    /// The roles that are to be allowed, when that is to be set.
    pub(super) fn roles(&self) -> Option<Vec<String>> {
        let mut roles: Vec<String> = Vec::new();
        for role in self.get(ALLOWED_ROLES)?.split([',', '\n']).map(str::trim) {
            if !role.is_empty() && !roles.iter().any(|one| one == role) {
                roles.push(role.to_owned());
            }
        }
        Some(roles)
    }
}

impl<F: Into<String>, V: Into<String>> FromIterator<(F, V)> for ClientFields {
    fn from_iter<I: IntoIterator<Item = (F, V)>>(fields: I) -> ClientFields {
        let pairs = fields
            .into_iter()
            .map(|(field, value)| (field.into(), value.into()));
        ClientFields(pairs.collect())
    }
}

/// The values of one row by column.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    values: BTreeMap<String, Value>,
}

impl Record {
    /// A new record with the defaults of its DocType.
    pub(super) fn with_defaults(doctype: &DocType) -> Record {
        let mut record = Record::default();
        for field in doctype.value_fields() {
            let default = field.literal_default().unwrap_or_default();
            let value = match field.fieldtype.is_numeric() {
                true => Value::Int(default.parse().unwrap_or_default()),
                false if default.is_empty() => Value::Null,
                false => Value::from(default),
            };
            record.values.insert(field.fieldname.clone(), value);
        }
        record
    }

    pub(super) fn from_row(row: &Row) -> Record {
        let columns = row.columns().iter().cloned();
        Record {
            values: columns.zip(row.values().iter().cloned()).collect(),
        }
    }

    /// What stands there; `None` also for a field that was never set.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.values
            .get(field)
            .filter(|value| **value != Value::Null)
    }

    /// A text; `None` when it is empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        match self.values.get(field) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A whole number; 0 when there is none.
    pub(super) fn int(&self, field: &str) -> i64 {
        match self.values.get(field) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.int(field) != 0
    }

    pub(super) fn datetime(&self, field: &str) -> Option<i64> {
        match self.values.get(field) {
            Some(Value::DateTime(micros)) => Some(*micros),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, field: &str, value: impl Into<Value>) {
        self.values.insert(field.to_owned(), value.into());
    }

    /// The columns of the DocType's fields, for a statement.
    pub(super) fn columns<'a>(&self, doctype: &'a DocType) -> Vec<(&'a str, Value)> {
        let value = |name: &str| self.values.get(name).cloned().unwrap_or(Value::Null);
        doctype
            .value_fields()
            .filter(|field| field.fieldname != "last_used")
            .map(|field| (field.fieldname.as_str(), value(&field.fieldname)))
            .collect()
    }

    /// Takes over the wanted values, each checked against its field.
    ///
    /// # Errors
    /// [`Failure::Validation`], naming the field.
    pub(super) fn apply(
        &mut self,
        doctype: &DocType,
        wanted: &ClientFields,
    ) -> Result<(), Failure> {
        for (name, text) in wanted.iter().filter(|(name, _)| *name != ALLOWED_ROLES) {
            let field = doctype
                .value_fields()
                .find(|field| field.fieldname == name && !field.read_only);
            let field = field.ok_or_else(|| fault(name, "is no field that can be set"))?;
            self.put(name, parse(field, text)?);
        }
        Ok(())
    }
}

/// A [`Failure::Validation`] about a field.
pub(super) fn fault(field: &str, reason: &str) -> Failure {
    Failure::Validation(format!("{field} {reason}."))
}

fn parse(field: &Field, text: &str) -> Result<Value, Failure> {
    let name = field.fieldname.as_str();
    let text = text.trim();
    match field.fieldtype {
        FieldType::Check => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(Value::Int(1)),
            "" | "0" | "false" | "no" | "off" => Ok(Value::Int(0)),
            _ => Err(fault(name, "is a switch: 1 or 0")),
        },
        kind if kind.is_numeric() => {
            let number = if text.is_empty() {
                Ok(0)
            } else {
                text.parse::<i64>()
            };
            number
                .map(Value::Int)
                .map_err(|_| fault(name, "is a whole number"))
        }
        FieldType::Select if !field.choices().any(|choice| choice == text) => {
            let choices: Vec<&str> = field.choices().filter(|one| !one.is_empty()).collect();
            Err(fault(name, &format!("is one of: {}", choices.join(", "))))
        }
        _ => parse_text(field, text),
    }
}

fn parse_text(field: &Field, text: &str) -> Result<Value, Failure> {
    let name = field.fieldname.as_str();
    let one_line = matches!(
        field.fieldtype,
        FieldType::Data | FieldType::Link | FieldType::Select
    );
    let break_allowed = |c: char| !one_line && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !break_allowed(c)) {
        return Err(fault(name, "contains control characters"));
    }
    // In characters; a column of type text holds bytes, and never more than these.
    let limit = usize::try_from(field.limit().unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    if text.chars().count() > limit || text.len() > limit.saturating_mul(4).min(TEXT_LIMIT) {
        return Err(fault(name, "is too long"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()).into())
}

/// The longest text of any field, in bytes.
const TEXT_LIMIT: usize = 20_000;
