//! The authorization server's endpoints: HTTP in, use case, HTTP out.

pub mod authorize;
pub mod introspect;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;
pub mod well_known;
