//! What the settings of a site may be: OAuth Settings, OAuth Provider Settings, System Settings,
//! Website Settings.
//!
//! Values that are not being changed are left alone: a setting that an earlier version let pass
//! does not stand in the way of another. Records: the singles.

use crema_document::documents::Change;
use crema_document::{DocumentError, TimeZone};
use crema_protocol::scope::Scope;
use url::Url;

use super::View;
use super::values::{forbidden, int, invalid, label, text};
use crate::settings::duration;
use crate::user::{ADMINISTRATOR, GUEST};

const DAY: i64 = 86_400;

/// Numbers with the range that makes sense; those of lifetimes are in seconds.
const RANGES: &[(&str, i64, i64)] = &[
    ("registration_limit", 1, 100_000),
    ("remove_unused_clients_after_days", 0, 3650),
    ("access_token_lifetime", 30, 3650 * DAY),
    ("refresh_token_lifetime", 60, 3650 * DAY),
    ("refresh_token_absolute_lifetime", 60, 3650 * DAY),
    ("refresh_grace_seconds", 0, 300),
    ("previous_secret_overlap", 0, 90 * DAY),
    ("key_rotation_days", 0, 3650),
    ("activity_log_retention_days", 0, 36_500),
    ("token_retention_days", 0, 36_500),
    ("allow_consecutive_login_attempts", 0, 1000),
    ("allow_login_after_fail", 1, 7 * DAY),
    ("login_with_email_link_expiry", 1, 1440),
    ("password_reset_limit", 0, 1000),
    ("reset_password_link_expiry_duration", 0, 30 * DAY),
];

/// Addresses of pages.
const PAGES: &[&str] = &[
    "resource_policy_uri",
    "resource_documentation",
    "resource_tos_uri",
];

/// Checks what changes, and what has to fit together.
pub(super) fn check(view: &View, change: &Change) -> Result<(), DocumentError> {
    let checker = Checker { change };
    for (field, least, most) in RANGES {
        checker.range(field, *least, *most)?;
    }
    for field in PAGES {
        checker.each(field, is_page, "is no http or https address")?;
    }
    for field in ["scopes_supported", "registration_scopes"] {
        checker.each(field, is_scope, "holds something that is no scope")?;
    }
    checker.each(
        "allowed_public_client_origins",
        is_origin,
        "holds something that is no origin, host name or *",
    )?;
    checker.each(
        "allowed_redirect_schemes",
        is_scheme,
        "holds something that is no scheme of URIs that an application can have",
    )?;
    checker.line(
        "session_expiry",
        |text| duration(text).is_some(),
        "is a time of the form HHH:MM",
    )?;
    checker.line(
        "session_absolute_expiry",
        |text| duration(text).is_some(),
        "is a time of the form HHH:MM",
    )?;
    checker.line("language", is_language, "is no language tag such as en")?;
    checker.line(
        "time_zone",
        |name| TimeZone::named(name).is_ok(),
        "is no time zone such as Europe/Zurich",
    )?;
    checker.line("home_page", is_path, "is no path of this site")?;
    checker.line(
        "app_logo",
        is_picture,
        "is no path of this site and no http or https address",
    )?;
    lifetimes(change)?;
    default_role(view, change)
}

struct Checker<'a> {
    change: &'a Change,
}

impl Checker<'_> {
    /// Whether there is such a field and it changes.
    fn changes(&self, field: &str) -> bool {
        self.change.doctype.field(field).is_some() && self.change.changes(field)
    }

    fn range(&self, field: &str, least: i64, most: i64) -> Result<(), DocumentError> {
        if !self.changes(field) {
            return Ok(());
        }
        let number = int(&self.change.after, field);
        if (least..=most).contains(&number) {
            return Ok(());
        }
        let label = label(&self.change.doctype, field);
        invalid(format!("{label} is between {least} and {most}"))
    }

    /// A text is right as a whole.
    fn line(
        &self,
        field: &str,
        right: impl Fn(&str) -> bool,
        fault: &str,
    ) -> Result<(), DocumentError> {
        let given = text(&self.change.after, field);
        if !self.changes(field) || given.is_empty() || right(given) {
            return Ok(());
        }
        invalid(format!("{} {fault}", label(&self.change.doctype, field)))
    }

    /// Every line or word of a text is right.
    fn each(
        &self,
        field: &str,
        right: impl Fn(&str) -> bool,
        fault: &str,
    ) -> Result<(), DocumentError> {
        if !self.changes(field) {
            return Ok(());
        }
        let mut words = text(&self.change.after, field)
            .split([' ', ',', '\n', '\r', '\t'])
            .filter(|word| !word.is_empty());
        match words.all(right) {
            true => Ok(()),
            false => invalid(format!("{} {fault}", label(&self.change.doctype, field))),
        }
    }
}

fn is_page(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(Url::has_host);
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_scope(word: &str) -> bool {
    Scope::parse(word).is_ok()
}

/// `*`, a host name with or without a port, or a whole origin.
fn is_origin(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let Ok(url) = Url::parse(&with_scheme) else {
        return false;
    };
    // Origins of mobile shells (`capacitor://localhost`) are origins too.
    let bare = matches!(url.path(), "" | "/") && !text.ends_with('/');
    url.has_host()
        && bare
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains('*')
}

/// Never a scheme that a browser executes or opens itself.
// spec: http.md, register_client, "never `javascript:`, `data:`"
fn is_scheme(scheme: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    let known = [
        "http",
        "https",
        "javascript",
        "data",
        "vbscript",
        "file",
        "blob",
        "about",
        "view-source",
        "filesystem",
        "ws",
        "wss",
        "ftp",
        "mailto",
        "tel",
    ];
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(letter)
        && !known.contains(&scheme)
}

fn is_language(tag: &str) -> bool {
    tag.len() <= 35
        && tag.starts_with(|c: char| c.is_ascii_alphabetic())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Not of another site: browsers read two slashes, or a backslash, as the beginning of a host.
pub(super) fn is_path(path: &str) -> bool {
    !path.starts_with("//") && !path.contains([':', '\\'])
}

/// Where a picture of this site or of another can be. Pages show it.
pub(super) fn is_picture(address: &str) -> bool {
    let web = ["https://", "http://"];
    address.is_empty()
        || (address.starts_with('/') && is_path(address))
        || web.iter().any(|scheme| address.starts_with(scheme))
}

/// What lives longest lives longest.
fn lifetimes(change: &Change) -> Result<(), DocumentError> {
    let fields = [
        "access_token_lifetime",
        "refresh_token_lifetime",
        "refresh_token_absolute_lifetime",
    ];
    if change.doctype.name != "OAuth Settings" || !fields.iter().any(|one| change.changes(one)) {
        return Ok(());
    }
    let [access, refresh, absolute] = fields.map(|field| int(&change.after, field));
    if refresh < access {
        return invalid("Refresh tokens live shorter than access tokens");
    }
    if absolute < refresh {
        return invalid("Refresh tokens end before an unused one would");
    }
    Ok(())
}

/// Who signs up by themselves does not become a manager, nor anybody whom the one who says so
/// is not.
fn default_role(view: &View, change: &Change) -> Result<(), DocumentError> {
    if change.doctype.name != "Website Settings" || !change.changes("default_role") {
        return Ok(());
    }
    let role = text(&change.after, "default_role");
    if [ADMINISTRATOR, GUEST, "All", super::SYSTEM_MANAGER].contains(&role) {
        return invalid(format!(
            "{role} cannot be the role of everybody who signs up"
        ));
    }
    if !role.is_empty() && !view.actor().holds(role) {
        return forbidden(format!("You do not have the role {role} yourself"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_whole() {
        for good in [
            "*",
            "https://a.example",
            "http://localhost:5173",
            "app.example",
            "app.example:8080",
            "capacitor://localhost",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "https://a.example/",
            "https://a.example/x",
            "https://u:p@a.example",
            "https://*.example",
            "https://",
            "a b",
            "https://a.example?x",
            "a/b",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }

    #[test]
    fn schemes_are_those_of_applications() {
        for good in ["cursor", "vscode-insiders", "com.example.app"] {
            assert!(is_scheme(good), "{good}");
        }
        for bad in [
            "javascript",
            "data",
            "https",
            "Cursor",
            "1a",
            "a:b",
            "",
            "file",
        ] {
            assert!(!is_scheme(bad), "{bad}");
        }
    }

    #[test]
    fn home_pages_are_of_this_site() {
        assert!(is_path("login") && is_path("/app/todo"));
        assert!(!is_path("//evil.example") && !is_path("https://evil.example"));
        assert!(!is_path("/\\evil.example"));
    }
}
