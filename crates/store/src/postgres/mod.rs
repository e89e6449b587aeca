//! PostgreSQL: settings, statements, errors.

mod catalogue;
mod column;
mod numeric;
mod parameter;

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgDatabaseError, PgPoolOptions, PgSslMode, PgStatement,
};
use sqlx::{
    Arguments, ConnectOptions, Connection as _, Either, Executor, PgConnection, PgPool,
    Statement as _,
};

use crate::error::Failure;
use crate::server::{Sink, TRUST_IDLE, idle_in_transaction, ping_in_time};
use crate::stream::Together;
use crate::transaction::Text;
use crate::{Row, ServerConfig, StoreError, Tls, Value};

pub(crate) use catalogue::{COLUMNS, INDEXES, TABLES, alter_column, column};

/// Begins a transaction that reads one snapshot.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Prepared statements kept per connection.
const STATEMENTS: usize = 256;

pub(crate) fn pool(config: &ServerConfig) -> PgPool {
    let timeout = config.timeout;
    PgPoolOptions::new()
        .max_connections(config.max_connections.max(1))
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUST_IDLE {
                    ping_in_time(connection, timeout).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options(config))
}

pub(crate) fn options(config: &ServerConfig) -> PgConnectOptions {
    let milliseconds = |time: Duration| time.as_millis().to_string();
    let lock_wait = milliseconds(config.timeout);
    let idle = milliseconds(idle_in_transaction(config.timeout));
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .password(config.password.expose())
        .application_name("crema")
        .statement_cache_capacity(STATEMENTS)
        .options([
            ("default_transaction_isolation", "read committed"),
            ("client_min_messages", "warning"),
            ("lock_timeout", lock_wait.as_str()),
            ("idle_in_transaction_session_timeout", idle.as_str()),
            ("TimeZone", "UTC"),
        ]);
    options = if config.database.is_empty() {
        options.database("postgres")
    } else {
        options.database(&config.database)
    };
    if let Some(folder) = &config.socket {
        options = options.socket(folder);
    }
    options = match &config.tls {
        Tls::Off => options.ssl_mode(PgSslMode::Disable),
        Tls::Unverified => options.ssl_mode(PgSslMode::Require),
        Tls::Verified { authorities } => {
            let options = options.ssl_mode(PgSslMode::VerifyFull);
            match authorities {
                Some(file) => options.ssl_root_cert(file),
                None => options,
            }
        }
    };
    // Statements may contain names of people's records in their text some day; they belong
    // into our own log lines or nowhere.
    options.disable_statement_logging()
}

/// Runs a statement and returns its rows.
pub(crate) async fn rows(
    connection: &mut PgConnection,
    text: Text,
    values: &[Value],
) -> Result<Vec<Row>, Failure> {
    let (statement, arguments) = bind(connection, text, values).await?;
    let mut rows = statement.query_with(arguments).fetch(connection);
    let mut names = None;
    let mut found = Together::default();
    while let Some(row) = rows.try_next().await.map_err(|failure| error(&failure))? {
        let names = names.get_or_insert_with(|| column::names(&row));
        // When it is too much, the connection is given up: it would have to read the rest first.
        found.add(Row::new(Some(Arc::clone(names)), column::values(&row)?))?;
    }
    Ok(found.into_rows())
}

/// Runs a statement and hands its rows on while they come; see [`Sink::forward`].
pub(crate) async fn send_rows(
    connection: &mut PgConnection,
    text: Text,
    values: &[Value],
    sink: &Sink,
) -> Result<bool, Failure> {
    let (statement, arguments) = bind(connection, text, values).await?;
    let rows = statement.query_with(arguments).fetch(connection);
    let mut names = None;
    let convert = |row: &_| {
        let names = names.get_or_insert_with(|| column::names(row));
        Ok(Row::new(Some(Arc::clone(names)), column::values(row)?))
    };
    sink.forward(rows, convert, error).await
}

/// Runs a statement and hands each row to `take`, until that answers `false`, which is an error.
pub(crate) async fn each_row(
    connection: &mut PgConnection,
    text: Text,
    values: &[Value],
    take: &mut (dyn FnMut(Row) -> bool + Send),
) -> Result<(), Failure> {
    let (statement, arguments) = bind(connection, text, values).await?;
    let mut rows = statement.query_with(arguments).fetch(connection);
    let mut names = None;
    while let Some(row) = rows.try_next().await.map_err(|failure| error(&failure))? {
        let names = names.get_or_insert_with(|| column::names(&row));
        if !take(Row::new(Some(Arc::clone(names)), column::values(&row)?)) {
            return Err(crate::stream::unwanted().into());
        }
    }
    Ok(())
}

/// Runs a statement and returns the number of changed rows.
pub(crate) async fn execute(
    connection: &mut PgConnection,
    text: Text,
    values: &[Value],
) -> Result<u64, Failure> {
    let (statement, arguments) = bind(connection, text, values).await?;
    let done = statement.query_with(arguments).execute(connection).await;
    Ok(done.map_err(|failure| error(&failure))?.rows_affected())
}

/// Prepares a statement without running it.
pub(crate) async fn prepare(
    connection: &mut PgConnection,
    text: &'static str,
) -> Result<(), Failure> {
    let prepared = connection.prepare(Text::Fixed(text).into_sql());
    prepared.await.map(drop).map_err(|failure| error(&failure))
}

/// Prepares (once per connection) and encodes the values as the types that the server has
/// inferred for the parameters. So `NULL` needs no type, and an integer fits every width.
async fn bind(
    connection: &mut PgConnection,
    text: Text,
    values: &[Value],
) -> Result<(PgStatement, PgArguments), Failure> {
    let statement = connection.prepare(text.into_sql()).await;
    let statement = statement.map_err(|failure| error(&failure))?;
    if let Ok(arguments) = encode(&statement, values) {
        return Ok((statement, arguments));
    }
    // Perhaps the types are those of a table that was altered since.
    let forgotten = connection.clear_cached_statements().await;
    forgotten.map_err(|failure| error(&failure))?;
    let statement = connection.prepare(statement.into_sql()).await;
    let statement = statement.map_err(|failure| error(&failure))?;
    let arguments = encode(&statement, values)?;
    Ok((statement, arguments))
}

fn encode(statement: &PgStatement, values: &[Value]) -> Result<PgArguments, StoreError> {
    let types = match statement.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    if types.len() != values.len() {
        return Err(crate::sql::wrong_count(types.len(), values.len()));
    }
    let mut arguments = PgArguments::default();
    for (value, wanted) in values.iter().zip(types) {
        let bytes = parameter::encode(value, wanted)?;
        arguments
            .add(parameter::Parameter { bytes, wanted })
            .map_err(|_| StoreError::Other("a value could not be encoded".to_owned()))?;
    }
    Ok(arguments)
}

/// Sorts an error into its kind.
pub(crate) fn error(error: &sqlx::Error) -> Failure {
    let server = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    match server {
        Some(server) => server_error(server),
        None => crate::server::driver_error(error),
    }
}

/// The codes are PostgreSQL's, appendix A of its manual. Messages are kept for class 42 only:
/// they quote the statement and names, never a bound value.
fn server_error(error: &PgDatabaseError) -> Failure {
    let code = error.code();
    let named = |name: Option<&str>| name.unwrap_or(code).to_owned();
    let kind = match code {
        "23505" => StoreError::UniqueViolation {
            constraint: named(error.constraint()),
        },
        "23502" => StoreError::NotNull {
            column: named(error.column()),
        },
        "22001" | "22003" => StoreError::TooLong {
            column: named(error.column()),
        },
        "42P04" | "42710" | "42P07" | "42P06" | "42701" => {
            StoreError::AlreadyExists(error.message().replace(" already exists", ""))
        }
        // deadlock, serialization failure, lock not available
        "40P01" | "40001" | "55P03" => return Failure::again(StoreError::Busy),
        // The table was altered since the statement was prepared on this connection.
        "0A000" if error.message().starts_with("cached plan") => {
            return Failure::again(StoreError::Schema(error.message().to_owned()));
        }
        // The server ends the connection.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
            return Failure::again(unavailable(code));
        }
        "57014" => StoreError::Unavailable("the server ended the statement".to_owned()),
        "42501" => StoreError::Unavailable("the server gives no permission for that".to_owned()),
        "25006" => StoreError::Other("this connection may only read".to_owned()),
        _ if code.starts_with("23") => StoreError::Constraint {
            constraint: named(error.constraint()),
        },
        _ if code.starts_with("42") => StoreError::Schema(error.message().to_owned()),
        _ if ["08", "28", "3D", "53", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            unavailable(code)
        }
        _ => StoreError::Other(format!("PostgreSQL answered {code}")),
    };
    kind.into()
}

fn unavailable(code: &str) -> StoreError {
    let reason = match code {
        "28P01" | "28000" => "the server refused the user or password",
        "3D000" => "there is no such database",
        "53300" => "the server has no connection left",
        _ => "the server refused the connection",
    };
    StoreError::Unavailable(format!("{reason} ({code})"))
}
