//! Methods: `/api/method/<dotted.name>`.

use crema_document::access::Action;
use serde_json::{Map, Value, json};

use super::common::{Version, put, responses};
use super::view::{Need, Parts, View, Visible, schema_ref};

/// The type of an argument.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Any,
    /// A DocType of which the caller may do what the method does.
    DocType,
    /// The same, of those that have one document.
    Single,
    Filters,
    Names,
    Document,
    Documents,
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody, signed in or not.
    Anybody,
    /// Whoever is signed in, whatever the scope of a token.
    User,
    /// As [`Who::User`], where the scope is `all` or names the method.
    Scoped,
    /// Whoever may do this with documents of some DocType.
    May(Action),
}

struct Argument {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn needed(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        required: true,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        required: false,
    }
}

struct Method {
    name: &'static str,
    about: &'static str,
    who: Who,
    /// GET with a query, or POST with a body.
    is_change: bool,
    arguments: &'static [Argument],
}

const LIST: &[Argument] = &[
    needed("doctype", Kind::DocType),
    optional("fields", Kind::Names),
    optional("filters", Kind::Filters),
    optional("or_filters", Kind::Filters),
    optional("order_by", Kind::Text),
    optional("group_by", Kind::Text),
    optional("limit_start", Kind::Number),
    optional("limit_page_length", Kind::Number),
    optional("parent", Kind::Text),
];

const METHODS: &[Method] = &[
    Method {
        name: "ping",
        about: "Is somebody there?",
        who: Who::Anybody,
        is_change: false,
        arguments: &[],
    },
    Method {
        name: "version",
        about: "The version of the server.",
        who: Who::Anybody,
        is_change: false,
        arguments: &[],
    },
    Method {
        name: "login",
        about: "Begins a session.",
        who: Who::Anybody,
        is_change: true,
        arguments: &[needed("usr", Kind::Text), needed("pwd", Kind::Text)],
    },
    Method {
        name: "logout",
        about: "Ends the session.",
        who: Who::Anybody,
        is_change: true,
        arguments: &[],
    },
    Method {
        name: "frappe.auth.get_logged_user",
        about: "Who asks.",
        who: Who::User,
        is_change: false,
        arguments: &[],
    },
    Method {
        name: "frappe.client.get_list",
        about: "The rows of a list.",
        who: Who::May(Action::Read),
        is_change: false,
        arguments: LIST,
    },
    Method {
        name: "frappe.client.get_count",
        about: "How many documents the filters admit.",
        who: Who::May(Action::Read),
        is_change: false,
        arguments: &[
            needed("doctype", Kind::DocType),
            optional("filters", Kind::Filters),
        ],
    },
    Method {
        name: "frappe.client.get",
        about: "One document, by name or as the first that the filters admit.",
        who: Who::May(Action::Read),
        is_change: false,
        arguments: &[
            needed("doctype", Kind::DocType),
            optional("name", Kind::Text),
            optional("filters", Kind::Filters),
        ],
    },
    Method {
        name: "frappe.client.get_value",
        about: "Fields of the first document that the filters admit.",
        who: Who::May(Action::Read),
        is_change: false,
        arguments: &[
            needed("doctype", Kind::DocType),
            needed("fieldname", Kind::Names),
            optional("filters", Kind::Filters),
        ],
    },
    Method {
        name: "frappe.client.get_single_value",
        about: "A field of a DocType that has one document.",
        who: Who::May(Action::Read),
        is_change: false,
        arguments: &[needed("doctype", Kind::Single), needed("field", Kind::Text)],
    },
    Method {
        name: "frappe.client.insert",
        about: "Makes a document.",
        who: Who::May(Action::Create),
        is_change: true,
        arguments: &[needed("doc", Kind::Document)],
    },
    Method {
        name: "frappe.client.insert_many",
        about: "Makes documents; gives their names.",
        who: Who::May(Action::Create),
        is_change: true,
        arguments: &[needed("docs", Kind::Documents)],
    },
    Method {
        name: "frappe.client.set_value",
        about: "Changes one field, or those of an object.",
        who: Who::May(Action::Write),
        is_change: true,
        arguments: &[
            needed("doctype", Kind::DocType),
            needed("name", Kind::Text),
            needed("fieldname", Kind::Any),
            optional("value", Kind::Any),
        ],
    },
    Method {
        name: "frappe.client.save",
        about: "Changes a document.",
        who: Who::May(Action::Write),
        is_change: true,
        arguments: &[needed("doc", Kind::Document)],
    },
    Method {
        name: "frappe.client.bulk_update",
        about: "Changes documents, each named by `doctype` and `docname`.",
        who: Who::May(Action::Write),
        is_change: true,
        arguments: &[needed("docs", Kind::Documents)],
    },
    Method {
        name: "frappe.client.delete",
        about: "Removes a document.",
        who: Who::May(Action::Delete),
        is_change: true,
        arguments: &[needed("doctype", Kind::DocType), needed("name", Kind::Text)],
    },
    Method {
        name: GENERATE_KEYS,
        about: "A new pair of API key and secret for a user; the secret is shown this once.",
        who: Who::Scoped,
        is_change: true,
        arguments: &[needed("user", Kind::Text)],
    },
];

/// The schema of the names of DocTypes that have one document.
const SINGLES: &str = "api.Single.read";
const GENERATE_KEYS: &str = "frappe.core.doctype.user.user.generate_keys";

/// Adds the methods that the caller may call.
pub(super) fn describe(
    view: &View<'_>,
    doctypes: &[Visible],
    parts: &mut Parts,
    paths: &mut Map<String, Value>,
) {
    for action in [Action::Read, Action::Write, Action::Create, Action::Delete] {
        let names = doctypes.iter().filter(|visible| visible.may(action));
        let names: Vec<_> = names.map(|visible| visible.doctype.name.as_str()).collect();
        if !names.is_empty() {
            let schema = json!({"type": "string", "enum": names});
            parts.schemas.insert(doctype_schema(action), schema);
        }
    }
    let singles = doctypes
        .iter()
        .filter(|visible| visible.doctype.issingle && visible.may(Action::Read));
    let singles: Vec<_> = singles
        .map(|visible| visible.doctype.name.as_str())
        .collect();
    let has_singles = !singles.is_empty();
    if has_singles {
        let schema = json!({"type": "string", "enum": singles});
        parts.schemas.insert(SINGLES.to_owned(), schema);
    }
    let is_manager = view.actor.administrator || view.actor.roles.contains("System Manager");
    for method in METHODS {
        let may = match method.who {
            Who::Anybody => true,
            Who::User => !view.is_guest,
            Who::Scoped => is_manager && view.may_call(method.name),
            Who::May(action) => doctypes.iter().any(|visible| visible.may(action)),
        };
        let of_single = |argument: &Argument| matches!(argument.kind, Kind::Single);
        if !may || (!has_singles && method.arguments.iter().any(of_single)) {
            continue;
        }
        for (version, base) in [
            (Version::V1, "/api/method"),
            (Version::V2, "/api/v2/method"),
        ] {
            let verb = if method.is_change { "post" } else { "get" };
            let operation = operation(view, method, version, parts);
            paths.insert(format!("{base}/{}", method.name), json!({verb: operation}));
        }
    }
}

fn operation(view: &View<'_>, method: &Method, version: Version, parts: &mut Parts) -> Value {
    let scope = (method.who == Who::Scoped).then(|| {
        let scope = format!("method:{}", method.name);
        (scope, format!("Call {}", method.name))
    });
    let is_open = match method.who {
        Who::Anybody => true,
        Who::May(_) => view.is_guest,
        Who::User | Who::Scoped => false,
    };
    let security = match method.who {
        // The sign-in itself.
        Who::Anybody if method.is_change => json!([{}]),
        _ => parts.security(Need {
            scope,
            is_change: method.is_change,
            is_open,
        }),
    };
    let mut operation = json!({
        "operationId": format!("{}call_{}", version.prefix(), method.name.replace('.', "_")),
        "summary": method.about,
        "tags": ["Methods"],
        "security": security,
    });
    if matches!(method.who, Who::May(_)) {
        let about = "A token needs the scope of the document, as for its own path.";
        put(&mut operation, "description", json!(about));
    }
    if method.is_change {
        put(&mut operation, "requestBody", body(method));
    } else if !method.arguments.is_empty() {
        let parameters = method.arguments.iter();
        let parameters: Vec<_> = parameters.map(|one| parameter(method, one)).collect();
        put(&mut operation, "parameters", Value::Array(parameters));
    }
    let member = match version {
        Version::V1 => "message",
        Version::V2 => "data",
    };
    // Frappe's clients know results of nothing as an empty object.
    let mut answer = json!({"type": "object", "properties": {member: {}}});
    if method.name == "login" || method.name == "logout" {
        put(&mut answer, "properties", json!({}));
    }
    put(
        &mut operation,
        "responses",
        responses(version, method.is_change, (200, "The result.", &answer)),
    );
    operation
}

fn doctype_schema(action: Action) -> String {
    format!("api.DocType.{}", action.name())
}

fn schema(method: &Method, kind: Kind) -> Value {
    let names = json!({"type": "array", "items": {"type": "string"}});
    let document = json!({
        "type": "object",
        "properties": {"doctype": {"type": "string"}, "name": {"type": "string"}},
        "required": ["doctype"],
    });
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": "integer", "minimum": 0}),
        Kind::Any => json!({}),
        Kind::DocType => match method.who {
            Who::May(action) => schema_ref(&doctype_schema(action)),
            _ => json!({"type": "string"}),
        },
        Kind::Single => schema_ref(SINGLES),
        Kind::Filters => json!({
            "anyOf": [schema_ref("api.Filters"), {"type": "string", "description": "A name."}],
        }),
        Kind::Names => json!({"anyOf": [names, {"type": "string"}]}),
        Kind::Document => document,
        Kind::Documents => json!({"type": "array", "items": document}),
    }
}

fn parameter(method: &Method, argument: &Argument) -> Value {
    let schema = schema(method, argument.kind);
    let mut parameter = json!({"name": argument.name, "in": "query"});
    if argument.required {
        put(&mut parameter, "required", json!(true));
    }
    match argument.kind {
        Kind::Filters | Kind::Names | Kind::Any | Kind::Document | Kind::Documents => {
            let content = json!({"application/json": {"schema": schema}});
            put(&mut parameter, "content", content);
        }
        Kind::Text | Kind::Number | Kind::DocType | Kind::Single => {
            put(&mut parameter, "schema", schema)
        }
    }
    parameter
}

fn body(method: &Method) -> Value {
    let mut properties = Map::new();
    for argument in method.arguments {
        properties.insert(argument.name.to_owned(), schema(method, argument.kind));
    }
    let required = method.arguments.iter().filter(|argument| argument.required);
    let required: Vec<_> = required.map(|argument| argument.name).collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        put(&mut schema, "required", json!(required));
    }
    json!({
        "required": !required.is_empty(),
        "content": {"application/json": {"schema": schema}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Endpoint;

    #[test]
    fn every_method_that_there_is_is_described_and_no_other() {
        let described: Vec<_> = METHODS
            .iter()
            .map(|method| Endpoint::of_method(method.name))
            .collect();
        assert!(!described.contains(&Endpoint::UnknownMethod));
        let methods = Endpoint::ALL.iter().filter(|endpoint| endpoint.is_method());
        for endpoint in methods.filter(|endpoint| endpoint.is_resource()) {
            assert!(described.contains(endpoint), "{}", endpoint.label());
        }
    }
}
