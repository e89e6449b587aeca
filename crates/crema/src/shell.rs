//! What every command works with: the bench, the chosen sites, the way of printing.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use anyhow::Context as _;
use crema_auth::user::ADMINISTRATOR;
use crema_auth::{Ctx, Environment, Provider};
use crema_document::{Bench, RandomSource, Registry, Site};
use serde_json::{Value, json};

use crate::advice::{self, Advised, Said};
use crate::answer::{self, Answer};
use crate::cli::Globals;

/// The user as whom commands act: whoever can run them can read the site's files anyway.
pub(crate) const BY: &str = ADMINISTRATOR;
/// What the audit trail shows as the program of the one who acted.
pub(crate) const USER_AGENT: &str = concat!("crema/", env!("CARGO_PKG_VERSION"), " (command line)");

/// The bench and how the command was called.
pub(crate) struct Shell {
    /// The bench folder.
    pub(crate) bench: Bench,
    /// Answers are printed as JSON.
    pub(crate) json: bool,
    /// Clock, randomness and password workers.
    pub(crate) environment: Environment,
    site: Option<String>,
}

/// A command for a site, made ready once for all sites that are named.
pub(crate) trait SiteCommand {
    /// Does it for one site.
    ///
    /// # Errors
    /// When it was not done.
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer>;
}

/// A site with its database opened, as the command's requests see it.
pub(crate) struct OpenSite {
    /// Its name.
    pub(crate) name: String,
    /// The view of the one request that a command is.
    pub(crate) ctx: Ctx,
}

impl OpenSite {
    /// The command line's view of an open site.
    ///
    /// # Errors
    /// When the site has no usable `encryption_key` or its database cannot be read.
    pub(crate) async fn of(site: Site, environment: Environment) -> anyhow::Result<OpenSite> {
        let name = site.name().to_owned();
        // Who ends a million tokens waits for it.
        site.database().unhurried();
        let issuer = address(&name, site.config().host_name());
        let provider = Provider::new(Arc::new(site), environment).with_context(|| name.clone())?;
        let ctx = context(Arc::new(provider), issuer);
        // Reads the site's time zone too, before anything is written in local time.
        ctx.version().await.with_context(|| name.clone())?;
        Ok(OpenSite { name, ctx })
    }

    /// Closes the database, after what has begun.
    pub(crate) async fn close(&self) {
        self.ctx.provider.site().close().await;
    }
}

/// The command line's view of a site.
pub(crate) fn context(provider: Arc<Provider>, issuer: String) -> Ctx {
    Ctx::new(
        provider,
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        USER_AGENT,
        issuer,
    )
}

/// The address of a site: its `host_name`, else what its folder's name suggests.
pub(crate) fn address(site: &str, host_name: Option<&str>) -> String {
    match host_name {
        Some(host) if host.contains("://") => host.trim_end_matches('/').to_owned(),
        Some(host) => format!("https://{host}"),
        None => format!("http://{site}"),
    }
}

impl Shell {
    /// The shell of a command line.
    pub(crate) fn new(globals: Globals) -> Shell {
        Shell {
            bench: Bench::at(globals.bench).with_apps(std::slice::from_ref(&crema_crm::APP)),
            json: globals.json,
            environment: Environment {
                apps: std::slice::from_ref(&crema_crm::CODE),
                ..Environment::system()
            },
            site: globals.site,
        }
    }

    /// The built-in definitions.
    pub(crate) fn registry(&self) -> anyhow::Result<Arc<Registry>> {
        Registry::builtin().context("the built-in definitions")
    }

    /// Randomness in the form in which the records' crate takes it.
    pub(crate) fn random(&self) -> Arc<dyn RandomSource> {
        let entropy = Arc::clone(&self.environment.entropy);
        Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes))
    }

    /// Prints an answer.
    pub(crate) fn print(&self, answer: &Answer) -> anyhow::Result<()> {
        Ok(answer.print(self.json)?)
    }

    /// Whether the command is for every site of the bench.
    pub(crate) fn means_all(&self) -> bool {
        self.site.as_deref() == Some("all")
    }

    /// The sites that `--site` names, else the current one.
    ///
    /// # Errors
    /// When there is none, or no such one.
    pub(crate) fn sites(&self) -> anyhow::Result<Vec<String>> {
        if self.means_all() {
            let sites = self.bench.sites()?;
            if sites.is_empty() {
                return Err(self.no_site());
            }
            return Ok(sites);
        }
        match self.site.clone().or_else(|| self.bench.current_site()) {
            Some(site) if self.bench.has_site(&site) => Ok(vec![site]),
            Some(site) => {
                // Says first when it could not be a site's name.
                self.bench.site_folder(&site)?;
                Err(crema_document::BenchError::NoSuchSite(site).into())
            }
            None => Err(self.no_site()),
        }
    }

    fn no_site(&self) -> anyhow::Error {
        match self.bench.sites() {
            Ok(sites) if !sites.is_empty() => Advised::error(
                "no site is chosen",
                "Name one with --site NAME, or once for all: crema use NAME",
            ),
            _ => Advised::error(
                format!(
                    "there is no site in {}",
                    self.bench.sites_folder().display()
                ),
                "Make one: crema new-site NAME. Or name the bench: crema --bench DIR",
            ),
        }
    }

    /// Opens a site.
    ///
    /// # Errors
    /// When there is none of that name, its configuration is broken, or its database away.
    pub(crate) async fn open(&self, name: &str) -> anyhow::Result<OpenSite> {
        let site = Site::open(&self.bench, name, self.registry()?)?;
        OpenSite::of(site, self.environment.clone()).await
    }

    /// Runs a command for each site that is meant and prints what it answers. `ready` makes the
    /// command once the sites are known, for example by asking for a password.
    ///
    /// # Errors
    /// When a site is missing or the command failed for one of them; the others are done.
    pub(crate) async fn on_sites<C: SiteCommand>(
        &self,
        ready: impl FnOnce() -> anyhow::Result<C>,
    ) -> anyhow::Result<()> {
        let sites = self.sites()?;
        let command = ready()?;
        self.each(sites, async |name: String| {
            let site = self.open(&name).await?;
            let answer = Box::pin(command.run(&site)).await;
            site.close().await;
            answer
        })
        .await
    }

    /// Does something for each of the sites and prints the answers; with `--site all` under
    /// their names.
    ///
    /// # Errors
    /// When it failed for one of them; the others are done.
    pub(crate) async fn each(
        &self,
        sites: Vec<String>,
        work: impl AsyncFn(String) -> anyhow::Result<Answer>,
    ) -> anyhow::Result<()> {
        if !self.means_all() {
            for site in sites {
                self.print(&work(site).await?)?;
            }
            return Ok(());
        }
        let mut answers = Vec::new();
        let mut failed = false;
        for site in sites {
            match work(site.clone()).await {
                Ok(answer) if self.json => {
                    answers.push(json!({"site": site, "answer": answer.json}))
                }
                Ok(answer) => answer::print(&format!("{site}:\n{}", indented(&answer.text)))?,
                Err(error) => {
                    failed = true;
                    answer::note(&format!("{site}: {}", advice::text(&error)));
                    answers.push(json!({"site": site, "error": format!("{error:#}")}));
                }
            }
        }
        if self.json {
            self.print(&Answer::new("", Value::Array(answers)))?;
        }
        if failed { Err(Said.into()) } else { Ok(()) }
    }
}

fn indented(text: &str) -> String {
    let lines = text.trim_end().lines();
    lines
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
