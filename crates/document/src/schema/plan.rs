//! The difference between the definitions and a live database.

use std::collections::HashSet;

use crema_store::{Column, Database, Dialect, Index, StoreError};

use super::table::{ColumnDefinition, TableDefinition, TableIndex};
use super::{Change, ddl};

/// One change and how to make it.
pub(super) struct Step {
    pub(super) change: Change,
    /// The statements; empty for a widened column.
    pub(super) ddl: String,
    pub(super) widened: Option<Widened>,
}

/// What a widened column is like from now on.
pub(super) struct Widened {
    pub(super) column_type: String,
    pub(super) nullable: bool,
    /// As SQL.
    pub(super) default: Option<String>,
}

pub(super) async fn plan(
    database: &Database,
    tables: &[TableDefinition],
) -> Result<Vec<Step>, StoreError> {
    let dialect = database.dialect();
    let live: HashSet<String> = database.tables().await?.into_iter().collect();
    let mut steps = Vec::new();
    for table in tables {
        if live.contains(&table.name) {
            let columns = database.columns(&table.name).await?;
            let indexes = database.indexes(&table.name).await?;
            missing_columns(dialect, table, &columns, &mut steps);
            missing_indexes(dialect, table, &indexes, &mut steps);
        } else {
            steps.push(create(dialect, table));
        }
    }
    Ok(steps)
}

fn create(dialect: Dialect, table: &TableDefinition) -> Step {
    let mut statements = vec![ddl::create_table(dialect, table)];
    for index in &table.indexes {
        statements.push(ddl::create_index(dialect, &table.name, index));
    }
    Step {
        change: Change::CreateTable {
            table: table.name.clone(),
        },
        ddl: statements.join(";\n"),
        widened: None,
    }
}

fn missing_columns(
    dialect: Dialect,
    table: &TableDefinition,
    live: &[Column],
    steps: &mut Vec<Step>,
) {
    for column in &table.columns {
        let found = live.iter().find(|found| found.name == column.name);
        let Some(found) = found else {
            steps.push(Step {
                change: Change::AddColumn {
                    table: table.name.clone(),
                    column: column.name.clone(),
                },
                ddl: ddl::add_column(dialect, table, column),
                widened: None,
            });
            continue;
        };
        if let Some(step) = widen(dialect, table, column, found) {
            steps.push(step);
        }
    }
}

fn widen(
    dialect: Dialect,
    table: &TableDefinition,
    column: &ColumnDefinition,
    live: &Column,
) -> Option<Step> {
    // On SQLite no type is wider than another of its kind.
    if dialect == Dialect::Sqlite {
        return None;
    }
    let wanted = dialect.column_type(&column.column_type);
    let (kind, width) = width_of(&wanted)?;
    let (live_kind, live_width) = width_of(&live.column_type)?;
    if kind != live_kind || live_width >= width {
        return None;
    }
    Some(Step {
        change: Change::WidenColumn {
            table: table.name.clone(),
            column: column.name.clone(),
            from: live.column_type.clone(),
            to: wanted.into_owned(),
        },
        ddl: String::new(),
        widened: Some(Widened {
            column_type: column.column_type.clone(),
            // Rows without a value may be there.
            nullable: live.nullable,
            default: ddl::default_literal(dialect, column),
        }),
    })
}

#[derive(PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
}

/// How much a column of this type takes, to be compared within its kind.
fn width_of(column_type: &str) -> Option<(Kind, u64)> {
    let column_type = column_type.to_ascii_lowercase();
    let (base, arguments) = column_type
        .split_once('(')
        .unwrap_or((column_type.as_str(), ""));
    Some(match base.trim() {
        "varchar" | "character varying" => {
            let length = arguments.trim_end_matches(')').trim().parse().ok()?;
            (Kind::Text, length)
        }
        "tinytext" => (Kind::Text, 255),
        "text" => (Kind::Text, 1 << 20),
        "mediumtext" => (Kind::Text, 1 << 24),
        "longtext" => (Kind::Text, 1 << 32),
        "tinyint" => (Kind::Integer, 1),
        "smallint" => (Kind::Integer, 2),
        "mediumint" => (Kind::Integer, 3),
        "int" | "integer" => (Kind::Integer, 4),
        "bigint" => (Kind::Integer, 8),
        _ => return None,
    })
}

fn missing_indexes(
    dialect: Dialect,
    table: &TableDefinition,
    live: &[Index],
    steps: &mut Vec<Step>,
) {
    for index in &table.indexes {
        if !live.iter().any(|found| serves(found, index)) && index.columns != table.primary_key {
            steps.push(Step {
                change: Change::CreateIndex {
                    table: table.name.clone(),
                    columns: index.columns.clone(),
                    unique: index.unique,
                },
                ddl: ddl::create_index(dialect, &table.name, index),
                widened: None,
            });
        }
    }
}

/// Whether an index that is there does what the wanted one would, whatever its name.
fn serves(live: &Index, wanted: &TableIndex) -> bool {
    if wanted.unique {
        live.unique && live.columns == wanted.columns
    } else {
        live.columns.starts_with(&wanted.columns)
    }
}
