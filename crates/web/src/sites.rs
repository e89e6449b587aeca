//! The sites of a bench: found by host, opened at their first request, reopened when their
//! configuration names another database.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

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
    open: RwLock<HashMap<String, Arc<Provider>>>,
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
        open.values().map(Arc::clone).collect()
    }

    /// Closes every site's database, after what has begun.
    pub async fn close(&self) {
        let open = std::mem::take(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner));
        for provider in open.into_values() {
            provider.site().close().await;
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
            Ok(ConfigChange::Unchanged) => Ok(provider),
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
        if let Some(provider) = open.get(name) {
            return Ok(Arc::clone(provider));
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
            .insert(name.to_owned(), Arc::clone(&provider));
        Ok(provider)
    }
}
