//! Requests whose answer may not come.

use std::net::SocketAddr;
use std::time::Duration;

use crema_testkit::http::Request;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer takes longer than this, whatever is broken.
// The server's own limit is a minute; no fault of a database may come near it.
const PATIENCE: Duration = Duration::from_secs(45);

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// It was answered, to the last byte.
    Answer(Answer),
    /// Nobody listened.
    Refused,
    /// The connection ended before the answer did.
    Cut,
}

impl Answer {
    /// The answer, once all of it is there.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Answer> {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let body = &bytes[end + 4..];
        let status = head.get(9..12)?.parse().ok()?;
        let answer = Answer {
            status,
            head,
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let length: usize = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        (body.len() == length).then_some(answer)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// A member of the JSON object in the body.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> Value {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        json[name].clone()
    }

    /// A text member of the JSON object in the body.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        self.member(name)
            .as_str()
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
            .to_owned()
    }

    /// 503 in the shape of an OAuth error, with the advice to come again.
    #[track_caller]
    pub(crate) fn is_temporarily_unavailable(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert_eq!(self.text("error"), "temporarily_unavailable", "{self:?}");
        self.says_when_to_come_again();
    }

    /// 503 as a page, with the advice to come again.
    #[track_caller]
    pub(crate) fn is_unavailable_page(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        let content = self.header("content-type").unwrap_or_default();
        assert!(content.starts_with("text/html"), "{self:?}");
        self.says_when_to_come_again();
    }

    #[track_caller]
    fn says_when_to_come_again(&self) {
        let seconds = self.header("retry-after").map(str::parse::<u32>);
        assert!(matches!(seconds, Some(Ok(1..=60))), "{self:?}");
    }
}

impl Outcome {
    /// The answer, which must have come.
    #[track_caller]
    pub(crate) fn answer(self) -> Answer {
        match self {
            Outcome::Answer(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }
}

/// Sends a request on a connection of its own.
///
/// # Panics
/// When nothing at all happens for too long.
pub(crate) async fn exchange(address: SocketAddr, request: &Request) -> Outcome {
    let bytes = request.to_bytes();
    let work = async {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return Outcome::Refused;
        };
        // Who is cut off in the middle of sending may have been answered all the same.
        stream.write_all(&bytes).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        match Answer::parse(&answer) {
            Some(answer) => Outcome::Answer(answer),
            None => Outcome::Cut,
        }
    };
    let what = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let waited = tokio::time::timeout(PATIENCE, work).await;
    waited.unwrap_or_else(|_| panic!("no answer for {} s: {what}", PATIENCE.as_secs()))
}

/// Waits until something is so.
///
/// # Panics
/// When it takes too long.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let work = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(2 * PATIENCE, work).await;
    waited.unwrap_or_else(|_| panic!("waited too long: {what}"));
}
