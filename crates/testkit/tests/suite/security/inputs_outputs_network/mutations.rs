//! Recorded requests with bytes of them changed, as they go over the wire.

use crema_testkit::App;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::security::scene;

#[path = "../../../../../../fuzz/near.rs"]
#[allow(dead_code, reason = "the parts of requests are for the fuzz targets")]
mod near;

/// Puts a `Host` of the site behind the request line, if there still is one.
fn with_host(app: &App, request: &[u8]) -> Vec<u8> {
    let host = format!("\r\nHost: {}", app.issuer().replace("http://", ""));
    let end = request.windows(2).position(|two| two == b"\r\n");
    let mut bytes = request.to_vec();
    let end = end.unwrap_or(bytes.len());
    bytes.splice(end..end, host.into_bytes());
    bytes
}

/// Sends it all and says that no more comes, so that nobody waits for the rest.
async fn exchange(app: &App, request: &[u8]) -> String {
    let issuer = app.issuer();
    let port = issuer.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request).await.ok();
    stream.shutdown().await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

// spec: security.md, Inputs, outputs, network, line 3: no input gives a 500
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_recording_with_bytes_changed_gives_a_500() {
    let app = scene::start().await;
    app.set_settings(
        "System Settings",
        &[("allow_consecutive_login_attempts", "0")],
    )
    .await;
    scene::confidential(&app).await;
    let mut runner = TestRunner::deterministic();
    let strategy = near::near(near::recorded().requests);
    let mut answered = 0;
    for _ in 0..3000 {
        let request = strategy.new_tree(&mut runner).unwrap().current();
        let request = with_host(&app, &request);
        let answer = exchange(&app, &request).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        answered += usize::from(!status.is_empty());
        let shown = String::from_utf8_lossy(&request);
        assert!(!status.starts_with('5'), "{answer}\n{shown}");
        for sign in ["panicked", "SELECT ", "rusqlite", "sqlx"] {
            assert!(!answer.contains(sign), "{sign}: {answer}\n{shown}");
        }
    }
    assert!(answered > 1500, "only {answered} of 3000 were answered");
    assert_eq!(app.http().get("/healthz").send().await.status, 200);
    app.close().await;
}
