//! Scopes and their arithmetic. RFC 6749 §3.3, OpenID Connect Core §3.1.2.1 and §11.

use std::fmt;

use crate::error::{ErrorCode, OAuthError};
use crate::limits;

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
/// granted unasked, so the grant tells what was asked for explicitly.
///
/// # Errors
/// `invalid_scope`, also when nothing would be left.
// spec: http.md, authorize, "`scope` absent"; RFC 6749 §3.3
pub fn grant_scope(requested: Option<&Scope>, client: &Scope) -> Result<Scope, OAuthError> {
    let granted = match requested.filter(|scope| !scope.is_empty()) {
        None => client.clone(),
        Some(requested) => {
            let available = client.with_implied();
            if !requested.contains(OPENID) && !requested.is_subset_of(&available) {
                return Err(invalid_scope(
                    "The client may not ask for one of the scopes.",
                ));
            }
            requested.intersection(&available)
        }
    };
    if granted.is_empty() {
        return Err(invalid_scope("The client may ask for none of the scopes."));
    }
    Ok(granted)
}

/// The scope of refreshed tokens: what was granted, or less.
///
/// # Errors
/// `invalid_scope` when something is asked for that was not granted.
// spec: RFC 6749 §6; security.md, Codes and tokens, "scope can only shrink"
pub fn narrow_scope(granted: &Scope, requested: Option<&Scope>) -> Result<Scope, OAuthError> {
    match requested.filter(|scope| !scope.is_empty()) {
        None => Ok(granted.clone()),
        Some(requested) if requested.is_subset_of(granted) => Ok(requested.clone()),
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
