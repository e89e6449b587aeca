//! Lists as one would write them without a database: every row is looked at.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::world::{Thing, World};

/// A filter.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Leaf(Leaf),
}

#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) place: Place,
    pub(crate) field: &'static str,
    pub(crate) kind: Kind,
    pub(crate) operator: &'static str,
    pub(crate) operand: Value,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Own,
    Kind,
    Items,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Whole,
    Real,
    Date,
    DateTime,
    Time,
}

impl Leaf {
    /// As it is written in a request.
    pub(crate) fn path(&self) -> String {
        match self.place {
            Place::Own => self.field.to_owned(),
            Place::Kind => format!("kind.{}", self.field),
            Place::Items => format!("items.{}", self.field),
        }
    }
}

impl Filter {
    /// As an item of a list of conditions.
    pub(crate) fn item(&self) -> Value {
        let (parts, word) = match self {
            Filter::Leaf(leaf) => return json!([leaf.path(), leaf.operator, leaf.operand]),
            Filter::All(parts) => (parts, "and"),
            Filter::Any(parts) => (parts, "or"),
        };
        let mut items = Vec::new();
        for part in parts {
            if !items.is_empty() {
                items.push(json!(word));
            }
            items.push(part.item());
        }
        Value::from(items)
    }
}

/// One row of a join: a thing, its kind, one of its items.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joined<'w> {
    pub(crate) thing: &'w Thing,
    pub(crate) kind: Option<&'w Value>,
    pub(crate) item: Option<&'w Value>,
}

impl Joined<'_> {
    pub(crate) fn value(&self, place: Place, field: &str) -> Value {
        let of = match place {
            Place::Own => Some(&self.thing.values),
            Place::Kind => self.kind,
            Place::Items => self.item,
        };
        of.map_or(Value::Null, |values| values[field].clone())
    }
}

/// The rows that a filter lets through: one for each item, or one for each thing.
pub(crate) fn rows<'w>(world: &'w World, filter: &Filter, with_items: bool) -> Vec<Joined<'w>> {
    let mut found = Vec::new();
    for thing in &world.things {
        let kind = world
            .kinds
            .iter()
            .find(|kind| kind["name"] == thing.values["kind"]);
        let mut items: Vec<Option<&Value>> = thing.items.iter().map(Some).collect();
        if !with_items || items.is_empty() {
            items = vec![None];
        }
        for item in items {
            let joined = Joined { thing, kind, item };
            if passes(filter, &joined, with_items) {
                found.push(joined);
            }
        }
    }
    found
}

fn passes(filter: &Filter, joined: &Joined<'_>, with_items: bool) -> bool {
    let of_item = |part: &Filter| matches!(part, Filter::Leaf(leaf) if leaf.place == Place::Items);
    match filter {
        Filter::Any(parts) => parts.iter().any(|part| passes(part, joined, with_items)),
        Filter::All(parts) if with_items => {
            parts.iter().all(|part| passes(part, joined, with_items))
        }
        Filter::All(parts) => {
            // Those about items are about one and the same.
            let (items, others): (Vec<&Filter>, Vec<&Filter>) =
                parts.iter().partition(|part| of_item(part));
            others.iter().all(|part| passes(part, joined, with_items))
                && (items.is_empty() || some_item(joined.thing, &items))
        }
        Filter::Leaf(leaf) if leaf.place == Place::Items && !with_items => {
            some_item(joined.thing, &[filter])
        }
        Filter::Leaf(leaf) => holds(leaf, &joined.value(leaf.place, leaf.field)),
    }
}

fn some_item(thing: &Thing, filters: &[&Filter]) -> bool {
    let fits = |item: &Value| {
        filters.iter().all(|filter| match filter {
            Filter::Leaf(leaf) => holds(leaf, &item[leaf.field]),
            _ => unreachable!(),
        })
    };
    if thing.items.is_empty() {
        return fits(&json!({}));
    }
    thing.items.iter().any(fits)
}

/// Whether a value passes a comparison.
fn holds(leaf: &Leaf, value: &Value) -> bool {
    let operand = &leaf.operand;
    let list = || -> Vec<Value> {
        match operand {
            Value::Array(items) => items.clone(),
            Value::String(text) => text.split(',').map(|one| json!(one.trim())).collect(),
            single => vec![single.clone()],
        }
    };
    let compared = |other: &Value| compare(leaf.kind, value, other);
    let equal = |other: &Value| compared(other) == Some(Ordering::Equal);
    match leaf.operator {
        "=" => equal(operand),
        "!=" => !equal(operand),
        ">" => before_or_after(leaf.kind, value, operand) == Some(Ordering::Greater),
        "<" => before_or_after(leaf.kind, value, operand) == Some(Ordering::Less),
        ">=" => matches!(
            before_or_after(leaf.kind, value, operand),
            Some(Ordering::Greater | Ordering::Equal)
        ),
        "<=" => matches!(
            before_or_after(leaf.kind, value, operand),
            Some(Ordering::Less | Ordering::Equal)
        ),
        "in" => list().iter().any(equal),
        "not in" => !list().iter().any(equal),
        "is" => equal(&Value::Null) == (operand == "not set"),
        "like" => like(leaf.kind, value, operand),
        "not like" => !like(leaf.kind, value, operand),
        "between" => {
            let ends = list();
            let until = if leaf.kind == Kind::DateTime {
                end_of_day(&ends[1])
            } else {
                ends[1].clone()
            };
            matches!(
                before_or_after(leaf.kind, value, &ends[0]),
                Some(Ordering::Greater | Ordering::Equal)
            ) && matches!(
                before_or_after(leaf.kind, value, &until),
                Some(Ordering::Less | Ordering::Equal)
            )
        }
        other => panic!("{other}"),
    }
}

fn end_of_day(moment: &Value) -> Value {
    match moment.as_str() {
        Some(text) if text.len() == 10 => json!(format!("{text} 23:59:59.999999")),
        _ => moment.clone(),
    }
}

/// As [`compare`], but a date that is not there is neither before nor after, nor at.
fn before_or_after(kind: Kind, value: &Value, other: &Value) -> Option<Ordering> {
    let dated = matches!(kind, Kind::Date | Kind::DateTime | Kind::Time);
    if dated && (moment(kind, value).is_none() || moment(kind, other).is_none()) {
        return None;
    }
    compare(kind, value, other)
}

fn compare(kind: Kind, value: &Value, other: &Value) -> Option<Ordering> {
    match kind {
        Kind::Text => Some(text(value).chars().cmp(text(other).chars())),
        Kind::Whole | Kind::Real => match (whole(value), whole(other)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => real(value).partial_cmp(&real(other)),
        },
        Kind::Date | Kind::DateTime | Kind::Time => {
            Some(moment(kind, value).cmp(&moment(kind, other)))
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Null => Some(0),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

fn real(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap_or(0.0),
    }
}

/// A date or time in its longest form.
fn moment(kind: Kind, value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(match kind {
        Kind::Date => text[..10].to_owned(),
        Kind::DateTime => {
            let full = "0000-00-00 00:00:00.000000";
            format!("{text}{}", &full[text.len()..])
        }
        _ => {
            let full = "00:00:00.000000";
            format!("{text}{}", &full[text.len()..])
        }
    })
}

fn like(kind: Kind, value: &Value, pattern: &Value) -> bool {
    if *value == Value::Null && kind != Kind::Text {
        // Nothing is no text, except where there are texts.
        return false;
    }
    let fold = |text: &str| -> Vec<char> {
        let lower = |c: char| c.to_lowercase().next().unwrap();
        text.chars()
            .map(lower)
            .map(|c| if c == 'ς' { 'σ' } else { c })
            .collect()
    };
    matches(&fold(&text(value)), &fold(&text(pattern)))
}

fn matches(value: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => value.is_empty(),
        ['%', rest @ ..] => (0..=value.len()).any(|from| matches(&value[from..], rest)),
        ['\\', literal @ ('%' | '_' | '\\'), rest @ ..] => {
            value.first() == Some(literal) && matches(&value[1..], rest)
        }
        ['_', rest @ ..] => !value.is_empty() && matches(&value[1..], rest),
        [literal, rest @ ..] => value.first() == Some(literal) && matches(&value[1..], rest),
    }
}

/// The order of two values: what is not there first.
pub(crate) fn order(kind: Kind, a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => compare(kind, a, b).unwrap(),
    }
}
