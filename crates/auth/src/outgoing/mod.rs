//! Requests to other servers: the one way out.
//!
//! Everything that makes this server fetch an address that somebody else chose goes through here:
//! client metadata documents now, the client role later. `https` only outside developer mode; names
//! are resolved first, every address is judged, and the connection goes to an address that was
//! judged; no redirects are followed, sizes and times are limited. `outgoing_allow` of the site's
//! configuration admits internal servers. Proxies of the environment are not used.
//!
//! What is written decides in `target`, addresses in `address`; both are pure.
// spec: security.md, Inputs, outputs, network, "Outgoing requests"

mod address;
mod freshness;
mod resolver;
mod send;
mod stats;
mod target;
mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crema_document::config::SiteConfig;
use tokio::sync::Semaphore;

pub use address::is_public;
pub use resolver::Resolver;
use resolver::SystemResolver;
use stats::Stats;
use target::{Rules, Target};
pub use tls::Roots;
use tls::Tls;

/// Most requests that one process has under way at once.
pub const MOST_AT_ONCE: usize = 16;

/// The way out of one process. Clones share its bounds.
#[derive(Clone)]
pub struct Outgoing {
    resolver: Arc<dyn Resolver>,
    tls: Arc<Tls>,
    places: Arc<Semaphore>,
    stats: Arc<Stats>,
}

/// One request.
#[derive(Clone)]
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
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status: 200, or 304 when `if_none_match` was sent.
    pub status: u16,
    /// The media type in lower case, without parameters; empty when there is none.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// `ETag`.
    pub etag: Option<String>,
    /// For how long the answer may be kept, in seconds, as `Cache-Control` and `Expires` say
    /// (RFC 9111 §4.2); `None` when they say nothing, 0 when it must not be kept.
    pub fresh_for: Option<u64>,
}

/// Why there is no answer. The texts may be shown to whoever caused the request: they say nothing
/// about addresses inside, not even whether there is one of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The address is none that this server sends requests to (its scheme, its host, or what the
    /// host resolves to), or its host has no address.
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
        Outgoing::new(Arc::new(SystemResolver::new()), Roots::System)
    }

    /// A way out that finds and trusts other servers in its own way.
    pub fn new(resolver: Arc<dyn Resolver>, roots: Roots) -> Outgoing {
        Outgoing {
            resolver,
            tls: Arc::new(Tls::new(roots)),
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            stats: Arc::default(),
        }
    }

    /// Whether a request could go to the URL, as far as it can be told without resolving its name:
    /// for what is stored now and fetched later.
    pub fn may_go_to(config: &SiteConfig, url: &str) -> bool {
        Rules::of(config).target(url).is_some()
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
        let rules = Rules::of(config);
        let target = rules.target(request.url);
        let answer = match &target {
            Some(target) => self.in_bounds(&rules, target, request).await,
            None => Err(OutgoingError::Refused),
        };
        let error = answer.as_ref().err().copied();
        self.stats.count(error);
        let host = target.as_ref().map(|target| target.host.as_str());
        tracing::debug!(host, ?error, "a request to another server");
        answer
    }

    /// Sends a GET request to an address that the operator of this machine chose and nobody else
    /// could have: it may lead anywhere. Never for an address that a request, a record or a client
    /// brings along. `server` is asked instead of what the name resolves to.
    ///
    /// # Errors
    /// [`OutgoingError`]; [`OutgoingError::Refused`] for what is no address of a server, and for a
    /// name that resolves to nothing.
    pub async fn get_for_operator(
        &self,
        server: Option<SocketAddr>,
        request: &OutgoingRequest<'_>,
    ) -> Result<Answer, OutgoingError> {
        let rules = Rules::of_operator();
        let target = rules.target(request.url).ok_or(OutgoingError::Refused)?;
        let sent = async {
            let addresses = match server {
                Some(server) => vec![server],
                None => self.addresses(&rules, &target).await?,
            };
            let tls = self.tls.config().await.ok_or(OutgoingError::Unreachable)?;
            Box::pin(send::send(&target, addresses, tls, request)).await
        };
        (tokio::time::timeout(request.time, sent).await).unwrap_or(Err(OutgoingError::Unreachable))
    }

    /// How many requests are under way.
    pub fn under_way(&self) -> usize {
        MOST_AT_ONCE.saturating_sub(self.places.available_permits())
    }

    /// How many requests have ended in each way since the process started, by label: `answered`,
    /// or the kind of error.
    pub fn ended(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.stats.ended()
    }

    async fn in_bounds(
        &self,
        rules: &Rules,
        target: &Target,
        request: &OutgoingRequest<'_>,
    ) -> Result<Answer, OutgoingError> {
        let _place = (self.places.try_acquire()).map_err(|_| OutgoingError::Busy)?;
        tokio::time::timeout(request.time, self.fetch(rules, target, request))
            .await
            .unwrap_or(Err(OutgoingError::Unreachable))
    }

    async fn fetch(
        &self,
        rules: &Rules,
        target: &Target,
        request: &OutgoingRequest<'_>,
    ) -> Result<Answer, OutgoingError> {
        let addresses = self.addresses(rules, target).await?;
        let tls = self.tls.config().await.ok_or(OutgoingError::Unreachable)?;
        Box::pin(send::send(target, addresses, tls, request)).await
    }

    /// Where the request may go. One address that is not admitted spoils them all: a name that
    /// leads outside and inside is how somebody gets in.
    async fn addresses(
        &self,
        rules: &Rules,
        target: &Target,
    ) -> Result<Vec<SocketAddr>, OutgoingError> {
        let found = match target.literal {
            Some(address) => vec![address],
            None => (self.resolver.resolve(&target.host).await).unwrap_or_default(),
        };
        if found.is_empty() || !found.iter().all(|found| rules.admits(target, *found)) {
            return Err(OutgoingError::Refused);
        }
        let routed = |address| self.resolver.route(SocketAddr::new(address, target.port));
        Ok(found.into_iter().map(routed).collect())
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

impl fmt::Debug for OutgoingRequest<'_> {
    /// Without the URL, whose query may be somebody's secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingRequest")
            .field("accept", &self.accept)
            .field("largest", &self.largest)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("media_type", &self.media_type)
            .field("length", &self.body.len())
            .field("fresh_for", &self.fresh_for)
            .finish_non_exhaustive()
    }
}
