//! Lists of documents: what is asked for, the query that it becomes, and the rows.
//!
//! A [`ListRequest`] goes through these stages: what is written ([`select`], [`filter`], [`path`]),
//! looked up in definitions under the actor's permissions ([`scope`], [`condition`], [`test`]),
//! put together ([`query`]) and written as SQL for the site's database ([`sql`]). Text of a
//! request never becomes SQL: names are looked up, values are bound.

mod condition;
mod expand;
mod filter;
mod json;
mod kind;
mod path;
mod places;
mod query;
mod request;
mod rows;
mod scope;
mod select;
mod sql;
mod test;

use crema_store::{RowStream, Statement};
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use crate::documents::Documents;
use crate::refusal::DocumentError;
use query::Query;

pub(crate) use places::Places;
pub use request::ListRequest;

/// Rows of a list, each with its members in the order asked for.
pub type ListRow = Map<String, Value>;

/// The rows of a list, a few hundred at a time, as the database gives them. Dropping it ends the
/// query.
pub struct ListStream {
    documents: Documents,
    query: Query,
    links: Vec<expand::Link>,
    rows: RowStream,
    _place: OwnedSemaphorePermit,
}

impl ListStream {
    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// When the database fails on the way.
    pub async fn next(&mut self) -> Option<Result<Vec<ListRow>, DocumentError>> {
        let rows = match self.rows.next().await? {
            Ok(rows) => rows,
            Err(error) => return Some(Err(error.into())),
        };
        let mut rows = rows::of_answer(&self.query.selected, &rows);
        let expanded = expand::expand(&self.documents, &self.links, &mut rows).await;
        Some(expanded.map(|()| rows))
    }
}

impl Documents {
    /// The rows of a list at once: for pages.
    ///
    /// # Errors
    /// A [`crate::Refusal`]: no permission on the DocType, an unknown field, a bad filter.
    pub async fn list(
        &self,
        doctype: &str,
        request: &ListRequest,
    ) -> Result<Vec<ListRow>, DocumentError> {
        let query = Query::new(self, &self.doctype(doctype)?, request)?;
        let links = expand::links(self, &query.selected, &request.expand);
        let statement = self.statement(&query, request);
        let found = self.site.database().statement_rows(statement).await?;
        let mut rows = rows::of_answer(&query.selected, &found);
        expand::expand(self, &links, &mut rows).await?;
        Ok(rows)
    }

    /// The rows of a list as a stream: for lists that may be long.
    ///
    /// # Errors
    /// As [`Documents::list`], for everything that is known before the first row, and when the
    /// actor reads as many as one may at a time.
    pub async fn stream(
        &self,
        doctype: &str,
        request: &ListRequest,
    ) -> Result<ListStream, DocumentError> {
        let query = Query::new(self, &self.doctype(doctype)?, request)?;
        let links = expand::links(self, &query.selected, &request.expand);
        let statement = self.statement(&query, request);
        let place = self.site.places().take(&self.actor.user).await?;
        let rows = self.site.database().stream(statement).await?;
        Ok(ListStream {
            documents: self.clone(),
            query,
            links,
            rows,
            _place: place,
        })
    }

    /// How many documents the filters admit, of those that the actor may read.
    ///
    /// # Errors
    /// As [`Documents::list`].
    pub async fn count(&self, doctype: &str, request: &ListRequest) -> Result<u64, DocumentError> {
        let only_filters = ListRequest {
            filters: request.filters.clone(),
            or_filters: request.or_filters.clone(),
            parent: request.parent.clone(),
            ..ListRequest::default()
        };
        let query = Query::new(self, &self.doctype(doctype)?, &only_filters)?;
        let database = self.site.database();
        let statement = query.count_statement(database.dialect());
        let rows = database.statement_rows(statement).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn statement(&self, query: &Query, request: &ListRequest) -> Statement {
        let most = self.site.config().max_list_length();
        let limit = match request.limit {
            0 => most,
            limit => limit.min(most),
        };
        let dialect = self.site.database().dialect();
        query.statement(dialect, request.start, limit)
    }
}

#[cfg(test)]
mod hostile_tests;
