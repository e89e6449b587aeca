//! Documents: read, made, changed and removed under the rules of their DocType.
//!
//! One [`Documents`] is one request's view of a site's documents: who asks, at which moment.
//! Every way in goes through it, so that permissions, validation and the rules of the layers
//! above hold for each.

mod delete;
mod draft;
mod given;
mod links;
mod load;
mod naming;
mod rules;
mod save;
mod show;
mod sql;
mod validate;
pub mod value;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::access::{self, Action, Actor, Grant, RowRule};
use crate::doctype::MAX_LEVEL;
use crate::refusal::{DocumentError, Reason, Refusal};
use crate::{DocType, RandomSource, Registry, Site, Timestamp};

use given::{Given, Origin, Reader};
use load::text_of;
pub use rules::{Change, Keeper, Kept, NoRules, Rules};

/// One request's view of the documents of a site. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    /// The site.
    pub site: Arc<Site>,
    /// Its definitions, as of the request.
    pub registry: Arc<Registry>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The moment of the request.
    pub now: Timestamp,
    /// For names.
    pub random: Arc<dyn RandomSource>,
    /// What the layers above add.
    pub rules: Arc<dyn Rules>,
}

/// A document as whoever asked may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its DocType.
    pub doctype: String,
    /// Its name.
    pub name: String,
    /// Its members in Frappe's order: standard columns, fields in the order of the form,
    /// `doctype`, child tables. Empty ones are null. Password fields are left out.
    pub values: Map<String, Json>,
}

impl Documents {
    /// The DocType of that name.
    ///
    /// # Errors
    /// [`crate::Reason::DoesNotExist`].
    pub fn doctype(&self, name: &str) -> Result<Arc<DocType>, DocumentError> {
        self.registry.get(name).cloned().ok_or_else(|| {
            DocumentError::refused(
                crate::Reason::DoesNotExist,
                format!("DocType {name} not found"),
            )
        })
    }

    /// One document with its child rows. Of a single, `name` is the DocType's own.
    ///
    /// # Errors
    /// [`crate::Reason::DoesNotExist`], also for documents that the actor may not know about
    /// when no role of theirs reads the DocType: then [`crate::Reason::Permission`].
    pub async fn get(&self, doctype: &str, name: &str) -> Result<Document, DocumentError> {
        let doctype = self.doctype(doctype)?;
        if doctype.istable {
            return self.get_row(&doctype, name).await;
        }
        let grant = access::require(&doctype, &self.actor, Action::Read)?;
        let stored = self.stored(&doctype, name).await?;
        save::admit(&doctype, &grant, &stored)?;
        for field in doctype.table_fields() {
            let child = field.target().and_then(|target| self.registry.get(target));
            let rows = stored.get(&field.fieldname).and_then(Json::as_array);
            let (Some(child), Some(rows)) = (child, rows) else {
                continue;
            };
            for row in rows.iter().filter_map(Json::as_object) {
                self.row_admitted(&doctype, child, row)?;
            }
        }
        Ok(show::document(
            &self.registry,
            &doctype,
            &stored,
            &grant.levels,
        ))
    }

    /// A row of a child table by itself: who may read the document that it belongs to.
    async fn get_row(&self, child: &Arc<DocType>, name: &str) -> Result<Document, DocumentError> {
        let mut source = sql::Source::Database(self.site.database());
        let row = load::row(&mut source, child, name, sql::Lock::None).await?;
        let place = row.as_ref().and_then(|row| text_of(row, "parenttype"));
        if self.actor.administrator && row.is_none() {
            return Err(save::not_found(child, name).into());
        }
        let parent = access::parent_of(&self.registry, child, place.as_deref())?;
        let grant = access::require(&parent, &self.actor, Action::Read)?;
        let row = row.ok_or_else(|| save::not_found(child, name))?;
        let above = text_of(&row, "parent").unwrap_or_default();
        let stored = if parent.issingle {
            self.stored(&parent, &above).await?
        } else {
            load::row(&mut source, &parent, &above, sql::Lock::None)
                .await?
                .ok_or_else(|| save::not_found(child, name))?
        };
        save::admit(&parent, &grant, &stored)?;
        self.row_admitted(&parent, child, &row)?;
        let field = text_of(&row, "parentfield").unwrap_or_default();
        if !parent
            .field(&field)
            .is_some_and(|field| grant.covers(field))
        {
            return Err(validate::not_permitted(&parent.name).into());
        }
        Ok(show::document(&self.registry, child, &row, &grant.levels))
    }

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
        if let Some(keeper) = self.rules.keeper(&doctype.name) {
            let kept = keeper.insert(self, given.into_members()).await?;
            return self.kept(&doctype, &grant, kept).await;
        }
        let change = self
            .save(&doctype, None, given, grant.clone(), None)
            .await?;
        Ok(self.written(&doctype, &grant, &change))
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
        if let Some(keeper) = self.rules.keeper(&doctype.name) {
            let stored = self.stored(&doctype, name).await?;
            save::check_latest(&stored, given.modified)?;
            save::admit(&doctype, &grant, &stored)?;
            let draft = self.draft(&doctype, Some(stored), &given);
            save::admit(&doctype, &grant, &draft.after)?;
            let modified = given
                .modified
                .map(|micros| crate::LocalTime::from_micros(micros).to_string());
            let members = given.into_members();
            let kept = keeper.update(self, name, modified, members).await?;
            return self.kept(&doctype, &grant, kept).await;
        }
        let change = self
            .save(&doctype, Some(name), given, grant.clone(), None)
            .await?;
        Ok(self.written(&doctype, &grant, &change))
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
        let change = self
            .save(&doctype, stored, given, grant.clone(), chosen)
            .await?;
        Ok(self.written(&doctype, &grant, &change))
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

    /// What was written, for who wrote it.
    fn written(&self, doctype: &DocType, grant: &Grant, change: &Change) -> Document {
        let levels = self.shown_levels(doctype, grant);
        show::document(&self.registry, doctype, &change.after, &levels)
    }

    /// What a keeper wrote, with what it shows this once.
    async fn kept(
        &self,
        doctype: &DocType,
        grant: &Grant,
        kept: Kept,
    ) -> Result<Document, DocumentError> {
        let stored = self.stored(doctype, &kept.name).await?;
        let levels = self.shown_levels(doctype, grant);
        let mut document = show::document(&self.registry, doctype, &stored, &levels);
        document.values.extend(kept.reveal);
        Ok(document)
    }

    /// Who may write but not read sees what they could write.
    fn shown_levels(&self, doctype: &DocType, grant: &Grant) -> BTreeSet<u32> {
        match access::require(doctype, &self.actor, Action::Read) {
            Ok(reading) => reading.levels,
            Err(_) => grant.levels.clone(),
        }
    }
}
