//! `uninstall-app`: the DocTypes of an app leave a site.

use clap::Args;
use crema_document::apps::AppError;
use crema_document::apps::installed;
use serde_json::json;

use crate::answer::Answer;
use crate::question::confirm;
use crate::shell::{OpenSite, SiteCommand};

/// Remove an app: its DocTypes are not there any more.
///
/// The tables stay with their data, for the case that the app comes back; --drop-data drops
/// them too, and there is no way back from that. Documents that the app added to other DocTypes
/// stay. It asks first.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema uninstall-app shop --yes")]
pub(crate) struct UninstallApp {
    /// The app.
    #[arg(value_name = "APP")]
    app: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Drop the tables of its DocTypes, with all documents.
    #[arg(long)]
    drop_data: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Make no backup. Accepted for the habit: none is made.
    #[arg(long)]
    no_backup: bool,
}

impl SiteCommand for UninstallApp {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let on_site = site.ctx.provider.site();
        let apps = installed(on_site.database()).await?;
        let Some(app) = apps.into_iter().find(|app| app.name == self.app) else {
            return Err(AppError::NotInstalled(self.app.clone()).into());
        };
        let what = match (self.drop_data, app.doctypes.len()) {
            (true, 1) => "its DocType and every document of it".to_owned(),
            (true, count) => format!("its {count} DocTypes and every document of them"),
            (false, 1) => "its DocType, and leave the table".to_owned(),
            (false, count) => format!("its {count} DocTypes, and leave their tables"),
        };
        let answer = |done: bool, text: String| {
            let json = json!({
                "app": self.app,
                "uninstalled": done,
                "doctypes": app.doctypes,
                "data_dropped": done && self.drop_data,
            });
            Ok(Answer::new(text, json))
        };
        if self.dry_run {
            let names = app.doctypes.join(", ");
            let text = format!("This would remove {} with {what}: {names}", self.app);
            return answer(false, text);
        }
        let question = format!("Remove {} from {} with {what}?", self.app, site.name);
        confirm(&question, self.yes)?;
        on_site.uninstall_app(&self.app, self.drop_data).await?;
        let rest = match self.drop_data {
            true => "Its tables are dropped.",
            false => "Its tables are left as they are; --drop-data drops them.",
        };
        answer(true, format!("App {} is removed. {rest}", self.app))
    }
}
