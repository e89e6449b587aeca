//! Comparisons in the terms of a column: what a request says about a field becomes a test that
//! every database answers in the same way.
//!
//! An empty text is the same as none, for every operator. Numbers count as 0 when there are
//! none. A date that is not there is equal to nothing given, differs from every date, and is
//! never before, after or between others.

use std::cmp::Ordering;

use crema_store::{Dialect, Value as Stored};
use serde_json::Value;

use super::filter::Operator;
use super::kind::{self, Kind, Number};
use crate::doctype::Field;
use crate::documents::value::label;
use crate::refusal::{Reason, Refusal};

/// How long a pattern may be.
const LONGEST_PATTERN: usize = 1000;

/// A test of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    /// What a value has to be like.
    pub(super) of_value: OfValue,
    /// Whether it is passed where there is no value.
    pub(super) of_nothing: bool,
}

/// What a value has to be like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OfValue {
    /// As it likes.
    Any,
    /// There is none.
    No,
    /// In this relation to another.
    Is(Relation, Stored),
    /// Within these, both included.
    Within(Stored, Stored),
    /// One of these, which are not none.
    OneOf(Vec<Stored>),
    /// None of these, which are not none.
    NoneOf(Vec<Stored>),
    /// Like this pattern, for [`Dialect::like`].
    Like(String),
    /// Not like it.
    Unlike(String),
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Relation {
    fn of(operator: Operator) -> Option<Relation> {
        Some(match operator {
            Operator::Equal => Relation::Equal,
            Operator::NotEqual => Relation::NotEqual,
            Operator::Greater => Relation::Greater,
            Operator::Less => Relation::Less,
            Operator::GreaterOrEqual => Relation::GreaterOrEqual,
            Operator::LessOrEqual => Relation::LessOrEqual,
            _ => return None,
        })
    }

    /// In SQL.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Relation::Equal => "=",
            Relation::NotEqual => "<>",
            Relation::Greater => ">",
            Relation::Less => "<",
            Relation::GreaterOrEqual => ">=",
            Relation::LessOrEqual => "<=",
        }
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::Greater => ordering.is_gt(),
            Relation::Less => ordering.is_lt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::LessOrEqual => ordering.is_le(),
        }
    }
}

impl Test {
    const fn new(of_value: OfValue, of_nothing: bool) -> Test {
        Test {
            of_value,
            of_nothing,
        }
    }

    /// The test that a comparison is.
    ///
    /// # Errors
    /// A value that the field cannot be compared with, or an operator that it does not know.
    pub(super) fn of(
        field: &Field,
        kind: Kind,
        operator: Operator,
        operand: &Value,
    ) -> Result<Test, Refusal> {
        if let Some(relation) = Relation::of(operator) {
            return related(field, kind, relation, operand);
        }
        match operator {
            Operator::Is => set_or_not(field, kind, operand),
            Operator::Like | Operator::NotLike => like(field, kind, operator, operand),
            Operator::In | Operator::NotIn => {
                one_of(field, kind, operator == Operator::NotIn, operand)
            }
            _ => between(field, kind, operand),
        }
    }
}

fn related(
    field: &Field,
    kind: Kind,
    relation: Relation,
    operand: &Value,
) -> Result<Test, Refusal> {
    Ok(match kind {
        Kind::Text => {
            let text = kind::text(field, operand)?;
            let of_nothing = relation.holds("".cmp(text.as_str()));
            Test::new(OfValue::Is(relation, text.into()), of_nothing)
        }
        Kind::Real => {
            let real = kind::number(field, operand)?.as_real();
            let of_nothing = relation.holds(0.0_f64.total_cmp(&(real + 0.0)));
            Test::new(OfValue::Is(relation, real.into()), of_nothing)
        }
        Kind::Whole { least, most } => whole(relation, kind::number(field, operand)?, least, most),
        Kind::Date | Kind::DateTime | Kind::Time => match given_moment(field, kind, operand)? {
            Some(value) => Test::new(OfValue::Is(relation, value), relation == Relation::NotEqual),
            None => match relation {
                Relation::Equal => Test::new(OfValue::No, true),
                Relation::NotEqual => Test::new(OfValue::Any, false),
                _ => Test::new(OfValue::No, false),
            },
        },
    })
}

/// A whole number against one that may have a fraction, or be out of the column's range.
fn whole(relation: Relation, number: Number, least: i64, most: i64) -> Test {
    let of_nothing = match number {
        Number::Whole(int) => relation.holds(0.cmp(&int)),
        Number::Real(real) => relation.holds(0.0_f64.total_cmp(&(real + 0.0))),
    };
    let of_value = match within(number, least, most) {
        Within::Exactly(int) => OfValue::Is(relation, int.into()),
        Within::After(before) => match relation {
            Relation::Equal => OfValue::No,
            Relation::NotEqual => OfValue::Any,
            Relation::Less | Relation::LessOrEqual => {
                OfValue::Is(Relation::LessOrEqual, before.into())
            }
            Relation::Greater | Relation::GreaterOrEqual => {
                OfValue::Is(Relation::Greater, before.into())
            }
        },
        Within::BelowAll => match relation {
            Relation::NotEqual | Relation::Greater | Relation::GreaterOrEqual => OfValue::Any,
            _ => OfValue::No,
        },
        Within::AboveAll => match relation {
            Relation::NotEqual | Relation::Less | Relation::LessOrEqual => OfValue::Any,
            _ => OfValue::No,
        },
    };
    Test::new(of_value, of_nothing)
}

/// Where a number stands among the whole numbers of a column.
enum Within {
    /// It is one.
    Exactly(i64),
    /// Between this one and the next.
    After(i64),
    BelowAll,
    AboveAll,
}

fn within(number: Number, least: i64, most: i64) -> Within {
    // From here on no float is a whole number of 64 bits.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let (int, exact) = match number {
        Number::Whole(int) => (int, true),
        Number::Real(real) if real >= END => return Within::AboveAll,
        Number::Real(real) if real < -END => return Within::BelowAll,
        Number::Real(real) => (real.floor() as i64, real.fract() == 0.0),
    };
    if int < least {
        return Within::BelowAll;
    }
    if int > most || (int == most && !exact) {
        return Within::AboveAll;
    }
    if exact {
        Within::Exactly(int)
    } else {
        Within::After(int)
    }
}

/// A date, date and time, or time as it is stored; `None` when nothing is given.
fn given_moment(field: &Field, kind: Kind, operand: &Value) -> Result<Option<Stored>, Refusal> {
    Ok(match kind {
        Kind::Time => kind::time(field, operand)?.map(Stored::from),
        Kind::Date => kind::moment(field, operand)?.map(|at| kind::date_of(at.micros).into()),
        _ => kind::moment(field, operand)?.map(|at| Stored::DateTime(at.micros)),
    })
}

fn set_or_not(field: &Field, kind: Kind, operand: &Value) -> Result<Test, Refusal> {
    let word = operand.as_str().unwrap_or_default();
    let words: Vec<&str> = word.split_whitespace().collect();
    let set = match words.join(" ").to_ascii_lowercase().as_str() {
        "set" => true,
        "not set" => false,
        _ => {
            let message = format!("{}: is needs \"set\" or \"not set\"", label(field));
            return Err(Refusal::new(Reason::Malformed, message));
        }
    };
    let relation = if set {
        Relation::NotEqual
    } else {
        Relation::Equal
    };
    related(field, kind, relation, &Value::Null)
}

fn like(field: &Field, kind: Kind, operator: Operator, operand: &Value) -> Result<Test, Refusal> {
    if matches!(kind, Kind::Real | Kind::Time) {
        let message = format!(
            "{}: {} is for texts, whole numbers and dates",
            label(field),
            operator.name()
        );
        return Err(Refusal::new(Reason::Validation, message));
    }
    let given = kind::text(field, operand)?;
    if given.chars().count() > LONGEST_PATTERN {
        let message = format!(
            "{}: a pattern has at most {LONGEST_PATTERN} characters",
            label(field)
        );
        return Err(Refusal::new(Reason::Validation, message));
    }
    let pattern = pattern(&given);
    // Nothing is an empty text, where there are texts.
    let empty_matches = kind == Kind::Text && pattern.chars().all(|c| c == '%');
    Ok(if operator == Operator::Like {
        Test::new(OfValue::Like(pattern), empty_matches)
    } else {
        Test::new(OfValue::Unlike(pattern), !empty_matches)
    })
}

/// A pattern as people know it from MariaDB, `%` and `_` with `\` before them when they stand
/// for themselves, as [`Dialect::like`] wants it.
fn pattern(given: &str) -> String {
    let mut pattern = String::with_capacity(given.len());
    let mut characters = given.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next_if(|next| matches!(next, '%' | '_' | '\\')) {
                Some('\\') | None => pattern.push('\\'),
                Some(literal) => {
                    pattern.push('!');
                    pattern.push(literal);
                }
            },
            '!' => pattern.push_str("!!"),
            other => pattern.push(other),
        }
    }
    Dialect::fold(&pattern)
}

fn one_of(field: &Field, kind: Kind, negated: bool, operand: &Value) -> Result<Test, Refusal> {
    let mut values = Vec::new();
    let mut nothing = false;
    for item in operand.as_array().map(Vec::as_slice).unwrap_or_default() {
        // Each of them is like one `=`.
        let test = related(field, kind, Relation::Equal, item)?;
        nothing |= test.of_nothing;
        if let OfValue::Is(_, value) = test.of_value {
            values.push(value);
        }
    }
    Ok(match (negated, values.is_empty()) {
        (false, true) => Test::new(OfValue::No, nothing),
        (false, false) => Test::new(OfValue::OneOf(values), nothing),
        (true, true) => Test::new(OfValue::Any, !nothing),
        (true, false) => Test::new(OfValue::NoneOf(values), !nothing),
    })
}

fn between(field: &Field, kind: Kind, operand: &Value) -> Result<Test, Refusal> {
    let Some([from, to]) = operand.as_array().map(Vec::as_slice) else {
        let message = format!("{}: between needs two values", label(field));
        return Err(Refusal::new(Reason::Malformed, message));
    };
    let never = Test::new(OfValue::No, false);
    Ok(match kind {
        Kind::Text => {
            let (from, to) = (kind::text(field, from)?, kind::text(field, to)?);
            let of_nothing = from.is_empty();
            Test::new(OfValue::Within(from.into(), to.into()), of_nothing)
        }
        Kind::Real => {
            let from = kind::number(field, from)?.as_real();
            let to = kind::number(field, to)?.as_real();
            let of_nothing = from <= 0.0 && 0.0 <= to;
            Test::new(OfValue::Within(from.into(), to.into()), of_nothing)
        }
        Kind::Whole { least, most } => {
            let from = match within(kind::number(field, from)?, least, most) {
                Within::Exactly(int) => int,
                Within::After(before) => before.saturating_add(1),
                Within::BelowAll => least,
                Within::AboveAll => return Ok(never),
            };
            let to = match within(kind::number(field, to)?, least, most) {
                Within::Exactly(int) | Within::After(int) => int,
                Within::AboveAll => most,
                Within::BelowAll => return Ok(never),
            };
            let of_nothing = from <= 0 && 0 <= to;
            Test::new(OfValue::Within(from.into(), to.into()), of_nothing)
        }
        Kind::DateTime => match (kind::moment(field, from)?, kind::moment(field, to)?) {
            (Some(from), Some(to)) => {
                let (from, to) = (from.micros, to.end());
                let span = OfValue::Within(Stored::DateTime(from), Stored::DateTime(to));
                Test::new(span, false)
            }
            _ => never,
        },
        Kind::Date | Kind::Time => {
            let from = given_moment(field, kind, from)?;
            match (from, given_moment(field, kind, to)?) {
                (Some(from), Some(to)) => Test::new(OfValue::Within(from, to), false),
                _ => never,
            }
        }
    })
}
