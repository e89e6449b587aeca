//! DocTypes: what a record looks like, in Frappe's JSON format.
//!
//! One definition drives table, validation, REST, form and list.

mod field;
mod field_type;
mod flag;

use serde::Deserialize;

use crate::access::Action;

pub use field::Field;
pub use field_type::FieldType;

/// How many bytes a table's name may have: PostgreSQL cuts longer ones off.
pub const MAX_TABLE_NAME: usize = 63;

/// The highest permission level, as in Frappe.
pub const MAX_LEVEL: u32 = 9;

/// The permission level of secret fields, which no role and not even Administrator has.
pub const SECRET_LEVEL: u32 = 100;

/// A definition that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct DefinitionError {
    /// The DocType, or the file when it has no name.
    pub source_name: String,
    /// What is wrong.
    pub reason: String,
}

/// What a document's name is made from (`autoname`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Ten random characters.
    Random,
    /// The value of a field.
    Field(String),
    /// Text with fields in braces: `{connected_app}-{user}`.
    Format(String),
    /// Given by whoever makes the document.
    Given,
    /// The next whole number.
    Autoincrement,
}

/// A DocType's definition.
#[derive(Clone, Debug, Deserialize)]
pub struct DocType {
    /// Its name, for example `OAuth Client`.
    pub name: String,
    /// The app that it came with; empty for what the program brings along.
    #[serde(skip)]
    pub app: String,
    /// The module it belongs to.
    #[serde(default, deserialize_with = "flag::plain")]
    pub module: String,
    /// What its documents are, in one or two sentences.
    #[serde(default, deserialize_with = "flag::plain")]
    pub description: String,
    /// Frappe's naming rule; see [`DocType::naming`].
    #[serde(default, deserialize_with = "flag::plain")]
    pub autoname: String,
    /// There is one document, kept in `tabSingles`.
    #[serde(default, deserialize_with = "flag::read")]
    pub issingle: bool,
    /// Its documents are rows of another document.
    #[serde(default, deserialize_with = "flag::read")]
    pub istable: bool,
    /// It has no table.
    #[serde(default, deserialize_with = "flag::read")]
    pub is_virtual: bool,
    /// Documents cannot be made by hand.
    #[serde(default, deserialize_with = "flag::read")]
    pub in_create: bool,
    /// Documents cannot be changed by hand.
    #[serde(default, deserialize_with = "flag::read")]
    pub read_only: bool,
    /// Changes are recorded.
    #[serde(default, deserialize_with = "flag::read")]
    pub track_changes: bool,
    /// The field whose value stands for the document.
    #[serde(default)]
    pub title_field: Option<String>,
    /// The fields that a search looks into, separated by commas.
    #[serde(default)]
    pub search_fields: Option<String>,
    /// The field by which a list is ordered.
    #[serde(default)]
    pub sort_field: Option<String>,
    /// `ASC` or `DESC`.
    #[serde(default)]
    pub sort_order: Option<String>,
    /// The fields in the order of the form.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Who may do what.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Indexes over several columns (ours; Frappe makes such in code).
    #[serde(default)]
    pub indexes: Vec<IndexDefinition>,
    /// Ours: servers keep its documents in memory, so every change of one moves the site's
    /// version.
    #[serde(default, deserialize_with = "flag::read")]
    pub watched: bool,
    /// Ours: where `if_owner` limits, the user in one of these fields counts as the owner.
    #[serde(default)]
    pub owner_fields: Vec<String>,
    /// Ours: where `if_owner` limits, reading is open to all when this Check is set.
    #[serde(default)]
    pub public_field: Option<String>,
    /// Ours: the names of documents that only Administrator sees and changes.
    #[serde(default)]
    pub administrators_own: Vec<String>,
    /// Ours: the table that holds its documents beside rows of others; see
    /// [`DocType::shared_table`].
    #[serde(default, rename = "table")]
    pub table_name: Option<String>,
    /// The statement that reads one of its documents.
    #[serde(skip)]
    pub(crate) by_name: crate::documents::sql::ByName,
}

/// An index over several columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IndexDefinition {
    /// The columns in order.
    pub columns: Vec<String>,
    /// A combination of values is admitted once.
    #[serde(default, deserialize_with = "flag::read")]
    pub unique: bool,
}

/// What one role may do at one permission level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// The role.
    pub role: String,
    /// The level; fields have one too, 0 is the document itself.
    pub permlevel: u8,
    /// Only documents that the user owns.
    #[serde(deserialize_with = "flag::read")]
    pub if_owner: bool,
    /// May read.
    #[serde(deserialize_with = "flag::read")]
    pub read: bool,
    /// May change.
    #[serde(deserialize_with = "flag::read")]
    pub write: bool,
    /// May make.
    #[serde(deserialize_with = "flag::read")]
    pub create: bool,
    /// May remove.
    #[serde(deserialize_with = "flag::read")]
    pub delete: bool,
    /// May choose it in links without reading it.
    #[serde(deserialize_with = "flag::read")]
    pub select: bool,
    /// May use reports.
    #[serde(deserialize_with = "flag::read")]
    pub report: bool,
    /// May export.
    #[serde(deserialize_with = "flag::read")]
    pub export: bool,
    /// May import.
    #[serde(deserialize_with = "flag::read")]
    pub import: bool,
    /// May share.
    #[serde(deserialize_with = "flag::read")]
    pub share: bool,
    /// May print.
    #[serde(deserialize_with = "flag::read")]
    pub print: bool,
    /// May send by e-mail.
    #[serde(deserialize_with = "flag::read")]
    pub email: bool,
}

impl Permission {
    /// Whether it allows an action.
    pub fn allows(&self, action: Action) -> bool {
        match action {
            Action::Read => self.read,
            Action::Write => self.write,
            Action::Create => self.create,
            Action::Delete => self.delete,
        }
    }
}

impl DocType {
    /// Reads a definition in Frappe's JSON format. Unknown keys are ignored.
    ///
    /// # Errors
    /// [`DefinitionError`] when it is no definition, or one that no table could follow.
    pub fn from_json(source_name: &str, text: &str) -> Result<DocType, DefinitionError> {
        let fault = |reason: String| DefinitionError {
            source_name: source_name.to_owned(),
            reason,
        };
        let mut doctype: DocType =
            serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        for (position, field) in doctype.fields.iter_mut().enumerate() {
            field.idx = u32::try_from(position + 1).unwrap_or(u32::MAX);
        }
        doctype.check().map_err(fault)?;
        for field in doctype.fields.iter_mut().filter(|field| field.secret) {
            field.permlevel = SECRET_LEVEL;
        }
        Ok(doctype)
    }

    /// The name of its table.
    pub fn table(&self) -> String {
        match self.shared_table() {
            Some(table) => table.to_owned(),
            None => format!("tab{}", self.name),
        }
    }

    /// The table of another name that its documents are in. Rows without a name are none of
    /// them: Frappe writes rows there that have no document. Only what the program brings along
    /// names its table, since an app could name one of the program's.
    pub fn shared_table(&self) -> Option<&str> {
        self.table_name
            .as_deref()
            .filter(|_| self.app.is_empty() && !self.issingle && !self.istable)
    }

    /// Whether it has a table of its own.
    pub fn has_table(&self) -> bool {
        !self.issingle && !self.is_virtual
    }

    /// Whether the system keeps its documents: nobody makes or changes one by hand. In DocTypes
    /// of apps the two flags only shape the Desk, as in Frappe.
    pub fn is_kept(&self) -> bool {
        self.app.is_empty() && (self.in_create || self.read_only)
    }

    /// The field of that name.
    pub fn field(&self, fieldname: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.fieldname == fieldname)
    }

    /// The fields that hold one value each and so have a column, or a row of a single.
    pub fn value_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.has_column())
    }

    /// The fields that hold rows of a child DocType.
    pub fn table_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(|field| field.fieldtype.is_table())
    }

    /// How its documents get their names. Rules that only Frappe's own records need are read
    /// as [`Naming::Random`].
    pub fn naming(&self) -> Naming {
        let rule = self.autoname.trim();
        if let Some(field) = rule.strip_prefix("field:") {
            return Naming::Field(field.trim().to_owned());
        }
        if let Some(format) = rule.strip_prefix("format:") {
            return Naming::Format(format.trim().to_owned());
        }
        match rule.to_ascii_lowercase().as_str() {
            "prompt" => Naming::Given,
            "autoincrement" => Naming::Autoincrement,
            _ => Naming::Random,
        }
    }

    /// The names of the fields that a search looks into.
    pub fn search_fields(&self) -> impl Iterator<Item = &str> {
        let fields = self.search_fields.as_deref().unwrap_or_default();
        fields
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    fn check(&self) -> Result<(), String> {
        if self.name.trim() != self.name || self.name.is_empty() {
            return Err("the name is empty or has blanks at its ends".to_owned());
        }
        if self.table().len() > MAX_TABLE_NAME {
            return Err(format!("the table name has over {MAX_TABLE_NAME} bytes"));
        }
        if self
            .name
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '`' | '\\' | '/'))
        {
            return Err("the name has characters that no name may have".to_owned());
        }
        let mut seen = std::collections::HashSet::new();
        for field in &self.fields {
            field
                .check(self.istable)
                .map_err(|reason| format!("{}: {reason}", field.fieldname))?;
            if !seen.insert(field.fieldname.as_str()) {
                return Err(format!("{} is there twice", field.fieldname));
            }
        }
        for index in &self.indexes {
            let known = |name: &String| {
                self.field(name).is_some_and(Field::has_column) || is_standard_column(name)
            };
            if index.columns.is_empty() || !index.columns.iter().all(known) {
                return Err("an index is over a column that is not there".to_owned());
            }
        }
        self.check_permissions()
    }

    fn check_permissions(&self) -> Result<(), String> {
        for permission in &self.permissions {
            if permission.role.is_empty() {
                return Err("a permission names no role".to_owned());
            }
            if u32::from(permission.permlevel) > MAX_LEVEL {
                return Err(format!("a permission has a level above {MAX_LEVEL}"));
            }
        }
        for name in &self.owner_fields {
            if !self.field(name).is_some_and(Field::has_column) {
                return Err(format!("owner_fields: there is no field {name}"));
            }
        }
        let is_check = |name: &String| {
            self.field(name)
                .is_some_and(|field| field.fieldtype == FieldType::Check)
        };
        match &self.public_field {
            Some(name) if !is_check(name) => Err(format!("public_field: there is no Check {name}")),
            _ => Ok(()),
        }
    }
}

/// The columns that every table of documents has, in the order in which Frappe shows them.
pub const STANDARD_COLUMNS: &[&str] = &[
    "name",
    "owner",
    "creation",
    "modified",
    "modified_by",
    "docstatus",
    "idx",
];

/// The further columns of a table of child rows.
pub const CHILD_COLUMNS: &[&str] = &["parent", "parentfield", "parenttype"];

/// The further columns of a table that is not of child rows.
pub const DESK_COLUMNS: &[&str] = &["_user_tags", "_comments", "_assign", "_liked_by"];

/// Whether a column is there without a field.
pub fn is_standard_column(name: &str) -> bool {
    [STANDARD_COLUMNS, CHILD_COLUMNS, DESK_COLUMNS]
        .iter()
        .any(|columns| columns.contains(&name))
}
