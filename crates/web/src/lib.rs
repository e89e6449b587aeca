//! HTTP: which site, who asks, what is asked, and answers with exact statuses and headers.
//!
//! Handlers are thin: they read a request into typed input, call one use case of `crema_auth`
//! and turn its outcome into an answer. [`app`] has the table of paths, [`reply`] every shape of
//! an answer, [`pages`] the HTML.
#![forbid(unsafe_code)]
// The futures of a request are nested deeper than the compiler follows by itself.
#![recursion_limit = "256"]

pub mod account;
mod ahead;
pub mod api;
pub mod app;
pub mod call;
mod challenge;
mod connections;
pub mod cookies;
pub mod cors;
pub mod csrf;
pub mod execute;
mod lenient_query;
pub mod mcp;
pub mod metrics;
pub mod oauth;
pub mod openapi;
pub mod origin;
pub mod pages;
mod problem;
pub mod reply;
pub mod request_id;
mod request_line;
pub mod server;
pub mod sites;
mod stream;

pub use app::App;
pub use server::{Limits, serve, serve_within};
pub use sites::Sites;
