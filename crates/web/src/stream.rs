//! The parts of a connection that tell how far it is: the stream, the body of a request, and that
//! of an answer that is made while it is sent.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::connections::Connection;
use crate::lenient_query::Place;

/// How long what still comes is read before a connection is closed, and how much of it. Closing
/// with unread bytes makes the system send a reset, and that takes the answer away from a client
/// that has not read it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_READS: u32 = 512;

/// A stream that tells when a request begins to come and when an answer has been sent.
pub(crate) struct Watched {
    stream: TcpStream,
    connection: Arc<Connection>,
    lingering: Option<Lingering>,
    /// How far the request line has come.
    place: Place,
    /// What has been read and did not fit.
    kept: Vec<u8>,
}

struct Lingering {
    until: Pin<Box<Sleep>>,
    reads: u32,
}

impl Watched {
    pub(crate) const fn new(stream: TcpStream, connection: Arc<Connection>) -> Watched {
        Watched {
            stream,
            connection,
            lingering: None,
            place: Place::Line,
            kept: Vec::new(),
        }
    }

    /// Hands out as much as fits of what is kept.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let fits = self.kept.len().min(buffer.remaining());
        buffer.put_slice(self.kept.get(..fits).unwrap_or_default());
        self.kept.drain(..fits);
    }
}

impl Lingering {
    #[expect(
        clippy::disallowed_methods,
        reason = "a time-out: nothing tells that a client has read its answer"
    )]
    fn new() -> Lingering {
        Lingering {
            until: Box::pin(tokio::time::sleep(LINGER)),
            reads: 0,
        }
    }

    /// Reads on until the client closes, or long enough.
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut unread = [0; 4096];
        loop {
            if self.reads >= LINGER_READS || self.until.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut unread);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
            self.reads += 1;
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        if !this.kept.is_empty() {
            this.give(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let come = buffer.filled().get(before..).unwrap_or_default();
        if !come.is_empty() {
            if this.connection.received() {
                this.place = Place::Line;
            }
            if let Some(encoded) = this.place.read(come) {
                this.kept = encoded;
                buffer.set_filled(before);
                this.give(buffer);
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.connection.flushed();
        }
        flushed
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.connection.has_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(Lingering::new);
        lingering.poll(&mut this.stream, context).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A body that tells when all of it has come.
pub(crate) struct Arriving {
    pub(crate) body: Incoming,
    pub(crate) connection: Arc<Connection>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let ended = match &frame {
            Poll::Ready(Some(Ok(_))) => self.body.is_end_stream(),
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if ended {
            self.connection.has_body();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is made while it is sent, and tells when all of it has been handed over.
pub(crate) struct Departing {
    pub(crate) body: axum::body::Body,
    pub(crate) connection: Arc<Connection>,
}

impl Departing {
    /// The body of this connection's answer.
    pub(crate) fn new(body: axum::body::Body, connection: Arc<Connection>) -> Departing {
        connection.in_pieces(true);
        Departing { body, connection }
    }
}

impl Body for Departing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Departing {
    /// Its end is the end of the answer, whatever the reason.
    fn drop(&mut self) {
        self.connection.in_pieces(false);
    }
}
