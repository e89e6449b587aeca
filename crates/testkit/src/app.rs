//! The product in a test: bench, sites, databases, servers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crema_auth::client::{self, ClientFields, NewClient};
use crema_auth::outgoing::Outgoing;
use crema_auth::password::PasswordPool;
use crema_auth::user::{self, ADMINISTRATOR, NewUser};
use crema_auth::{Ctx, Environment, settings};
use crema_crypto::{Entropy, PasswordCost, Secret, SeededEntropy, SystemEntropy};
use crema_document::apps::AppFolder;
use crema_document::row::{self, RowHead};
use crema_document::{Bench, Clock, FixedClock, Registry, SystemClock, Timestamp};
use crema_store::{Database, Row, Sql, StoreError, Value};
use crema_web::Limits;

use crate::client::{ClientSpec, TestClient};
use crate::databases::Engine;
use crate::http::Http;
use crate::outgoing::Internet;
use crate::server::{HostedSite, Server};
use crate::visitor::Visitor;

/// Where every clock begins: 2026-11-20T18:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_795_197_600);

/// The name of the first site, unless a test wants another.
pub const SITE: &str = "trust.localhost";

/// What a test wants to be different from the usual [`App`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AppBuilder {
    pub(crate) engine: Engine,
    pub(crate) site: String,
    now: Timestamp,
    seed: Option<u64>,
    pub(crate) config: serde_json::Map<String, serde_json::Value>,
    limits: Limits,
    outgoing: Option<Outgoing>,
}

impl AppBuilder {
    /// The kind of database; SQLite when not said.
    pub fn engine(mut self, engine: Engine) -> AppBuilder {
        self.engine = engine;
        self
    }

    /// The name of the site; [`SITE`] when not said.
    pub fn site(mut self, name: &str) -> AppBuilder {
        name.clone_into(&mut self.site);
        self
    }

    /// Where the clock stands; [`START`] when not said.
    pub fn now(mut self, now: Timestamp) -> AppBuilder {
        self.now = now;
        self
    }

    /// The clock stands at the computer's own time: for libraries and browsers that compare with
    /// theirs.
    pub fn real_time(self) -> AppBuilder {
        self.now(SystemClock.now())
    }

    /// Repeatable randomness; the system's when not said.
    pub fn seed(mut self, seed: u64) -> AppBuilder {
        self.seed = Some(seed);
        self
    }

    /// A key of `site_config.json`, there from the start.
    pub fn config(mut self, key: &str, value: impl Into<serde_json::Value>) -> AppBuilder {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Connections and their time-outs; the server's own when not said.
    pub fn limits(mut self, limits: Limits) -> AppBuilder {
        self.limits = limits;
        self
    }

    /// The way to other servers, see [`crate::outgoing`]; when not said, there are none.
    pub fn outgoing(mut self, outgoing: Outgoing) -> AppBuilder {
        self.outgoing = Some(outgoing);
        self
    }

    /// Makes bench and site and starts a server.
    ///
    /// # Panics
    /// When any of it fails.
    pub async fn build(self) -> App {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let bench = Bench::create(folder.path()).expect("the bench could not be made");
        let bench = bench.with_apps(std::slice::from_ref(&crema_crm::APP));
        let entropy: Arc<dyn Entropy> = match self.seed {
            Some(seed) => Arc::new(SeededEntropy::new(seed)),
            None => Arc::new(SystemEntropy),
        };
        let clock = Arc::new(FixedClock::new(self.now));
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            passwords: PasswordPool::bounded(PasswordCost::minimal(), 2, 10_000),
            signers: crema_auth::signing::Signers::default(),
            events: Arc::default(),
            outgoing: (self.outgoing.clone()).unwrap_or_else(Internet::nowhere),
            apps: std::slice::from_ref(&crema_crm::CODE),
        };
        let registry = Registry::builtin().expect("the definitions are broken");
        let site = HostedSite::create(&bench, &self, &environment, &registry).await;
        let server = Server::start(&bench, &registry, &environment, &self.site, self.limits).await;
        App {
            clock,
            engine: self.engine,
            server,
            sites: vec![site],
            environment,
            registry,
            bench,
            _folder: folder,
        }
    }
}

/// The product with one site (or more) and one server (or more).
pub struct App {
    /// The clock of every server: it stands until a test moves it.
    pub clock: Arc<FixedClock>,
    engine: Engine,
    server: Server,
    sites: Vec<HostedSite>,
    environment: Environment,
    registry: Arc<Registry>,
    bench: Bench,
    _folder: tempfile::TempDir,
}

impl App {
    /// An app that is to be different from the usual one.
    pub fn builder() -> AppBuilder {
        AppBuilder {
            engine: Engine::Sqlite,
            site: SITE.to_owned(),
            now: START,
            seed: None,
            config: serde_json::Map::new(),
            limits: Limits::default(),
            outgoing: None,
        }
    }

    /// The usual app on that kind of database.
    pub async fn start(engine: Engine) -> App {
        App::builder().engine(engine).build().await
    }

    /// The kind of database.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The bench folder.
    #[must_use]
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// The first site's name.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.sites[0].name
    }

    /// The first server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// A client of the first server for the first site.
    #[must_use]
    pub fn http(&self) -> Http {
        self.server.http()
    }

    /// A client of the first server for any site.
    #[must_use]
    pub fn http_of(&self, site: &str) -> Http {
        self.http().host(site)
    }

    /// Somebody with a browser, not signed in.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        self.server.visitor()
    }

    /// Somebody with a browser who has signed in.
    pub async fn signed_in(&self, usr: &str, pwd: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.login(usr, pwd).await;
        visitor
    }

    /// The absolute address of a path of the first site.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.http().url(path)
    }

    /// The issuer of the first site.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.http().origin()
    }

    /// Another process on the same bench, databases and clock.
    pub async fn second_server(&self) -> Server {
        let limits = Limits::default();
        Server::start(
            &self.bench,
            &self.registry,
            &self.environment,
            self.site(),
            limits,
        )
        .await
    }

    /// Another site on the same bench, with a database of its own.
    pub async fn add_site(&mut self, name: &str) {
        let wanted = App::builder().engine(self.engine).site(name);
        let site =
            HostedSite::create(&self.bench, &wanted, &self.environment, &self.registry).await;
        self.sites.push(site);
    }

    /// A context on the first site, to set things up by the use cases of `crema_auth`.
    pub async fn ctx(&self) -> Ctx {
        self.ctx_of(self.site()).await
    }

    /// A context on any site.
    pub async fn ctx_of(&self, site: &str) -> Ctx {
        let provider = self.server.provider_of(site).await;
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Ctx::new(provider, address, "test", self.http_of(site).origin())
    }

    /// Installs an app on the first site: one that comes with the program, or the folder of that
    /// name below the bench's `apps/`.
    ///
    /// # Panics
    /// When the app cannot be installed.
    pub async fn install_app(&self, name: &str) {
        let app = AppFolder::read(&self.bench, name).unwrap_or_else(|error| panic!("{error}"));
        let installed = crema_auth::apps::install(&self.ctx().await, app).await;
        installed.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Sets a key in the first site's `site_config.json`; `null` removes it.
    ///
    /// # Panics
    /// When the value is refused.
    pub fn set_config(&self, key: &str, value: impl Into<serde_json::Value>) {
        let set = self.bench.set_config(Some(self.site()), key, value.into());
        set.expect("the configuration was not written");
    }

    /// Sets fields of a settings single (`OAuth Settings`, `System Settings` …).
    ///
    /// # Panics
    /// When a value is refused.
    pub async fn set_settings(&self, doctype: &str, values: &[(&str, &str)]) {
        let values: Vec<_> = values
            .iter()
            .map(|(field, value)| ((*field).to_owned(), Some((*value).to_owned())))
            .collect();
        let ctx = self.ctx().await;
        settings::set(&ctx, ADMINISTRATOR, doctype, &values)
            .await
            .expect("settings");
    }

    /// Makes a user with these roles, first name from the address, whose e-mail address is
    /// verified.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn add_user(&self, email: &str, password: &str, roles: &[&str]) {
        self.create_user(NewUser {
            email: email.to_owned(),
            password: Some(Secret::new(password.to_owned())),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            email_verified: true,
            ..NewUser::default()
        })
        .await;
    }

    /// Makes any user. Roles that a new site does not have are made first.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create_user(&self, new: NewUser) {
        for role in &new.roles {
            self.add_role(role, true).await;
        }
        user::create(&self.ctx().await, ADMINISTRATOR, new)
            .await
            .expect("the user was not made");
    }

    /// Makes a role, unless there is one of that name.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn add_role(&self, name: &str, desk_access: bool) {
        let provider = self.server.provider().await;
        let head = RowHead::new(name, ADMINISTRATOR, provider.site().local(self.clock.now()));
        let database = provider.database();
        let added = database.write(move |transaction| {
            let head = head.clone();
            Box::pin(async move {
                if row::exists(transaction, "Role", &head.name).await? {
                    return Ok(());
                }
                let columns = vec![
                    ("role_name", Value::from(head.name.as_str())),
                    ("desk_access", Value::from(desk_access)),
                ];
                row::insert(transaction, "Role", &head, columns).await
            })
        });
        let added: Result<(), StoreError> = added.await;
        added.expect("the role was not made");
    }

    /// Sets a user's password, Administrator's for example, who has none at first.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn set_password(&self, user: &str, password: &str) {
        let password = Secret::new(password.to_owned());
        let ctx = self.ctx().await;
        user::set_password(&ctx, ADMINISTRATOR, user, &password)
            .await
            .expect("password");
    }

    /// Makes a client.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn add_client(&self, spec: ClientSpec) -> TestClient {
        let ctx = self.ctx().await;
        let new = NewClient {
            fields: spec.fields.clone(),
            dynamically_registered: spec.dynamically_registered,
        };
        let made = client::create(&ctx, ADMINISTRATOR, new).await;
        spec.made(made.expect("the client was not made"))
    }

    /// Changes fields of a client.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn change_client(&self, client: &TestClient, fields: &[(&str, &str)]) {
        let fields: ClientFields = fields.iter().copied().collect();
        let ctx = self.ctx().await;
        client::update(&ctx, ADMINISTRATOR, &client.client_id, fields)
            .await
            .expect("client");
    }

    /// The first site's database, to look into.
    pub async fn database(&self) -> Database {
        self.server.provider().await.database().clone()
    }

    /// The rows of a portable SQL text (`?` placeholders, "double quoted" names).
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn rows(&self, sql: &str, params: Vec<Value>) -> Vec<Row> {
        self.database()
            .await
            .rows(leak(sql), params)
            .await
            .expect(sql)
    }

    /// The number that a portable SQL text selects.
    ///
    /// # Panics
    /// When it selects something else.
    pub async fn count(&self, sql: &str, params: Vec<Value>) -> i64 {
        self.rows(sql, params).await[0].int(0).expect(sql)
    }

    /// Executes a portable SQL text, as no use case would: to age rows, say. Gives the number of
    /// affected rows.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn execute(&self, sql: &str, params: Vec<Value>) -> u64 {
        let statement = leak(sql);
        let database = self.database().await;
        let changed = database.write(move |transaction| {
            let params = params.clone();
            Box::pin(async move { transaction.execute(statement, params).await })
        });
        changed.await.expect(sql)
    }

    /// Stops the server and drops the databases. Tests of [`crate::for_each_engine!`] need not
    /// call it, and a test that forgets leaves nothing behind either.
    pub async fn close(self) {
        self.server.stop().await;
        drop(
            self.sites
                .into_iter()
                .map(|site| site.database)
                .collect::<Vec<_>>(),
        );
    }
}

/// Statements live as long as the program; in a test program that is not long.
fn leak(sql: &str) -> &'static Sql {
    Box::leak(Box::new(Sql::new(Box::leak(
        sql.to_owned().into_boxed_str(),
    ))))
}
