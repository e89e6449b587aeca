//! Looking fields up: from how they are named to columns of tables, and whether the actor may
//! see them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::kind::Kind;
use super::path::{Path, Place, shown};
use crate::access::{self, Action, RowRule};
use crate::doctype::{self, DocType, Field, FieldType, Naming};
use crate::documents::{Documents, value};
use crate::refusal::{Reason, Refusal};

/// At most so many tables in a query.
const MOST_TABLES: usize = 20;

/// A table of a query.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) doctype: Arc<DocType>,
    pub(super) join: Join,
    /// The levels of its fields that may be seen.
    levels: BTreeSet<u32>,
}

/// How a table belongs to the query.
#[derive(Debug, Clone)]
pub(super) enum Join {
    /// Its rows are those of the list.
    Main {
        /// Which of them.
        rule: RowRule,
        /// For child rows, the documents that they belong to.
        parent: Option<Parent>,
    },
    /// The document that a link of the main table leads to, if it may be read.
    Link {
        /// The link.
        column: String,
        /// Which documents may be read.
        rule: RowRule,
    },
    /// Rows of Table fields of the main table, each beside its document.
    Child {
        /// The Table fields.
        fields: Vec<String>,
        /// Which rows may be read.
        rule: RowRule,
        /// They are only looked for; a row of the list is there once, however many there are.
        only_exists: bool,
    },
}

/// The documents that child rows belong to.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    pub(super) doctype: Arc<DocType>,
    /// Which documents may be read.
    pub(super) rule: RowRule,
    /// Their Table fields that may be seen.
    pub(super) fields: Vec<String>,
}

/// A column of a table of the query.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The table's number.
    pub(super) source: usize,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) field: FieldRef,
    /// It may have no value.
    pub(super) nullable: bool,
}

impl PartialEq for Column {
    fn eq(&self, other: &Column) -> bool {
        (self.source, &self.name) == (other.source, &other.name)
    }
}

/// The definition of a column.
#[derive(Debug, Clone)]
pub(super) enum FieldRef {
    Standard(&'static Field),
    Own(Arc<DocType>, usize),
}

impl FieldRef {
    /// The definition; `None` never happens.
    pub(super) fn field(&self) -> Option<&Field> {
        match self {
            FieldRef::Standard(field) => Some(field),
            FieldRef::Own(doctype, position) => doctype.fields.get(*position),
        }
    }
}

/// The tables of a query so far, and what the actor may see of them.
pub(super) struct Scope<'d> {
    documents: &'d Documents,
    pub(super) sources: Vec<Source>,
}

/// Where the rows of the list are.
pub(super) const MAIN: usize = 0;

impl<'d> Scope<'d> {
    /// A list of documents of this DocType.
    ///
    /// # Errors
    /// When the actor may not, or the DocType has no table.
    pub(super) fn new(
        documents: &'d Documents,
        doctype: &Arc<DocType>,
        parent: Option<&str>,
    ) -> Result<Scope<'d>, Refusal> {
        if doctype.issingle || !doctype.has_table() {
            let message = format!("{} has no list: there is one document of it", doctype.name);
            access::require(doctype, &documents.actor, Action::Read)?;
            return Err(Refusal::new(Reason::Validation, message));
        }
        let actor = &documents.actor;
        let owner = if doctype.istable && actor.administrator && parent.is_none() {
            Arc::clone(doctype)
        } else {
            access::parent_of(&documents.registry, doctype, parent)?
        };
        let grant = access::require(&owner, actor, Action::Read)?;
        let of_child = doctype.istable && owner.name != doctype.name;
        let join = if of_child {
            let fields = tables_of(&owner, &doctype.name, &grant.levels);
            Join::Main {
                rule: child_rule(documents, doctype, &owner),
                parent: Some(Parent {
                    doctype: owner,
                    rule: grant.rows,
                    fields,
                }),
            }
        } else {
            Join::Main {
                rule: grant.rows,
                parent: None,
            }
        };
        let main = Source {
            doctype: Arc::clone(doctype),
            join,
            levels: grant.levels,
        };
        Ok(Scope {
            documents,
            sources: vec![main],
        })
    }

    /// The DocType of the list.
    pub(super) fn main(&self) -> Option<&Source> {
        self.sources.first()
    }

    /// Looks a field up.
    ///
    /// # Errors
    /// [`Reason::Malformed`] when there is none, [`Reason::Permission`] or [`Reason::Scope`] when
    /// the actor may not see it.
    pub(super) fn column(&mut self, path: &Path) -> Result<Column, Refusal> {
        let source = self.source(path, false)?;
        self.column_of(source, &path.field)
    }

    /// The same for a condition: child rows that nothing else needs are only looked for.
    pub(super) fn column_to_test(&mut self, path: &Path) -> Result<Column, Refusal> {
        let source = self.source(path, true)?;
        self.column_of(source, &path.field)
    }

    /// Every column of the main table that `*` stands for.
    pub(super) fn everything(&self) -> Vec<Column> {
        let Some(main) = self.main() else {
            return Vec::new();
        };
        let child: &[&str] = if main.doctype.istable {
            doctype::CHILD_COLUMNS
        } else {
            &[]
        };
        let own = main
            .doctype
            .value_fields()
            .map(|field| field.fieldname.as_str());
        let standard = doctype::STANDARD_COLUMNS.iter().chain(child).copied();
        standard
            .chain(own)
            .filter_map(|name| self.column_of(MAIN, name).ok())
            .collect()
    }

    fn source(&mut self, path: &Path, to_test: bool) -> Result<usize, Refusal> {
        let Some(place) = &path.place else {
            return Ok(MAIN);
        };
        let main = self
            .main()
            .ok_or_else(|| unknown(&path.field))?
            .doctype
            .clone();
        match place {
            Place::DocType(name) if *name == main.name => Ok(MAIN),
            Place::DocType(name) => self.children_of_doctype(&main, name, to_test),
            Place::Field(name) => {
                let field = main.field(name).ok_or_else(|| unknown(name))?;
                if field.fieldtype.is_table() {
                    self.may_see(MAIN, field)?;
                    let target = field.target().unwrap_or_default();
                    self.children(vec![name.clone()], target, to_test)
                } else if field.fieldtype == FieldType::Link {
                    self.may_see(MAIN, field)?;
                    self.linked(name, field.target().unwrap_or_default())
                } else {
                    let message = format!("{} is neither a link nor a table", shown(name));
                    Err(Refusal::new(Reason::Malformed, message))
                }
            }
        }
    }

    fn children_of_doctype(
        &mut self,
        main: &Arc<DocType>,
        name: &str,
        to_test: bool,
    ) -> Result<usize, Refusal> {
        let no_levels = BTreeSet::new();
        let levels = self.main().map_or(&no_levels, |main| &main.levels);
        let fields = tables_of(main, name, levels);
        if !fields.is_empty() {
            return self.children(fields, name, to_test);
        }
        let hidden = main.table_fields().any(|f| f.target() == Some(name));
        if hidden {
            return Err(not_permitted(name));
        }
        let message = format!("{} has no rows of {}", main.name, shown(name));
        Err(Refusal::new(Reason::Malformed, message))
    }

    fn children(
        &mut self,
        fields: Vec<String>,
        target: &str,
        to_test: bool,
    ) -> Result<usize, Refusal> {
        let of_same = |source: &Source| match &source.join {
            Join::Child {
                fields: own,
                only_exists,
                ..
            } => *own == fields && (to_test || !only_exists),
            _ => false,
        };
        if let Some(known) = self.sources.iter().position(of_same) {
            return Ok(known);
        }
        let doctype = self.doctype(target)?;
        let main = self.main().ok_or_else(|| unknown(target))?;
        let rule = child_rule(self.documents, &doctype, &main.doctype);
        let levels = main.levels.clone();
        self.add(Source {
            doctype,
            join: Join::Child {
                fields,
                rule,
                only_exists: to_test,
            },
            levels,
        })
    }

    fn linked(&mut self, column: &str, target: &str) -> Result<usize, Refusal> {
        let of_same = |source: &Source| matches!(&source.join, Join::Link { column: own, .. } if own == column);
        if let Some(known) = self.sources.iter().position(of_same) {
            return Ok(known);
        }
        let doctype = self.doctype(target)?;
        let grant = access::require(&doctype, &self.documents.actor, Action::Read)?;
        if !doctype.has_table() {
            let message = format!("{} has no table", doctype.name);
            return Err(Refusal::new(Reason::Malformed, message));
        }
        self.add(Source {
            doctype,
            join: Join::Link {
                column: column.to_owned(),
                rule: grant.rows,
            },
            levels: grant.levels,
        })
    }

    fn add(&mut self, source: Source) -> Result<usize, Refusal> {
        if self.sources.len() >= MOST_TABLES {
            let message = format!("more than {MOST_TABLES} tables in one list");
            return Err(Refusal::new(Reason::Malformed, message));
        }
        self.sources.push(source);
        Ok(self.sources.len() - 1)
    }

    fn doctype(&self, name: &str) -> Result<Arc<DocType>, Refusal> {
        self.documents
            .registry
            .get(name)
            .cloned()
            .ok_or_else(|| unknown(name))
    }

    fn may_see(&self, source: usize, field: &Field) -> Result<(), Refusal> {
        let source = self.sources.get(source);
        let seen = source.is_some_and(|source| source.levels.contains(&field.permlevel));
        if seen && field.fieldtype != FieldType::Password {
            return Ok(());
        }
        Err(not_permitted(&field.fieldname))
    }

    /// The column of that name in a table.
    pub(super) fn column_of(&self, number: usize, name: &str) -> Result<Column, Refusal> {
        let source = self.sources.get(number).ok_or_else(|| unknown(name))?;
        let doctype = &source.doctype;
        let own = doctype
            .fields
            .iter()
            .position(|field| field.fieldname == name);
        let field = match own {
            Some(position) => FieldRef::Own(Arc::clone(doctype), position),
            None => {
                let known = standard_columns(doctype).any(|column| column == name);
                let field = value::standard(name).filter(|_| known);
                FieldRef::Standard(field.ok_or_else(|| unknown(name))?)
            }
        };
        let definition = field.field().ok_or_else(|| unknown(name))?;
        if own.is_some() {
            if definition.fieldtype.is_table() {
                let message =
                    format!("{name} holds rows: name one of their fields, as in {name}.idx");
                return Err(Refusal::new(Reason::Malformed, message));
            }
            self.may_see(number, definition)?;
            if !definition.has_column() {
                return Err(unknown(name));
            }
        }
        let counter = name == "name" && doctype.naming() == Naming::Autoincrement;
        let kind = if counter {
            Kind::COUNTER
        } else {
            Kind::of(definition)
        };
        let absent = !matches!(source.join, Join::Main { .. });
        Ok(Column {
            source: number,
            name: name.to_owned(),
            kind,
            nullable: absent || !(kind.is_number() || name == "name"),
            field,
        })
    }
}

/// The columns that a DocType's table has without fields.
fn standard_columns(doctype: &DocType) -> impl Iterator<Item = &'static str> {
    let further = if doctype.istable {
        doctype::CHILD_COLUMNS
    } else {
        doctype::DESK_COLUMNS
    };
    doctype::STANDARD_COLUMNS.iter().chain(further).copied()
}

/// The Table fields of a DocType that hold rows of another and may be seen.
fn tables_of(doctype: &DocType, child: &str, levels: &BTreeSet<u32>) -> Vec<String> {
    doctype
        .table_fields()
        .filter(|field| field.target() == Some(child) && levels.contains(&field.permlevel))
        .map(|field| field.fieldname.clone())
        .collect()
}

/// What User Permissions leave of child rows.
fn child_rule(documents: &Documents, child: &DocType, parent: &DocType) -> RowRule {
    let actor = &documents.actor;
    if actor.administrator {
        return RowRule::All;
    }
    RowRule::every(access::restrictions(
        child,
        &parent.name,
        &actor.user_permissions,
    ))
}

fn unknown(name: &str) -> Refusal {
    let message = format!("Field not permitted in query: {}", shown(name));
    Refusal::new(Reason::Malformed, message)
}

fn not_permitted(name: &str) -> Refusal {
    let message = format!("You do not have permission to access field: {name}");
    Refusal::new(Reason::Permission, message)
}
