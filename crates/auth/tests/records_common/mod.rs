//! A site on each database, with a clock that is set and random bytes that are repeated.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test program uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be set up has failed"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::databases::{Engine, TestDatabase};
use crema_auth::client::{self, ClientFields, CreatedClient, NewClient};
use crema_auth::password::PasswordPool;
use crema_auth::retention::{Kind, Sweep};
use crema_auth::user::{self, NewUser};
use crema_auth::{Ctx, Environment, Failure, Provider};
use crema_crypto::{
    Entropy, PasswordCost, Secret, SeededEntropy, SystemEntropy, generate_encryption_key,
};
use crema_document::config::DbType;
use crema_document::{Bench, FixedClock, NewSite, Registry, Site, Timestamp};
use crema_store::{DatabaseConfig, Row, ServerConfig, Sql, Value};

// By path, not as a dependency: `crema-testkit` depends on everything, and so these tests
// would only build when everything does.
#[path = "../../../testkit/src/databases.rs"]
pub mod databases;

/// 20 November 2026, 12:00:00 UTC.
pub const NOON: i64 = 1_795_176_000;
pub const SITE: &str = "test.localhost";
pub const PASSWORD: &str = "Passw0rd!user";

pub struct TestSite {
    pub clock: Arc<FixedClock>,
    pub provider: Arc<Provider>,
    bench: Bench,
    seeds: AtomicU64,
    _folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl TestSite {
    pub async fn new(engine: Engine) -> TestSite {
        let database = TestDatabase::new(engine);
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::create(folder.path()).unwrap();
        let clock = Arc::new(FixedClock::new(Timestamp::from_seconds(NOON)));
        let new = new_site(database.config());
        let registry = Registry::builtin().unwrap();
        let random = Arc::new(|bytes: &mut [u8]| SystemEntropy.fill(bytes));
        let now = Timestamp::from_seconds(NOON);
        let (site, _) = Site::create(&bench, &new, registry, now, random)
            .await
            .unwrap();
        let seeds = AtomicU64::new(1);
        let provider = provider(site, &clock, 1);
        TestSite {
            clock,
            provider,
            bench,
            seeds,
            _folder: folder,
            _database: database,
        }
    }

    /// Another process that serves the same site.
    pub fn another_process(&self) -> Arc<Provider> {
        let site = Site::open(&self.bench, SITE, Registry::builtin().unwrap()).unwrap();
        let seed = self.seeds.fetch_add(1, Ordering::Relaxed) + 1;
        provider(site, &self.clock, seed)
    }

    pub fn ctx(&self) -> Ctx {
        self.ctx_from("192.0.2.1")
    }

    pub fn ctx_from(&self, address: &str) -> Ctx {
        ctx_of(&self.provider, address)
    }

    pub async fn user(&self, email: &str, roles: &[&str]) -> String {
        let new = NewUser {
            email: email.to_owned(),
            first_name: Some("Test".to_owned()),
            password: Some(Secret::from(PASSWORD)),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            email_verified: true,
            ..NewUser::default()
        };
        user::create(&self.ctx(), "Administrator", new)
            .await
            .unwrap()
    }

    pub async fn client(&self, fields: ClientFields) -> Result<CreatedClient, Failure> {
        let new = NewClient {
            fields,
            dynamically_registered: false,
        };
        client::create(&self.ctx(), "Administrator", new).await
    }

    pub async fn rows(&self, sql: &'static Sql, values: Vec<Value>) -> Vec<Row> {
        self.provider.database().rows(sql, values).await.unwrap()
    }

    /// Removes every row of that kind that is due. Gives their number.
    pub async fn sweep(&self, kind: Kind) -> u64 {
        let mut sweep = Sweep::new(kind);
        let mut removed = 0;
        loop {
            let batch = sweep.batch(&self.ctx()).await.unwrap();
            removed += batch.removed;
            if !batch.more {
                return removed;
            }
        }
    }

    /// One statement that changes something, for what no use case does.
    pub async fn execute(&self, sql: &'static Sql, values: Vec<Value>) {
        self.provider
            .database()
            .write(move |tx| {
                let values = values.clone();
                Box::pin(async move { tx.execute(sql, values).await })
            })
            .await
            .unwrap();
    }
}

pub fn ctx_of(provider: &Arc<Provider>, address: &str) -> Ctx {
    let address: IpAddr = address.parse().unwrap();
    let issuer = format!("https://{SITE}");
    Ctx::new(Arc::clone(provider), address, "test browser", issuer)
}

fn provider(site: Site, clock: &Arc<FixedClock>, seed: u64) -> Arc<Provider> {
    let environment = Environment {
        clock: Arc::clone(clock) as Arc<_>,
        entropy: Arc::new(SeededEntropy::new(seed)),
        passwords: PasswordPool::bounded(PasswordCost::minimal(), 2, 1000),
        signers: crema_auth::signing::Signers::default(),
        events: Arc::default(),
        outgoing: crema_auth::outgoing::Outgoing::system(),
        apps: &[],
    };
    Arc::new(Provider::new(Arc::new(site), environment).unwrap())
}

fn new_site(config: &DatabaseConfig) -> NewSite {
    let key = generate_encryption_key(&SystemEntropy);
    let mut new = NewSite::sqlite(SITE, key.expose().as_str());
    let mut on_server = |db_type, server: &ServerConfig| {
        new.db_type = db_type;
        new.db_host = Some(server.host.clone());
        new.db_port = Some(server.port);
        new.db_name = Some(server.database.clone());
        new.db_user = Some(server.user.clone());
        // As the test kit makes it.
        new.db_password = Some(format!("password-of-{}", server.user).into());
    };
    match config {
        DatabaseConfig::Sqlite { .. } => {}
        DatabaseConfig::MariaDb(server) => on_server(DbType::MariaDb, server),
        DatabaseConfig::Postgres(server) => on_server(DbType::Postgres, server),
    }
    new
}

/// A test of each function per database.
#[macro_export]
macro_rules! on_every_database {
    ($($(#[$attribute:meta])* async fn $name:ident($site:ident: TestSite) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            async fn run($site: TestSite) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(TestSite::new($crate::records_common::databases::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                run(TestSite::new($crate::records_common::databases::Engine::MariaDb).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(TestSite::new($crate::records_common::databases::Engine::Postgres).await).await;
            }
        }
    )*};
}
