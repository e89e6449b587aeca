//! `last_used` of access tokens and API keys, written behind the requests that used them.
//!
//! The first use starts one writer; what is used while that waits for its commit goes into the
//! next one. So there is at most one such write under way in a process, however many requests
//! come, and none of them waits for it. Records: OAuth Bearer Token, API Key (`last_used`).
// spec: security.md, Audit, "`last_used` is written behind, at most every 10 minutes"

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crema_document::LocalTime;
use crema_store::{Database, Sql, Value};

use crate::hundred::{self, HUNDRED, marks};
use crate::{Ctx, Failure};

static TOUCH_TOKENS: Sql = Sql::new(concat!(
    r#"UPDATE "tabOAuth Bearer Token" SET last_used = ? WHERE name IN ("#,
    marks!(),
    ")"
));
static TOUCH_KEYS: Sql = Sql::new(concat!(
    r#"UPDATE "tabAPI Key" SET last_used = ? WHERE name IN ("#,
    marks!(),
    ")"
));

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&TOUCH_TOKENS, &TOUCH_KEYS];

/// `last_used` is written at most this often, in seconds.
const TOUCH_EVERY: i64 = 600;

/// So many records may wait to be written; the use of a further one is written another time.
const WAITING: usize = 20_000;

/// The uses of one kind of record that were not written yet.
pub(crate) struct LastUsed {
    touch: &'static Sql,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Names of records with the moment of their use.
    waiting: BTreeMap<String, LocalTime>,
    /// Somebody writes, and looks here again when done.
    writing: bool,
}

impl LastUsed {
    /// Of access tokens.
    pub(crate) fn of_tokens() -> LastUsed {
        LastUsed::new(&TOUCH_TOKENS)
    }

    /// Of API keys.
    pub(crate) fn of_keys() -> LastUsed {
        LastUsed::new(&TOUCH_KEYS)
    }

    fn new(touch: &'static Sql) -> LastUsed {
        LastUsed {
            touch,
            state: Mutex::default(),
        }
    }

    /// Has it written that the record of that name is used now, unless the last use that was
    /// written (in microseconds of the site's clock) is recent enough.
    pub(crate) fn touch(self: &Arc<Self>, ctx: &Ctx, name: &str, last: Option<i64>) {
        let now = ctx.provider.site().local(ctx.now);
        let fresh = |last: i64| now.micros().saturating_sub(last) < TOUCH_EVERY * 1_000_000;
        if !last.is_some_and(fresh) {
            self.note(ctx.provider.database(), name, now);
        }
    }

    fn note(self: &Arc<Self>, database: &Database, name: &str, now: LocalTime) {
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
    let touch = uses.touch;
    while let Some((latest, names)) = uses.take() {
        let values = hundred::values(&[Value::from(latest)], &names);
        let written: Result<u64, Failure> = database
            .write(move |tx| {
                let values = values.clone();
                Box::pin(async move { Ok(tx.execute(touch, values).await?) })
            })
            .await;
        if let Err(failure) = written {
            // The next use of each is written instead.
            tracing::warn!(%failure, "last_used was not written");
        }
    }
}
