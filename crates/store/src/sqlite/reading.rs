//! Reading with statements that were put together while running: nobody knows how long they take.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::{Reader, Sqlite, statement};
use crate::stream::{AHEAD, Chunk, Gathering, Together};
use crate::{Row, RowStream, Statement, StoreError};

/// At most so many statements that take long run at a time.
pub(super) const LONG: usize = 16;

/// How long one waits for a place.
const PLACE_TIMEOUT: Duration = Duration::from_secs(5);

impl Sqlite {
    /// The rows of a reading statement. It begins on the calling thread; when it takes longer
    /// than a look-up it is begun again on a thread that may block.
    pub(crate) async fn statement_rows(
        &self,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        let limited = Handle::try_current().is_ok();
        if let Some(rows) = self.short_rows(&statement, limited)? {
            return Ok(rows);
        }
        let mut found = Together::default();
        let mut stream = self.stream(statement).await?;
        while let Some(chunk) = stream.next().await {
            for row in chunk? {
                found.add(row)?;
            }
        }
        Ok(found.into_rows())
    }

    /// `None` when it takes too long for a thread that others wait for.
    fn short_rows(
        &self,
        statement: &Statement,
        limited: bool,
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let mut reader = self.readers.take()?;
        if limited {
            reader.pace.limit();
        }
        let Reader {
            connection,
            shapes,
            pace,
        } = &mut reader;
        let Statement { text, values } = statement;
        let mut rows = Vec::new();
        let read = statement::each_dynamic_row(connection, shapes, text, values, |row| {
            let long = pace.spend(row.size());
            rows.push(row);
            !long
        });
        let interrupted = limited && reader.pace.lift();
        self.readers.give_back(reader);
        match interrupted {
            true => Ok(None),
            false => read.map(|()| Some(rows)),
        }
    }

    /// The rows of a reading statement, while another thread reads them.
    pub(crate) async fn stream(&self, statement: Statement) -> Result<RowStream, StoreError> {
        let runtime = Handle::try_current()
            .map_err(|_| StoreError::Other("rows stream inside of a tokio runtime".to_owned()))?;
        let place = Arc::clone(&self.long).acquire_owned();
        let place = tokio::time::timeout(PLACE_TIMEOUT, place)
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        let mut reader = self.readers.take()?;
        let stop = reader.pace.begin();
        let readers = Arc::clone(&self.readers);
        let (sender, chunks) = mpsc::channel(AHEAD);
        runtime.spawn_blocking(move || {
            send_rows(&mut reader, &statement, &sender);
            reader.pace.end();
            readers.give_back(reader);
            drop(place);
        });
        Ok(RowStream::new(chunks, stop))
    }
}

/// Reads to the end, or until nobody waits any more.
fn send_rows(reader: &mut Reader, statement: &Statement, sender: &mpsc::Sender<Chunk>) {
    let mut gathering = Gathering::default();
    let Reader {
        connection, shapes, ..
    } = reader;
    let Statement { text, values } = statement;
    let read = statement::each_dynamic_row(connection, shapes, text, values, |row| {
        let enough = gathering.add(row);
        enough.is_none_or(|chunk| sender.blocking_send(Ok(chunk)).is_ok())
    });
    let chunk = gathering.take();
    let last = match read {
        Err(error) => Err(error),
        Ok(()) if chunk.is_empty() => return,
        Ok(()) => Ok(chunk),
    };
    // Whoever waited may have gone.
    let _ = sender.blocking_send(last);
}
