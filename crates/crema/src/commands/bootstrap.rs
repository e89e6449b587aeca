//! `bootstrap`: the OAuth Client of the CRM's mobile app on one site or on all.

use clap::Args;
use crema_auth::caller::Caller;
use crema_crm::bootstrap::{Options, bootstrap_site};
use crema_document::apps::installed;
use serde_json::{Value, json};

use crate::advice::{self, Advised, Said};
use crate::answer::{self, Answer};
use crate::shell::{OpenSite, Shell};

/// Make the CRM's Mobile App client, or bring it up to date.
///
/// It may run at any time and changes nothing twice; `install-app crm` and `migrate` do the same.
/// With `--site all` a site that fails does not stop the others. What the client is like is
/// under `crm_oauth` in the configuration; see docs/crm.md.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema --site all bootstrap")]
pub(crate) struct Bootstrap {
    /// Show the client's secret too, if it has one.
    #[arg(long)]
    print_secrets: bool,
    /// Give API keys to users with one of the client's roles who have none; their secrets are
    /// shown this once.
    #[arg(long)]
    generate_user_keys: bool,
}

const DOUBLE: &str = "═══════════════════════════════════════════════════════════════";
const SINGLE: &str = "─────────────────────────────────────────────────────────────";

impl Bootstrap {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let sites = shell.sites()?;
        if !shell.means_all() {
            for site in sites {
                let result = self.one(shell, &site).await?;
                shell.print(&Answer::new(pretty(&result), result))?;
            }
            return Ok(());
        }
        match shell.json {
            true => self.all_in_json(shell, sites).await,
            false => self.all(shell, sites).await,
        }
    }

    /// As the script of the operations guide shows it.
    // spec: cli.md, "with `--site all` the output of the seed's script"
    async fn all(&self, shell: &Shell, sites: Vec<String>) -> anyhow::Result<()> {
        let (count, names) = (sites.len(), sites.join(" "));
        answer::print(&format!(
            "{DOUBLE}\n  OAuth2 Bootstrap for All Sites\n{DOUBLE}\n\nFound {count} site(s): {names}\n"
        ))?;
        let mut failed = false;
        for site in sites {
            answer::print(&format!("{SINGLE}\nProcessing site: {site}\n{SINGLE}\n"))?;
            let said = match self.one(shell, &site).await {
                Ok(result) => format!("✅ SUCCESS for {site}\n\n{}\n", pretty(&result)),
                Err(error) => {
                    failed = true;
                    answer::note(&format!("{site}: {}", advice::text(&error)));
                    format!("❌ FAILED for {site}\n")
                }
            };
            answer::print(&said)?;
        }
        if failed { Err(Said.into()) } else { Ok(()) }
    }

    async fn all_in_json(&self, shell: &Shell, sites: Vec<String>) -> anyhow::Result<()> {
        let mut failed = false;
        let mut results = Vec::new();
        for site in sites {
            results.push(match self.one(shell, &site).await {
                Ok(result) => result,
                Err(error) => {
                    failed = true;
                    answer::note(&format!("{site}: {}", advice::text(&error)));
                    json!({"ok": false, "site": site, "error": format!("{error:#}")})
                }
            });
        }
        shell.print(&Answer::new("", Value::Array(results)))?;
        if failed { Err(Said.into()) } else { Ok(()) }
    }

    async fn one(&self, shell: &Shell, name: &str) -> anyhow::Result<Value> {
        let site = shell.open(name).await?;
        let result = Box::pin(self.on(&site)).await;
        site.close().await;
        result
    }

    async fn on(&self, site: &OpenSite) -> anyhow::Result<Value> {
        let apps = installed(site.ctx.provider.database()).await?;
        if !apps.iter().any(|app| app.name == crema_crm::NAME) {
            return Err(Advised::error(
                format!("the app crm is not installed on {}", site.name),
                format!("Install it: crema --site {} install-app crm", site.name),
            ));
        }
        let options = Options {
            print_client_secret: self.print_secrets,
            generate_user_keys: self.generate_user_keys,
        };
        let caller = Caller::administrator(&site.ctx);
        Ok(bootstrap_site(&site.ctx, &caller, options).await?)
    }
}

fn pretty(result: &Value) -> String {
    serde_json::to_string_pretty(result).unwrap_or_default()
}
