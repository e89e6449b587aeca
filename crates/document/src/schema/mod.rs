//! The schema follows the definitions: what is missing is added, what is too narrow is widened,
//! nothing is dropped or narrowed.
//!
//! A second run finds nothing to do. Two runs at once do no harm: on one computer they wait for
//! each other ([`crate::lock`]), and every step may meet its result already made.

mod ddl;
mod plan;
mod table;

use std::fmt;

use crema_store::{ColumnChange, Database, StoreError};

use crate::Registry;

pub use table::{ColumnDefinition, TableDefinition, TableIndex};

/// One thing that was, or is to be, changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A table with its columns and indexes.
    CreateTable {
        /// The table.
        table: String,
    },
    /// A column.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column that takes more from now on.
    WidenColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type before.
        from: String,
        /// Its type from now on.
        to: String,
    },
    /// An index.
    CreateIndex {
        /// The table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
        /// Whether it admits a combination of values once.
        unique: bool,
    },
    /// A DocType of an app.
    AddDocType {
        /// Its name.
        doctype: String,
    },
    /// Another definition of an app's DocType.
    ChangeDocType {
        /// Its name.
        doctype: String,
    },
    /// A field that is in the definition no more. What it held stays in the table.
    DropField {
        /// The DocType.
        doctype: String,
        /// The field.
        field: String,
    },
    /// A DocType that is in no definition any more. Its table stays.
    RemoveDocType {
        /// Its name.
        doctype: String,
    },
    /// DocTypes whose record in the site was written anew.
    Describe {
        /// How many.
        doctypes: usize,
    },
    /// A patch that ran.
    Patch {
        /// Its name, as in Patch Log.
        name: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::CreateTable { table } => write!(formatter, "create table {table}"),
            Change::AddColumn { table, column } => write!(formatter, "add {table}.{column}"),
            Change::WidenColumn {
                table,
                column,
                from,
                to,
            } => write!(formatter, "widen {table}.{column} from {from} to {to}"),
            Change::CreateIndex {
                table,
                columns,
                unique,
            } => {
                let kind = if *unique { "unique index" } else { "index" };
                write!(
                    formatter,
                    "create {kind} on {table} ({})",
                    columns.join(", ")
                )
            }
            Change::AddDocType { doctype } => write!(formatter, "add DocType {doctype}"),
            Change::ChangeDocType { doctype } => write!(formatter, "change DocType {doctype}"),
            Change::DropField { doctype, field } => write!(
                formatter,
                "drop {field} from DocType {doctype}, and keep its data"
            ),
            Change::RemoveDocType { doctype } => write!(
                formatter,
                "remove DocType {doctype}, and keep its table without rows"
            ),
            Change::Describe { doctypes } => {
                write!(formatter, "describe DocTypes in tabDocType: {doctypes}")
            }
            Change::Patch { name } => write!(formatter, "patch {name}"),
        }
    }
}

/// What a run of [`sync`] would change now.
///
/// # Errors
/// When the database's catalogue cannot be read.
pub async fn pending(database: &Database, registry: &Registry) -> Result<Vec<Change>, StoreError> {
    let steps = plan::plan(database, &registry.tables()).await?;
    Ok(steps.into_iter().map(|step| step.change).collect())
}

/// How often a failed run looks again whether there is still something to do.
const ROUNDS: usize = 3;

/// Makes the schema follow the definitions and says what it changed.
///
/// # Errors
/// When the catalogue cannot be read or a step fails, for example a unique index over rows that
/// are not. The steps before it are done; the next run goes on.
pub async fn sync(database: &Database, registry: &Registry) -> Result<Vec<Change>, StoreError> {
    ensure(database, &registry.tables()).await
}

/// The same for these tables.
///
/// # Errors
/// Like [`sync`].
pub(crate) async fn ensure(
    database: &Database,
    tables: &[TableDefinition],
) -> Result<Vec<Change>, StoreError> {
    let mut done = Vec::new();
    let mut rounds = 1;
    loop {
        let steps = plan::plan(database, tables).await?;
        match apply_all(database, steps, &mut done).await {
            Ok(()) => return Ok(done),
            // Another process may have made the same thing at the same time: what it made is
            // no longer to be done.
            Err(_) if rounds < ROUNDS => rounds += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn apply_all(
    database: &Database,
    steps: Vec<plan::Step>,
    done: &mut Vec<Change>,
) -> Result<(), StoreError> {
    let (created, others): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .partition(|step| matches!(step.change, Change::CreateTable { .. }));
    if !created.is_empty() {
        // All at once: one commit where the database has transactional DDL.
        let script: Vec<&str> = created.iter().map(|step| step.ddl.as_str()).collect();
        database.execute_ddl(&script.join(";\n")).await?;
        done.extend(created.into_iter().map(|step| step.change));
    }
    for step in others {
        apply(database, &step).await?;
        done.push(step.change);
    }
    Ok(())
}

async fn apply(database: &Database, step: &plan::Step) -> Result<(), StoreError> {
    match (&step.change, &step.widened) {
        (Change::WidenColumn { table, column, .. }, Some(widened)) => {
            let change = ColumnChange {
                table,
                column,
                column_type: &widened.column_type,
                nullable: widened.nullable,
                default: widened.default.as_deref(),
            };
            database.alter_column(&change).await
        }
        _ => database.execute_ddl(&step.ddl).await,
    }
}
