//! Which configuration values are secrets, and a view without them.

use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub const REDACTED: &str = "********";

/// A copy of a configuration in which no secret can be read. A key that is null or empty is
/// shown as it is: that a secret is missing is no secret.
pub fn redacted(keys: &Map<String, Value>) -> Map<String, Value> {
    keys.iter()
        .map(|(key, value)| (key.clone(), shown(key, value)))
        .collect()
}

fn shown(key: &str, value: &Value) -> Value {
    if key.ends_with("_login") {
        return hidden(value);
    }
    if is_secret(key) {
        return match value {
            Value::Null => Value::Null,
            Value::String(text) if text.is_empty() => Value::String(String::new()),
            _ => Value::String(REDACTED.to_owned()),
        };
    }
    match value {
        Value::Object(inner) => Value::Object(redacted(inner)),
        Value::Array(items) => Value::Array(items.iter().map(|item| shown(key, item)).collect()),
        Value::String(text) => Value::String(without_userinfo(text)),
        other => other.clone(),
    }
}

/// Every text and number within a value hidden, its shape kept.
fn hidden(value: &Value) -> Value {
    match value {
        Value::Object(inner) => Value::Object(
            inner
                .iter()
                .map(|(key, value)| (key.clone(), hidden(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(hidden).collect()),
        Value::Null | Value::Bool(_) => value.clone(),
        _ => Value::String(REDACTED.to_owned()),
    }
}

fn is_secret(key: &str) -> bool {
    const ENDINGS: &[&str] = &["password", "secret", "key", "token", "passphrase", "pwd"];
    let key = key.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| {
        key.strip_suffix(ending)
            .is_some_and(|before| before.is_empty() || before.ends_with(['_', '-']))
    })
}

/// `scheme://user:password@host` without what stands before the `@`.
fn without_userinfo(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://") {
        let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if let Some((before, after)) = rest.split_at_checked(authority)
            && let Some((_, host)) = before.rsplit_once('@')
        {
            return format!("{scheme}://{REDACTED}@{host}{after}");
        }
    }
    text.to_owned()
}
