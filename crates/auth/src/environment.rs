//! Time, randomness and password work, handed in from outside so that tests own them.

use std::sync::Arc;

use crema_crypto::{Entropy, SystemEntropy};
use crema_document::{Clock, SystemClock};

use crate::app_code::AppCode;
use crate::events::Events;
use crate::outgoing::Outgoing;
use crate::password::PasswordPool;
use crate::signing::Signers;

/// What a [`crate::Provider`] takes from the world beside its database.
#[derive(Clone)]
pub struct Environment {
    /// The source of the present moment.
    pub clock: Arc<dyn Clock>,
    /// The source of every random byte.
    pub entropy: Arc<dyn Entropy>,
    /// The bounded workers that hash and verify passwords.
    pub passwords: PasswordPool,
    /// Signs ID tokens.
    pub signers: Signers,
    /// What has happened, counted over all sites.
    pub events: Arc<Events>,
    /// Sends requests to other servers.
    pub outgoing: Outgoing,
    /// The apps that come with the program.
    pub apps: &'static [AppCode],
}

impl Environment {
    /// The environment of a production server: system clock, system randomness, Argon2id at
    /// full cost.
    pub fn system() -> Environment {
        Environment {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            passwords: PasswordPool::default(),
            signers: Signers::default(),
            events: Arc::default(),
            outgoing: Outgoing::system(),
            apps: &[],
        }
    }
}
