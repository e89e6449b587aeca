//! `keys list`.

use clap::Args;
use crema_auth::keys;
use crema_document::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// List the signing keys of a site, retired ones too. A key is made when first needed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema keys list")]
pub(crate) struct List {}

impl SiteCommand for List {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for key in keys::list(&site.ctx).await? {
            let retire_at = key.retire_at.map(moment);
            rows.push(vec![
                key.name.clone(),
                key.algorithm.clone(),
                key.status.to_owned(),
                moment(key.active_from),
                retire_at.clone().unwrap_or_default(),
            ]);
            json.push(json!({
                "kid": key.name,
                "algorithm": key.algorithm,
                "status": key.status,
                "created_at": moment(key.created_at),
                "active_from": moment(key.active_from),
                "retire_at": retire_at,
            }));
        }
        let headings = [
            "kid",
            "algorithm",
            "status",
            "signs from",
            "published until",
        ];
        Ok(Answer::new(
            table(&headings, &rows, "No keys yet."),
            Value::Array(json),
        ))
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(moment: Timestamp) -> String {
    Timestamp::from_seconds(moment.seconds()).to_string()
}
