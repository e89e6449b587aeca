//! Scopes and their arithmetic. RFC 6749 §3.3, OpenID Connect Core §3.1.2.1 and §11.

use std::fmt;

use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::resource_scope::{ResourceScope, ResourceScopes};

/// The scope that makes a request an OpenID Connect request.
pub const OPENID: &str = "openid";
/// The scope that is everything the user may do.
pub const ALL: &str = "all";

/// What a client may ask for beside `openid` as soon as `openid` is among its scopes.
// spec: http.md, authorize, "`openid` among them implies"
pub const IMPLIED_BY_OPENID: [&str; 4] = ["profile", "email", "roles", "offline_access"];

/// A set of scope-tokens that remembers their order.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    tokens: Vec<String>,
}

impl Scope {
    /// Reads a `scope` parameter: tokens with spaces between them, each once.
    ///
    /// # Errors
    /// `invalid_scope` for characters that RFC 6749 §3.3 does not allow, or too much text.
    pub fn parse(text: &str) -> Result<Scope, OAuthError> {
        if text.len() > limits::SCOPE {
            return Err(invalid_scope("scope is too long."));
        }
        if text.bytes().all(|byte| byte == b' ' || is_scope_byte(byte)) {
            Ok(Scope::collect(text.split(' ')))
        } else {
            Err(invalid_scope(
                "scope contains characters that are not allowed.",
            ))
        }
    }

    /// Reads the scopes of a record: any white space between them, malformed ones left out.
    pub fn from_registered(text: &str) -> Scope {
        let valid = |token: &&str| token.bytes().all(is_scope_byte);
        Scope::collect(text.split_ascii_whitespace().filter(valid))
    }

    fn collect<'a>(tokens: impl Iterator<Item = &'a str>) -> Scope {
        let mut scope = Scope::default();
        for token in tokens.filter(|token| !token.is_empty()) {
            scope.insert(token);
        }
        scope
    }

    fn insert(&mut self, token: &str) {
        if !self.contains(token) {
            self.tokens.push(token.to_owned());
        }
    }

    /// Whether the scope-token is among them, byte for byte.
    pub fn contains(&self, token: &str) -> bool {
        self.tokens.iter().any(|own| own == token)
    }

    /// Whether every token of this is in `other`.
    pub fn is_subset_of(&self, other: &Scope) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    /// Whether whoever has this has all of `other`: each of its tokens is among these, or is
    /// about resources and opens nothing that these do not open together. So `all` covers
    /// `todo:read`, and so does `todo:*`; all other tokens are compared byte for byte.
    pub fn covers(&self, other: &Scope) -> bool {
        let mut cover = Cover::of(self);
        other.iter().all(|token| cover.has(token))
    }

    /// The tokens of this that `other` covers, in the order of this.
    #[must_use]
    pub fn within(&self, other: &Scope) -> Scope {
        let mut cover = Cover::of(other);
        Scope::collect(self.iter().filter(|token| cover.has(token)))
    }

    /// The tokens that are in both, in the order of this.
    #[must_use]
    pub fn intersection(&self, other: &Scope) -> Scope {
        Scope::collect(self.iter().filter(|token| other.contains(token)))
    }

    /// The tokens that are in either, those of this first.
    #[must_use]
    pub fn union(&self, other: &Scope) -> Scope {
        Scope::collect(self.iter().chain(other.iter()))
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What a client with these registered scopes may ask for.
    // spec: http.md, authorize, "`openid` among them implies"
    #[must_use]
    pub fn with_implied(&self) -> Scope {
        if self.contains(OPENID) {
            Scope::collect(self.iter().chain(IMPLIED_BY_OPENID))
        } else {
            self.clone()
        }
    }
}

/// What a scope covers. What it opens is read when a token asks for it that is not named.
struct Cover<'a> {
    scope: &'a Scope,
    opens: Option<ResourceScopes>,
}

impl Cover<'_> {
    fn of(scope: &Scope) -> Cover<'_> {
        Cover { scope, opens: None }
    }

    fn has(&mut self, token: &str) -> bool {
        if self.scope.contains(token) {
            return true;
        }
        let Some(asked) = ResourceScope::parse(token) else {
            return false;
        };
        let read = || ResourceScopes::of(self.scope);
        self.opens.get_or_insert_with(read).admits_scope(asked)
    }
}

impl PartialEq for Scope {
    /// Equal as sets: the order says nothing.
    fn eq(&self, other: &Scope) -> bool {
        self.tokens.len() == other.tokens.len() && self.is_subset_of(other)
    }
}

impl Eq for Scope {}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.tokens.join(" "))
    }
}

/// What a request for these scopes gets from a client registered with `client`.
///
/// Absent: the registered scopes. With `openid` among the requested ones, what the client does
/// not have is dropped; without it, it is an error. Implied scopes can be asked for, but are never
/// granted unasked, so the grant tells what was asked for explicitly. A scope on resources may be
/// asked for where a registered one opens the same and more: `todo:read` with `all`.
///
/// # Errors
/// `invalid_scope`, also when nothing would be left.
// spec: http.md, authorize, "`scope` absent"; RFC 6749 §3.3
pub fn grant_scope(requested: Option<&Scope>, client: &Scope) -> Result<Scope, OAuthError> {
    let granted = match requested.filter(|scope| !scope.is_empty()) {
        None => client.clone(),
        Some(requested) => {
            let available = client.with_implied();
            let granted = requested.within(&available);
            if !requested.contains(OPENID) && granted != *requested {
                return Err(invalid_scope(
                    "The client may not ask for one of the scopes.",
                ));
            }
            granted
        }
    };
    if granted.is_empty() {
        return Err(invalid_scope("The client may ask for none of the scopes."));
    }
    Ok(granted)
}

/// The scope of refreshed tokens: what was granted, or less, which may be a part of what one of
/// the granted scopes opens.
///
/// # Errors
/// `invalid_scope` when something is asked for that was not granted.
// spec: RFC 6749 §6; security.md, Codes and tokens, "scope can only shrink"
pub fn narrow_scope(granted: &Scope, requested: Option<&Scope>) -> Result<Scope, OAuthError> {
    match requested.filter(|scope| !scope.is_empty()) {
        None => Ok(granted.clone()),
        Some(requested) if granted.covers(requested) => Ok(requested.clone()),
        Some(_) => Err(invalid_scope("A scope was asked for that was not granted.")),
    }
}

fn invalid_scope(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope, description)
}

/// RFC 6749 §3.3: `%x21 / %x23-5B / %x5D-7E`.
const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}
