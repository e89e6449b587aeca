//! What can go wrong in a use case, told apart by who is at fault.

use crema_protocol::error::OAuthError;
use crema_store::StoreError;

/// The outcome of a use case that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The client's or the user's mistake, in the terms of the OAuth RFCs.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// A record breaks its own rules (Frappe's `ValidationError`).
    #[error("{0}")]
    Validation(String),
    /// The named record does not exist (Frappe's `DoesNotExistError`).
    #[error("{0}")]
    NotFound(String),
    /// A record of that name exists already (Frappe's `DuplicateEntryError`).
    #[error("{0}")]
    Duplicate(String),
    /// The user may not do this (Frappe's `PermissionError`).
    #[error("{0}")]
    Permission(String),
    /// Too many attempts; the caller may try again after so many seconds.
    #[error("too many attempts, try again in {retry_after} seconds")]
    TooMany {
        /// Seconds until another attempt is looked at.
        retry_after: u32,
    },
    /// The database did not do its part: all was changed, when the answer to the commit was lost,
    /// or nothing.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Something of ours is broken (a key that cannot be read, say).
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// An internal failure from any error whose text holds no secret.
    pub fn internal(error: impl std::fmt::Display) -> Failure {
        Failure::Internal(error.to_string())
    }
}
