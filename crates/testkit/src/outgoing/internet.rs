//! Names, addresses and who is reached at them.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use crema_auth::outgoing::{Outgoing, Resolver, Roots, is_public};

use super::authority::{Authority, Certificate};
use super::server::FakeServer;

/// Where nobody listens.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Names, addresses, servers and the authority that they trust.
#[derive(Clone)]
pub struct Internet {
    authority: Arc<Authority>,
    network: Arc<Network>,
}

/// What a [`Resolver`] sees of it.
#[derive(Default)]
struct Network(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// What a name resolves to, look-up by look-up; the last answer stays.
    names: HashMap<String, Vec<Vec<IpAddr>>>,
    /// How often each name was looked up.
    lookups: HashMap<String, usize>,
    /// Who is reached at an address.
    servers: HashMap<IpAddr, SocketAddr>,
    /// Addresses that connections were about to go to.
    reached: Vec<SocketAddr>,
    /// Public addresses that were given away.
    given: u8,
}

impl Internet {
    /// One without servers.
    #[must_use]
    pub fn new() -> Internet {
        Internet {
            authority: Arc::new(Authority::new()),
            network: Arc::default(),
        }
    }

    /// The way out for an app that is to live in it.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing {
        Outgoing::new(self.resolver(), Roots::Only(vec![self.authority.der()]))
    }

    /// Its names and addresses, for a way out that trusts others.
    #[must_use]
    pub fn resolver(&self) -> Arc<dyn Resolver> {
        Arc::clone(&self.network) as Arc<dyn Resolver>
    }

    /// A way out that leads nowhere.
    #[must_use]
    pub(crate) fn nowhere() -> Outgoing {
        Outgoing::new(Arc::new(Network::default()), Roots::Only(Vec::new()))
    }

    /// Who signs its servers' certificates.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Starts an `https` server of that name at a public address of its own.
    pub async fn serve(&self, host: &str) -> FakeServer {
        self.serve_with(host, &Certificate::Good).await
    }

    /// Starts an `https` server of that name with some certificate.
    pub async fn serve_with(&self, host: &str, certificate: &Certificate) -> FakeServer {
        let names = [host.to_owned(), "127.0.0.1".to_owned()];
        let acceptor = self.authority.acceptor(&names, certificate);
        let server = FakeServer::start(host, Some(acceptor)).await;
        let address = self.connect(&server);
        self.name(host, vec![vec![address]]);
        server
    }

    /// Starts a server without TLS, which no name leads to: something inside that nobody may
    /// reach.
    pub async fn inside(&self) -> FakeServer {
        FakeServer::start("127.0.0.1", None).await
    }

    /// A new public address that leads to the server.
    #[must_use]
    pub fn connect(&self, server: &FakeServer) -> IpAddr {
        let address = self.public_address();
        self.connect_at(address, server);
        address
    }

    /// An address that leads to the server from now on: one inside, to see that nobody comes.
    pub fn connect_at(&self, address: IpAddr, server: &FakeServer) {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
        self.network.known().servers.insert(address, at);
    }

    /// A new public address that leads nowhere.
    #[must_use]
    pub fn public_address(&self) -> IpAddr {
        let mut known = self.network.known();
        known.given += 1;
        let address = IpAddr::V4(Ipv4Addr::new(93, 184, 215, known.given));
        assert!(is_public(address), "{address}");
        address
    }

    /// What the name resolves to from now on: one list for each look-up, the last for all that
    /// follow; none: it does not resolve.
    pub fn name(&self, host: &str, answers: Vec<Vec<IpAddr>>) {
        self.network.known().names.insert(host.to_owned(), answers);
    }

    /// How often the name was looked up.
    #[must_use]
    pub fn lookups(&self, host: &str) -> usize {
        self.network.known().lookups.get(host).copied().unwrap_or(0)
    }

    /// The addresses that requests were let go to, in order; not those that are hosts themselves.
    #[must_use]
    pub fn reached(&self) -> Vec<SocketAddr> {
        self.network.known().reached.clone()
    }
}

impl Default for Internet {
    fn default() -> Internet {
        Internet::new()
    }
}

impl Network {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("a test has failed before")
    }
}

impl Resolver for Network {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let mut known = self.known();
        let lookup = known.lookups.entry(host.to_owned()).or_default();
        let before = *lookup;
        *lookup += 1;
        let found = known.names.get(host).and_then(|answers| {
            let answer = answers.get(before).or(answers.last());
            answer.cloned()
        });
        let found = found.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(found))
    }

    /// To the server that has the address. What is not public is this machine itself, and no
    /// connection leaves it.
    fn route(&self, address: SocketAddr) -> SocketAddr {
        let mut known = self.known();
        known.reached.push(address);
        match known.servers.get(&address.ip()) {
            Some(server) => *server,
            None if address.ip().is_loopback() => address,
            None => NOBODY,
        }
    }
}
