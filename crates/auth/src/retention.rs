//! What leaves the database by itself, and when: a few rows at a time, beside the requests.
//!
//! A [`Sweep`] goes once over the rows of one [`Kind`] in the order in which they become due. Each
//! batch reads a few keys through an index and deletes them in a short transaction that asks for
//! the condition again. So any number of processes may sweep one database, and a row
//! that was changed in between stays. Whoever sweeps pauses between batches.
//!
//! Nothing that still proves something leaves: hashes of spent codes and refresh tokens stay until
//! their family has ended. Rows without a moment of ours are Frappe's and are left to Frappe.
//! Records: OAuth Client and all that is a client's, OAuth Authorization Code, OAuth Bearer Token,
//! Session (`tabSessions`), Activity Log, `__oauth_family`, `__oauth_spent`, `__login_handle`,
//! `__failure`.
// spec: security.md, Codes and tokens, "Hashes of redeemed codes and rotated tokens stay … until
// the family expires"; Audit, "retention settable"

mod clients;
mod rules;

pub use rules::{Kind, STATEMENTS};

use std::sync::Arc;

use crema_document::Timestamp;
use crema_store::{Transaction, Value, params};

use crate::hundred;
use crate::{Ctx, Failure};
use rules::{DELETE_UNREDEEMED, SLACK, UNREDEEMED};

/// What one batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Rows that were removed. Other processes may have taken some of those that were found.
    pub removed: u64,
    /// There may be more to do.
    pub more: bool,
}

/// One pass over the rows of one kind, from those that are due the longest.
#[derive(Debug, Clone)]
pub struct Sweep {
    kind: Kind,
    /// Where the next batch begins: what stays is not read again in this pass, nor are the
    /// places of the index from which rows have just gone.
    from: i64,
}

impl Sweep {
    /// A pass that has not begun.
    pub fn new(kind: Kind) -> Sweep {
        // Frappe's rows have 0 where ours have a moment.
        Sweep { kind, from: 1 }
    }

    /// What it removes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Removes at most [`Kind::batch_size`] rows that are due at the moment of `ctx`.
    ///
    /// # Errors
    /// When the database refuses. The sweep may go on with the next batch.
    pub async fn batch(&mut self, ctx: &Ctx) -> Result<Batch, Failure> {
        let Some(bounds) = self.kind.bounds(ctx).await? else {
            return Ok(Batch {
                removed: 0,
                more: false,
            });
        };
        let mut values = vec![self.kind.position(self.from)];
        values.extend(bounds);
        let rule = self.kind.rule();
        let database = ctx.provider.database();
        let limit = self.kind.batch_size();
        let mut limited = values.clone();
        limited.extend(params![i64::try_from(limit).unwrap_or(i64::MAX)]);
        let rows = database.rows(&rule.due, limited).await?;
        let Some(last) = rows.last() else {
            return Ok(Batch {
                removed: 0,
                more: false,
            });
        };
        let reached = self.kind.position_of(last)?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(row.text(0)?.to_owned());
        }
        let more = keys.len() == limit;
        // One order for all processes, so that they do not wait for each other in a circle.
        keys.sort_unstable();
        let removed = match self.kind {
            Kind::Clients => clients::remove(ctx, values, keys).await?,
            kind => remove(ctx, kind, values, keys).await?,
        };
        // Many rows at one position that all stay must not hold the pass up.
        self.from = match removed {
            0 => reached.max(self.from).saturating_add(1),
            _ => reached,
        };
        Ok(Batch { removed, more })
    }
}

async fn remove(
    ctx: &Ctx,
    kind: Kind,
    bounds: Vec<Value>,
    keys: Vec<String>,
) -> Result<u64, Failure> {
    let job = Arc::new((hundred::values(&bounds, &keys), keys));
    let ended = ctx.now.minus_seconds(SLACK);
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (values, keys) = &*job;
                if kind == Kind::Codes {
                    remove_unredeemed(tx, keys, ended).await?;
                }
                Ok(tx.execute(&kind.rule().delete, values.clone()).await?)
            })
        })
        .await
}

/// The families of codes that were not redeemed and now cannot be: nothing grew out of them.
async fn remove_unredeemed(
    tx: &mut Transaction,
    codes: &[String],
    ended: Timestamp,
) -> Result<(), Failure> {
    let rows = tx.rows(&UNREDEEMED, hundred::values(&[], codes)).await?;
    let mut families = Vec::with_capacity(rows.len());
    for row in &rows {
        families.extend(row.opt_text(0)?.map(str::to_owned));
    }
    if families.is_empty() {
        return Ok(());
    }
    families.sort_unstable();
    let values = hundred::values(&params![ended], &families);
    tx.execute(&DELETE_UNREDEEMED, values).await?;
    Ok(())
}
