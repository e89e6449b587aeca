//! What can go wrong with a site.

use crema_store::StoreError;

use crate::apps::AppError;
use crate::bench::BenchError;
use crate::config::ConfigError;
use crate::doctype::DefinitionError;
use crate::zone::UnknownZone;

/// A site operation that cannot be done. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A folder or configuration file.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An app.
    #[error(transparent)]
    App(#[from] AppError),
    /// A DocType's definition.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The time zone in System Settings.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// A key that the site needs is not in its configuration.
    #[error("site_config.json of {site} needs {key}")]
    MissingKey {
        /// The site.
        site: String,
        /// The key.
        key: &'static str,
    },
}

impl From<ConfigError> for SiteError {
    fn from(error: ConfigError) -> SiteError {
        SiteError::Bench(BenchError::Config(error))
    }
}
