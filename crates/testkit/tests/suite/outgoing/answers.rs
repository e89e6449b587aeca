//! Answers that are too slow, too large, broken or in disguise.

use std::time::Duration;

use crema_auth::outgoing::OutgoingError;
use crema_testkit::outgoing::{Piece, Reply};
use serde_json::json;

use super::{HASTY, LARGEST, Traveller, document};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

fn bytes(text: impl AsRef<[u8]>) -> Piece {
    Piece::Bytes(text.as_ref().to_vec())
}

async fn end_of(reply: Reply) -> Result<usize, OutgoingError> {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", reply);
    let answer = traveller.get("https://app.example/").await;
    answer.map(|answer| answer.body.len())
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn the_largest_that_is_read() {
    let of = |length: usize| Reply::document("text/plain", vec![b'a'; length]);
    assert_eq!(end_of(of(0)).await, Ok(0));
    assert_eq!(end_of(of(LARGEST)).await, Ok(LARGEST));
    assert_eq!(end_of(of(LARGEST + 1)).await, Err(OutgoingError::TooLarge));
}

#[tokio::test]
async fn bodies_without_an_end() {
    // In chunks, until the connection ends, and by a length that is far away.
    let chunks = Reply::pieces(vec![
        bytes(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n")),
        Piece::Forever(
            b"40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n".to_vec(),
        ),
    ]);
    let plain = Reply::pieces(vec![
        bytes(format!("{HEAD}Connection: close\r\n\r\n")),
        Piece::Forever(vec![b'a'; 4096]),
    ]);
    let announced = Reply::pieces(vec![
        bytes(format!("{HEAD}Content-Length: 99999999999\r\n\r\n")),
        Piece::Forever(vec![b'a'; 4096]),
    ]);
    for reply in [chunks, plain, announced] {
        assert_eq!(end_of(reply).await, Err(OutgoingError::TooLarge));
    }
}

#[tokio::test]
async fn lengths_that_lie() {
    // Less than announced: the rest never comes.
    let short = Reply::document("text/plain", "ab").header("Content-Length", "3");
    assert_eq!(end_of(short).await, Err(OutgoingError::Status));
    // More than announced: what is beyond is not the answer.
    let long = Reply::document("text/plain", "abc").header("Content-Length", "2");
    assert_eq!(end_of(long).await, Ok(2));
    let two = Reply::document("text/plain", "abc")
        .header("Content-Length", "3")
        .header("Content-Length", "2");
    assert_eq!(end_of(two).await, Err(OutgoingError::Status));
    for length in ["-1", "3x", "99999999999999999999999999", "0x3"] {
        let reply = Reply::document("text/plain", "abc").header("Content-Length", length);
        assert_eq!(end_of(reply).await, Err(OutgoingError::Status), "{length}");
    }
    // Chunks that end in the middle.
    let half = Reply::raw(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nab"));
    assert_eq!(end_of(half).await, Err(OutgoingError::Status));
}

/// Compression is not asked for, and an answer that comes compressed is none.
#[tokio::test]
async fn compressed_answers() {
    for encoding in [
        "gzip",
        "br",
        "deflate",
        "zstd",
        "GZIP",
        "identity, gzip",
        "x",
    ] {
        let reply = document().header("Content-Encoding", encoding);
        assert_eq!(
            end_of(reply).await,
            Err(OutgoingError::Status),
            "{encoding}"
        );
    }
    let plain = document().header("Content-Encoding", "identity");
    assert!(end_of(plain).await.is_ok());
    let inner = Reply::raw(format!(
        "{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    ));
    assert_eq!(end_of(inner).await, Err(OutgoingError::Status));
}

#[tokio::test]
async fn other_statuses() {
    for status in [
        201, 202, 203, 204, 205, 206, 304, 400, 401, 403, 404, 407, 418, 429, 500, 503,
    ] {
        let end = end_of(Reply::status(status)).await;
        assert_eq!(end, Err(OutgoingError::Status), "{status}");
    }
}

#[tokio::test]
async fn what_is_no_http() {
    for text in [
        "",
        "{}",
        "HTTP/1.1",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: a\0b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let end = end_of(Reply::raw(text)).await;
        assert_eq!(end, Err(OutgoingError::Status), "{text:?}");
    }
}

#[tokio::test]
async fn heads_without_an_end() {
    let long = Reply::raw(format!("{HEAD}X: {}\r\n\r\n", "a".repeat(2_000_000)));
    assert_eq!(end_of(long).await, Err(OutgoingError::Status));
    let many = Reply::raw(format!("{HEAD}{}\r\n", "X: a\r\n".repeat(50_000)));
    assert_eq!(end_of(many).await, Err(OutgoingError::Status));
    let forever = Reply::pieces(vec![bytes(HEAD), Piece::Forever(b"X: a\r\n".repeat(100))]);
    assert_eq!(end_of(forever).await, Err(OutgoingError::Status));
}

#[tokio::test]
async fn answers_that_take_their_time() {
    let body = format!("{HEAD}Content-Length: 50\r\n\r\n");
    let drip = |text: &str| Piece::Drip(text.as_bytes().to_vec(), Duration::from_millis(50));
    for (what, pieces) in [
        ("nothing", vec![Piece::Silence]),
        (
            "half a head",
            vec![bytes("HTTP/1.1 200 OK\r\nA: "), Piece::Silence],
        ),
        ("a slow head", vec![drip(HEAD), Piece::Silence]),
        ("no body", vec![bytes(&body), Piece::Silence]),
        (
            "half a body",
            vec![bytes(format!("{body}12345")), Piece::Silence],
        ),
        ("a slow body", vec![bytes(&body), drip(&"a".repeat(50))]),
        // Interim answers, of which there may be any number.
        (
            "continue",
            vec![Piece::Forever(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())],
        ),
    ] {
        let traveller = Traveller::new(json!({}));
        let site = traveller.internet.serve("app.example").await;
        site.answer("/", Reply::pieces(pieces));
        let answer = traveller.get_within("https://app.example/", HASTY).await;
        assert_eq!(answer.err(), Some(OutgoingError::Unreachable), "{what}");
        // The connection does not stay behind.
        if what != "continue" {
            site.under_way(0).await;
        }
    }
}

#[tokio::test]
async fn media_types() {
    for (header, expected) in [
        ("application/json", "application/json"),
        ("Application/JSON ; charset=UTF-8", "application/json"),
        ("application/json;a=\";text/html\"", "application/json"),
        ("text/html", "text/html"),
        ("", ""),
        (";", ""),
        ("ünder/json", ""),
    ] {
        let traveller = Traveller::new(json!({}));
        let site = traveller.internet.serve("app.example").await;
        site.answer("/", Reply::document(header, "{}"));
        let answer = traveller.get("https://app.example/").await.unwrap();
        assert_eq!(answer.media_type, expected, "{header}");
    }
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer(
        "/none",
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    );
    site.answer("/two", document().header("Content-Type", "text/html"));
    for path in ["none", "two"] {
        let answer = traveller.get(&format!("https://app.example/{path}")).await;
        assert_eq!(answer.unwrap().media_type, "", "{path}");
    }
}
