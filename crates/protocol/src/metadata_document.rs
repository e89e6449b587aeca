//! Client ID metadata documents: a client whose `client_id` is the address of a document that
//! describes it.
//!
//! draft-ietf-oauth-client-id-metadata-document; MCP authorization 2025-11-25 and 2026-07-28. The
//! document has the members of dynamic registration ([`ClientMetadata`]) and nobody vouches for
//! it: all that is proven is that somebody can put a file at that address. It is written for every
//! authorization server at once, so what it names beyond what this one does is left out, as far as
//! leaving it out cannot surprise the client.

use serde_json::{Map, Value};
use url::Url;

use crate::error::OAuthError;
use crate::json;
use crate::redirect_uri;
use crate::registration::ClientMetadata;

/// The longest address of a document, in bytes.
pub const LONGEST_ADDRESS: usize = 2000;
/// The largest document, in bytes. The draft recommends 5 KiB (§6.6); three times as much leaves
/// room for names in many languages.
pub const LARGEST: usize = 16 * 1024;

/// Whether a `client_id` is meant as the address of a document. Names of records never look so.
pub fn is_address(client_id: &str) -> bool {
    let begins = |scheme: &str| {
        let start = client_id.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("https://") || begins("http://")
}

/// Whether a media type may be a document's: JSON, or a form of it.
// spec: draft-ietf-oauth-client-id-metadata-document §4, "application/<AS-defined>+json"
pub fn is_media_type(media_type: &str) -> bool {
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// The address of a document, in the one spelling that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentAddress {
    text: String,
    host: String,
}

impl DocumentAddress {
    /// Reads a `client_id`: an `https` address (`http` too where `insecure` is allowed, on a
    /// developer's machine) with a path, without user information and fragment, and spelled as
    /// browsers spell it, so that no two spellings lead to the same document.
    ///
    /// # Errors
    /// `invalid_request`, saying what is wrong.
    // spec: draft-ietf-oauth-client-id-metadata-document §3, Client Identifier
    pub fn parse(client_id: &str, insecure: bool) -> Result<DocumentAddress, OAuthError> {
        if client_id.len() > LONGEST_ADDRESS {
            return Err(bad_address("is longer than 2000 characters"));
        }
        let url = Url::parse(client_id).map_err(|_| bad_address("is no valid address"))?;
        match url.scheme() {
            "https" => {}
            "http" if insecure => {}
            _ => return Err(bad_address("does not begin with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad_address("has user information"));
        }
        if client_id.contains('#') {
            return Err(bad_address("has a fragment"));
        }
        if matches!(url.path(), "" | "/") {
            return Err(bad_address("has no path"));
        }
        // Dot segments, upper case in the host, the default port, numbers instead of names, line
        // breaks: all that a parser would silently change.
        if url.as_str() != client_id || client_id.contains(['\\', '\'', '"', '<', '>', '`']) {
            return Err(bad_address(
                "is not in its plain spelling (dot segments, upper case or the port 443, for example)",
            ));
        }
        Ok(DocumentAddress {
            text: client_id.to_owned(),
            host: redirect_uri::host_for_display(client_id),
        })
    }

    /// The whole address: the client's `client_id`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who stands behind the client, for people: the host in its ASCII form, with the port when
    /// it is an unusual one.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// A document that may be believed as far as such a document can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataDocument {
    /// Where it is: the `client_id`.
    pub address: DocumentAddress,
    /// What the client says about itself. It has a name, and is a public client.
    pub metadata: ClientMetadata,
}

impl MetadataDocument {
    /// Reads what was found at the address. `allowed_schemes` are the private-use schemes without
    /// a dot that redirect URIs may have here.
    ///
    /// # Errors
    /// `invalid_request`, to be shown, never to be redirected. The texts speak about the members
    /// of a document that names this very address, and say nothing about any other content.
    // spec: standards.md U, "fetched JSON has the very same client_id, client_name, redirect_uris"
    pub fn parse(
        address: &DocumentAddress,
        body: &[u8],
        allowed_schemes: &[&str],
    ) -> Result<MetadataDocument, OAuthError> {
        if body.len() > LARGEST {
            return Err(bad_document("it is larger than 16 KiB."));
        }
        let Ok(Value::Object(mut object)) = json::parse(body) else {
            return Err(bad_document("it is no JSON object."));
        };
        // First, so that nothing is told about what is no such document.
        if object.get("client_id").and_then(Value::as_str) != Some(address.as_str()) {
            return Err(bad_document(
                "its client_id is not the address that it was fetched from.",
            ));
        }
        for secret in ["client_secret", "client_secret_expires_at"] {
            if object.contains_key(secret) {
                return Err(bad_document(&format!("it must not have {secret}.")));
            }
        }
        check_auth_method(&mut object)?;
        keep(
            &mut object,
            "grant_types",
            &["authorization_code", "refresh_token"],
        )?;
        keep(&mut object, "response_types", &["code"])?;
        let mut metadata = ClientMetadata::parse(&object, allowed_schemes)
            .map_err(|error| bad_document(&error.description))?;
        if metadata.redirect_uris.is_empty() {
            return Err(bad_document("redirect_uris is missing."));
        }
        let named = metadata.client_name.as_deref();
        if named.is_none_or(|name| name.trim().is_empty()) {
            metadata.client_name = Some(address.host().to_owned());
        }
        Ok(MetadataDocument {
            address: address.clone(),
            metadata,
        })
    }
}

/// A client without a secret: what anybody can read cannot hold one.
// spec: draft-ietf-oauth-client-id-metadata-document §4.1, "any other method based around a
// shared symmetric secret"
fn check_auth_method(object: &mut Map<String, Value>) -> Result<(), OAuthError> {
    let method = object
        .entry("token_endpoint_auth_method")
        .or_insert_with(|| Value::from("none"));
    match method.as_str() {
        Some("none") => Ok(()),
        Some("private_key_jwt") => Err(bad_document(
            "token_endpoint_auth_method private_key_jwt is not supported here; use none.",
        )),
        _ => Err(bad_document(
            "token_endpoint_auth_method has to be none: a document that everybody can read holds \
             no secret.",
        )),
    }
}

/// Leaves of a list what this server does for such clients. The first of them is needed.
fn keep(
    object: &mut Map<String, Value>,
    member: &str,
    known: &[&'static str],
) -> Result<(), OAuthError> {
    let Some(Value::Array(named)) = object.get(member) else {
        return Ok(());
    };
    let has = |one: &str| named.iter().any(|value| value.as_str() == Some(one));
    let kept: Vec<Value> = known
        .iter()
        .filter(|one| has(one))
        .map(|one| Value::from(*one))
        .collect();
    let needed = known.first().copied().unwrap_or_default();
    if !has(needed) {
        return Err(bad_document(&format!("{member} lacks {needed}.")));
    }
    object.insert(member.to_owned(), Value::Array(kept));
    Ok(())
}

fn bad_address(reason: &str) -> OAuthError {
    OAuthError::invalid_request(format!(
        "The client_id is meant as the address of a client metadata document, but {reason}."
    ))
}

/// An error about a document, whose address is the `client_id` of the request.
pub fn bad_document(reason: &str) -> OAuthError {
    OAuthError::invalid_request(format!(
        "The client metadata document at the address in client_id cannot be used: {reason}"
    ))
}
