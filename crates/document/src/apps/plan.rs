//! From the definitions of a site to those that its apps have now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crema_store::{Database, StoreError, Transaction};

use super::error::AppError;
use super::files::fault;
use super::folder::AppFolder;
use super::installed::{self, InstalledApp};
use super::loss;
use super::stored::{self, Stored};
use crate::doctype::DocType;
use crate::patches::PatchContext;
use crate::schema::Change;
use crate::{Registry, SiteError, version};

/// What is to become of a site's definitions.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Every definition from then on.
    pub(crate) registry: Arc<Registry>,
    /// What is going to change, for people.
    pub(crate) changes: Vec<Change>,
    put: Vec<Stored>,
    remove: Vec<String>,
    /// Apps that are new or in another version.
    record: Vec<AppFolder>,
}

impl Plan {
    /// What has to change so that the site has these apps as their folders are now. Apps
    /// without a folder stay as they are.
    ///
    /// # Errors
    /// When definitions do not go together, or data would be lost. Nothing has been changed.
    pub(crate) async fn make(
        database: &Database,
        builtin: &Arc<Registry>,
        apps: &[AppFolder],
    ) -> Result<Plan, SiteError> {
        let old = stored::read(database).await?;
        let has_folder = |app: &str| apps.iter().any(|folder| folder.name == app);
        let kept = old.iter().filter(|stored| !has_folder(&stored.app));
        let wanted: Vec<Stored> = kept
            .cloned()
            .chain(apps.iter().flat_map(AppFolder::stored))
            .collect();
        let registry = registry(builtin, &wanted, apps)?;
        for fixture in apps.iter().flat_map(|app| &app.fixtures) {
            fixture
                .check(&registry)
                .map_err(|reason| fault(&fixture.file, reason))?;
        }
        let before = old_doctypes(&old);
        let lost = loss::find(database, &before, &registry).await?;
        if !lost.is_empty() {
            return Err(AppError::Loss(lost).into());
        }
        let known = installed::installed(database).await?;
        Ok(Plan::between(&old, wanted, &before, registry, apps, &known))
    }

    fn between(
        old: &[Stored],
        wanted: Vec<Stored>,
        before: &BTreeMap<String, DocType>,
        registry: Arc<Registry>,
        apps: &[AppFolder],
        known: &[InstalledApp],
    ) -> Plan {
        let mut changes = Vec::new();
        let mut put = Vec::new();
        let gone = |stored: &&Stored| !wanted.iter().any(|now| now.name == stored.name);
        let remove: Vec<String> = old
            .iter()
            .filter(gone)
            .map(|old| old.name.clone())
            .collect();
        for stored in wanted {
            let doctype = stored.name.clone();
            match old.iter().find(|old| old.name == doctype) {
                Some(old) if *old == stored => continue,
                Some(_) => changes.push(Change::ChangeDocType { doctype }),
                None => changes.push(Change::AddDocType { doctype }),
            }
            if let (Some(old), Some(now)) = (before.get(&stored.name), registry.get(&stored.name)) {
                changes.extend(dropped(old, now));
            }
            put.push(stored);
        }
        changes.extend(remove.iter().map(|doctype| Change::RemoveDocType {
            doctype: doctype.clone(),
        }));
        let same = |app: &AppFolder| {
            let mut known = known.iter();
            known.any(|known| known.name == app.name && known.version == app.version)
        };
        Plan {
            registry,
            changes,
            put,
            remove,
            record: apps.iter().filter(|app| !same(app)).cloned().collect(),
        }
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty() && self.record.is_empty()
    }

    /// Writes the definitions and makes every process read them at its next request.
    pub(crate) async fn apply(
        &self,
        tx: &mut Transaction,
        context: &PatchContext,
    ) -> Result<(), StoreError> {
        for stored in &self.put {
            stored::put(tx, stored).await?;
        }
        for name in &self.remove {
            stored::remove(tx, name).await?;
        }
        for app in &self.record {
            installed::record(tx, app, context).await?;
        }
        version::bump(tx).await
    }
}

/// The definitions together, with the file of the one that does not fit.
fn registry(
    builtin: &Arc<Registry>,
    wanted: &[Stored],
    apps: &[AppFolder],
) -> Result<Arc<Registry>, SiteError> {
    let parsed: Result<Vec<DocType>, _> = wanted.iter().map(Stored::parse).collect();
    let complete = parsed.and_then(|doctypes| builtin.with(doctypes));
    complete.map(Arc::new).map_err(|error| {
        let located = apps.iter().find_map(|app| app.locate(&error));
        located.map_or_else(|| error.into(), SiteError::from)
    })
}

/// The definitions that there were, as far as this version of the program can read them.
fn old_doctypes(old: &[Stored]) -> BTreeMap<String, DocType> {
    old.iter()
        .filter_map(|stored| Some((stored.name.clone(), stored.parse().ok()?)))
        .collect()
}

/// The fields that are in the definition no more; what they held stays.
fn dropped(old: &DocType, now: &DocType) -> Vec<Change> {
    let gone = |name: &str| now.field(name).is_none();
    old.fields
        .iter()
        .filter(|field| field.has_column() || field.fieldtype.is_table())
        .filter(|field| gone(&field.fieldname))
        .map(|field| Change::DropField {
            doctype: old.name.clone(),
            field: field.fieldname.clone(),
        })
        .collect()
}
