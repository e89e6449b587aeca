//! What a failed command says: the reason, and what to do about it.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use crema_auth::Failure;
use crema_document::{BenchError, ConfigError, SiteError};
use crema_store::StoreError;

/// The command was not told what it needs: exit code 2, as for unknown options.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Everything was said already; only the exit code is left.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub(crate) struct Said;

/// A reason with the way out.
#[derive(Debug)]
pub(crate) struct Advised {
    reason: String,
    advice: String,
}

impl Advised {
    /// An error with this reason and this advice.
    pub(crate) fn error(reason: impl Into<String>, advice: impl Into<String>) -> anyhow::Error {
        let (reason, advice) = (reason.into(), advice.into());
        Advised { reason, advice }.into()
    }
}

impl fmt::Display for Advised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for Advised {}

/// Says on stderr what went wrong. Gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<Said>() {
        return ExitCode::FAILURE;
    }
    // Nobody reads a closed stderr; the exit code still tells.
    writeln!(std::io::stderr(), "{}", text(error)).ok();
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// The reason, what led to it, and on a line of its own the advice.
pub(crate) fn text(error: &anyhow::Error) -> String {
    let mut text = format!("crema: {error:#}");
    if let Some(advice) = advice(error) {
        text.push_str("\n  ");
        text.push_str(&advice);
    }
    text
}

/// What to do about it, where that is known.
pub(crate) fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(advised) = cause.downcast_ref::<Advised>() {
            return Some(advised.advice.clone());
        }
        // Transparent variants hide their cause from the chain.
        if let Some(SiteError::Store(error)) = cause.downcast_ref() {
            return of_store(error);
        }
        if let Some(SiteError::Bench(error)) = cause.downcast_ref() {
            return of_bench(error);
        }
        if let Some(Failure::Store(error)) = cause.downcast_ref() {
            return of_store(error);
        }
        let known = cause.downcast_ref::<SiteError>().and_then(of_site);
        let known = known.or_else(|| cause.downcast_ref().and_then(of_bench));
        let known = known.or_else(|| cause.downcast_ref().and_then(of_store));
        known.or_else(|| cause.downcast_ref().and_then(of_failure))
    })
}

fn of_site(error: &SiteError) -> Option<String> {
    match error {
        SiteError::MissingKey { key: "db_name", .. } => {
            Some("The name of a SQLite database has letters, digits, _ and - only.".to_owned())
        }
        SiteError::MissingKey { key, .. } => Some(format!("Set it: crema set-config {key} VALUE")),
        _ => None,
    }
}

fn of_bench(error: &BenchError) -> Option<String> {
    let advice = match error {
        BenchError::NoSuchSite(_) => {
            "crema list-sites shows those there are; --bench names another folder."
        }
        BenchError::SiteExists(_) => {
            "Choose another name, or remove it first: crema drop-site NAME"
        }
        BenchError::BadSiteName(_) => {
            "For example: id.example.com, or trust.localhost on your own machine."
        }
        BenchError::Config(ConfigError::Syntax { .. }) => {
            "Correct the file; only this site is affected."
        }
        BenchError::Config(ConfigError::Key { .. }) => {
            "See docs/configuration.md for what the key takes."
        }
        BenchError::Config(ConfigError::Io { .. }) | BenchError::Io { .. } => {
            "Look at the owner and the mode of the file, and run crema as the user who owns the bench."
        }
    };
    Some(advice.to_owned())
}

fn of_store(error: &StoreError) -> Option<String> {
    let advice = match error {
        StoreError::Schema(_) => {
            "The tables may be older than this program: crema --site NAME migrate"
        }
        StoreError::Unavailable(_) => {
            "Is the database server running, and are db_host, db_port and the password right? crema show-config shows what holds."
        }
        StoreError::Busy => "Try again in a moment.",
        StoreError::AlreadyExists(_) => {
            "Choose another name with --db-name, or remove what is there."
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn of_failure(error: &Failure) -> Option<String> {
    let advice = match error {
        Failure::NotFound(text) if text.starts_with("OAuth Client") => {
            "crema oauth-client list shows those there are."
        }
        Failure::NotFound(text) if text.starts_with("User") => {
            "crema list-users shows those there are."
        }
        Failure::Duplicate(text) if text.starts_with("User") => {
            "crema list-users shows those there are; crema set-password gives one a new password."
        }
        _ => return None,
    };
    Some(advice.to_owned())
}
