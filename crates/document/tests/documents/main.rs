//! Documents one at a time, on every database: values, names, validation, permissions, races.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod definitions;
mod delete;
mod hostile;
mod model;
mod names;
mod permissions;
mod races;
mod save;
mod singles;
mod sites;
mod validation;
mod values;
mod world;
