//! The client's end: a loopback port that a browser is sent to.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

/// How long a browser may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that answers whoever comes, so that no browser has to wait for it.
pub(super) struct Listener {
    port: u16,
    arrivals: Mutex<mpsc::UnboundedReceiver<Arrival>>,
}

/// A browser that arrived.
#[derive(Debug)]
pub(super) struct Arrival {
    /// `GET` or `POST`.
    pub(super) method: String,
    /// The parameters of the query, or of the form.
    params: Vec<(String, String)>,
}

impl Arrival {
    pub(super) fn param(&self, name: &str) -> &str {
        let own = self.params.iter().find(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

impl Listener {
    pub(super) async fn start() -> Listener {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, arrivals) = mpsc::unbounded_channel();
        // Ends with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let send = send.clone();
                tokio::spawn(async move {
                    if let Some(arrival) = read(&mut stream).await {
                        send.send(arrival).ok();
                    }
                });
            }
        });
        Listener {
            port,
            arrivals: Mutex::new(arrivals),
        }
    }

    /// The redirect URI, with the port that was free.
    pub(super) fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/cb", self.port)
    }

    /// The next browser that is sent to the redirect URI.
    pub(super) async fn next(&self) -> Arrival {
        let mut arrivals = self.arrivals.lock().await;
        let arrival = tokio::time::timeout(PATIENCE, arrivals.recv()).await;
        arrival.expect("nobody came").unwrap()
    }
}

/// Reads a request and answers it. Pictures for the address bar are asked for as well.
async fn read(stream: &mut TcpStream) -> Option<Arrival> {
    let mut bytes = Vec::new();
    let (head, body_at) = loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            break (String::from_utf8(bytes[..end].to_vec()).unwrap(), end + 4);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    while bytes.len() < body_at + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\
        Connection: close\r\n\r\n<title>Done</title> ";
    stream.write_all(answer.as_bytes()).await.ok()?;
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let query = target.strip_prefix("/cb")?.trim_start_matches('?');
    let form = String::from_utf8(bytes[body_at..].to_vec()).unwrap();
    let text = if method == "POST" {
        form.as_str()
    } else {
        query
    };
    let params = url::form_urlencoded::parse(text.as_bytes());
    Some(Arrival {
        method: method.to_owned(),
        params: params
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
    })
}
