//! `last_used` of access tokens, written behind the requests that used them.
//!
//! The first use starts one writer; what is used while that waits for its commit goes into the
//! next one. So there is at most one such write under way in a process, however many requests
//! come, and none of them waits for it. Records: OAuth Bearer Token (`last_used`).
// spec: security.md, Audit, "`last_used` is written behind, at most every 10 minutes"

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crema_document::LocalTime;
use crema_store::{Database, Sql, Value};

use crate::Failure;
use crate::hundred::{self, HUNDRED, marks};

static TOUCH: Sql = Sql::new(concat!(
    r#"UPDATE "tabOAuth Bearer Token" SET last_used = ? WHERE name IN ("#,
    marks!(),
    ")"
));

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&TOUCH];

/// So many tokens may wait to be written; the use of a further one is written another time.
const WAITING: usize = 20_000;

/// The uses that were not written yet.
#[derive(Default)]
pub(crate) struct LastUsed {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Names of tokens with the moment of their use.
    waiting: BTreeMap<String, LocalTime>,
    /// Somebody writes, and looks here again when done.
    writing: bool,
}

impl LastUsed {
    /// Has it written that the token of that name was used now.
    pub(crate) fn note(self: &Arc<Self>, database: &Database, name: &str, now: LocalTime) {
        let mut state = self.state();
        if state.waiting.len() < WAITING {
            state.waiting.insert(name.to_owned(), now);
        }
        if !std::mem::replace(&mut state.writing, true) {
            tokio::spawn(write_all(Arc::clone(self), database.clone()));
        }
    }

    /// At most a hundred uses in the order of their names, and the latest moment among them; it
    /// is near enough for all. `None` ends the writing.
    fn take(&self) -> Option<(LocalTime, Vec<String>)> {
        let mut state = self.state();
        let rest = match state.waiting.keys().nth(HUNDRED).cloned() {
            Some(first) => state.waiting.split_off(&first),
            None => BTreeMap::new(),
        };
        let taken = std::mem::replace(&mut state.waiting, rest);
        let latest = taken.values().max().copied();
        state.writing = latest.is_some();
        Some((latest?, taken.into_keys().collect()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write_all(uses: Arc<LastUsed>, database: Database) {
    while let Some((latest, names)) = uses.take() {
        let values = hundred::values(&[Value::from(latest)], &names);
        let written: Result<u64, Failure> = database
            .write(move |tx| {
                let values = values.clone();
                Box::pin(async move { Ok(tx.execute(&TOUCH, values).await?) })
            })
            .await;
        if let Err(failure) = written {
            // The next use of each is written instead.
            tracing::warn!(%failure, "last_used was not written");
        }
    }
}
