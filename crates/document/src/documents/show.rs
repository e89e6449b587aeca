//! Documents as an answer shows them.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Document;
use super::load::{columns, text_of};
use crate::Registry;
use crate::doctype::{DocType, Field, FieldType};

/// The document without what the levels do not open. Password fields never leave. The members
/// of what is stored are in order already, but for its child tables, which come last.
pub(super) fn document(
    registry: &Registry,
    doctype: &DocType,
    mut stored: Map<String, Json>,
    levels: &BTreeSet<u32>,
) -> Document {
    let mut tables = Vec::new();
    for field in doctype.table_fields() {
        let rows = stored.shift_remove(&field.fieldname);
        if !levels.contains(&field.permlevel) {
            continue;
        }
        let child = field.target().and_then(|target| registry.get(target));
        let rows = match (child, rows) {
            (Some(child), Some(Json::Array(rows))) => rows
                .into_iter()
                .filter_map(|row| match row {
                    Json::Object(row) => Some(Json::Object(members(child, row, levels))),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        tables.push((field.fieldname.clone(), Json::Array(rows)));
    }
    let name = text_of(&stored, "name").unwrap_or_default();
    let mut values = members(doctype, stored, levels);
    values.extend(tables);
    Document {
        doctype: doctype.name.clone(),
        name,
        values,
    }
}

/// Everything but child tables: the columns that are open, and the DocType.
fn members(
    doctype: &DocType,
    mut stored: Map<String, Json>,
    levels: &BTreeSet<u32>,
) -> Map<String, Json> {
    let open =
        |field: &Field| levels.contains(&field.permlevel) && field.fieldtype != FieldType::Password;
    let columns = columns(doctype);
    let mut left = columns.as_slice();
    stored.retain(|name, _| {
        let mut same = left.iter().enumerate();
        let Some((position, field)) = same.find(|(_, field)| field.fieldname == *name) else {
            return false;
        };
        left = left.get(position + 1..).unwrap_or_default();
        open(field)
    });
    stored.insert("doctype".to_owned(), Json::from(doctype.name.as_str()));
    stored
}
