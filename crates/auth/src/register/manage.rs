//! Reading, replacing and removing one's own registration (RFC 7592 §2).
//!
//! Records: OAuth Client, Registration Access Token, OAuth Consent.

use std::sync::Arc;

use crema_crypto::{hash_hex, random_token};
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::registration::ClientMetadata;
use crema_store::{Sql, params};
use serde_json::Value as Json;

use super::access::{Managed, authorize};
use super::stored::{self, Registered};
use super::{Presented, as_metadata_error, client_fields, limit, metadata, open};
use crate::client::{self, Along};
use crate::user::GUEST;
use crate::{Ctx, Failure};

/// Before consents are forgotten: none is being given meanwhile.
static LOCK: Sql = Sql::new(r#"SELECT name FROM "tabOAuth Client" WHERE name = ? {lock}"#);
static FORGET_CONSENTS: Sql = Sql::new(r#"DELETE FROM "tabOAuth Consent" WHERE client = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&LOCK, &FORGET_CONSENTS];

/// What is registered for the client. Its secret is not told again.
///
/// # Errors
/// [`Failure::NotFound`] while registration is switched off; `invalid_token` for a token that is
/// not the client's; [`Failure::Permission`] for a disabled client.
pub async fn read(
    ctx: &Ctx,
    presented: Presented<'_>,
    client_id: &str,
) -> Result<Registered, Failure> {
    open(ctx).await?;
    let managed = authorize(ctx, presented, client_id).await?;
    stored::registered(ctx, client_id, None, managed.token).await
}

/// Puts other metadata in the place of what is registered. The token that was presented ends; the
/// answer has its successor.
///
/// # Errors
/// As [`read`]; the errors of RFC 7591 §3.2.2; [`Failure::TooMany`] beyond the limit of the
/// address.
pub async fn replace(
    ctx: &Ctx,
    presented: Presented<'_>,
    client_id: &str,
    body: &[u8],
) -> Result<Registered, Failure> {
    let settings = open(ctx).await?;
    let managed = authorize(ctx, presented, client_id).await?;
    limit::admit(ctx).await?;
    let (metadata, body) = metadata(body, &settings)?;
    check_identity(ctx, &managed, client_id, &body)?;
    let mut fields = client_fields(&metadata, &settings)?;
    let leads_elsewhere = leads_elsewhere(&managed, &metadata);
    if leads_elsewhere || managed.client.is_public() != metadata.is_public() {
        // Whoever vouched for the client did so for where it sent people then, and for how it
        // proves itself: a public client that leads to a device is never trusted so.
        fields.set("skip_authorization", "0");
    }
    // What users allowed was another application, as far as they could see.
    let is_another = leads_elsewhere || managed.client.app_name != metadata.display_name();
    let token = random_token(&*ctx.provider.environment().entropy);
    let along = rotation(ctx, &managed, hash_hex(token.expose()), is_another);
    let changed = client::update_along(ctx, GUEST, client_id, fields, None, Some(along))
        .await
        .map_err(as_metadata_error)?;
    let secret = changed.and_then(|changed| changed.client_secret);
    stored::registered(ctx, client_id, secret, token).await
}

/// Whether people could be sent to places that were not registered before.
fn leads_elsewhere(managed: &Managed, metadata: &ClientMetadata) -> bool {
    let before = &managed.client.rules.redirect_uris;
    metadata
        .redirect_uris
        .iter()
        .any(|uri| !before.contains(uri))
}

fn rotation(ctx: &Ctx, managed: &Managed, new: String, is_another: bool) -> Along {
    let now = (ctx.now, ctx.provider.site().local(ctx.now));
    let client = managed.client.name.clone();
    let job = Arc::new((managed.record.clone(), new, client));
    Arc::new(move |tx| {
        let job = Arc::clone(&job);
        Box::pin(async move {
            let (record, new, client) = &*job;
            record.rotate(tx, new, now).await?;
            if is_another {
                tx.row(&LOCK, params![client]).await?;
                tx.execute(&FORGET_CONSENTS, params![client]).await?;
            }
            Ok(())
        })
    })
}

/// The body has to name the client, and its secret only if it is the right one.
// spec: RFC 7592 §2.2
fn check_identity(
    ctx: &Ctx,
    managed: &Managed,
    client_id: &str,
    body: &Json,
) -> Result<(), OAuthError> {
    let refuse = |text| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, text));
    if body.get("client_id").and_then(Json::as_str) != Some(client_id) {
        return refuse("client_id has to be that of the client, and cannot be changed.");
    }
    match body.get("client_secret") {
        None | Some(Json::Null) => Ok(()),
        Some(Json::String(secret)) if managed.client.secret_matches(secret, ctx.now) => Ok(()),
        Some(_) => refuse("client_secret is not that of the client."),
    }
}

/// Removes the client; its tokens, codes and consents end with it.
///
/// # Errors
/// As [`read`].
pub async fn remove(ctx: &Ctx, presented: Presented<'_>, client_id: &str) -> Result<(), Failure> {
    open(ctx).await?;
    let managed = authorize(ctx, presented, client_id).await?;
    let record = managed.record;
    let along: Along = Arc::new(move |tx| {
        let record = record.clone();
        Box::pin(async move { record.hold(tx).await })
    });
    client::delete_along(ctx, GUEST, client_id, Some(along)).await
}
