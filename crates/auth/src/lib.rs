//! The use cases of an authorization server for one site.
//!
//! Each file is one use case: what it does, which RFC sections decide and which records it
//! touches stand at its head. Nothing here knows HTTP: a caller hands in a [`Ctx`] and typed
//! input and gets a typed answer or a [`Failure`].
#![forbid(unsafe_code)]

pub mod api_key;
pub mod app_code;
pub mod apps;
pub mod audit;
pub mod authorize;
pub mod bearer;
pub mod caller;
pub mod checkup;
pub mod claims;
pub mod client;
pub mod client_auth;
pub mod consent;
pub mod context;
pub mod environment;
pub mod events;
pub mod failure;
mod hundred;
pub mod id_token;
pub mod introspect;
pub mod keys;
pub mod last_used;
pub mod lockout;
pub mod login;
pub mod metadata;
pub mod outgoing;
pub mod password;
pub mod provider;
pub mod records;
pub mod register;
pub mod retention;
pub mod revoke;
pub mod session;
pub mod settings;
pub mod signing;
pub mod token;
pub mod user;
pub mod userinfo;

pub use context::Ctx;
/// How busy a site's database is.
pub use crema_store::Stats as DatabaseStats;
pub use environment::Environment;
pub use failure::Failure;
pub use provider::Provider;
