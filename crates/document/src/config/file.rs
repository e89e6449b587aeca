//! Configuration files: read with a precise complaint, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

/// A configuration file that cannot be used. The message names the place and the reason, never
/// what the file holds.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read or written.
    #[error("{}: {reason}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The file is not a JSON object.
    #[error("{}:{line}:{column}: {reason}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 when the whole line is meant.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key has a value of another kind than it needs.
    #[error("{}:{line}: {key}: {reason}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// Line of the key, from 1; 0 when the key is not there.
        line: usize,
        /// The key.
        key: String,
        /// What it needs.
        reason: String,
    },
}

impl ConfigError {
    pub(crate) fn io(file: &Path, reason: io::Error) -> ConfigError {
        ConfigError::Io {
            file: file.to_owned(),
            reason,
        }
    }
}

/// What tells one state of a file from the next without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    inode: u64,
}

impl FileStamp {
    /// The stamp of a file; `None` when there is none that can be looked at.
    pub fn of(path: &Path) -> Option<FileStamp> {
        let metadata = fs::metadata(path).ok()?;
        Some(FileStamp {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        })
    }
}

/// The keys of one file with its text, which is kept only to find the line of a bad key.
#[derive(Clone, Default)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) keys: Map<String, Value>,
    key_lines: Vec<(String, usize)>,
}

impl ConfigFile {
    /// Reads a file; an absent one is empty.
    pub(crate) fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
        match fs::read(path) {
            Ok(bytes) => parse(path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ConfigFile {
                path: path.to_owned(),
                ..ConfigFile::default()
            }),
            Err(error) => Err(ConfigError::io(path, error)),
        }
    }

    /// The line of a top-level key, 0 when it is not in the file.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        self.key_lines
            .iter()
            .find(|(name, _)| name == key)
            .map_or(0, |(_, line)| *line)
    }
}

/// Parses the bytes of a configuration file.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<ConfigFile, ConfigError> {
    let syntax = |line, column, reason: &str| ConfigError::Syntax {
        file: path.to_owned(),
        line,
        column,
        reason: reason.to_owned(),
    };
    // A byte order mark is what some editors leave at the start.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or("not JSON");
        syntax(error.line(), error.column(), reason)
    })?;
    let Value::Object(keys) = value else {
        return Err(syntax(1, 1, "the file must hold one JSON object"));
    };
    let text = String::from_utf8_lossy(bytes);
    let key_lines = keys
        .keys()
        .map(|key| (key.clone(), line_of_key(&text, key)))
        .collect();
    Ok(ConfigFile {
        path: path.to_owned(),
        keys,
        key_lines,
    })
}

/// The first line on which the key stands before a colon.
fn line_of_key(text: &str, key: &str) -> usize {
    let Ok(quoted) = serde_json::to_string(key) else {
        return 0;
    };
    let mut from = 0;
    while let Some(rest) = text.get(from..)
        && let Some(found) = rest.find(&quoted)
    {
        let end = from + found + quoted.len();
        let after = text.get(end..).unwrap_or_default();
        if after.trim_start().starts_with(':') {
            let before = text.get(..from + found).unwrap_or_default();
            return before.matches('\n').count() + 1;
        }
        from = end;
    }
    0
}

/// Changes a configuration file under a lock on its folder, so that two writers do not lose
/// each other's keys. The file is replaced in one step and has mode 0600.
pub(crate) fn update(
    path: &Path,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<(), ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let lock = File::open(folder).map_err(|error| ConfigError::io(folder, error))?;
    lock.lock()
        .map_err(|error| ConfigError::io(folder, error))?;
    let mut keys = ConfigFile::read(path)?.keys;
    change(&mut keys);
    let mut text = serde_json::to_string_pretty(&Value::Object(keys))
        .map_err(|error| ConfigError::io(path, error.into()))?;
    text.push('\n');
    write_private(path, text.as_bytes()).map_err(|error| ConfigError::io(path, error))
    // The lock ends with the handle.
}

/// Writes a file of mode 0600 so that a reader, and a crash, finds the old content or the new.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_string_lossy();
    let temporary = folder.join(format!(
        ".{name}.{}.{}.tmp",
        std::process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let written = write_and_rename(&temporary, path, content);
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_and_rename(temporary: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

/// Reads a VALUE of `set-config KEY VALUE`: `true`, `false`, numbers and JSON are read as such,
/// anything else is text. Python's `True`, `False` and `None`, which `bench` accepts, count too.
pub fn parse_value(text: &str) -> Value {
    match text {
        "True" => return Value::Bool(true),
        "False" => return Value::Bool(false),
        "None" => return Value::Null,
        _ => {}
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
