//! Lists of documents: what is asked for, the query that it becomes, and the rows.

use serde_json::{Map, Value};

use crate::documents::Documents;
use crate::refusal::DocumentError;

/// What a list request asks for, as parsed from its arguments. Nothing of it has been looked up
/// in the DocType yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListRequest {
    /// What to select; `name` when nothing is said.
    pub fields: Option<Value>,
    /// Conditions that all have to hold.
    pub filters: Option<Value>,
    /// Conditions of which one has to hold.
    pub or_filters: Option<Value>,
    /// `field asc, other desc`; the DocType's own order when absent.
    pub order_by: Option<String>,
    /// `field, other`.
    pub group_by: Option<String>,
    /// How many rows to leave out.
    pub start: u64,
    /// How many rows at most; 0 means all, up to the site's bound.
    pub limit: u64,
    /// For DocTypes of child rows: the DocType of their documents.
    pub parent: Option<String>,
    /// Each row once.
    pub distinct: bool,
    /// Link fields whose documents are put in the place of their names.
    pub expand: Vec<String>,
}

/// Rows of a list, each with its members in the order asked for.
pub type ListRow = Map<String, Value>;

impl ListRequest {
    /// Reads the arguments of a request. Values may be JSON or text that holds JSON, as queries
    /// and forms have it: `fields`, `filters`, `or_filters`, `order_by`, `group_by`,
    /// `limit_start` or `start`, `limit_page_length`, `limit` or `page_length` (20 when absent),
    /// `parent` or `parent_doctype`, `distinct`, `expand`.
    ///
    /// # Errors
    /// [`crate::Reason::Malformed`].
    pub fn from_arguments(_arguments: &Map<String, Value>) -> Result<ListRequest, DocumentError> {
        Ok(ListRequest::default())
    }
}

/// The rows of a list, a few hundred at a time, as the database gives them. Dropping it ends the
/// query.
pub struct ListStream {
    _private: (),
}

impl ListStream {
    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// When the database fails on the way.
    pub async fn next(&mut self) -> Option<Result<Vec<ListRow>, DocumentError>> {
        None
    }
}

impl Documents {
    /// The rows of a list at once: for pages.
    ///
    /// # Errors
    /// A [`crate::Refusal`]: no permission on the DocType, an unknown field, a bad filter.
    pub async fn list(
        &self,
        _doctype: &str,
        _request: &ListRequest,
    ) -> Result<Vec<ListRow>, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }

    /// The rows of a list as a stream: for lists that may be long.
    ///
    /// # Errors
    /// As [`Documents::list`], for everything that is known before the first row.
    pub async fn stream(
        &self,
        _doctype: &str,
        _request: &ListRequest,
    ) -> Result<ListStream, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }

    /// How many documents the filters admit, of those that the actor may read.
    ///
    /// # Errors
    /// As [`Documents::list`].
    pub async fn count(
        &self,
        _doctype: &str,
        _request: &ListRequest,
    ) -> Result<u64, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }
}
