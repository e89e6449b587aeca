//! What a backup says about itself.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::hex;

/// The word by which a backup is known.
const FORMAT: &str = "crema backup";
/// The version of the format that is written here, and the newest that is read.
const VERSION: u32 = 1;

/// The first line of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// The version of the program that made it.
    pub crema: String,
    /// The site.
    pub site: String,
    /// The kind of its database, in the words of `db_type`.
    pub database: String,
    /// When it was begun, in UTC.
    pub at: String,
    /// Tells the `encryption_key` of the site from others; see [`key_check`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_check: Option<String>,
    /// The archives that were made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileMark>,
}

/// An archive of files that belongs to a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// `public` or `private`.
    pub folder: String,
    /// The SHA-256 of the archive, in hexadecimal.
    pub sha256: String,
}

impl Header {
    /// The header of a backup that this program makes.
    pub fn new(site: &str, database: &str, at: String) -> Header {
        Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            crema: env!("CARGO_PKG_VERSION").to_owned(),
            site: site.to_owned(),
            database: database.to_owned(),
            at,
            key_check: None,
            files: Vec::new(),
        }
    }

    /// Why this program cannot read the rest, if so.
    pub(super) fn complaint(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some("this is no backup of Crema".to_owned());
        }
        if self.version != VERSION || newer(&self.crema, env!("CARGO_PKG_VERSION")) {
            return Some(format!(
                "the backup was made by Crema {}, which is newer than this program ({})",
                self.crema,
                env!("CARGO_PKG_VERSION")
            ));
        }
        None
    }
}

/// Whether a version comes after another; what is no version does not.
fn newer(one: &str, other: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let plain = text.split(['-', '+']).next()?;
        plain.split('.').map(|part| part.parse().ok()).collect()
    };
    numbers(one) > numbers(other)
}

/// A text that is the same for the same `encryption_key`, and tells nothing about it: keys are 256
/// random bits.
pub fn key_check(encryption_key: &str) -> String {
    let text = format!("crema backup, encryption_key:{encryption_key}");
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex(hash.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_each_other() {
        for (one, other, is_newer) in [
            ("0.1.0", "0.1.0", false),
            ("0.1.1", "0.1.0", true),
            ("0.10.0", "0.9.0", true),
            ("0.9.9", "0.10.0", false),
            ("1.0.0", "0.10.0", true),
            ("0.1.0-rc.1", "0.1.0", false),
            ("words", "0.1.0", false),
        ] {
            assert_eq!(newer(one, other), is_newer, "{one} {other}");
        }
    }
}
