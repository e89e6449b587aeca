//! Text: short and long, choices, JSON.

use crema_store::Value;
use serde_json::Value as Json;

use super::refused;
use crate::doctype::Field;
use crate::refusal::{Reason, Refusal};

/// What a field is called in messages.
pub fn label(field: &Field) -> &str {
    match field.label.as_deref() {
        Some(label) if !label.is_empty() => label,
        _ => &field.fieldname,
    }
}

pub(super) fn text(field: &Field, value: &Json) -> Result<Value, Refusal> {
    Ok(match value {
        Json::Null => Value::Null,
        Json::String(text) => stored(field, text)?,
        Json::Number(number) => Value::Text(number.to_string()),
        Json::Bool(flag) => Value::Text(u8::from(*flag).to_string()),
        Json::Array(_) => return Err(refused(field, Reason::Validation, "a list is no value")),
        Json::Object(_) => return Err(refused(field, Reason::Validation, "an object is no value")),
    })
}

/// The value of a Select: blanks around it do not count.
pub(super) fn trimmed(field: &Field, value: &Json) -> Result<Value, Refusal> {
    match value {
        Json::String(given) => stored(field, given.trim()),
        other => text(field, other),
    }
}

/// A JSON field: text that holds JSON, or JSON itself.
pub(super) fn json(field: &Field, value: &Json) -> Result<Value, Refusal> {
    match value {
        Json::Null => Ok(Value::Null),
        Json::String(text) if text.trim().is_empty() => Ok(Value::Null),
        Json::String(text) => {
            if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
                return Err(refused(field, Reason::Validation, "not valid JSON"));
            }
            stored(field, text)
        }
        other => stored(field, &other.to_string()),
    }
}

fn stored(field: &Field, text: &str) -> Result<Value, Refusal> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if text.contains('\0') {
        return Err(refused(field, Reason::Malformed, "U+0000 is not allowed"));
    }
    Ok(Value::from(text))
}

/// Columns count characters where they are short, bytes where they are long: see
/// [`Field::limit`].
pub(super) fn check_length(field: &Field, text: &str) -> Result<(), Refusal> {
    let Some(limit) = field.limit() else {
        return Ok(());
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let short = field
        .column_type()
        .is_some_and(|column| column.starts_with("varchar"));
    let length = if short && text.len() > limit {
        text.chars().count()
    } else {
        text.len()
    };
    if length > limit {
        let unit = if short { "characters" } else { "bytes" };
        let message = format!("too long, at most {limit} {unit} are allowed");
        return Err(refused(field, Reason::TooLong, message));
    }
    Ok(())
}

/// A value of a Select is one of its choices; a Select without choices admits everything.
pub(super) fn check_choice(field: &Field, text: &str) -> Result<(), Refusal> {
    let choices: Vec<&str> = field
        .choices()
        .filter(|choice| !choice.is_empty())
        .collect();
    if choices.is_empty() || choices.contains(&text) {
        return Ok(());
    }
    let listed: Vec<String> = choices
        .iter()
        .map(|choice| format!("\"{choice}\""))
        .collect();
    let message = format!(
        "{} cannot be \"{}\". It should be one of {}",
        label(field),
        super::format::shortened(text),
        listed.join(", ")
    );
    Err(Refusal::new(Reason::Validation, message))
}
