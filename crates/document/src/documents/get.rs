//! Reading one document.

use std::sync::Arc;

use super::load::text_of;
use super::{Document, Documents, load, save, show, sql, validate};
use crate::DocType;
use crate::access::{self, Action};
use crate::refusal::DocumentError;

impl Documents {
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
        self.rows_admitted(&doctype, &stored)?;
        Ok(show::document(
            &self.registry,
            &doctype,
            stored,
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
        Ok(show::document(&self.registry, child, row, &grant.levels))
    }
}
