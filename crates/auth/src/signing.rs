//! Signatures: RSA off the request threads and bounded, everything else on the spot.
//!
//! An RSA signature takes two thirds of a millisecond; on the threads that serve requests a
//! handful of them would keep every token check waiting. The other algorithms take less time than
//! the way to another thread and back.

use std::sync::Arc;
use std::thread;

use crema_crypto::{SigningAlgorithm, SigningKey, jws};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::Failure;

/// Who signs. Clones share the bound.
#[derive(Clone, Debug)]
pub struct Signers {
    /// One for each core: more RSA signatures at once would only slow each other down.
    places: Arc<Semaphore>,
}

impl Default for Signers {
    fn default() -> Signers {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Signers {
            places: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Signers {
    /// Signs claims as a JWT.
    ///
    /// # Errors
    /// When the library fails.
    pub(crate) async fn sign(
        &self,
        key: &Arc<SigningKey>,
        claims: Map<String, Value>,
    ) -> Result<String, Failure> {
        if !is_slow(key.algorithm()) {
            return jws::encode(key, &claims).map_err(Failure::internal);
        }
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(Failure::internal)?;
        let key = Arc::clone(key);
        tokio::task::spawn_blocking(move || {
            let signed = jws::encode(&key, &claims).map_err(Failure::internal);
            drop(place);
            signed
        })
        .await
        .map_err(|_| Failure::Internal("a signature was broken off".to_owned()))?
    }
}

const fn is_slow(algorithm: SigningAlgorithm) -> bool {
    matches!(algorithm, SigningAlgorithm::RS256 | SigningAlgorithm::PS256)
}
