//! One field of a DocType.

use std::borrow::Cow;

use serde::Deserialize;

use super::field_type::DEFAULT_LENGTH;
use super::{FieldType, flag, is_standard_column};

/// How many bytes a text column takes on every database (MariaDB's `text`).
const TEXT_LIMIT: u32 = 65_535;
/// How many bytes a long text column takes: what a request body may have at most.
const LONG_TEXT_LIMIT: u32 = 16 * 1024 * 1024;

/// One field of a DocType, in Frappe's format.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Its name, which is also its column's.
    pub fieldname: String,
    /// Its type.
    pub fieldtype: FieldType,
    /// What the form calls it.
    #[serde(default)]
    pub label: Option<String>,
    /// The choices of a Select, one a line; the DocType of a Link or Table.
    #[serde(default, deserialize_with = "flag::text")]
    pub options: Option<String>,
    /// The value of a new document.
    #[serde(default, deserialize_with = "flag::text")]
    pub default: Option<String>,
    /// What the field means, for who fills it in.
    #[serde(default)]
    pub description: Option<String>,
    /// It needs a value.
    #[serde(default, deserialize_with = "flag::read")]
    pub reqd: bool,
    /// Only the system changes it.
    #[serde(default, deserialize_with = "flag::read")]
    pub read_only: bool,
    /// The form does not show it.
    #[serde(default, deserialize_with = "flag::read")]
    pub hidden: bool,
    /// A value is admitted once.
    #[serde(default, deserialize_with = "flag::read")]
    pub unique: bool,
    /// Its column has an index.
    #[serde(default, deserialize_with = "flag::read")]
    pub search_index: bool,
    /// The list shows it.
    #[serde(default, deserialize_with = "flag::read")]
    pub in_list_view: bool,
    /// The list offers it as a filter.
    #[serde(default, deserialize_with = "flag::read")]
    pub in_standard_filter: bool,
    /// It cannot be changed after the first save.
    #[serde(default, deserialize_with = "flag::read")]
    pub set_only_once: bool,
    /// A copy of the document does not take it along.
    #[serde(default, deserialize_with = "flag::read")]
    pub no_copy: bool,
    /// It has no column; the system computes it.
    #[serde(default, deserialize_with = "flag::read")]
    pub is_virtual: bool,
    /// A section that begins closed.
    #[serde(default, deserialize_with = "flag::read")]
    pub collapsible: bool,
    /// User Permissions do not restrict this link.
    #[serde(default, deserialize_with = "flag::read")]
    pub ignore_user_permissions: bool,
    /// The permission level that reading and writing it takes.
    #[serde(default, deserialize_with = "flag::number")]
    pub permlevel: u32,
    /// Most characters; 0 means what the type admits. See [`Field::limit`].
    #[serde(default, deserialize_with = "flag::number")]
    pub length: u32,
    /// When the form shows it (an `eval:` expression).
    #[serde(default)]
    pub depends_on: Option<String>,
    /// When it needs a value (an `eval:` expression).
    #[serde(default)]
    pub mandatory_depends_on: Option<String>,
    /// When it cannot be changed (an `eval:` expression).
    #[serde(default)]
    pub read_only_depends_on: Option<String>,
    /// `link_field.field`: copied from the linked document.
    #[serde(default, deserialize_with = "flag::text")]
    pub fetch_from: Option<String>,
    /// Ours: the column where it differs from the type's own, for text that comes from outside
    /// in a field that Frappe gives 140 characters. `text` is the only one.
    #[serde(default, deserialize_with = "flag::text")]
    pub column: Option<String>,
    /// Ours: it holds the hash of something that proves who somebody is. Nobody sees it, filters
    /// by it or changes it by hand; see [`SECRET_LEVEL`](super::SECRET_LEVEL).
    #[serde(default, deserialize_with = "flag::read")]
    pub secret: bool,
    /// Its place on the form, from 1.
    #[serde(skip)]
    pub idx: u32,
}

impl Field {
    /// Whether it holds one value that is kept in a column (or, in a single, in a row).
    pub fn has_column(&self) -> bool {
        !self.is_virtual && self.fieldtype.has_column()
    }

    /// Its column in Frappe's words; `None` when it has none.
    pub fn column_type(&self) -> Option<Cow<'static, str>> {
        if self.is_virtual {
            return None;
        }
        let own = self
            .fieldtype
            .column((self.length > 0).then_some(self.length))?;
        Some(match self.column.as_deref() {
            Some("text") => Cow::Borrowed("text"),
            _ => own,
        })
    }

    /// The choices of a Select.
    pub fn choices(&self) -> impl Iterator<Item = &str> {
        let options = match self.fieldtype {
            FieldType::Select => self.options.as_deref().unwrap_or_default(),
            _ => "",
        };
        options.split('\n').map(str::trim)
    }

    /// The DocType that a Link or a Table is about.
    pub fn target(&self) -> Option<&str> {
        match self.fieldtype {
            FieldType::Link | FieldType::Table | FieldType::TableMultiSelect => {
                self.options.as_deref()
            }
            _ => None,
        }
    }

    /// The most that a text in it may have: characters when `length` or the type's own 140
    /// says so, else the bytes of the column. The same on every database; `None` for fields
    /// that hold no text.
    pub fn limit(&self) -> Option<u32> {
        let column = self.column_type()?;
        if column.starts_with("varchar") {
            return Some(if self.length > 0 {
                self.length
            } else {
                DEFAULT_LENGTH
            });
        }
        let own = match column.as_ref() {
            "text" => TEXT_LIMIT,
            "longtext" => LONG_TEXT_LIMIT,
            _ => return None,
        };
        Some(if self.length > 0 {
            self.length.min(own)
        } else {
            own
        })
    }

    /// The default as a literal value; `None` when it is computed for each new document
    /// (`Today`, `Now`, `__user`, `:Other DocType`) or there is none.
    pub fn literal_default(&self) -> Option<&str> {
        let default = self.default.as_deref()?;
        let computed = matches!(
            default.to_ascii_lowercase().as_str(),
            "today" | "now" | "__user" | "user"
        ) || default.starts_with(':');
        (!computed).then_some(default)
    }

    pub(super) fn check(&self, in_child: bool) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.fieldname.is_empty() || self.fieldname.len() > 63 {
            return Err("the name has no or over 63 characters".to_owned());
        }
        if !self.fieldname.chars().all(plain) {
            return Err("the name has other characters than a-z, 0-9 and _".to_owned());
        }
        let taken = is_standard_column(&self.fieldname)
            && (in_child || !self.fieldname.starts_with("parent"));
        if taken && self.has_column() {
            return Err("every table has a column of this name".to_owned());
        }
        let is_text = self
            .column_type()
            .is_some_and(|column| column.ends_with("text"));
        if is_text && (self.unique || self.search_index) {
            return Err("a text column cannot have an index".to_owned());
        }
        if self.length > 4000 && self.column_type().is_some_and(|c| c.starts_with("varchar")) {
            return Err("a column of varchar has at most 4000 characters".to_owned());
        }
        if self
            .column
            .as_deref()
            .is_some_and(|column| column != "text")
        {
            return Err("the column can only be text".to_owned());
        }
        if self.permlevel > super::MAX_LEVEL {
            return Err(format!(
                "the permission level is above {}",
                super::MAX_LEVEL
            ));
        }
        let needs_options = self.fieldtype.is_table() || self.fieldtype == FieldType::Link;
        if needs_options && self.target().is_none() {
            return Err("it names no DocType in its options".to_owned());
        }
        if self.fieldtype == FieldType::Select
            && let Some(default) = &self.default
            && !self.choices().any(|choice| choice == default)
        {
            return Err("the default is none of the options".to_owned());
        }
        Ok(())
    }
}
