//! Rows that come while they are read.

use std::fmt;

use tokio::sync::mpsc;

use crate::{Row, StoreError};

/// So many rows come at a time.
pub(crate) const CHUNK: usize = 256;

/// So many chunks wait for the reader; the database waits when there are more.
pub(crate) const AHEAD: usize = 2;

/// What the end that runs the statement sends.
pub(crate) type Chunk = Result<Vec<Row>, StoreError>;

/// The rows of one statement, a few hundred at a time. No more than about a thousand are in
/// memory, however many there are. Dropping it ends the statement.
pub struct RowStream {
    chunks: mpsc::Receiver<Chunk>,
    _end: Box<dyn Send + Sync>,
}

impl RowStream {
    /// `end` ends the statement when it is dropped.
    pub(crate) fn new(chunks: mpsc::Receiver<Chunk>, end: impl Send + Sync + 'static) -> Self {
        Self {
            chunks,
            _end: Box::new(end),
        }
    }

    /// The next rows, at least one; `None` after the last, and after an error.
    ///
    /// # Errors
    /// When the statement fails on the way. What came before is then not all.
    pub async fn next(&mut self) -> Option<Result<Vec<Row>, StoreError>> {
        let chunk = self.chunks.recv().await?;
        if chunk.is_err() {
            self.chunks.close();
        }
        Some(chunk)
    }
}

impl fmt::Debug for RowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowStream")
    }
}
