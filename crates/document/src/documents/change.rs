//! Making, changing and removing documents: who may, what is given, and who keeps them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::given::{Given, Origin, Reader};
use super::{Document, Documents, Kept, load, save, show, sql};
use crate::DocType;
use crate::access::{self, Action, Grant, RowRule};
use crate::doctype::MAX_LEVEL;
use crate::refusal::{DocumentError, Reason, Refusal};

/// What whoever has written a document knows of it without reading.
const OWN: &[&str] = &[
    "name",
    "modified",
    "modified_by",
    "docstatus",
    "idx",
    "doctype",
];

impl Documents {
    /// Makes a document.
    ///
    /// # Errors
    /// A [`crate::Refusal`] that names the field.
    pub async fn insert(
        &self,
        doctype: &str,
        values: Map<String, Json>,
    ) -> Result<Document, DocumentError> {
        let doctype = self.writable(doctype)?;
        if doctype.issingle {
            return self.update(&doctype.name, &doctype.name, values).await;
        }
        let grant = access::require(&doctype, &self.actor, Action::Create)?;
        let given = self.read(&doctype, values, &grant, Origin::User, true)?;
        let named = given.named();
        if let Some(keeper) = self.rules.keeper(&doctype.name) {
            let draft = self.draft(&doctype, None, &given);
            save::admit(&doctype, &grant, &draft.after)?;
            self.rows_admitted(&doctype, &draft.after)?;
            let kept = keeper.insert(self, given.into_members()).await?;
            return self.kept(&doctype, kept, &named).await;
        }
        let change = self.save(&doctype, None, given, grant, None).await?;
        Ok(self.shown(&doctype, change.after, &named))
    }

    /// Changes a document: members that are not given stay. A `modified` among them has to be
    /// the stored one. A child table that is given replaces the rows, matched by their `name`.
    ///
    /// # Errors
    /// A [`crate::Refusal`] that names the field.
    pub async fn update(
        &self,
        doctype: &str,
        name: &str,
        values: Map<String, Json>,
    ) -> Result<Document, DocumentError> {
        let doctype = self.writable(doctype)?;
        let grant = access::require(&doctype, &self.actor, Action::Write)?;
        let given = self.read(&doctype, values, &grant, Origin::User, false)?;
        let named = given.named();
        if let Some(keeper) = self.rules.keeper(&doctype.name) {
            let stored = self.stored(&doctype, name).await?;
            save::check_latest(&stored, given.modified)?;
            save::admit(&doctype, &grant, &stored)?;
            self.rows_admitted(&doctype, &stored)?;
            let draft = self.draft(&doctype, Some(stored), &given);
            save::admit(&doctype, &grant, &draft.after)?;
            self.rows_admitted(&doctype, &draft.after)?;
            let modified = given
                .modified
                .map(|micros| crate::LocalTime::from_micros(micros).to_string());
            let members = given.into_members();
            let kept = keeper.update(self, name, modified, members).await?;
            return self.kept(&doctype, kept, &named).await;
        }
        let change = self.save(&doctype, Some(name), given, grant, None).await?;
        Ok(self.shown(&doctype, change.after, &named))
    }

    /// Makes a document of this name, or changes the one that is there: fixtures of apps and
    /// patches. Every rule holds but permissions, and fields that only the system changes are
    /// taken as given.
    ///
    /// # Errors
    /// A [`crate::Refusal`] that names the field.
    pub async fn import(
        &self,
        doctype: &str,
        name: &str,
        values: Map<String, Json>,
    ) -> Result<Document, DocumentError> {
        let doctype = self.writable(doctype)?;
        if self.rules.keeper(&doctype.name).is_some() {
            let message = format!("{} cannot be imported", doctype.name);
            return Err(DocumentError::refused(Reason::Validation, message));
        }
        let grant = Grant {
            rows: RowRule::All,
            levels: (0..=MAX_LEVEL).collect(),
        };
        let mut source = sql::Source::Database(self.site.database());
        let is_new = !doctype.issingle
            && load::row(&mut source, &doctype, name, sql::Lock::None)
                .await?
                .is_none();
        let given = self.read(&doctype, values, &grant, Origin::System, is_new)?;
        let (stored, chosen) = match is_new {
            true => (None, Some(name.to_owned())),
            false => (Some(name), None),
        };
        let change = self.save(&doctype, stored, given, grant, chosen).await?;
        let levels = (0..=MAX_LEVEL).collect();
        let registry = &self.registry;
        Ok(show::document(registry, &doctype, change.after, &levels))
    }

    /// Removes a document with its child rows and stored passwords.
    ///
    /// # Errors
    /// [`crate::Reason::LinkExists`] when others link to it.
    pub async fn delete(&self, doctype: &str, name: &str) -> Result<(), DocumentError> {
        let doctype = self.writable(doctype)?;
        if doctype.issingle {
            let message = format!("{} cannot be deleted", doctype.name);
            return Err(DocumentError::refused(Reason::Validation, message));
        }
        let grant = access::require(&doctype, &self.actor, Action::Delete)?;
        match self.rules.keeper(&doctype.name) {
            Some(keeper) => {
                let stored = self.stored(&doctype, name).await?;
                save::admit(&doctype, &grant, &stored)?;
                self.rows_admitted(&doctype, &stored)?;
                keeper.delete(self, name).await
            }
            None => self.remove(&doctype, name, grant).await,
        }
    }

    /// A DocType whose documents are made, changed and removed by themselves.
    fn writable(&self, doctype: &str) -> Result<Arc<DocType>, DocumentError> {
        let doctype = self.doctype(doctype)?;
        if doctype.istable {
            let message = format!(
                "Rows of {} are changed with the document that they belong to",
                doctype.name
            );
            return Err(DocumentError::refused(Reason::Validation, message));
        }
        if doctype.is_virtual {
            let message = format!("{} keeps no documents", doctype.name);
            return Err(DocumentError::refused(Reason::Validation, message));
        }
        Ok(doctype)
    }

    fn read(
        &self,
        doctype: &DocType,
        values: Map<String, Json>,
        grant: &Grant,
        origin: Origin,
        is_new: bool,
    ) -> Result<Given, Refusal> {
        let reader = Reader {
            registry: &self.registry,
            levels: &grant.levels,
            origin,
            is_new,
        };
        reader.read(doctype, values)
    }

    /// What was written, for who wrote it: who may not read it sees what they gave and no more,
    /// neither what else is stored nor what was fetched along links.
    fn shown(
        &self,
        doctype: &DocType,
        stored: Map<String, Json>,
        given: &BTreeSet<String>,
    ) -> Document {
        let grant = access::require(doctype, &self.actor, Action::Read);
        let readable = grant.ok().filter(|grant| {
            save::admit(doctype, grant, &stored).is_ok()
                && self.rows_admitted(doctype, &stored).is_ok()
        });
        if let Some(grant) = readable {
            return show::document(&self.registry, doctype, stored, &grant.levels);
        }
        let levels = (0..=MAX_LEVEL).collect();
        let mut document = show::document(&self.registry, doctype, stored, &levels);
        let own = |member: &str| {
            let field = doctype.field(member).filter(|_| given.contains(member));
            OWN.contains(&member) || field.is_some_and(|field| field.fetch_from.is_none())
        };
        document.values.retain(|member, _| own(member));
        document
    }

    /// What a keeper wrote, with what it shows this once.
    async fn kept(
        &self,
        doctype: &DocType,
        kept: Kept,
        given: &BTreeSet<String>,
    ) -> Result<Document, DocumentError> {
        let stored = self.stored(doctype, &kept.name).await?;
        let mut document = self.shown(doctype, stored, given);
        document.values.extend(kept.reveal);
        Ok(document)
    }
}
