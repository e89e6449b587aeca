//! `doctor`: looks at a site and says what is wrong, and what to do.

mod configuration;
mod finding;
mod issuer;
mod records;

use std::cell::Cell;
use std::net::SocketAddr;

use clap::Args;
use crema_document::Bench;

use crate::advice::Said;
use crate::shell::{OpenSite, Shell};

use finding::{Level, Report};

/// Look at a site and say what is wrong, what is risky, and what to do about it.
///
/// It looks at the configuration, proxies, modes of files, the database and its tables, clocks,
/// the site's own address, signing keys, stored secrets, and at clients that are easier to attack
/// than they have to be. Nothing is changed. The exit code is 1 when something is wrong; risks,
/// which somebody may have chosen, count with --strict only.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  crema doctor --offline\n  crema doctor --offline --strict --json"
)]
pub(crate) struct Doctor {
    /// Do not ask the site's own address.
    #[arg(long, conflicts_with = "server")]
    offline: bool,
    /// Ask the server that listens there for the site's metadata, instead of the site's address.
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<SocketAddr>,
    /// Exit with 1 for risks too.
    #[arg(long)]
    strict: bool,
}

impl Doctor {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let worst = if self.strict {
            Level::Risk
        } else {
            Level::Wrong
        };
        let ill = Cell::new(false);
        let look = async |site: String| {
            let report = Box::pin(self.look(shell, &site)).await;
            ill.set(ill.get() || report.has(worst));
            Ok(report.answer())
        };
        shell.each(shell.sites()?, look).await?;
        if ill.get() { Err(Said.into()) } else { Ok(()) }
    }

    async fn look(&self, shell: &Shell, name: &str) -> Report {
        let mut report = Report::new(command(&shell.bench, name));
        let config = match shell.bench.site_config(name) {
            Ok(config) => config,
            Err(error) => {
                report.failed("configuration", &error.into());
                return report;
            }
        };
        configuration::configuration(&mut report, name, &config);
        configuration::proxies(&mut report, &config);
        configuration::files(&mut report, &shell.bench, name);
        match records::open(shell, name).await {
            Ok(site) => {
                let text = format!("{} answers", config.db_type().name());
                report.fine("database", text);
                self.look_inside(&mut report, &site).await;
                site.close().await;
            }
            Err(error) => report.failed("database", &error),
        }
        report
    }

    async fn look_inside(&self, report: &mut Report, site: &OpenSite) {
        let host = {
            let config = site.ctx.provider.site().config();
            issuer::own_host(&site.name, &config)
        };
        if let Err(error) = records::schema(report, site).await {
            report.failed("schema", &error);
        }
        if let Err(error) = records::clock(report, site).await {
            report.failed("clock", &error);
        }
        if !self.offline {
            issuer::issuer(report, site, self.server).await;
        }
        if let Err(error) = records::keys(report, site).await {
            report.failed("keys", &error);
        }
        if let Err(error) = records::secrets(report, site).await {
            report.failed("secrets", &error);
        }
        if let Err(error) = records::clients(report, site).await {
            report.failed("clients", &error);
        }
        if let Err(error) = records::senders(report, site, &host).await {
            report.failed("senders", &error);
        }
    }
}

/// How a command for this site begins.
fn command(bench: &Bench, site: &str) -> String {
    match bench.root().to_str() {
        Some(".") | None => format!("crema --site {site}"),
        Some(root) => format!("crema --bench {root} --site {site}"),
    }
}
