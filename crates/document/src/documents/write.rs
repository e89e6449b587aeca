//! Rows in the database: a document's own, and those of its child tables.

use crema_store::{Statement, StoreError, Transaction, Value};
use serde_json::{Map, Value as Json};

use super::load::{columns, text_of};
use super::sql::{delete, key};
use super::validate::same_row;
use super::{Change, Documents, value};
use crate::doctype::{DocType, Field, FieldType, Naming};
use crate::refusal::{DocumentError, Refusal};
use crate::row::{insert_statement, update_statement};
use crate::zone::LocalTime;
use crate::{passwords, singles, version};

impl Documents {
    /// Writes the document and its child rows as the change has them. A name that the database
    /// gives is put into the change.
    pub(super) async fn write(
        &self,
        tx: &mut Transaction,
        change: &mut Change,
        moment: LocalTime,
    ) -> Result<(), DocumentError> {
        let doctype = std::sync::Arc::clone(&change.doctype);
        if doctype.issingle {
            self.write_single(tx, change, moment).await?;
        } else if change.is_new() {
            insert_row(tx, change).await?;
        } else {
            update_row(tx, change).await?;
        }
        self.write_tables(tx, change).await?;
        for field in removed_secrets(change) {
            passwords::delete(tx, &doctype.name, &change.name, field).await?;
        }
        if self.is_watched(&doctype) {
            version::bump(tx).await?;
        }
        Ok(())
    }

    /// Whether servers keep documents of this DocType, or rows of theirs, in memory.
    pub(super) fn is_watched(&self, doctype: &DocType) -> bool {
        let of_rows = |field: &Field| {
            let child = field.target().and_then(|target| self.registry.get(target));
            child.is_some_and(|child| child.watched)
        };
        doctype.watched || doctype.table_fields().any(of_rows)
    }

    async fn write_single(
        &self,
        tx: &mut Transaction,
        change: &Change,
        moment: LocalTime,
    ) -> Result<(), DocumentError> {
        let mut texts = Vec::new();
        for field in change.doctype.value_fields() {
            if !change.changes(&field.fieldname) {
                continue;
            }
            let stored = stored(field, &change.after)?;
            texts.push((field.fieldname.as_str(), value::stored_text(&stored)));
        }
        let fields: Vec<(&str, Option<&str>)> = texts
            .iter()
            .map(|(field, text)| (*field, text.as_deref()))
            .collect();
        let (name, user) = (&change.doctype.name, &self.actor.user);
        Ok(singles::set(tx, name, &fields, user, moment).await?)
    }

    async fn write_tables(
        &self,
        tx: &mut Transaction,
        change: &mut Change,
    ) -> Result<(), DocumentError> {
        let doctype = std::sync::Arc::clone(&change.doctype);
        let mut stamped: Vec<&str> = Vec::new();
        for field in doctype.table_fields() {
            let Some(child) = field.target().and_then(|target| self.registry.get(target)) else {
                continue;
            };
            let before = change
                .before
                .as_ref()
                .and_then(|before| before.get(&field.fieldname))
                .and_then(Json::as_array)
                .cloned()
                .unwrap_or_default();
            let head = Head::of(&change.after);
            let Some(Json::Array(rows)) = change.after.get_mut(&field.fieldname) else {
                continue;
            };
            if *rows != before {
                remove_rows(tx, child, &before, rows).await?;
                for row in rows.iter_mut().filter_map(Json::as_object_mut) {
                    head.place(row, &doctype.name, &change.name, &field.fieldname);
                    write_row(tx, child, same_row(&before, row), row).await?;
                }
            }
            for row in rows.iter_mut().filter_map(Json::as_object_mut) {
                head.stamp(row);
            }
            if !rows.is_empty()
                && change.before.is_some()
                && !stamped.contains(&child.name.as_str())
            {
                stamped.push(&child.name);
            }
        }
        // As in Frappe, all rows bear the moment of the last change of their document.
        for child in stamped {
            let columns = vec![
                ("modified", member(&change.after, "modified")),
                ("modified_by", member(&change.after, "modified_by")),
            ];
            let place = vec![
                ("parent", Value::from(change.name.as_str())),
                ("parenttype", Value::from(doctype.name.as_str())),
            ];
            let table = format!("tab{child}");
            let statement = update_statement(tx.dialect(), &table, columns, place);
            tx.statement_execute(statement).await?;
        }
        Ok(())
    }
}

/// Who wrote the document and when.
struct Head {
    modified: Json,
    modified_by: Json,
}

impl Head {
    fn of(document: &Map<String, Json>) -> Head {
        let member = |name: &str| document.get(name).cloned().unwrap_or_default();
        Head {
            modified: member("modified"),
            modified_by: member("modified_by"),
        }
    }

    fn place(&self, row: &mut Map<String, Json>, doctype: &str, name: &str, field: &str) {
        row.insert("parent".to_owned(), Json::from(name));
        row.insert("parentfield".to_owned(), Json::from(field));
        row.insert("parenttype".to_owned(), Json::from(doctype));
        for (column, own) in [("creation", &self.modified), ("owner", &self.modified_by)] {
            if row.get(column).is_none_or(Json::is_null) {
                row.insert(column.to_owned(), own.clone());
                self.stamp(row);
            }
        }
    }

    fn stamp(&self, row: &mut Map<String, Json>) {
        row.insert("modified".to_owned(), self.modified.clone());
        row.insert("modified_by".to_owned(), self.modified_by.clone());
    }
}

async fn insert_row(tx: &mut Transaction, change: &mut Change) -> Result<(), DocumentError> {
    let doctype = std::sync::Arc::clone(&change.doctype);
    let counts = doctype.naming() == Naming::Autoincrement;
    let mut values = Vec::new();
    for field in columns(&doctype) {
        if !(counts && field.fieldname == "name") {
            values.push((field.fieldname.as_str(), stored(field, &change.after)?));
        }
    }
    let bound = values.iter().map(|(_, value)| value.clone()).collect();
    let statement = insert_statement(tx.dialect(), &doctype.table(), values);
    if !counts {
        tx.statement_execute(statement).await?;
        return Ok(());
    }
    let text = format!(
        "{} RETURNING {}",
        statement.text(),
        tx.dialect().quote("name")
    );
    let row = tx
        .statement_rows(Statement::new(text, bound))
        .await?
        .into_iter()
        .next();
    let number = row.map(|row| row.int(0)).transpose()?.unwrap_or_default();
    change.name = number.to_string();
    change.after.insert("name".to_owned(), Json::from(number));
    Ok(())
}

/// Only what changes is written.
async fn update_row(tx: &mut Transaction, change: &Change) -> Result<(), DocumentError> {
    let mut values = Vec::new();
    for field in columns(&change.doctype) {
        if change.changes(&field.fieldname) && field.fieldname != "name" {
            values.push((field.fieldname.as_str(), stored(field, &change.after)?));
        }
    }
    let Some(key) = key(&change.doctype, &change.name) else {
        return Ok(());
    };
    let table = change.doctype.table();
    let statement = update_statement(tx.dialect(), &table, values, vec![("name", key)]);
    tx.statement_execute(statement).await?;
    Ok(())
}

async fn remove_rows(
    tx: &mut Transaction,
    child: &DocType,
    before: &[Json],
    after: &[Json],
) -> Result<(), StoreError> {
    for row in before.iter().filter_map(Json::as_object) {
        if same_row(after, row).is_some() {
            continue;
        }
        let name = text_of(row, "name").unwrap_or_default();
        let wanted = vec![("name", Value::from(name))];
        let statement = delete(tx.dialect(), &child.table(), wanted);
        tx.statement_execute(statement).await?;
    }
    Ok(())
}

async fn write_row(
    tx: &mut Transaction,
    child: &DocType,
    before: Option<&Map<String, Json>>,
    row: &Map<String, Json>,
) -> Result<(), DocumentError> {
    let mut values = Vec::new();
    for field in columns(child) {
        let name = field.fieldname.as_str();
        let changed = before.is_none_or(|before| before.get(name) != row.get(name));
        if changed {
            values.push((name, stored(field, row)?));
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    let (dialect, table) = (tx.dialect(), child.table());
    let statement = match before {
        None => insert_statement(dialect, &table, values),
        Some(_) => {
            let name = text_of(row, "name").unwrap_or_default();
            update_statement(dialect, &table, values, vec![("name", Value::from(name))])
        }
    };
    tx.statement_execute(statement).await?;
    Ok(())
}

fn stored(field: &Field, document: &Map<String, Json>) -> Result<Value, Refusal> {
    let shown = document.get(&field.fieldname).unwrap_or(&Json::Null);
    value::convert(field, shown)
}

/// A standard column's value; null when it has none.
fn member(document: &Map<String, Json>, column: &str) -> Value {
    value::standard(column)
        .and_then(|field| stored(field, document).ok())
        .unwrap_or(Value::Null)
}

/// Password fields that were set and are empty now.
fn removed_secrets(change: &Change) -> impl Iterator<Item = &str> {
    change
        .doctype
        .value_fields()
        .filter(|field| field.fieldtype == FieldType::Password && !change.is_new())
        .map(|field| field.fieldname.as_str())
        .filter(|field| change.changes(field))
        .filter(|field| change.after.get(*field).is_none_or(value::is_empty))
}
