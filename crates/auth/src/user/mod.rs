//! Users: who they are, which roles they have, whether and from where they may sign in.
//!
//! Records: User, Has Role, User Social Login (the row `frappe` holds the OpenID `sub`), Role.

mod access;
mod change;
mod create;
mod email;
mod load;

pub(crate) use access::{WRONG_ADDRESS, addresses_admit, addresses_are_valid};
pub use change::{
    add_role, destroy_all_sessions, disable, enable, end_everything, remove_role, set_password,
};
pub(crate) use create::store_password;
pub use create::{NewUser, create};
pub use email::normal_email;
pub use load::{UserSummary, find_for_login, list, load};
pub(crate) use load::{hold_enabled, subject_row_name};

use std::sync::Arc;

use crema_document::Timestamp;
use crema_document::access::Actor;
use crema_store::Sql;

/// The user who may do everything and holds every role.
pub const ADMINISTRATOR: &str = "Administrator";
/// Everybody who has not signed in.
pub const GUEST: &str = "Guest";
/// `user_type` of those who may use the Desk.
pub const SYSTEM_USER: &str = "System User";
/// `user_type` of everybody else.
pub const WEBSITE_USER: &str = "Website User";

/// The statements of this module, for the test that prepares each on every database.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [load::STATEMENTS, create::STATEMENTS, change::STATEMENTS]
        .into_iter()
        .flatten()
        .copied()
}

/// A User record with the roles that count.
#[derive(Debug, Clone)]
pub struct User {
    /// Name of the record: the e-mail address, `Administrator` or `Guest`.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Both names.
    pub full_name: String,
    /// User name for sign-in where System Settings allow it.
    pub username: Option<String>,
    /// Disabled users cannot sign in, and nothing of theirs works.
    pub enabled: bool,
    /// `System User` or `Website User`.
    pub user_type: String,
    /// Address of a picture, absolute or of this site.
    pub user_image: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Whether the e-mail address is known to be theirs.
    pub email_verified: bool,
    /// The OpenID `sub`: 39 hex digits, the user id at provider `frappe`.
    pub subject: String,
    /// Last change of the record.
    pub modified: Option<Timestamp>,
    /// Explicit roles, then `All`, `Guest` and for System Users `Desk User`; every role for
    /// Administrator.
    pub roles: Vec<String>,
    /// Whether a second factor is set up.
    pub has_second_factor: bool,
    /// Addresses to sign in from; all when absent.
    pub restrict_ip: Option<String>,
    /// First hour of the day to sign in at; 0 for any.
    pub login_after: i64,
    /// First hour of the day when signing in ends; 0 for any.
    pub login_before: i64,
    /// The user as far as documents are concerned, with the reach of a session: everything.
    pub actor: Arc<Actor>,
}

impl User {
    /// Whether the user may use the Desk.
    pub fn is_system_user(&self) -> bool {
        self.user_type == SYSTEM_USER
    }

    /// Whether the user holds the role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}
