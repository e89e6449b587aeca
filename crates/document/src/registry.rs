//! Every DocType of a site, and the tables that are none.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::access::custom::{self, CustomPermissions};
use crate::apps::stored::Stored;
use crate::builtin;
use crate::doctype::{DefinitionError, DocType};
use crate::names::snake_case;
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
        registry.check_names()?;
        Ok(registry)
    }

    /// These definitions, those of the site's apps and the permissions that the site has put in
    /// the place of others.
    ///
    /// A site has to go on when a definition in its database cannot be used, for example one
    /// that a newer version of the program wrote: that one is left out, with what refers to it,
    /// and the log says so. Its documents cannot be reached then.
    pub(crate) fn of_site(
        self: &Arc<Self>,
        site: &str,
        stored: &[Stored],
        permissions: &CustomPermissions,
    ) -> Arc<Registry> {
        if stored.is_empty() && permissions.is_empty() {
            return Arc::clone(self);
        }
        let mut registry = self.as_ref().clone();
        let mut left: Vec<DocType> = Vec::new();
        for definition in stored {
            match definition.parse() {
                Ok(doctype) => left.push(doctype),
                Err(error) => tracing::error!(site, %error, "a DocType cannot be used"),
            }
        }
        while !left.is_empty() {
            match self.with(left.iter().cloned()) {
                Ok(complete) => {
                    registry = complete;
                    break;
                }
                Err(error) => {
                    tracing::error!(site, %error, "a DocType cannot be used");
                    let before = left.len();
                    left.retain(|doctype| doctype.name != error.source_name);
                    if left.len() == before {
                        break;
                    }
                }
            }
        }
        for (name, own) in permissions {
            if let Some(doctype) = registry.doctypes.get_mut(name) {
                *doctype = Arc::new(custom::apply(doctype, own));
            }
        }
        Arc::new(registry)
    }

    /// The DocType of that name. Case counts.
    pub fn get(&self, name: &str) -> Option<&Arc<DocType>> {
        self.doctypes.get(name)
    }

    /// Every DocType, by name.
    pub fn doctypes(&self) -> impl Iterator<Item = &Arc<DocType>> {
        self.doctypes.values()
    }

    /// Every table of a site, in the order of making.
    pub fn tables(&self) -> Vec<TableDefinition> {
        let of_doctypes = self
            .doctypes()
            .filter(|doctype| doctype.has_table())
            .map(|doctype| TableDefinition::of(doctype));
        self.tables.iter().cloned().chain(of_doctypes).collect()
    }

    /// Tables and scopes tell DocTypes apart without regard to case, blanks and hyphens, and
    /// some tables belong to none.
    fn check_names(&self) -> Result<(), DefinitionError> {
        let fixed = self.tables.iter().map(|table| table.name.to_lowercase());
        let mut tables: BTreeMap<String, &str> = fixed.map(|table| (table, "")).collect();
        let mut scopes: BTreeMap<String, &str> = BTreeMap::new();
        // What the program brings along comes first, so that the fault is the other one's.
        let (own, others): (Vec<_>, Vec<_>) =
            self.doctypes().partition(|doctype| doctype.app.is_empty());
        for doctype in own.into_iter().chain(others) {
            let table = tables.insert(doctype.table().to_lowercase(), &doctype.name);
            let scope = scopes.insert(snake_case(&doctype.name), &doctype.name);
            let taken = match (table, scope) {
                (None, None) => continue,
                (Some(""), _) => "a table of the program".to_owned(),
                (Some(other), _) | (_, Some(other)) => format!("the DocType {other}"),
            };
            return Err(DefinitionError {
                source_name: doctype.name.clone(),
                reason: format!("the name is too like that of {taken}"),
            });
        }
        Ok(())
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
