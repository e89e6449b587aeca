//! What is asked for: one file for each kind of request.

mod client_credentials;
mod code;
mod documents;
mod mcp;
mod pages;
mod password;
mod refresh;
mod storm;
mod tokens;

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

pub(crate) use storm::storm;

use crate::load::{Answer, Conversation};
use crate::raw::{Place, Work};
use crate::site::{HOST, Site};

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// A confidential client asks about an access token (RFC 7662).
    Introspection,
    /// The user behind an access token (OpenID Connect Core §5.3).
    Userinfo,
    /// Userinfo with a token that does not exist: 401.
    UnknownToken,
    /// A refresh token for the next one, scope `all`.
    Refresh,
    /// The same with scope `all openid`: each answer has a new ID token.
    RefreshOpenid,
    /// A code for a signed-in user whom the client need not ask.
    CodeIssue,
    /// A code with PKCE and its redemption, with an ID token signed by EdDSA.
    CodeFlow,
    /// Tokens for a user's password.
    Password,
    /// A token for the client itself.
    ClientCredentials,
    /// A ToDo by its name, with a bearer token.
    Document,
    /// The twenty newest of a person's ToDos, by the index of `allocated_to`.
    List,
    /// A ToDo by its name, by a tool of `/mcp`.
    Mcp,
    /// The OpenID configuration.
    Discovery,
    /// The sign-in page.
    LoginPage,
}

/// Which server a conversation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that is measured: its answers are checked, and used in the next request.
    Crema,
    /// The limit: the same requests, and answers without meaning.
    Raw,
}

/// All that requests are made of.
#[derive(Clone)]
pub(crate) struct Setup {
    /// The site.
    pub(crate) site: Site,
    /// Where Crema listens.
    pub(crate) address: SocketAddr,
    /// The session cookie of a signed-in user, `sid=…`.
    pub(crate) cookie: String,
}

impl Scenario {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Introspection => "introspection",
            Scenario::Userinfo => "userinfo",
            Scenario::UnknownToken => "unknown token",
            Scenario::Refresh => "refresh chain",
            Scenario::RefreshOpenid => "refresh chain with ID token",
            Scenario::CodeIssue => "code issue with a session",
            Scenario::CodeFlow => "whole code flow",
            Scenario::Password => "password grant",
            Scenario::ClientCredentials => "client credentials",
            Scenario::Document => "document by name",
            Scenario::List => "list of 20",
            Scenario::Mcp => "document by a tool",
            Scenario::Discovery => "discovery",
            Scenario::LoginPage => "login page",
        }
    }

    /// What each request costs the raw server.
    pub(crate) fn raw(self) -> (Work, Place) {
        match self {
            Scenario::Introspection => (Work::Read, Place::Form),
            Scenario::Userinfo | Scenario::UnknownToken => (Work::Read, Place::Bearer),
            Scenario::Refresh
            | Scenario::RefreshOpenid
            | Scenario::CodeIssue
            | Scenario::CodeFlow
            | Scenario::Password
            | Scenario::ClientCredentials => (Work::Insert, Place::Body),
            Scenario::Document | Scenario::Mcp => (Work::Document, Place::Path),
            Scenario::List => (Work::List, Place::Path),
            Scenario::Discovery | Scenario::LoginPage => (Work::Nothing, Place::Body),
        }
    }

    /// Whether it leaves rows behind.
    pub(crate) fn writes(self) -> bool {
        self.raw().0 == Work::Insert
    }

    /// Conversations, one for each connection.
    ///
    /// # Errors
    /// When what they begin with cannot be got from the server.
    pub(crate) async fn conversations(
        self,
        setup: &Setup,
        side: Side,
        count: u64,
    ) -> Result<Vec<Box<dyn Conversation>>> {
        let mut all: Vec<Box<dyn Conversation>> = Vec::new();
        for number in 0..count {
            all.push(match self {
                Scenario::Introspection => Box::new(tokens::introspection(setup, side, number)),
                Scenario::Userinfo => Box::new(tokens::userinfo(setup, side, number)),
                Scenario::UnknownToken => Box::new(tokens::unknown(setup, side, number)),
                Scenario::Refresh => Box::new(refresh::chain(setup, side, "all").await?),
                Scenario::RefreshOpenid => {
                    Box::new(refresh::chain(setup, side, "all%20openid").await?)
                }
                Scenario::CodeIssue => Box::new(code::issue(setup, side)),
                Scenario::CodeFlow => Box::new(code::flow(setup, side, "all%20openid")),
                Scenario::Password => Box::new(password::grant(setup, side)),
                Scenario::ClientCredentials => Box::new(client_credentials::grant(setup, side)),
                Scenario::Document => Box::new(documents::document(setup, side, number)),
                Scenario::List => Box::new(documents::list(setup, side, number)),
                Scenario::Mcp => Box::new(mcp::document(setup, side, number)),
                Scenario::Discovery => Box::new(pages::discovery(side)),
                Scenario::LoginPage => Box::new(pages::login(side)),
            });
        }
        Ok(all)
    }
}

/// Fails on another status.
fn expect(answer: &Answer<'_>, status: u16) -> Result<()> {
    ensure!(
        answer.status == status,
        "status {} instead of {status}: {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    Ok(())
}

/// A GET request, up to and without the empty line.
fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}").into_bytes()
}

/// Appends a POST request with a form of these parts.
fn post(out: &mut Vec<u8>, head: &[u8], form: &[&[u8]]) {
    let length: usize = form.iter().map(|part| part.len()).sum();
    out.extend_from_slice(head);
    out.extend_from_slice(length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    for part in form {
        out.extend_from_slice(part);
    }
}

/// The head of a POST request with a form, up to the number behind `Content-Length: `.
fn post_head(path: &str, headers: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    )
    .into_bytes()
}

/// The head of a request of the client to the token endpoint.
fn token_head(site: &Site) -> Vec<u8> {
    post_head(TOKEN, &format!("Authorization: {}\r\n", site.basic()))
}

/// The text member of a JSON object, as it stands there.
fn member<'a>(answer: &Answer<'a>, name: &str) -> Result<&'a [u8]> {
    let pattern = format!("\"{name}\":\"");
    let found = answer
        .body
        .windows(pattern.len())
        .position(|part| part == pattern.as_bytes())
        .and_then(|start| answer.body.get(start + pattern.len()..))
        .and_then(|rest| rest.split(|byte| *byte == b'"').next());
    found.with_context(|| format!("no {name} in the answer"))
}

const TOKEN: &str = "/api/method/frappe.integrations.oauth2.get_token";
const AUTHORIZE: &str = "/api/method/frappe.integrations.oauth2.authorize";
const INTROSPECT: &str = "/api/method/frappe.integrations.oauth2.introspect_token";
const TODO: &str = "/api/resource/ToDo";
const USERINFO: &str = "/api/method/frappe.integrations.oauth2.openid_profile";

/// One request that any server of the site answers with 200.
pub(crate) fn discovery() -> impl Conversation {
    pages::discovery(Side::Crema)
}

/// Signs the user in. Gives the cookie.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn sign_in(address: SocketAddr) -> Result<String> {
    let mut login = password::login();
    let mut cookie = None;
    crate::load::once(address, &mut login, |_, answer| {
        let value = answer.header("set-cookie").unwrap_or_default();
        let value = String::from_utf8_lossy(value);
        cookie = value.split(';').next().map(str::to_owned);
    })
    .await?;
    let cookie = cookie.filter(|cookie| cookie.starts_with("sid="));
    cookie.context("no session cookie in the answer of login")
}
