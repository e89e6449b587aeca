//! Who may do what with which documents: roles, levels, owners, User Permissions, and how far
//! the credential of a request reaches.
//!
//! A [`Grant`] says what an [`Actor`] may do with the documents of one DocType. Its [`RowRule`]
//! becomes a condition of the query for lists, and is asked directly for single documents, so
//! that both admit the same rows.

mod child;
pub(crate) mod custom;
mod grant;
mod rows;
mod user_permission;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use child::parent_of;
pub use grant::{Grant, grant, require};
pub use rows::RowRule;
pub use user_permission::{Allowed, UserPermissions, load, restrictions};

/// The statements of this module, for the test that prepares each on every database.
pub static ALL: &[&[&crema_store::Sql]] = &[user_permission::ALL, custom::ALL];

/// What is done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See it.
    Read,
    /// Change it.
    Write,
    /// Make it.
    Create,
    /// Remove it.
    Delete,
}

impl Action {
    /// Frappe's word for it, which is also that of a scope.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::Create => "create",
            Action::Delete => "delete",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Name of the User; `Guest` when nobody is signed in.
    pub user: String,
    /// The roles that count, implied ones such as `All` included.
    pub roles: BTreeSet<String>,
    /// May do everything, as Administrator may.
    pub administrator: bool,
    /// To which documents links are restricted for this user.
    pub user_permissions: Arc<UserPermissions>,
    /// How far the credential of the request reaches. Roles count on top.
    pub reach: Reach,
}

impl Actor {
    /// Whether nobody is signed in.
    pub fn is_guest(&self) -> bool {
        self.user == "Guest"
    }

    /// Whether a permission for this role is for the actor. A guest has one role, whatever is
    /// stored, and the role Administrator comes with being the user of that name only.
    pub fn holds(&self, role: &str) -> bool {
        match role {
            "Administrator" => self.administrator,
            "Guest" if self.is_guest() => true,
            _ => !self.is_guest() && self.roles.contains(role),
        }
    }
}

/// What a credential opens, whoever presents it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything that the user may do.
    Everything,
    /// Some actions on some DocTypes, these by their name in snake case (`crm_task`).
    Some(BTreeMap<String, BTreeSet<Action>>),
}

impl Reach {
    /// Whether the action on documents of this DocType is within reach.
    pub fn covers(&self, doctype: &str, action: Action) -> bool {
        match self {
            Reach::Everything => true,
            Reach::Some(actions) => actions
                .get(&crate::names::snake_case(doctype))
                .is_some_and(|actions| actions.contains(&action)),
        }
    }
}
