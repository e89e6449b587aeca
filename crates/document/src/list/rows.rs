//! From the rows of a database to the rows of an answer.

use crema_store::{Row, Value as Stored};
use serde_json::Value;

use super::ListRow;
use super::kind::Kind;
use super::query::{Expression, Selected};
use super::select::Function;
use crate::documents::value;

/// The rows of an answer.
pub(super) fn of_answer(selected: &[Selected], rows: &[Row]) -> Vec<ListRow> {
    rows.iter().map(|row| one(selected, row)).collect()
}

fn one(selected: &[Selected], row: &Row) -> ListRow {
    let members = selected.iter().zip(row.values());
    members
        .map(|(one, stored)| (one.key.to_string(), shown(&one.expression, stored)))
        .collect()
}

/// What an answer shows of a value.
fn shown(expression: &Expression, stored: &Stored) -> Value {
    match expression {
        Expression::Column(column) => match column.field.field() {
            Some(field) if column.nullable || *stored != Stored::Null => {
                // A document that is not there has no numbers either.
                if *stored == Stored::Null {
                    return Value::Null;
                }
                value::to_json(field, stored)
            }
            _ => Value::Null,
        },
        Expression::Rows => whole(stored),
        Expression::Over {
            function, column, ..
        } => match (function, column.kind) {
            (_, _) if *stored == Stored::Null => Value::Null,
            (Function::Count, _) => whole(stored),
            (Function::Avg, _) => real(stored),
            (Function::Sum, Kind::Whole { .. }) => whole(stored),
            (Function::Sum, _) => real(stored),
            (Function::Min | Function::Max, _) => column
                .field
                .field()
                .map_or(Value::Null, |field| value::to_json(field, stored)),
        },
    }
}

/// Sums of whole numbers are decimals on some databases.
fn whole(stored: &Stored) -> Value {
    match stored {
        Stored::Int(int) => Value::from(*int),
        Stored::Real(real) if real.fract() == 0.0 && real.abs() < 9_007_199_254_740_992.0 => {
            Value::from(*real as i64)
        }
        other => real(other),
    }
}

fn real(stored: &Stored) -> Value {
    match stored {
        Stored::Int(int) => Value::from(*int as f64),
        Stored::Real(real) => Value::from(*real),
        _ => Value::Null,
    }
}
