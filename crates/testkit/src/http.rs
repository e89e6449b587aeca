//! An HTTP/1.1 client that does nothing by itself: no redirects, no cookies, no headers but
//! `Host`, `Content-Length` and `Connection`, and bytes as they are when a test wants to misbehave.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::response::Response;

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server as one host name of it is seen. `*.localhost` never asks a resolver: the address is
/// known.
#[derive(Debug, Clone)]
pub struct Http {
    address: SocketAddr,
    host: String,
}

impl Http {
    /// The server at that address, asked for that host name (the port is added).
    #[must_use]
    pub fn new(address: SocketAddr, host: &str) -> Http {
        Http {
            address,
            host: format!("{host}:{}", address.port()),
        }
    }

    /// The same server by another host name.
    #[must_use]
    pub fn host(&self, host: &str) -> Http {
        Http::new(self.address, host)
    }

    /// `http://host:port`, which is also the issuer unless the site is configured otherwise.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// The absolute address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// A request to be completed and sent. The path goes out as it stands, query included.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let path = path.strip_prefix(&self.origin()).unwrap_or(path);
        Request {
            http: self.clone(),
            method: method.to_owned(),
            target: path.to_owned(),
            host: Some(self.host.clone()),
            headers: Vec::new(),
            body: None,
        }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A POST, without a body so far.
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// Sends bytes and reads one answer; `None` when the server hangs up without one.
    pub async fn raw(&self, bytes: &[u8]) -> Option<Response> {
        let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
        let exchange = async {
            let mut stream = TcpStream::connect(self.address)
                .await
                .expect("no connection");
            // A server that refuses a request early may close before all of it is sent.
            stream.write_all(bytes).await.ok();
            read(&mut stream, method == b"HEAD").await
        };
        let waited = tokio::time::timeout(PATIENCE, exchange).await;
        waited.expect("the server did not answer in time")
    }
}

/// One request.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    http: Http,
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Adds a header; one of the same name stays.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another `Host`, or none.
    pub fn host(mut self, host: Option<&str>) -> Request {
        self.host = host.map(str::to_owned);
        self
    }

    /// `Authorization: Bearer …`
    pub fn bearer(self, token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// `Authorization: Basic …` of a name and a password as they stand.
    pub fn basic(self, name: &str, password: &str) -> Request {
        let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    /// Adds parameters to the query, percent-encoded.
    pub fn query(mut self, params: &[(&str, &str)]) -> Request {
        if !params.is_empty() {
            let separator = if self.target.contains('?') { '&' } else { '?' };
            self.target.push(separator);
            self.target.push_str(&encode(params));
        }
        self
    }

    /// A form as the body.
    pub fn form(self, params: &[(&str, &str)]) -> Request {
        let body = encode(params).into_bytes();
        self.header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// JSON as the body.
    pub fn json(self, value: &Value) -> Request {
        self.header("Content-Type", "application/json")
            .body(value.to_string())
    }

    /// Bytes as the body; their type is for [`Request::header`] to say.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = Some(body.into());
        self
    }

    /// The bytes that go over the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if let Some(host) = &self.host {
            let _ = write!(head, "Host: {host}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends it.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn send(self) -> Response {
        let answer = self.http.raw(&self.to_bytes()).await;
        answer.unwrap_or_else(|| panic!("{} {}: no answer", self.method, self.target))
    }
}

/// Name-value pairs as `application/x-www-form-urlencoded`.
#[must_use]
pub fn encode(params: &[(&str, &str)]) -> String {
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(params);
    encoder.finish()
}

/// Reads one answer, and not further than its length, since the connection may stay open.
async fn read(stream: &mut TcpStream, head_only: bool) -> Option<Response> {
    let mut bytes = Vec::new();
    loop {
        if let Some(response) = Response::parse(&bytes, head_only, false) {
            return Some(response);
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Response::parse(&bytes, head_only, true),
            Ok(_) => {}
        }
    }
}
