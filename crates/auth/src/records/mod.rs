//! Records with rules of their own, as documents: what `document` cannot know about OAuth Client,
//! User and the others.
//!
//! OAuth Client and API Key are kept by the code that the command line and registration use too.
//! Everything else goes through the general code of documents, and the rules here are asked on
//! the way: what a value has to be, what follows from a change in the same transaction, what
//! ends with a record, what the audit trail says.

mod api_key;
mod app;
mod audited;
mod authorization;
mod connected_app;
mod custom_docperm;
mod error;
mod kept_keys;
mod limited;
mod oauth_client;
mod role;
mod secrets;
mod session;
mod settings;
mod social_login_key;
mod todo;
mod user;
mod user_permission;
mod values;

use std::sync::Arc;

use crema_document::DocumentError;
use crema_document::documents::{Change, Documents, Keeper, Rules};
use crema_document::{DocType, access::Actor};
use crema_store::{BoxFuture, Sql, Transaction};
use serde_json::{Map, Value as Json};

use crate::Ctx;
use crate::caller::Caller;

pub use error::{failed, refused};

/// The statements of this module, for the test that prepares each on every database.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [
        oauth_client::STATEMENTS,
        api_key::STATEMENTS,
        authorization::STATEMENTS,
        role::STATEMENTS,
        todo::STATEMENTS,
        user::STATEMENTS,
        user_permission::STATEMENTS,
        app::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The role that keeps the records of a site.
const SYSTEM_MANAGER: &str = "System Manager";

/// The documents of the site for this caller, with the rules of every record.
pub fn documents(ctx: &Ctx, caller: &Caller) -> Documents {
    let site = Arc::clone(ctx.provider.site());
    let environment = ctx.provider.environment();
    let entropy = Arc::clone(&environment.entropy);
    let view = Arc::new(View {
        ctx: ctx.again(),
        caller: caller.clone(),
    });
    Documents {
        registry: site.registry(),
        site,
        actor: Arc::clone(&caller.actor),
        now: ctx.now,
        random: Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes)),
        rules: Arc::new(Records {
            clients: oauth_client::Clients(Arc::clone(&view)),
            keys: api_key::Keys(Arc::clone(&view)),
            view,
        }),
    }
}

/// The request that documents are handled for.
struct View {
    ctx: Ctx,
    caller: Caller,
}

impl View {
    fn actor(&self) -> &Actor {
        &self.caller.actor
    }

    fn by(&self) -> &str {
        &self.caller.user
    }
}

/// The rules of the records of this crate.
struct Records {
    view: Arc<View>,
    clients: oauth_client::Clients,
    keys: api_key::Keys,
}

impl Rules for Records {
    fn keeper(&self, doctype: &str) -> Option<&dyn Keeper> {
        match doctype {
            crate::client::DOCTYPE => Some(&self.clients),
            crate::api_key::DOCTYPE => Some(&self.keys),
            _ => None,
        }
    }

    fn prepare<'a>(
        &'a self,
        _documents: &'a Documents,
        change: &'a mut Change,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            let doctype = change.doctype.name.clone();
            match doctype.as_str() {
                "User" => user::prepare(&self.view, change).await,
                "Social Login Key" => social_login_key::prepare(change),
                "Role" => role::prepare(change),
                "ToDo" => todo::prepare(&self.view, change),
                _ => kept_keys::check(&self.view, change).await,
            }
        })
    }

    fn before_write<'a>(
        &'a self,
        documents: &'a Documents,
        change: &'a mut Change,
        tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            limited::check(&self.view, change)?;
            let doctype = change.doctype.name.clone();
            match doctype.as_str() {
                "User" => user::before_write(&self.view, change, tx).await,
                "OAuth Settings"
                | "OAuth Provider Settings"
                | "System Settings"
                | "Website Settings" => settings::check(&self.view, change),
                "Social Login Key" => social_login_key::check(&self.view, change, tx).await,
                "Connected App" => connected_app::check(&self.view, change),
                "Role" => role::check(change),
                "Custom DocPerm" => custom_docperm::check(&self.view, documents, change),
                "User Permission" => user_permission::check(documents, change, tx).await,
                "ToDo" => todo::fill(change, tx).await,
                _ => kept_keys::check_stored(&self.view, change),
            }
        })
    }

    fn after_write<'a>(
        &'a self,
        _documents: &'a Documents,
        change: &'a Change,
        tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            match change.doctype.name.as_str() {
                "User" => user::after_write(&self.view, change, tx).await?,
                "Role" => role::after_write(change, tx).await?,
                _ => secrets::store(&self.view, change, tx).await?,
            }
            audited::written(&self.view, change, tx).await
        })
    }

    fn before_delete<'a>(
        &'a self,
        _documents: &'a Documents,
        doctype: &'a DocType,
        document: &'a Map<String, Json>,
        tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            let view = &*self.view;
            limited::check_removal(view, doctype)?;
            match doctype.name.as_str() {
                "User" => user::before_delete(view, document, tx).await?,
                "Role" => role::before_delete(document, tx).await?,
                "OAuth Bearer Token" => authorization::token(view, document, tx).await?,
                "OAuth Authorization Code" => authorization::code(view, document, tx).await?,
                "OAuth Consent" => authorization::consent(view, document, tx).await?,
                "Connected App" => app::before_delete(document, tx).await?,
                "Session" => session::before_delete(view, document, tx).await?,
                _ => {}
            }
            audited::removed(view, doctype, document, tx).await
        })
    }
}
