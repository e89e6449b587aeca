//! What the bootstrap makes, as `crm_oauth` in the site's configuration says.

use crema_auth::{Ctx, Failure};
use serde_json::Value as Json;

/// The key in `site_config.json`, or in `common_site_config.json` for all sites.
const KEY: &str = "crm_oauth";

/// The OAuth Client that is wanted.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `OAUTH_APP_NAME`.
    pub(crate) app_name: String,
    /// `DEFAULT_REDIRECT_URIS`.
    pub(crate) redirect_uris: Vec<String>,
    /// `DEFAULT_SCOPES`.
    pub(crate) scopes: String,
    /// `ALLOWED_ROLES`.
    pub(crate) roles: Vec<String>,
}

impl Settings {
    /// Those of the site.
    ///
    /// # Errors
    /// [`Failure::Validation`] that names the key.
    // spec: crm.md, "Settings for it in site config under `crm_oauth` with the names of the
    // guide's appendix A"
    pub(crate) fn of(ctx: &Ctx) -> Result<Settings, Failure> {
        let site = ctx.provider.site();
        let config = site.config();
        let given = match config.get(KEY) {
            None | Some(Json::Null) => None,
            Some(Json::Object(members)) => Some(members),
            Some(_) => return Err(wrong(KEY, "an object")),
        };
        let member = |name: &str| given.and_then(|members| members.get(name));
        let usual = || {
            let callback = callback(site.name(), config.host_name());
            vec!["app.trust://oauth2redirect".to_owned(), callback]
        };
        let roles = || ["Sales User", "Sales Manager", "System Manager"].map(str::to_owned);
        Ok(Settings {
            app_name: text("OAUTH_APP_NAME", member("OAUTH_APP_NAME"), "Mobile App")?,
            redirect_uris: list(
                "DEFAULT_REDIRECT_URIS",
                member("DEFAULT_REDIRECT_URIS"),
                usual,
            )?,
            scopes: text("DEFAULT_SCOPES", member("DEFAULT_SCOPES"), "all openid")?,
            roles: list("ALLOWED_ROLES", member("ALLOWED_ROLES"), || roles().into())?,
        })
    }
}

/// The page of the site that shows what came back.
fn callback(site: &str, host_name: Option<&str>) -> String {
    let host = host_name.unwrap_or(site);
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    format!("https://{}/oauth/callback", host.trim_end_matches('/'))
}

fn text(name: &str, given: Option<&Json>, usual: &str) -> Result<String, Failure> {
    match given {
        None => Ok(usual.to_owned()),
        Some(Json::String(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Some(_) => Err(wrong(&format!("{KEY}: {name}"), "a text")),
    }
}

fn list(
    name: &str,
    given: Option<&Json>,
    usual: impl FnOnce() -> Vec<String>,
) -> Result<Vec<String>, Failure> {
    let Some(given) = given else {
        return Ok(usual());
    };
    let texts = given.as_array().and_then(|items| {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>()
    });
    texts
        .filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.trim().is_empty()))
        .ok_or_else(|| wrong(&format!("{KEY}: {name}"), "a list of texts"))
}

fn wrong(name: &str, what: &str) -> Failure {
    Failure::Validation(format!(
        "{name} in the site's configuration has to be {what}"
    ))
}

#[cfg(test)]
mod tests {
    use super::callback;

    #[test]
    fn the_callback_is_at_the_sites_own_host() {
        for host in [
            None,
            Some("a.example"),
            Some("https://a.example/"),
            Some("http://a.example"),
        ] {
            assert_eq!(
                callback("a.example", host),
                "https://a.example/oauth/callback"
            );
        }
        let elsewhere = callback("site", Some("https://crm.example:8443"));
        assert_eq!(elsewhere, "https://crm.example:8443/oauth/callback");
    }
}
