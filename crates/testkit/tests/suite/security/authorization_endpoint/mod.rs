//! `security.md`, section Authorization endpoint.

mod consent;
mod errors;
mod pages;
mod parameters;
mod reauthentication;
mod redirect_uri;
mod skipping;
mod state_and_order;
