//! Filters as they are written: conditions on fields, joined by *and* and *or*.

use serde_json::{Map, Value};

use super::json;
use super::path::{Path, shown};
use crate::refusal::{Reason, Refusal};

/// At most so many conditions in a request.
const MOST: usize = 100;

/// At most so many values that `in` compares with, in one request: less than any database takes
/// as parameters of a statement.
const MOST_VALUES: usize = 5000;

/// How deep lists of conditions may be nested.
const DEEPEST: usize = 8;

/// A condition, not yet looked up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// All hold; nothing is always true.
    All(Vec<Filter>),
    /// One holds.
    Any(Vec<Filter>),
    /// A comparison of a field.
    Field(Comparison),
}

/// A field, an operator, and what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    pub(super) path: Path,
    pub(super) operator: Operator,
    pub(super) operand: Value,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Like,
    NotLike,
    In,
    NotIn,
    Is,
    Between,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("like", Operator::Like),
    ("not like", Operator::NotLike),
    ("in", Operator::In),
    ("not in", Operator::NotIn),
    ("is", Operator::Is),
    ("between", Operator::Between),
];

impl Operator {
    /// The operator of that name. Case does not count, nor how many blanks are in it.
    fn named(name: &str) -> Option<Operator> {
        let words: Vec<&str> = name.split_whitespace().collect();
        let name = words.join(" ").to_ascii_lowercase();
        OPERATORS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, operator)| *operator)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        OPERATORS
            .iter()
            .find(|(_, operator)| *operator == self)
            .map_or("", |(name, _)| name)
    }
}

/// Reads `filters` and `or_filters`: all of the first, and one of the second.
pub(super) fn parse(
    filters: Option<&Value>,
    or_filters: Option<&Value>,
) -> Result<Filter, Refusal> {
    let mut reader = Reader::default();
    let mut all = reader.argument(filters, "filters")?;
    let any = reader.argument(or_filters, "or_filters")?;
    if !any.is_empty() {
        all.push(Filter::Any(any));
    }
    Ok(Filter::All(all))
}

/// Counts what it has read.
#[derive(Default)]
struct Reader {
    conditions: usize,
    values: usize,
}

impl Reader {
    fn argument(&mut self, given: Option<&Value>, name: &str) -> Result<Vec<Filter>, Refusal> {
        let given = json::of_argument(given, name)?;
        match given.as_ref() {
            Value::Null => Ok(Vec::new()),
            Value::Object(members) => self.object(members),
            Value::Array(items) => match items.first() {
                // One condition that is not in a list.
                Some(Value::String(_)) => Ok(vec![self.condition(items)?]),
                _ => Ok(match self.list(items, 0)? {
                    Filter::All(all) => all,
                    other => vec![other],
                }),
            },
            _ => Err(malformed(format!(
                "{name} has to be an object, or a list of conditions such as [\"name\", \"=\", \"x\"]"
            ))),
        }
    }

    /// `{"status": "Open", "idx": [">", 5]}`.
    fn object(&mut self, members: &Map<String, Value>) -> Result<Vec<Filter>, Refusal> {
        let mut all = Vec::with_capacity(members.len());
        for (field, value) in members {
            let path = Path::parse(field)?;
            let (operator, operand) = match value {
                Value::Array(pair) => operator_and_operand(field, pair)?,
                value => (Operator::Equal, value),
            };
            all.push(self.comparison(path, operator, operand)?);
        }
        Ok(all)
    }

    /// Conditions that all hold, or conditions with `"and"` or `"or"` between them.
    fn list(&mut self, items: &[Value], depth: usize) -> Result<Filter, Refusal> {
        if depth > DEEPEST {
            return Err(malformed("conditions are nested too deep"));
        }
        let joined = items.get(1).and_then(Value::as_str).is_some();
        if joined {
            return self.joined(items, depth);
        }
        let all = items.iter().map(|item| self.item(item, depth));
        all.collect::<Result<_, _>>().map(Filter::All)
    }

    fn joined(&mut self, items: &[Value], depth: usize) -> Result<Filter, Refusal> {
        let mut word: Option<bool> = None;
        let mut parts = Vec::new();
        for (position, item) in items.iter().enumerate() {
            if position % 2 == 0 {
                parts.push(self.item(item, depth)?);
                continue;
            }
            let is_or = match item.as_str().map(str::to_ascii_lowercase).as_deref() {
                Some("or") => true,
                Some("and") => false,
                _ => return Err(malformed("between conditions stands \"and\" or \"or\"")),
            };
            if word.is_some_and(|before| before != is_or) {
                return Err(malformed(
                    "\"and\" and \"or\" side by side: put one of them into a list of its own",
                ));
            }
            word = Some(is_or);
        }
        if items.len().is_multiple_of(2) {
            return Err(malformed("nothing follows the last \"and\" or \"or\""));
        }
        Ok(match word {
            Some(true) => Filter::Any(parts),
            _ => Filter::All(parts),
        })
    }

    fn item(&mut self, item: &Value, depth: usize) -> Result<Filter, Refusal> {
        match item {
            Value::Object(members) => Ok(Filter::All(self.object(members)?)),
            Value::Array(items) => match items.first() {
                Some(Value::String(_)) => self.condition(items),
                _ => self.list(items, depth + 1),
            },
            _ => Err(malformed(
                "every condition has to be a list such as [\"name\", \"=\", \"x\"]",
            )),
        }
    }

    /// `[field, value]`, `[field, operator, value]`, `[doctype, field, operator, value]`, the
    /// last perhaps with a fifth that only the Desk needs.
    fn condition(&mut self, items: &[Value]) -> Result<Filter, Refusal> {
        let wrong = || {
            malformed(
                "a condition has the form [field, value], [field, operator, value] or \
                 [doctype, field, operator, value]",
            )
        };
        let text = |position: usize| items.get(position).and_then(Value::as_str);
        let operand = |position: usize| items.get(position).unwrap_or(&Value::Null);
        let field = text(0).ok_or_else(wrong)?;
        match items.len() {
            2 => {
                let (operator, operand) = match operand(1) {
                    Value::Array(pair) => operator_and_operand(field, pair)?,
                    value => (Operator::Equal, value),
                };
                self.comparison(Path::parse(field)?, operator, operand)
            }
            3 => {
                let operator = named(text(1).ok_or_else(wrong)?)?;
                self.comparison(Path::parse(field)?, operator, operand(2))
            }
            4 | 5 => {
                let of_doctype = Path::of(field, text(1).ok_or_else(wrong)?);
                let path = match Path::parse(&of_doctype.field)? {
                    // The field may say itself where it is.
                    Path { place: None, field } => Path {
                        field,
                        ..of_doctype
                    },
                    complete => complete,
                };
                let operator = named(text(2).ok_or_else(wrong)?)?;
                self.comparison(path, operator, operand(3))
            }
            _ => Err(wrong()),
        }
    }

    fn comparison(
        &mut self,
        path: Path,
        operator: Operator,
        operand: &Value,
    ) -> Result<Filter, Refusal> {
        self.conditions += 1;
        if self.conditions > MOST {
            return Err(malformed(format!("more than {MOST} conditions")));
        }
        let operand = match operator {
            Operator::In | Operator::NotIn | Operator::Between => listed(operand),
            _ => operand.clone(),
        };
        self.values += operand.as_array().map_or(1, Vec::len);
        if self.values > MOST_VALUES {
            return Err(malformed(format!("more than {MOST_VALUES} values")));
        }
        Ok(Filter::Field(Comparison {
            path,
            operator,
            operand,
        }))
    }
}

/// `["like", "a%"]` as the value of a field.
fn operator_and_operand<'v>(
    field: &str,
    pair: &'v [Value],
) -> Result<(Operator, &'v Value), Refusal> {
    match pair {
        [Value::String(operator), operand] => Ok((named(operator)?, operand)),
        _ => Err(malformed(format!(
            "the value of {} has to be a value, or a list of an operator and a value",
            shown(field)
        ))),
    }
}

fn named(name: &str) -> Result<Operator, Refusal> {
    Operator::named(name).ok_or_else(|| {
        let known: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        malformed(format!(
            "{} is not an operator: there are {}",
            shown(name),
            known.join(", ")
        ))
    })
}

/// Text is split at its commas, another single value is a list of one.
fn listed(operand: &Value) -> Value {
    match operand {
        Value::Array(_) => operand.clone(),
        Value::String(text) => text.split(',').map(|one| Value::from(one.trim())).collect(),
        single => Value::from(vec![single.clone()]),
    }
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Malformed, message)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
