//! Claims about the user: which ones a grant opens, and the `claims` parameter.
//!
//! OpenID Connect Core §5.1, §5.4 and §5.5.

use serde_json::{Map, Value};

use crate::error::OAuthError;
use crate::json;
use crate::limits;
use crate::scope::{OPENID, Scope};

/// The userinfo claims with the scope that opens each, in the order they are answered.
///
/// The first six are Frappe's, in Frappe's order.
// spec: http.md, openid_profile (userinfo)
pub const USER_CLAIMS: [(&str, &str); 13] = [
    ("sub", OPENID),
    ("name", "profile"),
    ("given_name", "profile"),
    ("family_name", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
    ("picture", "profile"),
    ("roles", "roles"),
    ("preferred_username", "profile"),
    ("locale", "profile"),
    ("zoneinfo", "profile"),
    ("updated_at", "profile"),
    ("iss", OPENID),
];

/// The scopes that, asked for beside `openid`, narrow the claims to their own.
pub const CLAIM_SCOPES: [&str; 3] = ["profile", "email", "roles"];

/// The names of the user claims that a grant opens; none without `openid`.
///
/// `openid` alone opens Frappe's full set. As soon as the client asked for `profile`, `email` or
/// `roles` explicitly, only what it asked for opens. `requested` are the scopes of the
/// authorization itself, `granted` those of the token at hand: a refresh that drops `email` must
/// not bring back the full set.
// spec: http.md, openid_profile, "Scopes decide"; OpenID Connect Core §5.4
pub fn granted_claims(granted: &Scope, requested: &Scope) -> Vec<&'static str> {
    if !granted.contains(OPENID) {
        return Vec::new();
    }
    let narrowed = CLAIM_SCOPES.iter().any(|scope| requested.contains(scope));
    let opens = |scope: &str| scope == OPENID || !narrowed || granted.contains(scope);
    let claims = USER_CLAIMS.iter().filter(|(_, scope)| opens(scope));
    claims.map(|(claim, _)| *claim).collect()
}

/// What the `claims` parameter asks for about one claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The client needs it.
    pub essential: bool,
    /// Values that are asked for, `value` and `values` in one; empty when any will do.
    pub values: Vec<Value>,
}

/// The `claims` parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    userinfo: Vec<(String, ClaimRequest)>,
    id_token: Vec<(String, ClaimRequest)>,
    text: String,
}

impl ClaimsRequest {
    /// Reads the parameter: a JSON object; members that are not understood are ignored.
    ///
    /// # Errors
    /// `invalid_request` when it is no such object, or too long.
    // spec: OpenID Connect Core §5.5
    pub fn parse(text: &str) -> Result<ClaimsRequest, OAuthError> {
        let malformed = || OAuthError::invalid_request("claims is not the JSON object expected.");
        if text.len() > limits::CLAIMS {
            return Err(OAuthError::invalid_request("claims is too long."));
        }
        let Ok(Value::Object(members)) = json::parse(text.as_bytes()) else {
            return Err(malformed());
        };
        let section = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Object(claims)) => parse_section(claims).ok_or_else(malformed),
            Some(_) => Err(malformed()),
        };
        let (userinfo, id_token) = (section("userinfo")?, section("id_token")?);
        Ok(ClaimsRequest {
            userinfo,
            id_token,
            text: text.to_owned(),
        })
    }

    /// The parameter as it came, to be stored and parsed again.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is asked for from userinfo.
    pub fn userinfo(&self) -> impl Iterator<Item = (&str, &ClaimRequest)> {
        self.userinfo
            .iter()
            .map(|(name, request)| (name.as_str(), request))
    }

    /// What is asked for in the ID token.
    pub fn id_token(&self) -> impl Iterator<Item = (&str, &ClaimRequest)> {
        self.id_token
            .iter()
            .map(|(name, request)| (name.as_str(), request))
    }

    /// The request for one claim of the ID token.
    pub fn in_id_token(&self, name: &str) -> Option<&ClaimRequest> {
        self.id_token()
            .find(|(own, _)| *own == name)
            .map(|(_, request)| request)
    }

    /// The users that may answer, by `sub`, from either section; empty when any may.
    // spec: OpenID Connect Core §5.5.1, "sub"
    pub fn subjects(&self) -> Vec<&str> {
        let requests = self.id_token().chain(self.userinfo());
        let subjects = requests.filter(|(name, _)| *name == "sub");
        subjects
            .flat_map(|(_, request)| &request.values)
            .filter_map(Value::as_str)
            .collect()
    }

    /// The scopes that would open what is asked for and what `granted` does not open by itself.
    /// Whoever allows those claims allows that much.
    #[must_use]
    pub fn beyond(&self, granted: &Scope) -> Scope {
        let open = granted_claims(granted, granted);
        let asked = |claim: &str| {
            let mut requests = self.id_token.iter().chain(&self.userinfo);
            requests.any(|(name, _)| name == claim)
        };
        let closed = USER_CLAIMS
            .iter()
            .filter(|(claim, scope)| *scope != OPENID && !open.contains(claim) && asked(claim));
        let scopes: Vec<&str> = closed.map(|(_, scope)| *scope).collect();
        if granted.contains(OPENID) {
            Scope::from_registered(&scopes.join(" "))
        } else {
            Scope::default()
        }
    }

    /// The names of user claims asked for from userinfo.
    pub fn userinfo_claims(&self) -> Vec<&'static str> {
        known(&self.userinfo)
    }

    /// The names of user claims asked for in the ID token.
    pub fn id_token_claims(&self) -> Vec<&'static str> {
        known(&self.id_token)
    }
}

/// Those of the claims that are [`USER_CLAIMS`].
fn known(claims: &[(String, ClaimRequest)]) -> Vec<&'static str> {
    let asked = |claim: &str| claims.iter().any(|(name, _)| name == claim);
    let known = USER_CLAIMS.iter().map(|(claim, _)| *claim);
    known.filter(|claim| asked(claim)).collect()
}

fn parse_section(claims: &Map<String, Value>) -> Option<Vec<(String, ClaimRequest)>> {
    let parse = |(name, value): (&String, &Value)| Some((name.clone(), parse_claim(value)?));
    claims.iter().map(parse).collect()
}

/// `null`, or an object with `essential`, `value`, `values`.
fn parse_claim(value: &Value) -> Option<ClaimRequest> {
    let members = match value {
        Value::Null => return Some(ClaimRequest::default()),
        Value::Object(members) => members,
        _ => return None,
    };
    let essential = match members.get("essential") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return None,
    };
    let mut values: Vec<Value> = members.get("value").into_iter().cloned().collect();
    values.retain(|value| !value.is_null());
    match members.get("values") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => values.extend(list.iter().cloned()),
        Some(_) => return None,
    }
    Some(ClaimRequest { essential, values })
}
