//! The file: lines of JSON in gzip, with a checksum over all of them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use crema_store::Value;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::header::Header;
use super::{BackupError, hex, tables, value};
use crate::schema::TableDefinition;

/// The longest line: a row with a few of the longest texts that a database holds.
const LONGEST: u64 = 1 << 32;

/// The line after a table's rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEnd {
    /// The table again.
    end: String,
    rows: u64,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    tables: u64,
    rows: u64,
    /// Of everything before this line, in hexadecimal.
    sha256: String,
}

/// What is counted on the way, by who writes and by who reads.
#[derive(Default)]
struct Counts {
    tables: u64,
    rows: u64,
    of_table: u64,
}

/// Writes a backup.
pub(super) struct Writer {
    out: GzEncoder<BufWriter<File>>,
    digest: digest::Context,
    path: PathBuf,
    counts: Counts,
    line: Vec<u8>,
}

impl Writer {
    /// Begins the file, of mode 0600, with its header; one that is there is overwritten.
    pub(super) fn create(path: &Path, header: &Header) -> Result<Writer, BackupError> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| BackupError::io(path, error))?;
        let mut writer = Writer {
            out: GzEncoder::new(BufWriter::new(file), Compression::default()),
            digest: digest::Context::new(&digest::SHA256),
            path: path.to_owned(),
            counts: Counts::default(),
            line: Vec::new(),
        };
        writer.object(header)?;
        Ok(writer)
    }

    pub(super) fn begin_table(&mut self, table: &TableDefinition) -> Result<(), BackupError> {
        self.counts.of_table = 0;
        self.object(table)
    }

    pub(super) fn row(&mut self, values: &[Value]) -> Result<(), BackupError> {
        self.line.clear();
        if value::write_row(values, &mut self.line).is_none() {
            return Err(BackupError::unusable(&self.path, "a date is out of range"));
        }
        self.counts.of_table += 1;
        self.counts.rows += 1;
        self.put()
    }

    pub(super) fn end_table(&mut self, table: &TableDefinition) -> Result<(), BackupError> {
        self.counts.tables += 1;
        let rows = self.counts.of_table;
        let end = table.name.clone();
        self.object(&TableEnd { end, rows })
    }

    /// The rows so far.
    pub(super) const fn rows(&self) -> u64 {
        self.counts.rows
    }

    /// Ends the file; it is on disk then.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        let end = End {
            tables: self.counts.tables,
            rows: self.counts.rows,
            sha256: hex(self.digest.clone().finish().as_ref()),
        };
        self.object(&end)?;
        let path = self.path;
        let done = self.out.finish().and_then(|buffer| {
            let file = buffer.into_inner().map_err(|error| error.into_error())?;
            file.sync_all()
        });
        done.map_err(|error| BackupError::io(&path, error))
    }

    fn object(&mut self, object: &impl Serialize) -> Result<(), BackupError> {
        self.line = serde_json::to_vec(object)
            .map_err(|error| BackupError::io(&self.path, error.into()))?;
        self.put()
    }

    fn put(&mut self) -> Result<(), BackupError> {
        self.line.push(b'\n');
        self.digest.update(&self.line);
        let written = self.out.write_all(&self.line);
        written.map_err(|error| BackupError::io(&self.path, error))
    }
}

/// What comes after the header.
pub(super) enum Event {
    /// A table begins.
    Table(TableDefinition),
    /// A row of it.
    Row(Vec<Value>),
    /// It has ended.
    TableEnd,
    /// The backup has ended, and is whole: its checksum.
    End(String),
}

/// Reads a backup, and checks it on the way.
pub(super) struct Reader {
    input: BufReader<GzDecoder<BufReader<File>>>,
    digest: digest::Context,
    path: PathBuf,
    counts: Counts,
    number: u64,
    line: Vec<u8>,
    /// The table whose rows come.
    table: Option<(String, usize)>,
}

impl Reader {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<(Reader, Header), BackupError> {
        let file = File::open(path).map_err(|error| BackupError::io(path, error))?;
        let mut reader = Reader {
            input: BufReader::new(GzDecoder::new(BufReader::new(file))),
            digest: digest::Context::new(&digest::SHA256),
            path: path.to_owned(),
            counts: Counts::default(),
            number: 0,
            line: Vec::new(),
            table: None,
        };
        let foreign = || BackupError::unusable(path, "this is no backup of Crema");
        reader.read_line().map_err(|error| match error {
            error @ BackupError::Io { .. } => error,
            _ => foreign(),
        })?;
        let header: Header = serde_json::from_slice(&reader.line).map_err(|_| foreign())?;
        match header.complaint() {
            Some(complaint) => Err(BackupError::unusable(path, complaint)),
            None => Ok((reader, header)),
        }
    }

    /// What comes next. Nothing may be asked for after [`Event::End`].
    pub(super) fn next(&mut self) -> Result<Event, BackupError> {
        let before = self.digest.clone();
        self.read_line()?;
        if self.line.first() == Some(&b'[') {
            return self.row();
        }
        let json: Json = serde_json::from_slice(&self.line).map_err(|_| self.broken("no JSON"))?;
        if json.get("end").is_some() {
            return self.end_table(json);
        }
        if self.table.is_some() {
            return Err(self.broken("the table has no end"));
        }
        if json.get("sha256").is_some() {
            return self.end(json, before);
        }
        let table: TableDefinition =
            serde_json::from_value(json).map_err(|_| self.broken("no table"))?;
        if !tables::is_plain(&table) {
            return Err(self.broken("a table cannot be like this"));
        }
        self.table = Some((table.name.clone(), table.columns.len()));
        self.counts.of_table = 0;
        Ok(Event::Table(table))
    }

    fn row(&mut self) -> Result<Event, BackupError> {
        let row: Vec<Json> =
            serde_json::from_slice(&self.line).map_err(|_| self.broken("no JSON"))?;
        let row: Option<Vec<Value>> = row.into_iter().map(value::read).collect();
        match (row, &self.table) {
            (Some(row), Some((_, columns))) if row.len() == *columns => {
                self.counts.of_table += 1;
                self.counts.rows += 1;
                Ok(Event::Row(row))
            }
            _ => Err(self.broken("the row does not fit its table")),
        }
    }

    fn end_table(&mut self, json: Json) -> Result<Event, BackupError> {
        let end: TableEnd =
            serde_json::from_value(json).map_err(|_| self.broken("no end of a table"))?;
        let name = self.table.take().map(|(name, _)| name);
        if name.as_deref() != Some(&end.end) || end.rows != self.counts.of_table {
            return Err(self.broken("rows are missing"));
        }
        self.counts.tables += 1;
        Ok(Event::TableEnd)
    }

    fn end(&mut self, json: Json, before: digest::Context) -> Result<Event, BackupError> {
        let end: End = serde_json::from_value(json).map_err(|_| self.broken("no end"))?;
        let fits = end.sha256 == hex(before.finish().as_ref())
            && (end.tables, end.rows) == (self.counts.tables, self.counts.rows);
        if !fits {
            return Err(self.broken("the checksum does not fit"));
        }
        // Reading on is what checks the compression's own checksum.
        match self.input.read(&mut [0]) {
            Ok(0) if self.is_at_end() => Ok(Event::End(end.sha256)),
            Ok(_) => Err(self.broken("something follows the end")),
            Err(_) => Err(self.broken("the compression is damaged")),
        }
    }

    /// Whether nothing follows the compressed stream.
    fn is_at_end(&mut self) -> bool {
        let file = self.input.get_mut().get_mut();
        file.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn read_line(&mut self) -> Result<(), BackupError> {
        self.line.clear();
        self.number += 1;
        let mut limited = (&mut self.input).take(LONGEST);
        if let Err(error) = limited.read_until(b'\n', &mut self.line) {
            // What the operating system cannot read is no fault of the content.
            return Err(match error.raw_os_error() {
                Some(_) => BackupError::io(&self.path, error),
                None => self.broken("the compression is damaged, or the file is not whole"),
            });
        }
        if self.line.last() != Some(&b'\n') {
            return Err(self.broken("the file is not whole"));
        }
        self.digest.update(&self.line);
        Ok(())
    }

    fn broken(&self, reason: &str) -> BackupError {
        BackupError::unusable(
            &self.path,
            format!("the backup is broken, line {}: {reason}", self.number),
        )
    }
}
