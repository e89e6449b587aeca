//! `security.md`, section Clients.

mod authentication;
mod limits;
mod observe;
mod public;
mod roles;
mod secrets;
