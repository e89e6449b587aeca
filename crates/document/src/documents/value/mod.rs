//! Values of fields between JSON and the database, in Frappe's forms.
//!
//! Checks and whole numbers are JSON numbers, dates and times are text (`YYYY-MM-DD`,
//! `YYYY-MM-DD HH:MM:SS.ffffff`, `HH:MM:SS`), JSON fields are text that holds JSON. Numbers are
//! never null, and an empty text is no text.

mod format;
mod moment;
mod number;
mod text;

use std::sync::LazyLock;

use crema_store::Value;
use serde_json::Value as Json;

use crate::doctype::{Field, FieldType};
use crate::refusal::{Reason, Refusal};

pub use text::label;

/// The value of a field as it is stored: [`convert`], then [`check`].
///
/// # Errors
/// A [`Refusal`] that names the field.
pub fn to_stored(field: &Field, value: &Json) -> Result<Value, Refusal> {
    let stored = convert(field, value)?;
    check(field, &stored)?;
    Ok(stored)
}

/// The value of a field in the type of its column, whatever the rules of the field say about it.
/// Numbers may come as text and booleans, as forms send them. What filters compare with is read
/// by this too.
///
/// # Errors
/// [`Reason::Validation`] for a value of another type, [`Reason::TooLong`] for a number out of
/// range, [`Reason::Malformed`] for a text with U+0000.
pub fn convert(field: &Field, value: &Json) -> Result<Value, Refusal> {
    match field.fieldtype {
        FieldType::Check => number::check(field, value),
        FieldType::Int => number::whole(field, value, i64::from(i32::MIN), i64::from(i32::MAX)),
        FieldType::LongInt => number::whole(field, value, i64::MIN, i64::MAX),
        FieldType::Currency | FieldType::Duration | FieldType::Float | FieldType::Percent => {
            number::real(field, value)
        }
        FieldType::Rating => number::rating(field, value),
        FieldType::Date => moment::date(field, value),
        FieldType::Datetime => moment::datetime(field, value),
        FieldType::Time => moment::time(field, value),
        FieldType::Json => text::json(field, value),
        FieldType::Select => text::trimmed(field, value),
        _ => text::text(field, value),
    }
}

/// Whether a value keeps the rules of its field that need nothing else: the length, the choices
/// of a Select, the form of addresses, URLs, phone numbers and colours.
///
/// # Errors
/// [`Reason::TooLong`], or [`Reason::Validation`].
pub fn check(field: &Field, value: &Value) -> Result<(), Refusal> {
    let Value::Text(text) = value else {
        return Ok(());
    };
    text::check_length(field, text)?;
    match field.fieldtype {
        FieldType::Select => text::check_choice(field, text),
        FieldType::Data => format::check_data(field, text),
        FieldType::Phone => format::check_phone(field, text),
        FieldType::Color => format::check_color(field, text),
        _ => Ok(()),
    }
}

/// What an answer shows of a stored value.
pub fn to_json(field: &Field, value: &Value) -> Json {
    match field.fieldtype {
        FieldType::Check | FieldType::Int | FieldType::LongInt => number::whole_json(value),
        fieldtype if fieldtype.is_numeric() => number::real_json(value),
        FieldType::Date => moment::date_json(value),
        _ => plain_json(value),
    }
}

/// The value of an empty field, as it is shown.
pub fn empty(field: &Field) -> Json {
    to_json(field, &Value::Null)
}

/// Whether a shown value counts as none: null and the empty text. A number is never none.
pub fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(rows) => rows.is_empty(),
        _ => false,
    }
}

/// Whether a shown value counts as true in a condition: as [`is_empty`], and 0 is not.
pub fn is_true(value: &Json) -> bool {
    match value {
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64() != Some(0.0),
        other => !is_empty(other),
    }
}

/// A stored value as text, as rows of a single keep it.
pub fn stored_text(value: &Value) -> Option<String> {
    match plain_json(value) {
        Json::Null => None,
        Json::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// A column that every table has, as if it were a field: `name`, `creation`, `parent`, ….
pub fn standard(column: &str) -> Option<&'static Field> {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let columns = [
            ("name", "Data", "ID"),
            ("owner", "Data", "Created By"),
            ("creation", "Datetime", "Created On"),
            ("modified", "Datetime", "Last Updated On"),
            ("modified_by", "Data", "Last Updated By"),
            ("docstatus", "Int", "Document Status"),
            ("idx", "Int", "Index"),
            ("parent", "Data", "Parent"),
            ("parentfield", "Data", "Parent Field"),
            ("parenttype", "Data", "Parent Document Type"),
            ("_user_tags", "Text", "Tags"),
            ("_comments", "Text", "Comments"),
            ("_assign", "Text", "Assigned To"),
            ("_liked_by", "Text", "Liked By"),
        ];
        let field = |(fieldname, fieldtype, label)| {
            let definition = serde_json::json!({
                "fieldname": fieldname, "fieldtype": fieldtype, "label": label,
            });
            serde_json::from_value(definition).ok()
        };
        columns.into_iter().filter_map(field).collect()
    });
    FIELDS.iter().find(|field| field.fieldname == column)
}

fn plain_json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Bytes(_) => Json::Null,
        Value::Int(int) => Json::from(*int),
        Value::Real(real) => Json::from(*real),
        Value::Text(text) => Json::from(text.as_str()),
        Value::DateTime(_) => moment::datetime_json(value),
    }
}

fn refused(field: &Field, reason: Reason, message: impl std::fmt::Display) -> Refusal {
    Refusal::new(reason, format!("{}: {message}", label(field)))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
