//! What has to hold of a document before it is written, as far as the document itself tells.

use serde_json::{Map, Value as Json};

use super::given::in_row;
use super::{Change, Documents, value};
use crate::access;
use crate::doctype::{DocType, Field, FieldType};
use crate::refusal::{Reason, Refusal};

impl Documents {
    /// Brings values into their stored form and checks them: types, lengths, choices, required
    /// fields, constants, and the links that User Permissions leave.
    ///
    /// Values that do not change are left alone: what older rules admitted does not keep a
    /// document from being changed elsewhere.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub(super) fn validate(&self, change: &mut Change) -> Result<(), Refusal> {
        let doctype = std::sync::Arc::clone(&change.doctype);
        normalise(&doctype, change.before.as_ref(), &mut change.after)?;
        required(&doctype, &change.after)?;
        for field in doctype.table_fields() {
            let Some(child) = field.target().and_then(|target| self.registry.get(target)) else {
                continue;
            };
            let stored = change
                .before
                .as_ref()
                .and_then(|before| before.get(&field.fieldname))
                .and_then(Json::as_array);
            let Some(Json::Array(rows)) = change.after.get_mut(&field.fieldname) else {
                continue;
            };
            for (index, row) in rows.iter_mut().enumerate() {
                let Json::Object(row) = row else { continue };
                let before = stored.and_then(|stored| same_row(stored, row));
                self.validate_row(&doctype, child, before, row)
                    .map_err(|refusal| in_row(index + 1, refusal))?;
            }
        }
        constants(&doctype, change)
    }

    fn validate_row(
        &self,
        parent: &DocType,
        child: &DocType,
        before: Option<&Map<String, Json>>,
        row: &mut Map<String, Json>,
    ) -> Result<(), Refusal> {
        normalise(child, before, row)?;
        required(child, row)?;
        self.row_admitted(parent, child, row)
    }

    /// Whether User Permissions admit what the child rows of a document link to.
    pub(super) fn rows_admitted(
        &self,
        doctype: &DocType,
        document: &Map<String, Json>,
    ) -> Result<(), Refusal> {
        for field in doctype.table_fields() {
            let child = field.target().and_then(|target| self.registry.get(target));
            let rows = document.get(&field.fieldname).and_then(Json::as_array);
            let (Some(child), Some(rows)) = (child, rows) else {
                continue;
            };
            for row in rows.iter().filter_map(Json::as_object) {
                self.row_admitted(doctype, child, row)?;
            }
        }
        Ok(())
    }

    /// Whether User Permissions admit what a child row links to.
    pub(super) fn row_admitted(
        &self,
        parent: &DocType,
        child: &DocType,
        row: &Map<String, Json>,
    ) -> Result<(), Refusal> {
        if self.actor.administrator {
            return Ok(());
        }
        let limits = access::restrictions(child, &parent.name, &self.actor.user_permissions);
        let text = |column: &str| super::load::text_of(row, column);
        if limits.iter().all(|limit| limit.admits(&text)) {
            return Ok(());
        }
        Err(not_permitted(&parent.name))
    }
}

/// A document of this DocType is not for the actor.
pub(super) fn not_permitted(doctype: &str) -> Refusal {
    Refusal::new(Reason::Permission, format!("No permission for {doctype}"))
}

/// The stored row of the same name.
pub(super) fn same_row<'s>(
    stored: &'s [Json],
    row: &Map<String, Json>,
) -> Option<&'s Map<String, Json>> {
    let name = row.get("name")?;
    stored
        .iter()
        .filter_map(Json::as_object)
        .find(|stored| stored.get("name") == Some(name))
}

/// Changed values in the form in which they are shown when they come back.
fn normalise(
    doctype: &DocType,
    before: Option<&Map<String, Json>>,
    after: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    for field in doctype.value_fields() {
        let Some(shown) = after.get_mut(&field.fieldname) else {
            continue;
        };
        let changed = before.is_none_or(|before| before.get(&field.fieldname) != Some(&*shown));
        if changed && field.fieldtype != FieldType::Password {
            let stored = value::to_stored(field, shown)?;
            *shown = value::to_json(field, &stored);
        }
    }
    Ok(())
}

fn required(doctype: &DocType, after: &Map<String, Json>) -> Result<(), Refusal> {
    let missing: Vec<&Field> = doctype
        .fields
        .iter()
        .filter(|field| !field.is_virtual && (field.reqd || is_required_now(field, after)))
        .filter(|field| !has_content(field, after.get(&field.fieldname)))
        .collect();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    let message = if first.fieldtype.is_table() {
        format!("Error: Data missing in table: {}", value::label(first))
    } else {
        let labels: Vec<&str> = missing.iter().map(|field| value::label(field)).collect();
        format!(
            "Error: Value missing for {}: {}",
            doctype.name,
            labels.join(", ")
        )
    };
    Err(Refusal::new(Reason::Mandatory, message))
}

/// `mandatory_depends_on` where it names one field that has to be set: `field` or
/// `eval:doc.field`. Other expressions are for the form.
fn is_required_now(field: &Field, after: &Map<String, Json>) -> bool {
    let Some(rule) = field.mandatory_depends_on.as_deref() else {
        return false;
    };
    let rule = rule.trim();
    let name = match rule.strip_prefix("eval:") {
        Some(expression) => match expression.trim().strip_prefix("doc.") {
            Some(name) => name,
            None => return false,
        },
        None => rule,
    };
    after.get(name).is_some_and(value::is_true)
}

/// Blanks are no content, and neither is markup around nothing. A number always is some.
fn has_content(field: &Field, shown: Option<&Json>) -> bool {
    match shown {
        Some(Json::String(text)) => match field.fieldtype {
            FieldType::TextEditor | FieldType::HtmlEditor => markup_has_content(text),
            _ => !text.trim().is_empty(),
        },
        Some(value) => !value::is_empty(value),
        None => false,
    }
}

fn markup_has_content(text: &str) -> bool {
    let mut inside = false;
    let shows = text.chars().any(|c| match c {
        '<' => {
            inside = true;
            false
        }
        '>' if inside => {
            inside = false;
            false
        }
        _ => !inside && !c.is_whitespace(),
    });
    shows || text.contains("<img")
}

/// Fields that are set once keep what the first save gave them.
fn constants(doctype: &DocType, change: &Change) -> Result<(), Refusal> {
    if change.is_new() {
        return Ok(());
    }
    let changed = |field: &&Field| {
        let same = match field.fieldtype.is_table() {
            true => same_tables(change, &field.fieldname),
            false => !change.changes(&field.fieldname),
        };
        field.set_only_once && !same
    };
    match doctype.fields.iter().find(changed) {
        None => Ok(()),
        Some(field) => Err(Refusal::new(
            Reason::Constant,
            format!("Value cannot be changed for {}", value::label(field)),
        )),
    }
}

/// The rows are the same in the same order.
fn same_tables(change: &Change, field: &str) -> bool {
    let rows = |document: Option<&Map<String, Json>>| -> Vec<Json> {
        let rows = document.and_then(|document| document.get(field));
        rows.and_then(Json::as_array).cloned().unwrap_or_default()
    };
    rows(change.before.as_ref()) == rows(Some(&change.after))
}
