//! `oauth-client show`.

use clap::Args;
use crema_auth::client;
use serde_json::Value;

use super::Named;
use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// Show every field of a client, without its secret.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client show 'Field App'")]
pub(crate) struct Show {
    #[command(flatten)]
    named: Named,
}

impl SiteCommand for Show {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let id = self.named.id(&site.ctx).await?;
        let fields = client::show(&site.ctx, &id).await?;
        let rows: Vec<Vec<String>> = fields
            .iter()
            .map(|(field, value)| vec![field.clone(), shown(value)])
            .collect();
        Ok(Answer::new(
            table(&["field", "value"], &rows, ""),
            Value::Object(fields),
        ))
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.lines().collect::<Vec<_>>().join(" "),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
