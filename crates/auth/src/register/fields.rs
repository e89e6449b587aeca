//! From what a client says about itself to the fields of its record.

use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::registration::ClientMetadata;
use crema_protocol::scope::Scope;
use serde_json::{Map, Value};

use crate::client::ClientFields;
use crate::settings::Settings;

/// What a client that nobody has vouched for gets of the scopes that it asks for, or all that
/// such clients may have when it asks for none.
///
/// # Errors
/// `invalid_client_metadata` when nothing is left.
// spec: http.md, register_client, "Registered clients may ask for the scopes that OAuth Settings allow"
pub(crate) fn allowed_scope(
    metadata: &ClientMetadata,
    settings: &Settings,
) -> Result<Scope, OAuthError> {
    let allowed = Scope::from_registered(&settings.registration_scopes.join(" "));
    let granted = match metadata.scope.as_deref() {
        None => allowed,
        Some(text) => Scope::from_registered(text).within(&allowed),
    };
    if granted.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidClientMetadata,
            "scope has nothing that clients that register themselves may ask for.",
        ));
    }
    Ok(granted)
}

/// The fields of an OAuth Client for what a client says about itself, within what OAuth Settings
/// allow to clients that nobody has vouched for. Members that it leaves out are emptied, so that
/// a record can be brought up to date with them.
///
/// # Errors
/// `invalid_client_metadata` when no scope is left.
pub(crate) fn client_fields(
    metadata: &ClientMetadata,
    settings: &Settings,
) -> Result<ClientFields, OAuthError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let first = metadata.redirect_uris.first().cloned().unwrap_or_default();
    let grants: Vec<&str> = metadata
        .grant_types
        .iter()
        .map(|one| one.as_str())
        .collect();
    let algorithm = metadata.id_token_signed_response_alg.unwrap_or_default();
    Ok(ClientFields::new()
        .with("app_name", metadata.display_name())
        .with("localized_texts", localized_texts(metadata))
        .with("application_type", metadata.application_type.label())
        .with("redirect_uris", metadata.redirect_uris.join("\n"))
        .with("default_redirect_uri", first)
        .with(
            "post_logout_redirect_uris",
            metadata.post_logout_redirect_uris.join("\n"),
        )
        .with("token_endpoint_auth_method", metadata.auth_method().label())
        .with("grant_types", grants.join(" "))
        .with("scopes", allowed_scope(metadata, settings)?.to_string())
        .with("id_token_signed_response_alg", algorithm.as_str())
        .with("client_uri", text(&metadata.client_uri))
        .with("logo_uri", text(&metadata.logo_uri))
        .with("tos_uri", text(&metadata.tos_uri))
        .with("policy_uri", text(&metadata.policy_uri))
        .with("contacts", metadata.contacts.join("\n"))
        .with("software_id", text(&metadata.software_id))
        .with("software_version", text(&metadata.software_version)))
}

/// The texts in several languages as one JSON object; empty when there are none.
fn localized_texts(metadata: &ClientMetadata) -> String {
    if metadata.localized.is_empty() {
        return String::new();
    }
    let members = metadata.localized.iter();
    let object: Map<String, Value> = members
        .map(|(name, text)| (name.clone(), Value::from(text.as_str())))
        .collect();
    Value::Object(object).to_string()
}
