//! What a real Frappe lets happen, refused: `behaviour.md`, section 5, by its numbers.
//!
//! Findings 21, 22 (dynamic registration), 27 (social login) and 28 (Connected App) belong to
//! endpoints that have tests of their own.

mod grants;
mod server;
