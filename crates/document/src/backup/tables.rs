//! Tables as the databases' catalogues describe them, in Frappe's words.

use crema_store::{Column, Database, Dialect, Statement, StoreError};

use crate::schema::{ColumnDefinition, TableDefinition, TableIndex};

/// The longest name of a table or column.
const LONGEST: usize = 255;

/// All tables of a database.
pub(super) async fn all(database: &Database) -> Result<Vec<TableDefinition>, StoreError> {
    let mut tables = Vec::new();
    for name in database.tables().await? {
        tables.push(one(database, name).await?);
    }
    Ok(tables)
}

async fn one(database: &Database, name: String) -> Result<TableDefinition, StoreError> {
    let dialect = database.dialect();
    let columns = database.columns(&name).await?;
    let indexes = database.indexes(&name).await?;
    let key: Vec<&Column> = columns.iter().filter(|column| column.primary_key).collect();
    let autoincrement = match key.as_slice() {
        // The documents that are counted; every other table has names of text.
        [key] => key.name == "name" && key.column_type.contains("int"),
        _ => false,
    };
    Ok(TableDefinition {
        description: String::new(),
        primary_key: key.iter().map(|column| column.name.clone()).collect(),
        indexes: indexes
            .into_iter()
            .map(|index| TableIndex {
                columns: index.columns,
                unique: index.unique,
            })
            .collect(),
        columns: columns
            .into_iter()
            .map(|column| ColumnDefinition {
                column_type: in_frappes_words(dialect, &column.column_type),
                name: column.name,
                nullable: column.nullable,
                default: column.default.filter(|_| !column.primary_key),
                description: String::new(),
            })
            .collect(),
        autoincrement,
        name,
    })
}

/// The type that leads to this one on its own database, and to one that holds the same on others.
fn in_frappes_words(dialect: Dialect, physical: &str) -> String {
    let (base, arguments) = match physical.split_once('(') {
        Some((base, arguments)) => (base.trim_end(), format!("({arguments}")),
        None => (physical, String::new()),
    };
    match (dialect, base) {
        (Dialect::Sqlite, "integer") => "bigint".to_owned(),
        (Dialect::Postgres, "text" | "json" | "jsonb") => "longtext".to_owned(),
        (Dialect::Postgres, "integer") => "int".to_owned(),
        (Dialect::Postgres, "double precision" | "real") => "double".to_owned(),
        (Dialect::Postgres, "numeric") => format!("decimal{arguments}"),
        (Dialect::Postgres, "timestamp" | "timestamp with time zone") => "datetime(6)".to_owned(),
        (Dialect::Postgres, "bytea") => "longblob".to_owned(),
        (Dialect::Postgres, "boolean") => "tinyint".to_owned(),
        _ => physical.to_owned(),
    }
}

/// Whether a definition that comes from a file can become part of a statement.
pub(super) fn is_plain(table: &TableDefinition) -> bool {
    let name = |name: &String| {
        !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control)
    };
    let known = |name: &String| table.columns.iter().any(|column| &column.name == name);
    let kind = |kind: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" (),_".contains(&byte);
        // One pair of parentheses at most, so that the type closes nothing that it has not opened.
        let inside = kind.split_once('(').map_or("", |(_, inside)| inside);
        let closed = kind.matches('(').count() == kind.matches(')').count();
        let once = kind.matches('(').count() <= 1 && (inside.is_empty() || inside.contains(')'));
        !kind.is_empty()
            && kind.len() <= LONGEST
            && kind.bytes().all(plain)
            && closed
            && once
            && !kind.starts_with(')')
            && !kind
                .split('(')
                .next()
                .unwrap_or_default()
                .contains([',', ')'])
    };
    let columns = &table.columns;
    name(&table.name)
        && !columns.is_empty()
        && columns
            .iter()
            .all(|column| name(&column.name) && kind(&column.column_type))
        && table.primary_key.iter().all(known)
        && table
            .indexes
            .iter()
            .all(|index| index.columns.iter().all(known))
}

/// Reads all rows of a table. On SQLite as they are stored, whatever the type of the column is; of
/// exact decimals the digits.
pub(super) fn select(dialect: Dialect, table: &TableDefinition) -> Statement {
    let columns = table.columns.iter().map(|column| {
        let name = dialect.quote(&column.name);
        let is_decimal = column.column_type.starts_with("decimal");
        match dialect {
            Dialect::Sqlite => format!("+{name}"),
            Dialect::MariaDb if is_decimal => format!("CAST({name} AS CHAR)"),
            Dialect::Postgres if is_decimal => format!("CAST({name} AS text)"),
            Dialect::MariaDb | Dialect::Postgres => name,
        }
    });
    let columns: Vec<String> = columns.collect();
    let table = dialect.quote(&table.name);
    Statement::new(
        format!("SELECT {} FROM {table}", columns.join(", ")),
        Vec::new(),
    )
}

/// The text that inserts so many rows.
pub(super) fn insert(dialect: Dialect, table: &TableDefinition, rows: usize) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| dialect.quote(&column.name))
        .collect();
    let width = names.len();
    let place = |index: usize| match dialect {
        Dialect::Postgres => format!("${}", index + 1),
        Dialect::Sqlite | Dialect::MariaDb => "?".to_owned(),
    };
    let row = |row: usize| {
        let places: Vec<String> = (0..width)
            .map(|column| place(row * width + column))
            .collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        dialect.quote(&table.name),
        names.join(", "),
        rows.join(", ")
    )
}
