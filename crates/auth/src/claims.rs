//! Claims about a user: which ones a grant opens, and their values.
//!
//! OpenID Connect Core §5.1, §5.4, §5.5; Frappe's `openid_profile`. The same claims go into the
//! userinfo answer, ID tokens and introspection.

use crema_protocol::claims::{ClaimsRequest, granted_claims};
use crema_protocol::scope::Scope;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::Ctx;
use crate::user::User;

/// Where the claims are going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The userinfo answer.
    Userinfo,
    /// An ID token; `with_user` says whether all granted claims go in, as Frappe does, or only
    /// those that the `claims` parameter asks for.
    IdToken {
        /// Whether the userinfo claims are in it.
        with_user: bool,
    },
    /// The introspection answer.
    Introspection,
}

/// The scopes that decide which claims are open.
#[derive(Debug, Clone)]
pub struct Opens {
    /// The scopes of the authorization.
    pub requested: Scope,
    /// The scopes of the token at hand.
    pub granted: Scope,
}

impl Opens {
    /// For tokens that carry all that was authorized.
    pub fn all(scope: &Scope) -> Opens {
        Opens {
            requested: scope.clone(),
            granted: scope.clone(),
        }
    }
}

/// The members of a JSON object in the order in which they were put, each once. A handful of
/// known names needs no hash table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members(Vec<(&'static str, Value)>);

impl Members {
    /// Adds a member, unless there is one of that name.
    pub fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        if !self.0.iter().any(|(own, _)| *own == name) {
            self.0.push((name, value.into()));
        }
    }

    /// Adds those that are not there yet.
    pub fn put_all(&mut self, others: Members) {
        for (name, value) in others.0 {
            self.put(name, value);
        }
    }

    /// The object, to work on.
    pub fn into_map(self) -> Map<String, Value> {
        let members = self.0.into_iter();
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The claims about a user that a grant gives, `sub` first; empty ones are left out.
pub fn claims(
    ctx: &Ctx,
    user: &User,
    opens: &Opens,
    requested: Option<&str>,
    place: Place,
) -> Members {
    let requested = requested.and_then(|text| ClaimsRequest::parse(text).ok());
    let asked = match (&requested, place) {
        (Some(request), Place::IdToken { .. }) => request.id_token_claims(),
        (Some(request), _) => request.userinfo_claims(),
        (None, _) => Vec::new(),
    };
    let granted = match place {
        Place::IdToken { with_user: false } => Vec::new(),
        _ => granted_claims(&opens.granted, &opens.requested),
    };
    let mut claims = Members(Vec::with_capacity(granted.len() + asked.len() + 1));
    claims.put("sub", user.subject.as_str());
    for name in granted.into_iter().chain(asked) {
        if let Some(value) = claim(ctx, user, name) {
            claims.put(name, value);
        }
    }
    claims
}

fn claim(ctx: &Ctx, user: &User, name: &str) -> Option<Value> {
    let text = |value: &str| (!value.is_empty()).then(|| json!(value));
    let optional = |value: &Option<String>| value.as_deref().and_then(text);
    match name {
        "name" => text(&user.full_name),
        "given_name" => text(&user.first_name),
        "family_name" => optional(&user.last_name),
        "email" => text(&user.email),
        "email_verified" => Some(json!(user.email_verified)),
        "picture" => optional(&user.user_image).map(|_| json!(picture(ctx, user))),
        "roles" => Some(json!(user.roles)),
        "preferred_username" => optional(&user.username).or_else(|| text(&user.email)),
        "locale" => optional(&user.language),
        "zoneinfo" => optional(&user.time_zone),
        "updated_at" => user.modified.map(|modified| json!(modified.seconds())),
        "iss" => Some(json!(ctx.issuer)),
        _ => None,
    }
}

/// The user's image as an absolute URL.
fn picture(ctx: &Ctx, user: &User) -> String {
    let image = user.user_image.as_deref().unwrap_or_default();
    if image.starts_with('/') {
        format!("{}{image}", ctx.issuer)
    } else {
        image.to_owned()
    }
}
