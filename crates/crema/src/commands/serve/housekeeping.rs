//! What nobody asks for: expired rows of open sites are cleared every few minutes.

use std::sync::Arc;
use std::time::Duration;

use crema_auth::{Ctx, Failure, lockout, session};
use crema_web::Sites;
use tokio::time::MissedTickBehavior;

use crate::shell;

const EVERY: Duration = Duration::from_secs(300);

/// Runs until it is dropped.
pub(super) async fn run(sites: Arc<Sites>) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, when no site is open yet.
    interval.tick().await;
    loop {
        interval.tick().await;
        for provider in sites.opened() {
            let site = Arc::clone(provider.site());
            // One that was dropped meanwhile has no rows any more.
            if !sites.bench().has_site(site.name()) {
                continue;
            }
            let issuer = shell::address(site.name(), site.config().host_name());
            let ctx = shell::context(provider, issuer);
            match clear(&ctx).await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(site = site.name(), rows, "expired rows cleared"),
                Err(error) => {
                    tracing::warn!(site = site.name(), %error, "expired rows were not cleared");
                }
            }
        }
    }
}

async fn clear(ctx: &Ctx) -> Result<u64, Failure> {
    Ok(session::purge(ctx).await? + lockout::purge(ctx).await?)
}
