//! A bench folder: the sites of one installation and their configuration files.
//!
//! ```text
//! sites/
//!   common_site_config.json   currentsite.txt   apps.txt
//!   <site>/site_config.json   private/ public/files/ private/backups/ logs/ db/ locks/
//! apps/
//! ```
//! Site folders have mode 0700 and configuration files 0600: they hold secrets.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::apps::BuiltinApp;
use crate::config::{self, ConfigError, ConfigFile, FileStamp, SiteConfig};
use crate::hosts::{HostMap, SiteNames, normal_host};

const COMMON_CONFIG: &str = "common_site_config.json";
const SITE_CONFIG: &str = "site_config.json";
const CURRENT_SITE: &str = "currentsite.txt";
const APPS: &str = "apps.txt";

/// The folders of a site, below its own.
const SITE_FOLDERS: &[&str] = &[
    "private",
    "private/backups",
    "private/files",
    "public",
    "public/files",
    "logs",
    "locks",
    "db",
];

/// A bench operation that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A configuration file is broken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder cannot be read or made.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The name cannot be a site's.
    #[error("{0:?} cannot be the name of a site: it needs the form of a host name")]
    BadSiteName(String),
    /// There is a site of that name.
    #[error("the site {0} exists already")]
    SiteExists(String),
    /// There is no site of that name.
    #[error("there is no site {0}")]
    NoSuchSite(String),
}

/// An installation's folder.
#[derive(Clone, Debug)]
pub struct Bench {
    root: PathBuf,
    apps: &'static [BuiltinApp],
}

impl Bench {
    /// The bench in that folder. Nothing is made: an absent folder is a bench without sites.
    pub fn at(root: impl Into<PathBuf>) -> Bench {
        Bench {
            root: root.into(),
            apps: &[],
        }
    }

    /// The same with apps that the program brings along: they need no folder below `apps/`, and
    /// none takes their place.
    #[must_use]
    pub fn with_apps(mut self, apps: &'static [BuiltinApp]) -> Bench {
        self.apps = apps;
        self
    }

    /// The app of that name among those that the program brings along.
    pub fn builtin_app(&self, name: &str) -> Option<&'static BuiltinApp> {
        self.apps.iter().find(|app| app.name == name)
    }

    /// The bench in that folder, with whatever is absent of its layout made.
    ///
    /// # Errors
    /// When a folder or file cannot be made.
    pub fn create(root: impl Into<PathBuf>) -> Result<Bench, BenchError> {
        let bench = Bench::at(root);
        make_folder(&bench.sites_folder())?;
        make_folder(&bench.apps_folder())?;
        for (name, content) in [(COMMON_CONFIG, "{}\n"), (APPS, "")] {
            let path = bench.sites_folder().join(name);
            if !path.exists() {
                config::write_private(&path, content.as_bytes()).map_err(|e| io_at(&path, e))?;
            }
        }
        Ok(bench)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `sites/`.
    pub fn sites_folder(&self) -> PathBuf {
        self.root.join("sites")
    }

    /// `apps/`: data-only apps.
    pub fn apps_folder(&self) -> PathBuf {
        self.root.join("apps")
    }

    /// The folder of a site, whether there is one or not.
    ///
    /// # Errors
    /// [`BenchError::BadSiteName`], so that no name leads out of the bench.
    pub fn site_folder(&self, site: &str) -> Result<PathBuf, BenchError> {
        if !is_site_name(site) {
            return Err(BenchError::BadSiteName(site.to_owned()));
        }
        Ok(self.sites_folder().join(site))
    }

    /// `sites/common_site_config.json`.
    pub fn common_config_path(&self) -> PathBuf {
        self.sites_folder().join(COMMON_CONFIG)
    }

    /// `sites/<site>/site_config.json`.
    ///
    /// # Errors
    /// [`BenchError::BadSiteName`].
    pub fn site_config_path(&self, site: &str) -> Result<PathBuf, BenchError> {
        Ok(self.site_folder(site)?.join(SITE_CONFIG))
    }

    /// The names of the sites: the folders that hold a `site_config.json`, in order. Also sites
    /// whose configuration is broken.
    ///
    /// # Errors
    /// When the folder cannot be read; an absent one has no sites.
    pub fn sites(&self) -> Result<Vec<String>, BenchError> {
        let folder = self.sites_folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_at(&folder, error)),
        };
        let mut sites = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| io_at(&folder, error))?;
            if let Ok(name) = entry.file_name().into_string()
                && is_site_name(&name)
                && entry.path().join(SITE_CONFIG).is_file()
            {
                sites.push(name);
            }
        }
        sites.sort();
        Ok(sites)
    }

    /// Whether there is a site of that name.
    pub fn has_site(&self, site: &str) -> bool {
        self.site_config_path(site).is_ok_and(|path| path.is_file())
    }

    /// The configuration that all sites share.
    ///
    /// # Errors
    /// When the file is broken.
    pub fn common_config(&self) -> Result<SiteConfig, ConfigError> {
        let common = ConfigFile::read(&self.common_config_path())?;
        SiteConfig::merge(&common, &ConfigFile::default())
    }

    /// A site's configuration over the common one.
    ///
    /// # Errors
    /// When there is no such site or one of the files is broken.
    pub fn site_config(&self, site: &str) -> Result<SiteConfig, BenchError> {
        let path = self.site_config_path(site)?;
        if !path.is_file() {
            return Err(BenchError::NoSuchSite(site.to_owned()));
        }
        Ok(SiteConfig::load(&self.common_config_path(), &path)?)
    }

    /// What tells whether [`Bench::site_config`] would read something new: the stamps of the
    /// two files.
    ///
    /// # Errors
    /// [`BenchError::BadSiteName`].
    pub fn site_config_stamp(&self, site: &str) -> Result<[Option<FileStamp>; 2], BenchError> {
        Ok([
            FileStamp::of(&self.common_config_path()),
            FileStamp::of(&self.site_config_path(site)?),
        ])
    }

    /// What tells whether [`Bench::host_map`] would read something new, apart from the sites'
    /// own files: the stamps of the folder of sites, the common configuration and
    /// `currentsite.txt`.
    pub fn stamp(&self) -> [Option<FileStamp>; 3] {
        [
            FileStamp::of(&self.sites_folder()),
            FileStamp::of(&self.common_config_path()),
            FileStamp::of(&self.sites_folder().join(CURRENT_SITE)),
        ]
    }

    /// Sets a key in a site's file, or in the common one when `site` is `None`; `null` removes
    /// it. The file is replaced in one step, with mode 0600.
    ///
    /// # Errors
    /// When the file is broken or cannot be written, when there is no such site, or when the
    /// system could not use the value.
    pub fn set_config(
        &self,
        site: Option<&str>,
        key: &str,
        value: Value,
    ) -> Result<(), BenchError> {
        let path = match site {
            Some(site) => {
                let path = self.site_config_path(site)?;
                if !path.is_file() {
                    return Err(BenchError::NoSuchSite(site.to_owned()));
                }
                path
            }
            None => self.common_config_path(),
        };
        let alone = [(key.to_owned(), value.clone())].into_iter().collect();
        SiteConfig::from_keys(alone).map_err(|(key, reason)| ConfigError::Key {
            file: path.clone(),
            line: 0,
            key,
            reason,
        })?;
        config::update(&path, |keys| {
            if value.is_null() {
                keys.shift_remove(key);
            } else {
                keys.insert(key.to_owned(), value);
            }
        })?;
        Ok(())
    }

    /// The current site: `currentsite.txt`, else `default_site` of the common configuration,
    /// when there is such a site.
    pub fn current_site(&self) -> Option<String> {
        let written = fs::read_to_string(self.sites_folder().join(CURRENT_SITE))
            .ok()
            .map(|text| text.trim().to_owned());
        let configured = || {
            let common = self.common_config().ok()?;
            common.default_site().map(str::to_owned)
        };
        written
            .filter(|site| self.has_site(site))
            .or_else(configured)
            .filter(|site| self.has_site(site))
    }

    /// Writes `currentsite.txt`.
    ///
    /// # Errors
    /// When there is no such site or the file cannot be written.
    pub fn set_current_site(&self, site: &str) -> Result<(), BenchError> {
        if !self.has_site(site) {
            return Err(BenchError::NoSuchSite(site.to_owned()));
        }
        let path = self.sites_folder().join(CURRENT_SITE);
        config::write_private(&path, format!("{site}\n").as_bytes()).map_err(|e| io_at(&path, e))
    }

    /// The apps of `apps.txt`, one a line.
    pub fn apps(&self) -> Vec<String> {
        fs::read_to_string(self.sites_folder().join(APPS))
            .unwrap_or_default()
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    /// The sites by host. A site whose configuration is broken is still found by the name of
    /// its folder, so that its visitors read that it is broken; the other sites are not
    /// touched by it. The error, when there is one, stands beside.
    ///
    /// # Errors
    /// When the folder of sites cannot be read.
    pub fn host_map(&self) -> Result<(HostMap, Vec<(String, BenchError)>), BenchError> {
        let mut names = Vec::new();
        let mut broken = Vec::new();
        for site in self.sites()? {
            match self.site_config(&site) {
                Ok(config) => names.push(SiteNames::of(&site, &config)),
                Err(error) => {
                    names.push(SiteNames {
                        site: site.clone(),
                        ..SiteNames::default()
                    });
                    broken.push((site, error));
                }
            }
        }
        let multitenant = self
            .common_config()
            .map_or(true, |common| common.dns_multitenant());
        let fallback = if multitenant {
            None
        } else {
            self.current_site()
        };
        Ok((HostMap::new(names, fallback.as_deref()), broken))
    }

    /// Makes a site's folders, and its configuration file with these keys.
    ///
    /// # Errors
    /// When the name is taken or none, or something cannot be made.
    pub(crate) fn make_site(
        &self,
        site: &str,
        keys: serde_json::Map<String, Value>,
    ) -> Result<PathBuf, BenchError> {
        let folder = self.site_folder(site)?;
        // Not recursive: of two who make the same site, one fails here and touches nothing.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BenchError::SiteExists(site.to_owned()));
            }
            Err(error) => return Err(io_at(&folder, error)),
        }
        let filled = self.fill_site(site, &folder, keys);
        if filled.is_err() {
            fs::remove_dir_all(&folder).ok();
        }
        filled.map(|()| folder)
    }

    fn fill_site(
        &self,
        site: &str,
        folder: &Path,
        keys: serde_json::Map<String, Value>,
    ) -> Result<(), BenchError> {
        for name in SITE_FOLDERS {
            make_folder(&folder.join(name))?;
        }
        config::update(&self.site_config_path(site)?, |content| *content = keys)?;
        Ok(())
    }

    /// Removes a site's folder with everything in it.
    pub(crate) fn remove_site(&self, site: &str) -> Result<(), BenchError> {
        let folder = self.site_folder(site)?;
        if self.current_site().as_deref() == Some(site) {
            fs::remove_file(self.sites_folder().join(CURRENT_SITE)).ok();
        }
        fs::remove_dir_all(&folder).map_err(|error| io_at(&folder, error))
    }
}

/// Whether a text can be the name of a site: a host name, since the folder's name selects the
/// site, and therefore never a path.
pub fn is_site_name(name: &str) -> bool {
    name.len() <= 140
        && !name.starts_with(['.', '-', '['])
        && !name.ends_with('.')
        && !name.contains(':')
        && !matches!(name, "assets" | "apps")
        && normal_host(name).is_some()
}

fn make_folder(path: &Path) -> Result<(), BenchError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| io_at(path, error))
}

fn io_at(path: &Path, reason: io::Error) -> BenchError {
    BenchError::Io {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
#[path = "bench_tests.rs"]
mod tests;
