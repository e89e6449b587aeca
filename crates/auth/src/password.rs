//! Password work, off the request threads and bounded.
//!
//! A hash takes tens of milliseconds of one core and some MiB of memory, by purpose. A few
//! workers do all of it, so that many sign-ins at once make sign-ins wait and nothing else.
// spec: security.md, Sign-in and sessions, line 1

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crema_crypto::password::{self, PasswordChecker, Verification};
use crema_crypto::{CryptoError, Entropy, PasswordCost, Secret};
use tokio::sync::{Semaphore, oneshot};

use crate::Failure;

/// How many requests may wait for a worker before others are turned away.
const QUEUE: usize = 256;
/// How much lower the priority of the workers is: on Linux 5 is a third of the weight of 0, so that
/// a server that is busy with tokens still signs people in.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;
/// What those are told to wait, in seconds.
const RETRY_AFTER: u32 = 5;

/// The workers that hash and verify passwords. Clones share them.
#[derive(Clone, Debug)]
pub struct PasswordPool {
    cost: PasswordCost,
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    size: (usize, usize),
    done: Arc<AtomicU64>,
    turned_away: Arc<AtomicU64>,
}

/// How busy the workers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordStats {
    /// Hashes under way.
    pub busy: usize,
    /// So many may be under way at once.
    pub workers: usize,
    /// Requests that wait for a worker.
    pub waiting: usize,
    /// Hashes and checks done.
    pub done: u64,
    /// Requests that were turned away, because too many waited.
    pub turned_away: u64,
}

impl Default for PasswordPool {
    fn default() -> PasswordPool {
        PasswordPool::with_cost(PasswordCost::default())
    }
}

impl PasswordPool {
    /// Workers for half of the cores, at least one, hashing at this cost.
    pub fn with_cost(cost: PasswordCost) -> PasswordPool {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        PasswordPool::bounded(cost, (cores / 2).max(1), QUEUE)
    }

    /// So many workers, and so many that may wait for one.
    pub fn bounded(cost: PasswordCost, workers: usize, queue: usize) -> PasswordPool {
        PasswordPool {
            cost,
            workers: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(workers.saturating_add(queue))),
            size: (workers, workers.saturating_add(queue)),
            done: Arc::default(),
            turned_away: Arc::default(),
        }
    }

    /// How busy it is.
    pub fn stats(&self) -> PasswordStats {
        let (workers, places) = self.size;
        let busy = workers.saturating_sub(self.workers.available_permits());
        let inside = places.saturating_sub(self.places.available_permits());
        PasswordStats {
            busy,
            workers,
            waiting: inside.saturating_sub(busy),
            done: self.done.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }

    /// Hashes a new password with Argon2id.
    ///
    /// # Errors
    /// [`Failure::Validation`] for a password over 512 bytes, [`Failure::TooMany`] when too many
    /// wait.
    pub async fn hash(
        &self,
        password: &Secret<String>,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<String, Failure> {
        let (cost, password, entropy) = (self.cost, password.clone(), Arc::clone(entropy));
        self.run(move || password::hash(password.expose(), &cost, &*entropy))
            .await?
            .map_err(|error| match error {
                CryptoError::PasswordTooLong => Failure::Validation(TOO_LONG.to_owned()),
                other => Failure::internal(other),
            })
    }

    /// Checks a password against a stored hash. `None` stands for someone who cannot sign in,
    /// and is refused after the same work. `legacy_rounds` are the PBKDF2 rounds of hashes that
    /// the site still has from Frappe.
    ///
    /// # Errors
    /// [`Failure::TooMany`] when too many wait.
    // spec: security.md, Sign-in and sessions, line 2
    pub async fn check(
        &self,
        password: &Secret<String>,
        stored: Option<String>,
        legacy_rounds: Option<NonZeroU32>,
    ) -> Result<Verification, Failure> {
        let checker = PasswordChecker {
            cost: self.cost,
            legacy_rounds,
        };
        let password = password.clone();
        let checked = self
            .run(move || checker.check(password.expose(), stored.as_deref()))
            .await?;
        match checked {
            Ok(verification) => Ok(verification),
            Err(CryptoError::PasswordTooLong) => Ok(REFUSED),
            Err(CryptoError::PasswordHash) => {
                tracing::warn!("a stored password hash cannot be read; its user cannot sign in");
                Ok(REFUSED)
            }
            Err(other) => Err(Failure::internal(other)),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let full = |_| {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            Failure::TooMany {
                retry_after: RETRY_AFTER,
            }
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(Failure::internal)?;
        let count = Arc::clone(&self.done);
        let (reply, answer) = oneshot::channel();
        // The permits go with the work: a caller that goes away does not free a busy worker.
        let job = move || {
            yield_to_requests();
            let done = work();
            count.fetch_add(1, Ordering::Relaxed);
            drop((worker, place));
            let _ = reply.send(done);
        };
        // A thread for each: the priority of one that others use as well could not be raised again.
        thread::Builder::new()
            .name("password".to_owned())
            .spawn(job)
            .map_err(Failure::internal)?;
        answer
            .await
            .map_err(|_| Failure::Internal("password work was broken off".to_owned()))
    }
}

/// Lowers the priority of this thread: where cores are scarce, requests come first and password
/// work gets about a tenth of what they get.
fn yield_to_requests() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the priority of password work stays as it is");
    }
}

const REFUSED: Verification = Verification {
    valid: false,
    needs_upgrade: false,
};

/// Frappe's words for a password over [`password::MAX_PASSWORD_BYTES`].
pub const TOO_LONG: &str = "Password size exceeded the maximum allowed size";
