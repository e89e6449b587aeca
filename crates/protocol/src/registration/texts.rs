//! Texts and addresses for people, also in their languages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::members::{refuse, text};
use crate::error::OAuthError;
use crate::limits;

/// The members that may come with a language tag.
// spec: RFC 7591 §2.2; OpenID Connect Dynamic Client Registration §2.1
const LOCALIZED: [&str; 5] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
];

pub(super) fn client_name(object: &Map<String, Value>) -> Result<Option<String>, OAuthError> {
    text(object, "client_name", limits::CLIENT_NAME)
}

/// The address of a page or picture: `http` or `https`, with a host and without a password.
pub(super) fn page(
    object: &Map<String, Value>,
    member: &str,
) -> Result<Option<String>, OAuthError> {
    let Some(text) = text(object, member, limits::REDIRECT_URI)? else {
        return Ok(None);
    };
    let url = Url::parse(&text).ok().filter(Url::has_host);
    let web = url.is_some_and(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && plain
    });
    if !web || text.len() > limits::REDIRECT_URI {
        return Err(refuse(member, "has to be an http or https address"));
    }
    Ok(Some(text))
}

/// `client_name#de` and the like. What is no language tag makes a member that is unknown.
pub(super) fn localized(
    object: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, OAuthError> {
    let mut localized = BTreeMap::new();
    let mut together = 0;
    for name in object.keys() {
        let Some((member, tag)) = name.split_once('#') else {
            continue;
        };
        if !LOCALIZED.contains(&member) || !is_language_tag(tag) {
            continue;
        }
        let text = match member {
            "client_name" => text(object, name, limits::CLIENT_NAME)?,
            _ => page(object, name)?,
        };
        if let Some(text) = text {
            together += name.len() + text.len();
            localized.insert(name.clone(), text);
        }
    }
    if localized.len() > limits::METADATA_ENTRIES || together > limits::LOCALIZED_TOGETHER {
        return Err(refuse("The members with language tags", "are too many"));
    }
    Ok(localized)
}

/// Whether it has the form of RFC 5646: words of up to eight letters and digits.
fn is_language_tag(tag: &str) -> bool {
    let word = |word: &str| {
        (1..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag.len() <= 35
        && tag.starts_with(|first: char| first.is_ascii_alphabetic())
        && tag.split('-').all(word)
}
