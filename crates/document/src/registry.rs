//! Every DocType of a site, and the tables that are none.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::builtin;
use crate::doctype::{DefinitionError, DocType};
use crate::schema::TableDefinition;

/// The definitions that a site works with.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    doctypes: BTreeMap<String, Arc<DocType>>,
    tables: Arc<Vec<TableDefinition>>,
}

impl Registry {
    /// The definitions that the program brings along, parsed at the first call.
    ///
    /// # Errors
    /// [`DefinitionError`] when one of them is wrong, which a test keeps from happening.
    pub fn builtin() -> Result<Arc<Registry>, DefinitionError> {
        static BUILTIN: LazyLock<Result<Arc<Registry>, DefinitionError>> = LazyLock::new(|| {
            let tables = TableDefinition::list_from_json(builtin::TABLES)?;
            let mut doctypes = Vec::new();
            for (file, text) in builtin::DOCTYPES {
                doctypes.push(DocType::from_json(file, text)?);
            }
            let empty = Registry {
                doctypes: BTreeMap::new(),
                tables: Arc::new(tables),
            };
            Ok(Arc::new(empty.with(doctypes)?))
        });
        BUILTIN.clone()
    }

    /// These definitions and further ones, for example an app's.
    ///
    /// # Errors
    /// [`DefinitionError`] when a name is taken, or a field is about a DocType that is not
    /// there or not of the right kind.
    pub fn with(
        &self,
        doctypes: impl IntoIterator<Item = DocType>,
    ) -> Result<Registry, DefinitionError> {
        let mut registry = self.clone();
        for doctype in doctypes {
            let name = doctype.name.clone();
            if registry
                .doctypes
                .insert(name.clone(), Arc::new(doctype))
                .is_some()
            {
                return Err(DefinitionError {
                    source_name: name,
                    reason: "there is a DocType of this name already".to_owned(),
                });
            }
        }
        for doctype in registry.doctypes.values() {
            registry.check_targets(doctype)?;
        }
        Ok(registry)
    }

    /// The DocType of that name. Case counts.
    pub fn get(&self, name: &str) -> Option<&Arc<DocType>> {
        self.doctypes.get(name)
    }

    /// Every DocType, by name.
    pub fn doctypes(&self) -> impl Iterator<Item = &Arc<DocType>> {
        self.doctypes.values()
    }

    /// The tables that belong to no DocType.
    pub fn fixed_tables(&self) -> &[TableDefinition] {
        &self.tables
    }

    /// Every table of a site, in the order of making.
    pub fn tables(&self) -> Vec<TableDefinition> {
        let of_doctypes = self
            .doctypes()
            .filter(|doctype| doctype.has_table())
            .map(|doctype| TableDefinition::of(doctype));
        self.tables.iter().cloned().chain(of_doctypes).collect()
    }

    fn check_targets(&self, doctype: &DocType) -> Result<(), DefinitionError> {
        for field in &doctype.fields {
            let Some(target) = field.target() else {
                continue;
            };
            let fits = self
                .get(target)
                .is_some_and(|found| !field.fieldtype.is_table() || found.istable);
            if !fits {
                return Err(DefinitionError {
                    source_name: doctype.name.clone(),
                    reason: format!("{}: there is no such DocType: {target}", field.fieldname),
                });
            }
        }
        Ok(())
    }
}
