//! The types of fields, and the one table that gives each its column.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// A type of field, with Frappe's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are Frappe's and say what they are")]
pub enum FieldType {
    Autocomplete,
    Attach,
    AttachImage,
    Barcode,
    Button,
    Check,
    Code,
    Color,
    ColumnBreak,
    Currency,
    Data,
    Date,
    Datetime,
    Duration,
    DynamicLink,
    Float,
    Fold,
    Geolocation,
    Heading,
    Html,
    HtmlEditor,
    Icon,
    Image,
    Int,
    Json,
    Link,
    LongInt,
    LongText,
    MarkdownEditor,
    Password,
    Percent,
    Phone,
    Rating,
    ReadOnly,
    SectionBreak,
    Select,
    Signature,
    SmallText,
    TabBreak,
    Table,
    TableMultiSelect,
    Text,
    TextEditor,
    Time,
}

/// Every type with Frappe's name and its column in Frappe's words; no column for types that
/// only shape the form or hold rows. `varchar` takes its length from the field.
///
/// Decimals are `double`: Frappe's `decimal(21,9)` could not be told from it through the
/// closed set of values.
const TYPES: &[(FieldType, &str, Option<&str>)] = &[
    (FieldType::Autocomplete, "Autocomplete", Some("varchar")),
    (FieldType::Attach, "Attach", Some("text")),
    (FieldType::AttachImage, "Attach Image", Some("text")),
    (FieldType::Barcode, "Barcode", Some("longtext")),
    (FieldType::Button, "Button", None),
    (FieldType::Check, "Check", Some("tinyint")),
    (FieldType::Code, "Code", Some("longtext")),
    (FieldType::Color, "Color", Some("varchar")),
    (FieldType::ColumnBreak, "Column Break", None),
    (FieldType::Currency, "Currency", Some("double")),
    (FieldType::Data, "Data", Some("varchar")),
    (FieldType::Date, "Date", Some("date")),
    (FieldType::Datetime, "Datetime", Some("datetime(6)")),
    (FieldType::Duration, "Duration", Some("double")),
    (FieldType::DynamicLink, "Dynamic Link", Some("varchar")),
    (FieldType::Float, "Float", Some("double")),
    (FieldType::Fold, "Fold", None),
    (FieldType::Geolocation, "Geolocation", Some("longtext")),
    (FieldType::Heading, "Heading", None),
    (FieldType::Html, "HTML", None),
    (FieldType::HtmlEditor, "HTML Editor", Some("longtext")),
    (FieldType::Icon, "Icon", Some("varchar")),
    (FieldType::Image, "Image", None),
    (FieldType::Int, "Int", Some("int")),
    (FieldType::Json, "JSON", Some("longtext")),
    (FieldType::Link, "Link", Some("varchar")),
    (FieldType::LongInt, "Long Int", Some("bigint")),
    (FieldType::LongText, "Long Text", Some("longtext")),
    (
        FieldType::MarkdownEditor,
        "Markdown Editor",
        Some("longtext"),
    ),
    (FieldType::Password, "Password", Some("text")),
    (FieldType::Percent, "Percent", Some("double")),
    (FieldType::Phone, "Phone", Some("varchar")),
    (FieldType::Rating, "Rating", Some("double")),
    (FieldType::ReadOnly, "Read Only", Some("varchar")),
    (FieldType::SectionBreak, "Section Break", None),
    (FieldType::Select, "Select", Some("varchar")),
    (FieldType::Signature, "Signature", Some("longtext")),
    (FieldType::SmallText, "Small Text", Some("text")),
    (FieldType::TabBreak, "Tab Break", None),
    (FieldType::Table, "Table", None),
    (FieldType::TableMultiSelect, "Table MultiSelect", None),
    (FieldType::Text, "Text", Some("text")),
    (FieldType::TextEditor, "Text Editor", Some("longtext")),
    (FieldType::Time, "Time", Some("time(6)")),
];

/// How many characters a `varchar` column has unless the field says otherwise.
pub(super) const DEFAULT_LENGTH: u32 = 140;

impl FieldType {
    /// The type of that name, for example `Small Text`.
    pub fn named(name: &str) -> Option<FieldType> {
        TYPES
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(fieldtype, _, _)| *fieldtype)
    }

    /// Frappe's name of the type.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// Its column in Frappe's (MariaDB's) words, `length` being for `varchar` only; `None` when
    /// it has none. `crema_store::Dialect::column_type` gives the words of the other databases.
    pub fn column(self, length: Option<u32>) -> Option<Cow<'static, str>> {
        match self.row()?.2? {
            "varchar" => Some(Cow::Owned(format!(
                "varchar({})",
                length.unwrap_or(DEFAULT_LENGTH)
            ))),
            other => Some(Cow::Borrowed(other)),
        }
    }

    /// Whether it has a column.
    pub fn has_column(self) -> bool {
        self.row().is_some_and(|(_, _, column)| column.is_some())
    }

    /// Whether a value of it is a number; such columns are never null and begin at 0.
    pub fn is_numeric(self) -> bool {
        matches!(
            self,
            FieldType::Check
                | FieldType::Currency
                | FieldType::Duration
                | FieldType::Float
                | FieldType::Int
                | FieldType::LongInt
                | FieldType::Percent
                | FieldType::Rating
        )
    }

    /// Whether it holds rows of a child DocType, named by the field's options.
    pub fn is_table(self) -> bool {
        matches!(self, FieldType::Table | FieldType::TableMultiSelect)
    }

    /// Whether it only shapes the form.
    pub fn is_layout(self) -> bool {
        !self.is_table() && self.row().is_none_or(|(_, _, column)| column.is_none())
    }

    fn row(self) -> Option<&'static (FieldType, &'static str, Option<&'static str>)> {
        // In the order of the enum, as a test checks.
        TYPES.get(self as usize)
    }
}

impl<'de> Deserialize<'de> for FieldType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldType, D::Error> {
        let name = String::deserialize(deserializer)?;
        FieldType::named(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("there is no field type {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_table_once() {
        for (fieldtype, name, _) in TYPES {
            assert_eq!(FieldType::named(name), Some(*fieldtype));
            assert_eq!(fieldtype.name(), *name);
        }
    }

    #[test]
    fn frappes_columns() {
        assert_eq!(
            FieldType::Data.column(None).as_deref(),
            Some("varchar(140)")
        );
        assert_eq!(
            FieldType::Data.column(Some(20)).as_deref(),
            Some("varchar(20)")
        );
        assert_eq!(
            FieldType::Datetime.column(None).as_deref(),
            Some("datetime(6)")
        );
        assert_eq!(FieldType::Password.column(None).as_deref(), Some("text"));
        assert_eq!(FieldType::SectionBreak.column(None), None);
        assert_eq!(FieldType::Table.column(None), None);
        assert!(FieldType::TabBreak.is_layout() && !FieldType::Table.is_layout());
    }
}
