//! Lists of documents, on every database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod cost;
mod forms;
mod groups;
mod naive;
mod permissions;
mod property;
mod world;
