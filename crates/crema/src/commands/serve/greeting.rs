//! What the server says when it listens.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::quickstart::{Begun, SITE};
use crate::answer::Answer;
use crate::shell::Shell;

/// The most sites that are named one by one.
const SITES_SHOWN: usize = 20;

/// The addresses, and at the first start what is shown once.
pub(super) struct Greeting {
    address: SocketAddr,
    /// Where the figures are.
    pub(super) metrics: Option<SocketAddr>,
    /// How this bench is named on the command line.
    command: String,
    sites: Vec<(String, String)>,
    /// A site was just made.
    pub(super) begun: Option<Begun>,
    /// The site was made by an earlier start.
    pub(super) has_begun_before: bool,
}

/// The address of a site that is served without a proxy.
pub(super) fn origin(site: &str, port: u16) -> String {
    match port {
        80 => format!("http://{site}"),
        port => format!("http://{site}:{port}"),
    }
}

impl Greeting {
    /// A greeting without sites.
    pub(super) fn new(shell: &Shell, address: SocketAddr) -> Greeting {
        let root = shell.bench.root();
        let command = match root.to_str() {
            Some(".") | None => "crema".to_owned(),
            Some(root) => format!("crema --bench {root}"),
        };
        Greeting {
            address,
            metrics: None,
            command,
            sites: Vec::new(),
            begun: None,
            has_begun_before: false,
        }
    }

    /// Reads the sites and their addresses.
    pub(super) fn read_sites(&mut self, shell: &Shell) -> anyhow::Result<()> {
        for site in shell.bench.sites()? {
            let address = match shell.bench.site_config(&site) {
                Ok(config) => match config.host_name() {
                    Some(host) => crate::shell::address(&site, Some(host)),
                    None => origin(&site, self.address.port()),
                },
                // The log and `list-sites` tell; the other sites are served.
                Err(error) => {
                    tracing::error!(site, %error, "the site's configuration is broken");
                    continue;
                }
            };
            self.sites.push((site, address));
        }
        Ok(())
    }

    /// Where the server listens.
    pub(super) fn listening(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The greeting.
    pub(super) fn answer(&self) -> Answer {
        Answer::new(self.text(), self.json())
    }

    fn text(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut text = format!("Crema {version} listens on http://{}", self.address);
        for (_, address) in self.sites.iter().take(SITES_SHOWN) {
            text.push_str(&format!("\n  {address}"));
        }
        let more = self.sites.len().saturating_sub(SITES_SHOWN);
        if more > 0 {
            text.push_str(&format!("\n  and {more} more: {} list-sites", self.command));
        }
        if let Some(metrics) = self.metrics {
            text.push_str(&format!("\n  metrics: http://{metrics}/metrics"));
        }
        if self.has_begun_before {
            text.push_str(&format!(
                "\n\nSign in as Administrator. The password was shown when the site was made; \
                 for a new one:\n  {} --site {SITE} set-admin-password",
                self.command
            ));
        }
        if let Some(begun) = &self.begun {
            let password = begun.password.expose();
            text.push_str(&format!(
                "\n\nThe site {SITE} is made. Shown this once:\n\n  \
                 Administrator's password  {password}"
            ));
            if let Some(walk) = &begun.walk {
                text.push_str(&format!(
                    "\n  demo client_id            {}\n  demo client_secret        {}\n\n{}",
                    walk.client_id,
                    walk.secret.expose(),
                    walk.text()
                ));
            }
            text.push('\n');
        }
        text
    }

    fn json(&self) -> Value {
        let sites: Vec<Value> = self
            .sites
            .iter()
            .map(|(site, url)| json!({"site": site, "url": url}))
            .collect();
        let quickstart = self.begun.as_ref().map(|begun| {
            json!({
                "site": SITE,
                "administrator_password": begun.password.expose(),
                "demo": begun.walk.as_ref().map(super::walk::Walk::json),
            })
        });
        json!({
            "listening": self.listening(),
            "metrics": self.metrics.map(|metrics| format!("http://{metrics}/metrics")),
            "sites": sites,
            "quickstart": quickstart,
        })
    }
}
