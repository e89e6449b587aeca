//! Records as documents: their rules, who may do what, and what never leaves.
//!
//! spec: doctypes.md; security.md, Clients, Codes and tokens
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

#[path = "../records_common/mod.rs"]
mod records_common;

/// A test of each function on the built-in database: for rules that meet no SQL of their own.
macro_rules! on_sqlite {
    ($($(#[$attribute:meta])* async fn $name:ident($site:ident: TestSite) $body:block)*) => {$(
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let $site = TestSite::new($crate::records_common::databases::Engine::Sqlite).await;
            $body
        }
    )*};
}

mod clients;
mod integrations;
mod permissions;
mod sessions;
mod settings;
mod tokens;
mod users;
mod who;
