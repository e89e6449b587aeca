//! Clients whose `client_id` is the address of a document about themselves.
//!
//! draft-ietf-oauth-client-id-metadata-document. The document is looked at where a user is about
//! to be asked, at the authorization endpoint, and nowhere else: a stranger's request leaves
//! nothing behind but a few kilobytes of memory and a count of fetches. When a user allows
//! something, a record is made of it, or brought up to date; the token, revocation and
//! introspection endpoints know the record alone. What the document says is its own for ever
//! after ([`FILLED`]); switches, roles and lifetimes of the record are the administrator's.
//!
//! A document that is gone or broken stops new authorizations. What was granted goes on, because
//! nothing that was granted came from the document alone.
//! Records: OAuth Client, OAuth Client Role, OAuth Consent, Activity Log.

mod fetch;
mod keep;

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_document::DocType;
use crema_protocol::error::OAuthError;
use crema_protocol::metadata_document::{DocumentAddress, MetadataDocument, bad_document};
use crema_store::{Row, Sql, params};

pub(crate) use fetch::Documents;

use super::check::{Surroundings, check};
use super::record::{ClientFields, Record, fault};
use super::{Client, DOCTYPE, LOAD_BY_DOCUMENT, roles_of};
use crate::register::client_fields;
use crate::settings::Settings;
use crate::{Ctx, Failure};

/// The statements of this file and of the files below, for the test that prepares each on every
/// database.
pub(super) static STATEMENTS: &[&Sql] = keep::STATEMENTS;

/// What is the document's besides the fields that it fills.
const ALSO_OWNED: [&str; 4] = ["grant_type", "response_type", "require_pkce", "enforcement"];
/// The fields that a document fills.
const FILLED: [&str; 17] = [
    "app_name",
    "application_type",
    "client_uri",
    "contacts",
    "default_redirect_uri",
    "grant_types",
    "id_token_signed_response_alg",
    "localized_texts",
    "logo_uri",
    "policy_uri",
    "post_logout_redirect_uris",
    "redirect_uris",
    "scopes",
    "software_id",
    "software_version",
    "token_endpoint_auth_method",
    "tos_uri",
];

/// Checks that a change of a record by hand leaves to its document what is the document's: it
/// would not last.
///
/// # Errors
/// [`Failure::Validation`], naming the field.
pub(super) fn refuse_owned(before: &Record, after: &Record) -> Result<(), Failure> {
    if before.text("metadata_document_uri").is_none() {
        return Ok(());
    }
    let changed = |field: &&str| before.value(field) != after.value(field);
    match FILLED
        .iter()
        .chain(&ALSO_OWNED)
        .copied()
        .find(|field| changed(field))
    {
        Some(field) => Err(fault(
            field,
            "follows the metadata document of the client and cannot be changed here",
        )),
        None => Ok(()),
    }
}

/// A client as its document describes it at this moment.
#[derive(Debug)]
pub(crate) struct Described {
    /// With the name of its record, or without one.
    pub(crate) client: Arc<Client>,
    /// Who stands behind it: the host of the address.
    pub(crate) host: String,
    address: DocumentAddress,
    fields: ClientFields,
    standing: Standing,
}

/// How the record stands to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There is none.
    New,
    /// It is to be changed; `known_as` whether users still see the app that they allowed: its
    /// name, and no other places to be sent to.
    Behind { known_as: bool },
    /// It says the same.
    Same,
}

impl Described {
    /// Whether a stored consent, or a switch of the record, can speak for a user. Not for an app
    /// that nobody was shown as it is now.
    pub(crate) fn is_known(&self) -> bool {
        match self.standing {
            Standing::New => false,
            Standing::Behind { known_as } => known_as,
            Standing::Same => true,
        }
    }
}

/// The client at that address. `None` is one that does not exist here: the site takes no such
/// ids, or an administrator has disabled it; then nothing is fetched.
///
/// # Errors
/// The inner error when address or document are not usable, to be shown and never redirected;
/// [`Failure::TooMany`] when this address makes the server fetch too much.
// spec: security.md, Authorization endpoint, "No match, or unknown client: an error page"
pub(crate) async fn describe(
    ctx: &Ctx,
    client_id: &str,
) -> Result<Result<Option<Described>, OAuthError>, Failure> {
    let settings = ctx.settings().await?;
    if !settings.enable_client_id_metadata_documents {
        return Ok(Ok(None));
    }
    let insecure = ctx.provider.site().config().developer_mode();
    let address = match DocumentAddress::parse(client_id, insecure) {
        Ok(address) => address,
        Err(error) => return Ok(Err(error)),
    };
    let row = ctx
        .provider
        .database()
        .row(&LOAD_BY_DOCUMENT, params![hash_hex(address.as_str())])
        .await?;
    let stored = row.as_ref().and_then(|row| record_of(row, &address));
    if stored
        .as_ref()
        .is_some_and(|record| !record.flag("enabled"))
    {
        return Ok(Ok(None));
    }
    let documents = ctx.provider.client_documents();
    let document = match documents.read(ctx, &address, &settings).await? {
        Ok(document) => document,
        Err(error) => return Ok(Err(error)),
    };
    match described(ctx, document, stored, &settings).await {
        Ok(described) => Ok(Ok(Some(described))),
        Err(Failure::Validation(text)) => Ok(Err(bad_document(&text))),
        Err(Failure::OAuth(error)) => Ok(Err(bad_document(&error.description))),
        Err(failure) => Err(failure),
    }
}

async fn described(
    ctx: &Ctx,
    document: MetadataDocument,
    stored: Option<Record>,
    settings: &Settings,
) -> Result<Described, Failure> {
    let doctype = doctype(ctx)?;
    let fields = client_fields(&document.metadata, settings)?;
    let mut record = match &stored {
        Some(record) => record.clone(),
        None => blank(&doctype, &document.address),
    };
    let around = Surroundings {
        settings,
        developer_mode: ctx.provider.site().config().developer_mode(),
    };
    fill(&mut record, &doctype, &fields, &around)?;
    let standing = match &stored {
        None => Standing::New,
        Some(before) => standing(before, &record, &doctype),
    };
    let roles = match record.text("name") {
        Some(name) => roles_of(ctx.provider.database(), name).await?,
        None => Vec::new(),
    };
    Ok(Described {
        client: Arc::new(Client::new(&record, roles)),
        host: document.address.host().to_owned(),
        address: document.address,
        fields,
        standing,
    })
}

fn standing(before: &Record, after: &Record, doctype: &DocType) -> Standing {
    if before.columns(doctype) == after.columns(doctype) {
        return Standing::Same;
    }
    Standing::Behind {
        known_as: is_known_as(before, after),
    }
}

/// Whether users would recognise the app: it has the name that they were shown, and no place to
/// send them to that was not there.
fn is_known_as(before: &Record, after: &Record) -> bool {
    before.text("app_name") == after.text("app_name") && leads_nowhere_new(before, after)
}

/// Whether every redirect URI was one before.
fn leads_nowhere_new(before: &Record, after: &Record) -> bool {
    let were = super::words(before, "redirect_uris");
    let are = super::words(after, "redirect_uris");
    are.iter().all(|uri| were.contains(uri))
}

/// A record that a document is going to fill.
// spec: doctypes.md, "A metadata-document client gets a random name and the hash of its URL"
fn blank(doctype: &DocType, address: &DocumentAddress) -> Record {
    let mut record = Record::with_defaults(doctype);
    record.put("enabled", 1);
    record.put("dynamically_registered", 1);
    record.put("claims_in_id_token", 0);
    record.put("may_introspect", 0);
    record.put("metadata_document_uri", address.as_str());
    record.put("metadata_document_hash", hash_hex(address.as_str()));
    record
}

/// Puts what the document says into a record, under the rules of every client.
fn fill(
    record: &mut Record,
    doctype: &DocType,
    fields: &ClientFields,
    around: &Surroundings<'_>,
) -> Result<(), Failure> {
    record.apply(doctype, fields)?;
    record.put("require_pkce", 1);
    record.put("enforcement", "Enforce");
    check(record, fields, around)
}

fn record_of(row: &Row, address: &DocumentAddress) -> Option<Record> {
    let record = Record::from_row(row);
    (record.text("metadata_document_uri") == Some(address.as_str())).then_some(record)
}

fn doctype(ctx: &Ctx) -> Result<Arc<DocType>, Failure> {
    let doctype = ctx.provider.site().registry().get(DOCTYPE).cloned();
    doctype.ok_or_else(|| Failure::internal("no DocType OAuth Client"))
}
