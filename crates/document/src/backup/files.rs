//! A site's uploaded files in an archive (tar), as Frappe's `bench` makes and takes them: paths
//! begin with `./<site>/public/files/` or `./<site>/private/files/`.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest;
use tar::{EntryType, Header};

use super::{BackupError, hex};

/// What comes before a file's own path: `<site>`, `public` or `private`, `files`.
const PREFIX: usize = 3;

/// An archive that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// How many files are in it.
    pub files: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Puts the files of a folder into a new archive of mode 0600. Links are left out.
///
/// # Errors
/// When a file cannot be read, or the archive not be written; none is left then.
pub fn pack(folder: &Path, prefix: &str, target: &Path) -> Result<Archive, BackupError> {
    let packed = pack_into(folder, prefix, target);
    if packed.is_err() {
        fs::remove_file(target).ok();
    }
    packed
}

fn pack_into(folder: &Path, prefix: &str, target: &Path) -> Result<Archive, BackupError> {
    let at_target = |error| BackupError::io(target, error);
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(at_target)?;
    let mut tar = tar::Builder::new(Hashing {
        to: BufWriter::new(file),
        digest: digest::Context::new(&digest::SHA256),
    });
    let mut files = 0;
    let mut folders = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        let here = folder.join(&inside);
        for name in names(&here).map_err(|error| BackupError::io(&here, error))? {
            let (path, inside) = (here.join(&name), inside.join(&name));
            let kind =
                fs::symlink_metadata(&path).map_err(|error| BackupError::io(&path, error))?;
            if kind.is_dir() {
                folders.push(inside);
            } else if kind.is_file() {
                let as_named = Path::new(prefix).join(inside);
                add(&mut tar, &path, &as_named).map_err(|error| BackupError::io(&path, error))?;
                files += 1;
            }
        }
    }
    let mut hashing = tar.into_inner().map_err(at_target)?;
    hashing.flush().map_err(at_target)?;
    hashing.to.get_ref().sync_all().map_err(at_target)?;
    Ok(Archive {
        files,
        sha256: hex(hashing.digest.finish().as_ref()),
    })
}

/// What a folder holds, in order; nothing when there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut names = names?;
    names.sort_unstable();
    Ok(names)
}

fn add(tar: &mut tar::Builder<impl Write>, path: &Path, name: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = Header::new_gnu();
    header.set_metadata(&metadata);
    // As long as the header says, also when somebody is writing it.
    let whole = file.take(metadata.len()).chain(io::repeat(0));
    tar.append_data(&mut header, name, whole.take(metadata.len()))
}

/// An archive whose files were laid out beside those of a site, to take their place.
#[derive(Debug)]
pub struct Unpacked {
    folder: PathBuf,
    aside: PathBuf,
    /// How many files there are.
    pub files: u64,
}

/// Lays the files of an archive out beside a folder, whose place they take with
/// [`Unpacked::swap`]; until then nothing of it is touched.
///
/// # Errors
/// When the archive cannot be read, is not the one with this SHA-256, or holds something else than
/// files and folders below its prefix. Nothing is left then.
pub fn unpack(
    archive: &Path,
    sha256: Option<&str>,
    folder: &Path,
) -> Result<Unpacked, BackupError> {
    if let Some(sha256) = sha256
        && hash_of(archive).map_err(|error| BackupError::io(archive, error))? != sha256
    {
        let reason = "the archive does not belong to the backup, or is not whole";
        return Err(BackupError::unusable(archive, reason));
    }
    let mut unpacked = Unpacked {
        folder: folder.to_owned(),
        aside: sibling(folder, "restored"),
        files: 0,
    };
    fs::remove_dir_all(&unpacked.aside).ok();
    let at_folder = |error| BackupError::io(folder, error);
    make_folder(&unpacked.aside).map_err(at_folder)?;
    let at_archive = |error| BackupError::io(archive, error);
    let file = File::open(archive).map_err(at_archive)?;
    let mut tar = tar::Archive::new(BufReader::new(file));
    for entry in tar.entries().map_err(at_archive)? {
        let mut entry = entry.map_err(at_archive)?;
        let name = entry.path().map_err(at_archive)?.into_owned();
        let inside = below_prefix(&name);
        match (entry.header().entry_type(), inside) {
            (EntryType::Directory, _) => {}
            (EntryType::Regular | EntryType::Continuous, Some(inside)) => {
                let path = unpacked.aside.join(inside);
                write_file(&path, &mut entry).map_err(|error| BackupError::io(&path, error))?;
                unpacked.files += 1;
            }
            _ => {
                let reason = "the archive holds something else than files of a site";
                return Err(BackupError::unusable(archive, reason));
            }
        }
    }
    Ok(unpacked)
}

impl Unpacked {
    /// Gives the folder these files instead of its own.
    ///
    /// # Errors
    /// When a folder cannot be renamed.
    pub fn swap(self) -> Result<(), BackupError> {
        let old = sibling(&self.folder, "replaced");
        fs::remove_dir_all(&old).ok();
        let swapped = match fs::rename(&self.folder, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(&self.aside, &self.folder),
        };
        swapped.map_err(|error| BackupError::io(&self.folder, error))?;
        fs::remove_dir_all(&old).ok();
        Ok(())
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // Gone when it was swapped.
        fs::remove_dir_all(&self.aside).ok();
    }
}

fn sibling(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or(OsStr::new("files"));
    folder.with_file_name(format!(".{}.{what}", name.to_string_lossy()))
}

/// The part of an entry's path that is the file's own; `None` when it leads elsewhere.
fn below_prefix(name: &Path) -> Option<PathBuf> {
    let mut parts = Vec::new();
    for part in name.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    let own = parts.get(PREFIX..)?;
    let below_files = parts.get(PREFIX - 1) == Some(&OsStr::new("files"));
    (below_files && !own.is_empty()).then(|| own.iter().collect())
}

fn write_file(path: &Path, content: &mut impl Read) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    io::copy(content, &mut file)?;
    file.sync_all()
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut hashing = Hashing {
        to: io::sink(),
        digest: digest::Context::new(&digest::SHA256),
    };
    io::copy(&mut File::open(path)?, &mut hashing)?;
    Ok(hex(hashing.digest.finish().as_ref()))
}

/// Hashes what is written on its way.
struct Hashing<W> {
    to: W,
    digest: digest::Context,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
