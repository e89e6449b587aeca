//! OAuth Client as a document, kept by the code that registration and the command line use too.
//!
//! Its name is always drawn. A `client_secret` or `client_id` that is given is ignored: a secret
//! is made here, with 256 bits, and stands in the answer of the request that made it, once.
// spec: security.md, Clients

use std::sync::Arc;

use crema_document::documents::{Documents, Keeper, Kept};
use crema_document::{DocType, DocumentError, FieldType, Reason};
use crema_store::{BoxFuture, Sql, params};
use serde_json::{Map, Value as Json};

use super::View;
use super::error::failed;
use super::limited;
use super::values::{column, forbidden, missing, text};
use crate::client::{self, ClientFields, CreatedClient, DOCTYPE, NewClient};

static EXISTS: Sql = Sql::new(r#"SELECT name FROM "tabOAuth Client" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&EXISTS];

/// The keeper of OAuth Client.
pub(super) struct Clients(pub(super) Arc<View>);

impl Keeper for Clients {
    fn insert<'a>(
        &'a self,
        documents: &'a Documents,
        values: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>> {
        Box::pin(async move {
            let doctype = documents.doctype(DOCTYPE)?;
            self.refuse_taken(text(&values, "name")).await?;
            require(&doctype, &values)?;
            let fields = fields(&doctype, &values, true);
            self.refuse_to_widen(None, &fields).await?;
            self.refuse_to_lend(None, &fields).await?;
            let new = NewClient {
                fields,
                dynamically_registered: false,
            };
            let made = client::create(&self.0.ctx, self.0.by(), new);
            Ok(kept(made.await.map_err(failed)?))
        })
    }

    fn update<'a>(
        &'a self,
        documents: &'a Documents,
        name: &'a str,
        modified: Option<String>,
        values: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>> {
        Box::pin(async move {
            let doctype = documents.doctype(DOCTYPE)?;
            let fields = fields(&doctype, &values, false);
            let view = &self.0;
            self.refuse_to_widen(Some(name), &fields).await?;
            self.refuse_to_lend(Some(name), &fields).await?;
            let done = client::update_as_of(&view.ctx, view.by(), name, fields, modified);
            match done.await.map_err(failed)? {
                Some(changed) => Ok(kept(changed)),
                None => Err(DocumentError::refused(
                    Reason::TimestampMismatch,
                    "Error: Document has been modified after you have opened it. \
                     Please refresh to get the latest document.",
                )),
            }
        })
    }

    fn delete<'a>(
        &'a self,
        _documents: &'a Documents,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            let done = client::delete(&self.0.ctx, self.0.by(), name);
            done.await.map_err(failed)
        })
    }
}

impl Clients {
    /// A name that is asked for is not given; one that is taken is refused, as Frappe does.
    async fn refuse_taken(&self, name: &str) -> Result<(), DocumentError> {
        if name.is_empty() {
            return Ok(());
        }
        let database = self.0.ctx.provider.database();
        let row = database.row(&EXISTS, params![name]).await?;
        if row.is_some_and(|row| row.text(0).is_ok_and(|stored| stored == name)) {
            let message = format!("{DOCTYPE} {name} already exists");
            return Err(DocumentError::refused(Reason::Duplicate, message));
        }
        Ok(())
    }

    /// A client gets no more from users than the credential that makes or changes it opens, and
    /// asks them: else a credential for clients would get what its user may do by way of a
    /// client of its own. Switching one off takes neither.
    async fn refuse_to_widen(
        &self,
        name: Option<&str>,
        fields: &ClientFields,
    ) -> Result<(), DocumentError> {
        let view = &self.0;
        if !limited::is_limited(view) || is_only_off(fields) {
            return Ok(());
        }
        let stored = match name {
            Some(name) => view.ctx.client_record(name).await.map_err(failed)?,
            None => None,
        };
        let skips = match (fields.get("skip_authorization"), &stored) {
            (Some(given), _) => given.trim() != "0",
            (None, Some(client)) => client.skip_authorization,
            (None, None) => false,
        };
        if skips {
            return forbidden(
                "A client that skips authorization needs a credential that opens everything (all)",
            );
        }
        let scopes = match (fields.get("scopes"), &stored) {
            (Some(given), _) => given.to_owned(),
            (None, Some(client)) => client.rules.scopes.to_string(),
            (None, None) => "all".to_owned(),
        };
        match limited::covers(view, &scopes) {
            true => Ok(()),
            false => forbidden(
                "A client with scopes for more than this request has needs a credential that \
                 opens everything (all)",
            ),
        }
    }

    /// A client with a `user` acts as them, so whoever changes it needs their roles, not only
    /// who puts the user there; and a credential that opens a part of what its user may do
    /// cannot get everything by way of such a client. Switching it off takes neither.
    // spec: security.md, Clients, "never give roles that the person setting them lacks"
    async fn refuse_to_lend(
        &self,
        name: Option<&str>,
        fields: &ClientFields,
    ) -> Result<(), DocumentError> {
        let view = &self.0;
        let user = match (fields.get("user"), name) {
            (Some(given), _) => Some(given.trim().to_owned()),
            (None, Some(name)) => {
                let stored = view.ctx.client_record(name).await.map_err(failed)?;
                stored.and_then(|client| client.user.clone())
            }
            (None, None) => None,
        };
        let Some(user) = user.filter(|user| !user.is_empty() && !is_only_off(fields)) else {
            return Ok(());
        };
        if limited::is_limited(view) {
            return forbidden(
                "A client with a user needs a credential that opens everything (all)",
            );
        }
        let may = client::check_user(&view.ctx, view.by(), &user);
        may.await.map_err(failed)
    }
}

/// Whether a client is switched off and nothing else.
fn is_only_off(fields: &ClientFields) -> bool {
    fields.iter().all(|change| change == ("enabled", "0"))
}

/// What a new client needs, in the words that Frappe has for it. A client that never sends
/// anybody anywhere needs no address to come back to.
fn require(doctype: &DocType, values: &Map<String, Json>) -> Result<(), DocumentError> {
    if text(values, "app_name").trim().is_empty() {
        return missing(doctype, "app_name");
    }
    let acts_alone = ["client_credentials", "password"]
        .iter()
        .any(|grant| text(values, "grant_types").contains(grant));
    let nowhere = ["default_redirect_uri", "redirect_uris"]
        .iter()
        .all(|field| text(values, field).trim().is_empty());
    match nowhere && !acts_alone {
        true => missing(doctype, "default_redirect_uri"),
        false => Ok(()),
    }
}

/// The members that can be set, as text.
fn fields(doctype: &DocType, values: &Map<String, Json>, is_new: bool) -> ClientFields {
    let mut fields = ClientFields::new();
    for field in doctype.fields.iter().filter(|field| !field.read_only) {
        let name = field.fieldname.as_str();
        let Some(value) = values.get(name) else {
            continue;
        };
        let as_text = match value {
            _ if field.fieldtype.is_table() => {
                column(values, name, "role").collect::<Vec<_>>().join("\n")
            }
            _ if field.fieldtype == FieldType::Password => continue,
            Json::Null if is_new => continue,
            Json::Null => field.literal_default().unwrap_or_default().to_owned(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        fields.set(name, as_text);
    }
    fields
}

fn kept(client: CreatedClient) -> Kept {
    let mut reveal = Map::new();
    if let Some(secret) = &client.client_secret {
        reveal.insert(
            "client_secret".to_owned(),
            Json::from(secret.expose().as_str()),
        );
    }
    Kept {
        name: client.client_id,
        reveal,
    }
}
