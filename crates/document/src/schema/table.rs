//! What a table should be like, from a DocType or from `doctypes/tables.json`.

use serde::{Deserialize, Serialize};

use crate::doctype::{DefinitionError, DocType, Field, FieldType, MAX_TABLE_NAME, Naming};

/// A table as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    /// What its rows are.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its columns in order.
    pub columns: Vec<ColumnDefinition>,
    /// The columns of its primary key; none for a table that Frappe gives none.
    #[serde(default)]
    pub primary_key: Vec<String>,
    /// Its further indexes.
    #[serde(default)]
    pub indexes: Vec<TableIndex>,
    /// The one column of its primary key counts up.
    #[serde(default)]
    pub autoincrement: bool,
}

/// A column as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type in Frappe's (MariaDB's) words.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether it may be null; columns of a primary key never are.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// The value of a row that gives none.
    #[serde(default)]
    pub default: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// An index as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableIndex {
    /// Its columns in order.
    pub columns: Vec<String>,
    /// Whether a combination of values is admitted once.
    #[serde(default)]
    pub unique: bool,
}

fn yes() -> bool {
    true
}

impl TableDefinition {
    /// The tables of a JSON list.
    pub(crate) fn list_from_json(text: &str) -> Result<Vec<TableDefinition>, DefinitionError> {
        let fault = |reason: String| DefinitionError {
            source_name: "tables.json".to_owned(),
            reason,
        };
        let tables: Vec<TableDefinition> =
            serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        for table in &tables {
            table
                .check()
                .map_err(|reason| fault(format!("{}: {reason}", table.name)))?;
        }
        Ok(tables)
    }

    /// The table of a DocType's documents.
    pub fn of(doctype: &DocType) -> TableDefinition {
        let autoincrement = doctype.naming() == Naming::Autoincrement;
        // Rows that are no documents have no name.
        let shared = doctype.shared_table().is_some();
        let mut columns = standard_columns(autoincrement, shared);
        if doctype.istable {
            for name in crate::doctype::CHILD_COLUMNS {
                columns.push(plain(name, "varchar(140)"));
            }
        }
        columns.extend(doctype.value_fields().filter_map(column_of));
        if !doctype.istable {
            for name in crate::doctype::DESK_COLUMNS {
                columns.push(plain(name, "text"));
            }
        }
        let listed = if doctype.istable {
            "parent"
        } else {
            "creation"
        };
        let mut indexes = vec![index(&[listed], false)];
        if shared {
            indexes.push(index(&["name"], true));
        }
        for field in doctype.value_fields() {
            if field.unique || field.search_index {
                indexes.push(index(&[&field.fieldname], field.unique));
            }
        }
        indexes.extend(doctype.indexes.iter().map(|index| TableIndex {
            columns: index.columns.clone(),
            unique: index.unique,
        }));
        TableDefinition {
            name: doctype.table(),
            description: doctype.description.clone(),
            columns,
            primary_key: if shared {
                Vec::new()
            } else {
                vec!["name".to_owned()]
            },
            indexes,
            autoincrement,
        }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > MAX_TABLE_NAME {
            return Err(format!("the name has no or over {MAX_TABLE_NAME} bytes"));
        }
        let indexed = self.indexes.iter().flat_map(|index| &index.columns);
        for name in self.primary_key.iter().chain(indexed) {
            if self.column(name).is_none() {
                return Err(format!("there is no column {name}"));
            }
        }
        Ok(())
    }
}

fn standard_columns(autoincrement: bool, shared: bool) -> Vec<ColumnDefinition> {
    let name_type = if autoincrement {
        "bigint"
    } else {
        "varchar(140)"
    };
    vec![
        ColumnDefinition {
            nullable: shared,
            ..plain("name", name_type)
        },
        plain("creation", "datetime(6)"),
        plain("modified", "datetime(6)"),
        plain("modified_by", "varchar(140)"),
        plain("owner", "varchar(140)"),
        numeric("docstatus", "tinyint", "0"),
        numeric("idx", "int", "0"),
    ]
}

fn column_of(field: &Field) -> Option<ColumnDefinition> {
    let column_type = field.column_type()?.into_owned();
    if field.fieldtype.is_numeric() {
        let default = field
            .literal_default()
            .filter(|default| default.parse::<f64>().is_ok())
            .unwrap_or("0");
        return Some(numeric(&field.fieldname, &column_type, default));
    }
    let dated = matches!(
        field.fieldtype,
        FieldType::Date | FieldType::Datetime | FieldType::Time
    );
    Some(ColumnDefinition {
        default: field
            .literal_default()
            .filter(|_| !dated)
            .map(str::to_owned),
        ..plain(&field.fieldname, &column_type)
    })
}

fn plain(name: &str, column_type: &str) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        column_type: column_type.to_owned(),
        nullable: true,
        default: None,
        description: String::new(),
    }
}

fn numeric(name: &str, column_type: &str, default: &str) -> ColumnDefinition {
    ColumnDefinition {
        nullable: false,
        default: Some(default.to_owned()),
        ..plain(name, column_type)
    }
}

fn index(columns: &[&str], unique: bool) -> TableIndex {
    TableIndex {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        unique,
    }
}
