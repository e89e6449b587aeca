//! The limit: an HTTP handler that does nothing but one statement.
//!
//! The same HTTP library and the same shape of runtime as `crema serve`, the same database with
//! the same settings, answers of as many bytes; no routing, no checks, no log.

mod answer;
mod row;
mod server;
mod sqlite;

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use answer::Ready;
pub(crate) use answer::Shape;
use server::DbServer;
use sqlite::Sqlite;

use crate::engine::Database;
use crate::site::USER;

/// Serve as the raw server.
#[derive(Args, Debug)]
pub(crate) struct Raw {
    /// The folder of the site whose database is asked.
    #[arg(long)]
    site: PathBuf,
    /// What a request does.
    #[arg(long)]
    work: Work,
    /// Where the token is.
    #[arg(long)]
    token: Place,
    /// The answer to GET: status, bytes of the head, bytes of the body.
    #[arg(long, default_value = "200:200:0")]
    get: Shape,
    /// The answer to POST.
    #[arg(long, default_value = "200:200:0")]
    post: Shape,
}

/// The one thing that a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Reads a row of the token table by its hash.
    Read,
    /// Inserts a row into the token table; answers when it is on disk.
    Insert,
    /// Reads a ToDo by its name.
    Document,
    /// Reads a page of a person's ToDos.
    List,
    /// Nothing.
    Nothing,
}

impl Work {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::Read => "read",
            Work::Insert => "durable insert",
            Work::Document => "read",
            Work::List => "read of 20",
            Work::Nothing => "static answer",
        }
    }
}

/// Where a request carries what is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// In the `Authorization` header, behind `Bearer `.
    Bearer,
    /// In the form, behind `token=`.
    Form,
    /// All of the body.
    Body,
    /// In the last part of the path, or behind the first colon of the query's JSON.
    Path,
}

/// The database behind the handler.
enum Store {
    Sqlite(Sqlite),
    Server(DbServer),
}

/// What requests share.
struct Server {
    store: Store,
    work: Work,
    token: Place,
    get: Ready,
    post: Ready,
}

/// Serves until it is killed.
///
/// # Errors
/// When the database cannot be opened.
pub(crate) fn run(raw: &Raw) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(raw))
}

async fn serve(raw: &Raw) -> Result<()> {
    let store = match Database::of_site(&raw.site)? {
        Database::Sqlite(file) => Store::Sqlite(Sqlite::open(&file)?),
        Database::Mariadb(account) => Store::Server(DbServer::mariadb(&account)),
        Database::Postgres(account) => Store::Server(DbServer::postgres(&account)),
    };
    if let Store::Server(server) = &store {
        server.connect().await?;
    }
    let server = Arc::new(Server {
        store,
        work: raw.work,
        token: raw.token,
        get: Ready::new(&raw.get)?,
        post: Ready::new(&raw.post)?,
    });
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| server.respond(request));
            // The load client closes its connections when a window ends.
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok();
        });
    }
}

impl Server {
    async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let ready = match *request.method() {
            Method::GET => &self.get,
            _ => &self.post,
        };
        let done = match (self.work, self.token) {
            (Work::Nothing, _) => Ok(true),
            (work, Place::Path) => {
                let key = key_of(request.uri());
                self.store.work(work, key.as_bytes()).await
            }
            (work, Place::Bearer) => {
                let value = request.headers().get(AUTHORIZATION);
                let token = value.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
                self.store.work(work, token.unwrap_or_default()).await
            }
            (work, place) => match request.into_body().collect().await {
                Ok(body) => {
                    let body = body.to_bytes();
                    let token = match place {
                        Place::Form => after_token(&body),
                        _ => &body,
                    };
                    self.store.work(work, token).await
                }
                Err(error) => Err(error.into()),
            },
        };
        Ok(match done {
            Ok(_) => ready.response(),
            Err(error) => {
                eprintln!("raw server: {error:#}");
                answer::failed()
            }
        })
    }
}

/// What stands behind the first `token=`, up to the next `&`.
fn after_token(body: &[u8]) -> &[u8] {
    const NAME: &[u8] = b"token=";
    let start = body.windows(NAME.len()).position(|part| part == NAME);
    let value = start.and_then(|start| body.get(start + NAME.len()..));
    let value = value.unwrap_or_default();
    value.split(|byte| *byte == b'&').next().unwrap_or_default()
}

/// A name or a person, without the token that a request has too.
fn key_of(uri: &hyper::Uri) -> String {
    match uri.query() {
        None => uri.path().rsplit('/').next().unwrap_or_default().to_owned(),
        Some(query) => {
            let behind = query.split("%3A%22").nth(1).unwrap_or_default();
            let value = behind.split("%22").next().unwrap_or_default();
            value.replace("%40", "@")
        }
    }
}

impl Store {
    /// Gives whether there was such a row, or that one was stored.
    async fn work(&self, work: Work, token: &[u8]) -> Result<bool> {
        match (self, work) {
            (Store::Sqlite(sqlite), Work::Read) => sqlite.read(token),
            (Store::Sqlite(sqlite), Work::Document) => sqlite.rows(row::DOCUMENT, &[&key(token)]),
            (Store::Sqlite(sqlite), Work::List) => {
                let person = key(token);
                sqlite.rows(row::LIST, &[&USER, &USER, &person, &row::PAGE])
            }
            (Store::Server(server), Work::Document) => server.document(&key(token)).await,
            (Store::Server(server), Work::List) => server.list(&key(token)).await,
            (Store::Sqlite(sqlite), Work::Insert) => sqlite.insert(token).await,
            (Store::Server(server), Work::Read) => server.read(token).await,
            (Store::Server(server), Work::Insert) => server.insert(token).await,
            (_, Work::Nothing) => Ok(true),
        }
    }
}

fn key(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{after_token, key_of};

    #[test]
    fn the_key_stands_in_the_path_or_in_the_query() {
        let key = |uri: &str| key_of(&uri.parse().unwrap());
        assert_eq!(key("/api/resource/ToDo/abc"), "abc");
        let list = "/api/resource/ToDo?filters=%7B%22allocated_to%22%3A%22p1%40x.y%22%7D&limit=20";
        assert_eq!(key(list), "p1@x.y");
    }

    #[test]
    fn the_token_ends_at_the_next_parameter() {
        assert_eq!(after_token(b"token=abc"), b"abc");
        assert_eq!(after_token(b"x=1&token=abc&y=2"), b"abc");
        assert_eq!(after_token(b"x=1"), b"");
    }
}
