//! Load figures of a database file.

use std::ffi::OsString;
use std::path::Path;

use super::Sqlite;
use crate::stats::Stats;

impl Sqlite {
    /// How busy the writer is, how many readers rest, and how large the files are.
    pub(crate) fn stats(&self) -> Stats {
        let mut log = OsString::from(&self.readers.path);
        log.push("-wal");
        let idle = self.readers.idle().as_ref().map_or(0, Vec::len);
        Stats {
            connections_idle: u64::try_from(idle).unwrap_or(u64::MAX),
            file_bytes: size(&self.readers.path),
            log_bytes: size(Path::new(&log)),
            ..self.writer.stats()
        }
    }
}

fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|file| file.len())
}
