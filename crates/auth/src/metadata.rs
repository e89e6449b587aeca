//! What the server says about itself: exactly what works at this site.
//!
//! OpenID Connect Discovery §3, RFC 8414 §2, RFC 9728 §2, RFC 7517 §5. Records: OAuth Settings,
//! Social Login Key (read).

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_protocol::client_rules::GrantType;
use crema_protocol::endpoints;
use crema_protocol::metadata::{
    Metadata, ProtectedResource, foreign_issuer, resource_identifier, resource_scopes,
};
use serde_json::Value;

use crate::settings::Settings;
use crate::{Ctx, Failure};

/// The languages of the pages.
const UI_LOCALES: [&str; 3] = ["en", "de", "ar"];
/// How many hexadecimal digits of a document's hash tell it from others.
const TAG: usize = 32;

/// A document as it is sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// JSON.
    pub text: Arc<str>,
    /// An entity tag (RFC 9110 §8.8.3), in quotes: another one for every other text.
    pub tag: Arc<str>,
}

impl Document {
    fn new(document: &Value) -> Document {
        let text = document.to_string();
        let hash = hash_hex(&text);
        let tag = format!("\"{}\"", hash.get(..TAG).unwrap_or(&hash));
        Document {
            text: text.into(),
            tag: tag.into(),
        }
    }
}

/// The documents of a site that depend on nothing but its version and the issuer. They are made
/// once for each: clients ask for nothing more often without a token.
pub(crate) struct KeptDocuments {
    version: u64,
    issuer: String,
    openid_configuration: Document,
    authorization_server: Option<Document>,
    protected_resource: Option<Document>,
}

/// The OpenID Provider's configuration.
///
/// # Errors
/// When the database cannot be read.
pub async fn openid_configuration(ctx: &Ctx) -> Result<Document, Failure> {
    Ok(documents(ctx).await?.openid_configuration.clone())
}

/// The authorization server's metadata, if OAuth Settings show it.
///
/// # Errors
/// When the database cannot be read.
pub async fn authorization_server(ctx: &Ctx) -> Result<Option<Document>, Failure> {
    Ok(documents(ctx).await?.authorization_server.clone())
}

/// The metadata of the site as a protected resource, or of the part of it at this path
/// (RFC 9728 §3.1). `None` while OAuth Settings hide it, for a path that no resource can have, and
/// for `/mcp` while nothing answers there.
///
/// # Errors
/// When the database cannot be read.
pub async fn protected_resource(ctx: &Ctx, path: &str) -> Result<Option<Document>, Failure> {
    if matches!(path, "" | "/") {
        return Ok(documents(ctx).await?.protected_resource.clone());
    }
    let settings = ctx.settings().await?;
    let mcp = endpoints::MCP.path;
    if path.strip_suffix('/').unwrap_or(path) == mcp && !settings.enable_mcp {
        return Ok(None);
    }
    let document = resource(ctx, &settings, path);
    Ok(document.as_ref().map(Document::new))
}

/// The public signing keys.
///
/// # Errors
/// When the database cannot be read or a stored key cannot be decrypted.
pub async fn jwks(ctx: &Ctx) -> Result<Document, Failure> {
    let keyring = ctx.provider.keyring(ctx.version().await?).await?;
    Ok(Document::new(&keyring.jwks(ctx.now)))
}

async fn documents(ctx: &Ctx) -> Result<Arc<KeptDocuments>, Failure> {
    let version = ctx.version().await?;
    let place = ctx.provider.kept_documents();
    if let Some(kept) = place.load_full()
        && kept.version == version
        && kept.issuer == ctx.issuer
    {
        return Ok(kept);
    }
    let settings = ctx.settings().await?;
    let metadata = metadata(ctx, &settings);
    let shown = settings.show_auth_server_metadata;
    let made = Arc::new(KeptDocuments {
        version,
        issuer: ctx.issuer.clone(),
        openid_configuration: Document::new(&metadata.openid_configuration()),
        authorization_server: shown.then(|| Document::new(&metadata.authorization_server())),
        protected_resource: resource(ctx, &settings, "").as_ref().map(Document::new),
    });
    place.store(Some(Arc::clone(&made)));
    Ok(made)
}

fn resource(ctx: &Ctx, settings: &Settings, path: &str) -> Option<Value> {
    if !settings.show_protected_resource_metadata {
        return None;
    }
    let mut authorization_servers = vec![ctx.issuer.clone()];
    let others = settings.other_authorization_servers.iter();
    authorization_servers.extend(others.filter_map(|other| foreign_issuer(&ctx.issuer, other)));
    let resource = ProtectedResource {
        resource: resource_identifier(&ctx.issuer, path)?,
        authorization_servers,
        scopes: resource_scopes(&settings.scopes_supported, &settings.registration_scopes),
        name: settings.resource_name.clone(),
        documentation: settings.resource_documentation.clone(),
        policy_uri: settings.resource_policy_uri.clone(),
        tos_uri: settings.resource_tos_uri.clone(),
    };
    Some(resource.document())
}

fn metadata(ctx: &Ctx, settings: &Settings) -> Metadata {
    let mut metadata = Metadata::new(&ctx.issuer);
    metadata.scopes.clone_from(&settings.scopes_supported);
    metadata
        .registration_scopes
        .clone_from(&settings.registration_scopes);
    metadata.registration = settings.enable_dynamic_client_registration;
    metadata.client_id_metadata_document = settings.enable_client_id_metadata_documents;
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
    metadata
}
