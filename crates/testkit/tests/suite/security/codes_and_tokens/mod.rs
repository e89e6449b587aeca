//! `security.md`, section Codes and tokens.

mod codes;
mod endings;
mod grace;
mod introspection;
mod lifetimes;
mod pkce;
mod races;
mod revocation;
mod rotation;
mod storage;
mod transport;
