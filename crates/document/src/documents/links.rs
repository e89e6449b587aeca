//! Links: that they lead somewhere, and what is fetched from where they lead.

use crema_store::Transaction;
use serde_json::{Map, Value as Json};

use super::given::in_row;
use super::load::{self, text_of};
use super::save::admit;
use super::sql::{Lock, Source, key, select};
use super::validate::same_row;
use super::{Change, Documents, value};
use crate::access::{self, Action, RowRule};
use crate::doctype::{DocType, Field, FieldType};
use crate::refusal::{DocumentError, Reason, Refusal};

impl Documents {
    /// Checks every link that is new or changed, and copies what fields fetch along links. The
    /// documents that are linked to cannot go away until the transaction ends.
    ///
    /// # Errors
    /// [`Reason::Link`] for a link that leads nowhere.
    pub(super) async fn follow_links(
        &self,
        tx: &mut Transaction,
        change: &mut Change,
    ) -> Result<(), DocumentError> {
        let doctype = std::sync::Arc::clone(&change.doctype);
        let before = change.before.as_ref();
        self.links_of(tx, &doctype, before, &mut change.after)
            .await?;
        for field in doctype.table_fields() {
            let Some(child) = field.target().and_then(|target| self.registry.get(target)) else {
                continue;
            };
            let stored = before
                .and_then(|before| before.get(&field.fieldname))
                .and_then(Json::as_array);
            let Some(Json::Array(rows)) = change.after.get_mut(&field.fieldname) else {
                continue;
            };
            for (index, row) in rows.iter_mut().enumerate() {
                let Json::Object(row) = row else { continue };
                let before = stored.and_then(|stored| same_row(stored, row));
                let place = |error| match error {
                    DocumentError::Refused(refusal) => in_row(index + 1, refusal).into(),
                    other => other,
                };
                self.links_of(tx, child, before, row).await.map_err(place)?;
            }
        }
        Ok(())
    }

    async fn links_of(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        before: Option<&Map<String, Json>>,
        after: &mut Map<String, Json>,
    ) -> Result<(), DocumentError> {
        for field in doctype.value_fields() {
            match field.fieldtype {
                FieldType::Link => {
                    let fetching: Vec<(&Field, &str)> = fetched_by(doctype, field).collect();
                    let changed = changes(before, after, &field.fieldname);
                    if changed || !fetching.is_empty() {
                        self.follow(tx, field, &fetching, changed, after).await?;
                    }
                }
                FieldType::DynamicLink => {
                    let about = field.options.as_deref().unwrap_or_default();
                    let changed =
                        changes(before, after, &field.fieldname) || changes(before, after, about);
                    if changed {
                        self.follow_dynamic(tx, doctype, field, about, after)
                            .await?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One link, and what is fetched along it.
    async fn follow(
        &self,
        tx: &mut Transaction,
        field: &Field,
        fetching: &[(&Field, &str)],
        changed: bool,
        after: &mut Map<String, Json>,
    ) -> Result<(), DocumentError> {
        let target = field.target().unwrap_or_default();
        let Some(name) = text_of(after, &field.fieldname) else {
            // Nothing is linked, so nothing comes from there.
            for (to, _) in fetching.iter().filter(|(to, _)| to.read_only && changed) {
                after.insert(to.fieldname.clone(), value::empty(to));
            }
            return Ok(());
        };
        let Some(target) = self.registry.get(target) else {
            return Ok(());
        };
        let sources: Vec<(&Field, &Field)> = fetching
            .iter()
            .filter_map(|(to, from)| Some((*to, source(target, from)?)))
            .collect();
        let sources = self.readable(tx, target, &name, sources).await?;
        // Who may not read what a link leads to does not get a copy of it either.
        for (to, from) in fetching.iter().filter(|(to, _)| to.read_only && changed) {
            let fetched = sources
                .iter()
                .any(|(known, _)| known.fieldname == to.fieldname);
            if !fetched && source(target, from).is_some() {
                after.insert(to.fieldname.clone(), value::empty(to));
            }
        }
        let columns: Vec<&str> = std::iter::once("name")
            .chain(sources.iter().map(|(_, from)| from.fieldname.as_str()))
            .collect();
        let Some(values) = self.linked(tx, target, &name, &columns).await? else {
            if changed {
                return Err(leads_nowhere(field, &name).into());
            }
            return Ok(());
        };
        for ((to, from), stored) in sources.into_iter().zip(values) {
            let shown = value::to_json(from, &stored);
            let stored = value::to_stored(to, &shown)?;
            after.insert(to.fieldname.clone(), value::to_json(to, &stored));
        }
        Ok(())
    }

    /// Those of the sources that the actor may read. How far the credential reaches does not
    /// count: what is stored must not depend on it.
    async fn readable<'f>(
        &self,
        tx: &mut Transaction,
        target: &DocType,
        name: &str,
        sources: Vec<(&'f Field, &'f Field)>,
    ) -> Result<Vec<(&'f Field, &'f Field)>, DocumentError> {
        if sources.is_empty() || self.actor.administrator {
            return Ok(sources);
        }
        let grant = access::grant(target, &self.actor, Action::Read);
        let admitted = match grant.rows {
            RowRule::All => true,
            RowRule::Nothing => false,
            _ => {
                let mut source = Source::Transaction(tx);
                let row = load::row(&mut source, target, name, Lock::Share).await?;
                row.is_some_and(|row| admit(target, &grant, &row).is_ok())
            }
        };
        let open = |(_, from): &(&Field, &Field)| admitted && grant.covers(from);
        Ok(sources.into_iter().filter(open).collect())
    }

    async fn follow_dynamic(
        &self,
        tx: &mut Transaction,
        doctype: &DocType,
        field: &Field,
        about: &str,
        after: &Map<String, Json>,
    ) -> Result<(), DocumentError> {
        let Some(name) = text_of(after, &field.fieldname) else {
            return Ok(());
        };
        let Some(target) = text_of(after, about) else {
            let label = doctype.field(about).map_or(about, value::label);
            let message = format!("{label} must be set first");
            return Err(DocumentError::refused(Reason::Validation, message));
        };
        let found = match self.registry.get(&target) {
            Some(target) => self.linked(tx, target, &name, &["name"]).await?,
            None => None,
        };
        match found {
            Some(_) => Ok(()),
            None => Err(leads_nowhere(field, &name).into()),
        }
    }

    /// What the linked document's columns hold after the first, its name; `None` when there is
    /// no such document.
    async fn linked(
        &self,
        tx: &mut Transaction,
        target: &DocType,
        name: &str,
        columns: &[&str],
    ) -> Result<Option<Vec<crema_store::Value>>, DocumentError> {
        // DocTypes are what the definitions say, and a single is always there.
        if target.name == "DocType" && columns.len() == 1 {
            return Ok(self.registry.get(name).map(|_| Vec::new()));
        }
        if target.issingle {
            return Ok((name == target.name).then(Vec::new));
        }
        if target.is_virtual {
            return Ok(Some(Vec::new()));
        }
        let Some(key) = key(target, name) else {
            return Ok(None);
        };
        let wanted = vec![("name", key)];
        let table = target.table();
        let statement = select(tx.dialect(), &table, columns, wanted, "", Lock::Share);
        let rows = tx.statement_rows(statement).await?;
        let same = |row: &crema_store::Row| {
            value::stored_text(row.get(0)).is_some_and(|found| found == name)
        };
        let row = rows.into_iter().find(same);
        Ok(row.map(|row| row.into_values().into_iter().skip(1).collect()))
    }
}

/// The fields that are fetched along a link, each with the name of its source.
fn fetched_by<'d>(
    doctype: &'d DocType,
    link: &'d Field,
) -> impl Iterator<Item = (&'d Field, &'d str)> {
    doctype.value_fields().filter_map(|field| {
        let (by, from) = field.fetch_from.as_deref()?.split_once('.')?;
        (by.trim() == link.fieldname).then_some((field, from.trim()))
    })
}

/// The field that is fetched. Secrets are not.
fn source<'d>(target: &'d DocType, name: &str) -> Option<&'d Field> {
    match value::standard(name) {
        Some(field) if super::load::HEAD.contains(&name) => Some(field),
        _ => target.field(name).filter(|field| {
            field.has_column() && !field.secret && field.fieldtype != FieldType::Password
        }),
    }
}

fn changes(before: Option<&Map<String, Json>>, after: &Map<String, Json>, name: &str) -> bool {
    before.is_none_or(|before| before.get(name) != after.get(name))
}

fn leads_nowhere(field: &Field, name: &str) -> Refusal {
    let message = format!("Could not find {}: {name}", value::label(field));
    Refusal::new(Reason::Link, message)
}
