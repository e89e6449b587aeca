//! The paths of a DocType's documents, in both versions of the API.

use crema_document::access::Action;
use crema_document::names::snake_case;
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use super::common::{Version, list_parameters, put, responses};
use super::schema::{self, Form};
use super::view::{Need, Parts, View, Visible, schema_ref};
use crate::reply::COMPONENT;

/// Adds the paths and schemas of a DocType.
pub(super) fn describe(
    view: &View<'_>,
    visible: &Visible,
    parts: &mut Parts,
    paths: &mut Map<String, Value>,
) {
    schemas(view, visible, parts);
    let segment = utf8_percent_encode(&visible.doctype.name, COMPONENT).to_string();
    for (version, base) in [
        (Version::V1, "/api/resource"),
        (Version::V2, "/api/v2/document"),
    ] {
        let mut describer = Describer {
            view,
            visible,
            version,
            parts,
        };
        if visible.doctype.issingle {
            let path = format!("{base}/{segment}/{segment}");
            describer.insert(paths, path, &[Way::Get, Way::Put, Way::Patch]);
            continue;
        }
        describer.insert(paths, format!("{base}/{segment}"), &[Way::List, Way::Post]);
        let one = [Way::Get, Way::Put, Way::Patch, Way::Delete];
        describer.insert(paths, format!("{base}/{segment}/{{name}}"), &one);
        if version == Version::V2 {
            let about = format!("/api/v2/doctype/{segment}");
            describer.insert(paths, format!("{about}/count"), &[Way::Count]);
            describer.insert(paths, format!("{about}/meta"), &[Way::Meta]);
        }
    }
}

/// The schemas of its documents, under `components/schemas`.
fn schemas(view: &View<'_>, visible: &Visible, parts: &mut Parts) {
    let forms = [
        (Form::Answer, &visible.read, ""),
        (Form::New, &visible.create, ".new"),
        (Form::Change, &visible.write, ".change"),
    ];
    for (form, grant, suffix) in forms {
        if let Some(grant) = grant {
            let schema = schema::document(view.registry, &visible.doctype, grant, form);
            parts
                .schemas
                .insert(format!("{}{suffix}", visible.id), schema);
        }
    }
}

/// An operation on documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    List,
    Post,
    Get,
    Put,
    Patch,
    Delete,
    Count,
    Meta,
}

impl Way {
    /// The HTTP method, the word in the operation's id, and what the caller has to be allowed.
    fn row(self) -> (&'static str, &'static str, Action) {
        match self {
            Way::List => ("get", "list", Action::Read),
            Way::Post => ("post", "create", Action::Create),
            Way::Get => ("get", "get", Action::Read),
            Way::Put => ("put", "update", Action::Write),
            Way::Patch => ("patch", "patch", Action::Write),
            Way::Delete => ("delete", "delete", Action::Delete),
            Way::Count => ("get", "count", Action::Read),
            Way::Meta => ("get", "meta", Action::Read),
        }
    }
}

struct Describer<'a> {
    view: &'a View<'a>,
    visible: &'a Visible,
    version: Version,
    parts: &'a mut Parts,
}

impl Describer<'_> {
    /// Adds a path with those of its operations that the caller may use.
    fn insert(&mut self, paths: &mut Map<String, Value>, path: String, ways: &[Way]) {
        let mut item = Map::new();
        if path.ends_with("{name}") {
            let name = json!({"$ref": "#/components/parameters/name"});
            item.insert("parameters".to_owned(), json!([name]));
        }
        let mut is_empty = true;
        for &way in ways {
            let (method, _, action) = way.row();
            let is_known = way != Way::Patch || self.version == Version::V2;
            if is_known && self.visible.may(action) {
                item.insert(method.to_owned(), self.operation(way));
                is_empty = false;
            }
        }
        if !is_empty {
            paths.insert(path, Value::Object(item));
        }
    }

    fn operation(&mut self, way: Way) -> Value {
        let doctype = &self.visible.doctype.name;
        let (method, word, action) = way.row();
        let verb = action.name();
        let scope = format!("{}:{verb}", snake_case(doctype));
        let security = self.parts.security(Need {
            scope: Some((scope, format!("{} {doctype}", titled(verb)))),
            is_change: method != "get",
            is_open: self.view.is_guest,
        });
        let (status, about, answer) = self.answer(way);
        let mut operation = json!({
            "operationId": format!("{}{word}_{}", self.version.prefix(), self.visible.id),
            "summary": format!("{} {doctype}", titled(word)),
            "tags": [doctype],
            "security": security,
        });
        if matches!(way, Way::List | Way::Count) {
            let parameters = match way {
                Way::List => list_parameters(self.version),
                _ => vec![json!({"$ref": "#/components/parameters/filters"})],
            };
            put(&mut operation, "parameters", Value::Array(parameters));
        }
        let form = match way {
            Way::Post => Some("new"),
            Way::Put | Way::Patch => Some("change"),
            _ => None,
        };
        if let Some(form) = form {
            let body = body(&format!("{}.{form}", self.visible.id));
            put(&mut operation, "requestBody", body);
        }
        let responses = responses(self.version, form.is_some(), (status, about, &answer));
        put(&mut operation, "responses", responses);
        operation
    }

    /// Status, meaning and schema of the good answer.
    fn answer(&self, way: Way) -> (u16, &'static str, Value) {
        let data = |schema: Value| json!({"type": "object", "properties": {"data": schema}, "required": ["data"]});
        match way {
            Way::List => (200, "The rows.", self.rows()),
            Way::Delete => (202, "It is removed.", data(json!({"const": "ok"}))),
            Way::Count => (200, "How many.", data(json!({"type": "integer"}))),
            Way::Meta => (200, "The definition.", data(json!({"type": "object"}))),
            Way::Post | Way::Get | Way::Put | Way::Patch => {
                // Who may make or change a document need not be able to see it.
                let document = match self.visible.read {
                    Some(_) => self.document(),
                    None => json!({"type": "object"}),
                };
                (200, "The document.", data(document))
            }
        }
    }

    fn document(&self) -> Value {
        let own = schema_ref(&self.visible.id);
        json!({"allOf": [own, {"required": ["name", "doctype"]}]})
    }

    fn rows(&self) -> Value {
        let own = schema_ref(&self.visible.id);
        let rows = json!({"type": "array", "items": {"anyOf": [own, schema_ref("api.Row")]}});
        match self.version {
            Version::V1 => json!({
                "type": "object", "properties": {"data": rows}, "required": ["data"],
            }),
            Version::V2 => json!({
                "type": "object",
                "properties": {"has_next_page": {"type": "boolean"}, "data": rows},
                "required": ["has_next_page", "data"],
            }),
        }
    }
}

fn body(schema: &str) -> Value {
    let schema = schema_ref(schema);
    json!({
        "required": true,
        "content": {
            "application/json": {"schema": schema},
            "application/x-www-form-urlencoded": {"schema": {
                "type": "object",
                "properties": {"data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": schema,
                }},
            }},
        },
    })
}

fn titled(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
