//! Documents as somebody sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crema_auth::caller::{Caller, Credential};
use crema_auth::records;
use crema_document::access::{Action, Actor, Reach};
use crema_document::documents::{Document, Documents};
use crema_document::{DocumentError, Reason};
use crema_store::Sql;
use serde_json::{Map, Value};

use crate::records_common::TestSite;

pub(crate) const MANAGER: &str = "manager@example.com";
pub(crate) const USER: &str = "user@example.com";
pub(crate) const ADMINISTRATOR: &str = "Administrator";

/// A System Manager and somebody else.
pub(crate) async fn people(site: &TestSite) {
    site.user(MANAGER, &["System Manager"]).await;
    site.user(USER, &["Desk User"]).await;
}

/// The documents of the site for a user who has just signed in.
pub(crate) async fn documents(site: &TestSite, user: &str) -> Documents {
    let ctx = site.ctx();
    records::documents(&ctx, &caller(site, user).await)
}

pub(crate) async fn caller(site: &TestSite, user: &str) -> Caller {
    let ctx = site.ctx();
    let found = ctx.user(user).await.unwrap().unwrap();
    Caller {
        user: user.to_owned(),
        actor: Arc::clone(&found.actor),
        credential: Credential::Session,
        scopes: None,
        auth_time: Some(ctx.now.seconds()),
    }
}

/// The same with a credential that opens this DocType and nothing else.
pub(crate) async fn limited(site: &TestSite, user: &str, doctype: &str) -> Documents {
    let caller = caller(site, user).await;
    let all = [Action::Read, Action::Write, Action::Create, Action::Delete];
    let reach = BTreeMap::from([(doctype.to_owned(), BTreeSet::from(all))]);
    let actor = Actor {
        reach: Reach::Some(reach),
        ..Actor::clone(&caller.actor)
    };
    let caller = Caller {
        actor: Arc::new(actor),
        ..caller
    };
    records::documents(&site.ctx(), &caller)
}

pub(crate) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

pub(crate) async fn insert(
    site: &TestSite,
    by: &str,
    doctype: &str,
    values: Value,
) -> Result<Document, DocumentError> {
    let documents = documents(site, by).await;
    documents.insert(doctype, members(values)).await
}

pub(crate) async fn update(
    site: &TestSite,
    by: &str,
    doctype: &str,
    name: &str,
    values: Value,
) -> Result<Document, DocumentError> {
    let documents = documents(site, by).await;
    documents.update(doctype, name, members(values)).await
}

pub(crate) async fn get(
    site: &TestSite,
    by: &str,
    doctype: &str,
    name: &str,
) -> Result<Document, DocumentError> {
    documents(site, by).await.get(doctype, name).await
}

pub(crate) async fn delete(
    site: &TestSite,
    by: &str,
    doctype: &str,
    name: &str,
) -> Result<(), DocumentError> {
    documents(site, by).await.delete(doctype, name).await
}

/// Why it was refused.
#[track_caller]
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, DocumentError>) -> Reason {
    refusal(result).0
}

#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, DocumentError>) -> (Reason, String) {
    match result {
        Err(DocumentError::Refused(refusal)) => (refusal.reason, refusal.message),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(
    result: Result<T, DocumentError>,
    reason: Reason,
    words: &str,
) {
    let (found, message) = refusal(result);
    assert_eq!(found, reason, "{message}");
    assert!(message.contains(words), "{message}");
}

pub(crate) fn text(document: &Document) -> String {
    serde_json::to_string(&document.values).unwrap()
}

/// The first column of the rows of a statement, as text.
pub(crate) async fn column(site: &TestSite, sql: &'static Sql, of: &str) -> Vec<String> {
    let rows = site.rows(sql, vec![of.into()]).await;
    let text = |row: &crema_store::Row| row.opt_text(0).unwrap().unwrap_or_default().to_owned();
    rows.iter().map(text).collect()
}
