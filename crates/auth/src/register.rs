//! Dynamic client registration and its management.
//!
//! RFC 7591, RFC 7592. Records: OAuth Client, Registration Access Token, Activity Log.

use crema_protocol::registration::ClientMetadata;

use crate::client::ClientFields;
use crate::settings::Settings;

/// The fields of an OAuth Client for what a client says about itself, within what OAuth Settings
/// allow to clients that nobody has vouched for.
#[expect(dead_code, reason = "the endpoint comes next")]
pub(crate) fn client_fields(metadata: &ClientMetadata, settings: &Settings) -> ClientFields {
    let _ = (metadata, settings);
    ClientFields::new()
}
