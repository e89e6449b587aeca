//! Tests of the whole product over HTTP, in one program so that it is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod audience;
mod browser;
mod callers;
mod crm;
mod discovery;
mod discovery_attacks;
mod golden;
mod harness;
mod mcp;
mod metadata_documents;
mod native;
mod oidc;
mod openapi;
mod outgoing;
mod permissions;
mod races;
mod records;
mod refreshing;
mod registration;
mod relying_party;
mod resource;
mod resource_attacks;
mod retention;
mod sdk;
mod security;
mod seeds;
mod troubleshooting;
mod watching;
