//! What the server says about itself: exactly what works at this site.
//!
//! OpenID Connect Discovery §3, RFC 8414 §2. Records: OAuth Settings (read).

use crema_protocol::client_rules::GrantType;
use crema_protocol::metadata::Metadata;
use serde_json::Value;

use crate::{Ctx, Failure};

/// The languages of the pages.
const UI_LOCALES: [&str; 3] = ["en", "de", "ar"];

/// The OpenID Provider's configuration document.
///
/// # Errors
/// When the database cannot be read.
pub async fn openid_configuration(ctx: &Ctx) -> Result<Value, Failure> {
    let settings = ctx.settings().await?;
    let mut metadata = Metadata::new(&ctx.issuer);
    metadata.scopes.clone_from(&settings.scopes_supported);
    metadata.ui_locales = UI_LOCALES.map(str::to_owned).to_vec();
    // A client can be given each of these by a switch of its record.
    metadata.optional_grants = vec![
        GrantType::Password,
        GrantType::ClientCredentials,
        GrantType::Implicit,
    ];
    Ok(metadata.openid_configuration())
}
