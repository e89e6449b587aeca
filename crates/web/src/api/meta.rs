//! `/api/v2/doctype/<DocType>/meta`: the definition of a DocType, as far as its documents may be
//! read.

use crema_document::access::{self, Action, Actor, Grant};
use crema_document::{DocType, DocumentError, Field, Registry};
use serde_json::{Map, Value, json};

/// The definition with the fields that the actor may read.
///
/// # Errors
/// [`crema_document::Reason::Permission`] and [`crema_document::Reason::Scope`], as for a
/// document.
pub(crate) fn describe(
    registry: &Registry,
    doctype: &DocType,
    actor: &Actor,
) -> Result<Value, DocumentError> {
    let grant = match belongs_to(registry, doctype, actor) {
        Some(grant) => grant,
        None => access::require(doctype, actor, Action::Read)?,
    };
    let visible = doctype.fields.iter().filter(|field| grant.covers(field));
    let fields = visible.map(about_field);
    Ok(json!({
        "doctype": "DocType",
        "name": doctype.name,
        "module": doctype.module,
        "description": doctype.description,
        "autoname": doctype.autoname,
        "issingle": u8::from(doctype.issingle),
        "istable": u8::from(doctype.istable),
        "is_virtual": u8::from(doctype.is_virtual),
        "title_field": doctype.title_field,
        "search_fields": doctype.search_fields,
        "sort_field": doctype.sort_field,
        "sort_order": doctype.sort_order,
        "fields": fields.collect::<Vec<_>>(),
    }))
}

/// The rows of other documents have no permissions of their own: whoever may read one of the
/// DocTypes that they belong to may know what they look like.
fn belongs_to(registry: &Registry, doctype: &DocType, actor: &Actor) -> Option<Grant> {
    if !doctype.istable {
        return None;
    }
    let mut parents = registry.doctypes().filter(|parent| {
        let mut tables = parent.table_fields();
        tables.any(|field| field.target() == Some(doctype.name.as_str()))
    });
    parents.find_map(|parent| access::require(parent, actor, Action::Read).ok())
}

fn about_field(field: &Field) -> Value {
    let mut about = Map::new();
    let mut put = |name: &str, value: Value| about.insert(name.to_owned(), value);
    put("idx", json!(field.idx));
    put("fieldname", json!(field.fieldname));
    put("fieldtype", json!(field.fieldtype.name()));
    put("label", json!(field.label));
    put("options", json!(field.options));
    put("default", json!(field.default));
    put("description", json!(field.description));
    put("fetch_from", json!(field.fetch_from));
    put("permlevel", json!(field.permlevel));
    put("length", json!(field.length));
    for (name, set) in [
        ("reqd", field.reqd),
        ("read_only", field.read_only),
        ("hidden", field.hidden),
        ("unique", field.unique),
        ("set_only_once", field.set_only_once),
        ("in_list_view", field.in_list_view),
        ("in_standard_filter", field.in_standard_filter),
        ("no_copy", field.no_copy),
        ("is_virtual", field.is_virtual),
    ] {
        put(name, json!(u8::from(set)));
    }
    Value::Object(about)
}
