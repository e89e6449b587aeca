//! Clients that registered themselves and that nobody uses: they go with all that is theirs.
// spec: http.md, register_client, "unused ones are removed after 30 days"

use std::sync::Arc;

use crema_document::version;
use crema_store::{Transaction, Value};

use super::rules::Kind;
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure, client, hundred};

/// Removes those of the clients that are due still. `bounds` are those of the rule.
pub(super) async fn remove(
    ctx: &Ctx,
    bounds: Vec<Value>,
    clients: Vec<String>,
) -> Result<u64, Failure> {
    let entry = |client: String| {
        let entry = Entry::new(ctx, Operation::ClientChanged, Status::Success)
            .client(&client)
            .detail("change", "deleted")
            .detail("reason", "unused");
        (client, entry)
    };
    let entries: Vec<(String, Entry)> = clients.into_iter().map(entry).collect();
    let job = Arc::new((bounds, entries));
    let now = ctx.now;
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (bounds, entries) = &*job;
                let mut removed = 0;
                for (client, entry) in entries {
                    if delete(tx, bounds, client).await? {
                        client::remove(tx, client, now).await?;
                        audit::record(tx, entry).await?;
                        removed += 1;
                    }
                }
                if removed > 0 {
                    version::bump(tx).await?;
                }
                Ok(removed)
            })
        })
        .await
}

/// Whether the client was due still, and its record is gone.
async fn delete(tx: &mut Transaction, bounds: &[Value], client: &str) -> Result<bool, Failure> {
    let values = hundred::values(bounds, &[client.to_owned()]);
    Ok(tx.execute(&Kind::Clients.rule().delete, values).await? > 0)
}
