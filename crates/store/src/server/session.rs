//! A pooled connection that goes back to its pool only in a known state.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, Pool};

use crate::StoreError;
use crate::error::Failure;
use crate::stats::Counts;

/// How long a connection may take to show that it is alive when it goes back to its pool. The
/// pool has no limit of its own there, and a silent server would keep the place for ever.
const RETURN_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection taken from a pool. Unless it is [`settled`](Session::settled) it is closed
/// when it is dropped: a transaction may be open on it, or answers may be on their way that
/// the next user would take for his own.
pub(crate) struct Session<DB: Database> {
    connection: PoolConnection<DB>,
    settled: bool,
}

impl<DB: Database> Session<DB> {
    pub(crate) async fn acquire(
        pool: &Pool<DB>,
        counts: &Counts,
        error: fn(&sqlx::Error) -> Failure,
    ) -> Result<Self, Failure> {
        let _waiting = counts.wait();
        let connection = pool.acquire().await.map_err(|failure| Failure {
            // Waiting for a connection has had its own time limit.
            again: false,
            ..error(&failure)
        })?;
        Ok(Self {
            connection,
            settled: false,
        })
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.settled = false;
        &mut self.connection
    }

    /// Runs a command without values or rows.
    pub(crate) async fn command(&mut self, text: &'static str) -> Result<(), sqlx::Error>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        sqlx::raw_sql(text)
            .execute(self.connection())
            .await
            .map(drop)
    }

    /// Nothing is open on the connection.
    pub(crate) fn settle(&mut self) {
        self.settled = true;
    }

    /// After a statement outside of a transaction: an error that may be cured by another attempt
    /// may also be one of the connection (lost, or with outdated prepared statements).
    pub(crate) fn settle_after<T>(&mut self, result: &Result<T, Failure>) {
        let reusable = match result {
            Ok(_) => true,
            Err(failure) => {
                !failure.again
                    && !matches!(
                        failure.error,
                        StoreError::Unavailable(_) | StoreError::TooMuch
                    )
            }
        };
        if reusable {
            self.settle();
        }
    }
}

impl<DB: Database> Drop for Session<DB> {
    fn drop(&mut self) {
        if self.settled {
            let back = self.connection.return_to_pool();
            tokio::spawn(tokio::time::timeout(RETURN_TIMEOUT, back));
        } else {
            self.connection.close_on_drop();
        }
    }
}
