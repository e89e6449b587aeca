//! Rows that come while they are read.

use std::fmt;

use tokio::sync::mpsc;

use crate::{Row, StoreError};

/// So many rows come at a time.
pub(crate) const CHUNK: usize = 256;

/// Rows that come at a time are no more than this, or one.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// What the rows of one answer may take that are in memory together.
const MOST_BYTES: usize = 128 << 20;

/// So many chunks wait for the reader; the database waits when there are more.
pub(crate) const AHEAD: usize = 2;

/// What the end that runs the statement sends.
pub(crate) type Chunk = Result<Vec<Row>, StoreError>;

/// Rows until there are enough to hand them on.
#[derive(Default)]
pub(crate) struct Gathering {
    rows: Vec<Row>,
    bytes: usize,
}

impl Gathering {
    /// Adds a row. The rows so far when they are enough.
    pub(crate) fn add(&mut self, row: Row) -> Option<Vec<Row>> {
        self.bytes = self.bytes.saturating_add(row.size());
        self.rows.push(row);
        let enough = self.rows.len() >= CHUNK || self.bytes >= CHUNK_BYTES;
        enough.then(|| self.take())
    }

    /// The rows so far.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }
}

/// The reader did not want the rest of the rows.
pub(crate) fn unwanted() -> StoreError {
    StoreError::Other("the rows were not read to the end".to_owned())
}

/// All rows of one answer, as long as they may be in memory together.
#[derive(Default)]
pub(crate) struct Together {
    rows: Vec<Row>,
    bytes: usize,
}

impl Together {
    /// Adds a row.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`].
    pub(crate) fn add(&mut self, row: Row) -> Result<(), StoreError> {
        self.bytes = self.bytes.saturating_add(row.size());
        if self.bytes > MOST_BYTES {
            return Err(StoreError::TooMuch);
        }
        self.rows.push(row);
        Ok(())
    }

    /// The rows.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// The rows of one statement, a few hundred at a time. No more than about a thousand are in
/// memory, however many there are, nor more than a few MiB unless one alone is longer. Dropping
/// it ends the statement.
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
