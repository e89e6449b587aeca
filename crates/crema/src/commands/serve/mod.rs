//! `serve`: all sites of a bench over HTTP, until a signal ends it.

mod capacity;
mod greeting;
mod housekeeping;
mod quickstart;
mod signals;
mod walk;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use crema_web::{App, Limits, Sites};
use serde_json::json;
use tokio::net::TcpListener;

use crate::advice::Advised;
use crate::answer;
use crate::control::Control;
use crate::logging::{Log, LogFormat};
use crate::shell::Shell;

use greeting::Greeting;
use signals::Signals;

/// Serve all sites of the bench.
///
/// A bench without a site gets one, `trust.localhost`, on a terminal or with --quickstart; the
/// generated password and a demo client with a walk to follow are printed once. SIGTERM and
/// Ctrl-C finish what runs and end; SIGHUP reads everything again. Sites and settings that
/// change while it runs are obeyed at the next request.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema serve --quickstart --port 0\n\n\
    RUST_LOG selects what is logged, for example RUST_LOG=info,crema_store=debug")]
pub(crate) struct Serve {
    /// Address to listen on. Leave it as it is behind a proxy on the same machine.
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 for any that is free, which is printed.
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
    /// Connections that may be open at the same time. Without it, as many as the limit of open
    /// files has room for beside the databases: 768 of 1024, and 10000 at most.
    #[arg(long, value_name = "NUMBER", value_parser = at_least_one)]
    max_connections: Option<usize>,
    /// Address and port for `/metrics` in Prometheus' format; without it there are none. Whoever
    /// reaches it reads the figures: choose one that only your monitoring does.
    #[arg(long, value_name = "HOST:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// Create the site trust.localhost if there is no site yet, also without a terminal.
    #[arg(long)]
    quickstart: bool,
    /// How often rows that are due are cleared, in seconds; 0 leaves that to other processes.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    housekeeping: u64,
    /// Log lines for people, or one JSON object a line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

impl Serve {
    pub(crate) async fn run(&self, shell: &Shell, log: &Log) -> anyhow::Result<()> {
        // Signals first: one that comes while a site is made must not end it half made.
        let signals = Signals::listen()?;
        let listener = self.bind().await?;
        let metrics = self.bind_metrics().await?;
        let mut greeting = self.prepare(shell, listener.local_addr()?).await?;
        if let Some(metrics) = &metrics {
            greeting.metrics = Some(metrics.local_addr()?);
        }
        let environment = shell.environment.clone();
        let sites = Arc::new(Sites::new(
            shell.bench.clone(),
            shell.registry()?,
            environment,
        ));
        let control = self.control(shell, &sites, &greeting);
        let (stop, stop_now) = signals.obey(Arc::clone(&sites));
        let housekeeping = (self.housekeeping > 0).then(|| {
            let clock = Arc::clone(&shell.environment.clock);
            let every = Duration::from_secs(self.housekeeping);
            tokio::spawn(housekeeping::run(Arc::clone(&sites), clock, every))
        });
        shell.print(&greeting.answer())?;
        drop(greeting);
        let limits = Limits {
            connections: capacity::connections(self.max_connections),
            ..Limits::default()
        };
        let app = App::new(sites);
        if let Some(dropped) = log.dropped_lines() {
            app.metrics().watch_dropped_lines(dropped);
        }
        if log.has_traces() {
            app.trace();
        }
        let metrics = metrics.map(|listener| {
            let never = std::future::pending();
            tokio::spawn(crema_web::metrics::serve(listener, Arc::clone(&app), never))
        });
        let served = crema_web::serve_within(listener, app, limits, stop);
        let done = tokio::select! {
            served = served => served.map_err(anyhow::Error::from),
            () = stop_now => Err(anyhow::anyhow!("stopped before every request was answered")),
        };
        if let Some(control) = control {
            control.abort();
            // Ends with the socket removed.
            control.await.ok();
        }
        if let Some(housekeeping) = housekeeping {
            housekeeping.abort();
        }
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        done
    }

    /// Obeys commands of this bench in the background. A server that cannot is as good otherwise.
    fn control(
        &self,
        shell: &Shell,
        sites: &Arc<Sites>,
        greeting: &Greeting,
    ) -> Option<tokio::task::JoinHandle<()>> {
        let control = match Control::listen(&shell.bench) {
            Ok(control) => control,
            Err(error) => {
                tracing::warn!(%error, "crema restart cannot reach this server; SIGHUP does");
                return None;
            }
        };
        let sites = Arc::clone(sites);
        let answer = json!({
            "pid": std::process::id(),
            "listening": greeting.listening(),
        });
        Some(tokio::spawn(control.obey(answer, move || sites.reload())))
    }

    async fn bind(&self) -> anyhow::Result<TcpListener> {
        TcpListener::bind((self.host.as_str(), self.port))
            .await
            .map_err(|error| {
                let reason = format!("cannot listen on {}:{}: {error}", self.host, self.port);
                let advice = match error.kind() {
                    io::ErrorKind::AddrInUse => {
                        "Something else listens there; choose another with --port."
                    }
                    io::ErrorKind::PermissionDenied => {
                        "Ports below 1024 are for root; choose another with --port."
                    }
                    _ => "Choose an address of this machine with --host.",
                };
                Advised::error(reason, advice)
            })
    }

    async fn bind_metrics(&self) -> anyhow::Result<Option<TcpListener>> {
        let Some(address) = self.metrics_listen else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let reason = format!("cannot listen on {address} for metrics: {error}");
            Advised::error(reason, "Choose another address with --metrics-listen.")
        })?;
        Ok(Some(listener))
    }

    /// Makes the first site where that is wanted.
    async fn prepare(&self, shell: &Shell, address: SocketAddr) -> anyhow::Result<Greeting> {
        let mut greeting = Greeting::new(shell, address);
        let wanted = self.quickstart || io::stdout().is_terminal();
        if shell.bench.sites()?.is_empty() {
            if wanted {
                greeting.begun = Some(Box::pin(quickstart::begin(shell, address.port())).await?);
            } else {
                answer::note("No site yet. Make one, the server will find it: crema new-site NAME");
            }
        } else if self.quickstart && shell.bench.has_site(quickstart::SITE) {
            greeting.has_begun_before = true;
        }
        greeting.read_sites(shell)?;
        Ok(greeting)
    }
}

/// A number that leaves room for at least one.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("a whole number is needed".to_owned()),
    }
}
