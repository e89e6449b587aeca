//! The one parameter that every use case takes: who asks, when, at which site.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crema_crypto::timed_name;
use crema_document::Timestamp;
use crema_protocol::metadata_document;
use tokio::sync::OnceCell;

use crate::bearer::Ahead;
use crate::client::Client;
use crate::settings::Settings;
use crate::user::User;
use crate::{Failure, Provider};

/// One request's view of one site, made at the edge.
///
/// The site's version is read once per request; clients, settings and keys come from memory
/// while it has not moved, so that a change made by another process is seen by the next request.
pub struct Ctx {
    /// The site's authorization server.
    pub provider: Arc<Provider>,
    /// The moment of the request.
    pub now: Timestamp,
    /// Where the request came from, after configured proxies.
    pub address: IpAddr,
    /// The `User-Agent`, empty when there is none; at most 500 bytes.
    pub user_agent: String,
    /// The issuer identifier, which is also the origin of the site's own URLs: no trailing slash.
    pub issuer: String,
    version: OnceCell<u64>,
    ahead: Mutex<Option<Ahead>>,
}

impl Ctx {
    /// A context of this moment.
    pub fn new(provider: Arc<Provider>, address: IpAddr, user_agent: &str, issuer: String) -> Ctx {
        let now = provider.environment().clock.now();
        let end = (0..=user_agent.len().min(500))
            .rev()
            .find(|end| user_agent.is_char_boundary(*end))
            .unwrap_or(0);
        Ctx {
            provider,
            now,
            address,
            user_agent: user_agent.get(..end).unwrap_or_default().to_owned(),
            issuer,
            version: OnceCell::new(),
            ahead: Mutex::new(None),
        }
    }

    /// The same view for what outlives the borrow of it: the same moment, and the site version if
    /// it is known. What was read ahead stays with the first.
    pub(crate) fn again(&self) -> Ctx {
        Ctx {
            provider: Arc::clone(&self.provider),
            now: self.now,
            address: self.address,
            user_agent: self.user_agent.clone(),
            issuer: self.issuer.clone(),
            version: self.version.clone(),
            ahead: Mutex::new(None),
        }
    }

    /// A name for a row that comes with a request: names of later requests sort after it.
    pub(crate) fn row_name(&self) -> String {
        let millis = self.now.micros().div_euclid(1000);
        timed_name(millis, &*self.provider.environment().entropy)
    }

    /// The site's version at this request, read from the database once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn version(&self) -> Result<u64, Failure> {
        self.version
            .get_or_try_init(|| async { Ok(self.provider.site().version().await?) })
            .await
            .copied()
    }

    /// Takes over the version that a statement read along with its own columns.
    ///
    /// # Errors
    /// When the site's time zone has to be read again and cannot.
    pub(crate) async fn learn_version(&self, version: i64) -> Result<(), Failure> {
        let version = u64::try_from(version).unwrap_or(0);
        self.provider.site().see_version(version).await?;
        // When it was read before, the earlier reading stands: one request, one view.
        let _ = self.version.set(version);
        Ok(())
    }

    /// Keeps what was read before anybody asked for it.
    pub(crate) fn keep_ahead(&self, ahead: Ahead) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }

    /// What was read ahead, as `pick` takes it out.
    pub(crate) fn of_ahead<T>(&self, pick: impl FnOnce(&mut Ahead) -> Option<T>) -> Option<T> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.as_mut().and_then(pick)
    }

    /// The client that speaks of itself by this `client_id`, enabled or not; ids are compared byte
    /// for byte. The address of a metadata document is one while the site takes such ids.
    ///
    /// # Errors
    /// When the database cannot be read or the stored secret cannot be decrypted.
    pub async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, Failure> {
        if metadata_document::is_address(client_id) {
            if !self.settings().await?.enable_client_id_metadata_documents {
                return Ok(None);
            }
            let version = self.version().await?;
            return self.provider.client_by_document(client_id, version).await;
        }
        let client = self.client_record(client_id).await?;
        Ok(client.filter(|client| client.rules.client_id == client_id))
    }

    /// The client whose record has this name, enabled or not: what codes, tokens, consents and
    /// the audit trail remember.
    ///
    /// # Errors
    /// As [`Ctx::client`].
    pub async fn client_record(&self, name: &str) -> Result<Option<Arc<Client>>, Failure> {
        self.provider.client(name, self.version().await?).await
    }

    /// The user of that name with the roles as of this request, enabled or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn user(&self, name: &str) -> Result<Option<Arc<User>>, Failure> {
        self.provider.user(name, self.version().await?).await
    }

    /// The site's OAuth Settings and System Settings.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn settings(&self) -> Result<Arc<Settings>, Failure> {
        self.provider.settings(self.version().await?).await
    }
}
