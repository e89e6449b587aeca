//! What an actor may do with the documents of a DocType.

use std::collections::BTreeSet;

use super::rows::RowRule;
use super::{Action, Actor};
use crate::doctype::{DocType, Field, MAX_LEVEL, Permission};
use crate::refusal::{Reason, Refusal};

/// What an actor may do with documents of one DocType, for one action.
///
/// Documents that are rows of others have no permissions of their own: whoever asks for them
/// takes the grant of the DocType that they belong to, levels of their fields included, and
/// [`super::restrictions`] on their links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// On which rows. Of a document that is written both the stored and the new state have to
    /// be within them, of a new one the new state.
    pub rows: RowRule,
    /// The permission levels of fields that are within it.
    pub levels: BTreeSet<u32>,
}

impl Grant {
    /// Whether the field is within the grant.
    pub fn covers(&self, field: &Field) -> bool {
        self.levels.contains(&field.permlevel)
    }

    fn nothing() -> Grant {
        Grant {
            rows: RowRule::Nothing,
            levels: BTreeSet::new(),
        }
    }
}

/// What the actor may do, without regard to the credential's reach; rows [`RowRule::Nothing`]
/// when nothing.
///
/// As in Frappe the roles add up: whoever may with one of them may. Level 0 is the document,
/// the others are fields. `if_owner` limits reading, changing and removing to the actor's own
/// documents unless another role needs no ownership; making is not limited. User Permissions
/// apply on top of that.
pub fn grant(doctype: &DocType, actor: &Actor, action: Action) -> Grant {
    if closed(doctype, action) {
        return Grant::nothing();
    }
    if actor.administrator {
        return Grant {
            rows: RowRule::All,
            levels: (0..=MAX_LEVEL).collect(),
        };
    }
    let held: Vec<&Permission> = doctype
        .permissions
        .iter()
        .filter(|permission| actor.holds(&permission.role))
        .collect();
    let base = own_rows(doctype, actor, action, &held);
    if base == RowRule::Nothing {
        return Grant::nothing();
    }
    let levels = levels(action, &held, &base);
    let limits = super::restrictions(doctype, &doctype.name, &actor.user_permissions);
    let reserved = match doctype.administrators_own.as_slice() {
        [] => RowRule::All,
        names => RowRule::NotNamed(names.to_vec()),
    };
    Grant {
        rows: RowRule::every([base, reserved].into_iter().chain(limits)),
        levels,
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
        let message = format!(
            "No permission for {}: no role of {} may {} it",
            doctype.name,
            actor.user,
            action.name()
        );
        return Err(Refusal::new(Reason::Permission, message));
    }
    if !actor.reach.covers(&doctype.name, action) {
        let name = crate::names::snake_case(&doctype.name);
        let scope = format!("{name}:{}", action.name());
        let message = format!("This needs the scope {scope}, which the token does not have");
        return Err(Refusal::new(Reason::Scope(scope), message));
    }
    Ok(grant)
}

/// Records that the system keeps are not made or changed by hand, and removed only where some
/// role may: not even by Administrator, because they are evidence.
fn closed(doctype: &DocType, action: Action) -> bool {
    if !doctype.is_kept() {
        return false;
    }
    match action {
        Action::Read => false,
        Action::Create => doctype.in_create,
        Action::Write => doctype.read_only,
        Action::Delete => !doctype.permissions.iter().any(|held| held.delete),
    }
}

/// The rows that roles at level 0 open.
fn own_rows(doctype: &DocType, actor: &Actor, action: Action, held: &[&Permission]) -> RowRule {
    let mut only_own = false;
    for permission in held.iter().filter(|held| held.permlevel == 0) {
        if !permission.allows(action) {
            continue;
        }
        if !permission.if_owner || action == Action::Create {
            return RowRule::All;
        }
        only_own = true;
    }
    if !only_own || actor.is_guest() {
        // Nobody in particular owns nothing.
        return RowRule::Nothing;
    }
    let owners = doctype.owner_fields.iter().cloned();
    RowRule::Mine {
        columns: std::iter::once("owner".to_owned()).chain(owners).collect(),
        user: actor.user.clone(),
        or_set: doctype
            .public_field
            .clone()
            .filter(|_| action == Action::Read),
    }
}

/// The levels that the roles open, level 0 among them. A new document's fields take the right
/// to change, as in Frappe.
fn levels(action: Action, held: &[&Permission], base: &RowRule) -> BTreeSet<u32> {
    let wanted = match action {
        Action::Create | Action::Write => Action::Write,
        Action::Read | Action::Delete => Action::Read,
    };
    // A level that is for owners only opens nothing on rows of others.
    let all_own = matches!(base, RowRule::Mine { or_set: None, .. });
    let higher = held
        .iter()
        .filter(|permission| permission.permlevel > 0 && permission.allows(wanted))
        .filter(|permission| !permission.if_owner || all_own)
        .map(|permission| u32::from(permission.permlevel));
    std::iter::once(0).chain(higher).collect()
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
