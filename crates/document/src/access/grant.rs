//! What an actor may do with the documents of a DocType.

use std::collections::BTreeSet;

use super::{Action, Actor};
use crate::doctype::{DocType, Field};
use crate::refusal::{Reason, Refusal};

/// What an actor may do with documents of one DocType, for one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// On which rows.
    pub rows: RowRule,
    /// The permission levels of fields that are within it.
    pub levels: BTreeSet<u32>,
}

/// Which rows of a DocType's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRule {
    /// Every row.
    All,
    /// No row.
    Nothing,
    /// Rows where one of these columns holds the user's name, or this Check is set.
    Mine {
        /// `owner`, and the fields that count like it.
        columns: Vec<String>,
        /// Name of the User.
        user: String,
        /// The Check that opens a row to everybody.
        or_set: Option<String>,
    },
    /// Rows whose column holds one of these values.
    OneOf {
        /// The column.
        column: String,
        /// The values.
        values: Vec<String>,
        /// Or nothing.
        or_empty: bool,
    },
    /// Rows that all of these admit.
    Every(Vec<RowRule>),
}

impl RowRule {
    /// Whether it admits a row, of which `text` gives the columns (`None` and empty mean the
    /// same, a Check is `0` or `1`).
    pub fn admits(&self, text: &dyn Fn(&str) -> Option<String>) -> bool {
        let _ = text;
        matches!(self, RowRule::All)
    }
}

impl Grant {
    /// Whether the field is within the grant.
    pub fn covers(&self, field: &Field) -> bool {
        self.levels.contains(&field.permlevel)
    }
}

/// What the actor may do, without regard to the credential's reach; rows [`RowRule::Nothing`]
/// when nothing.
pub fn grant(_doctype: &DocType, _actor: &Actor, _action: Action) -> Grant {
    Grant {
        rows: RowRule::Nothing,
        levels: BTreeSet::new(),
    }
}

/// The grant for an action, or why there is none.
///
/// # Errors
/// [`Reason::Scope`] when the credential does not reach so far, [`Reason::Permission`] when the
/// user has no role that may.
pub fn require(doctype: &DocType, actor: &Actor, action: Action) -> Result<Grant, Refusal> {
    let grant = grant(doctype, actor, action);
    if grant.rows == RowRule::Nothing {
        let message = format!("No permission for {}", doctype.name);
        return Err(Refusal::new(Reason::Permission, message));
    }
    Ok(grant)
}
