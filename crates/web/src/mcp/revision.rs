//! Which revision of the protocol a request speaks.
//!
//! Until 2025-11-25 a client agrees on one with `initialize` and names it in a header afterwards;
//! from 2026-07-28 on every request says it in its own `_meta`, in the header as well, and repeats
//! in headers what it asks for, so that those in between need not read the body.
// spec: standards.md, U2

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rmcp::model::{ErrorData, ProtocolVersion, RequestMetaObject};
use serde_json::Value;

use super::message::Request;
use crate::call::Call;

/// The revisions that are spoken, oldest first. What came before had another transport.
pub(super) static SUPPORTED: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// What a client speaks that does not say, which those of 2025-03-26 cannot.
const SILENT: ProtocolVersion = ProtocolVersion::V_2025_03_26;

/// How a header begins and ends whose text could not stand in one.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// The revision that `initialize` agrees on: the client's, when it is spoken and still has the
/// handshake, else the newest that has.
pub(super) fn agreed(asked: &ProtocolVersion) -> ProtocolVersion {
    match asked.has_initialize() && SUPPORTED.contains(asked) {
        true => asked.clone(),
        false => ProtocolVersion::LATEST_WITH_INITIALIZE,
    }
}

/// The revision of a request other than `initialize`.
///
/// # Errors
/// -32020 when headers and body do not say the same, -32022 for a revision that is not spoken,
/// -32602 when something is missing in `_meta`. All are 400.
pub(super) fn of_request(call: &Call, request: &Request) -> Result<ProtocolVersion, ErrorData> {
    let meta = match request.params.get("_meta") {
        None => RequestMetaObject::default(),
        Some(meta) => serde_json::from_value(meta.clone())
            .map_err(|_| ErrorData::invalid_params("_meta has to be an object.", None))?,
    };
    let header = header(call, "mcp-protocol-version")?;
    let Some(version) = meta.protocol_version() else {
        let version = named(header)?;
        return match version.has_initialize() && request.method != "server/discover" {
            true => Ok(version),
            false => Err(missing(&meta)),
        };
    };
    match header {
        Some(header) if header == version.as_str() => {}
        Some(_) => return Err(mismatch("MCP-Protocol-Version is not what _meta says.")),
        None => return Err(mismatch("The header MCP-Protocol-Version is missing.")),
    }
    spoken(&version)?;
    if !version.has_initialize() {
        if !meta.missing_required_keys(&version).is_empty() {
            return Err(missing(&meta));
        }
        repeated(call, request)?;
    }
    Ok(version)
}

/// The revision of what says nothing by itself: notifications and batches.
///
/// # Errors
/// As [`of_request`].
pub(super) fn of_header(call: &Call) -> Result<ProtocolVersion, ErrorData> {
    named(header(call, "mcp-protocol-version")?)
}

fn named(header: Option<&str>) -> Result<ProtocolVersion, ErrorData> {
    let Some(header) = header else {
        return Ok(SILENT);
    };
    let version = serde_json::from_value(Value::from(header)).unwrap_or(SILENT);
    spoken(&version)?;
    Ok(version)
}

fn spoken(version: &ProtocolVersion) -> Result<(), ErrorData> {
    match SUPPORTED.contains(version) {
        true => Ok(()),
        false => Err(ErrorData::unsupported_protocol_version(
            version.clone(),
            &SUPPORTED,
        )),
    }
}

fn missing(meta: &RequestMetaObject) -> ErrorData {
    let missing = meta.missing_required_keys(&ProtocolVersion::NO_INITIALIZE);
    let message = format!("_meta has to have {}.", missing.join(" and "));
    ErrorData::invalid_params(message, None)
}

/// The headers in which a request repeats its method, and what it is called with.
fn repeated(call: &Call, request: &Request) -> Result<(), ErrorData> {
    if header(call, "mcp-method")? != Some(request.method.as_str()) {
        return Err(mismatch("Mcp-Method has to be the method of the body."));
    }
    if request.method != "tools/call" {
        return Ok(());
    }
    let named = header(call, "mcp-name")?.and_then(decoded);
    let name = request.params.get("name").and_then(Value::as_str);
    match name.is_none() || named.as_deref() == name {
        true => Ok(()),
        false => Err(mismatch("Mcp-Name has to be the name of the tool.")),
    }
}

fn decoded(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix(ENCODED.0)
        .and_then(|rest| rest.strip_suffix(ENCODED.1));
    match inner {
        None => Some(text.to_owned()),
        Some(inner) => String::from_utf8(BASE64_STANDARD.decode(inner).ok()?).ok(),
    }
}

/// A header that is there once, or not.
fn header<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>, ErrorData> {
    let mut all = call.headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => match one.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(mismatch("A header of the protocol is no text.")),
        },
        (Some(_), Some(_)) => Err(mismatch("A header of the protocol came twice.")),
    }
}

fn mismatch(message: &'static str) -> ErrorData {
    ErrorData::header_mismatch(message, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_never_agrees_on_what_has_none() {
        for version in &SUPPORTED {
            let agreed = agreed(version);
            assert_eq!(agreed == *version, version.has_initialize());
            assert!(agreed.has_initialize());
        }
        assert_eq!(
            agreed(&ProtocolVersion::V_2024_11_05).as_str(),
            "2025-11-25"
        );
    }

    #[test]
    fn names_are_taken_out_of_their_wrapping() {
        assert_eq!(decoded("get_document").as_deref(), Some("get_document"));
        assert_eq!(decoded("=?base64?eA==?=").as_deref(), Some("x"));
        assert_eq!(decoded("=?base64?%?="), None);
    }
}
