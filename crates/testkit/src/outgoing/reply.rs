//! What a server of a test answers: politely, or not.

use std::time::Duration;

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes one by one, with that pause before each.
    Drip(Vec<u8>, Duration),
    /// These bytes again and again, until the other side has enough.
    Forever(Vec<u8>),
    /// Nothing, until the other side goes away.
    Silence,
}

/// An answer, after which the connection is closed.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    pieces: Option<Vec<Piece>>,
}

impl Reply {
    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            pieces: None,
        }
    }

    /// A document of that media type.
    #[must_use]
    pub fn document(media_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let mut reply = Reply::status(200).header("Content-Type", media_type);
        reply.body = body.into();
        reply
    }

    /// A JSON document.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Reply {
        Reply::document("application/json", value.to_string())
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Reply {
        Reply::status(status).header("Location", location)
    }

    /// Bytes of the test's own, from the status line on.
    #[must_use]
    pub fn pieces(pieces: Vec<Piece>) -> Reply {
        let mut reply = Reply::status(0);
        reply.pieces = Some(pieces);
        reply
    }

    /// Bytes of the test's own, from the status line on.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply::pieces(vec![Piece::Bytes(bytes.into())])
    }

    /// With a header more. A `Content-Length` of the test's own takes the place of the true one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is sent.
    pub(super) fn into_pieces(self) -> Vec<Piece> {
        if let Some(pieces) = self.pieces {
            return pieces;
        }
        let has =
            |wanted: &str| (self.headers.iter()).any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut text = format!("HTTP/1.1 {} Text\r\nConnection: close\r\n", self.status);
        if !has("content-length") && !has("transfer-encoding") && self.status != 304 {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        let mut bytes = format!("{text}\r\n").into_bytes();
        bytes.extend(self.body);
        vec![Piece::Bytes(bytes)]
    }
}
