//! Bringing a site up to date: tables, then patches.

use std::sync::Arc;

use super::Site;
use crate::lock::MigrationLock;
use crate::names::RandomSource;
use crate::patches::{self, Patch, PatchContext};
use crate::schema::{self, Change};
use crate::{SiteError, Timestamp};

impl Site {
    /// Makes the tables follow the definitions and runs the patches that did not run yet.
    /// Answers what changed: nothing, the second time. Waits while another process of this
    /// bench migrates the site.
    ///
    /// # Errors
    /// When a step fails. The steps before it are done, and the next run goes on from there.
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
        let mut changes = schema::sync(&self.database, &self.builtin).await?;
        // The zone must be known before anything is written in local time.
        self.version().await?;
        let context = PatchContext {
            registry: Arc::clone(&self.builtin),
            random,
            now,
            local: self.local(now),
        };
        changes.extend(patches::run(&self.database, patches, &context).await?);
        Ok(changes)
    }
}
