//! Reading documents as they are stored.

use std::collections::BTreeMap;

use crema_store::{Row, Statement, StoreError, Value};
use serde_json::{Map, Value as Json};

use super::sql::{Lock, Source, key, select};
use super::value;
pub(super) use crate::doctype::STANDARD_COLUMNS as HEAD;
use crate::doctype::{CHILD_COLUMNS, DocType, Field};
use crate::{Registry, singles};

/// The columns of a DocType's documents in the order of their members.
pub(super) fn columns(doctype: &DocType) -> Vec<&Field> {
    let behind: &[&str] = if doctype.istable { CHILD_COLUMNS } else { &[] };
    HEAD.iter()
        .filter_map(|name| value::standard(name))
        .chain(doctype.value_fields())
        .chain(behind.iter().filter_map(|name| value::standard(name)))
        .collect()
}

/// The whole document as it is stored, child tables included; `None` when there is none.
pub(super) async fn document(
    source: &mut Source<'_>,
    registry: &Registry,
    doctype: &DocType,
    name: &str,
    lock: Lock,
) -> Result<Option<Map<String, Json>>, StoreError> {
    let found = if doctype.issingle {
        (name == doctype.name).then_some(())
    } else {
        None
    };
    let mut document = match found {
        Some(()) => single(source, doctype, lock).await?,
        None => match row(source, doctype, name, lock).await? {
            Some(row) => row,
            None => return Ok(None),
        },
    };
    for (field, rows) in tables(source, registry, doctype, name).await? {
        document.insert(field, Json::Array(rows));
    }
    Ok(Some(document))
}

/// The row of a document.
pub(super) async fn row(
    source: &mut Source<'_>,
    doctype: &DocType,
    name: &str,
    lock: Lock,
) -> Result<Option<Map<String, Json>>, StoreError> {
    let Some(key) = key(doctype, name).filter(|_| doctype.has_table()) else {
        return Ok(None);
    };
    let fields = columns(doctype);
    let dialect = source.dialect();
    let statement = |key| {
        let names: Vec<&str> = fields
            .iter()
            .map(|field| field.fieldname.as_str())
            .collect();
        select(
            dialect,
            &doctype.table(),
            &names,
            vec![("name", key)],
            "",
            lock,
        )
    };
    let statement = match lock {
        Lock::None => {
            let make = || statement(Value::Null).text().to_owned();
            Statement::new(doctype.by_name.text(dialect, make), vec![key])
        }
        _ => statement(key),
    };
    let rows = source.rows(statement).await?;
    Ok(rows
        .into_iter()
        .map(|row| members(&fields, row))
        // A table that Frappe made compares without regard to case.
        .find(|row| text_of(row, "name").as_deref() == Some(name)))
}

fn members(fields: &[&Field], row: Row) -> Map<String, Json> {
    fields
        .iter()
        .zip(row.into_values())
        .map(|(field, stored)| (field.fieldname.clone(), value::to_json(field, &stored)))
        .collect()
}

/// The rows of every child table, by field, in order.
async fn tables(
    source: &mut Source<'_>,
    registry: &Registry,
    doctype: &DocType,
    name: &str,
) -> Result<Vec<(String, Vec<Json>)>, StoreError> {
    let mut by_field: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut seen = Vec::new();
    for field in doctype.table_fields() {
        let Some(child) = field.target().and_then(|target| registry.get(target)) else {
            continue;
        };
        // Several fields may hold rows of the same DocType: one statement brings them all.
        if seen.contains(&child.name) {
            continue;
        }
        seen.push(child.name.clone());
        for row in child_rows(source, child, &doctype.name, name).await? {
            let place = text_of(&row, "parentfield").unwrap_or_default();
            by_field.entry(place).or_default().push(Json::Object(row));
        }
    }
    let in_order = doctype.table_fields().map(|field| {
        let rows = by_field.remove(&field.fieldname).unwrap_or_default();
        (field.fieldname.clone(), rows)
    });
    Ok(in_order.collect())
}

async fn child_rows(
    source: &mut Source<'_>,
    child: &DocType,
    parenttype: &str,
    parent: &str,
) -> Result<Vec<Map<String, Json>>, StoreError> {
    let fields = columns(child);
    let names: Vec<&str> = fields
        .iter()
        .map(|field| field.fieldname.as_str())
        .collect();
    let wanted = vec![
        ("parent", Value::from(parent)),
        ("parenttype", Value::from(parenttype)),
    ];
    let dialect = source.dialect();
    let then = format!(
        " ORDER BY {}, {}",
        dialect.quote("idx"),
        dialect.quote("name")
    );
    let statement = select(dialect, &child.table(), &names, wanted, &then, Lock::None);
    let rows = source.rows(statement).await?;
    Ok(rows
        .into_iter()
        .map(|row| members(&fields, row))
        .filter(|row| text_of(row, "parent").as_deref() == Some(parent))
        .collect())
}

/// A single: what is stored, the default where nothing is.
async fn single(
    source: &mut Source<'_>,
    doctype: &DocType,
    lock: Lock,
) -> Result<Map<String, Json>, StoreError> {
    let single = match source {
        Source::Database(database) => singles::get(database, doctype).await?,
        Source::Transaction(tx) => {
            if lock != Lock::None {
                let wanted = vec![("doctype", Value::from(doctype.name.as_str()))];
                let columns = ["field"];
                let statement = select(tx.dialect(), "tabSingles", &columns, wanted, "", lock);
                tx.statement_rows(statement).await?;
            }
            singles::get_in(tx, doctype).await?
        }
    };
    let mut document = Map::new();
    for field in columns(doctype) {
        let stored = match (field.fieldname.as_str(), single.text(&field.fieldname)) {
            ("name", _) => Json::from(doctype.name.as_str()),
            ("owner", None) => Json::from("Administrator"),
            (_, None) => value::empty(field),
            // What does not fit the type, perhaps because that was another once, is shown as
            // nothing.
            (_, Some(text)) => match value::convert(field, &Json::from(text)) {
                Ok(stored) => value::to_json(field, &stored),
                Err(_) => value::empty(field),
            },
        };
        document.insert(field.fieldname.clone(), stored);
    }
    Ok(document)
}

/// What a member of a document is as text; `None` when it is empty.
pub(super) fn text_of(document: &Map<String, Json>, member: &str) -> Option<String> {
    match document.get(member)? {
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(u8::from(*flag).to_string()),
        _ => None,
    }
}
