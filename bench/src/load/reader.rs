//! Reading answers: status, length, body, and nothing else.

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The longest answer that is read.
const MOST: usize = 1 << 20;

/// An answer, in the buffer of its connection.
pub(crate) struct Answer<'a> {
    /// Its status.
    pub(crate) status: u16,
    /// Status line and headers, with the empty line.
    pub(crate) head: &'a [u8],
    /// The body, without the framing of chunks.
    pub(crate) body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        lines(self.head).find_map(|line| value_of(line, name.as_bytes()))
    }

    /// Whether the body has these bytes in it.
    pub(crate) fn says(&self, text: &[u8]) -> bool {
        self.body.windows(text.len()).any(|part| part == text)
    }
}

/// Where an answer ends.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    status: u16,
    head: usize,
    framing: Framing,
    closes: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

/// The bytes of one connection that came and were not yet answered for.
pub(crate) struct Reader {
    buffer: Vec<u8>,
    filled: usize,
    unchunked: Vec<u8>,
}

impl Reader {
    /// An empty one.
    pub(crate) fn new() -> Reader {
        Reader {
            buffer: vec![0; 16 * 1024],
            filled: 0,
            unchunked: Vec::new(),
        }
    }

    /// Reads one answer. Gives also whether the server will close the connection.
    ///
    /// # Errors
    /// When the connection fails or ends early, the answer is not HTTP/1.1, or more comes than
    /// one answer.
    pub(crate) async fn read(&mut self, stream: &mut TcpStream) -> Result<(Answer<'_>, bool)> {
        self.filled = 0;
        let shape = loop {
            self.more(stream).await?;
            if let Some(shape) = shape(self.arrived())? {
                break shape;
            }
        };
        let status = shape.status;
        let (body, end) = match shape.framing {
            Framing::Length(length) => {
                let end = shape.head + length;
                while self.filled < end {
                    self.more(stream).await?;
                }
                (shape.head..end, end)
            }
            Framing::Chunked => loop {
                let sent = self.buffer.get(shape.head..self.filled).unwrap_or_default();
                if let Some(used) = unchunk(sent, &mut self.unchunked)? {
                    break (0..0, shape.head + used);
                }
                self.more(stream).await?;
            },
        };
        if end != self.filled {
            bail!("more came than one answer");
        }
        let body = match shape.framing {
            Framing::Length(_) => self.buffer.get(body),
            Framing::Chunked => Some(self.unchunked.as_slice()),
        };
        let answer = Answer {
            status,
            head: self.buffer.get(..shape.head).unwrap_or_default(),
            body: body.unwrap_or_default(),
        };
        Ok((answer, shape.closes))
    }

    fn arrived(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    async fn more(&mut self, stream: &mut TcpStream) -> Result<()> {
        if self.filled == self.buffer.len() {
            if self.buffer.len() >= MOST {
                bail!("the answer is longer than {MOST} bytes");
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match stream.read(room).await? {
            0 => bail!("the connection ended in the middle of an answer"),
            count => self.filled += count,
        }
        Ok(())
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The value, when the line is this header.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The shape of an answer, once its head is complete.
fn shape(bytes: &[u8]) -> Result<Option<Shape>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = end + 4;
    let mut lines = lines(bytes.get(..end).unwrap_or_default());
    let status = lines.next().and_then(status).context("not HTTP/1.1")?;
    let mut framing = None;
    let mut closes = false;
    for line in lines {
        // Most lines are sorted out by their first letter.
        match line.first() {
            Some(b'c' | b'C') => {
                if let Some(length) = value_of(line, b"content-length") {
                    let length = std::str::from_utf8(length)?.parse()?;
                    framing = Some(Framing::Length(length));
                } else if let Some(value) = value_of(line, b"connection") {
                    closes = value.eq_ignore_ascii_case(b"close");
                }
            }
            Some(b't' | b'T') if value_of(line, b"transfer-encoding").is_some() => {
                framing = Some(Framing::Chunked);
            }
            _ => {}
        }
    }
    Ok(Some(Shape {
        status,
        head,
        framing: framing.unwrap_or(Framing::Length(0)),
        closes,
    }))
}

fn status(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Takes chunks apart. Gives how many bytes they took, once the last one is there.
fn unchunk(mut bytes: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>> {
    let whole = bytes.len();
    body.clear();
    loop {
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let (line, rest) = bytes.split_at(end);
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = usize::from_str_radix(std::str::from_utf8(digits)?.trim(), 16)?;
        let Some((chunk, rest)) = rest.get(2..).and_then(|rest| rest.split_at_checked(size)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        let Some(rest) = rest.strip_prefix(b"\r\n") else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(whole - rest.len()));
        }
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_measured_by_its_head() {
        let text = b"HTTP/1.1 302 Found\r\nContent-Length: 12\r\nDate: x\r\n\r\n";
        assert_eq!(shape(&text[..text.len() - 1]).unwrap(), None);
        let shape = shape(text).unwrap().unwrap();
        assert_eq!((shape.status, shape.head), (302, text.len()));
        assert_eq!(shape.framing, Framing::Length(12));
        assert!(!shape.closes);
    }

    #[test]
    fn without_a_length_there_is_no_body() {
        let shape = shape(b"HTTP/1.1 204 No Content\r\nConnection: Close\r\n\r\n");
        let shape = shape.unwrap().unwrap();
        assert_eq!(shape.framing, Framing::Length(0));
        assert!(shape.closes);
    }

    #[test]
    fn what_is_not_http_is_refused() {
        assert!(shape(b"SSH-2.0-x\r\n\r\n").is_err());
        assert!(shape(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_are_joined() {
        let mut body = Vec::new();
        let sent = b"4\r\nCrem\r\n1;x=y\r\na\r\n0\r\n\r\n";
        assert_eq!(unchunk(sent, &mut body).unwrap(), Some(sent.len()));
        assert_eq!(body, b"Crema");
        for cut in 0..sent.len() {
            assert_eq!(unchunk(&sent[..cut], &mut body).unwrap(), None, "{cut}");
        }
        assert!(unchunk(b"zz\r\n", &mut body).is_err());
    }

    #[test]
    fn headers_are_found_in_any_spelling() {
        let answer = Answer {
            status: 302,
            head: b"HTTP/1.1 302 Found\r\nLOCATION:  https://a/?code=1 \r\nx: y\r\n\r\n",
            body: b"some text",
        };
        assert_eq!(answer.header("location"), Some(&b"https://a/?code=1"[..]));
        assert_eq!(answer.header("x"), Some(&b"y"[..]));
        assert_eq!(answer.header("loc"), None);
        assert!(answer.says(b"e t"));
        assert!(!answer.says(b"nothing"));
    }
}
