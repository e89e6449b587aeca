//! Members with one value out of few.

use serde_json::{Map, Value};

use super::ApplicationType;
use crate::client_rules::{AuthMethod, IdTokenAlgorithm};
use crate::error::{ErrorCode, OAuthError};
use crate::redirect_uri;

/// `invalid_client_metadata` about a member.
pub(super) fn refuse(member: &str, reason: &str) -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidClientMetadata,
        format!("{member} {reason}."),
    )
}

/// The member, unless it is `null`: RFC 7592 §2.2 gives that the meaning of an absent one.
pub(super) fn value<'a>(object: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    object.get(member).filter(|value| !value.is_null())
}

/// A text of at most `limit` characters, without blanks around it; `None` when it is empty.
pub(super) fn text(
    object: &Map<String, Value>,
    member: &str,
    limit: usize,
) -> Result<Option<String>, OAuthError> {
    let Some(value) = value(object, member) else {
        return Ok(None);
    };
    let text = value
        .as_str()
        .ok_or_else(|| refuse(member, "has to be a string"))?
        .trim();
    if text.chars().count() > limit {
        return Err(refuse(member, "is too long"));
    }
    if text.chars().any(is_hidden) {
        return Err(refuse(member, "has characters that are not allowed"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Control characters, and those that turn the direction of what follows: a name must not be able
/// to rearrange the sentence that it stands in.
pub(super) fn is_hidden(char: char) -> bool {
    let turns = matches!(char, '\u{200e}'..='\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char.is_control() || turns
}

/// Nobody's statements are trusted here, so that one with claims in it must not be passed over in
/// silence: its claims would win over the members beside it (RFC 7591 §2.3).
pub(super) fn software_statement(object: &Map<String, Value>) -> Result<(), OAuthError> {
    let Some(value) = value(object, "software_statement") else {
        return Ok(());
    };
    let is_jws = value.as_str().is_some_and(|text| {
        let part = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            part.bytes().all(plain)
        };
        let parts: Vec<&str> = text.split('.').collect();
        parts.len() == 3 && parts.iter().all(|text| part(text) && !text.is_empty())
    });
    Err(if is_jws {
        OAuthError::new(
            ErrorCode::UnapprovedSoftwareStatement,
            "software_statement is not approved: this server trusts nobody's statements.",
        )
    } else {
        OAuthError::new(
            ErrorCode::InvalidSoftwareStatement,
            "software_statement is no signed JWT.",
        )
    })
}

/// A client's own keys are of no use here, but both forms at once are a mistake.
// spec: RFC 7591 §2, "jwks_uri … MUST NOT both be present"
pub(super) fn keys(object: &Map<String, Value>) -> Result<(), OAuthError> {
    match (value(object, "jwks"), value(object, "jwks_uri")) {
        (Some(_), Some(_)) => Err(refuse("jwks", "and jwks_uri must not come together")),
        _ => Ok(()),
    }
}

/// Who asks for subjects of its own must not be given the one that all clients see.
pub(super) fn subject_type(object: &Map<String, Value>) -> Result<(), OAuthError> {
    match value(object, "subject_type").map(Value::as_str) {
        None | Some(Some("public" | "")) => Ok(()),
        Some(_) => Err(refuse("subject_type", "has to be public")),
    }
}

pub(super) fn auth_method(object: &Map<String, Value>) -> Result<Option<AuthMethod>, OAuthError> {
    choice(
        object,
        "token_endpoint_auth_method",
        "has to be client_secret_basic, client_secret_post or none",
        AuthMethod::from_name,
    )
}

/// What the client says, or what its redirect URIs say: without one on the web it runs on a
/// device, and only there a private-use scheme leads anywhere.
// spec: OpenID Connect Dynamic Client Registration §2, application_type
pub(super) fn application_type(
    object: &Map<String, Value>,
    redirect_uris: &[String],
) -> Result<ApplicationType, OAuthError> {
    let has_private = redirect_uris
        .iter()
        .any(|uri| redirect_uri::is_custom_scheme(uri));
    let said = choice(
        object,
        "application_type",
        "has to be web or native",
        |name| match name {
            "web" => Some(ApplicationType::Web),
            "native" => Some(ApplicationType::Native),
            _ => None,
        },
    )?;
    match said {
        Some(ApplicationType::Web) if has_private => Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            "redirect_uris: Private-use URI schemes need the application_type native.",
        )),
        Some(said) => Ok(said),
        None if has_private
            || redirect_uris
                .iter()
                .all(|uri| redirect_uri::is_loopback(uri)) =>
        {
            Ok(ApplicationType::Native)
        }
        None => Ok(ApplicationType::Web),
    }
}

pub(super) fn id_token_algorithm(
    object: &Map<String, Value>,
    public: bool,
) -> Result<Option<IdTokenAlgorithm>, OAuthError> {
    let member = "id_token_signed_response_alg";
    let reason = "has to be RS256, ES256, EdDSA, PS256 or HS256";
    let algorithm = choice(object, member, reason, IdTokenAlgorithm::from_name)?;
    if public && algorithm == Some(IdTokenAlgorithm::HS256) {
        return Err(refuse(
            member,
            "cannot be HS256 for a client without a secret",
        ));
    }
    Ok(algorithm)
}

fn choice<T>(
    object: &Map<String, Value>,
    member: &str,
    reason: &str,
    named: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, OAuthError> {
    match value(object, member) {
        None => Ok(None),
        Some(Value::String(name)) if name.is_empty() => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(named)
            .map(Some)
            .ok_or_else(|| refuse(member, reason)),
    }
}
