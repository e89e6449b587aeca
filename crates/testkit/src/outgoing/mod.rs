//! Other servers, for a server that sends requests: an Internet that fits into a test.
//!
//! ```no_run
//! use crema_testkit::App;
//! use crema_testkit::outgoing::{Internet, Reply};
//!
//! # async fn example() {
//! let internet = Internet::new();
//! let site = internet.serve("app.example").await;
//! site.answer("/client.json", Reply::json(&serde_json::json!({"client_name": "App"})));
//! let app = App::builder().outgoing(internet.outgoing()).build().await;
//! // … the app asks for https://app.example/client.json …
//! assert_eq!(site.requests(), 1);
//! # }
//! ```
//!
//! Names resolve to addresses that are public by the rules, so that nothing has to be admitted by
//! a test's configuration; connections to them end at servers on this machine, and those to
//! addresses nobody serves are refused. A URL without a port reaches them; one with a port has to
//! have that of [`FakeServer::port`]. Hosts that are addresses themselves are connected to as
//! they are.

mod authority;
mod internet;
mod reply;
mod server;

pub use authority::{Authority, Certificate};
pub use internet::Internet;
pub use reply::{Piece, Reply};
pub use server::FakeServer;
