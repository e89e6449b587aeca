//! Scopes on resources: what of the site's data and methods a scope opens.
//!
//! `all` is everything the user may do; `<doctype>:read`, `:write`, `:create`, `:delete` and
//! `:*` open one DocType, its name in snake case; `method:<dotted.path>` opens one method. A word
//! of any other form, or with an unknown verb, opens nothing here. No verb implies another: who
//! may change a document and not see it is told so.
// spec: http.md, Resource server, "Scopes on resources"

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::scope::{self, Scope};

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

impl Verb {
    /// All of them: what `*` stands for.
    pub const ALL: [Verb; 4] = [Verb::Read, Verb::Write, Verb::Create, Verb::Delete];

    /// Its word in a scope.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Read => "read",
            Verb::Write => "write",
            Verb::Create => "create",
            Verb::Delete => "delete",
        }
    }

    fn named(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.name() == word)
    }
}

/// One scope-token that is about resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceScope<'a> {
    /// Everything the user may do.
    All,
    /// Documents of one DocType.
    Documents {
        /// Its name in snake case.
        doctype: &'a str,
        /// What is opened; everything when absent.
        verb: Option<Verb>,
    },
    /// One method.
    Method(&'a str),
}

impl<'a> ResourceScope<'a> {
    /// Reads a scope-token; `None` when it is about something else, or about nothing.
    pub fn parse(token: &'a str) -> Option<ResourceScope<'a>> {
        if token == scope::ALL {
            return Some(ResourceScope::All);
        }
        let (subject, word) = token.rsplit_once(':')?;
        if subject == METHOD {
            return is_method(word).then_some(ResourceScope::Method(word));
        }
        let verb = match word {
            "*" => None,
            word => Some(Verb::named(word)?),
        };
        is_snake_case(subject).then_some(ResourceScope::Documents {
            doctype: subject,
            verb,
        })
    }

    /// Whether the scope-token has the form of one about resources, right or wrong: who lists such
    /// a one in a record is told about a mistake in it. Addresses and the like are others' scopes.
    pub fn is_meant(token: &str) -> bool {
        token.rsplit_once(':').is_some_and(|(subject, word)| {
            let known = word == "*" || Verb::named(&word.to_ascii_lowercase()).is_some();
            subject == METHOD || (known && !subject.contains([':', '/']))
        })
    }
}

impl fmt::Display for ResourceScope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResourceScope::All => formatter.write_str(scope::ALL),
            ResourceScope::Documents { doctype, verb } => {
                write!(formatter, "{doctype}:{}", verb.map_or("*", Verb::name))
            }
            ResourceScope::Method(method) => write!(formatter, "{METHOD}:{method}"),
        }
    }
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
    pub fn of(scope: &Scope) -> ResourceScopes {
        let mut opened = ResourceScopes::default();
        for token in scope.iter().filter_map(ResourceScope::parse) {
            opened.add(token);
        }
        opened
    }

    fn add(&mut self, token: ResourceScope<'_>) {
        match token {
            ResourceScope::All => self.all = true,
            ResourceScope::Documents { doctype, verb } => {
                let verbs = self.doctypes.entry(doctype.to_owned()).or_default();
                match verb {
                    Some(verb) => verbs.extend([verb]),
                    None => verbs.extend(Verb::ALL),
                }
            }
            ResourceScope::Method(method) => {
                self.methods.insert(method.to_owned());
            }
        }
    }

    /// Whether the verb on documents of this DocType, named in snake case, is opened.
    pub fn admits(&self, doctype: &str, verb: Verb) -> bool {
        let named = || self.doctypes.get(doctype);
        self.all || named().is_some_and(|verbs| verbs.contains(&verb))
    }

    /// Whether the method is named, or everything is.
    pub fn admits_method(&self, method: &str) -> bool {
        self.all || self.methods.contains(method)
    }

    /// Whether all that one scope-token opens is opened by this.
    pub fn admits_scope(&self, token: ResourceScope<'_>) -> bool {
        match token {
            ResourceScope::All => self.all,
            ResourceScope::Method(method) => self.admits_method(method),
            ResourceScope::Documents { doctype, verb } => match verb {
                Some(verb) => self.admits(doctype, verb),
                None => Verb::ALL.into_iter().all(|verb| self.admits(doctype, verb)),
            },
        }
    }

    /// Whether all that the other opens is opened by this too.
    pub fn covers(&self, other: &ResourceScopes) -> bool {
        let mut doctypes = other.doctypes.iter();
        self.all
            || (!other.all
                && other.methods.is_subset(&self.methods)
                && doctypes
                    .all(|(doctype, verbs)| verbs.iter().all(|verb| self.admits(doctype, *verb))))
    }

    /// Whether nothing is opened.
    pub fn is_empty(&self) -> bool {
        !self.all && self.doctypes.is_empty() && self.methods.is_empty()
    }
}

/// What stands before the colon of a scope for a method. A DocType of this name can be reached
/// with `all` alone.
const METHOD: &str = "method";

/// What a DocType's name can become in snake case. Names with other characters than ASCII cannot
/// be written in a scope (RFC 6749 §3.3).
fn is_snake_case(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b':')
}

fn is_method(path: &str) -> bool {
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(plain)
    };
    path.split('.').all(is_name)
}
