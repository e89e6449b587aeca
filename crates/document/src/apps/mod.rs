//! Data-only apps: DocTypes and first documents in JSON files below `apps/<app>/`.
//!
//! - [`BuiltinApp`]: an app that is compiled in instead
//! - [`AppFolder`]: what is in an app's folder, checked before anything is done with it
//! - [`crate::Site::install_app`], [`crate::Site::uninstall_app`], [`crate::Site::migrate`]: what
//!   becomes of it on a site
//! - [`apply_fixtures`]: the documents that an app brings along

mod error;
mod files;
mod fixtures;
mod folder;
mod installed;
mod loss;
pub(crate) mod plan;
mod storage;
pub(crate) mod stored;
pub(crate) mod uninstall;

pub use error::AppError;
pub use fixtures::{Fixture, FixtureChange, apply_fixtures};
pub use folder::{AppFolder, BuiltinApp, Definition, is_app_name};
pub use installed::{InstalledApp, installed};

/// The statements of this module, for the test that prepares each on every database.
pub static ALL: &[&[&crema_store::Sql]] = &[
    stored::ALL,
    installed::ALL,
    uninstall::ALL,
    crate::site::mirror::ALL,
];
