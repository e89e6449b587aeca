//! What can go wrong with an app.

use std::path::PathBuf;

/// An app that cannot be used, or not in that way.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The name cannot be an app's.
    #[error("{0:?} cannot be the name of an app: it needs small letters, digits and _")]
    BadName(String),
    /// The program itself has that name, or Frappe.
    #[error("{0} is no app of data")]
    Reserved(String),
    /// There is no folder of that name.
    #[error("there is no app {app}: {} is no folder", folder.display())]
    NoSuchApp {
        /// The app.
        app: String,
        /// Where it would be.
        folder: PathBuf,
    },
    /// A file or folder of it cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file or folder, below the bench.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something would be lost; nothing was changed.
    #[error("nothing was changed, because data would be lost:\n{}", lines(.0))]
    Loss(Vec<String>),
    /// It is not on the site.
    #[error("the app {0} is not installed")]
    NotInstalled(String),
    /// Its own code did not do its part: an install hook or a patch.
    #[error("{what} of the app {app}: {reason}")]
    Code {
        /// The app.
        app: String,
        /// Which part.
        what: String,
        /// Why not.
        reason: String,
    },
    /// What is left would not be complete.
    #[error("the app {app} is needed: {reason}")]
    Needed {
        /// The app.
        app: String,
        /// What needs it.
        reason: String,
    },
}

fn lines(reasons: &[String]) -> String {
    let lines: Vec<String> = reasons.iter().map(|reason| format!("- {reason}")).collect();
    lines.join("\n")
}
