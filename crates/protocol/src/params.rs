//! Request parameters: an ordered list of names and values, decoded strictly.
//!
//! RFC 6749 §3.1, §3.2 and Appendix B. Where common decoders are lenient (a lone `%`, bytes that
//! are not UTF-8), this one refuses: what two parsers read differently is how checks are got
//! around.

use std::collections::HashSet;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::error::{ErrorCode, OAuthError};
use crate::json;

/// Everything but RFC 3986's unreserved characters is percent-encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a query, form or JSON body cannot be read as parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// `%` without two hexadecimal digits behind it.
    #[error("The request has malformed percent-encoding: a % of its own is written %25.")]
    Encoding,
    /// Bytes that are not UTF-8.
    #[error("The request is not UTF-8.")]
    Utf8,
    /// U+0000 in a name or value.
    #[error("The request contains the character U+0000.")]
    Nul,
    /// A `multipart/form-data` body that is cut off, or says one thing twice.
    #[error("The multipart body is malformed.")]
    Multipart,
    /// Not JSON, nested too deeply, or with a member twice.
    #[error("The request body is not valid JSON.")]
    Json,
    /// JSON, but not an object.
    #[error("The JSON body has to be an object.")]
    NotAnObject,
    /// A JSON list or object where a parameter value belongs.
    #[error("Parameters have to be strings, not lists or objects.")]
    NotAString,
}

impl From<ParamsError> for OAuthError {
    fn from(error: ParamsError) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidRequest, error.to_string())
    }
}

/// Decoded parameters in the order they were sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Parameters made of these pairs, in this order.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Params {
        let owned = |(name, value): (N, V)| (name.into(), value.into());
        Params {
            pairs: pairs.into_iter().map(owned).collect(),
        }
    }

    /// Reads a URL's query (without its `?`).
    ///
    /// # Errors
    /// Malformed percent-encoding or UTF-8, U+0000.
    pub fn from_query(query: &[u8]) -> Result<Params, ParamsError> {
        Params::from_form(query)
    }

    /// Reads an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    /// Malformed percent-encoding or UTF-8, U+0000.
    // spec: RFC 6749 Appendix B; security.md, Inputs, outputs, network, "percent-encoding"
    pub fn from_form(form: &[u8]) -> Result<Params, ParamsError> {
        let mut pairs = Vec::new();
        for pair in form.split(|byte| *byte == b'&') {
            if pair.is_empty() {
                continue;
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Ok(Params { pairs })
    }

    /// Reads a JSON object whose members are strings; numbers and booleans are taken as their
    /// text, `null` as absent.
    ///
    /// # Errors
    /// Anything but such an object; lists and objects as values in particular.
    // spec: security.md, Codes and tokens, "parameters are strings only"
    pub fn from_json(body: &[u8]) -> Result<Params, ParamsError> {
        let value = json::parse(body).map_err(|_| ParamsError::Json)?;
        let Value::Object(members) = value else {
            return Err(ParamsError::NotAnObject);
        };
        let mut pairs = Vec::with_capacity(members.len());
        for (name, value) in members {
            let value = match value {
                Value::Null => String::new(),
                Value::Bool(value) => value.to_string(),
                Value::Number(value) => value.to_string(),
                Value::String(value) => value,
                Value::Array(_) | Value::Object(_) => return Err(ParamsError::NotAString),
            };
            pairs.push((name, value));
        }
        Ok(Params { pairs })
    }

    /// The first value of that name that is not empty: a parameter without a value counts as
    /// not sent.
    // spec: RFC 6749 §3.1; security.md, Clients, "an empty parameter counts as absent"
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of that name that are not empty.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs
            .iter()
            .filter(move |(own, value)| own == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// How often that name was sent, with or without a value.
    pub fn count(&self, name: &str) -> usize {
        self.pairs.iter().filter(|(own, _)| own == name).count()
    }

    /// The value of that name, when it has at most `limit` bytes.
    ///
    /// # Errors
    /// `invalid_request` when it is longer.
    pub fn get_bounded(&self, name: &str, limit: usize) -> Result<Option<&str>, OAuthError> {
        match self.get(name) {
            Some(value) if value.len() > limit => {
                Err(OAuthError::invalid_request("A parameter is too long."))
            }
            value => Ok(value),
        }
    }

    /// Refuses parameters that were sent twice, other than those named.
    ///
    /// # Errors
    /// `invalid_request`.
    // spec: RFC 6749 §3.1; security.md, Authorization endpoint, "Repeated parameters"
    pub fn reject_repeated(&self, repeatable: &[&str]) -> Result<(), OAuthError> {
        let mut seen = HashSet::with_capacity(self.pairs.len());
        for (name, _) in &self.pairs {
            if !repeatable.contains(&name.as_str()) && !seen.insert(name) {
                return Err(OAuthError::invalid_request(
                    "A parameter was sent more than once.",
                ));
            }
        }
        Ok(())
    }

    /// Names and values as sent, empty ones included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same parameters but for these names.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Params {
        let kept = |(name, _): &&(String, String)| !names.contains(&name.as_str());
        Params {
            pairs: self.pairs.iter().filter(kept).cloned().collect(),
        }
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// A query string of these parameters; a space becomes `%20`.
    pub fn to_query(&self) -> String {
        encode_pairs(self.iter())
    }
}

impl fmt::Debug for Params {
    /// Names only: values may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.pairs.iter().map(|(name, _)| name);
        formatter.write_str("Params")?;
        formatter.debug_list().entries(names).finish()
    }
}

/// `name=value&…`, percent-encoded.
pub(crate) fn encode_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, ENCODED));
        text.push('=');
        text.extend(utf8_percent_encode(value, ENCODED));
    }
    text
}

/// Form-decodes one name or value: `+` is a space, `%XX` a byte, the whole UTF-8 without U+0000.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, ParamsError> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(ParamsError::Encoding),
            },
            other => other,
        });
    }
    let text = String::from_utf8(decoded).map_err(|_| ParamsError::Utf8)?;
    if text.contains('\0') {
        Err(ParamsError::Nul)
    } else {
        Ok(text)
    }
}

/// The value of a hexadecimal digit.
const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
