//! `oauth-client report`: whom strict rules would break.

use clap::Args;
use crema_auth::client;
use serde_json::{Value, json};

use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// The enforcement report: what clients under `Observe` were let pass with in the last 30 days,
/// and `Enforce` would refuse.
///
/// A client that does not appear can be set to `enforcement=Enforce`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client report")]
pub(crate) struct Report {}

impl SiteCommand for Report {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for row in client::report(&site.ctx).await? {
            let last = row.last.map(|moment| moment.to_string());
            rows.push(vec![
                row.client_id.clone(),
                row.app_name.clone(),
                row.enforcement.clone(),
                row.violation.clone(),
                row.count.to_string(),
                last.clone().unwrap_or_default(),
            ]);
            json.push(json!({
                "client_id": row.client_id,
                "app_name": row.app_name,
                "enforcement": row.enforcement,
                "violation": row.violation,
                "count": row.count,
                "last": last,
            }));
        }
        let headings = [
            "client_id",
            "app name",
            "rules",
            "would be refused for",
            "times",
            "last",
        ];
        let empty = "Nothing that Enforce would refuse in the last 30 days.";
        Ok(Answer::new(
            table(&headings, &rows, empty),
            Value::Array(json),
        ))
    }
}
