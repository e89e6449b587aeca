//! Removing documents.

use std::sync::Arc;

use crema_store::{Statement, StoreError, Transaction, Value, params, statements};

use super::Documents;
use super::load;
use super::save::{admit, not_found};
use super::sql::{Lock, Source, delete, key};
use crate::access::{self, Action, Grant, RowRule};
use crate::doctype::{CHILD_COLUMNS, DocType, Field, FieldType};
use crate::refusal::{DocumentError, Reason, Refusal};
use crate::row::placeholder;
use crate::{passwords, version};

/// DocTypes whose links to a document do not keep it: notes about others, and evidence.
const LETTING_GO: &[&str] = &["Activity Log", "ToDo", "User Permission"];

statements! {
    /// The restrictions of users to a document end with it.
    pub(crate) DELETE_PERMISSIONS = r#"DELETE FROM "tabUser Permission"
        WHERE "allow" = ? AND "for_value" = ?"#;
    /// The field and value of singles that link to a document.
    pub(crate) SINGLE = r#"SELECT "field", "value" FROM "tabSingles"
        WHERE "doctype" = ? AND "value" = ?"#;
}

impl Documents {
    /// Removes a document, its child rows, its secrets, and what restricts users to it.
    pub(super) async fn remove(
        &self,
        doctype: &Arc<DocType>,
        name: &str,
        grant: Grant,
    ) -> Result<(), DocumentError> {
        let (documents, doctype, name) = (self.clone(), Arc::clone(doctype), name.to_owned());
        let job = Arc::new((documents, doctype, name, grant));
        self.site
            .database()
            .write(move |tx| {
                let job = Arc::clone(&job);
                Box::pin(async move {
                    let (documents, doctype, name, grant) = &*job;
                    documents.remove_in(tx, doctype, name, grant).await
                })
            })
            .await
    }

    async fn remove_in(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        name: &str,
        grant: &Grant,
    ) -> Result<(), DocumentError> {
        let mut source = Source::Transaction(tx);
        let lock = Lock::Exclusive;
        let stored = load::document(&mut source, &self.registry, doctype, name, lock).await?;
        let stored = stored.ok_or_else(|| not_found(doctype, name))?;
        admit(doctype, grant, &stored)?;
        self.rows_admitted(doctype, &stored)?;
        let rules = &self.rules;
        rules.before_delete(self, doctype, &stored, tx).await?;
        self.check_backlinks(tx, doctype, name).await?;
        self.remove_rows(tx, doctype, name).await?;
        passwords::delete_all(tx, &doctype.name, name).await?;
        let values = params![doctype.name.as_str(), name];
        let restrictions = tx.execute(&DELETE_PERMISSIONS, values).await?;
        if restrictions > 0 || self.is_watched(doctype) {
            version::bump(tx).await?;
        }
        Ok(())
    }

    async fn remove_rows(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        name: &str,
    ) -> Result<(), StoreError> {
        let mut done = Vec::new();
        for field in doctype.table_fields() {
            let Some(child) = field.target().filter(|child| !done.contains(child)) else {
                continue;
            };
            done.push(child);
            let place = vec![
                ("parent", Value::from(name)),
                ("parenttype", Value::from(doctype.name.as_str())),
            ];
            let statement = delete(tx.dialect(), &format!("tab{child}"), place);
            tx.statement_execute(statement).await?;
        }
        if let Some(key) = key(doctype, name) {
            let wanted = vec![("name", key)];
            let statement = delete(tx.dialect(), &doctype.table(), wanted);
            tx.statement_execute(statement).await?;
        }
        Ok(())
    }

    /// Whether other documents link to it.
    ///
    /// # Errors
    /// [`Reason::LinkExists`], with the name of the other one only for who may read it.
    async fn check_backlinks(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        name: &str,
    ) -> Result<(), DocumentError> {
        for place in self.registry.doctypes() {
            if place.is_virtual || LETTING_GO.contains(&place.name.as_str()) {
                continue;
            }
            for field in place.value_fields() {
                let found = if place.issingle {
                    self.single_links(tx, doctype, name, place, field).await?
                } else {
                    rows_link(tx, doctype, name, place, field).await?
                };
                if let Some(found) = found {
                    return Err(self.linked_by(doctype, name, found).into());
                }
            }
        }
        Ok(())
    }

    async fn single_links(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        name: &str,
        place: &DocType,
        field: &Field,
    ) -> Result<Option<Found>, StoreError> {
        if field.fieldtype != FieldType::Link || field.target() != Some(&doctype.name) {
            return Ok(None);
        }
        let values = params![place.name.as_str(), name];
        for row in tx.rows(&SINGLE, values).await? {
            if row.text(0)? == field.fieldname && row.opt_text(1)? == Some(name) {
                return Ok(Some(Found {
                    doctype: place.name.clone(),
                    name: place.name.clone(),
                }));
            }
        }
        Ok(None)
    }

    fn linked_by(&self, doctype: &DocType, name: &str, found: Found) -> Refusal {
        let readable = self.registry.get(&found.doctype).is_some_and(|place| {
            let grant = access::require(place, &self.actor, Action::Read);
            grant.is_ok_and(|grant| grant.rows == RowRule::All)
        });
        let other = if readable {
            format!("{} {}", found.doctype, found.name)
        } else {
            found.doctype
        };
        let message = format!(
            "Cannot delete or cancel because {} {name} is linked with {other}",
            doctype.name
        );
        Refusal::new(Reason::LinkExists, message)
    }
}

/// A document that links to another.
struct Found {
    doctype: String,
    name: String,
}

/// The first row of another document whose field links to this one.
async fn rows_link(
    tx: &mut Transaction,
    doctype: &DocType,
    name: &str,
    place: &DocType,
    field: &Field,
) -> Result<Option<Found>, StoreError> {
    let Some(statement) = backlinks(tx, doctype, name, place, field) else {
        return Ok(None);
    };
    for row in tx.statement_rows(statement).await? {
        let text = |column: &str| row.named(column).and_then(super::value::stored_text);
        // A table that Frappe made compares without regard to case.
        if text(&field.fieldname).as_deref() != Some(name) {
            continue;
        }
        let (row_doctype, row_name) = if place.istable {
            (text("parenttype"), text("parent"))
        } else {
            (Some(place.name.clone()), text("name"))
        };
        let itself =
            row_doctype.as_deref() == Some(&doctype.name) && row_name.as_deref() == Some(name);
        if !itself {
            return Ok(Some(Found {
                doctype: row_doctype.unwrap_or_default(),
                name: row_name.unwrap_or_default(),
            }));
        }
    }
    Ok(None)
}

/// Rows whose field holds the name: a few, since one that is not the document's own is enough.
fn backlinks(
    tx: &Transaction,
    doctype: &DocType,
    name: &str,
    place: &DocType,
    field: &Field,
) -> Option<Statement> {
    let dialect = tx.dialect();
    let mut conditions = vec![(field.fieldname.as_str(), Value::from(name))];
    match field.fieldtype {
        FieldType::Link if field.target() == Some(&doctype.name) => {}
        // Anybody with such a field may name anything in it: that must not keep a session from
        // being ended, nor a permission from being taken away.
        FieldType::DynamicLink if doctype.is_kept() || doctype.watched => return None,
        FieldType::DynamicLink => {
            let about = field.options.as_deref()?;
            place.field(about).filter(|about| about.has_column())?;
            conditions.push((about, Value::from(doctype.name.as_str())));
        }
        _ => return None,
    }
    let own: &[&str] = if place.istable { CHILD_COLUMNS } else { &[] };
    let columns: Vec<String> = ["name", field.fieldname.as_str()]
        .iter()
        .chain(own)
        .map(|column| dialect.quote(column))
        .collect();
    // Not the rows of the document itself, nor its link to itself.
    let (itself, values) = if place.istable {
        let itself = format!(
            "NOT ({} = {} AND {} = {})",
            dialect.quote("parent"),
            placeholder(dialect, conditions.len() + 1),
            dialect.quote("parenttype"),
            placeholder(dialect, conditions.len() + 2)
        );
        let values = vec![Value::from(name), Value::from(doctype.name.as_str())];
        (format!(" AND {itself}"), values)
    } else if place.name == doctype.name {
        let place = placeholder(dialect, conditions.len() + 1);
        let itself = format!(" AND {} <> {place}", dialect.quote("name"));
        (itself, vec![key(doctype, name)?])
    } else {
        (String::new(), Vec::new())
    };
    let text = format!(
        "SELECT {} FROM {} WHERE {}{itself} LIMIT 20",
        columns.join(", "),
        dialect.quote(&place.table()),
        super::sql::conditions(dialect, &conditions, 1),
    );
    let wanted = conditions.into_iter().map(|(_, value)| value);
    Some(Statement::new(text, wanted.chain(values).collect()))
}
