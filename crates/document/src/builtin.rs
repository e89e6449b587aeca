//! The definitions that the program brings along.

/// The tables that belong to no DocType.
pub(crate) const TABLES: &str = include_str!("../../../doctypes/tables.json");

/// File names and their contents.
pub(crate) const DOCTYPES: &[(&str, &str)] = &[];
