//! One migration of a site at a time.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;

/// Held while a site is migrated; dropping it, or the end of the process, lets the next one in.
///
/// It is a lock on a file in the site's folder, so it reaches every process that shares the
/// folder. Against others the steps of a migration are harmless twice.
#[derive(Debug)]
pub struct MigrationLock {
    _file: File,
}

impl MigrationLock {
    /// Waits for the lock of the site in that folder.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub async fn acquire(site_folder: &Path) -> Result<MigrationLock, ConfigError> {
        let path = site_folder.join("locks").join("migrate.lock");
        let file = path.clone();
        let locked = tokio::task::spawn_blocking(move || lock(&file)).await;
        match locked {
            Ok(Ok(file)) => Ok(MigrationLock { _file: file }),
            Ok(Err(error)) => Err(ConfigError::io(&path, error)),
            Err(_) => Err(ConfigError::io(
                &path,
                std::io::ErrorKind::Interrupted.into(),
            )),
        }
    }
}

fn lock(path: &PathBuf) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.lock()?;
    Ok(file)
}
