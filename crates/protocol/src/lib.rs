//! OAuth 2 and OpenID Connect as types and rules.
//!
//! Everything here is a pure function of its arguments: no clock, no random numbers, no I/O. What
//! comes from outside is parsed into types before anything else looks at it, and whatever has no
//! type is an [`error::OAuthError`].
//!
//! | question | module |
//! |---|---|
//! | what did the request say? | [`params`], [`authorize_request`], [`token_request`], [`token_query`] |
//! | who sent it? | [`client_auth`], judged by the [`client_rules`] |
//! | what may it have? | [`scope`], [`claims`], [`resource`] |
//! | where does the answer go? | [`redirect_uri`], [`response`] |
//! | what does the answer say? | [`id_token`], [`metadata`], [`error`] |

#![forbid(unsafe_code)]

pub mod authorization;
pub mod authorize_request;
pub mod claims;
pub mod client_auth;
pub mod client_rules;
mod client_settings;
pub mod endpoints;
pub mod error;
pub mod id_token;
pub mod json;
pub mod limits;
pub mod metadata;
pub mod metadata_document;
pub mod multipart;
pub mod params;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod registration;
pub mod resource;
pub mod resource_scope;
pub mod response;
pub mod scope;
pub mod secret;
pub mod token_query;
pub mod token_request;
