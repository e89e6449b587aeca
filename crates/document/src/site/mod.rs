//! One site: its configuration, its database, its definitions, its time zone.

mod connect;
mod create;
mod definitions;
mod migrate;
pub(crate) mod mirror;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use crema_store::{Database, DatabaseConfig, StoreError};

use crate::config::FileStamp;
use crate::list::Places;
use crate::{
    Bench, BenchError, LocalTime, Registry, SiteConfig, SiteError, TimeZone, Timestamp, singles,
    version,
};

pub use create::{NewSite, RootCredentials};
use definitions::Definitions;

/// An open site. Nothing of it is shared with another.
pub struct Site {
    name: String,
    folder: PathBuf,
    bench: Bench,
    builtin: Arc<Registry>,
    definitions: ArcSwap<Definitions>,
    database: Database,
    places: Places,
    connection: DatabaseConfig,
    config: ArcSwap<Loaded>,
    zone: ArcSwap<TimeZone>,
    /// The version at which the zone and the definitions were read.
    seen_version: AtomicU64,
}

/// A configuration and the state of the files it was read from.
struct Loaded {
    config: Arc<SiteConfig>,
    stamp: [Option<FileStamp>; 2],
}

/// What a look at the configuration files found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Nothing new.
    Unchanged,
    /// Something new, in force from now on.
    Reloaded,
    /// Another database: the site has to be opened anew.
    Reopen,
}

impl Site {
    /// Opens a site. A server is not contacted yet; the time zone and
    /// the definitions of its apps are read at the first [`Site::version`].
    ///
    /// # Errors
    /// When there is no such site, its configuration is broken or incomplete, or the SQLite
    /// file cannot be opened.
    pub fn open(bench: &Bench, name: &str, registry: Arc<Registry>) -> Result<Site, SiteError> {
        let folder = bench.site_folder(name)?;
        // The stamp first: a change between the two makes one reload too many, not too few.
        let stamp = bench.site_config_stamp(name)?;
        let config = Arc::new(bench.site_config(name)?);
        let connection = connect::database_config(name, &folder, &config)?;
        Ok(Site {
            name: name.to_owned(),
            folder,
            bench: bench.clone(),
            definitions: ArcSwap::from_pointee(Definitions::of(&registry)),
            builtin: registry,
            database: Database::open(&connection)?,
            places: Places::default(),
            connection,
            config: ArcSwap::from_pointee(Loaded { config, stamp }),
            zone: ArcSwap::from_pointee(TimeZone::utc()),
            seen_version: AtomicU64::new(0),
        })
    }

    /// Its name, which is the name of its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The bench it belongs to.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Its definitions, as of the last version that was seen.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.definitions.load().registry)
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The places for long lists.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Its configuration as of the last look.
    pub fn config(&self) -> Arc<SiteConfig> {
        Arc::clone(&self.config.load().config)
    }

    /// Looks whether the configuration files have changed, and reads them if so. Cheap enough
    /// for every request.
    ///
    /// # Errors
    /// When a file is broken now. The old configuration stays in force for who goes on all the
    /// same, and the next look complains again.
    pub fn refresh_config(&self) -> Result<ConfigChange, SiteError> {
        let stamp = self.bench.site_config_stamp(&self.name)?;
        if self.config.load().stamp == stamp {
            return Ok(ConfigChange::Unchanged);
        }
        let config = Arc::new(self.bench.site_config(&self.name)?);
        let connection = connect::database_config(&self.name, &self.folder, &config)?;
        self.config.store(Arc::new(Loaded { config, stamp }));
        if connection == self.connection {
            Ok(ConfigChange::Reloaded)
        } else {
            Ok(ConfigChange::Reopen)
        }
    }

    /// The site's version, one short read; see [`crate::version`] and [`Site::see_version`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn version(&self) -> Result<u64, StoreError> {
        let version = version::read(&self.database).await?;
        self.see_version(version).await?;
        Ok(version)
    }

    /// Takes note of the version that some statement read along. When it has moved, the time
    /// zone and the definitions are read again.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn see_version(&self, version: u64) -> Result<(), StoreError> {
        if self.seen_version.load(Ordering::Acquire) == version {
            return Ok(());
        }
        self.read_zone().await?;
        self.read_definitions().await?;
        self.seen_version.store(version, Ordering::Release);
        Ok(())
    }

    /// The zone in which this site keeps its local times: `time_zone` of System Settings, UTC
    /// when that is empty or unknown.
    pub fn time_zone(&self) -> Arc<TimeZone> {
        self.zone.load_full()
    }

    /// What the site's clock shows at a moment.
    pub fn local(&self, now: Timestamp) -> LocalTime {
        self.zone.load().local(now)
    }

    /// Closes its database, after what has begun.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn read_zone(&self) -> Result<(), StoreError> {
        let zone = match self.builtin.get("System Settings") {
            Some(doctype) => {
                let settings = singles::get(&self.database, doctype).await?;
                settings.text("time_zone").map(TimeZone::named)
            }
            None => None,
        };
        let zone = match zone {
            None => TimeZone::utc(),
            Some(Ok(zone)) => zone,
            Some(Err(error)) => {
                tracing::warn!(site = %self.name, %error, "time zone of System Settings");
                TimeZone::utc()
            }
        };
        self.zone.store(Arc::new(zone));
        Ok(())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Site({}, {:?})", self.name, self.database)
    }
}

/// The site of that name, or why there is none, before anything of it is opened.
pub(crate) fn require(bench: &Bench, name: &str) -> Result<(), BenchError> {
    if bench.has_site(name) {
        Ok(())
    } else {
        Err(BenchError::NoSuchSite(name.to_owned()))
    }
}
