//! Names to addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Most names that the operating system is asked for at once.
const MOST_LOOKUPS: usize = 32;

/// Finds the addresses of a host name.
pub trait Resolver: Send + Sync {
    /// All addresses of the name, in the order of preference.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

    /// Where a connection to an address that was found and admitted goes. There itself, but on a
    /// network that translates addresses, such as that of a test.
    fn route(&self, address: SocketAddr) -> SocketAddr {
        address
    }
}

/// The resolver of the operating system.
pub(super) struct SystemResolver {
    places: Arc<Semaphore>,
}

impl SystemResolver {
    pub(super) fn new() -> SystemResolver {
        SystemResolver {
            places: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            // Whoever waits may give up, but the thread that asks cannot: what keeps the number of
            // such threads small is held by a task that waits for it.
            let place = Arc::clone(&self.places)
                .try_acquire_owned()
                .map_err(io::Error::other)?;
            let host = host.to_owned();
            let found = tokio::spawn(async move {
                let found = tokio::net::lookup_host((host, 0)).await;
                drop(place);
                Ok::<_, io::Error>(found?.map(|address| address.ip()).collect())
            });
            found.await.map_err(io::Error::other)?
        })
    }
}
