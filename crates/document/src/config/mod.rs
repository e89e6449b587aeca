//! A site's configuration: `site_config.json` over `common_site_config.json`.
//!
//! Keys have Frappe's meaning; unknown ones are kept and ignored. A broken file is an error
//! that names file, line and reason.

mod check;
mod file;
mod keys;
mod outgoing;
mod redact;

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

pub use file::{ConfigError, FileStamp, parse_value};
pub(crate) use file::{ConfigFile, update, write_private};
pub use keys::{AllowCors, DbType, IgnoreCsrf, ProviderLogin, RateLimit};
pub use outgoing::AllowedTarget;
pub use redact::{REDACTED, redacted};

/// A site's merged configuration, checked: every key that the system knows has a usable value.
#[derive(Clone, Default)]
pub struct SiteConfig {
    keys: Map<String, Value>,
}

impl SiteConfig {
    /// Reads `common` and over it `site`; an absent file is empty.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and reason when one of them is broken.
    pub fn load(common: &Path, site: &Path) -> Result<SiteConfig, ConfigError> {
        SiteConfig::merge(&ConfigFile::read(common)?, &ConfigFile::read(site)?)
    }

    pub(crate) fn merge(common: &ConfigFile, site: &ConfigFile) -> Result<SiteConfig, ConfigError> {
        let mut keys = common.keys.clone();
        keys.extend(site.keys.clone());
        let config = SiteConfig { keys };
        if let Some((key, reason)) = check::faults(&config).into_iter().next() {
            let source = if site.keys.contains_key(&key) {
                site
            } else {
                common
            };
            return Err(ConfigError::Key {
                file: source.path.clone(),
                line: source.line_of(&key),
                key,
                reason,
            });
        }
        Ok(config)
    }

    /// A configuration that was put together in memory.
    ///
    /// # Errors
    /// The first key whose value is of the wrong kind, and what it needs.
    pub fn from_keys(keys: Map<String, Value>) -> Result<SiteConfig, (String, String)> {
        let config = SiteConfig { keys };
        match check::faults(&config).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(config),
        }
    }

    /// The value of any key, also of those that only an app knows.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    /// Every key with its value. Holds secrets: see [`SiteConfig::redacted`].
    pub fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    /// Every key with its value, secrets replaced, to be shown.
    pub fn redacted(&self) -> Map<String, Value> {
        redacted(&self.keys)
    }
}

impl fmt::Debug for SiteConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("SiteConfig")
            .field(&Value::Object(self.redacted()).to_string())
            .finish()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
