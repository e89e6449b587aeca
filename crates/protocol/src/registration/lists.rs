//! Members that are lists of strings.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::members::{is_hidden, refuse, value};
use crate::client_rules::GrantType;
use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::redirect_uri::check_registrable;

/// The strings of a list, each once; `None` when the member is absent.
fn strings<'a>(
    object: &'a Map<String, Value>,
    member: &str,
    most: usize,
) -> Result<Option<Vec<&'a str>>, OAuthError> {
    let Some(value) = value(object, member) else {
        return Ok(None);
    };
    let not_strings = || refuse(member, "has to be a list of strings");
    let items = value.as_array().ok_or_else(not_strings)?;
    if items.len() > most {
        return Err(refuse(member, "has too many entries"));
    }
    let mut texts: Vec<&str> = Vec::new();
    for item in items {
        let text = item.as_str().ok_or_else(not_strings)?;
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(Some(texts))
}

/// Checks each of them; all of them have to fit into one text.
fn addresses(
    member: &str,
    uris: &[&str],
    public: bool,
    allowed_schemes: &[&str],
) -> Result<Vec<String>, OAuthError> {
    for uri in uris {
        check_registrable(uri, public, allowed_schemes).map_err(|error| {
            OAuthError::new(error.code, format!("{member}: {}", error.description))
        })?;
    }
    let together: usize = uris.iter().map(|uri| uri.len() + 1).sum();
    if together > limits::REDIRECT_URIS_TOGETHER {
        return Err(refuse(member, "is too long"));
    }
    Ok(uris.iter().map(|uri| (*uri).to_owned()).collect())
}

// spec: http.md, register_client, "`redirect_uris`"; RFC 7591 §5
pub(super) fn redirect_uris(
    object: &Map<String, Value>,
    public: bool,
    allowed_schemes: &[&str],
) -> Result<Vec<String>, OAuthError> {
    let member = "redirect_uris";
    let uris = strings(object, member, limits::REDIRECT_URIS)?.unwrap_or_default();
    if uris.is_empty() {
        return Err(refuse(member, "has to name at least one address"));
    }
    addresses(member, &uris, public, allowed_schemes)
}

pub(super) fn post_logout(
    object: &Map<String, Value>,
    public: bool,
    allowed_schemes: &[&str],
) -> Result<Vec<String>, OAuthError> {
    let member = "post_logout_redirect_uris";
    let uris = strings(object, member, limits::REDIRECT_URIS)?.unwrap_or_default();
    addresses(member, &uris, public, allowed_schemes)
        .map_err(|error| OAuthError::new(ErrorCode::InvalidClientMetadata, error.description))
}

/// The code, and refresh tokens unless the list leaves them out. Where nothing is said the client
/// gets both, as one that an administrator makes does. What strangers are never given is refused;
/// other grants beside the code are left out, and the answer says so: clients list whatever they
/// could use anywhere.
// spec: RFC 7591 §2, "replace any of the client's requested metadata values"
pub(super) fn grant_types(object: &Map<String, Value>) -> Result<BTreeSet<GrantType>, OAuthError> {
    let member = "grant_types";
    let both = BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]);
    let Some(names) = strings(object, member, limits::METADATA_ENTRIES)? else {
        return Ok(both);
    };
    let named: BTreeSet<GrantType> = names.into_iter().filter_map(GrantType::from_name).collect();
    if named.contains(&GrantType::Password) || named.contains(&GrantType::Implicit) {
        return Err(refuse(
            member,
            "must not name password or implicit: they are not for clients that register themselves",
        ));
    }
    if !named.contains(&GrantType::AuthorizationCode) {
        return Err(refuse(member, "has to name authorization_code"));
    }
    Ok(named.intersection(&both).copied().collect())
}

/// `code`, the one that goes with the grants above (RFC 7591 §2.1).
pub(super) fn response_types(object: &Map<String, Value>) -> Result<Vec<String>, OAuthError> {
    let member = "response_types";
    let names = strings(object, member, limits::METADATA_ENTRIES)?.unwrap_or_default();
    if names.iter().any(|name| *name != "code") {
        return Err(refuse(member, "can only be code"));
    }
    Ok(vec!["code".to_owned()])
}

pub(super) fn contacts(object: &Map<String, Value>) -> Result<Vec<String>, OAuthError> {
    let member = "contacts";
    let contacts = strings(object, member, limits::METADATA_ENTRIES)?.unwrap_or_default();
    let contacts: Vec<String> = contacts
        .into_iter()
        .map(|contact| contact.trim().to_owned())
        .filter(|contact| !contact.is_empty())
        .collect();
    if contacts
        .iter()
        .any(|contact| contact.chars().any(is_hidden))
    {
        return Err(refuse(member, "has characters that are not allowed"));
    }
    let together: usize = contacts.iter().map(|one| one.chars().count() + 1).sum();
    if together > limits::CONTACTS {
        return Err(refuse(member, "is too long"));
    }
    Ok(contacts)
}
