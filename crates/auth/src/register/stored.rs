//! What is registered, as the record has it.

use std::collections::BTreeMap;

use crema_crypto::Secret;
use crema_document::LocalTime;
use crema_protocol::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crema_protocol::registration::{ApplicationType, ClientMetadata};
use serde_json::{Map, Value as Json};

use crate::{Ctx, Failure, client};

/// A registration, as it is answered to the client.
#[derive(Debug)]
pub struct Registered {
    /// The client's id.
    pub client_id: String,
    /// When it registered, in seconds of UTC.
    pub issued_at: i64,
    /// A secret that was just made; it is shown this once.
    pub client_secret: Option<Secret<String>>,
    /// The token that manages the registration.
    pub registration_access_token: Secret<String>,
    /// Everything that is registered.
    pub metadata: ClientMetadata,
}

/// The registration as it is in the database now.
pub(super) async fn registered(
    ctx: &Ctx,
    client_id: &str,
    client_secret: Option<Secret<String>>,
    registration_access_token: Secret<String>,
) -> Result<Registered, Failure> {
    let (fields, creation) = client::show_with_creation(ctx, client_id).await?;
    let made = creation.map_or(ctx.now, |local| {
        let zone = ctx.provider.site().time_zone();
        zone.timestamp(LocalTime::from_micros(local))
    });
    Ok(Registered {
        client_id: client_id.to_owned(),
        issued_at: made.seconds(),
        client_secret,
        registration_access_token,
        metadata: metadata(&fields),
    })
}

/// The metadata that a record stands for: the way back from `client_fields`.
fn metadata(fields: &Map<String, Json>) -> ClientMetadata {
    let text = |field: &str| fields.get(field).and_then(Json::as_str).unwrap_or_default();
    let some = |field: &str| Some(text(field).to_owned()).filter(|text| !text.is_empty());
    let words = |field: &str| -> Vec<String> {
        let words = text(field).split_ascii_whitespace();
        words.map(str::to_owned).collect()
    };
    let grants = words("grant_types");
    ClientMetadata {
        redirect_uris: words("redirect_uris"),
        token_endpoint_auth_method: AuthMethod::from_label(text("token_endpoint_auth_method")),
        grant_types: grants
            .iter()
            .filter_map(|name| GrantType::from_name(name))
            .collect(),
        response_types: vec!["code".to_owned()],
        application_type: ApplicationType::from_label(text("application_type")).unwrap_or_default(),
        client_name: some("app_name"),
        localized: localized(text("localized_texts")),
        client_uri: some("client_uri"),
        logo_uri: some("logo_uri"),
        tos_uri: some("tos_uri"),
        policy_uri: some("policy_uri"),
        scope: Some(words("scopes").join(" ")),
        contacts: text("contacts").lines().map(str::to_owned).collect(),
        software_id: some("software_id"),
        software_version: some("software_version"),
        id_token_signed_response_alg: IdTokenAlgorithm::from_name(text(
            "id_token_signed_response_alg",
        )),
        post_logout_redirect_uris: words("post_logout_redirect_uris"),
    }
}

/// The texts in several languages; what an administrator has broken is left out.
fn localized(text: &str) -> BTreeMap<String, String> {
    let members: BTreeMap<String, Json> = serde_json::from_str(text).unwrap_or_default();
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}
