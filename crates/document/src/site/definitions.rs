//! The definitions that a site works with, as its database says.

use std::sync::Arc;

use crema_store::StoreError;

use super::Site;
use crate::Registry;
use crate::access::custom::{self, CustomPermissions};
use crate::apps::stored::{self, Stamps};

/// Definitions, and what of the database they were made from.
pub(super) struct Definitions {
    pub(super) registry: Arc<Registry>,
    stamps: Stamps,
    permissions: CustomPermissions,
}

impl Definitions {
    /// Those of a site without apps.
    pub(super) fn of(builtin: &Arc<Registry>) -> Definitions {
        Definitions {
            registry: Arc::clone(builtin),
            stamps: Stamps::new(),
            permissions: CustomPermissions::new(),
        }
    }
}

impl Site {
    /// Reads what the apps and the permissions of the site's own are now. The version moves
    /// with every change of a user too, so definitions are parsed only when they are others.
    pub(super) async fn read_definitions(&self) -> Result<(), StoreError> {
        let stamps = stored::stamps(&self.database).await?;
        let permissions = custom::read(&self.database).await?;
        let known = self.definitions.load();
        if known.stamps == stamps && known.permissions == permissions {
            return Ok(());
        }
        let stored = match stamps.is_empty() {
            true => Vec::new(),
            false => stored::read(&self.database).await?,
        };
        let registry = self.builtin.of_site(&self.name, &stored, &permissions);
        // The stamps of what was read, which may be newer than what was looked at first.
        let stamps = stored
            .into_iter()
            .map(|stored| (stored.name, stored.app, stored.hash))
            .collect();
        self.definitions.store(Arc::new(Definitions {
            registry,
            stamps,
            permissions,
        }));
        Ok(())
    }
}
