//! Rows that are handed on while the server sends them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tracing::Instrument;

use super::{Pool, Server, Session};
use crate::error::Failure;
use crate::stream::{AHEAD, Chunk, Gathering};
use crate::transaction::Text;
use crate::{Row, RowStream, ServerConfig, Statement, StoreError, mariadb, postgres};

/// Half of the connections stay free for statements that are over soon.
pub(super) fn places(config: &ServerConfig) -> Arc<Semaphore> {
    let half = usize::try_from(config.max_connections / 2).unwrap_or(1);
    Arc::new(Semaphore::new(half.max(1)))
}

/// Where rows go, and how long the server may take for the next.
pub(crate) struct Sink {
    chunks: mpsc::Sender<Chunk>,
    limit: Option<Duration>,
}

impl Server {
    /// The rows of a reading statement while the server sends them.
    pub(crate) async fn stream(&self, statement: Statement) -> Result<RowStream, StoreError> {
        let place = Arc::clone(&self.streams).acquire_owned();
        let place = tokio::time::timeout(self.limits.of_attempts(), place)
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        let (chunks, receiver) = mpsc::channel(AHEAD);
        let sink = Sink {
            chunks,
            limit: self.limits.of_operation(),
        };
        let server = self.clone();
        let work = async move {
            let _place = place;
            if let Err(failure) = server.send_rows(statement, &sink).await {
                // Whoever waited may have gone.
                let _ = sink.chunks.send(Err(failure.error)).await;
            }
        };
        let task = tokio::spawn(work.in_current_span());
        Ok(RowStream::new(receiver, AbortOnDrop(task.abort_handle())))
    }

    async fn send_rows(&self, statement: Statement, sink: &Sink) -> Result<(), Failure> {
        let (text, values) = (Text::Dynamic(statement.text), statement.values);
        match &self.pool {
            Pool::MariaDb(pool) => {
                let mut session = Session::acquire(pool, &self.counts, mariadb::error).await?;
                let all = mariadb::send_rows(session.connection(), text, &values, sink).await?;
                if all {
                    session.settle();
                }
            }
            Pool::Postgres(pool) => {
                let mut session = Session::acquire(pool, &self.counts, postgres::error).await?;
                let all = postgres::send_rows(session.connection(), text, &values, sink).await?;
                if all {
                    session.settle();
                }
            }
        }
        Ok(())
    }
}

impl Sink {
    /// Hands the driver's rows on. `false` when somebody has gone before the last: the
    /// connection cannot be used again then.
    pub(crate) async fn forward<R>(
        &self,
        mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
        mut convert: impl FnMut(&R) -> Result<Row, StoreError>,
        error: fn(&sqlx::Error) -> Failure,
    ) -> Result<bool, Failure> {
        let mut gathering = Gathering::default();
        loop {
            let next = rows.try_next();
            let next = match self.limit {
                None => next.await,
                Some(limit) => match tokio::time::timeout(limit, next).await {
                    Ok(next) => next,
                    Err(_) => Err(sqlx::Error::PoolTimedOut),
                },
            };
            let Some(row) = next.map_err(|failure| error(&failure))? else {
                break;
            };
            if let Some(chunk) = gathering.add(convert(&row)?)
                && self.send(chunk).await.is_none()
            {
                return Ok(false);
            }
        }
        let chunk = gathering.take();
        if !chunk.is_empty() {
            self.send(chunk).await;
        }
        Ok(true)
    }

    async fn send(&self, chunk: Vec<Row>) -> Option<()> {
        self.chunks.send(Ok(chunk)).await.ok()
    }
}

/// Ends the task that reads when nobody wants the rows any more.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
