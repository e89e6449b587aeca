//! Scopes in plain words, for the consent page.

use crema_protocol::resource_scope::{ResourceScope, Verb};

use super::text::Lang;

/// The names of the DocTypes that a name in snake case stands for; none when there is none.
pub type DocTypeNames<'a> = &'a dyn Fn(&str) -> Vec<String>;

/// One thing that an app asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeLine {
    /// The thing, in a few words: `Email`, `Read CRM Task`.
    pub text: String,
    /// What that means, where the words alone do not say it.
    pub detail: Option<&'static str>,
}

impl ScopeLine {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            detail: None,
        }
    }
}

/// The lines for the scopes of a request, in their order, each once. `openid` becomes the
/// details of the profile that it grants, at the end as in Frappe: all four, unless the app
/// asks for `profile`, `email` or `roles` beside it, which then say which.
// spec: http.md, authorize: openid shows as Full Name, Email, User Image, Roles
// spec: http.md, openid_profile: explicit profile, email, roles narrow openid
#[must_use]
pub fn scope_lines(lang: Lang, scopes: &[&str], doctypes: DocTypeNames<'_>) -> Vec<ScopeLine> {
    let has = |scope: &str| scopes.contains(&scope);
    let is_openid = has("openid");
    let mut lines: Vec<ScopeLine> = Vec::new();
    for &scope in scopes {
        let is_detail = is_openid && matches!(scope, "openid" | "profile" | "email" | "roles");
        let line = line(lang, scope, doctypes);
        if !(scope.is_empty() || is_detail || lines.contains(&line)) {
            lines.push(line);
        }
    }
    if is_openid {
        let is_narrow = has("profile") || has("email") || has("roles");
        let details = [
            ("profile", "scope.full_name"),
            ("email", "scope.email"),
            ("profile", "scope.user_image"),
            ("roles", "scope.roles"),
        ];
        let granted = details.iter().filter(|(scope, _)| !is_narrow || has(scope));
        lines.extend(granted.map(|&(_, key)| ScopeLine::new(lang.text(key))));
    }
    lines
}

fn line(lang: Lang, scope: &str, doctypes: DocTypeNames<'_>) -> ScopeLine {
    match scope {
        "all" => ScopeLine {
            text: lang.text("scope.all").to_owned(),
            detail: Some(lang.text("scope.all.detail")),
        },
        "offline_access" => ScopeLine {
            text: lang.text("scope.offline_access").to_owned(),
            detail: Some(lang.text("scope.offline_access.detail")),
        },
        _ => {
            let words = resource(lang, scope, doctypes);
            ScopeLine::new(words.unwrap_or_else(|| titled(scope)))
        }
    }
}

/// The words for `method:<dotted.path>` and `<doctype>:<verb>`: for exactly those scopes that
/// open something. A DocType is called by its own name where the site has it.
fn resource(lang: Lang, scope: &str, doctypes: DocTypeNames<'_>) -> Option<String> {
    let (key, name) = match ResourceScope::parse(scope)? {
        ResourceScope::All => return None,
        ResourceScope::Method(path) => ("scope.call", path.to_owned()),
        ResourceScope::Documents { doctype, verb } => {
            let key = match verb {
                Some(Verb::Read) => "scope.read",
                Some(Verb::Write) => "scope.write",
                Some(Verb::Create) => "scope.create",
                Some(Verb::Delete) => "scope.delete",
                None => "scope.every",
            };
            let names = doctypes(doctype);
            let name = match names.is_empty() {
                true => titled(doctype),
                false => names.join(", "),
            };
            (key, name)
        }
    };
    Some(lang.replaced(key, "name", &name))
}

/// Words that are written in their own way wherever they occur in a name.
const ACRONYMS: [&str; 18] = [
    "API", "CRM", "CSV", "ERP", "HR", "HTML", "HTTP", "ID", "IP", "OAuth", "OTP", "PDF", "POS",
    "SMS", "SMTP", "UI", "URL", "UTM",
];

/// A scope or a DocType in snake case as title-cased words: `crm_task` is `CRM Task`. What is
/// an address or has a structure of its own (`https://…`, `a:b`, `a.b`) stays as it is.
fn titled(name: &str) -> String {
    if name.contains([':', '/', '.']) {
        return name.to_owned();
    }
    let words: Vec<String> = name
        .split(['_', ' '])
        .filter(|w| !w.is_empty())
        .map(word)
        .collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    if let Some(acronym) = ACRONYMS.iter().find(|a| a.eq_ignore_ascii_case(word)) {
        return (*acronym).to_owned();
    }
    let mut rest = word.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site that has these two.
    fn names(doctype: &str) -> Vec<String> {
        let known: &[&str] = match doctype {
            "todo" => &["ToDo"],
            "api_key" => &["API Key", "API-Key"],
            _ => &[],
        };
        known.iter().map(|name| (*name).to_owned()).collect()
    }

    fn texts(lang: Lang, scopes: &[&str]) -> Vec<String> {
        scope_lines(lang, scopes, &names)
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    #[test]
    fn openid_shows_as_four_details_at_the_end() {
        let four = ["All", "Full Name", "Email", "User Image", "Roles"];
        assert_eq!(texts(Lang::En, &["openid", "all"]), four);
        assert_eq!(texts(Lang::En, &["all", "openid"]), four);
        assert_eq!(texts(Lang::En, &["openid", "openid"]).len(), 4);
    }

    #[test]
    fn explicit_details_narrow_openid() {
        assert_eq!(texts(Lang::En, &["openid", "email"]), ["Email"]);
        let narrow = ["Full Name", "Email", "User Image"];
        assert_eq!(texts(Lang::En, &["openid", "profile", "email"]), narrow);
        assert_eq!(texts(Lang::En, &["profile", "email"]), ["Profile", "Email"]);
        assert_eq!(
            texts(Lang::En, &["openid", "profile", "email", "roles"]).len(),
            4
        );
    }

    #[test]
    fn resources_are_named_in_words() {
        let scopes = [
            "crm_task:read",
            "crm_task:write",
            "oauth_client:create",
            "user:delete",
            "to_do:*",
            "method:crm.api.home_tasks",
            "todo:read",
            "api_key:delete",
        ];
        let words = [
            "Read CRM Task",
            "Change CRM Task",
            "Create OAuth Client",
            "Delete User",
            "Read, change, create and delete To Do",
            "Call crm.api.home_tasks",
            "Read ToDo",
            "Delete API Key, API-Key",
        ];
        assert_eq!(texts(Lang::En, &scopes), words);
        assert_eq!(texts(Lang::De, &["todo:read"]), ["ToDo lesen"]);
        assert_eq!(
            texts(Lang::Ar, &["todo:*"]),
            ["قراءة وتعديل وإنشاء وحذف ToDo"]
        );
    }

    #[test]
    fn other_scopes_are_title_cased_or_left_alone() {
        let scopes = [
            "user_profile",
            "urn:x:y",
            "https://a.example/scope",
            "a.b",
            ":read",
            "x:fly",
            "ToDo:read",
            "method:",
            "",
            "école",
        ];
        let words = [
            "User Profile",
            "urn:x:y",
            "https://a.example/scope",
            "a.b",
            ":read",
            "x:fly",
            "ToDo:read",
            "method:",
            "École",
        ];
        assert_eq!(texts(Lang::En, &scopes), words);
    }

    #[test]
    fn wide_scopes_are_explained() {
        let lines = scope_lines(Lang::En, &["all", "all", "offline_access"], &names);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.detail.is_some()));
    }
}
