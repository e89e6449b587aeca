//! Dynamic client registration and its management.
//!
//! RFC 7591, RFC 7592. Records: OAuth Client, Registration Access Token, Activity Log.

mod fields;

#[expect(unused_imports, reason = "the endpoint comes next")]
pub(crate) use fields::{allowed_scope, client_fields};
