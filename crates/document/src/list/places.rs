//! Places for long lists: somebody who reads theirs slowly keeps others from none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crema_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many long lists one user reads at a time, of the much larger number that a database gives
/// at a time.
const MOST: usize = 2;

/// How long one waits for a place.
const PATIENCE: Duration = Duration::from_secs(5);

/// The users of a site that are reading long lists.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<HashMap<String, Weak<Semaphore>>>);

impl Places {
    /// A place for a list of this user, until it is dropped.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when all of theirs stay taken.
    pub(super) async fn take(&self, user: &str) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = self.of(user).acquire_owned();
        tokio::time::timeout(PATIENCE, place)
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)
    }

    fn of(&self, user: &str) -> Arc<Semaphore> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, places| places.strong_count() > 0);
        let known = users.get(user).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let places = Arc::new(Semaphore::new(MOST));
            users.insert(user.to_owned(), Arc::downgrade(&places));
            places
        })
    }
}
