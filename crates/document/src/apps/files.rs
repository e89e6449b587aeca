//! The files of an app's folder: found without leaving it.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::AppError;
use crate::Bench;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// How deep folders are looked into.
const MAX_DEPTH: usize = 16;
/// How many files and folders an app may have.
const MAX_ENTRIES: usize = 50_000;

/// The JSON files of an app, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct AppFiles {
    /// Those below a folder `doctype`.
    pub(super) doctypes: Vec<PathBuf>,
    /// Those in a folder `fixtures`.
    pub(super) fixtures: Vec<PathBuf>,
}

/// Where a walk is.
struct Walk {
    files: AppFiles,
    entries: usize,
}

impl AppFiles {
    /// Finds them. Folders whose name begins with a dot and `node_modules` are passed over;
    /// symbolic links are not followed, and refused where a file would be read.
    pub(super) fn find(folder: &Path) -> Result<AppFiles, AppError> {
        let mut walk = Walk {
            files: AppFiles::default(),
            entries: 0,
        };
        walk.folder(folder, 0, false)?;
        walk.files.doctypes.sort();
        walk.files.fixtures.sort();
        Ok(walk.files)
    }
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize, in_doctype: bool) -> Result<(), AppError> {
        let own_name = folder.file_name().and_then(|name| name.to_str());
        let in_doctype = in_doctype || own_name == Some("doctype");
        let in_fixtures = !in_doctype && own_name == Some("fixtures");
        let entries = fs::read_dir(folder).map_err(|error| fault(folder, error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| fault(folder, error.to_string()))?;
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(fault(folder, "the app has too many files".to_owned()));
            }
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|error| fault(&path, error.to_string()))?;
            let wanted = (in_doctype || in_fixtures) && name.ends_with(".json");
            let hidden = name.starts_with('.') || name == "node_modules";
            if kind.is_symlink() {
                if wanted || matches!(name.as_str(), "doctype" | "fixtures") {
                    return Err(fault(&path, "it is a symbolic link".to_owned()));
                }
            } else if kind.is_dir() && !hidden {
                if depth >= MAX_DEPTH {
                    return Err(fault(&path, "the folders go too deep".to_owned()));
                }
                self.folder(&path, depth + 1, in_doctype)?;
            } else if kind.is_file() && wanted && !hidden {
                let files = &mut self.files;
                let list = if in_doctype {
                    &mut files.doctypes
                } else {
                    &mut files.fixtures
                };
                list.push(path);
            }
        }
        Ok(())
    }
}

/// The folder of an app, which has to be a folder below `apps/` in truth.
pub(super) fn app_folder(bench: &Bench, app: &str) -> Result<PathBuf, AppError> {
    let folder = bench.apps_folder().join(app);
    let missing = || AppError::NoSuchApp {
        app: app.to_owned(),
        folder: folder.clone(),
    };
    let kind = fs::symlink_metadata(&folder).map_err(|_| missing())?;
    if kind.is_symlink() {
        return Err(fault(&folder, "it is a symbolic link".to_owned()));
    }
    if !kind.is_dir() {
        return Err(missing());
    }
    Ok(folder)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, AppError> {
    let size = fs::metadata(path).map_err(|error| fault(path, error.to_string()))?;
    if size.len() > MAX_FILE {
        let reason = format!("it has over {} MiB", MAX_FILE / 1024 / 1024);
        return Err(fault(path, reason));
    }
    fs::read_to_string(path).map_err(|error| fault(path, error.to_string()))
}

pub(super) fn fault(path: &Path, reason: impl Into<String>) -> AppError {
    AppError::File {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
