//! Backups: what a site's database holds, in one compressed file that any of the three databases
//! takes back, and its uploaded files in archives.
//!
//! The file is JSON, one value a line, in gzip. First the [`Header`]; then for each table an
//! object with its columns, keys and indexes in Frappe's words, its rows as arrays, and an object
//! with their number; at the end an object with the totals and the SHA-256 of all before it.
//! Everything is one snapshot of the database, and is read and written row by row.
//!
//! Restoring fills the tables anew in one transaction: others see the old rows, then the new
//! ones, and after a failure the old ones still.

mod dump;
mod file;
mod files;
mod header;
mod restore;
mod tables;
mod value;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crema_store::StoreError;

use crate::SiteError;
use crate::config::ConfigError;

pub use dump::Dumped;
pub use files::{Archive, Unpacked, pack, unpack};
pub use header::{FileMark, Header, key_check};
pub use restore::Backup;

/// The fixed statements, for the test that prepares all.
pub use restore::ALL;

/// A backup that cannot be made or used. No message holds a value of a row.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The site, its lock or its configuration.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The file is no backup, not a whole one, or not one for this program.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl BackupError {
    fn io(path: &Path, reason: io::Error) -> BackupError {
        BackupError::Io {
            path: path.to_owned(),
            reason,
        }
    }

    fn unusable(path: &Path, reason: impl Into<String>) -> BackupError {
        BackupError::Unusable {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

impl From<ConfigError> for BackupError {
    fn from(error: ConfigError) -> BackupError {
        BackupError::Site(error.into())
    }
}

/// Hears how far the work is: the table, and the rows of all tables so far.
pub type Progress = Arc<dyn Fn(&str, u64) + Send + Sync>;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
