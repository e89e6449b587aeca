//! `docs/compatibility.md`, made of the cases.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::case::{Case, Difference, Rules, cases, rules};
use super::{GROUPS, RECORDINGS};

const INTRODUCTION: &str = "\
# Compatibility with Frappe

What Frappe Framework 16.0.0-dev (August 2025) answered on the wire, and what Crema answers to the
same request in the same state. Every exchange is replayed by the tests on SQLite, MariaDB and
PostgreSQL; an answer that differs in any member, header or cookie from what stands here fails them.
This page is made from the same data (`crates/testkit/tests/suite/golden`): after a change there,
`UPDATE=1 cargo test -p crema-testkit --test suite golden::document` writes it anew.

";

const READING: &str = "\
\"Same\" means: same status, same members with the same values, same headers and cookies, apart from
what the section *Everywhere* lists. Where a rule stops a request as it was recorded, most often because
the client did not prove itself, the request is sent once more in the way that the rule wants; the second
line of a cell says what comes then.

";

/// The page.
fn document() -> String {
    let rules = rules();
    let all: Vec<(&str, Vec<Case>)> = GROUPS.iter().map(|group| (*group, cases(group))).collect();
    let mut page = INTRODUCTION.to_owned();
    write_summary(&mut page, &all, &rules);
    page.push_str(READING);
    page.push_str("## Everywhere\n\n");
    write_rules(&mut page, &rules, true);
    page.push_str("\n## Rules\n\n");
    write_rules(&mut page, &rules, false);
    for (group, cases) in &all {
        let _ = write!(
            page,
            "\n## {group}\n\n| exchange | Frappe | Crema | why |\n|---|---|---|---|\n"
        );
        for case in cases {
            page.push_str(&row(case, &rules));
        }
    }
    page.push_str(&id_tokens(&all));
    page
}

fn write_summary(page: &mut String, all: &[(&str, Vec<Case>)], rules: &Rules) {
    let every = || all.iter().flat_map(|(_, cases)| cases);
    let same = every().filter(|case| is_same(&case.differs, rules)).count();
    let second = every()
        .filter(|case| !is_same(&case.differs, rules))
        .filter(|case| {
            case.again
                .as_ref()
                .is_some_and(|again| is_same(&again.differs, rules))
        })
        .count();
    let total = every().count();
    let _ = write!(
        page,
        "{RECORDINGS} recordings, and {} exchanges of which only the ID token is known: {same} are \
         answered in the same way, {second} more once the request proves what it has to prove, \
         {} differ by a rule.\n\n",
        total - RECORDINGS,
        total - same - second,
    );
}

fn is_same(differs: &[Difference], rules: &Rules) -> bool {
    differs
        .iter()
        .all(|difference| rules[&difference.rule].form)
}

fn write_rules(page: &mut String, rules: &Rules, form: bool) {
    page.push_str("| rule | Crema | source |\n|---|---|---|\n");
    for (name, rule) in rules.iter().filter(|(_, rule)| rule.form == form) {
        let sources: Vec<_> = rule.source.split("; ").map(source).collect();
        let _ = writeln!(page, "| {name} | {} | {} |", rule.what, sources.join("; "));
    }
}

/// A source as a link to the page of ours that says it.
fn source(source: &str) -> String {
    let mut parts = source.split(", ");
    let (file, section) = (parts.next(), parts.next().unwrap_or_default());
    match file {
        Some("security.md") => {
            // The one section whose title has commas.
            let section = match section {
                "Inputs" => "Inputs, outputs, network",
                other => other,
            };
            let anchor = section.to_lowercase().replace(' ', "-").replace(',', "");
            format!("[security, {section}](security.md#{anchor})")
        }
        Some("http.md") if section == "register_client" => {
            "[registration](registration.md)".to_owned()
        }
        Some("http.md") => {
            let anchor = match section {
                "Resource server" => "#using-a-token",
                "ID token" => "#id-token",
                "authorize" => "#authorize",
                "get_token" => "#get_token",
                "revoke_token" => "#revoke_token",
                "introspect_token" => "#introspect_token",
                "openid_profile" => "#openid_profile-userinfo",
                "Metadata" => "#metadata",
                _ => "",
            };
            format!("[endpoints](oauth.md{anchor})")
        }
        _ => source.to_owned(),
    }
}

fn row(case: &Case, rules: &Rules) -> String {
    let frappe = summary(&case.frappe);
    let mut crema = outcome(case.expected(rules), &case.differs, rules);
    let mut why: Vec<&str> = Vec::new();
    reasons(&mut why, &case.differs, rules);
    if let Some(again) = &case.again {
        let then = outcome(case.expected_again(rules), &again.differs, rules);
        let _ = write!(crema, "<br>{}: {then}", again.how);
        reasons(&mut why, &again.differs, rules);
    }
    if let Some(note) = &case.note {
        let _ = write!(crema, "<br>*{note}*");
    }
    format!(
        "| {} | {frappe} | {crema} | {} |\n",
        case.name,
        why.join(", ")
    )
}

fn outcome(expected: Value, differs: &[Difference], rules: &Rules) -> String {
    if is_same(differs, rules) {
        "same".to_owned()
    } else {
        summary(&expected)
    }
}

fn reasons<'a>(why: &mut Vec<&'a str>, differs: &'a [Difference], rules: &Rules) {
    for difference in differs {
        if !rules[&difference.rule].form && !why.contains(&difference.rule.as_str()) {
            why.push(&difference.rule);
        }
    }
}

/// An answer in a few words.
fn summary(answer: &Value) -> String {
    let mut words = vec![answer["status"].to_string()];
    let json = &answer["json"];
    let text = |value: &Value| value.as_str().map(|text| format!("`{text}`"));
    words.extend(text(&json["error"]).or_else(|| text(&json["exc_type"])));
    if let (true, Some(message)) = (json["exc_type"].is_string(), json["message"].as_str()) {
        words.push(format!("“{message}”"));
    }
    if let Some(location) = answer["location"].as_object() {
        words.push(format!("to {}", target(&location["to"])));
        for (part, mark) in [("query", '?'), ("fragment", '#')] {
            let params = location.get(part).and_then(Value::as_object);
            words.extend(params.map(|params| format!("with `{mark}{}`", parameters(params))));
        }
    }
    if let Some(title) = answer["page"]["title"].as_str() {
        words.push(format!("page “{title}”"));
    } else if answer["page"].is_object() {
        words.push("page".to_owned());
    }
    words.extend(json_summary(json));
    if let Some(origin) = answer["cors"]["origin"].as_str() {
        words.push(format!("readable for {origin}"));
    }
    if answer["retry_after"] == true {
        words.push("with `Retry-After`".to_owned());
    }
    words.join(" ")
}

fn target(to: &Value) -> String {
    let to = to.as_str().unwrap_or_default();
    match to.rsplit_once("frappe.integrations.oauth2.") {
        Some((_, method)) => format!("`{method}`"),
        None if to.starts_with("http") => "the client".to_owned(),
        None => format!("`{to}`"),
    }
}

fn parameters(params: &serde_json::Map<String, Value>) -> String {
    let shown = |(name, value): (&String, &Value)| match (name.as_str(), value.as_str()) {
        ("error" | "prompt", Some(value)) => format!("{name}={value}"),
        _ => name.clone(),
    };
    params
        .iter()
        .filter(|(name, _)| *name != "error_description")
        .map(shown)
        .collect::<Vec<_>>()
        .join("&")
}

fn json_summary(json: &Value) -> Option<String> {
    let members = json.as_object()?;
    if members.contains_key("error") || members.contains_key("exc_type") {
        return None;
    }
    let has = |name: &str| members.contains_key(name);
    if has("access_token") {
        let id_token = if has("id_token") { ", ID token" } else { "" };
        return Some(format!(
            "tokens{id_token}, scope `{}`",
            json["scope"].as_str()?
        ));
    }
    if has("active") {
        let detail = match (json["active"] == true, has("client_id"), has("email")) {
            (_, false, _) => "",
            (_, _, true) => " with the owner's data",
            (_, _, false) => " with details",
        };
        return Some(format!("`active: {}`{detail}", json["active"]));
    }
    if has("errors") {
        let kind = json["errors"][0]["type"].as_str()?;
        return Some(format!("`{kind}`"));
    }
    if has("sub") {
        return Some("claims".to_owned());
    }
    if has("client_id_issued_at") {
        let kind = match has("client_secret") {
            true => "client with a secret",
            false => "client without a secret",
        };
        let management = match has("registration_access_token") {
            true => " and a token to manage it",
            false => "",
        };
        let scope = json["scope"].as_str()?;
        return Some(format!("a {kind}{management}, scope `{scope}`"));
    }
    if has("token_endpoint") {
        return Some(format!("metadata with {} members", members.len()));
    }
    if has("resource") {
        let scopes = json["scopes_supported"].as_array();
        let scopes: Vec<_> = scopes.into_iter().flatten().map(Value::to_string).collect();
        return Some(match scopes.as_slice() {
            [] => "metadata without scopes".to_owned(),
            named => format!("metadata, scopes `{}`", named.join(" ")),
        });
    }
    if has("keys") {
        return Some("the keys".to_owned());
    }
    match &json["message"] {
        Value::String(message) => Some(format!("“{message}”")),
        Value::Object(_) => Some("the clear secret".to_owned()),
        _ if has("data") => data_summary(&json["data"]),
        _ => Some("`{}`".to_owned()),
    }
}

/// What stands in `data`: rows, a document, a number or a text.
fn data_summary(data: &Value) -> Option<String> {
    if let Some(rows) = data.as_array() {
        let secrets = if rows.iter().any(has_secret) {
            " with secrets"
        } else {
            ""
        };
        let plural = if rows.len() == 1 { "" } else { "s" };
        return Some(format!("{} row{plural}{secrets}", rows.len()));
    }
    if let Some(doctype) = data["doctype"].as_str() {
        let secret = if has_secret(data) {
            ", with its secret"
        } else {
            ""
        };
        return Some(format!("the {doctype}{secret}"));
    }
    let shown = data.as_str().or_else(|| data["message"].as_str());
    let shown = shown.map(|text| format!("“{text}”"));
    let shown = shown.or_else(|| data.as_i64().map(|number| number.to_string()))?;
    Some(format!("{shown} in `data`"))
}

fn has_secret(document: &Value) -> bool {
    ["client_secret", "api_secret", "authorization_code"]
        .iter()
        .any(|member| document[member].is_string())
}

/// Header and claims of ID tokens, side by side.
fn id_tokens(all: &[(&str, Vec<Case>)]) -> String {
    let rules = rules();
    let mut tokens = all.iter().flat_map(|(_, cases)| cases).filter_map(|case| {
        let theirs = case.frappe["json"].get("id_token")?.clone();
        let ours = case.again.as_ref().map(|_| case.expected_again(&rules));
        let ours = ours.unwrap_or_else(|| case.expected(&rules));
        Some((theirs, ours["json"].get("id_token")?.clone()))
    });
    let (theirs, ours) = tokens.next().expect("an ID token");
    let mut page = "\n## ID tokens\n\n\
        Claims of the first ID token above (user `user@example.com`, a client with HS256). `{skip}` is the \
        client's id, `<…>` a value that is never the same. The signature is verified in every replay.\n\n| | Frappe | Crema |\n|---|---|---|\n"
        .to_owned();
    for part in ["header", "claims"] {
        let names: BTreeSet<_> = [&theirs, &ours]
            .into_iter()
            .flat_map(|token| token[part].as_object().expect("members").keys().cloned())
            .collect();
        for name in names {
            let show = |token: &Value| match token[part].get(&name) {
                Some(value) => format!("`{}`", value.to_string().replace('|', "\\|")),
                None => "—".to_owned(),
            };
            let _ = writeln!(
                page,
                "| {part} `{name}` | {} | {} |",
                show(&theirs),
                show(&ours)
            );
        }
    }
    page
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "asked by a person whether to write the page"
)]
fn the_page_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let document = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == document,
        "stale: UPDATE=1 cargo test -p crema-testkit --test suite golden::document"
    );
}

#[test]
fn every_recording_is_here_and_every_rule_is_used() {
    let rules = rules();
    let mut names = BTreeSet::new();
    let mut used = BTreeSet::new();
    for group in GROUPS {
        for case in cases(group) {
            assert!(case.name.starts_with(&format!("{group}-")), "{}", case.name);
            let again = case.again.iter().flat_map(|again| &again.differs);
            used.extend(
                case.differs
                    .iter()
                    .chain(again)
                    .map(|difference| difference.rule.clone()),
            );
            assert!(names.insert(case.name.clone()), "{} comes twice", case.name);
        }
    }
    // Two more are known by their ID tokens only.
    assert_eq!(names.len(), RECORDINGS + 2);
    assert_eq!(used, rules.keys().cloned().collect());
}
