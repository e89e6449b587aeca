//! DocTypes as JSON Schema (2020-12, which OpenAPI 3.1 takes as it is).

use crema_document::access::Grant;
use crema_document::doctype::Naming;
use crema_document::{DocType, Field, FieldType, Registry};
use serde_json::{Map, Value, json};

/// Most characters of a name.
const NAME_LENGTH: u32 = 140;

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// What answers hold.
    Answer,
    /// What makes a document.
    New,
    /// What changes one.
    Change,
}

/// The schema of a DocType's documents: of the fields that the grant covers.
pub(super) fn document(registry: &Registry, doctype: &DocType, grant: &Grant, form: Form) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    head(doctype, form, &mut properties, &mut required);
    for field in doctype.fields.iter().filter(|field| grant.covers(field)) {
        let Some(schema) = member(registry, doctype, field, grant, form) else {
            continue;
        };
        properties.insert(field.fieldname.clone(), schema);
        if form == Form::New && is_needed(field) {
            required.push(field.fieldname.clone());
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("title".to_owned(), json!(doctype.name));
    if !doctype.description.is_empty() {
        schema.insert("description".to_owned(), json!(doctype.description));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

/// Members that are there without a field.
fn head(
    doctype: &DocType,
    form: Form,
    properties: &mut Map<String, Value>,
    required: &mut Vec<String>,
) {
    let mut put = |name: &str, schema: Value| {
        properties.insert(name.to_owned(), schema);
    };
    let text = |about: &str| json!({"type": "string", "description": about});
    match form {
        Form::New => {
            if doctype.naming() == Naming::Given {
                put("name", name(doctype));
                required.push("name".to_owned());
            }
        }
        Form::Change => {
            let mut modified = moment(false);
            let about = "When the document was changed before it was read: a document that was \
                         changed since is not overwritten.";
            describe(&mut modified, about);
            put("modified", Value::Object(modified));
        }
        Form::Answer => {
            put("name", name(doctype));
            put("owner", text("Who made it."));
            put("creation", Value::Object(moment(true)));
            put("modified", Value::Object(moment(true)));
            put("modified_by", text("Who changed it last."));
            put("docstatus", json!({"type": "integer", "enum": [0, 1, 2]}));
            put("idx", json!({"type": "integer"}));
            put("doctype", json!({"type": "string", "const": doctype.name}));
            if doctype.istable {
                put("parent", text("The document that the row belongs to."));
                put("parentfield", text("The field that holds the row."));
                put("parenttype", text("The DocType of that document."));
            }
        }
    }
}

fn name(doctype: &DocType) -> Value {
    let kind = match doctype.naming() {
        Naming::Autoincrement => json!(["integer", "string"]),
        _ => json!("string"),
    };
    json!({"type": kind, "maxLength": NAME_LENGTH, "description": "The document's name."})
}

/// The schema of one field; `None` for what this form does not have.
fn member(
    registry: &Registry,
    doctype: &DocType,
    field: &Field,
    grant: &Grant,
    form: Form,
) -> Option<Value> {
    if field.fieldtype.is_layout() || field.is_virtual {
        return None;
    }
    let is_answer = form == Form::Answer;
    let is_secret = field.fieldtype == FieldType::Password;
    // Password fields never leave; what only the system writes is not to be sent.
    if (is_answer && is_secret) || (!is_answer && field.read_only) {
        return None;
    }
    let mut schema = if field.fieldtype.is_table() {
        rows(registry, doctype, field, grant, form)?
    } else {
        value(field, is_answer || !field.reqd)
    };
    if let Some(label) = field.label.as_deref().filter(|label| !label.is_empty()) {
        schema.insert("title".to_owned(), json!(label));
    }
    if let Some(about) = field
        .description
        .as_deref()
        .filter(|about| !about.is_empty())
    {
        describe(&mut schema, about);
    }
    if field.read_only {
        schema.insert("readOnly".to_owned(), json!(true));
    }
    if is_secret {
        schema.insert("writeOnly".to_owned(), json!(true));
    }
    if form == Form::Change && field.set_only_once {
        schema.insert("x-set-only-once".to_owned(), json!(true));
    }
    if form == Form::New
        && let Some(default) = field
            .literal_default()
            .and_then(|text| default(field, text))
    {
        schema.insert("default".to_owned(), default);
    }
    Some(Value::Object(schema))
}

/// Rows of a child DocType. They have the permission of their document, levels included.
fn rows(
    registry: &Registry,
    doctype: &DocType,
    field: &Field,
    grant: &Grant,
    form: Form,
) -> Option<Map<String, Value>> {
    let child = registry.get(field.target()?)?;
    // Rows have no rows; definitions that say so in a circle would not end.
    if doctype.istable {
        return None;
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("array"));
    let mut items = document(registry, child, grant, form);
    // Rows that are kept are told by their names.
    if form == Form::Change
        && let Some(properties) = items.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.insert("name".to_owned(), name(child));
    }
    schema.insert("items".to_owned(), items);
    Some(schema)
}

/// The schema of a field's value.
fn value(field: &Field, nullable: bool) -> Map<String, Value> {
    let number = |kind: &str, format: &str| json!({"type": kind, "format": format});
    let schema = match field.fieldtype {
        FieldType::Check => json!({"type": "integer", "enum": [0, 1]}),
        FieldType::Int => number("integer", "int32"),
        FieldType::LongInt => number("integer", "int64"),
        FieldType::Currency
        | FieldType::Duration
        | FieldType::Float
        | FieldType::Percent
        | FieldType::Rating => number("number", "double"),
        FieldType::Datetime => return moment(nullable),
        FieldType::Date => text(nullable, json!({"format": "date"})),
        FieldType::Time => text(nullable, json!({"pattern": TIME})),
        FieldType::Password => text(nullable, json!({"format": "password"})),
        FieldType::Json => text(nullable, json!({"contentMediaType": "application/json"})),
        FieldType::Select => choice(field, nullable),
        _ => text(nullable, limits(field)),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

const TIME: &str = r"^\d{1,2}:\d{2}:\d{2}(\.\d{1,6})?$";
const DATETIME: &str = r"^\d{4}-\d{2}-\d{2} \d{1,2}:\d{2}:\d{2}(\.\d{1,6})?$";

/// A moment as Frappe writes it: local to the site, without a zone.
fn moment(nullable: bool) -> Map<String, Value> {
    let example = json!({"pattern": DATETIME, "examples": ["2026-11-20 18:00:00.000000"]});
    match text(nullable, example) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn text(nullable: bool, further: Value) -> Value {
    let mut schema = Map::new();
    let kind = match nullable {
        true => json!(["string", "null"]),
        false => json!("string"),
    };
    schema.insert("type".to_owned(), kind);
    if let Value::Object(further) = further {
        schema.extend(further);
    }
    Value::Object(schema)
}

/// The bounds and the meaning of a text.
fn limits(field: &Field) -> Value {
    let mut schema = Map::new();
    if let Some(limit) = field.limit() {
        schema.insert("maxLength".to_owned(), json!(limit));
    }
    match (field.fieldtype, field.options.as_deref()) {
        (FieldType::Link, Some(target)) => {
            schema.insert("x-link".to_owned(), json!(target));
        }
        (FieldType::DynamicLink, Some(target)) => {
            schema.insert("x-link-field".to_owned(), json!(target));
        }
        (FieldType::Data, Some("Email")) => {
            schema.insert("format".to_owned(), json!("email"));
        }
        (FieldType::Data, Some("URL")) => {
            schema.insert("format".to_owned(), json!("uri"));
        }
        _ => {}
    }
    Value::Object(schema)
}

fn choice(field: &Field, nullable: bool) -> Value {
    let mut choices: Vec<Value> = field.choices().map(Value::from).collect();
    let may_be_empty = nullable || choices.contains(&json!(""));
    if may_be_empty {
        if !choices.contains(&json!("")) {
            choices.push(json!(""));
        }
        choices.push(Value::Null);
    }
    text(may_be_empty, json!({"enum": choices}))
}

fn is_needed(field: &Field) -> bool {
    field.reqd && !field.read_only && field.default.is_none() && field.fetch_from.is_none()
}

fn default(field: &Field, text: &str) -> Option<Value> {
    if !field.fieldtype.is_numeric() {
        return Some(json!(text));
    }
    let number = text.parse::<i64>().map(Value::from).ok();
    number.or_else(|| text.parse::<f64>().ok().map(Value::from))
}

fn describe(schema: &mut Map<String, Value>, about: &str) {
    schema.insert("description".to_owned(), json!(about));
}
