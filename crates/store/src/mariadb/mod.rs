//! MariaDB: settings, statements, errors.

mod catalogue;
mod column;

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::mysql::{
    MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions, MySqlSslMode,
    MySqlStatement,
};
use sqlx::{
    Arguments, AssertSqlSafe, ConnectOptions, Connection as _, Either, Executor, MySqlConnection,
    MySqlPool, Statement as _,
};

use crate::dialect::MARIADB_COLLATION;
use crate::error::Failure;
use crate::server::{Sink, TRUST_IDLE, idle_in_transaction, ping_in_time};
use crate::stream::Together;
use crate::transaction::Text;
use crate::{Row, ServerConfig, StoreError, Tls, Value, datetime};

pub(crate) use catalogue::{COLUMNS, INDEXES, TABLES, alter_column, column};

/// Begins a transaction that reads one snapshot.
pub(crate) const BEGIN_SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
     START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Begins a transaction that keeps others from adding rows where it has removed all.
pub(crate) const BEGIN_ALONE: &str =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION";

/// Prepared statements kept per connection. The server has a limit for all connections of all
/// sites together (`max_prepared_stmt_count`, 16382 by default).
const STATEMENTS: usize = 64;

pub(crate) fn pool(config: &ServerConfig) -> MySqlPool {
    let timeout = config.timeout;
    MySqlPoolOptions::new()
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
        .after_connect(move |connection, _| Box::pin(prepare_session(connection, timeout)))
        .connect_lazy_with(options(config))
}

pub(crate) fn options(config: &ServerConfig) -> MySqlConnectOptions {
    // The driver's own settings for a session are left out: `prepare_session` makes all.
    let mut options = MySqlConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .password(config.password.expose())
        .statement_cache_capacity(STATEMENTS)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false);
    if !config.database.is_empty() {
        options = options.database(&config.database);
    }
    if let Some(file) = &config.socket {
        options = options.socket(file);
    }
    options = match &config.tls {
        Tls::Off => options.ssl_mode(MySqlSslMode::Disabled),
        Tls::Unverified => options.ssl_mode(MySqlSslMode::Required),
        Tls::Verified { authorities } => {
            let options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
            match authorities {
                Some(file) => options.ssl_ca(file),
                None => options,
            }
        }
    };
    options.disable_statement_logging()
}

/// Settings without which the portable SQL would mean something else.
pub(crate) async fn prepare_session(
    connection: &mut MySqlConnection,
    timeout: Duration,
) -> Result<(), sqlx::Error> {
    let lock_wait = timeout.as_secs().max(1);
    let idle = idle_in_transaction(timeout).as_secs().max(1);
    let text = format!(
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,\
         NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
         time_zone = '+00:00', innodb_lock_wait_timeout = {lock_wait}, \
         idle_transaction_timeout = {idle}, autocommit = 1, \
         NAMES utf8mb4 COLLATE {MARIADB_COLLATION}"
    );
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await;
    done.map(drop)
}

/// Runs a statement and returns its rows.
pub(crate) async fn rows(
    connection: &mut MySqlConnection,
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
    connection: &mut MySqlConnection,
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
    connection: &mut MySqlConnection,
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

/// Runs a statement and returns the number of changed rows. The driver asks for the rows that
/// were found, so an update counts them also when nothing changes.
pub(crate) async fn execute(
    connection: &mut MySqlConnection,
    text: Text,
    values: &[Value],
) -> Result<u64, Failure> {
    let (statement, arguments) = bind(connection, text, values).await?;
    let done = statement.query_with(arguments).execute(connection).await;
    Ok(done.map_err(|failure| error(&failure))?.rows_affected())
}

/// Prepares a statement without running it.
pub(crate) async fn prepare(
    connection: &mut MySqlConnection,
    text: &'static str,
) -> Result<(), Failure> {
    let prepared = connection.prepare(Text::Fixed(text).into_sql());
    prepared.await.map(drop).map_err(|failure| error(&failure))
}

async fn bind(
    connection: &mut MySqlConnection,
    text: Text,
    values: &[Value],
) -> Result<(MySqlStatement, MySqlArguments), Failure> {
    let statement = prepared(connection, text).await;
    let statement = statement.map_err(|failure| error(&failure))?;
    let wanted = match statement.parameters() {
        Some(Either::Right(count)) => count,
        _ => 0,
    };
    if wanted != values.len() {
        return Err(crate::sql::wrong_count(wanted, values.len()).into());
    }
    let mut arguments = MySqlArguments::default();
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<&str>),
            Value::Int(int) => arguments.add(*int),
            Value::Real(real) => arguments.add(*real),
            Value::Text(text) => {
                crate::value::check_text(text)?;
                arguments.add(text.as_str())
            }
            Value::Bytes(bytes) => arguments.add(bytes.as_slice()),
            // The server converts it, also in comparisons, where it is a constant.
            Value::DateTime(micros) => {
                let text = datetime::format(*micros);
                arguments.add(text.ok_or_else(crate::value::date_out_of_range)?)
            }
        };
        added.map_err(|_| StoreError::Other("a value could not be encoded".to_owned()))?;
    }
    Ok((statement, arguments))
}

/// Prepares, once per connection. At the server's limit the connection gives up its own
/// statements first.
async fn prepared(
    connection: &mut MySqlConnection,
    text: Text,
) -> Result<MySqlStatement, sqlx::Error> {
    const TOO_MANY_STATEMENTS: u16 = 1461;
    match connection.prepare(text.clone().into_sql()).await {
        Err(failure) if number(&failure) == Some(TOO_MANY_STATEMENTS) => {
            connection.clear_cached_statements().await?;
            connection.prepare(text.into_sql()).await
        }
        result => result,
    }
}

/// The number of a server's error.
fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

/// Sorts an error into its kind.
pub(crate) fn error(error: &sqlx::Error) -> Failure {
    let server = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    match server {
        Some(server) => server_error(server),
        None => crate::server::driver_error(error),
    }
}

/// The numbers are MariaDB's error codes. Messages that may quote a bound value are dropped.
fn server_error(error: &MySqlDatabaseError) -> Failure {
    let kind = match error.number() {
        1022 | 1062 | 1169 | 1586 | 1859 => StoreError::UniqueViolation {
            // "Duplicate entry '…' for key 'name'": the value comes first, the name last.
            constraint: last_quoted(error.message()).unwrap_or_default(),
        },
        1048 | 1364 => StoreError::NotNull {
            column: last_quoted(error.message()).unwrap_or_default(),
        },
        1264 | 1406 => StoreError::TooLong {
            column: last_quoted(error.message()).unwrap_or_default(),
        },
        1216 | 1217 | 1451 | 1452 | 3819 | 4025 => StoreError::Constraint {
            constraint: error.number().to_string(),
        },
        1007 => StoreError::AlreadyExists("the database".to_owned()),
        1396 => StoreError::AlreadyExists("the user".to_owned()),
        1050 => StoreError::AlreadyExists("the table".to_owned()),
        1060 => StoreError::AlreadyExists("the column".to_owned()),
        1061 => StoreError::AlreadyExists("the index".to_owned()),
        // record has changed since the snapshot, lock wait timeout, deadlock
        1020 | 1205 | 1213 => return Failure::again(StoreError::Busy),
        // The server or an administrator ends the connection.
        1053 | 1927 | 4031 => {
            return Failure::again(StoreError::Unavailable("the server is going".to_owned()));
        }
        1040 | 1203 => StoreError::Unavailable("the server has no connection left".to_owned()),
        // Disk full, table full, errors of reading and writing files, a server that only reads.
        3 | 1021 | 1026 | 1030 | 1114 | 1290 | 1836 => {
            StoreError::Unavailable(format!("the server cannot write ({})", error.number()))
        }
        // Somebody, or a limit that the administrator has set, ended the statement.
        1317 | 1969 => StoreError::Unavailable("the server ended the statement".to_owned()),
        1044 | 1045 | 1698 => {
            StoreError::Unavailable("the server refused the user or password".to_owned())
        }
        1461 => StoreError::Unavailable(
            "the server has no room for prepared statements (max_prepared_stmt_count)".to_owned(),
        ),
        1049 => StoreError::Unavailable("there is no such database".to_owned()),
        1142 | 1143 | 1227 => {
            StoreError::Unavailable("the server gives no permission for that".to_owned())
        }
        1792 => StoreError::Other("this transaction may only read".to_owned()),
        // Unknown table, column, function, key; syntax; what does not fit each other.
        1051 | 1052 | 1054 | 1055 | 1064 | 1071 | 1072 | 1091 | 1101 | 1109 | 1110 | 1136
        | 1146 | 1170 | 1176 | 1305 => StoreError::Schema(error.message().to_owned()),
        number => StoreError::Other(format!("MariaDB answered {number}")),
    };
    kind.into()
}

/// `… for key 'name'` → `name`; `Column 'name' cannot be null` → `name`.
fn last_quoted(message: &str) -> Option<String> {
    let (rest, _) = message.rsplit_once('\'')?;
    let (_, name) = rest.rsplit_once('\'')?;
    Some(name.to_owned())
}
