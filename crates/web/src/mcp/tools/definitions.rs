//! The tools as clients see them: names, descriptions for assistants, schemas, hints.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::read::MOST_ROWS;

/// What a tool does to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing.
    Reads,
    /// There is more than before, each time.
    Adds,
    /// Something is not as before; doing it again changes nothing more.
    Changes,
    /// It depends.
    Unknown,
}

/// All tools, the same for everybody.
pub(in crate::mcp) fn all() -> &'static [Tool] {
    static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
        let mut tools = reading();
        tools.extend(writing());
        tools
    });
    &TOOLS
}

fn reading() -> Vec<Tool> {
    vec![
        tool(
            ("list_doctypes", "List DocTypes", Effect::Reads),
            "Lists the kinds of documents (DocTypes) that you may work with, and what you may do \
             with the documents of each: read, write, create, delete. A `single` has exactly one \
             document. Start here when you do not know what a site holds.",
            json!({"search": text("Only DocTypes whose name contains this text.")}),
            &[],
            json!({"doctypes": rows("DocTypes: name, module, description, may, single.")}),
        ),
        tool(
            ("describe_doctype", "Describe a DocType", Effect::Reads),
            "Shows the fields of a DocType: fieldname, type, label, whether it has to be filled in \
             (reqd), the choices of a Select and the target of a Link (options), and what you may do \
             with its documents. Use the fieldnames it gives in all other tools.",
            json!({"doctype": doctype()}),
            &["doctype"],
            json!({
                "name": text("The DocType's name."),
                "fields": rows("The fields that you may read."),
                "may": {"type": "array", "items": {"type": "string"}},
            }),
        ),
        tool(
            ("list_documents", "List documents", Effect::Reads),
            "Finds documents of a DocType. Gives at most 100 rows; when there are more, the result \
             has `next_start`, to be given as `start` of the next call. Without `fields` it gives \
             names only. To count, call the method frappe.client.get_count.",
            json!({
                "doctype": doctype(),
                "fields": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Fieldnames to show, such as [\"name\", \"status\"]; [\"*\"] for \
                                    all. `link_field.field` shows a field of the linked document.",
                },
                "filters": filters("All have to hold."),
                "or_filters": filters("One has to hold."),
                "order_by": text("Such as \"modified desc\" or \"date asc, name asc\"."),
                "group_by": text("A field; `fields` may hold aggregates then, such as \
                                  \"count(name) as number\"."),
                "limit": {
                    "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 20,
                    "description": "How many rows at most.",
                },
                "start": {
                    "type": "integer", "minimum": 0, "default": 0,
                    "description": "How many rows to leave out.",
                },
                "parent": text("For rows of child tables only: the DocType of their documents."),
            }),
            &["doctype"],
            json!({
                "documents": rows("The rows."),
                "next_start": {"type": "integer"},
            }),
        ),
        tool(
            ("get_document", "Get a document", Effect::Reads),
            "Reads one document with all its fields and child tables. Empty fields are left out, \
             and so are fields that you may not read.",
            json!({
                "doctype": doctype(),
                "name": text("The document's name. Not needed for a single."),
                "expand_links": {
                    "type": "boolean", "default": false,
                    "description": "Show linked documents in the place of their names.",
                },
            }),
            &["doctype"],
            json!({"document": one("The document.")}),
        ),
    ]
}

fn writing() -> Vec<Tool> {
    vec![
        tool(
            ("create_document", "Create a document", Effect::Adds),
            "Makes a new document and gives it as it was stored, with its name. Look at \
             describe_doctype first for the fields that are required. Child tables are lists of \
             objects.",
            json!({"doctype": doctype(), "values": object("Values by fieldname.")}),
            &["doctype", "values"],
            stored(),
        ),
        tool(
            ("update_document", "Update a document", Effect::Changes),
            "Changes the given fields of a document; the others stay. Of a child table give all \
             rows, those that stay with their name. Give `modified` among the values, as you read \
             it, and the change is refused when somebody else was faster.",
            json!({
                "doctype": doctype(),
                "name": text("The document's name. Not needed for a single."),
                "values": object("New values by fieldname."),
            }),
            &["doctype", "values"],
            stored(),
        ),
        tool(
            ("delete_document", "Delete a document", Effect::Changes),
            "Removes a document for good. It is refused while other documents link to it.",
            json!({"doctype": doctype(), "name": text("The document's name.")}),
            &["doctype", "name"],
            json!({"deleted": text("The name of the document that is gone.")}),
        ),
        tool(
            ("call_method", "Call a method", Effect::Unknown),
            "Calls a whitelisted method of the site. Methods: frappe.client.get_count (doctype, \
             filters), frappe.client.get_value (doctype, fieldname, filters), \
             frappe.client.get_single_value (doctype, field), frappe.client.get (doctype, name or \
             filters), frappe.client.get_list (as list_documents), frappe.client.insert (doc), \
             frappe.client.insert_many (docs), frappe.client.set_value (doctype, name, fieldname, \
             value), frappe.client.save (doc), frappe.client.bulk_update (docs), \
             frappe.client.delete (doctype, name), frappe.auth.get_logged_user, ping, version.",
            json!({
                "method": text("The dotted path of the method."),
                "arguments": object("Its arguments by name."),
            }),
            &["method"],
            json!({"result": {"description": "What the method gives."}}),
        ),
    ]
}

/// A tool: its name, title and effect, what it does, its arguments, those that have to be there,
/// and the members of its result.
fn tool(
    (name, title, effect): (&'static str, &str, Effect),
    description: &'static str,
    arguments: Value,
    required: &[&str],
    result: Value,
) -> Tool {
    let input = schema(json!({
        "type": "object",
        "properties": arguments,
        "required": required,
        "additionalProperties": false,
    }));
    let output = schema(json!({"type": "object", "properties": result}));
    let hints = match effect {
        Effect::Reads => ToolAnnotations::from_raw(None, Some(true), None, None, Some(false)),
        other => ToolAnnotations::from_raw(
            None,
            Some(false),
            Some(other != Effect::Adds),
            Some(other == Effect::Changes),
            Some(false),
        ),
    };
    Tool::new(name, description, input)
        .with_title(title)
        .with_raw_output_schema(output)
        .with_annotations(hints)
}

fn schema(value: Value) -> Arc<JsonObject> {
    Arc::new(match value {
        Value::Object(members) => members,
        _ => Map::new(),
    })
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn doctype() -> Value {
    text("The name of a DocType, such as \"ToDo\".")
}

fn object(description: &str) -> Value {
    json!({"type": "object", "description": description})
}

fn one(description: &str) -> Value {
    object(description)
}

fn rows(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "object"}, "description": description})
}

/// The result of tools that store a document.
fn stored() -> Value {
    json!({
        "document": one("The document as it is stored now."),
        "ignored": {
            "type": "array", "items": {"type": "string"},
            "description": "Members of `values` that were passed over: no fields of it that you may see.",
        },
    })
}

/// Lists are taken as well, as over REST; some models' makers refuse a schema of two types.
fn filters(description: &str) -> Value {
    let forms = "By fieldname: {\"status\": \"Open\", \"date\": [\"<\", \"2026-12-01\"]}. Operators: =, !=, \
                 <, >, <=, >=, like, not like (with % for anything), in, not in (a list), between (a \
                 list of two), is (\"set\" or \"not set\").";
    object(&format!("{description} {forms}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::methods;

    #[test]
    fn tools_have_names_that_every_client_takes_and_say_what_they_do() {
        for tool in all() {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(tool.name.chars().all(plain) && tool.name.len() <= 64);
            assert!(tool.title.is_some() && tool.annotations.is_some());
            let properties = tool.input_schema["properties"].as_object().unwrap();
            for (name, schema) in properties {
                assert!(schema["description"].is_string(), "{name}");
                let list = schema["type"].as_str() == Some("array");
                assert!(schema["type"].is_string() && list == schema["items"].is_object());
            }
            for required in tool.input_schema["required"].as_array().unwrap() {
                assert!(properties.contains_key(required.as_str().unwrap()));
            }
        }
    }

    #[test]
    fn all_methods_but_the_one_that_shows_secrets_are_named() {
        let tool = all().iter().find(|tool| tool.name == "call_method");
        let description = tool.unwrap().description.as_deref().unwrap();
        for name in methods::names() {
            let shown = description.contains(name);
            assert_eq!(shown, !name.ends_with("generate_keys"), "{name}");
        }
    }
}
