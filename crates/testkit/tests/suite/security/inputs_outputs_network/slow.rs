//! Senders that take their time. The clock of the timers is the runtime's, and it is stopped: it
//! moves on by itself to the next timer when nobody has anything to do.

use crema_testkit::flow::method;
use crema_testkit::{App, Engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant};

async fn connect(app: &App) -> TcpStream {
    let origin = app.issuer();
    let port = origin.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// What comes back on a connection that sends this much and then nothing, and how long that took
/// for the server.
async fn send_a_part(app: &App, part: &str) -> (String, Duration) {
    let mut stream = connect(app).await;
    stream.write_all(part.as_bytes()).await.unwrap();
    tokio::time::pause();
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own clock, which is stopped"
    )]
    let began = Instant::now();
    let mut answer = Vec::new();
    // A reset is an end as well.
    stream.read_to_end(&mut answer).await.ok();
    let took = began.elapsed();
    tokio::time::resume();
    (String::from_utf8_lossy(&answer).into_owned(), took)
}

// spec: security.md, Inputs, outputs, network, line 3: timeouts on slow headers and bodies
#[tokio::test]
async fn slow_headers_and_bodies_end_with_a_timeout() {
    let app = App::start(Engine::Sqlite).await;
    // The site is open before time stands still.
    assert_eq!(app.http().get("/login").send().await.status, 200);
    let host = app.issuer().replace("http://", "");
    for part in [
        "",
        "GET",
        "GET /login HTTP/1.1\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\nX-Y: ",
    ] {
        let (answer, took) = send_a_part(&app, part).await;
        assert!(took <= Duration::from_secs(30), "{part:?}: {took:?}");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    for rest in [
        "Content-Length: 100\r\n\r\na=b",
        "Transfer-Encoding: chunked\r\n\r\n5\r\na=b",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na=b",
    ] {
        let part = format!(
            "POST {} HTTP/1.1\r\nHost: {host}\r\n{rest}",
            method("get_token")
        );
        let (answer, took) = send_a_part(&app, &part).await;
        assert!(took <= Duration::from_secs(90), "{took:?}");
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    // A connection that stays open after an answer is not kept for ever either.
    let part = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let (answer, took) = send_a_part(&app, &part).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(took <= Duration::from_secs(120), "{took:?}");
    assert_eq!(app.http().get("/healthz").send().await.status, 200);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: timeouts on slow headers and bodies
#[tokio::test]
async fn a_byte_now_and_then_buys_no_time() {
    let app = App::start(Engine::Sqlite).await;
    assert_eq!(app.http().get("/login").send().await.status, 200);
    let host = app.issuer().replace("http://", "");
    let body = format!("POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500\r\n\r\n");
    for (begin, limit) in [("GET /login HTTP/1.1\r\nX: ", 15), (body.as_str(), 90)] {
        let mut stream = connect(&app).await;
        stream.write_all(begin.as_bytes()).await.unwrap();
        tokio::time::pause();
        #[expect(
            clippy::disallowed_methods,
            reason = "the runtime's own clock, which is stopped"
        )]
        let began = Instant::now();
        let (mut receiver, mut sender) = stream.into_split();
        let dripping = async {
            let mut drops = tokio::time::interval(Duration::from_secs(3));
            loop {
                drops.tick().await;
                // Once the server has closed, nobody takes them any more.
                sender.write_all(b"y").await.ok();
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            () = dripping => {}
            _ = receiver.read_to_end(&mut answer) => {}
        }
        let took = began.elapsed();
        tokio::time::resume();
        assert!(took <= Duration::from_secs(limit), "{begin:?}: {took:?}");
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3
#[tokio::test]
async fn who_never_reads_the_answers_is_let_go() {
    let app = App::start(Engine::Sqlite).await;
    assert_eq!(app.http().get("/login").send().await.status, 200);
    let host = app.issuer().replace("http://", "");
    let many = format!("GET /login HTTP/1.1\r\nHost: {host}\r\n\r\n").repeat(50);
    let stream = connect(&app).await;
    let (receiver, mut sender) = stream.into_split();
    tokio::time::pause();
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own clock, which is stopped"
    )]
    let began = Instant::now();
    while sender.write_all(many.as_bytes()).await.is_ok() {}
    let took = began.elapsed();
    tokio::time::resume();
    assert!(took <= Duration::from_secs(180), "{took:?}");
    drop(receiver);
    assert_eq!(app.http().get("/healthz").send().await.status, 200);
    app.close().await;
}
