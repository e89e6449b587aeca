//! What the server says about itself: exactly what works at this site.
//!
//! OpenID Connect Discovery §3, RFC 8414 §2, RFC 9728 §2. Records: OAuth Settings (read).

use std::sync::Arc;

use crema_protocol::client_rules::GrantType;
use crema_protocol::metadata::{Metadata, ProtectedResource};
use serde_json::Value;

use crate::{Ctx, Failure};

/// The languages of the pages.
const UI_LOCALES: [&str; 3] = ["en", "de", "ar"];

/// The OpenID Provider's configuration document as JSON, made once for each version of the site:
/// it is what clients ask for most often without a token.
///
/// # Errors
/// When the database cannot be read.
pub async fn openid_configuration(ctx: &Ctx) -> Result<Arc<str>, Failure> {
    let version = ctx.version().await?;
    let kept = ctx.provider.kept_configuration();
    if let Some(kept) = kept.load_full()
        && kept.version == version
        && kept.issuer == ctx.issuer
    {
        return Ok(Arc::clone(&kept.text));
    }
    let document = metadata(ctx).await?.openid_configuration();
    let text: Arc<str> = document.to_string().into();
    kept.store(Some(Arc::new(KeptDocument {
        version,
        issuer: ctx.issuer.clone(),
        text: Arc::clone(&text),
    })));
    Ok(text)
}

/// A document that depends on nothing but the site's version and the issuer.
pub(crate) struct KeptDocument {
    version: u64,
    issuer: String,
    text: Arc<str>,
}

/// The authorization server's metadata, if OAuth Settings show it.
///
/// # Errors
/// When the database cannot be read.
pub async fn authorization_server(ctx: &Ctx) -> Result<Option<Value>, Failure> {
    if !ctx.settings().await?.show_auth_server_metadata {
        return Ok(None);
    }
    Ok(Some(metadata(ctx).await?.authorization_server()))
}

/// The metadata of the site as a protected resource, if OAuth Settings show it. With a path the
/// resource is that part of the site (RFC 9728 §3.1).
///
/// # Errors
/// When the database cannot be read.
pub async fn protected_resource(ctx: &Ctx, path: &str) -> Result<Option<Value>, Failure> {
    let settings = ctx.settings().await?;
    if !settings.show_protected_resource_metadata {
        return Ok(None);
    }
    let resource = ProtectedResource {
        resource: format!("{}{path}", ctx.issuer),
        authorization_servers: vec![ctx.issuer.clone()],
        scopes: settings.scopes_supported.clone(),
        name: settings.resource_name.clone(),
        documentation: settings.resource_documentation.clone(),
        policy_uri: settings.resource_policy_uri.clone(),
        tos_uri: settings.resource_tos_uri.clone(),
    };
    Ok(Some(resource.document()))
}

async fn metadata(ctx: &Ctx) -> Result<Metadata, Failure> {
    let settings = ctx.settings().await?;
    let mut metadata = Metadata::new(&ctx.issuer);
    metadata.scopes.clone_from(&settings.scopes_supported);
    metadata
        .service_documentation
        .clone_from(&settings.resource_documentation);
    metadata.ui_locales = UI_LOCALES.map(str::to_owned).to_vec();
    // A client can be given each of these by a switch of its record.
    metadata.optional_grants = vec![
        GrantType::Password,
        GrantType::ClientCredentials,
        GrantType::Implicit,
    ];
    Ok(metadata)
}
