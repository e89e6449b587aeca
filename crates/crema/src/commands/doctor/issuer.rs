//! Whether the site's own address leads to it, as relying parties will go: OpenID Connect
//! Discovery §4, RFC 8414 §3.3.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crema_auth::outgoing::{OutgoingError, OutgoingRequest};
use crema_document::SiteConfig;
use crema_protocol::endpoints;
use serde_json::Value;

use super::configuration::is_local;
use super::finding::Report;
use crate::shell::{self, OpenSite};

/// The largest document that is read, in bytes.
const LARGEST: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);
const CHECK: &str = "issuer";

/// Where the document is looked for.
struct Way {
    url: String,
    /// The server to ask, whatever the name resolves to.
    server: Option<SocketAddr>,
    /// What the document has to say it is.
    issuer: String,
}

/// The host of the site's own address.
pub(super) fn own_host(site: &str, config: &SiteConfig) -> String {
    let address = shell::address(site, config.host_name());
    host(&address).to_owned()
}

/// Asks the site's address for its metadata, or that server.
pub(super) async fn issuer(report: &mut Report, site: &OpenSite, server: Option<SocketAddr>) {
    let config = site.ctx.provider.site().config();
    let Some(way) = way(&site.name, config.host_name(), server) else {
        report.fine(
            CHECK,
            "it is the address by which a request comes; --server HOST:PORT asks a running server",
        );
        return;
    };
    let request = OutgoingRequest {
        url: &way.url,
        accept: "application/json",
        if_none_match: None,
        largest: LARGEST,
        time: PATIENCE,
    };
    let outgoing = &site.ctx.provider.environment().outgoing;
    let answer = outgoing.get_for_operator(way.server, &request).await;
    let said = match answer {
        Ok(answer) => answer.body,
        Err(error) => {
            let (text, advice) = told(error);
            report.wrong(CHECK, format!("{}: {text}", way.url), advice);
            return;
        }
    };
    let said: Value = serde_json::from_slice(&said).unwrap_or_default();
    match said.get("issuer").and_then(Value::as_str) {
        Some(issuer) if issuer == way.issuer => {
            report.fine(CHECK, format!("{issuer} answers with its metadata"));
        }
        Some(issuer) => report.wrong(
            CHECK,
            format!(
                "{} is answered for the issuer {issuer}, not {}",
                way.url, way.issuer
            ),
            "Does the name lead to another server or site? With a Social Login Key named frappe, \
             its Base URL has to be the site's address.",
        ),
        None => report.wrong(
            CHECK,
            format!("{} is answered with something else than metadata", way.url),
            "Let the proxy pass every path to Crema, also those under /.well-known/.",
        ),
    }
}

fn way(site: &str, host_name: Option<&str>, server: Option<SocketAddr>) -> Option<Way> {
    let path = endpoints::OPENID_CONFIGURATION;
    let address = shell::address(site, host_name);
    match (host_name, server) {
        (None, None) => None,
        // A server behind its proxy speaks http, whatever the address says.
        (_, Some(server)) => {
            let origin = format!("http://{}:{}", host(&address), server.port());
            let url = path.url(&origin);
            let issuer = if host_name.is_some() { address } else { origin };
            Some(Way {
                url,
                server: Some(server),
                issuer,
            })
        }
        (Some(_), None) => {
            let url = path.url(&address);
            // Such names lead here, and not every machine's resolver knows it (RFC 6761 §6.3).
            let local = is_local(host(&address)).then(|| {
                let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
                SocketAddr::new(here, port(&address))
            });
            Some(Way {
                url,
                server: local,
                issuer: address,
            })
        }
    }
}

const fn told(error: OutgoingError) -> (&'static str, &'static str) {
    match error {
        OutgoingError::Refused => (
            "the name resolves to nothing",
            "Correct host_name, or the name's record in the DNS.",
        ),
        OutgoingError::Unreachable | OutgoingError::Busy => (
            "nobody answers",
            "Is the server running, and the proxy, with a certificate that is good for this name? \
             --server HOST:PORT asks the server without the proxy.",
        ),
        OutgoingError::Status | OutgoingError::TooLarge => (
            "what answers does not have the document there",
            "Let the proxy pass every path to Crema, also those under /.well-known/, with the \
             Host that was asked for.",
        ),
    }
}

fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn host(address: &str) -> &str {
    let authority = authority(address);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn port(address: &str) -> u16 {
    let given = authority(address)
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    given.unwrap_or(if address.starts_with("http://") {
        80
    } else {
        443
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        assert_eq!(host("https://id.example.com:8443/x"), "id.example.com");
        assert_eq!(host("http://[::1]"), "[::1]");
        assert_eq!(port("http://trust.localhost"), 80);
        assert_eq!(port("https://trust.localhost"), 443);
        assert_eq!(port("http://trust.localhost:8000"), 8000);
    }

    #[test]
    fn the_way_to_the_document() {
        assert!(way("a.localhost", None, None).is_none());
        let server = "127.0.0.1:8000".parse().ok();
        let direct = way("a.example", None, server).map(|way| (way.url, way.issuer));
        let url = "http://a.example:8000/.well-known/openid-configuration".to_owned();
        assert_eq!(
            direct,
            Some((url.clone(), "http://a.example:8000".to_owned()))
        );
        let behind = way("a", Some("a.example"), server).map(|way| (way.url, way.issuer));
        assert_eq!(behind, Some((url, "https://a.example".to_owned())));
    }
}
