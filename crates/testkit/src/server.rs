//! Sites on a bench, and server processes that serve them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crema_auth::{Environment, Provider};
use crema_crypto::generate_encryption_key;
use crema_document::config::DbType;
use crema_document::site::NewSite;
use crema_document::{Bench, Registry, Site};
use crema_store::DatabaseConfig;
use crema_web::{Limits, Sites};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::AppBuilder;
use crate::databases::{Engine, TestDatabase};
use crate::http::Http;
use crate::visitor::Visitor;

/// A site and the database that goes with it.
pub(crate) struct HostedSite {
    pub(crate) name: String,
    /// None for SQLite, whose file lies in the site's folder.
    pub(crate) database: Option<TestDatabase>,
}

impl HostedSite {
    pub(crate) async fn create(
        bench: &Bench,
        wanted: &AppBuilder,
        environment: &Environment,
        registry: &Arc<Registry>,
    ) -> HostedSite {
        let entropy = Arc::clone(&environment.entropy);
        let key = generate_encryption_key(&*entropy);
        let mut new = NewSite::sqlite(wanted.site.as_str(), key.expose().as_str());
        new.config = wanted.config.clone();
        let database = match wanted.engine {
            Engine::Sqlite => None,
            engine => Some(TestDatabase::new(engine)),
        };
        if let Some(database) = &database {
            let (kind, server) = match database.config() {
                DatabaseConfig::MariaDb(server) => ("mariadb", server),
                DatabaseConfig::Postgres(server) => ("postgres", server),
                DatabaseConfig::Sqlite { .. } => panic!("a server was wanted"),
            };
            new.db_type = DbType::named(kind).expect("a known kind");
            new.db_host = Some(server.host.clone());
            new.db_port = Some(server.port);
            new.db_name = Some(server.database.clone());
            new.db_user = Some(server.user.clone());
            // As `TestDatabase` makes them; a `Password` of the store cannot be read back.
            new.db_password = Some(format!("password-of-{}", server.user).into());
        }
        let random = move |bytes: &mut [u8]| entropy.fill(bytes);
        let made = Site::create(
            bench,
            &new,
            Arc::clone(registry),
            environment.clock.now(),
            Arc::new(random),
        );
        let (site, _) = made.await.expect("the site could not be made");
        site.close().await;
        HostedSite {
            name: wanted.site.clone(),
            database,
        }
    }
}

/// A server process: its own sites, caches and connections. Ends when dropped.
pub struct Server {
    site: String,
    address: SocketAddr,
    sites: Arc<Sites>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub(crate) async fn start(
        bench: &Bench,
        registry: &Arc<Registry>,
        environment: &Environment,
        site: &str,
        limits: Limits,
    ) -> Server {
        let sites = Sites::new(bench.clone(), Arc::clone(registry), environment.clone());
        let sites = Arc::new(sites);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("no port");
        let address = listener.local_addr().expect("no address");
        let (stop, stopped) = oneshot::channel::<()>();
        let web = crema_web::App::new(Arc::clone(&sites));
        let task = tokio::spawn(crema_web::serve_within(listener, web, limits, async {
            stopped.await.ok();
        }));
        Server {
            site: site.to_owned(),
            address,
            sites,
            stop: Some(stop),
            task: Some(task),
        }
    }

    /// A client of this server for the first site.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.address, &self.site)
    }

    /// Somebody with a browser at this server.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.http())
    }

    /// This process's view of the first site.
    ///
    /// # Panics
    /// When the site cannot be opened.
    pub async fn provider(&self) -> Arc<Provider> {
        self.provider_of(&self.site).await
    }

    /// This process's view of any site.
    ///
    /// # Panics
    /// When the site cannot be opened.
    pub async fn provider_of(&self, site: &str) -> Arc<Provider> {
        self.sites
            .for_host(site)
            .await
            .expect("the site cannot be opened")
    }

    /// Stops as at a SIGTERM: what runs is finished, databases are closed.
    ///
    /// # Panics
    /// When the server failed.
    pub async fn stop(mut self) {
        self.stop.take().map(|stop| stop.send(()).ok());
        if let Some(task) = self.task.take() {
            task.await
                .expect("the server panicked")
                .expect("the server failed");
        }
    }
}
