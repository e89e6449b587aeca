//! Answers that are as long as Crema's.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// The outside of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its status.
    pub(crate) status: u16,
    /// Bytes of status line and headers, with the empty line.
    pub(crate) head: usize,
    /// Bytes of the body.
    pub(crate) body: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.status, self.head, self.body)
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Shape> {
        let mut parts = text.split(':');
        let mut next = || parts.next().context("STATUS:HEAD:BODY");
        Ok(Shape {
            status: next()?.parse()?,
            head: next()?.parse()?,
            body: next()?.parse()?,
        })
    }
}

/// An answer that is put together once.
pub(super) struct Ready {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Ready {
    /// An answer of this shape.
    ///
    /// # Errors
    /// When the status is none.
    pub(super) fn new(shape: &Shape) -> Result<Ready> {
        let status = StatusCode::from_u16(shape.status)?;
        let reason = status.canonical_reason().unwrap_or("");
        let fixed = format!(
            "HTTP/1.1 {} {reason}\r\nx-fill: \r\ncontent-length: {}\r\n\
             date: Sat, 21 Nov 2026 15:29:20 GMT\r\n\r\n",
            shape.status, shape.body
        );
        let fill = "x".repeat(shape.head.saturating_sub(fixed.len()));
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("x-fill"),
            HeaderValue::from_str(&fill)?,
        );
        Ok(Ready {
            status,
            headers,
            body: Bytes::from("x".repeat(shape.body)),
        })
    }

    /// The answer; length and date are added when it is sent.
    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

/// The statement failed.
pub(super) fn failed() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn a_shape_is_written_as_it_is_read() {
        let shape: Shape = "302:512:0".parse().unwrap();
        assert_eq!((shape.status, shape.head, shape.body), (302, 512, 0));
        assert_eq!(shape.to_string(), "302:512:0");
        assert!("302:x".parse::<Shape>().is_err());
    }
}
