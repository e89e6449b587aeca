//! The binary as people and scripts use it: real processes on benches in temporary folders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot be set up has failed; test programs may look at their environment"
)]

mod apps;
mod backup;
mod blocks;
mod clients;
mod command_line;
mod config;
mod connect;
mod crm;
mod databases;
mod docs;
mod doctor;
mod execute;
mod harness;
mod help;
mod housekeeping;
mod mcp_docs;
mod outgoing;
mod quickstart;
mod readme;
mod registration;
mod resource_docs;
mod restart;
mod secrets;
mod server;
mod sites;
mod terminal;
mod tokens;
mod users;
mod watching;
