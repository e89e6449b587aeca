//! Dynamic client registration and its management.
//!
//! A client that registers has only said what it is: it gets stricter defaults, scopes within
//! what OAuth Settings allow, and a token with which it may read, replace or remove its own
//! registration. RFC 7591, RFC 7592. Records: OAuth Client, Registration Access Token,
//! `__failure`, Activity Log.
// spec: http.md, register_client; standards.md, E, I

mod access;
mod fields;
pub mod initial;
mod limit;
mod manage;
mod stored;

pub use manage::{read, remove, replace};
pub use stored::Registered;

use std::sync::Arc;

use crema_crypto::{Secret, hash_hex, random_name, random_token};
use crema_document::row::{self, RowHead};
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::json;
use crema_protocol::registration::{self, ClientMetadata};
use crema_store::{Sql, Value};
use serde_json::Value as Json;

use crate::client::{self, Along, NewClient};
use crate::settings::Settings;
use crate::user::GUEST;
use crate::{Ctx, Failure};

pub(crate) use fields::{allowed_scope, client_fields};
pub(crate) use limit::admit;

/// The statements of this module, for the test that prepares each on every database.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [access::STATEMENTS, initial::STATEMENTS, manage::STATEMENTS]
        .into_iter()
        .flatten()
        .copied()
}

/// The DocType of both kinds of tokens.
pub(crate) const TOKEN_DOCTYPE: &str = "Registration Access Token";

/// What a request brought in its `Authorization` header.
#[derive(Clone, Copy)]
pub enum Presented<'a> {
    /// No such header.
    Nothing,
    /// `Bearer`, and this token.
    Bearer(&'a str),
    /// Something else.
    Other,
}

/// Registers a client.
///
/// # Errors
/// [`Failure::NotFound`] while OAuth Settings switch registration off; [`Failure::TooMany`] beyond
/// the limit of the address; `invalid_token` without the initial access token that is needed, and
/// for one that is not good; the errors of RFC 7591 §3.2.2.
pub async fn register(
    ctx: &Ctx,
    presented: Presented<'_>,
    body: &[u8],
) -> Result<Registered, Failure> {
    let settings = open(ctx).await?;
    limit::admit(ctx).await?;
    let initial = initial::presented(ctx, &settings, presented).await?;
    let (metadata, _) = metadata(body, &settings)?;
    let new = NewClient {
        fields: client_fields(&metadata, &settings)?,
        dynamically_registered: true,
    };
    let entropy = &*ctx.provider.environment().entropy;
    let client_id = random_name(entropy);
    let token = random_token(entropy);
    let along = first(ctx, &client_id, &token, initial);
    let made = client::create_along(ctx, GUEST, client_id, new, Some(along))
        .await
        .map_err(as_metadata_error)?;
    stored::registered(ctx, &made.client_id, made.client_secret, token).await
}

/// Whether there is registration at all.
///
/// # Errors
/// [`Failure::NotFound`] while OAuth Settings switch it off.
pub async fn check_open(ctx: &Ctx) -> Result<(), Failure> {
    open(ctx).await.map(drop)
}

/// Registration is open, and who asks sees the settings as of this request.
///
/// # Errors
/// [`Failure::NotFound`] while it is switched off. Registrations that exist cannot be managed
/// then either: who switches it off wants no stranger to change clients.
async fn open(ctx: &Ctx) -> Result<Arc<Settings>, Failure> {
    let settings = ctx.settings().await?;
    match settings.enable_dynamic_client_registration {
        true => Ok(settings),
        false => Err(Failure::NotFound(
            "Clients cannot register themselves here.".to_owned(),
        )),
    }
}

/// The metadata in a body, and the body.
fn metadata(body: &[u8], settings: &Settings) -> Result<(ClientMetadata, Json), OAuthError> {
    let value = json::parse(body)
        .map_err(|error| OAuthError::new(ErrorCode::InvalidClientMetadata, error.to_string()))?;
    let schemes = settings.allowed_redirect_schemes.iter();
    let schemes: Vec<&str> = schemes.map(String::as_str).collect();
    let metadata = ClientMetadata::parse(registration::object(&value)?, &schemes)?;
    Ok((metadata, value))
}

/// What is written before the client: the use of the initial access token, whose last one only
/// one of many at once gets, and the token that manages the registration.
fn first(
    ctx: &Ctx,
    client_id: &str,
    token: &Secret<String>,
    initial: Option<initial::Admission>,
) -> Along {
    let entropy = &*ctx.provider.environment().entropy;
    let head = RowHead::new(
        random_name(entropy),
        GUEST,
        ctx.provider.site().local(ctx.now),
    );
    let fields: Vec<(&'static str, Value)> = vec![
        ("client", client_id.into()),
        ("token", hash_hex(token.expose()).into()),
        ("purpose", "Manage".into()),
        ("status", "Active".into()),
        ("issued_at", ctx.now.into()),
        ("expires_at", Value::Int(0)),
        ("uses_left", Value::Int(-1)),
    ];
    let job = Arc::new((head, fields, initial));
    Arc::new(move |tx| {
        let job = Arc::clone(&job);
        Box::pin(async move {
            let (head, fields, initial) = &*job;
            if let Some(initial) = initial {
                initial.spend(tx).await?;
            }
            Ok(row::insert(tx, TOKEN_DOCTYPE, head, fields.clone()).await?)
        })
    })
}

/// What the record's own rules refuse is refused in the terms of registration.
fn as_metadata_error(failure: Failure) -> Failure {
    match failure {
        Failure::Validation(text) => OAuthError::new(ErrorCode::InvalidClientMetadata, text).into(),
        other => other,
    }
}

/// `invalid_token` (RFC 6750 §3.1), the same for every reason.
fn invalid_token(description: &'static str) -> Failure {
    OAuthError::new(ErrorCode::InvalidToken, description).into()
}
