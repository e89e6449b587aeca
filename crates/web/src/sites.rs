//! The sites of a bench: found by host, opened at their first request, reopened when their
//! configuration names another database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crema_auth::{Environment, Provider};
use crema_document::config::FileStamp;
use crema_document::hosts::HostMap;
use crema_document::site::ConfigChange;
use crema_document::{Bench, Registry, Site};

/// Why a host leads to no site.
#[derive(Debug)]
pub enum NoSite {
    /// No site has that name.
    Unknown,
    /// The site is there but cannot be used; the log has the reason.
    Broken,
}

/// For how many microseconds a look at the files of the bench and of a site holds: under load,
/// requests share one look. Nobody can change a file and have the next request arrive so soon.
const LOOK_HOLDS: u64 = 250;

/// An open site.
struct Opened {
    provider: Arc<Provider>,
    /// When the last look at its files began that found nothing new, in microseconds of the
    /// process.
    looked_at: AtomicU64,
}

/// What is known of the bench, and the state of the files it was read from.
#[derive(Default)]
struct Known {
    hosts: HostMap,
    stamp: Option<[Option<FileStamp>; 3]>,
}

/// All sites of one bench.
pub struct Sites {
    bench: Bench,
    environment: Environment,
    registry: Arc<Registry>,
    known: RwLock<Known>,
    open: RwLock<HashMap<String, Opened>>,
    began: Instant,
}

impl Sites {
    /// The sites of a bench; none is opened yet.
    pub fn new(bench: Bench, registry: Arc<Registry>, environment: Environment) -> Sites {
        Sites {
            bench,
            environment,
            registry,
            known: RwLock::default(),
            open: RwLock::default(),
            #[expect(
                clippy::disallowed_methods,
                reason = "how old a look is, no moment in time"
            )]
            began: Instant::now(),
        }
    }

    /// The bench.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Clock, randomness and password workers of all sites.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The site that a `Host` header names.
    ///
    /// # Errors
    /// [`NoSite`].
    // spec: security.md, "Host header: only a site's own names select it; anything else 404"
    pub async fn for_host(&self, host: &str) -> Result<Arc<Provider>, NoSite> {
        self.find(|hosts| match hosts.site_for(host) {
            Ok(site) => site.map(str::to_owned),
            Err(ambiguous) => {
                tracing::error!(%ambiguous, "several sites claim one host");
                None
            }
        })
        .await
    }

    /// The site of that folder name, for a trusted proxy that names it.
    ///
    /// # Errors
    /// [`NoSite`].
    pub async fn named(&self, name: &str) -> Result<Arc<Provider>, NoSite> {
        self.find(|hosts| hosts.site_named(name).map(str::to_owned))
            .await
    }

    /// The sites that are open at the moment, for work that nobody asks for: clearing what has
    /// expired, say.
    pub fn opened(&self) -> Vec<Arc<Provider>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let providers = open.values().map(|site| Arc::clone(&site.provider));
        providers.collect()
    }

    /// Closes every site's database, after what has begun.
    pub async fn close(&self) {
        let open = std::mem::take(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner));
        for site in open.into_values() {
            site.provider.site().close().await;
        }
    }

    /// Forgets what was read of the bench and the sites, so that the next request reads anew.
    pub fn reload(&self) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .stamp = None;
    }

    async fn find(
        &self,
        pick: impl Fn(&HostMap) -> Option<String>,
    ) -> Result<Arc<Provider>, NoSite> {
        let began = self.micros();
        if let Some(provider) = self.lately_looked_at(&pick, began) {
            return Ok(provider);
        }
        if self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .stamp
            != Some(self.bench.stamp())
        {
            self.read_hosts();
        }
        let picked = || {
            pick(
                &self
                    .known
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .hosts,
            )
        };
        let name = match picked() {
            Some(name) => name,
            None => {
                // A site may have been given this name since.
                self.read_hosts();
                picked().ok_or(NoSite::Unknown)?
            }
        };
        let provider = self.provider(&name)?;
        match provider.site().refresh_config() {
            Ok(ConfigChange::Unchanged) => {
                self.mark(&name, began);
                Ok(provider)
            }
            Ok(ConfigChange::Reloaded) => {
                self.read_hosts();
                self.reopen_if_rekeyed(&name, provider)
            }
            Ok(ConfigChange::Reopen) => self.reopen(&name),
            Err(error) => {
                tracing::error!(site = name, %error, "the site's configuration is broken");
                Err(NoSite::Broken)
            }
        }
    }

    /// The site, when the files that decide about it were looked at a moment ago.
    fn lately_looked_at(
        &self,
        pick: impl Fn(&HostMap) -> Option<String>,
        now: u64,
    ) -> Option<Arc<Provider>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.stamp?;
        let name = pick(&known.hosts)?;
        drop(known);
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let site = open.get(&name)?;
        let age = now.saturating_sub(site.looked_at.load(Ordering::Acquire));
        (age < LOOK_HOLDS).then(|| Arc::clone(&site.provider))
    }

    /// Remembers a look that found nothing new. It counts from its beginning.
    fn mark(&self, name: &str, began: u64) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = open.get(name) {
            site.looked_at.fetch_max(began, Ordering::AcqRel);
        }
    }

    /// Microseconds since the process began, and a little: never near 0, which is never.
    fn micros(&self) -> u64 {
        let passed = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX / 2);
        passed.saturating_add(LOOK_HOLDS)
    }

    fn read_hosts(&self) {
        // The stamp first: a change in between makes one reading too many, not too few.
        let stamp = self.bench.stamp();
        match self.bench.host_map() {
            Ok((hosts, broken)) => {
                for (site, error) in broken {
                    tracing::error!(site, %error, "the site's configuration is broken");
                }
                let known = Known {
                    hosts,
                    stamp: Some(stamp),
                };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
            }
            Err(error) => tracing::error!(%error, "the folder of sites cannot be read"),
        }
    }

    fn provider(&self, name: &str) -> Result<Arc<Provider>, NoSite> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = open.get(name) {
            return Ok(Arc::clone(&site.provider));
        }
        drop(open);
        self.reopen(name)
    }

    /// A new `encryption_key` makes other keys of everything derived from it.
    fn reopen_if_rekeyed(&self, name: &str, old: Arc<Provider>) -> Result<Arc<Provider>, NoSite> {
        if old.has_current_keys() {
            Ok(old)
        } else {
            self.reopen(name)
        }
    }

    fn reopen(&self, name: &str) -> Result<Arc<Provider>, NoSite> {
        let broken = |error: &dyn std::fmt::Display| {
            tracing::error!(site = name, %error, "the site cannot be opened");
            NoSite::Broken
        };
        let site = Site::open(&self.bench, name, Arc::clone(&self.registry))
            .map_err(|error| broken(&error))?;
        let provider = Provider::new(Arc::new(site), self.environment.clone())
            .map_err(|error| broken(&error))?;
        let provider = Arc::new(provider);
        self.open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(
                name.to_owned(),
                Opened {
                    provider: Arc::clone(&provider),
                    looked_at: AtomicU64::new(0),
                },
            );
        Ok(provider)
    }
}
