//! What a path of the resource server names: a DocType, perhaps a document of it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::metrics::Endpoint;
use crate::reply::Problem;

/// What stands behind `/api/resource/` and its like, still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Encoded<'a> {
    endpoint: Endpoint,
    doctype: &'a str,
    name: Option<&'a str>,
}

/// A DocType, and perhaps one of its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The DocType's name.
    pub doctype: String,
    /// The document's name, which may hold slashes.
    pub name: Option<String>,
}

/// Where the path leads to, when it is one of a DocType. Reading stands for every verb: which it
/// is, the HTTP method says.
pub(crate) fn endpoint(path: &str) -> Option<Endpoint> {
    encoded(path).map(|encoded| encoded.endpoint)
}

/// What the path names.
///
/// # Errors
/// 400 for malformed percent-encoding, UTF-8 and U+0000; 404 for a path of another kind.
pub fn target(path: &str) -> Result<Target, Problem> {
    let encoded = encoded(path).ok_or_else(|| Problem::not_found("There is no such page."))?;
    Ok(Target {
        doctype: decoded(encoded.doctype)?,
        name: encoded.name.map(decoded).transpose()?,
    })
}

// spec: http.md, Resource server, the table of paths; a trailing slash changes nothing
fn encoded(path: &str) -> Option<Encoded<'_>> {
    let rest = path.strip_prefix("/api/")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if let Some(rest) = rest.strip_prefix("v2/") {
        return match rest.split_once('/')? {
            ("document", rest) => document(rest),
            ("doctype", rest) => about(rest),
            _ => None,
        };
    }
    let rest = rest.strip_prefix("v1/").unwrap_or(rest);
    document(rest.strip_prefix("resource/")?)
}

fn document(rest: &str) -> Option<Encoded<'_>> {
    let (doctype, name) = match rest.split_once('/') {
        Some((doctype, name)) => (doctype, Some(name)),
        None => (rest, None),
    };
    let endpoint = match name {
        Some("") => return None,
        Some(_) => Endpoint::Read,
        None => Endpoint::List,
    };
    (!doctype.is_empty()).then_some(Encoded {
        endpoint,
        doctype,
        name,
    })
}

fn about(rest: &str) -> Option<Encoded<'_>> {
    let (doctype, what) = rest.split_once('/')?;
    let endpoint = match what {
        "meta" => Endpoint::Meta,
        "count" => Endpoint::Count,
        _ => return None,
    };
    (!doctype.is_empty()).then_some(Encoded {
        endpoint,
        doctype,
        name: None,
    })
}

/// Decodes a part of a path, in which `+` is a plus sign.
// spec: security.md, Inputs, outputs, network, "Malformed … UTF-8, percent-encoding: 400"
fn decoded(text: &str) -> Result<String, Problem> {
    let hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let broken = text
        .match_indices('%')
        .any(|(at, _)| !hex(at + 1) || !hex(at + 2));
    if broken {
        return Err(Problem::malformed(
            "The path has malformed percent-encoding.",
        ));
    }
    let text = percent_decode_str(text)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| Problem::malformed("The path is not UTF-8."))?;
    if text.contains('\0') {
        return Err(Problem::malformed(
            "The path contains the character U+0000.",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(Endpoint, String, Option<String>)> {
        let endpoint = endpoint(path)?;
        let target = target(path).unwrap();
        Some((endpoint, target.doctype, target.name))
    }

    #[test]
    fn lists_documents_and_what_is_about_a_doctype() {
        for path in [
            "/api/resource/OAuth%20Client",
            "/api/v1/resource/OAuth%20Client/",
            "/api/v2/document/OAuth%20Client",
        ] {
            let expected = (Endpoint::List, "OAuth Client".to_owned(), None);
            assert_eq!(found(path), Some(expected), "{path}");
        }
        for (path, name) in [
            ("/api/resource/File/a/b%2Fc+d/", "a/b/c+d"),
            ("/api/v2/document/File/%C3%A9", "é"),
            ("/api/resource/File//x", "/x"),
        ] {
            let expected = (Endpoint::Read, "File".to_owned(), Some(name.to_owned()));
            assert_eq!(found(path), Some(expected), "{path}");
        }
        let meta = found("/api/v2/doctype/ToDo/meta").unwrap();
        assert_eq!(meta, (Endpoint::Meta, "ToDo".to_owned(), None));
        assert_eq!(
            endpoint("/api/v2/doctype/ToDo/count/"),
            Some(Endpoint::Count)
        );
    }

    #[test]
    fn other_paths_are_none_of_them() {
        for path in [
            "/api/resource",
            "/api/resource/",
            "/api/resource//x",
            "/api/v2/resource/ToDo",
            "/api/document/ToDo",
            "/api/v1/document/ToDo",
            "/api/v2/doctype/ToDo",
            "/api/v2/doctype/ToDo/meta/x",
            "/api/v3/document/ToDo",
            "/resource/ToDo",
            "/api/method/ping",
        ] {
            assert_eq!(endpoint(path), None, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for path in ["%", "%2", "%zz", "%ff", "a%00b"] {
            assert!(target(&format!("/api/resource/{path}")).is_err(), "{path}");
            assert!(target(&format!("/api/resource/ToDo/{path}")).is_err());
        }
    }
}
