//! Writing a backup while others use the site.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use crema_store::Transaction;

use super::file::Writer;
use super::{BackupError, Header, Progress, tables};
use crate::Site;
use crate::lock::MigrationLock;
use crate::schema::TableDefinition;

/// How often progress is told, in rows.
const STEP: u64 = 1000;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// Tables.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// The size of the file in bytes.
    pub bytes: u64,
}

struct Work {
    target: PathBuf,
    header: Header,
    tables: Vec<TableDefinition>,
    progress: Progress,
}

impl Site {
    /// Writes what the database holds at one moment into a new file of mode 0600, which appears
    /// there when it is whole. Waits while the site is migrated. Nobody waits for it.
    ///
    /// # Errors
    /// When the database cannot be read, or the file not be written; no file is left then.
    pub async fn dump(
        &self,
        path: &Path,
        header: Header,
        progress: Progress,
    ) -> Result<Dumped, BackupError> {
        let _lock = MigrationLock::acquire(self.folder()).await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = path.with_file_name(format!(".{name}.unfinished"));
        let work = Arc::new(Work {
            target: unfinished.clone(),
            header,
            tables: tables::all(self.database()).await?,
            progress,
        });
        let tables = work.tables.len();
        let written = self
            .database()
            .read(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { work.write(tx).await })
            })
            .await;
        let placed = written.and_then(|rows| {
            let bytes = place(&unfinished, path).map_err(|error| BackupError::io(path, error))?;
            Ok(Dumped {
                tables,
                rows,
                bytes,
            })
        });
        if placed.is_err() {
            fs::remove_file(&unfinished).ok();
        }
        placed
    }
}

impl Work {
    async fn write(&self, transaction: &mut Transaction) -> Result<u64, BackupError> {
        let dialect = transaction.dialect();
        let mut writer = Writer::create(&self.target, &self.header)?;
        for table in &self.tables {
            writer.begin_table(table)?;
            (self.progress)(&table.name, writer.rows());
            let mut failed = None;
            let read = transaction
                .each_row(tables::select(dialect, table), &mut |row| {
                    let written = writer.row(row.values());
                    if writer.rows().is_multiple_of(STEP) {
                        (self.progress)(&table.name, writer.rows());
                    }
                    failed = written.err();
                    failed.is_none()
                })
                .await;
            if let Some(error) = failed {
                return Err(error);
            }
            read?;
            writer.end_table(table)?;
        }
        let rows = writer.rows();
        writer.finish()?;
        Ok(rows)
    }
}

/// Gives a finished file its name; it is never overwritten. Answers its size.
fn place(unfinished: &Path, path: &Path) -> io::Result<u64> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(unfinished, path)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(fs::metadata(path)?.len())
}
