//! Conditions on columns: filters that have been looked up.

use super::filter::{Comparison, Filter};
use super::scope::{Column, Join, Scope};
use super::test::{OfValue, Test};
use crate::refusal::Refusal;

/// A condition on the columns of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// A test of a column.
    Column(Column, Test),
    /// There is a child row for which all tests hold; without any row, whether they would hold
    /// for one without values.
    Child {
        /// The number of the child table.
        source: usize,
        tests: Vec<(Column, Test)>,
    },
}

impl Condition {
    /// Whether it holds for a child row that is not there.
    pub(super) fn of_nothing(tests: &[(Column, Test)]) -> bool {
        tests.iter().all(|(_, test)| test.of_nothing)
    }

    /// Whether nothing keeps it from holding.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Condition::All(all) => all.iter().all(Condition::is_open),
            Condition::Any(_) | Condition::Child { .. } => false,
            Condition::Column(_, test) => test.of_value == OfValue::Any && test.of_nothing,
        }
    }
}

/// Looks the fields of a filter up.
///
/// Conditions on the same child table that stand side by side and all have to hold are about
/// one and the same row.
///
/// # Errors
/// For a field that is not there or not to be seen, and a value that does not fit.
pub(super) fn look_up(scope: &mut Scope<'_>, filter: &Filter) -> Result<Condition, Refusal> {
    match filter {
        Filter::All(filters) => {
            let mut all = Vec::with_capacity(filters.len());
            for filter in filters {
                let condition = look_up(scope, filter)?;
                join_row(&mut all, condition);
            }
            Ok(Condition::All(all))
        }
        Filter::Any(filters) => {
            let any = filters.iter().map(|filter| look_up(scope, filter));
            any.collect::<Result<_, _>>().map(Condition::Any)
        }
        Filter::Field(comparison) => test(scope, comparison),
    }
}

fn test(scope: &mut Scope<'_>, comparison: &Comparison) -> Result<Condition, Refusal> {
    let column = scope.column_to_test(&comparison.path)?;
    let Some(field) = column.field.field() else {
        return Ok(Condition::Any(Vec::new()));
    };
    let test = Test::of(field, column.kind, comparison.operator, &comparison.operand)?;
    let source = column.source;
    let only_exists = scope.sources.get(source).is_some_and(|source| {
        matches!(
            source.join,
            Join::Child {
                only_exists: true,
                ..
            }
        )
    });
    Ok(if only_exists {
        Condition::Child {
            source,
            tests: vec![(column, test)],
        }
    } else {
        Condition::Column(column, test)
    })
}

/// Adds a condition to those that all have to hold.
fn join_row(all: &mut Vec<Condition>, condition: Condition) {
    if let Condition::Child { source, tests } = &condition {
        for known in all.iter_mut() {
            if let Condition::Child {
                source: same,
                tests: joined,
            } = known
                && same == source
            {
                joined.extend(tests.iter().cloned());
                return;
            }
        }
    }
    all.push(condition);
}
