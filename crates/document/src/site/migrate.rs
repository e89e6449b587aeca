//! Bringing a site up to date: tables, patches, apps.

use std::sync::Arc;

use super::{Site, mirror};
use crate::apps::plan::Plan;
use crate::apps::uninstall::Removal;
use crate::apps::{AppError, AppFolder, installed};
use crate::lock::MigrationLock;
use crate::names::RandomSource;
use crate::patches::{self, Patch, PatchContext};
use crate::schema::{self, Change};
use crate::{SiteError, Timestamp};

impl Site {
    /// Makes the tables follow the definitions, those of the site's apps as their folders are
    /// now among them, and runs the patches that did not run yet. Answers what changed:
    /// nothing, the second time. Waits while another process of this bench migrates the site.
    ///
    /// # Errors
    /// When an app is broken or its change would lose data; then nothing has been changed. When
    /// a step fails: the steps before it are done, and the next run goes on from there.
    pub async fn migrate(
        &self,
        now: Timestamp,
        random: Arc<dyn RandomSource>,
    ) -> Result<Vec<Change>, SiteError> {
        self.migrate_with(patches::builtin(), now, random).await
    }

    /// [`Site::migrate`] with the patches of an app after those of the program.
    ///
    /// # Errors
    /// Like [`Site::migrate`].
    pub async fn migrate_with(
        &self,
        patches: &'static [Patch],
        now: Timestamp,
        random: Arc<dyn RandomSource>,
    ) -> Result<Vec<Change>, SiteError> {
        let _lock = MigrationLock::acquire(&self.folder).await?;
        let apps = self.app_folders().await?;
        self.bring(patches, &apps, now, random).await
    }

    /// Installs an app: its tables, its definitions. Its documents come with
    /// [`crate::apps::apply_fixtures`]. Nothing changes when it is installed as it is.
    ///
    /// # Errors
    /// Like [`Site::migrate`].
    pub async fn install_app(
        &self,
        app: AppFolder,
        now: Timestamp,
        random: Arc<dyn RandomSource>,
    ) -> Result<Vec<Change>, SiteError> {
        let _lock = MigrationLock::acquire(&self.folder).await?;
        let mut apps = self.app_folders().await?;
        apps.retain(|known| known.name != app.name);
        apps.push(app);
        self.bring(patches::builtin(), &apps, now, random).await
    }

    /// Removes an app: its DocTypes are not there any more. Their tables stay, for the case that
    /// it comes back, unless `drop_data`. Answers the names of the DocTypes.
    ///
    /// # Errors
    /// When it is not installed, or another app needs it; then nothing has been changed.
    pub async fn uninstall_app(
        &self,
        app: &str,
        drop_data: bool,
    ) -> Result<Vec<String>, SiteError> {
        let _lock = MigrationLock::acquire(&self.folder).await?;
        let removal = Removal::plan(&self.database, &self.builtin, app).await?;
        let work = removal.clone();
        self.database
            .write::<_, crema_store::StoreError, _>(move |tx| {
                let work = work.clone();
                Box::pin(async move { work.apply(tx, drop_data).await })
            })
            .await?;
        mirror::forget(&self.database, &removal.registry).await?;
        if drop_data {
            let dialect = self.database.dialect();
            for table in removal.tables() {
                let ddl = format!("DROP TABLE IF EXISTS {}", dialect.quote(&table));
                self.database.execute_ddl(&ddl).await?;
            }
        }
        self.version().await?;
        Ok(removal.doctypes().to_vec())
    }

    /// The folders of the installed apps. One that is gone is passed over: its DocTypes stay as
    /// they are.
    ///
    /// # Errors
    /// When one of them is broken.
    pub async fn app_folders(&self) -> Result<Vec<AppFolder>, SiteError> {
        let mut folders = Vec::new();
        for app in installed(&self.database).await? {
            match AppFolder::read(&self.bench, &app.name) {
                Ok(folder) => folders.push(folder),
                Err(AppError::NoSuchApp { app, .. }) => {
                    tracing::warn!(site = %self.name, app, "the app is installed, its folder is gone");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(folders)
    }

    async fn bring(
        &self,
        patches: &'static [Patch],
        apps: &[AppFolder],
        now: Timestamp,
        random: Arc<dyn RandomSource>,
    ) -> Result<Vec<Change>, SiteError> {
        let plan = Plan::make(&self.database, &self.builtin, apps).await?;
        let mut changes = schema::sync(&self.database, &plan.registry).await?;
        // The zone must be known before anything is written in local time.
        self.version().await?;
        let context = PatchContext {
            registry: Arc::clone(&plan.registry),
            random,
            now,
            local: self.local(now),
        };
        changes.extend(patches::run(&self.database, patches, &context).await?);
        if !plan.is_empty() {
            changes.extend(plan.changes.iter().cloned());
            let (plan, context) = (plan.clone(), context.clone());
            self.database
                .write::<_, crema_store::StoreError, _>(move |tx| {
                    let (plan, context) = (plan.clone(), context.clone());
                    Box::pin(async move { plan.apply(tx, &context).await })
                })
                .await?;
            self.version().await?;
        }
        let doctypes = mirror::write(&self.database, &context).await?;
        if doctypes > 0 {
            changes.push(Change::Describe { doctypes });
        }
        Ok(changes)
    }
}
