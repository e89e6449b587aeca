//! Which program is measured, and where its data sets lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::crema;

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The program; without it a release build is made.
    #[arg(long, value_name = "PATH")]
    crema: Option<PathBuf>,
    /// Keep the data sets in this folder, and use those that are there.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// What builds the program.
    #[arg(long, env = "CARGO", default_value = "cargo", hide = true)]
    cargo: String,
}

/// A folder for the data sets that goes away unless it was named.
pub(crate) enum Folder {
    /// It stays.
    Kept(PathBuf),
    /// It goes.
    Passing(tempfile::TempDir),
}

impl Folder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Folder::Kept(path) => path,
            Folder::Passing(folder) => folder.path(),
        }
    }
}

impl Place {
    /// The program.
    ///
    /// # Errors
    /// When it cannot be built.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match &self.crema {
            Some(path) => path
                .canonicalize()
                .with_context(|| format!("there is no {}", path.display())),
            None => crema::build(&self.cargo),
        }
    }

    /// The folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn folder(&self) -> Result<Folder> {
        Ok(match &self.keep {
            Some(path) => {
                std::fs::create_dir_all(path)?;
                Folder::Kept(path.canonicalize()?)
            }
            None => Folder::Passing(tempfile::Builder::new().prefix("crema-bench").tempdir()?),
        })
    }
}
