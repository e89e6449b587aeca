//! Social Login Keys: other servers by which people sign in here.
//!
//! The rules and the names of faults are Frappe's; addresses are checked beyond that, because
//! the browser and this server go there. Records: Social Login Key.
// spec: frappe/doctypes.md, Social Login Key

use crema_document::documents::Change;
use crema_document::names::snake_case;
use crema_document::{DocumentError, Reason};
use crema_store::Transaction;
use serde_json::{Map, Value as Json};
use url::Url;

use super::View;
use super::values::{flag, invalid, put, text};
use crate::user::{ADMINISTRATOR, GUEST};

/// Where this server takes people back.
const CALLBACK: &str = "/api/method/frappe.integrations.oauth2_logins.";

/// What is known of a provider by its name.
struct Provider {
    name: &'static str,
    icon: &'static str,
    /// The last part of the callback's path.
    callback: &'static str,
}

const PROVIDERS: &[Provider] = &[
    provider("Office 365", "fa fa-windows", "login_via_office365"),
    provider("GitHub", "fa fa-github", "login_via_github"),
    provider("Google", "fa fa-google", "login_via_google"),
    provider("Facebook", "fa fa-facebook", "login_via_facebook"),
    provider("Frappe", "fa fa-frappe", "login_via_frappe"),
    provider("Salesforce", "fa fa-cloud", "login_via_salesforce"),
    provider("fairlogin", "fa fa-key", "login_via_fairlogin"),
    provider("Keycloak", "fa fa-key", "login_via_keycloak"),
];

const fn provider(name: &'static str, icon: &'static str, callback: &'static str) -> Provider {
    Provider {
        name,
        icon,
        callback,
    }
}

/// The name is that of the provider in snake case.
pub(super) fn prepare(change: &mut Change) -> Result<(), DocumentError> {
    if !change.is_new() {
        return Ok(());
    }
    let name = snake_case(text(&change.after, "provider_name").trim());
    if !name.is_empty() {
        change
            .after
            .insert("name".to_owned(), Json::from(name.as_str()));
        change.name = name;
    }
    Ok(())
}

/// Fills in what is known and refuses what cannot work.
pub(super) async fn check(
    view: &View,
    change: &mut Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    fill(&mut change.after);
    let after = &change.after;
    if flag(after, "custom_base_url") && text(after, "base_url").is_empty() {
        return unset("BaseUrlNotSetError", "Please enter Base URL");
    }
    for (field, error, message) in [
        (
            "authorize_url",
            "AuthorizeUrlNotSetError",
            "Please enter Authorize URL",
        ),
        (
            "access_token_url",
            "AccessTokenUrlNotSetError",
            "Please enter Access Token URL",
        ),
        (
            "redirect_url",
            "RedirectUrlNotSetError",
            "Please enter Redirect URL",
        ),
    ] {
        if text(after, field).is_empty() {
            return unset(error, message);
        }
    }
    if flag(after, "enable_social_login") {
        if text(after, "client_id").is_empty() {
            let message = "Please enter Client ID before social login is enabled";
            return unset("ClientIDNotSetError", message);
        }
        let has_secret = !text(after, "client_secret").is_empty();
        if !has_secret {
            let message = "Please enter Client Secret before social login is enabled";
            return unset("ClientSecretNotSetError", message);
        }
    }
    addresses(view, change)?;
    arguments(after)?;
    default_roles(view, change, tx).await
}

/// Frappe names these faults by exceptions of their own; the name leads the message, so that
/// people who know it find it.
fn unset(error: &str, message: &str) -> Result<(), DocumentError> {
    let message = format!("{message} ({error})");
    Err(DocumentError::refused(Reason::Validation, message))
}

fn fill(after: &mut Map<String, Json>) {
    let provider = text(after, "social_login_provider").to_owned();
    if provider == "Custom" {
        after.insert("custom_base_url".to_owned(), Json::from(1));
    }
    let Some(known) = PROVIDERS.iter().find(|known| known.name == provider) else {
        return;
    };
    put(after, "icon", known.icon);
    if text(after, "redirect_url").is_empty() {
        put(
            after,
            "redirect_url",
            &format!("{CALLBACK}{}", known.callback),
        );
    }
}

/// Addresses that the browser or this server are sent to: http only on a developer's site.
fn addresses(view: &View, change: &Change) -> Result<(), DocumentError> {
    let developer_mode = view.ctx.provider.site().config().developer_mode();
    for field in [
        "base_url",
        "openid_configuration",
        "authorize_url",
        "access_token_url",
        "api_endpoint",
    ] {
        let given = text(&change.after, field);
        if !change.changes(field) || given.is_empty() {
            continue;
        }
        // With a base URL the others may be paths below it.
        let relative =
            field != "base_url" && field != "openid_configuration" && !given.contains("://");
        let joined = match relative {
            true => format!("https://provider.invalid/{}", given.trim_start_matches('/')),
            false => given.to_owned(),
        };
        if !is_address(&joined, developer_mode) {
            let label = super::values::label(&change.doctype, field);
            return invalid(format!("{label} is no https address"));
        }
    }
    let back = text(&change.after, "redirect_url");
    let own = back.starts_with('/') && !back.starts_with("//") && !back.contains('\\');
    let absolute = is_address(back, developer_mode);
    match own || absolute {
        true => Ok(()),
        false => invalid("Redirect URL is a path of this site or an https address"),
    }
}

/// An address that a server may be asked at.
pub(super) fn is_address(text: &str, developer_mode: bool) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let scheme = url.scheme() == "https" || (developer_mode && url.scheme() == "http");
    scheme
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

/// Texts that are sent along are JSON objects.
fn arguments(after: &Map<String, Json>) -> Result<(), DocumentError> {
    for (field, label) in [
        ("api_endpoint_args", "API Endpoint Args"),
        ("auth_url_data", "Auth URL Data"),
    ] {
        let given = text(after, field).trim();
        let is_object = || serde_json::from_str::<Map<String, Json>>(given).is_ok();
        if !given.is_empty() && !is_object() {
            return invalid(format!("{label} is not a JSON object"));
        }
    }
    Ok(())
}

/// Who signs up by this server gets no role that the one who says so lacks.
async fn default_roles(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    if !change.changes("default_roles") {
        return Ok(());
    }
    for role in text(&change.after, "default_roles").split([',', '\n']) {
        let role = role.trim();
        if role.is_empty() {
            continue;
        }
        if [ADMINISTRATOR, GUEST, "All", super::SYSTEM_MANAGER].contains(&role) {
            return invalid(format!("{role} cannot be a role of everybody who signs up"));
        }
        if !crema_document::row::exists(tx, "Role", role).await? {
            return invalid(format!("There is no role {role}"));
        }
        if !view.actor().holds(role) {
            return super::values::forbidden(format!("You do not have the role {role} yourself"));
        }
    }
    Ok(())
}
