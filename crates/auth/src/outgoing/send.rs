//! One request, sent to addresses that were admitted.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, TRANSFER_ENCODING,
};
use reqwest::{Client, Response, StatusCode, redirect, retry};
use rustls::ClientConfig;

use super::freshness::fresh_for;
use super::target::Target;
use super::{Answer, OutgoingError, OutgoingRequest};

/// What this server calls itself.
const USER_AGENT: &str = concat!("Crema/", env!("CARGO_PKG_VERSION"));

/// Most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Longest `ETag` that is kept, in bytes.
const LONGEST_ETAG: usize = 256;

/// Sends the request and reads the answer, without looking at the time.
pub(super) async fn send(
    target: &Target,
    mut addresses: Vec<SocketAddr>,
    tls: ClientConfig,
    request: &OutgoingRequest<'_>,
) -> Result<Answer, OutgoingError> {
    addresses.truncate(MOST_ADDRESSES);
    let client = client(&target.host, &addresses, tls, request.time)
        .map_err(|_| OutgoingError::Unreachable)?;
    let mut sent = client
        .get(target.url.clone())
        .header(ACCEPT, request.accept)
        .header(ACCEPT_ENCODING, "identity");
    if let Some(etag) = request.if_none_match {
        sent = sent.header(IF_NONE_MATCH, etag);
    }
    let response = sent.send().await.map_err(|error| failure(&error))?;
    let status = response.status();
    let not_modified = status == StatusCode::NOT_MODIFIED && request.if_none_match.is_some();
    if !(status == StatusCode::OK || not_modified) || is_encoded(response.headers()) {
        return Err(OutgoingError::Status);
    }
    Ok(Answer {
        status: status.as_u16(),
        media_type: media_type(response.headers()),
        etag: etag(response.headers()),
        fresh_for: fresh_for(response.headers()),
        body: body(response, request.largest).await?,
    })
}

/// A client for one request: nothing is kept that another one could use, and the one name that it
/// can find is the one whose addresses were judged.
fn client(
    host: &str,
    addresses: &[SocketAddr],
    tls: ClientConfig,
    time: Duration,
) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(NoOtherName)
        .resolve_to_addrs(host, addresses)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0)
        .user_agent(USER_AGENT)
        // Divided among the addresses, so that one of them that is silent leaves time for others.
        .connect_timeout(time)
        .build()
}

/// Answers for every name but the one whose addresses are given.
struct NoOtherName;

impl Resolve for NoOtherName {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::ready(Err("not a judged name".into())))
    }
}

/// Reads the body, but no more than was asked for, whatever `Content-Length` says.
async fn body(mut response: Response, largest: usize) -> Result<Vec<u8>, OutgoingError> {
    let most = u64::try_from(largest).unwrap_or(u64::MAX);
    if response
        .content_length()
        .is_some_and(|length| length > most)
    {
        return Err(OutgoingError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failure(&error))? {
        if piece.len() > largest.saturating_sub(body.len()) {
            return Err(OutgoingError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Compression was not asked for: a small answer could unfold to any size.
fn is_encoded(headers: &HeaderMap) -> bool {
    let other = |value: &HeaderValue, plain: &str| {
        !value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(plain.as_bytes())
    };
    let encoded = headers.get_all(CONTENT_ENCODING).iter();
    let transferred = headers.get_all(TRANSFER_ENCODING).iter();
    encoded.into_iter().any(|value| other(value, "identity"))
        || transferred.into_iter().any(|value| other(value, "chunked"))
}

fn media_type(headers: &HeaderMap) -> String {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    // Several could be read in several ways.
    let (Some(first), None) = (all.next(), all.next()) else {
        return String::new();
    };
    let text = first.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    Some(etag.to_owned()).filter(|etag| !etag.is_empty() && etag.len() <= LONGEST_ETAG)
}

/// No connection or none any more: unreachable. Bytes that are no HTTP: no document.
fn failure(error: &reqwest::Error) -> OutgoingError {
    if error.is_connect() || error.is_timeout() {
        OutgoingError::Unreachable
    } else {
        OutgoingError::Status
    }
}
