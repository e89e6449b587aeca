//! Patches: what a site needs beside its tables, done once and recorded in Patch Log.
//!
//! Forward only. A patch meets a site of any age, also one that Frappe made, and leaves alone
//! what is there already.

mod v0_1;

use std::collections::HashSet;
use std::sync::Arc;

use crema_store::{BoxFuture, Database, StoreError, Transaction, Value, params, statements};

use crate::names::{RandomSource, random_name};
use crate::row::{self, RowHead};
use crate::schema::Change;
use crate::version;
use crate::{LocalTime, Registry, Timestamp};

statements! {
    /// The patches that ran.
    pub(crate) RAN = r#"SELECT "patch" FROM "tabPatch Log""#;
    /// Whether one ran, held until the end of the transaction.
    pub(crate) RAN_ONE = r#"SELECT "name" FROM "tabPatch Log" WHERE "patch" = ? {lock}"#;
}

/// What a patch may use.
#[derive(Clone)]
pub struct PatchContext {
    /// The definitions of the site.
    pub registry: Arc<Registry>,
    /// Randomness for names and identifiers.
    pub random: Arc<dyn RandomSource>,
    /// The moment.
    pub now: Timestamp,
    /// The moment on the site's clock.
    pub local: LocalTime,
}

impl PatchContext {
    /// A name for a new document.
    pub fn name(&self) -> String {
        random_name(&*self.random)
    }

    /// The head of a new document's row, owned by Administrator.
    pub fn head(&self, name: impl Into<String>) -> RowHead {
        RowHead::new(name, "Administrator", self.local)
    }
}

/// One patch.
pub struct Patch {
    /// Its name in Patch Log: `<app>.<version>.<what>`.
    pub name: &'static str,
    /// What it does, in a transaction of its own.
    pub run:
        for<'t> fn(&'t mut Transaction, &'t PatchContext) -> BoxFuture<'t, Result<(), StoreError>>,
}

/// The patches of the program in their order.
pub fn builtin() -> &'static [Patch] {
    v0_1::PATCHES
}

/// The names of the patches in Patch Log.
///
/// # Errors
/// When the database cannot be read.
pub async fn ran(database: &Database) -> Result<HashSet<String>, StoreError> {
    let rows = database.rows(&RAN, Vec::new()).await?;
    rows.iter()
        .filter_map(|row| row.opt_text(0).transpose())
        .map(|patch| Ok(patch?.to_owned()))
        .collect()
}

/// Runs the patches that did not run on this site yet, each in one transaction with its entry
/// in Patch Log.
///
/// # Errors
/// The first failure; what ran before it is done.
pub async fn run(
    database: &Database,
    patches: &'static [Patch],
    context: &PatchContext,
) -> Result<Vec<Change>, StoreError> {
    let ran = ran(database).await?;
    let mut done = Vec::new();
    for patch in patches.iter().filter(|patch| !ran.contains(patch.name)) {
        let context = context.clone();
        let did = database
            .write(move |transaction| {
                let context = context.clone();
                Box::pin(async move { run_one(transaction, patch, &context).await })
            })
            .await?;
        if did {
            done.push(Change::Patch {
                name: patch.name.to_owned(),
            });
        }
    }
    Ok(done)
}

/// Writes into Patch Log that a patch ran which needs more than a transaction: an app's. `false`
/// when it is there already.
///
/// # Errors
/// When the database cannot be written.
pub async fn record(
    database: &Database,
    name: &'static str,
    context: &PatchContext,
) -> Result<bool, StoreError> {
    let context = context.clone();
    database
        .write(move |transaction| {
            let context = context.clone();
            Box::pin(async move { log(transaction, name, &context).await })
        })
        .await
}

/// `false` when another process was faster.
async fn run_one(
    transaction: &mut Transaction,
    patch: &Patch,
    context: &PatchContext,
) -> Result<bool, StoreError> {
    // Every writer of the site takes this row, so two runs of a patch follow each other.
    version::bump(transaction).await?;
    if transaction
        .row(&RAN_ONE, params![patch.name])
        .await?
        .is_some()
    {
        return Ok(false);
    }
    (patch.run)(transaction, context).await?;
    insert(transaction, patch.name, context).await?;
    Ok(true)
}

async fn log(
    transaction: &mut Transaction,
    name: &'static str,
    context: &PatchContext,
) -> Result<bool, StoreError> {
    version::bump(transaction).await?;
    let ran = transaction.row(&RAN_ONE, params![name]).await?.is_some();
    if !ran {
        insert(transaction, name, context).await?;
    }
    Ok(!ran)
}

async fn insert(
    transaction: &mut Transaction,
    name: &str,
    context: &PatchContext,
) -> Result<(), StoreError> {
    let columns = vec![("patch", Value::from(name)), ("skipped", Value::Int(0))];
    row::insert(
        transaction,
        "Patch Log",
        &context.head(context.name()),
        columns,
    )
    .await
}
