//! Arguments that are JSON, or text that holds JSON.

use std::borrow::Cow;

use serde_json::Value;

use crate::refusal::{Reason, Refusal};

/// An argument as JSON: text that looks like JSON is parsed, other text stays text. Nothing is
/// null.
pub(super) fn of_argument<'v>(
    given: Option<&'v Value>,
    name: &str,
) -> Result<Cow<'v, Value>, Refusal> {
    let Some(Value::String(text)) = given else {
        return Ok(given.map_or(Cow::Owned(Value::Null), Cow::Borrowed));
    };
    let text = text.trim();
    if text.is_empty() || text == "null" || text == "None" {
        return Ok(Cow::Owned(Value::Null));
    }
    if !text.starts_with(['[', '{', '"']) {
        return Ok(Cow::Owned(Value::from(text)));
    }
    let parsed: Value = match serde_json::from_str(text) {
        Ok(parsed) => parsed,
        // A name in quotes, as `"tabToDo".name`.
        Err(_) if text.starts_with('"') => Value::from(text),
        Err(error) => {
            let message = format!("{name} is not valid JSON: {error}");
            return Err(Refusal::new(Reason::Malformed, message));
        }
    };
    Ok(Cow::Owned(parsed))
}
