//! What all operations share: errors, list parameters, ways to sign in.

use crema_protocol::endpoints;
use serde_json::{Map, Value, json};

use super::view::{Parts, View};

/// The refusals that an operation may end in.
// spec: http.md, Resource server, "Statuses"
const REFUSALS: &[(u16, &str, &str)] = &[
    (
        400,
        "Malformed",
        "The request cannot be understood, or a session's CSRF token is missing.",
    ),
    (
        401,
        "Unauthenticated",
        "Nobody is signed in, or the credentials are not good.",
    ),
    (
        403,
        "Forbidden",
        "The user may not, or the token's scope is too small.",
    ),
    (404, "NotFound", "There is no such document."),
    (405, "MethodNotAllowed", "The path has other HTTP methods."),
    (409, "Duplicate", "There is a document of this name."),
    (413, "TooLarge", "The body is too large."),
    (415, "MediaType", "The body is neither JSON nor a form."),
    (
        417,
        "Invalid",
        "A rule of the document is broken, or it was changed since it was read.",
    ),
    (
        429,
        "TooMany",
        "Too many attempts; Retry-After says when to come back.",
    ),
    (
        503,
        "Unavailable",
        "The database does not answer; Retry-After says when to come back.",
    ),
];

/// Which of the two forms answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `/api/…` and `/api/v1/…`.
    V1,
    /// `/api/v2/…`.
    V2,
}

impl Version {
    /// What operations of this version are called with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Version::V1 => "",
            Version::V2 => "v2_",
        }
    }

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Version::V1 => "",
            Version::V2 => "V2",
        }
    }
}

/// Refusals that only operations with a body end in.
const OF_BODIES: [u16; 3] = [409, 413, 415];

/// The responses of an operation: the good one, and the refusals that it can end in.
pub(super) fn responses(
    version: Version,
    has_body: bool,
    (status, about, schema): (u16, &str, &Value),
) -> Value {
    let mut responses = Map::new();
    let good = json!({
        "description": about,
        "content": {"application/json": {"schema": schema}},
    });
    responses.insert(status.to_string(), good);
    let possible = REFUSALS
        .iter()
        .filter(|(status, _, _)| has_body || !OF_BODIES.contains(status));
    for (status, name, _) in possible {
        let name = format!("#/components/responses/{name}{}", version.suffix());
        responses.insert(status.to_string(), json!({"$ref": name}));
    }
    Value::Object(responses)
}

/// `components/responses`.
pub(super) fn refusals() -> Value {
    let mut responses = Map::new();
    for version in [Version::V1, Version::V2] {
        let schema = format!("#/components/schemas/api.Error{}", version.suffix());
        for (status, name, about) in REFUSALS {
            let mut response = json!({
                "description": about,
                "content": {"application/json": {"schema": {"$ref": schema}}},
            });
            if let Some(headers) = headers(*status) {
                put(&mut response, "headers", headers);
            }
            responses.insert(format!("{name}{}", version.suffix()), response);
        }
    }
    Value::Object(responses)
}

fn headers(status: u16) -> Option<Value> {
    let text = json!({"type": "string"});
    match status {
        401 | 403 => Some(json!({
            "WWW-Authenticate": {
                "description": "What is needed (RFC 6750 §3): where the site says how to get a \
                                token, or the scope that would do.",
                "schema": text,
            },
        })),
        405 => Some(json!({"Allow": {"schema": text}})),
        429 | 503 => Some(json!({
            "Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}},
        })),
        _ => None,
    }
}

/// Schemas that are there for everybody.
pub(super) fn schemas() -> Map<String, Value> {
    let text = |about: &str| json!({"type": "string", "description": about});
    let schemas = json!({
        "api.Error": {
            "type": "object",
            "description": "What Frappe's clients expect of an error. Errors before the site's \
                            documents are reached have the members of OAuth.",
            "properties": {
                "exc_type": text("The name of Frappe's exception."),
                "exception": text("That and what happened."),
                "_error_message": text("What happened, in a sentence."),
                "_server_messages": text("JSON: a list of JSON texts with message, title and indicator."),
                "exc": text("JSON: a list with one line."),
                "error": text("The code of an OAuth error."),
                "error_description": text("What happened, in a sentence."),
            },
            "anyOf": [{"required": ["exc_type"]}, {"required": ["error"]}],
        },
        "api.ErrorV2": {
            "type": "object",
            "properties": {
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "type": text("The name of Frappe's exception."),
                            "message": text("What happened, in a sentence."),
                        },
                        "required": ["type"],
                    },
                },
                "error": text("The code of an OAuth error."),
                "error_description": text("What happened, in a sentence."),
            },
            "anyOf": [{"required": ["errors"]}, {"required": ["error"]}],
        },
        "api.Row": {
            "description": "A row that is more than the document's own fields: fields of other \
                            documents, sums, expanded links; or a list of values (as_dict=0).",
            "type": ["object", "array"],
        },
        "api.Filters": {
            "description": "Conditions on fields: an object, or a list of [field, operator, value] \
                            or [DocType, field, operator, value]. Operators: =, !=, <, >, <=, >=, \
                            like, not like, in, not in, is (set, not set), between.",
            "anyOf": [
                {"type": "object"},
                {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 4}},
            ],
            "examples": [{"status": "Open"}, [["modified", ">", "2026-11-20"]]],
        },
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

/// The parameters of lists, by name: `components/parameters`.
pub(super) fn parameters() -> Value {
    let filters = json!({"$ref": "#/components/schemas/api.Filters"});
    let names = json!({"type": "array", "items": {"type": "string"}});
    let number = |about: &str, default: u32| json!({"type": "integer", "minimum": 0, "default": default, "description": about});
    let json = |name: &str, about: &str, schema: &Value| {
        json!({
            "name": name, "in": "query", "description": about,
            "content": {"application/json": {"schema": schema}},
        })
    };
    let plain = |name: &str, about: &str, schema: &Value| json!({"name": name, "in": "query", "description": about, "schema": schema});
    let text = json!({"type": "string"});
    json!({
        "fields": json("fields", "The fields of each row: names, `link.field`, a child table's \
            fields, or `*`. Without it only `name`.",
            &json!({"anyOf": [names, {"const": "*"}]})),
        "filters": json("filters", "Conditions that all hold.", &filters),
        "or_filters": json("or_filters", "Conditions of which one holds.", &filters),
        "order_by": plain("order_by", "`field asc, other desc`", &text),
        "group_by": plain("group_by", "`field, other`", &text),
        "limit_start": plain("limit_start", "How many rows to leave out. Also `start`.",
            &number("From 0.", 0)),
        "limit_page_length": plain("limit_page_length",
            "How many rows at most; 0 is all, up to the site's bound. Also `limit`.",
            &number("Rows.", 20)),
        "as_dict": plain("as_dict", "0: each row is a list of values.",
            &json!({"type": "integer", "enum": [0, 1], "default": 1})),
        "name": {
            "name": "name", "in": "path", "required": true,
            "description": "The document's name, percent-encoded.",
            "schema": {"type": "string"},
        },
        "expand": json("expand", "Links whose documents are put in the place of their names.",
            &names),
    })
}

/// The list parameters that a version knows, as references.
pub(super) fn list_parameters(version: Version) -> Vec<Value> {
    let all = [
        "fields",
        "filters",
        "or_filters",
        "order_by",
        "group_by",
        "limit_start",
        "limit_page_length",
        "expand",
    ];
    let own = match version {
        Version::V1 => &["as_dict"][..],
        Version::V2 => &[],
    };
    all.iter()
        .chain(own)
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect()
}

/// `components/securitySchemes`.
// spec: http.md, Resource server, the first line
pub(super) fn security_schemes(view: &View<'_>, parts: &Parts) -> Value {
    let mut scopes = Map::new();
    scopes.insert("all".to_owned(), json!("Everything that you may do."));
    for scope in view.scopes_supported {
        scopes.entry(scope.clone()).or_insert_with(|| json!(""));
    }
    for (scope, meaning) in &parts.scopes {
        scopes.insert(scope.clone(), json!(meaning));
    }
    let token_url = endpoints::TOKEN.url(view.issuer);
    json!({
        "oauth2": {
            "type": "oauth2",
            "description": "`Authorization: Bearer …`",
            "flows": {"authorizationCode": {
                "authorizationUrl": endpoints::AUTHORIZE.url(view.issuer),
                "tokenUrl": token_url,
                "refreshUrl": token_url,
                "scopes": scopes,
            }},
        },
        "api_key": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`token <api_key>:<api_secret>`",
        },
        "basic": {
            "type": "http", "scheme": "basic",
            "description": "API key and secret in the place of user and password.",
        },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "sid",
            "description": "The cookie of a sign-in.",
        },
        "csrf": {
            "type": "apiKey", "in": "header", "name": "X-Frappe-CSRF-Token",
            "description": "The session's token, where a page of the site has handed one out.",
        },
    })
}

pub(super) fn put(target: &mut Value, name: &str, value: Value) {
    if let Some(target) = target.as_object_mut() {
        target.insert(name.to_owned(), value);
    }
}
