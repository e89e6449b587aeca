//! What a request for a list says.

use serde_json::{Map, Value};

use super::json;
use crate::refusal::{DocumentError, Reason, Refusal};

/// How many rows a request gets that does not say how many.
const PAGE: u64 = 20;

/// At most so many links are expanded.
const MOST_EXPANDED: usize = 10;

/// What a list request asks for, as parsed from its arguments. Nothing of it has been looked up
/// in the DocType yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListRequest {
    /// What to select; `name` when nothing is said. A list of names, `*`, or text with commas.
    pub fields: Option<Value>,
    /// Conditions that all have to hold: an object, or a list of lists.
    pub filters: Option<Value>,
    /// Conditions of which one has to hold.
    pub or_filters: Option<Value>,
    /// `field asc, other desc`; the DocType's own order when absent.
    pub order_by: Option<String>,
    /// `field, other`.
    pub group_by: Option<String>,
    /// How many rows to leave out.
    pub start: u64,
    /// How many rows at most; 0 means all, up to the site's bound.
    pub limit: u64,
    /// For DocTypes of child rows: the DocType of their documents.
    pub parent: Option<String>,
    /// Each row once.
    pub distinct: bool,
    /// Link fields whose documents are put in the place of their names.
    pub expand: Vec<String>,
}

impl ListRequest {
    /// Reads the arguments of a request. Values may be JSON or text that holds JSON, as queries
    /// and forms have it: `fields`, `filters`, `or_filters`, `order_by`, `group_by`,
    /// `limit_start` or `start`, `limit_page_length`, `limit` or `page_length` (20 when absent),
    /// `parent` or `parent_doctype`, `distinct`, `expand`.
    ///
    /// # Errors
    /// [`crate::Reason::Malformed`].
    pub fn from_arguments(arguments: &Map<String, Value>) -> Result<ListRequest, DocumentError> {
        let parsed = |name: &str| -> Result<Option<Value>, Refusal> {
            let value = json::of_argument(arguments.get(name), name)?.into_owned();
            Ok(Some(value).filter(|value| !value.is_null()))
        };
        Ok(ListRequest {
            fields: parsed("fields")?,
            filters: parsed("filters")?,
            or_filters: parsed("or_filters")?,
            order_by: text(arguments, &["order_by"])?,
            group_by: text(arguments, &["group_by"])?,
            start: number(arguments, &["limit_start", "start"])?.unwrap_or(0),
            limit: number(arguments, &["limit_page_length", "limit", "page_length"])?
                .unwrap_or(PAGE),
            parent: text(arguments, &["parent", "parent_doctype"])?,
            distinct: flag(arguments, "distinct")?,
            expand: names(parsed("expand")?)?,
        })
    }
}

/// The first of these arguments that says something.
fn first<'a>(
    arguments: &'a Map<String, Value>,
    names: &[&'static str],
) -> Option<(&'static str, &'a Value)> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !matches!(text.trim(), "" | "null" | "None"),
        _ => true,
    };
    names
        .iter()
        .filter_map(|name| Some((*name, arguments.get(*name)?)))
        .find(|(_, value)| says(value))
}

fn text(arguments: &Map<String, Value>, names: &[&'static str]) -> Result<Option<String>, Refusal> {
    match first(arguments, names) {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.trim().to_owned())),
        Some((name, _)) => Err(malformed(format!("{name} has to be text"))),
    }
}

fn number(arguments: &Map<String, Value>, names: &[&'static str]) -> Result<Option<u64>, Refusal> {
    let Some((name, value)) = first(arguments, names) else {
        return Ok(None);
    };
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(malformed(format!("{name} has to be a whole number from 0"))),
    }
}

fn flag(arguments: &Map<String, Value>, name: &'static str) -> Result<bool, Refusal> {
    let Some((_, value)) = first(arguments, &[name]) else {
        return Ok(false);
    };
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Ok(true),
            "0" | "false" | "no" => Ok(false),
            _ => Err(malformed(format!("{name} has to be 0 or 1"))),
        },
        _ => Err(malformed(format!("{name} has to be 0 or 1"))),
    }
}

fn names(given: Option<Value>) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = match given {
        None => Vec::new(),
        Some(Value::String(text)) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Some(Value::Array(items)) => {
            let name = |item: &Value| item.as_str().map(|name| name.trim().to_owned());
            let names: Option<Vec<String>> = items.iter().map(name).collect();
            names.ok_or_else(|| malformed("expand has to be a list of link fields"))?
        }
        Some(_) => return Err(malformed("expand has to be a list of link fields")),
    };
    if names.len() > MOST_EXPANDED {
        return Err(malformed(format!(
            "more than {MOST_EXPANDED} fields in expand"
        )));
    }
    Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Malformed, message)
}
