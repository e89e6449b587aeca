//! The whole product, one fresh copy for each test, and the tools to look at it from outside.
//!
//! [`App`] is a bench with a migrated site on a database of its own and a server on a loopback
//! port. [`Http`] sends it requests that carry exactly what a test says and follows nothing,
//! [`Visitor`] keeps cookies as a browser does, [`Browser`] is a real one. Time stands still
//! until a test moves [`App::clock`].
//!
//! ```no_run
//! use crema_testkit::{App, ClientSpec, Engine};
//!
//! # async fn example() {
//! let app = App::start(Engine::Sqlite).await;
//! app.add_user("user@example.com", "secret", &["Report Manager"]).await;
//! let client = app.add_client(ClientSpec::new("https://client.example/cb")).await;
//! let mut visitor = app.visitor();
//! visitor.login("user@example.com", "secret").await;
//! let code = visitor.code(&client, &[("scope", "openid")]).await;
//! let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
//! assert_eq!(app.http().logged_user(&tokens.access_token).await.status, 200);
//! # }
//! ```
//!
//! Tests that have to hold on every database are written with [`for_each_engine!`].
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

pub mod app;
pub mod browser;
pub mod client;
pub mod databases;
pub mod engines;
pub mod flow;
pub mod http;
pub mod outgoing;
pub mod response;
pub mod server;
pub mod visitor;

pub use app::{App, AppBuilder};
pub use browser::Browser;
pub use client::{ClientSpec, TestClient};
pub use databases::Engine;
pub use flow::{Tokens, VERIFIER, challenge};
pub use http::{Http, Request};
pub use response::{Cookie, Response};
pub use server::Server;
pub use visitor::{Redirect, Visitor};
