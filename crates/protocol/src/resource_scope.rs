//! Scopes on resources: what of the site's data and methods a scope opens.
//!
//! `all` is everything the user may do; `<doctype>:read`, `:write`, `:create`, `:delete` and
//! `:*` open one DocType, its name in snake case; `method:<dotted.path>` one method.
// spec: http.md, Resource server, "Scopes on resources"

use std::collections::{BTreeMap, BTreeSet};

use crate::scope::Scope;

/// What a scope may let somebody do with documents of a DocType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// See them.
    Read,
    /// Change them.
    Write,
    /// Make them.
    Create,
    /// Remove them.
    Delete,
}

/// What a scope opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceScopes {
    /// Everything.
    pub all: bool,
    /// Verbs by the DocType's name in snake case.
    pub doctypes: BTreeMap<String, BTreeSet<Verb>>,
    /// Methods by their dotted path.
    pub methods: BTreeSet<String>,
}

impl ResourceScopes {
    /// What the scope opens; scopes of other kinds open nothing here.
    pub fn of(_scope: &Scope) -> ResourceScopes {
        ResourceScopes::default()
    }

    /// Whether the method is named, or everything is.
    pub fn admits_method(&self, method: &str) -> bool {
        self.all || self.methods.contains(method)
    }
}
