//! One statement on SQLite: reads on the calling thread, inserts with group commit.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Result, anyhow};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tokio::sync::oneshot;

use super::super::data::{BEARER_COLUMNS, Cell};
use crate::clock;

/// Inserts that share a commit at most; Crema's number.
const GROUP: usize = 64;

/// What an answer would need of a token, by its hash.
const READ: &str = r#"SELECT name, client, "user", scopes, status, expires_at, issued_at,
    refresh_expires_at, resource, auth_time, family, last_used
    FROM "tabOAuth Bearer Token" WHERE access_token = ?"#;

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
    made: AtomicU64,
}

impl Sqlite {
    /// Opens the file and starts the thread that writes.
    pub(super) fn open(path: &Path) -> Result<Sqlite> {
        let connection = open(path)?;
        let (writer, jobs) = channel();
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write(&connection, &jobs))?;
        Ok(Sqlite {
            path: path.to_owned(),
            writer,
            made: AtomicU64::new(clock::unix_micros().unsigned_abs()),
        })
    }

    /// Looks for a token; gives whether it is there.
    pub(super) fn read(&self, token: &[u8]) -> Result<bool> {
        let hash = hash(token);
        READER.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(open(&self.path)?);
            }
            let connection = slot.as_ref().ok_or_else(|| anyhow!("no connection"))?;
            let mut statement = connection.prepare_cached(READ)?;
            let mut rows = statement.query([hash])?;
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            // An answer takes some of it along.
            Ok(row.get_ref(4)?.as_str()? == "Active" && row.get::<_, i64>(5)? > 0)
        })
    }

    /// Stores a token, another one each time.
    pub(super) async fn insert(&self, token: &[u8]) -> Result<bool> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let (done, wait) = oneshot::channel();
        self.writer.send((row(token, number), done))?;
        wait.await?.map_err(|error| anyhow!(error))?;
        Ok(true)
    }
}

fn hash(token: &[u8]) -> String {
    crema_crypto::hash_hex(&String::from_utf8_lossy(token))
}

/// A row as Crema writes one, for a token that does not exist yet.
pub(super) fn row(token: &[u8], number: u64) -> Vec<Cell> {
    let token = String::from_utf8_lossy(token);
    let access = crema_crypto::hash_hex(&format!("{token}{number}"));
    let refresh = crema_crypto::hash_hex(&format!("{number}{token}"));
    let now = clock::unix_micros();
    let created = clock::date_time(now);
    let user = crate::site::USER;
    let name: String = access.chars().take(16).collect();
    let family: String = refresh.chars().take(10).collect();
    let sid: String = refresh.chars().skip(10).take(32).collect();
    let hour = now + 3_600_000_000;
    vec![
        name.into(),
        created.clone().into(),
        created.clone().into(),
        user.into(),
        user.into(),
        0.into(),
        0.into(),
        "0123456789".into(),
        user.into(),
        "all openid".into(),
        access.into(),
        refresh.into(),
        created.into(),
        3_600.into(),
        "Active".into(),
        family.into(),
        hour.into(),
        now.into(),
        hour.into(),
        "".into(),
        (now / 1_000_000).into(),
        Cell::Null,
        "authorization_code".into(),
        sid.into(),
        Cell::Null,
    ]
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
    Ok(connection)
}

fn write(connection: &Connection, jobs: &Receiver<Job>) {
    let columns: Vec<String> = BEARER_COLUMNS
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let text = format!(
        "INSERT INTO \"tabOAuth Bearer Token\" ({}) VALUES ({})",
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    );
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
