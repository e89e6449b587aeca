//! Benches, sites and their records.
//!
//! A [`Bench`] is a folder of sites, a [`Site`] one of them: its configuration, its database and
//! the [`Registry`] of DocTypes that its tables follow. This crate knows no protocol and no
//! HTTP; what records mean is the business of the layers above.
//!
//! - [`time`], [`zone`]: moments, and the wall clock that Frappe's columns show
//! - [`mod@bench`], [`config`], [`hosts`]: folders, configuration files, which site a host is
//! - [`doctype`], [`registry`], [`schema`], [`patches`]: definitions, tables, first records
//! - [`site`], [`lock`], [`version`]: making, opening, migrating, dropping
//! - [`apps`]: DocTypes and documents that come in folders
//! - [`mod@backup`]: what a site holds in a file, and back
//! - [`access`], [`documents`], [`list`]: documents as data: who may, one at a time, many
//! - [`singles`], [`passwords`], [`row`], [`names`]: small pieces for working with records

#![forbid(unsafe_code)]

pub mod access;
pub mod apps;
pub mod backup;
pub mod bench;
mod builtin;
pub mod config;
pub mod doctype;
pub mod documents;
mod error;
pub mod hosts;
pub mod list;
pub mod lock;
pub mod names;
pub mod passwords;
pub mod patches;
mod refusal;
pub mod registry;
pub mod row;
pub mod schema;
mod secret;
pub mod singles;
pub mod site;
pub mod time;
pub mod version;
pub mod zone;

pub use bench::{Bench, BenchError};
pub use config::{ConfigError, FileStamp, SiteConfig};
pub use doctype::{DocType, Field, FieldType, Permission};
pub use error::SiteError;
pub use names::RandomSource;
pub use refusal::{DocumentError, Reason, Refusal};
pub use registry::Registry;
pub use secret::SecretText;
pub use singles::Single;
pub use site::{NewSite, Site};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};
pub use zone::{LocalTime, TimeZone};
