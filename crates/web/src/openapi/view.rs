//! What of the site somebody sees, and how its parts are called in the description.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crema_document::access::{self, Action, Actor, Grant};
use crema_document::{DocType, Registry};
use crema_protocol::resource_scope::ResourceScopes;
use serde_json::{Map, Value, json};

/// Who asks for the description, and of what.
pub(super) struct View<'a> {
    /// The site's definitions.
    pub(super) registry: &'a Registry,
    /// Who asks.
    pub(super) actor: &'a Actor,
    /// Nobody is signed in.
    pub(super) is_guest: bool,
    /// What the credential opens; everything when it has no scope.
    pub(super) scopes: Option<&'a ResourceScopes>,
    /// The origin of the site.
    pub(super) issuer: &'a str,
    /// Its name.
    pub(super) site_name: &'a str,
    /// OAuth Settings' Scopes Supported.
    pub(super) scopes_supported: &'a [String],
}

/// A DocType that is within the view, with what may be done.
pub(super) struct Visible {
    pub(super) doctype: Arc<DocType>,
    /// Its name as a part of other names: ASCII letters and digits, unlike any other's.
    pub(super) id: String,
    pub(super) read: Option<Grant>,
    pub(super) write: Option<Grant>,
    pub(super) create: Option<Grant>,
    pub(super) delete: Option<Grant>,
}

impl Visible {
    pub(super) fn may(&self, action: Action) -> bool {
        match action {
            Action::Read => self.read.is_some(),
            Action::Write => self.write.is_some(),
            Action::Create => self.create.is_some(),
            Action::Delete => self.delete.is_some(),
        }
    }
}

impl View<'_> {
    /// The DocTypes of which something may be done, by name. Child rows come with their
    /// documents.
    pub(super) fn doctypes(&self) -> Vec<Visible> {
        let mut taken = BTreeSet::new();
        let mut visible = Vec::new();
        for doctype in self.registry.doctypes().filter(|doctype| !doctype.istable) {
            let may = |action| access::require(doctype, self.actor, action).ok();
            let mut entry = Visible {
                doctype: Arc::clone(doctype),
                id: String::new(),
                read: may(Action::Read),
                write: may(Action::Write),
                create: may(Action::Create),
                delete: may(Action::Delete),
            };
            if doctype.issingle {
                entry.create = None;
                entry.delete = None;
            }
            let all = [Action::Read, Action::Write, Action::Create, Action::Delete];
            if all.into_iter().any(|action| entry.may(action)) {
                entry.id = identifier(&doctype.name, &mut taken);
                visible.push(entry);
            }
        }
        visible
    }

    /// Whether the credential opens a method that is not about documents.
    pub(super) fn may_call(&self, method: &str) -> bool {
        self.scopes
            .is_none_or(|scopes| scopes.admits_method(method))
    }
}

/// A name of ASCII letters and digits for a DocType, which may have any others.
fn identifier(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.is_empty() {
        plain.push_str("DocType");
    }
    let mut id = plain.clone();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{plain}_{number}");
        number += 1;
    }
    id
}

/// The parts that operations refer to, collected while they are described.
#[derive(Default)]
pub(super) struct Parts {
    /// By name, under `components/schemas`.
    pub(super) schemas: Map<String, Value>,
    /// Scopes that some operation names, with what they mean.
    pub(super) scopes: BTreeMap<String, String>,
}

/// What an operation needs from who calls it.
pub(super) struct Need {
    /// A scope that opens it, with its meaning; beside `all`.
    pub(super) scope: Option<(String, String)>,
    /// It changes something.
    pub(super) is_change: bool,
    /// Somebody who is not signed in may call it.
    pub(super) is_open: bool,
}

impl Parts {
    /// The `security` of an operation: one of these is enough.
    pub(super) fn security(&mut self, need: Need) -> Value {
        let mut ways = Vec::new();
        if need.is_open {
            ways.push(json!({}));
        }
        match need.scope {
            Some((scope, meaning)) => {
                ways.push(json!({"oauth2": [scope]}));
                ways.push(json!({"oauth2": ["all"]}));
                self.scopes.insert(scope, meaning);
            }
            None => ways.push(json!({"oauth2": []})),
        }
        ways.push(json!({"api_key": []}));
        ways.push(json!({"basic": []}));
        ways.push(match need.is_change {
            true => json!({"session": [], "csrf": []}),
            false => json!({"session": []}),
        });
        Value::Array(ways)
    }
}

/// A reference to a schema.
pub(super) fn schema_ref(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
