//! CRM Task in the words of the mobile API: its arguments, and how a task is shown.

use crema_auth::app_code::{MethodCall, MethodError};
use crema_document::{DocumentError, Reason, Refusal};
use serde_json::{Map, Value as Json};

/// The DocType.
pub(crate) const DOCTYPE: &str = "CRM Task";
/// Its name in scopes.
pub(crate) const SCOPE: &str = "crm_task";

/// How far a task can be.
pub(crate) const STATUSES: &[&str] = &["Open", "In Progress", "Completed", "Cancelled"];
/// How urgent it can be, the most urgent first.
pub(crate) const PRIORITIES: &[&str] = &["High", "Medium", "Low"];

/// The fields that callers set.
pub(crate) const FIELDS: &[&str] = &[
    "title",
    "status",
    "priority",
    "start_date",
    "due_date",
    "description",
    "assigned_to",
    "task_type",
];
/// The same with the task that is meant.
pub(crate) const EDITED: &[&str] = &[
    "task_id",
    "title",
    "status",
    "priority",
    "start_date",
    "due_date",
    "description",
    "assigned_to",
    "task_type",
];

/// What is read of each task.
pub(crate) const SHOWN: &[&str] = &[
    "name",
    "title",
    "status",
    "priority",
    "start_date",
    "modified",
    "due_date",
    "assigned_to",
];

/// The most rows that one call gives.
const MOST: u64 = 1000;

/// 400 `ValidationError`.
pub(crate) fn bad(message: impl Into<String>) -> MethodError {
    Refusal::new(Reason::Malformed, message).into()
}

/// What the documents say, with 400 where REST says 417.
// spec: crm.md, "their own reference says 400 where REST says 417"
pub(crate) fn strict(error: DocumentError) -> MethodError {
    let DocumentError::Refused(mut refusal) = error else {
        return error.into();
    };
    let is_bad_value = matches!(
        refusal.reason,
        Reason::Validation
            | Reason::Mandatory
            | Reason::Link
            | Reason::Unique
            | Reason::TooLong
            | Reason::Constant
            | Reason::LinkExists
    );
    if is_bad_value {
        refusal.reason = Reason::Malformed;
    }
    refusal.into()
}

/// An argument; null and an empty text count as absent.
fn argument<'a>(call: &MethodCall<'a>, name: &str) -> Option<&'a Json> {
    let value = call.arguments.get(name)?;
    let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    (!is_empty).then_some(value)
}

/// A text, or a number as its text.
pub(crate) fn text(call: &MethodCall<'_>, name: &str) -> Result<Option<String>, MethodError> {
    match argument(call, name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Json::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(bad(format!("{name} has to be a text"))),
    }
}

/// A whole number within bounds.
fn number(
    call: &MethodCall<'_>,
    name: &str,
    default: u64,
    within: std::ops::RangeInclusive<u64>,
) -> Result<u64, MethodError> {
    let number = match text(call, name)? {
        None => return Ok(default),
        Some(text) => text.parse().ok(),
    };
    number
        .filter(|number| within.contains(number))
        .ok_or_else(|| {
            let (first, last) = (within.start(), within.end());
            bad(format!(
                "{name} has to be a whole number from {first} to {last}"
            ))
        })
}

/// How many rows are wanted.
pub(crate) fn limit(call: &MethodCall<'_>, name: &str, default: u64) -> Result<u64, MethodError> {
    number(call, name, default, 1..=MOST)
}

/// How many rows are left out.
pub(crate) fn offset(call: &MethodCall<'_>) -> Result<u64, MethodError> {
    number(call, "offset", 0, 0..=u64::from(u32::MAX))
}

/// The name of the task that is meant.
pub(crate) fn id(call: &MethodCall<'_>) -> Result<String, MethodError> {
    let Some(text) = text(call, "task_id")? else {
        return Err(bad("The argument task_id is missing"));
    };
    let number = text.parse::<u32>().map(i64::from);
    let number = number.map_err(|_| bad("task_id has to be the number of a task"))?;
    Ok(number.to_string())
}

/// One of these values.
fn choice(name: &str, value: &str, allowed: &[&str]) -> Result<(), MethodError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let value: String = value.chars().take(140).collect();
    let allowed: Vec<String> = allowed.iter().map(|one| format!("\"{one}\"")).collect();
    Err(bad(format!(
        "{name} cannot be \"{value}\". It should be one of {}",
        allowed.join(", ")
    )))
}

/// Several of these values, with commas between them; none when nothing is said.
pub(crate) fn choices(
    call: &MethodCall<'_>,
    name: &str,
    allowed: &[&str],
) -> Result<Vec<String>, MethodError> {
    let given = text(call, name)?.unwrap_or_default();
    let given = given.split(',').map(str::trim);
    let given: Vec<String> = given
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect();
    for one in &given {
        choice(name, one, allowed)?;
    }
    Ok(given)
}

/// The fields that a call sets. Empty ones are left out of a new task, and emptied in an old one.
pub(crate) fn fields(
    call: &MethodCall<'_>,
    is_new: bool,
) -> Result<Map<String, Json>, MethodError> {
    let mut fields = Map::new();
    for name in FIELDS {
        let Some(value) = call.arguments.get(*name) else {
            continue;
        };
        if matches!(value, Json::Array(_) | Json::Object(_)) {
            return Err(bad(format!("{name} has to be a text")));
        }
        let given = argument(call, name);
        if given.is_none() && is_new {
            continue;
        }
        let allowed = match *name {
            "status" => STATUSES,
            "priority" => PRIORITIES,
            _ => &[],
        };
        if !allowed.is_empty() {
            let value = given.and_then(Json::as_str).unwrap_or_default();
            choice(name, value, allowed)?;
        }
        fields.insert((*name).to_owned(), given.cloned().unwrap_or_default());
    }
    Ok(fields)
}

/// A task as the mobile app reads it. Moments are on the site's clock, without fractions.
// spec: crm.md, "Task object"
pub(crate) fn shown(mut values: Map<String, Json>, with_description: bool) -> Json {
    let mut task = Map::new();
    let number = match values.get("name") {
        Some(Json::String(text)) => text.parse().map_or(Json::Null, |name: i64| name.into()),
        Some(number) => number.clone(),
        None => Json::Null,
    };
    task.insert("name".to_owned(), number);
    for name in ["title", "status", "priority", "start_date"] {
        task.insert(name.to_owned(), values.remove(name).unwrap_or_default());
    }
    for name in ["modified", "due_date"] {
        let moment = values.get(name).and_then(Json::as_str);
        if let Some(seconds) = moment.map(|moment| moment.get(..19).unwrap_or(moment)) {
            task.insert(name.to_owned(), seconds.into());
        }
    }
    if let Some(user @ Json::String(_)) = values.remove("assigned_to") {
        task.insert("assigned_to".to_owned(), user);
    }
    if with_description {
        let description = values.remove("description").unwrap_or_default();
        task.insert("description".to_owned(), description);
    }
    Json::Object(task)
}
