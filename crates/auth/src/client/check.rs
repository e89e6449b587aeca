//! The rules of an OAuth Client record: Frappe's, and those that make it safe.
// spec: security.md, Clients; frappe/doctypes.md, OAuth Client

use crema_protocol::client_rules::{AuthMethod, GrantType, check_pair};
use crema_protocol::redirect_uri::check_registrable;
use crema_protocol::resource_scope::ResourceScope;
use crema_protocol::scope::Scope;
use url::Url;

use super::record::{ClientFields, Record, fault};
use super::{rules, words};
use crate::Failure;
use crate::settings::Settings;

/// The longest address of a page or picture, in bytes.
const URI_LIMIT: usize = 2048;
/// The most redirect URIs that a client may have.
const REDIRECT_URIS: usize = 100;
/// The longest life of anything that a client gets, in seconds: ten years.
const LONGEST_LIFE: i64 = 3650 * 86_400;
/// The longest grace window, in seconds.
const LONGEST_GRACE: i64 = 300;

/// What the rules look at beside the record.
pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a Settings,
    pub(super) developer_mode: bool,
}

/// Brings the fields into their stored form and checks them against each other. `wanted` are
/// those that are being set.
///
/// # Errors
/// [`Failure::Validation`], naming the field.
pub(super) fn check(
    record: &mut Record,
    wanted: &ClientFields,
    around: &Surroundings<'_>,
) -> Result<(), Failure> {
    for field in ["app_name", "scopes"] {
        if record.text(field).is_none() {
            return Err(fault(field, "is required"));
        }
    }
    scopes(record, wanted)?;
    grant_types(record, wanted)?;
    let public = record.text("token_endpoint_auth_method") == Some(AuthMethod::None.label());
    public_client(record, wanted, public);
    redirect_uris(record, around, public)?;
    for field in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        page(record, field)?;
    }
    lifetimes(record, around.settings)?;
    let rules = rules(record);
    rules
        .check_consistency()
        .map_err(|error| Failure::Validation(error.to_string()))?;
    let acts_for_itself = rules.grant_types.contains(&GrantType::ClientCredentials);
    if acts_for_itself && record.text("user").is_none() {
        return Err(fault(
            "user",
            "is required for the client credentials grant",
        ));
    }
    Ok(())
}

fn scopes(record: &mut Record, wanted: &ClientFields) -> Result<(), Failure> {
    let text = record.text("scopes").unwrap_or_default();
    let words: Vec<&str> = text
        .split([' ', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    let scope = Scope::parse(&words.join(" "))
        .map_err(|error| Failure::Validation(format!("scopes: {}", error.description)))?;
    // One that would open nothing is a mistake; what stands there already may stay.
    let mistaken =
        |token: &&str| ResourceScope::is_meant(token) && ResourceScope::parse(token).is_none();
    if wanted.get("scopes").is_some()
        && let Some(token) = scope.iter().find(mistaken)
    {
        let text = format!(
            "has {token}, which opens nothing: write a DocType in snake case with read, write, \
             create, delete or * (crm_task:read), or method: with a dotted path"
        );
        return Err(fault("scopes", &text));
    }
    record.put("scopes", scope.to_string());
    Ok(())
}

/// `grant_types` of ours and Frappe's pair of Grant Type and Response Type say the same. The pair
/// is checked when both are set, completed when one is, and follows from ours otherwise.
fn grant_types(record: &mut Record, wanted: &ClientFields) -> Result<(), Failure> {
    if let (Some(grant), Some(response)) = (wanted.get("grant_type"), wanted.get("response_type")) {
        check_pair(grant, response).map_err(|error| Failure::Validation(error.to_string()))?;
    }
    let asked = match (wanted.get("grant_type"), wanted.get("response_type")) {
        (Some(grant), _) => Some(grant == "Implicit"),
        (None, Some(response)) => Some(response == "Token"),
        (None, None) => None,
    };
    if wanted.get("grant_types").is_some() {
        known_grants(record)?;
    }
    let mut grants = super::grant_types(record);
    grants.insert(GrantType::AuthorizationCode);
    match asked {
        Some(true) => {
            grants.insert(GrantType::Implicit);
        }
        Some(false) if wanted.get("grant_types").is_none() => {
            grants.remove(&GrantType::Implicit);
        }
        Some(false) if grants.contains(&GrantType::Implicit) => {
            return Err(fault(
                "grant_type",
                "has to be Implicit when grant_types names it",
            ));
        }
        _ => {}
    }
    let implicit = grants.contains(&GrantType::Implicit);
    let names: Vec<&str> = grants.iter().map(|grant| grant.as_str()).collect();
    record.put("grant_types", names.join(" "));
    record.put(
        "grant_type",
        if implicit {
            "Implicit"
        } else {
            "Authorization Code"
        },
    );
    record.put("response_type", if implicit { "Token" } else { "Code" });
    Ok(())
}

fn known_grants(record: &Record) -> Result<(), Failure> {
    let text = record.text("grant_types").unwrap_or_default();
    let unknown = text
        .split([' ', ',', '\n', '\t', '\r'])
        .find(|name| !name.is_empty() && GrantType::from_label(name).is_none());
    match unknown {
        Some(name) => Err(fault(
            "grant_types",
            &format!("has an unknown grant type: {name}"),
        )),
        None => Ok(()),
    }
}

/// A client without a secret needs PKCE, unless that is switched off by name.
// spec: security.md, Clients, line 2, "switch `require_pkce`, on by default"
fn public_client(record: &mut Record, wanted: &ClientFields, public: bool) {
    let becomes_public = public && wanted.get("token_endpoint_auth_method").is_some();
    if becomes_public && wanted.get("require_pkce").is_none() {
        record.put("require_pkce", 1);
    }
    if public {
        record.put("may_introspect", 0);
    }
}

fn redirect_uris(
    record: &mut Record,
    around: &Surroundings<'_>,
    public: bool,
) -> Result<(), Failure> {
    let mut uris = words(record, "redirect_uris");
    let default = record.text("default_redirect_uri").map(str::to_owned);
    let default = match (default, uris.first()) {
        (Some(default), None) => {
            uris.push(default.clone());
            Some(default)
        }
        (None, Some(first)) => Some(first.clone()),
        (default, _) => default,
    };
    match &default {
        Some(default) if !uris.contains(default) => {
            return Err(fault(
                "default_redirect_uri",
                "has to be one of redirect_uris",
            ));
        }
        None if needs_redirect(record) => return Err(fault("redirect_uris", "is required")),
        _ => {}
    }
    if uris.len() > REDIRECT_URIS {
        return Err(fault(
            "redirect_uris",
            &format!("has more than {REDIRECT_URIS} entries"),
        ));
    }
    for uri in &uris {
        registrable(uri, "redirect_uris", around, public)?;
    }
    let after_logout = words(record, "post_logout_redirect_uris");
    for uri in &after_logout {
        registrable(uri, "post_logout_redirect_uris", around, public)?;
    }
    record.put("redirect_uris", uris.join("\n"));
    record.put("default_redirect_uri", default);
    record.put("post_logout_redirect_uris", after_logout.join("\n"));
    Ok(())
}

/// A client that only ever asks the token endpoint has nowhere to be sent back to.
fn needs_redirect(record: &Record) -> bool {
    let grants = super::grant_types(record);
    !(grants.contains(&GrantType::ClientCredentials) || grants.contains(&GrantType::Password))
}

fn registrable(
    uri: &str,
    field: &str,
    around: &Surroundings<'_>,
    public: bool,
) -> Result<(), Failure> {
    let schemes: Vec<&str> = around
        .settings
        .allowed_redirect_schemes
        .iter()
        .map(String::as_str)
        .collect();
    // A developer's site may send people to other machines without TLS.
    let judged = match uri.strip_prefix("http://") {
        Some(rest) if around.developer_mode => format!("https://{rest}"),
        _ => uri.to_owned(),
    };
    check_registrable(&judged, public, &schemes)
        .map_err(|error| Failure::Validation(format!("{field}: {uri}: {}", error.description)))
}

fn page(record: &Record, field: &str) -> Result<(), Failure> {
    let Some(text) = record.text(field) else {
        return Ok(());
    };
    let url = Url::parse(text).ok().filter(|url| url.has_host());
    let web = url.is_some_and(|url| matches!(url.scheme(), "http" | "https"));
    if !web || text.len() > URI_LIMIT {
        return Err(fault(field, "is no http or https address"));
    }
    Ok(())
}

fn lifetimes(record: &Record, settings: &Settings) -> Result<(), Failure> {
    let life = |field: &str, of_site: i64| match record.int(field) {
        0 => Ok(of_site),
        own if (1..=LONGEST_LIFE).contains(&own) => Ok(own),
        _ => Err(fault(
            field,
            "is a number of seconds up to ten years, or 0 for the site's",
        )),
    };
    let access = life("access_token_lifetime", settings.access_token_lifetime)?;
    let refresh = life("refresh_token_lifetime", settings.refresh_token_lifetime)?;
    let absolute = life(
        "refresh_token_absolute_lifetime",
        settings.refresh_token_absolute_lifetime,
    )?;
    if refresh < access {
        return Err(fault(
            "refresh_token_lifetime",
            "is shorter than access tokens live",
        ));
    }
    if absolute < refresh {
        return Err(fault(
            "refresh_token_absolute_lifetime",
            "is shorter than an unused refresh token lives",
        ));
    }
    if record.int("refresh_grace_seconds") > LONGEST_GRACE {
        return Err(fault("refresh_grace_seconds", "is longer than 300 seconds"));
    }
    Ok(())
}
