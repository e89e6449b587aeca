//! One site's authorization server: its database, its keys, and what is kept in memory of them.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use crema_crypto::SiteKeys;
use crema_document::Site;
use crema_store::Database;
use quick_cache::sync::Cache;

use crate::client::Client;
use crate::client::metadata_document::Documents;
use crate::keys::Keyring;
use crate::last_used::LastUsed;
use crate::metadata::KeptDocuments;
use crate::settings::Settings;
use crate::user::User;
use crate::{Environment, Failure};

/// How many clients of a site are kept in memory.
const CLIENTS_KEPT: usize = 2_000;
/// How many users of a site are kept in memory.
const USERS_KEPT: usize = 10_000;

/// A value and the site version it was read at.
struct Versioned<T> {
    version: u64,
    value: Arc<T>,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Versioned {
            version: self.version,
            value: Arc::clone(&self.value),
        }
    }
}

/// One site as an authorization server. Nothing here is shared between sites.
pub struct Provider {
    site: Arc<Site>,
    environment: Environment,
    site_keys: SiteKeys,
    clients: Cache<String, Versioned<Client>>,
    client_documents: Documents,
    users: Cache<String, Versioned<User>>,
    settings: ArcSwapOption<Versioned<Settings>>,
    keyring: ArcSwapOption<Versioned<Keyring>>,
    documents: ArcSwapOption<KeptDocuments>,
    last_used: Arc<LastUsed>,
    keys_last_used: Arc<LastUsed>,
}

impl Provider {
    /// The authorization server of an opened site.
    ///
    /// # Errors
    /// When the site has no usable `encryption_key`.
    pub fn new(site: Arc<Site>, environment: Environment) -> Result<Provider, Failure> {
        let config = site.config();
        let encryption_key = config.encryption_key().ok_or_else(|| {
            Failure::Internal("site_config.json has no encryption_key".to_owned())
        })?;
        let site_keys =
            SiteKeys::from_encryption_key(encryption_key.expose()).map_err(Failure::internal)?;
        Ok(Provider {
            site,
            environment,
            site_keys,
            clients: Cache::new(CLIENTS_KEPT),
            client_documents: Documents::new(),
            users: Cache::new(USERS_KEPT),
            settings: ArcSwapOption::empty(),
            keyring: ArcSwapOption::empty(),
            documents: ArcSwapOption::empty(),
            last_used: Arc::new(LastUsed::of_tokens()),
            keys_last_used: Arc::new(LastUsed::of_keys()),
        })
    }

    /// The site's folder, configuration and database.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The site's database.
    pub fn database(&self) -> &Database {
        self.site.database()
    }

    /// Clock, randomness and password workers.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether the keys are those of the `encryption_key` in force: false after it was changed.
    pub fn has_current_keys(&self) -> bool {
        let config = self.site.config();
        let current = config
            .encryption_key()
            .and_then(|encryption_key| SiteKeys::from_encryption_key(encryption_key.expose()).ok());
        current.is_some_and(|current| current.key_id() == self.site_keys.key_id())
    }

    /// The uses of tokens that are still to be written.
    pub(crate) fn last_used(&self) -> &Arc<LastUsed> {
        &self.last_used
    }

    /// The uses of API keys that are still to be written.
    pub(crate) fn keys_last_used(&self) -> &Arc<LastUsed> {
        &self.keys_last_used
    }

    /// The keys derived from the site's `encryption_key`.
    pub fn site_keys(&self) -> &SiteKeys {
        &self.site_keys
    }

    /// The client whose record has this name as of the given site version.
    ///
    /// # Errors
    /// When the database cannot be read or the stored secret cannot be decrypted.
    pub async fn client(&self, name: &str, version: u64) -> Result<Option<Arc<Client>>, Failure> {
        match self.kept_client(name, version) {
            Some(kept) if kept.name == name => Ok(Some(kept)),
            _ => Ok(self.keep_client(name, version, crate::client::load(self, name).await?)),
        }
    }

    /// The client that the metadata document at this address describes, as of the given site
    /// version. Its record stands for it once a user has allowed it something.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn client_by_document(
        &self,
        address: &str,
        version: u64,
    ) -> Result<Option<Arc<Client>>, Failure> {
        // Names and addresses share one place: what was kept says which of them it is.
        match self.kept_client(address, version) {
            Some(kept) if kept.rules.client_id == address => Ok(Some(kept)),
            _ => {
                let loaded = crate::client::load_by_document(self, address).await?;
                Ok(self.keep_client(address, version, loaded))
            }
        }
    }

    /// The metadata documents of clients, as they were fetched.
    pub(crate) fn client_documents(&self) -> &Documents {
        &self.client_documents
    }

    fn kept_client(&self, key: &str, version: u64) -> Option<Arc<Client>> {
        let kept = self.clients.get(key)?;
        (kept.version == version).then_some(kept.value)
    }

    fn keep_client(&self, key: &str, version: u64, loaded: Option<Client>) -> Option<Arc<Client>> {
        let value = Arc::new(loaded?);
        let kept = Versioned {
            version,
            value: Arc::clone(&value),
        };
        self.clients.insert(key.to_owned(), kept);
        Some(value)
    }

    /// The user of that name, with roles, as of the given site version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn user(&self, name: &str, version: u64) -> Result<Option<Arc<User>>, Failure> {
        if let Some(kept) = self.users.get(name)
            && kept.version == version
        {
            return Ok(Some(kept.value));
        }
        let Some(user) = crate::user::load(self, name).await? else {
            return Ok(None);
        };
        let value = Arc::new(user);
        self.users.insert(
            name.to_owned(),
            Versioned {
                version,
                value: Arc::clone(&value),
            },
        );
        Ok(Some(value))
    }

    /// The site's settings as of the given site version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn settings(&self, version: u64) -> Result<Arc<Settings>, Failure> {
        if let Some(kept) = self.settings.load_full()
            && kept.version == version
        {
            return Ok(Arc::clone(&kept.value));
        }
        let value = Arc::new(crate::settings::load(self).await?);
        self.settings.store(Some(Arc::new(Versioned {
            version,
            value: Arc::clone(&value),
        })));
        Ok(value)
    }

    /// The place of the metadata documents that were made last.
    pub(crate) fn kept_documents(&self) -> &ArcSwapOption<KeptDocuments> {
        &self.documents
    }

    /// The settings as they were last read, for what may be a request behind.
    pub fn last_settings(&self) -> Option<Arc<Settings>> {
        self.settings
            .load()
            .as_deref()
            .map(|kept| Arc::clone(&kept.value))
    }

    /// The site's signing keys as of the given site version.
    ///
    /// # Errors
    /// When the database cannot be read or a stored key cannot be decrypted.
    pub async fn keyring(&self, version: u64) -> Result<Arc<Keyring>, Failure> {
        if let Some(kept) = self.keyring.load_full()
            && kept.version == version
        {
            return Ok(Arc::clone(&kept.value));
        }
        let value = Arc::new(crate::keys::load(self).await?);
        self.keyring.store(Some(Arc::new(Versioned {
            version,
            value: Arc::clone(&value),
        })));
        Ok(value)
    }
}
