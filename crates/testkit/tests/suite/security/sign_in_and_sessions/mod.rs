//! `security.md`, section Sign-in and sessions.

mod cookies;
mod csrf;
mod failures;
mod lockout;
mod passwords;
mod proxies;
mod redirect_to;
mod sign_out;
mod work;
