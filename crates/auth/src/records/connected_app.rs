//! Connected Apps: other servers whose tokens this site keeps for its users.
// spec: frappe/doctypes.md, Connected App

use crema_document::DocumentError;
use crema_document::documents::Change;

use super::View;
use super::social_login_key::is_address;
use super::values::{column, invalid, label, put, text};

/// Where the other server sends people back to, with the name of the record behind it.
const CALLBACK: &str =
    "/api/method/frappe.integrations.doctype.connected_app.connected_app.callback/";
/// Parameters that the flow itself sets.
const OWN_PARAMETERS: &[&str] = &[
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "state",
];

/// Computes the redirect URI and refuses addresses that nothing may be sent to.
pub(super) fn check(view: &View, change: &mut Change) -> Result<(), DocumentError> {
    let redirect_uri = format!("{}{CALLBACK}{}", view.ctx.issuer, change.name);
    put(&mut change.after, "redirect_uri", &redirect_uri);
    let developer_mode = view.ctx.provider.site().config().developer_mode();
    for field in [
        "openid_configuration",
        "authorization_uri",
        "token_uri",
        "revocation_uri",
        "userinfo_uri",
        "introspection_uri",
    ] {
        let given = text(&change.after, field);
        if change.changes(field) && !given.is_empty() && !is_address(given, developer_mode) {
            let label = label(&change.doctype, field);
            return invalid(format!("{label} is no https address"));
        }
    }
    let own = column(&change.after, "query_parameters", "key")
        .find(|key| OWN_PARAMETERS.contains(&key.to_ascii_lowercase().as_str()));
    match own {
        Some(key) => invalid(format!("The parameter {key} is set by the flow itself")),
        None => Ok(()),
    }
}
