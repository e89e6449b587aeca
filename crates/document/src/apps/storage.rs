//! How the values of a field are kept, as far as a change of its type is concerned.

use crate::doctype::{Field, FieldType};

/// Where and as what the values of a field are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// There are none.
    Nothing,
    /// In a column, or in a row of a single.
    Column(Kind),
    /// In `__Auth`.
    Secret,
    /// As rows of that DocType.
    Rows(String),
}

/// Columns of one kind can take each other's values, as far as there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Date,
    Datetime,
    Time,
    Other,
}

impl Storage {
    pub(super) fn of(field: &Field) -> Storage {
        if field.fieldtype.is_table() {
            return Storage::Rows(field.target().unwrap_or_default().to_owned());
        }
        if field.fieldtype == FieldType::Password {
            return Storage::Secret;
        }
        match field.column_type() {
            None => Storage::Nothing,
            Some(column) => Storage::Column(column_kind(&column)),
        }
    }
}

/// The kind of a column type, in Frappe's words or as one of the databases spells it.
pub(super) fn column_kind(column_type: &str) -> Kind {
    let column_type = column_type.trim().to_ascii_lowercase();
    let base = column_type.split(['(', ' ']).next().unwrap_or_default();
    match base {
        "varchar" | "character" | "char" | "tinytext" | "text" | "mediumtext" | "longtext"
        | "json" => Kind::Text,
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" => Kind::Integer,
        "double" | "float" | "real" | "decimal" | "numeric" => Kind::Number,
        "date" => Kind::Date,
        "datetime" | "timestamp" => Kind::Datetime,
        "time" => Kind::Time,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_spells_a_kind_in_its_way() {
        for spelling in ["varchar(140)", "character varying(140)", "longtext", "text"] {
            assert_eq!(column_kind(spelling), Kind::Text, "{spelling}");
        }
        for spelling in ["bigint(20)", "integer", "tinyint", "smallint"] {
            assert_eq!(column_kind(spelling), Kind::Integer, "{spelling}");
        }
        for spelling in [
            "decimal(21,9)",
            "double precision",
            "double",
            "numeric(21,9)",
        ] {
            assert_eq!(column_kind(spelling), Kind::Number, "{spelling}");
        }
        for spelling in ["datetime(6)", "timestamp(6)", "timestamp without time zone"] {
            assert_eq!(column_kind(spelling), Kind::Datetime, "{spelling}");
        }
        assert_eq!(column_kind("time(6)"), Kind::Time);
        assert_eq!(column_kind("date"), Kind::Date);
    }
}
