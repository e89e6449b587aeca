//! The arguments of a request to the resource server: query, form and JSON body as one object.
//!
//! Queries and forms have texts only; a text may hold JSON where a list or an object belongs.
// spec: http.md, Resource server; security.md, Inputs, outputs, network, "Malformed JSON …: 400"

use crema_protocol::params::{Params, ParamsError};
use crema_protocol::{json, multipart};
use serde_json::{Map, Value};

use crate::call::{Call, media_type};
use crate::reply::Problem;

/// Members that are about the request itself and never an argument: the token of the session,
/// and what jQuery adds against caches.
const CSRF_TOKEN: &str = "csrf_token";
const CACHE_BUSTER: &str = "_";

/// How the body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// As a form, or there was none.
    Form,
    /// As a JSON object.
    Object,
    /// As another JSON value, kept as `data`.
    List,
}

/// The arguments of one request. What the body says wins over the query.
#[derive(Clone, PartialEq)]
pub struct Arguments {
    members: Map<String, Value>,
    /// Names that came in the query alone.
    query: Vec<String>,
    sent: Sent,
    csrf_token: Option<String>,
}

impl Arguments {
    /// Reads the arguments of a call.
    ///
    /// # Errors
    /// As [`Arguments::parse`].
    pub fn of(call: &Call) -> Result<Arguments, Problem> {
        let query = call.uri.query().unwrap_or_default();
        Arguments::parse(query.as_bytes(), call.content_type(), &call.body)
    }

    /// Reads a query and a body with that `Content-Type`.
    ///
    /// # Errors
    /// 400 for malformed percent-encoding, UTF-8 or JSON, nesting over 64 levels, U+0000, a name
    /// that comes twice, a multipart body that is cut off, and a JSON body that is neither an
    /// object nor a list; 415 for a body that is neither a form nor JSON.
    pub fn parse(query: &[u8], content_type: &str, body: &[u8]) -> Result<Arguments, Problem> {
        let mut members = form(query)?;
        members.remove(CACHE_BUSTER);
        // A token in an address would end up in logs and referrers.
        members.remove(CSRF_TOKEN);
        let query = members.keys().cloned().collect();
        let (mut own, sent) = read_body(content_type, body)?;
        let csrf_token = match own.remove(CSRF_TOKEN) {
            Some(Value::String(token)) => Some(token),
            _ => None,
        };
        members.append(&mut own);
        Ok(Arguments {
            members,
            query,
            sent,
            csrf_token,
        })
    }

    /// Arguments that came as members of a JSON object, wherever that stood.
    pub(crate) fn of_members(members: Map<String, Value>) -> Arguments {
        Arguments {
            members,
            query: Vec::new(),
            sent: Sent::Object,
            csrf_token: None,
        }
    }

    /// All arguments by name.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The session's token, as the body has it.
    pub fn csrf_token(&self) -> Option<&str> {
        self.csrf_token.as_deref()
    }

    /// Takes an argument away.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// An argument; null and an empty text count as absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members
            .get(name)
            .filter(|value| !matches!(value, Value::Null) && value.as_str() != Some(""))
    }

    /// A text, or a number or truth value as its text.
    ///
    /// # Errors
    /// 400 for lists and objects.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => plain(value)
                .map(Some)
                .ok_or_else(|| Problem::malformed(format!("{name} has to be a text."))),
        }
    }

    /// As [`Arguments::text`], where there has to be one.
    ///
    /// # Errors
    /// 400, also when it is absent.
    pub fn required(&self, name: &str) -> Result<String, Problem> {
        self.text(name)?
            .ok_or_else(|| Problem::malformed(format!("The argument {name} is missing.")))
    }

    /// An argument as it is, or as the list or object that its text holds.
    pub fn value(&self, name: &str) -> Option<Value> {
        let value = self.get(name)?;
        Some(unpacked(value).unwrap_or_else(|| value.clone()))
    }

    /// A switch, in any of the forms that SDKs send.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => !matches!(
                text.trim().to_ascii_lowercase().as_str(),
                "0" | "false" | "no" | "none" | "null"
            ),
            Some(Value::Array(_) | Value::Object(_)) => true,
        }
    }

    /// The document that the request brings: the member `data` as an object or JSON text, else
    /// the JSON body, else what query and form have.
    ///
    /// # Errors
    /// 400 when it is no object.
    pub fn into_document(mut self) -> Result<Map<String, Value>, Problem> {
        // A JSON body with further members may be a document that has a field of this name.
        let body_members = || self.members.keys().filter(|key| !self.query.contains(key));
        let wrapped = self.sent != Sent::Object || body_members().eq(["data"]);
        if wrapped && let Some(data) = self.members.get("data") {
            let inner = match data {
                Value::String(_) => unpacked(data),
                other => Some(other.clone()),
            };
            match inner {
                Some(Value::Object(document)) => return Ok(document),
                Some(_) => {
                    return Err(Problem::malformed("The document has to be a JSON object."));
                }
                // Text that is no JSON is a field's value.
                None => {}
            }
        }
        if self.sent == Sent::Object {
            for name in &self.query {
                self.members.remove(name);
            }
        }
        Ok(self.members)
    }
}

impl std::fmt::Debug for Arguments {
    /// Names only: values may be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Arguments")?;
        formatter.debug_list().entries(self.members.keys()).finish()
    }
}

/// A value that is one text; numbers and truth values as theirs.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The list or object that a text holds as JSON.
pub(crate) fn unpacked(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    json::parse(text.as_bytes()).ok()
}

fn form(text: &[u8]) -> Result<Map<String, Value>, Problem> {
    members_of(Params::from_form(text))
}

fn members_of(params: Result<Params, ParamsError>) -> Result<Map<String, Value>, Problem> {
    let params = params.map_err(|error| Problem::malformed(error.to_string()))?;
    let mut members = Map::new();
    for (name, value) in params.iter() {
        let twice = members.insert(name.to_owned(), Value::String(value.to_owned()));
        if twice.is_some() {
            let message = "An argument was sent more than once.";
            return Err(Problem::malformed(message));
        }
    }
    Ok(members)
}

fn read_body(content_type: &str, body: &[u8]) -> Result<(Map<String, Value>, Sent), Problem> {
    if body.trim_ascii().is_empty() {
        return Ok((Map::new(), Sent::Form));
    }
    match media_type(content_type).as_str() {
        "application/json" => {}
        "application/x-www-form-urlencoded" | "" => {
            // What curl sends with `-d '{…}'` and no header.
            if !body.trim_ascii_start().starts_with(b"{") {
                return Ok((form(body)?, Sent::Form));
            }
        }
        "multipart/form-data" => {
            let params = multipart::boundary(content_type)
                .and_then(|boundary| multipart::parse(boundary, body));
            return Ok((members_of(params)?, Sent::Form));
        }
        _ => return Err(Problem::unsupported_media_type()),
    }
    let value = json::parse(body).map_err(|error| Problem::malformed(error.to_string()))?;
    match value {
        Value::Object(members) => Ok((members, Sent::Object)),
        Value::Array(_) => {
            let mut members = Map::new();
            members.insert("data".to_owned(), value);
            Ok((members, Sent::List))
        }
        _ => Err(Problem::malformed(
            "The JSON body has to be an object or a list.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    fn parse(query: &str, media_type: &str, body: &str) -> Option<Arguments> {
        Arguments::parse(query.as_bytes(), media_type, body.as_bytes()).ok()
    }

    fn document(query: &str, media_type: &str, body: &str) -> Option<Value> {
        let arguments = parse(query, media_type, body)?;
        Some(Value::Object(arguments.into_document().ok()?))
    }

    #[test]
    fn the_body_wins_over_the_query_and_tokens_are_taken_out() {
        let arguments = parse("a=1&b=2&_=9&csrf_token=q", FORM, "b=3&csrf_token=t").unwrap();
        let members = Value::Object(arguments.members().clone());
        assert_eq!(members, json!({"a": "1", "b": "3"}));
        assert_eq!(arguments.csrf_token(), Some("t"));
        assert_eq!(format!("{arguments:?}"), r#"Arguments["a", "b"]"#);
    }

    #[test]
    fn documents_come_in_all_of_frappes_forms() {
        let expected = Some(json!({"x": 1}));
        assert_eq!(document("a=1", JSON, r#"{"x": 1}"#), expected);
        assert_eq!(document("", JSON, r#"{"data": {"x": 1}}"#), expected);
        assert_eq!(document("a=1", JSON, r#"{"data": "{\"x\": 1}"}"#), expected);
        assert_eq!(
            document("", FORM, "data=%7B%22x%22%3A1%7D&csrf_token=t"),
            expected
        );
        assert_eq!(document("data=%7B%22x%22%3A1%7D", "", ""), expected);
        assert_eq!(document("", FORM, r#"{"x": 1}"#), expected);
        assert_eq!(
            document("a=1", FORM, "x=1"),
            Some(json!({"a": "1", "x": "1"}))
        );
        assert_eq!(
            document("", FORM, "data=text"),
            Some(json!({"data": "text"}))
        );
        let own = r#"{"title": "t", "data": "{}"}"#;
        assert_eq!(document("", JSON, own), serde_json::from_str(own).ok());
        assert_eq!(document("", JSON, "[1]"), None);
        assert_eq!(document("", FORM, "data=[1]"), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for (query, media_type, body) in [
            ("a=%", FORM, ""),
            ("a=%ff", FORM, ""),
            ("a=%00", FORM, ""),
            ("a=1&a=1", FORM, ""),
            ("", FORM, "a=1&a=2"),
            ("", JSON, "{bad"),
            ("", JSON, "3"),
            ("", JSON, r#"{"a": 1, "a": 2}"#),
            ("", JSON, r#"{"a": "\u0000"}"#),
            ("", JSON, &deep),
            ("", "text/plain", "x"),
            ("", "multipart/form-data", "x"),
            ("", "multipart/form-data; boundary=x", "--x\r\n"),
        ] {
            assert_eq!(parse(query, media_type, body), None, "{query} {body}");
        }
        assert!(parse("", "text/plain", " ").is_some());
    }

    #[test]
    fn values_are_read_leniently() {
        let body = r#"{"n": 5, "t": "x", "l": "[1, 2]", "o": {"a": 1}, "e": "", "no": "False"}"#;
        let arguments = parse("", JSON, body).unwrap();
        assert_eq!(arguments.text("n").unwrap().as_deref(), Some("5"));
        assert_eq!(arguments.required("t").unwrap(), "x");
        assert!(arguments.required("e").is_err() && arguments.text("o").is_err());
        assert_eq!(arguments.value("l"), Some(json!([1, 2])));
        assert_eq!(arguments.value("t"), Some(json!("x")));
        assert!(!arguments.flag("no", true) && arguments.flag("absent", true));
        assert!(arguments.flag("n", false));
    }
}
