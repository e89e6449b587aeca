//! Documents as an answer shows them.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::load::HEAD;
use super::{Document, load::text_of};
use crate::Registry;
use crate::doctype::{CHILD_COLUMNS, DocType, Field, FieldType};

/// The document without what the levels do not open. Password fields never leave.
pub(super) fn document(
    registry: &Registry,
    doctype: &DocType,
    mut stored: Map<String, Json>,
    levels: &BTreeSet<u32>,
) -> Document {
    let name = text_of(&stored, "name").unwrap_or_default();
    let mut values = members(doctype, &mut stored, levels);
    for field in doctype.table_fields() {
        if !levels.contains(&field.permlevel) {
            continue;
        }
        let child = field.target().and_then(|target| registry.get(target));
        let rows = match (child, stored.get_mut(&field.fieldname)) {
            (Some(child), Some(Json::Array(rows))) => rows
                .iter_mut()
                .filter_map(Json::as_object_mut)
                .map(|row| Json::Object(members(child, row, levels)))
                .collect(),
            _ => Vec::new(),
        };
        values.insert(field.fieldname.clone(), Json::Array(rows));
    }
    Document {
        doctype: doctype.name.clone(),
        name,
        values,
    }
}

/// Everything but child tables, in Frappe's order, taken out of what is stored.
fn members(
    doctype: &DocType,
    stored: &mut Map<String, Json>,
    levels: &BTreeSet<u32>,
) -> Map<String, Json> {
    let open = |field: &&Field| {
        levels.contains(&field.permlevel) && field.fieldtype != FieldType::Password
    };
    let fields = doctype.value_fields().filter(open);
    let behind: &[&str] = if doctype.istable { CHILD_COLUMNS } else { &[] };
    let names = HEAD
        .iter()
        .copied()
        .chain(fields.map(|field| field.fieldname.as_str()))
        .chain(behind.iter().copied());
    let mut values: Map<String, Json> = names
        .map(|name| {
            let value = stored.get_mut(name).map(std::mem::take);
            (name.to_owned(), value.unwrap_or_default())
        })
        .collect();
    values.insert("doctype".to_owned(), Json::from(doctype.name.as_str()));
    values
}
