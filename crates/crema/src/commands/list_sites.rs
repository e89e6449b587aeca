//! `list-sites`.

use clap::Args;
use serde_json::{Value, json};

use crate::answer::{Answer, table};
use crate::shell::Shell;

/// List the sites of the bench, and which one is current.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema list-sites")]
pub(crate) struct ListSites {}

impl ListSites {
    pub(crate) fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let current = shell.bench.current_site();
        let mut rows = Vec::new();
        let mut sites = Vec::new();
        for site in shell.bench.sites()? {
            let is_current = current.as_deref() == Some(&site);
            let mark = if is_current { "yes" } else { "" };
            let (row, json) = match shell.bench.site_config(&site) {
                Ok(config) => {
                    let names: Vec<String> = config
                        .host_name()
                        .map(str::to_owned)
                        .into_iter()
                        .chain(config.domains())
                        .collect();
                    let db_type = config.db_type().name();
                    (
                        vec![
                            site.clone(),
                            mark.to_owned(),
                            db_type.to_owned(),
                            names.join(" "),
                        ],
                        json!({
                            "site": site,
                            "current": is_current,
                            "db_type": db_type,
                            "host_name": config.host_name(),
                            "domains": config.domains(),
                        }),
                    )
                }
                Err(error) => (
                    vec![
                        site.clone(),
                        mark.to_owned(),
                        "broken".to_owned(),
                        error.to_string(),
                    ],
                    json!({"site": site, "current": is_current, "error": error.to_string()}),
                ),
            };
            rows.push(row);
            sites.push(json);
        }
        let empty = "No sites. Make one: crema new-site NAME";
        let text = table(
            &["site", "current", "database", "further names"],
            &rows,
            empty,
        );
        shell.print(&Answer::new(text, Value::Array(sites)))
    }
}
