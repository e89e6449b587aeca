//! One statement on SQLite: reads on the calling thread, inserts with group commit.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Result, anyhow};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tokio::sync::oneshot;

use super::row;
use crate::data::Cell;

/// Inserts that share a commit at most; Crema's number.
const GROUP: usize = 64;

thread_local! {
    /// One connection for each thread of the runtime.
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// An insert, and whom to tell.
type Job = (Vec<Cell>, oneshot::Sender<Result<(), String>>);

/// The file.
pub(super) struct Sqlite {
    path: PathBuf,
    writer: Sender<Job>,
    numbers: row::Numbers,
}

impl Sqlite {
    /// Opens the file and starts the thread that writes.
    pub(super) fn open(path: &Path) -> Result<Sqlite> {
        let connection = open(path)?;
        connection.pragma_update(None, "cache_size", -16 * 1024)?;
        connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        let (writer, jobs) = channel();
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write(&connection, &jobs))?;
        Ok(Sqlite {
            path: path.to_owned(),
            writer,
            numbers: row::Numbers::new(),
        })
    }

    /// Looks for a token; gives whether it is there.
    pub(super) fn read(&self, token: &[u8]) -> Result<bool> {
        READER.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(open(&self.path)?);
            }
            let connection = slot.as_ref().ok_or_else(|| anyhow!("no connection"))?;
            let mut statement = connection.prepare_cached(row::READ)?;
            let mut rows = statement.query([row::hash(token)])?;
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            // An answer takes some of it along.
            Ok(row.get_ref(4)?.as_str()? == "Active" && row.get::<_, i64>(5)? > 0)
        })
    }

    /// Reads rows; gives whether there is one.
    pub(super) fn rows(&self, text: &str, values: &[&dyn rusqlite::ToSql]) -> Result<bool> {
        READER.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(open(&self.path)?);
            }
            let connection = slot.as_ref().ok_or_else(|| anyhow!("no connection"))?;
            let mut statement = connection.prepare_cached(text)?;
            let columns = statement.column_count();
            let mut rows = statement.query(values)?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                // An answer takes all of it along.
                for column in 0..columns {
                    bytes += match row.get_ref(column)? {
                        ValueRef::Text(text) => text.len(),
                        _ => 1,
                    };
                }
            }
            Ok(bytes > 0)
        })
    }

    /// Stores a token, another one each time.
    pub(super) async fn insert(&self, token: &[u8]) -> Result<bool> {
        let number = self.numbers.next();
        let (done, wait) = oneshot::channel();
        self.writer.send((row::new(token, number), done))?;
        wait.await?.map_err(|error| anyhow!(error))?;
        Ok(true)
    }
}

/// A connection with the settings of crema-store.
fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn write(connection: &Connection, jobs: &Receiver<Job>) {
    let text = row::insert(|_| "?".to_owned());
    let mut group = Vec::with_capacity(GROUP);
    while let Ok(first) = jobs.recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        let result = commit(connection, &text, &group).map_err(|error| error.to_string());
        for (_, done) in group.drain(..) {
            // The window may be over.
            done.send(result.clone()).ok();
        }
    }
}

fn commit(connection: &Connection, text: &str, group: &[Job]) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let inserted = group.iter().try_for_each(|(row, _)| {
        let mut insert = connection.prepare_cached(text)?;
        insert.execute(params_from_iter(row)).map(drop)
    });
    let end = if inserted.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.prepare_cached(end)?.execute([])?;
    inserted
}
