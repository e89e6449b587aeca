//! Bringing back what a backup holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crema_store::{Dialect, Statement, StoreError, Transaction, Value, params, statements};

use super::file::{Event, Reader};
use super::{BackupError, Header, Progress, tables};
use crate::Site;
use crate::lock::MigrationLock;
use crate::schema::{self, TableDefinition};

/// The table without which there is no site.
const VERSION_TABLE: &str = "__version";
/// Most rows, values and bytes of one statement.
const MOST_ROWS: usize = 64;
const MOST_VALUES: usize = 2000;
const MOST_BYTES: usize = 1 << 20;
/// How often progress is told, in rows.
const STEP: u64 = 1000;

statements! {
    /// The version, and nobody changes it until the end.
    pub(crate) VERSION = r#"SELECT "version" FROM "__version" WHERE "name" = 'site' {lock}"#;
    /// A version that nobody has seen.
    pub(crate) SET_VERSION = r#"UPDATE "__version" SET "version" = ? WHERE "name" = 'site'"#;
    /// The row of a site whose backup had none.
    pub(crate) ADD_VERSION = r#"INSERT INTO "__version" ("name", "version") VALUES ('site', ?)"#;
}

/// A backup that was read to its end and found whole.
#[derive(Clone, Debug)]
pub struct Backup {
    path: PathBuf,
    /// What it says about itself.
    pub header: Header,
    /// Rows of all tables.
    pub rows: u64,
    tables: Vec<TableDefinition>,
    sha256: String,
}

impl Backup {
    /// Reads a file to its end and checks everything that can be checked without a database.
    ///
    /// # Errors
    /// When it cannot be read, is not a whole backup of a site, or is one of a newer program.
    pub fn check(path: &Path) -> Result<Backup, BackupError> {
        let (mut reader, header) = Reader::open(path)?;
        let mut tables: Vec<TableDefinition> = Vec::new();
        let mut rows = 0;
        let sha256 = loop {
            match reader.next()? {
                Event::Table(table) => {
                    if tables.iter().any(|known| known.name == table.name) {
                        return Err(BackupError::unusable(path, "a table comes twice"));
                    }
                    tables.push(table);
                }
                Event::Row(_) => rows += 1,
                Event::TableEnd => {}
                Event::End(sha256) => break sha256,
            }
        };
        if !tables.iter().any(|table| table.name == VERSION_TABLE) {
            return Err(BackupError::unusable(path, "this is no backup of a site"));
        }
        Ok(Backup {
            path: path.to_owned(),
            header,
            rows,
            tables,
            sha256,
        })
    }

    /// How many tables it has.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }
}

struct Work {
    backup: Backup,
    /// The tables there are, also those that the backup does not know.
    live: Vec<String>,
    progress: Progress,
}

impl Site {
    /// Puts the rows of a backup in the place of all that there are, in one transaction. Tables
    /// and columns that are missing are made before; none is dropped, those that the backup does
    /// not know end up empty. What others remember of the site is old from then on.
    ///
    /// # Errors
    /// When the database refuses, or the file is not the one that was checked any more. Every
    /// row is then as it was.
    pub async fn restore(&self, backup: &Backup, progress: Progress) -> Result<(), BackupError> {
        let _lock = MigrationLock::acquire(self.folder()).await?;
        let database = self.database();
        schema::ensure(database, &wanted(database.dialect(), &backup.tables)).await?;
        let work = Arc::new(Work {
            backup: backup.clone(),
            live: database.tables().await?,
            progress,
        });
        database
            .write_alone(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { work.load(tx).await })
            })
            .await
    }
}

/// The tables with what this database can do: MariaDB has no index on the whole of a long text.
fn wanted(dialect: Dialect, tables: &[TableDefinition]) -> Vec<TableDefinition> {
    let mut tables = tables.to_vec();
    for table in tables.iter_mut().filter(|_| dialect == Dialect::MariaDb) {
        let columns = &table.columns;
        let long = |name: &String| {
            let mut found = columns.iter().filter(|column| &column.name == name);
            found.any(|column| {
                ["text", "blob"]
                    .iter()
                    .any(|end| column.column_type.ends_with(end))
            })
        };
        table
            .indexes
            .retain(|index| !index.columns.iter().any(long));
    }
    tables
}

impl Work {
    async fn load(&self, transaction: &mut Transaction) -> Result<(), BackupError> {
        let before = version(transaction).await?.unwrap_or(0);
        transaction.empty(&self.live).await?;
        let path = &self.backup.path;
        let (mut reader, _) = Reader::open(path)?;
        let mut rows = Rows::new(Arc::clone(&self.progress));
        loop {
            match reader.next()? {
                Event::Table(table) => rows.table = Some(table),
                Event::Row(row) => rows.add(transaction, row).await?,
                Event::TableEnd => rows.end_table(transaction).await?,
                Event::End(sha256) if sha256 == self.backup.sha256 => break,
                Event::End(_) => {
                    return Err(BackupError::unusable(
                        path,
                        "the file was changed meanwhile",
                    ));
                }
            }
        }
        let restored = version(transaction).await?;
        let next = before.max(restored.unwrap_or(0)).saturating_add(1);
        let set = if restored.is_some() {
            &SET_VERSION
        } else {
            &ADD_VERSION
        };
        transaction.execute(set, params![next]).await?;
        Ok(())
    }
}

async fn version(transaction: &mut Transaction) -> Result<Option<i64>, StoreError> {
    let row = transaction.row(&VERSION, Vec::new()).await?;
    row.map(|row| row.int(0)).transpose()
}

/// Rows of one table that wait until there are enough for a statement.
struct Rows {
    table: Option<TableDefinition>,
    waiting: Vec<Vec<Value>>,
    bytes: usize,
    done: u64,
    progress: Progress,
}

impl Rows {
    fn new(progress: Progress) -> Rows {
        Rows {
            table: None,
            waiting: Vec::new(),
            bytes: 0,
            done: 0,
            progress,
        }
    }

    async fn add(&mut self, tx: &mut Transaction, row: Vec<Value>) -> Result<(), StoreError> {
        let long = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 8,
        };
        let most = (MOST_VALUES / row.len().max(1)).clamp(1, MOST_ROWS);
        self.bytes += row.iter().map(long).sum::<usize>();
        self.waiting.push(row);
        self.done += 1;
        if let Some(table) = self
            .table
            .as_ref()
            .filter(|_| self.done.is_multiple_of(STEP))
        {
            (self.progress)(&table.name, self.done);
        }
        if self.waiting.len() >= most {
            return self.insert_together(tx).await;
        }
        if self.bytes >= MOST_BYTES {
            return self.insert_each(tx).await;
        }
        Ok(())
    }

    async fn end_table(&mut self, tx: &mut Transaction) -> Result<(), StoreError> {
        self.insert_each(tx).await?;
        let Some(table) = self.table.take() else {
            return Ok(());
        };
        (self.progress)(&table.name, self.done);
        if table.autoincrement && tx.dialect() == Dialect::Postgres {
            // The others look at the rows when they count on.
            let quoted = tx.dialect().quote(&table.name);
            let text = format!(
                "SELECT setval(pg_get_serial_sequence($1, 'name'), max(\"name\")) FROM {quoted}"
            );
            tx.statement_rows(Statement::new(text, params![quoted]))
                .await?;
        }
        Ok(())
    }

    /// Always so many in one statement, so that it is prepared once.
    async fn insert_together(&mut self, tx: &mut Transaction) -> Result<(), StoreError> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.waiting);
        let Some(table) = &self.table else {
            return Ok(());
        };
        let text = tables::insert(tx.dialect(), table, rows.len());
        let values = rows.into_iter().flatten().collect();
        tx.statement_execute(Statement::new(text, values)).await?;
        Ok(())
    }

    async fn insert_each(&mut self, tx: &mut Transaction) -> Result<(), StoreError> {
        for row in std::mem::take(&mut self.waiting) {
            self.waiting.push(row);
            self.insert_together(tx).await?;
        }
        self.bytes = 0;
        Ok(())
    }
}
