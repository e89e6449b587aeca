//! What a request selects, groups and orders by, as it is written.

use serde_json::Value;

use super::json;
use super::path::{Path, shown};
use crate::refusal::{Reason, Refusal};

/// At most so many things are selected, and as many are grouped and ordered by.
const MOST: usize = 200;

/// How long an alias may be.
const LONGEST_ALIAS: usize = 64;

/// One thing that is selected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    pub(super) term: Term,
    /// What the member of the answer is called, when the request says so.
    pub(super) alias: Option<String>,
}

/// What is selected or ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// `*`: every field that may be seen.
    Everything,
    /// A field.
    Field(Path),
    /// A function over the rows of a group.
    Aggregate(Function, Argument),
}

/// What a function is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// `*`.
    Rows,
    /// The values of a field.
    Values(Path),
    /// Its different values.
    Distinct(Path),
}

/// The functions over groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl Function {
    fn named(name: &str) -> Option<Function> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "count" => Function::Count,
            "sum" => Function::Sum,
            "avg" => Function::Avg,
            "min" => Function::Min,
            "max" => Function::Max,
            _ => return None,
        })
    }

    /// Its name, in SQL too.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Avg => "avg",
            Function::Min => "min",
            Function::Max => "max",
        }
    }
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) term: Term,
    pub(super) descending: bool,
}

/// Reads `fields`.
pub(super) fn fields(given: Option<&Value>) -> Result<Vec<Selection>, Refusal> {
    let plain = |term| Selection { term, alias: None };
    let given = json::of_argument(given, "fields")?;
    let items = match given.as_ref() {
        Value::Null => return Ok(vec![plain(name())]),
        Value::String(text) => pieces(text).map(Value::from).collect(),
        Value::Array(items) => items.clone(),
        object @ Value::Object(_) => vec![object.clone()],
        _ => return Err(malformed("fields has to be a list of fields")),
    };
    if items.len() > MOST {
        return Err(malformed(format!("more than {MOST} fields")));
    }
    let selections: Vec<Selection> = items.iter().map(selection).collect::<Result<_, _>>()?;
    if selections.is_empty() {
        return Ok(vec![plain(name())]);
    }
    Ok(selections)
}

fn name() -> Term {
    Term::Field(Path {
        place: None,
        field: "name".to_owned(),
    })
}

fn selection(item: &Value) -> Result<Selection, Refusal> {
    match item {
        Value::String(text) => {
            let (text, alias) = with_alias(text)?;
            let term = term(text)?;
            Ok(Selection { term, alias })
        }
        Value::Object(members) => aggregate_of_object(members),
        _ => Err(malformed(
            "every item of fields has to be the name of a field",
        )),
    }
}

/// `{"COUNT": "name", "as": "c"}`.
fn aggregate_of_object(members: &serde_json::Map<String, Value>) -> Result<Selection, Refusal> {
    let mut found: Option<Term> = None;
    let mut alias = None;
    for (name, value) in members {
        let text = value
            .as_str()
            .ok_or_else(|| malformed(format!("{} needs the name of a field", shown(name))))?;
        if name.eq_ignore_ascii_case("as") {
            alias = Some(checked_alias(text)?);
            continue;
        }
        let function = Function::named(name)
            .ok_or_else(|| malformed(format!("{} is not a function of lists", shown(name))))?;
        if found.is_some() {
            return Err(malformed("two functions in one item of fields"));
        }
        found = Some(Term::Aggregate(function, argument(text)?));
    }
    let term = found.ok_or_else(|| malformed("an item of fields without a function"))?;
    Ok(Selection { term, alias })
}

/// `field as alias`.
fn with_alias(text: &str) -> Result<(&str, Option<String>), Refusal> {
    let text = text.trim();
    // Bytes that are ASCII are never part of another character.
    let at = text
        .as_bytes()
        .windows(4)
        .rposition(|four| four.eq_ignore_ascii_case(b" as "));
    let Some((field, rest)) = at.and_then(|at| text.split_at_checked(at)) else {
        return Ok((text, None));
    };
    let alias = rest.get(4..).unwrap_or_default().trim();
    let alias = alias.trim_matches(['`', '"', '\'']);
    Ok((field.trim(), Some(checked_alias(alias)?)))
}

/// An alias never becomes SQL, but it is a member of the answer.
fn checked_alias(alias: &str) -> Result<String, Refusal> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-' | '.' | '(' | ')');
    if alias.is_empty() || alias.chars().count() > LONGEST_ALIAS || !alias.chars().all(plain) {
        return Err(malformed(format!("{} is not an alias", shown(alias))));
    }
    Ok(alias.to_owned())
}

/// `*`, `field`, `count(field)`.
fn term(text: &str) -> Result<Term, Refusal> {
    let text = text.trim();
    if text == "*" {
        return Ok(Term::Everything);
    }
    if let Some(inside) = text.strip_suffix(')')
        && let Some((function, inside)) = inside.split_once('(')
    {
        let function = Function::named(function)
            .ok_or_else(|| malformed(format!("{} is not a function of lists", shown(function))))?;
        return Ok(Term::Aggregate(function, argument(inside)?));
    }
    Path::parse(text).map(Term::Field)
}

fn argument(text: &str) -> Result<Argument, Refusal> {
    let text = text.trim();
    if text == "*" {
        return Ok(Argument::Rows);
    }
    let word = text.get(..9).unwrap_or_default();
    if word.eq_ignore_ascii_case("distinct ") {
        let field = text.get(9..).unwrap_or_default();
        return Path::parse(field).map(Argument::Distinct);
    }
    Path::parse(text).map(Argument::Values)
}

/// Reads `order_by`.
pub(super) fn order(text: Option<&str>) -> Result<Vec<Key>, Refusal> {
    let keys: Vec<Key> = pieces(text.unwrap_or_default())
        .map(key)
        .collect::<Result<_, _>>()?;
    if keys.len() > MOST {
        return Err(malformed(format!("more than {MOST} fields in order_by")));
    }
    Ok(keys)
}

fn key(text: &str) -> Result<Key, Refusal> {
    let (field, descending) = match text.rsplit_once(char::is_whitespace) {
        Some((field, word)) if word.eq_ignore_ascii_case("asc") => (field, false),
        Some((field, word)) if word.eq_ignore_ascii_case("desc") => (field, true),
        _ => (text, false),
    };
    match term(field)? {
        Term::Everything => Err(malformed("a list cannot be ordered by *")),
        term => Ok(Key { term, descending }),
    }
}

/// Reads `group_by`.
pub(super) fn group(text: Option<&str>) -> Result<Vec<Path>, Refusal> {
    let paths: Vec<Path> = pieces(text.unwrap_or_default())
        .map(Path::parse)
        .collect::<Result<_, _>>()?;
    if paths.len() > MOST {
        return Err(malformed(format!("more than {MOST} fields in group_by")));
    }
    Ok(paths)
}

/// What commas separate. Nothing that has a comma inside has a meaning here.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Malformed, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(given: Value) -> Selection {
        let mut all = fields(Some(&given)).unwrap();
        assert_eq!(all.len(), 1, "{given}");
        all.remove(0)
    }

    #[test]
    fn fields_in_every_form() {
        assert_eq!(fields(None).unwrap(), fields(Some(&json!("[]"))).unwrap());
        for given in [json!("*"), json!("\"*\""), json!("[\"*\"]"), json!(["*"])] {
            assert_eq!(one(given).term, Term::Everything);
        }
        let two = fields(Some(&json!("name, status"))).unwrap();
        assert_eq!(two, fields(Some(&json!("[\"name\", \"status\"]"))).unwrap());
        assert_eq!(two.len(), 2);
        let aliased = one(json!("[\"items.qty AS `how many`\"]"));
        assert_eq!(aliased.alias.as_deref(), Some("how many"));
    }

    #[test]
    fn functions() {
        let counted = Term::Aggregate(Function::Count, Argument::Values(Path::own("name")));
        for given in [
            json!("count(name) as c"),
            json!(["COUNT(`name`) as c"]),
            json!([{"COUNT": "name", "as": "c"}]),
        ] {
            let found = one(given);
            assert_eq!(found.term, counted);
            assert_eq!(found.alias.as_deref(), Some("c"));
        }
        let rows = one(json!("count(*)"));
        assert_eq!(rows.term, Term::Aggregate(Function::Count, Argument::Rows));
        let distinct = Argument::Distinct(Path::own("status"));
        let term = one(json!(["count(distinct status)"])).term;
        assert_eq!(term, Term::Aggregate(Function::Count, distinct));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for given in [
            json!(5),
            json!([5]),
            json!([["name"]]),
            json!("["),
            json!("sleep(1)"),
            json!("count(name"),
            json!("(select 1)"),
            json!("name; drop table x"),
            json!("name as a'b"),
            json!({"COUNT": 1}),
            json!({"as": "x"}),
            json!({"SLEEP": "name"}),
            json!("name as "),
        ] {
            assert!(fields(Some(&given)).is_err(), "{given}");
        }
    }

    #[test]
    fn orders_and_groups() {
        let keys = order(Some("`tabToDo`.`modified` DESC, name,  idx asc")).unwrap();
        let descending: Vec<bool> = keys.iter().map(|key| key.descending).collect();
        assert_eq!(descending, [true, false, false]);
        assert_eq!(order(Some(" ")).unwrap(), []);
        assert_eq!(group(Some("status,priority")).unwrap().len(), 2);
        for text in ["name dsc", "*", "1; --", "field(name, 'a')", "rand()"] {
            assert!(order(Some(text)).is_err(), "{text}");
        }
    }
}
