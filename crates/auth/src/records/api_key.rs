//! API Key as a document, kept by [`crate::api_key`]: the secret stands in the answer of the
//! request that made the key, once.

use std::sync::Arc;

use crema_document::documents::{Documents, Keeper, Kept};
use crema_document::{DocumentError, Reason, Timestamp};
use crema_store::{BoxFuture, Sql, params};
use serde_json::{Map, Value as Json};

use super::View;
use super::error::failed;
use super::values::{flag, int, missing, text};
use crate::api_key::{self, ApiKeyChange, DOCTYPE, NewApiKey};

static MODIFIED: Sql = Sql::new(r#"SELECT modified FROM "tabAPI Key" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&MODIFIED];

/// The keeper of API Key.
pub(super) struct Keys(pub(super) Arc<View>);

impl Keeper for Keys {
    fn insert<'a>(
        &'a self,
        documents: &'a Documents,
        values: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>> {
        Box::pin(async move {
            let doctype = documents.doctype(DOCTYPE)?;
            let title = text(&values, "title").trim();
            if title.is_empty() {
                return missing(&doctype, "title");
            }
            // Who says nothing else makes a key for themselves, that opens everything.
            let or = |member: &str, other: &str| match text(&values, member).trim() {
                "" => other.to_owned(),
                given => given.to_owned(),
            };
            let new = NewApiKey {
                title: title.to_owned(),
                user: or("user", self.0.by()),
                scopes: or("scopes", "all"),
                expires_at: end(&values),
                restrict_ip: or("restrict_ip", ""),
                enabled: !values.contains_key("enabled") || flag(&values, "enabled"),
            };
            let made = api_key::create(&self.0.ctx, &self.0.caller, new);
            let pair = made.await.map_err(failed)?;
            let secret = Json::from(pair.api_secret.expose().as_str());
            Ok(Kept {
                name: pair.name,
                reveal: Map::from_iter([("api_secret".to_owned(), secret)]),
            })
        })
    }

    fn update<'a>(
        &'a self,
        _documents: &'a Documents,
        name: &'a str,
        modified: Option<String>,
        values: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>> {
        Box::pin(async move {
            self.refuse_changed(name, modified).await?;
            let given = |member: &str| {
                values
                    .contains_key(member)
                    .then(|| text(&values, member).to_owned())
            };
            let change = ApiKeyChange {
                title: given("title"),
                scopes: given("scopes"),
                expires_at: values.contains_key("expires_at").then(|| end(&values)),
                restrict_ip: given("restrict_ip"),
                enabled: values
                    .contains_key("enabled")
                    .then(|| flag(&values, "enabled")),
            };
            let done = api_key::change(&self.0.ctx, &self.0.caller, name, change);
            done.await.map_err(failed)?;
            Ok(Kept {
                name: name.to_owned(),
                reveal: Map::new(),
            })
        })
    }

    fn delete<'a>(
        &'a self,
        _documents: &'a Documents,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            let done = api_key::revoke(&self.0.ctx, &self.0.caller, name);
            done.await.map_err(failed)
        })
    }
}

impl Keys {
    async fn refuse_changed(
        &self,
        name: &str,
        modified: Option<String>,
    ) -> Result<(), DocumentError> {
        let Some(modified) = modified else {
            return Ok(());
        };
        let database = self.0.ctx.provider.database();
        let row = database.row(&MODIFIED, params![name]).await?;
        let stored = row.as_ref().map(|row| row.opt_datetime(0)).transpose()?;
        let stored = stored.flatten().map(crema_document::LocalTime::from_micros);
        if stored.is_some_and(|stored| stored.to_string() != modified) {
            return Err(DocumentError::refused(
                Reason::TimestampMismatch,
                "Error: Document has been modified after you have opened it. \
                 Please refresh to get the latest document.",
            ));
        }
        Ok(())
    }
}

/// When the key ends; 0 is never.
fn end(values: &Map<String, Json>) -> Option<Timestamp> {
    match int(values, "expires_at") {
        0 => None,
        micros => Some(Timestamp::from_micros(micros)),
    }
}
