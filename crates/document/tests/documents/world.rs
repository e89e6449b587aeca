//! A site with the definitions of the tests, and who asks for its documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use crema_document::access::{Actor, Allowed, Reach, UserPermissions};
use crema_document::documents::{Change, Document, Documents, Rules};
use crema_document::passwords::{self, StoredPassword};
use crema_document::{
    Bench, DocumentError, RandomSource, Reason, Refusal, Registry, Site, Timestamp, version,
};
use crema_store::{BoxFuture, Transaction};
use serde_json::{Map, Value};

use crate::definitions::with_tests;
use crate::support::{Engine, NOW, TestDatabase, bench, new_site, random};

/// Makes a test for each engine that runs these cases one after the other on one site.
#[macro_export]
macro_rules! on_one_site {
    ($($case:path),* $(,)?) => {
        $crate::on_every_engine!(cases);

        async fn cases(engine: $crate::support::Engine) {
            let world = $crate::world::World::new(engine).await;
            $($case(&world).await;)*
        }
    };
}

pub(crate) struct World {
    pub(crate) site: Arc<Site>,
    pub(crate) registry: Arc<Registry>,
    random: Arc<dyn RandomSource>,
    _place: TestDatabase,
    _bench: (tempfile::TempDir, Bench),
}

impl World {
    pub(crate) async fn new(engine: Engine) -> World {
        let (place, bench) = (TestDatabase::new(engine), bench());
        let (registry, random) = (with_tests(), random());
        let new = new_site("a.localhost", &place);
        let made = Site::create(
            &bench.1,
            &new,
            Arc::clone(&registry),
            NOW,
            Arc::clone(&random),
        );
        let (site, _) = made.await.unwrap();
        World {
            site: Arc::new(site),
            registry,
            random,
            _place: place,
            _bench: bench,
        }
    }

    /// Documents as somebody sees them.
    pub(crate) fn by(&self, actor: Actor) -> Documents {
        Documents {
            site: Arc::clone(&self.site),
            registry: Arc::clone(&self.registry),
            actor: Arc::new(actor),
            now: NOW,
            random: Arc::clone(&self.random),
            rules: Arc::new(Sealed),
        }
    }

    /// Documents as Administrator sees them.
    pub(crate) fn admin(&self) -> Documents {
        self.by(Actor {
            administrator: true,
            ..actor("Administrator", &[])
        })
    }

    /// Documents as a user with the role All and these sees them.
    pub(crate) fn user(&self, name: &str, roles: &[&str]) -> Documents {
        self.by(actor(name, roles))
    }

    pub(crate) async fn version(&self) -> u64 {
        version::read(self.site.database()).await.unwrap()
    }

    pub(crate) async fn secret(&self, doctype: &str, name: &str, field: &str) -> Option<String> {
        let found = passwords::read(self.site.database(), doctype, name, field);
        let found = found.await.unwrap();
        found.map(|stored| stored.value.expose().to_owned())
    }

    /// How many rows of a table hold a value in a column.
    pub(crate) async fn count(&self, table: &str, column: &str, value: &str) -> usize {
        let dialect = self.site.database().dialect();
        let text = format!(
            "SELECT 1 FROM {} WHERE {} = {}",
            dialect.quote(table),
            dialect.quote(column),
            crema_document::row::placeholder(dialect, 1)
        );
        let statement = crema_store::Statement::new(text, crema_store::params![value]);
        let rows = self.site.database().statement_rows(statement).await;
        rows.unwrap().len()
    }
}

pub(crate) fn actor(name: &str, roles: &[&str]) -> Actor {
    let own = if name == "Guest" { "Guest" } else { "All" };
    Actor {
        user: name.to_owned(),
        roles: roles
            .iter()
            .chain([&own])
            .map(|role| (*role).to_owned())
            .collect(),
        administrator: false,
        user_permissions: Arc::default(),
        reach: Reach::Everything,
    }
}

/// The same user, restricted to documents of a DocType.
pub(crate) fn restricted(actor: Actor, doctype: &str, names: &[&str]) -> Actor {
    let allowed = names.iter().map(|name| Allowed {
        name: (*name).to_owned(),
        applicable_for: None,
    });
    let permissions = UserPermissions {
        allowed: BTreeMap::from([(doctype.to_owned(), allowed.collect())]),
        strict: false,
    };
    Actor {
        user_permissions: Arc::new(permissions),
        ..actor
    }
}

/// Keeps secrets, turned round, as the layers above keep them encrypted.
struct Sealed;

impl Rules for Sealed {
    fn after_write<'a>(
        &'a self,
        _documents: &'a Documents,
        change: &'a Change,
        tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            for (field, secret) in &change.secrets {
                let turned: String = secret.expose().chars().rev().collect();
                let stored = StoredPassword {
                    value: turned.into(),
                    encrypted: true,
                };
                let doctype = &change.doctype.name;
                passwords::set(tx, doctype, &change.name, field, &stored).await?;
            }
            Ok(())
        })
    }
}

/// The members of an object.
pub(crate) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => unreachable!("{other} is no object"),
    }
}

/// The members of an object, written as JSON.
#[macro_export]
macro_rules! values {
    ($($json:tt)+) => { $crate::world::members(serde_json::json!($($json)+)) };
}

pub(crate) fn refusal(result: Result<Document, DocumentError>) -> Refusal {
    match result {
        Err(DocumentError::Refused(refusal)) => refusal,
        other => unreachable!("{other:?} is no refusal"),
    }
}

pub(crate) fn reason(result: Result<Document, DocumentError>) -> Reason {
    refusal(result).reason
}

pub(crate) fn later(documents: &Documents, seconds: i64) -> Documents {
    Documents {
        now: Timestamp::plus_seconds(NOW, seconds),
        ..documents.clone()
    }
}
