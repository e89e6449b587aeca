//! Where one request ends and the next begins: whoever stands between the client and the server
//! must never see it otherwise. Every request here is followed by a hidden one on the same
//! connection; whether that is answered tells what the server made of the first.

use std::fmt::Write as _;

use crema_testkit::flow::method;
use crema_testkit::{App, Engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Wire {
    host: String,
}

/// What came back until the server closed the connection.
struct Answers {
    statuses: Vec<u16>,
    text: String,
}

impl Wire {
    fn of(app: &App) -> Wire {
        Wire {
            host: app.issuer().replace("http://", ""),
        }
    }

    /// A request that is answered 200 and is the last one of its connection.
    fn hidden(&self) -> String {
        format!(
            "GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.host
        )
    }

    /// A token request with these headers and this body.
    fn post(&self, rest: &str) -> String {
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n{rest}",
            method("get_token"),
            self.host
        )
    }

    fn get(&self, target: &str, rest: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{rest}\r\n", self.host)
    }

    async fn connect(&self) -> TcpStream {
        let port = self.host.rsplit(':').next().unwrap().parse::<u16>();
        let address = ("127.0.0.1", port.unwrap());
        TcpStream::connect(address).await.unwrap()
    }

    /// Sends bytes and says that no more come; reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> Answers {
        let (mut receiver, mut sender) = self.connect().await.into_split();
        let sending = async move {
            // A server that refuses may close before all of it is sent.
            sender.write_all(bytes).await.ok();
            sender
        };
        let mut answer = Vec::new();
        let (sender, _) = tokio::join!(sending, receiver.read_to_end(&mut answer));
        drop(sender);
        Answers::read(&answer)
    }

    /// The statuses of the answers to this and to the hidden request behind it.
    async fn statuses(&self, request: &str) -> Vec<u16> {
        let bytes = format!("{request}{}", self.hidden());
        self.exchange(bytes.as_bytes()).await.statuses
    }
}

impl Answers {
    fn read(bytes: &[u8]) -> Answers {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let heads = text.split("HTTP/1.1 ").skip(1);
        let old = text.split("HTTP/1.0 ").skip(1);
        let statuses = heads.chain(old).map(|head| head[..3].parse().unwrap());
        Answers {
            statuses: statuses.collect(),
            text: text.clone(),
        }
    }
}

/// Refused, and the connection with it.
const REFUSED: [u16; 1] = [400];
/// Read to its end (401: nobody said who the client is), and the next one is another request.
const READ: [u16; 2] = [401, 200];
/// Read to its end, and nothing is read behind it.
const LAST: [u16; 1] = [401];

// spec: security.md, Inputs, outputs, network, line 3: nothing is smuggled behind a request
#[tokio::test]
async fn lengths_and_codings_mean_one_thing_or_end_the_connection() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let chunks = "\r\n3\r\na=b\r\n0\r\n\r\n";
    for (headers, body, expected) in [
        ("Content-Length: 3\r\n", "\r\na=b", &READ[..]),
        (
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "\r\na=b",
            &READ,
        ),
        (
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "\r\na=b",
            &REFUSED,
        ),
        ("Content-Length: 3, 3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length: +3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length: -3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length: 0x3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length: 3 3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length:\r\n", "\r\na=b", &REFUSED),
        (
            "Content-Length: 99999999999999999999\r\n",
            "\r\na=b",
            &REFUSED,
        ),
        ("Content-Length : 3\r\n", "\r\na=b", &REFUSED),
        ("Content-Length: 3\r\n 4\r\n", "\r\na=b", &REFUSED),
        ("Transfer-Encoding: chunked\r\n", chunks, &READ),
        ("Transfer-Encoding: CHUNKED\r\n", chunks, &READ),
        ("Transfer-Encoding: xchunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: identity\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: chunked, identity\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: identity, chunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: gzip, chunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: chunked, chunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: chunked;q=1\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: \"chunked\"\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: chunked,\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: \u{b}chunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding: chunked\0\r\n", chunks, &REFUSED),
        ("Transfer-Encoding:\r\n", chunks, &REFUSED),
        ("Transfer-Encoding : chunked\r\n", chunks, &REFUSED),
        ("Transfer-Encoding:\r\n chunked\r\n", chunks, &REFUSED),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            chunks,
            &REFUSED,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            chunks,
            &REFUSED,
        ),
        (
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
            chunks,
            &REFUSED,
        ),
        // Of both the coding counts, and the connection ends (RFC 9112 §6.1).
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            chunks,
            &LAST,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            chunks,
            &LAST,
        ),
        (
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "\r\n0\r\n\r\nG",
            &LAST,
        ),
    ] {
        let statuses = wire.statuses(&wire.post(&format!("{headers}{body}"))).await;
        assert_eq!(statuses, expected, "{headers:?}");
    }
    let old = wire.post(&format!("Transfer-Encoding: chunked\r\n{chunks}"));
    let old = old.replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(
        wire.statuses(&old).await,
        REFUSED,
        "HTTP/1.0 has no codings"
    );
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: chunking
#[tokio::test]
async fn chunks_are_read_to_the_byte_or_not_at_all() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let long_extension = format!("3;{}\r\na=b\r\n0\r\n\r\n", "x".repeat(40_000));
    let long_trailer = format!("3\r\na=b\r\n0\r\nX: {}\r\n\r\n", "y".repeat(70_000));
    for (body, expected) in [
        ("3\r\na=b\r\n0\r\n\r\n", &READ[..]),
        ("1\r\na\r\n2\r\n=b\r\n0\r\n\r\n", &READ),
        ("00000003\r\na=b\r\n0\r\n\r\n", &READ),
        ("3;name=value\r\na=b\r\n0\r\n\r\n", &READ),
        ("3\r\na=b\r\n0\r\nX: y\r\nContent-Length: 99\r\n\r\n", &READ),
        ("3\na=b\n0\n\n", &REFUSED),
        ("3;x\na=b\r\n0\r\n\r\n", &REFUSED),
        ("3;x=\"\n\"\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("3\r\na=bX0\r\n\r\n", &REFUSED),
        ("3\r\na=b\r\r0\r\n\r\n", &REFUSED),
        ("2\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("zz\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("-3\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("+3\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("0x3\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("fffffffffffffffff3\r\na=b\r\n0\r\n\r\n", &REFUSED),
        ("3\r\na=b\r\n0\r\nno colon\r\n\r\n", &REFUSED),
        (&long_extension, &REFUSED),
        (&long_trailer, &REFUSED),
    ] {
        let request = wire.post(&format!("Transfer-Encoding: chunked\r\n\r\n{body}"));
        let shown = &body[..body.len().min(40)];
        assert_eq!(wire.statuses(&request).await, expected, "{shown:?}");
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, lines 1 and 3
#[tokio::test]
async fn targets_methods_and_versions() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let host = wire.host.clone();
    for (line, expected) in [
        (
            format!("GET http://{host}/healthz HTTP/1.1"),
            &[200, 200][..],
        ),
        (format!("GET https://{host}/login HTTP/1.1"), &[200, 200]),
        (format!("GET ftp://{host}/login HTTP/1.1"), &[400]),
        (
            "GET http://evil.example/login HTTP/1.1".to_owned(),
            &[404, 200],
        ),
        (
            format!("GET http://user@{host}/login HTTP/1.1"),
            &[404, 200],
        ),
        (format!("GET {host} HTTP/1.1"), &[404, 200]),
        ("GET * HTTP/1.1".to_owned(), &[404, 200]),
        ("OPTIONS * HTTP/1.1".to_owned(), &[404, 200]),
        ("TRACE /login HTTP/1.1".to_owned(), &[405, 200]),
        ("CONNECT evil.example:443 HTTP/1.1".to_owned(), &[405]),
        (format!("CONNECT {host} HTTP/1.1"), &[405]),
        ("CONNECT /healthz HTTP/1.1".to_owned(), &[405]),
        ("GET /healthz HTTP/0.9".to_owned(), &[400]),
        ("GET /healthz HTTP/1.2".to_owned(), &[400]),
        ("GET /healthz HTTP/2.0".to_owned(), &[400]),
        ("GET /healthz".to_owned(), &[400]),
        ("GET  /healthz HTTP/1.1".to_owned(), &[400]),
        ("GET\t/healthz\tHTTP/1.1".to_owned(), &[400]),
        ("GET /a b HTTP/1.1".to_owned(), &[400]),
        (" GET /healthz HTTP/1.1".to_owned(), &[400]),
        ("GET /\0 HTTP/1.1".to_owned(), &[400]),
        ("G\0T / HTTP/1.1".to_owned(), &[400]),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), &[400]),
    ] {
        let request = format!("{line}\r\nHost: {host}\r\n\r\n");
        assert_eq!(wire.statuses(&request).await, expected, "{line:?}");
    }
    let preface = wire.statuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(preface.is_empty(), "{preface:?}");
    assert_eq!(
        wire.statuses(&wire.get("/healthz", "X : y\r\n")).await,
        [400]
    );
    assert_eq!(
        wire.statuses(&wire.get("/healthz", "X: a\rb\r\n")).await,
        [400]
    );
    assert_eq!(
        wire.statuses(&wire.get("/healthz", "X: a\0b\r\n")).await,
        [400]
    );
    // Nothing is switched to on request.
    for upgrade in ["websocket", "h2c", "TLS/1.0"] {
        let headers = format!("Connection: Upgrade\r\nUpgrade: {upgrade}\r\n");
        let request = wire.get("/healthz", &headers);
        assert_eq!(wire.statuses(&request).await, [200, 200], "{upgrade}");
    }
    // HTTP/1.0 closes unless it is asked not to.
    let old = format!("GET /healthz HTTP/1.0\r\nHost: {host}\r\n");
    assert_eq!(wire.statuses(&format!("{old}\r\n")).await, [200]);
    let kept = format!("{old}Connection: keep-alive\r\n\r\n");
    let statuses = wire.statuses(&kept).await;
    assert_eq!(statuses, [200, 200]);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: bodies over the limit, oversized headers
#[tokio::test]
async fn what_is_too_long_is_refused_before_it_is_read() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let (many, long): (String, _) = (
        (0..101).map(|n| format!("X-{n}: y\r\n")).collect(),
        "x".repeat(70_000),
    );
    for (request, expected) in [
        (wire.get("/healthz", &many), 431),
        (wire.get("/healthz", &format!("X: {long}\r\n")), 431),
        (wire.get("/healthz", &format!("{long}: y\r\n")), 431),
        (
            wire.get("/healthz", &format!("Cookie: sid={long}\r\n")),
            431,
        ),
    ] {
        let shown = &request[..60];
        assert_eq!(wire.statuses(&request).await, [expected], "{shown}");
    }
    let target = wire.statuses(&wire.get(&format!("/{long}"), "")).await;
    assert!(target == [414] || target == [431], "{target:?}");
    let verb = format!("{long} /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", wire.host);
    assert_eq!(wire.statuses(&verb).await, [431]);
    // A length is believed before its bytes have come, and asked for only when it is acceptable.
    for length in ["1048577", "99999999999", "18446744073709551613"] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let headers = format!("Content-Length: {length}\r\n{expect}\r\n");
            let answer = wire.exchange(wire.post(&headers).as_bytes()).await;
            assert_eq!(answer.statuses, [413], "{length} {expect}");
            let closed = answer.text.to_ascii_lowercase();
            assert!(closed.contains("connection: close\r\n"), "{closed}");
        }
    }
    // The answer comes even to who sends on for a while.
    let much = format!("Content-Length: 1500000\r\n\r\n{}", "x".repeat(1_500_000));
    assert_eq!(wire.statuses(&wire.post(&much)).await, [413]);
    let asked = wire.post("Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b");
    assert_eq!(wire.statuses(&asked).await, [100, 401, 200]);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: truncated requests
#[tokio::test]
async fn a_request_that_ends_early_is_none() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let whole = wire.post("Content-Length: 10\r\n\r\ngrant_type");
    for end in (0..whole.len()).step_by(7) {
        let mut stream = wire.connect().await;
        stream.write_all(&whole.as_bytes()[..end]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        let answers = Answers::read(&answer);
        // Where the body is missing, the server may say so; it never acts on what it has.
        let refused = answers.statuses.is_empty() || answers.statuses == [400];
        assert!(refused, "{end}: {}", answers.text);
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: pipelined requests
#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let kinds = [
        (wire.get("/healthz", ""), 200),
        (wire.get("/nothing-of-the-kind", ""), 404),
        (wire.post("Content-Length: 3\r\n\r\na=b"), 401),
        (
            wire.post("Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n"),
            401,
        ),
        (wire.get("/me", ""), 302),
        (wire.get("/api/method/frappe.auth.get_logged_user", ""), 401),
        (wire.post("Content-Length: 1\r\n\r\n%"), 400),
    ];
    let (mut sent, mut expected) = (String::new(), Vec::new());
    for number in 0..200_usize {
        // Any order will do, as long as it is not a simple one.
        let (request, status) = &kinds[number * number * 31 % 101 % kinds.len()];
        let _ = write!(sent, "{request}");
        expected.push(*status);
    }
    sent.push_str(&wire.hidden());
    expected.push(200);
    let answers = wire.exchange(sent.as_bytes()).await;
    assert_eq!(answers.statuses, expected);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3
#[tokio::test]
async fn it_does_not_matter_how_the_bytes_are_cut() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let chunked = wire.post("Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na=b\r\n0\r\nX: y\r\n\r\n");
    let whole = format!("{chunked}{}", wire.hidden());
    for piece in [1, 2, 3, 7, 64] {
        let mut stream = wire.connect().await;
        stream.set_nodelay(true).unwrap();
        for bytes in whole.as_bytes().chunks(piece) {
            stream.write_all(bytes).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answers::read(&answer).statuses, READ, "{piece} at a time");
    }
    app.close().await;
}

/// As people type them for curl, and as Frappe takes them.
// spec: http.md, Resource server, lists (`filters`)
#[tokio::test]
async fn quotes_and_brackets_in_a_query_are_taken_as_they_are_typed() {
    let app = App::start(Engine::Sqlite).await;
    let wire = Wire::of(&app);
    let target =
        "/api/method/ping?filters=[[\"date\",\">\",\"2026-01-01\"],[\"date\",\"<\",\"2027\"]]";
    for piece in [1, 16, 4096] {
        let mut stream = wire.connect().await;
        stream.set_nodelay(true).unwrap();
        let first = wire.get(target, "");
        let mut answered = [0; 15];
        for bytes in first.as_bytes().chunks(piece) {
            stream.write_all(bytes).await.unwrap();
            tokio::task::yield_now().await;
        }
        stream.read_exact(&mut answered).await.unwrap();
        assert_eq!(&answered, b"HTTP/1.1 200 OK");
        let second = wire.get(target, "Connection: close\r\n");
        stream.write_all(second.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        let rest = String::from_utf8(rest).unwrap();
        assert!(rest.contains("HTTP/1.1 200 OK"), "{piece}: {rest}");
    }
    app.close().await;
}
