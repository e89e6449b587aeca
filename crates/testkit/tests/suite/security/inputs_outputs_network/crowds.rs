//! Many connections at the same time, and those that never end by themselves.

use std::sync::{Arc, Mutex, mpsc};

use crema_store::StoreError;
use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec};
use crema_web::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::security::scene;

async fn start(connections: usize) -> App {
    let limits = Limits {
        connections,
        ..Limits::default()
    };
    App::builder().limits(limits).build().await
}

async fn connect(app: &App) -> TcpStream {
    let issuer = app.issuer();
    let port = issuer.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// Whether the server has closed the connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 64];
    !matches!(stream.read(&mut bytes).await, Ok(read) if read > 0)
}

// spec: security.md, Inputs, outputs, network, line 3: timeouts on slow headers and bodies
#[tokio::test]
async fn a_crowd_that_sends_next_to_nothing_shuts_nobody_out() {
    let app = start(12).await;
    let host = app.issuer().replace("http://", "");
    let body = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\na=b",
        method("get_token")
    );
    let parts = [
        "",
        "G",
        "GET /login HTTP/1.1\r\nHost: x\r\nX-Y: ",
        body.as_str(),
    ];
    let mut crowd = Vec::new();
    for number in 0..100 {
        let mut stream = connect(&app).await;
        stream
            .write_all(parts[number % parts.len()].as_bytes())
            .await
            .unwrap();
        crowd.push(stream);
        // Everybody else is served as if nobody were there.
        assert_eq!(app.http().get("/healthz").send().await.status, 200);
    }
    // The first of the crowd had to go; only as many as there is room for can still be there.
    for stream in &mut crowd[..80] {
        assert!(is_closed(stream).await);
    }
    let client = scene::confidential(&app).await;
    let params = [("grant_type", "authorization_code"), ("code", "x")];
    let request = app.http().client_request("get_token", &client, &params);
    assert_eq!(request.send().await.error(), "invalid_grant");
    drop(crowd);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3; RFC 9110 §15.6.4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_being_answered_is_never_closed_for_another() {
    let app = start(1).await;
    scene::add_user(&app).await;
    let spec = ClientSpec::new("https://client.example/cb").grant_types("client_credentials");
    let client = app.add_client(spec.with("user", scene::USER)).await;
    let database = app.database().await;
    // Holds the one thread that writes, so that requests which write have to wait.
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (hold, held) = oneshot::channel::<()>();
    let hold = Mutex::new(Some(hold));
    let holder = tokio::spawn({
        let database = database.clone();
        async move {
            let writing = database.write(move |_| {
                hold.lock().unwrap().take().map(|hold| hold.send(()));
                released.lock().unwrap().recv().ok();
                Box::pin(async { Ok::<(), StoreError>(()) })
            });
            writing.await.unwrap();
        }
    });
    held.await.unwrap();
    let http = app.http();
    let asked = tokio::spawn({
        let params = [("grant_type", "client_credentials")];
        let request = http.client_request("get_token", &client, &params);
        async move { request.send().await }
    });
    while database.stats().queued == 0 {
        tokio::task::yield_now().await;
    }
    // There is one place, and it is taken by somebody who is being answered.
    for _ in 0..3 {
        let refused = http.get("/healthz").send().await;
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("connection"), Some("close"));
        assert_eq!(refused.error(), "temporarily_unavailable");
    }
    release.send(()).unwrap();
    holder.await.unwrap();
    assert_eq!(asked.await.unwrap().status, 200);
    app.close().await;
}
