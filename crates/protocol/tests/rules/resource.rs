use crema_protocol::error::ErrorCode;
use crema_protocol::resource::{admits, canonical, check, narrow, parse};
use proptest::prelude::*;

use super::params;

// spec: http.md, authorize, "a bare origin matches with or without `/`"
#[test]
fn one_form_for_one_resource() {
    for (sent, form) in [
        ("https://site.example", "https://site.example"),
        ("https://site.example/", "https://site.example"),
        ("HTTPS://Site.Example:443/", "https://site.example"),
        ("https://site.example/mcp", "https://site.example/mcp"),
        ("https://site.example/mcp/", "https://site.example/mcp/"),
        ("https://site.example/?a=1", "https://site.example/?a=1"),
        ("urn:example:x", "urn:example:x"),
    ] {
        assert_eq!(canonical(sent).as_deref(), Some(form));
    }
}

// spec: RFC 8707 §2, absolute URI without fragment, "malformed"
#[test]
fn malformed_resources_are_invalid_target() {
    let long = format!("https://a/{}", "x".repeat(3000));
    for sent in [
        "mcp",
        "/mcp",
        "https://a/#",
        "https://a/%23#x",
        "https://u:p@a/",
        "https:// a",
        &long,
    ] {
        assert_eq!(canonical(sent), None, "{sent}");
    }
    let many = "resource=https://a/".to_owned()
        + &(0..40)
            .map(|n| format!("&resource=https://a/{n}"))
            .collect::<String>();
    for query in ["resource=mcp", "resource=https://a/%23x", &many] {
        assert_eq!(
            parse(&params(query)).unwrap_err().code,
            ErrorCode::InvalidTarget,
            "{query}"
        );
    }
    let twice = parse(&params("resource=https://a&resource=https://a/&resource=")).unwrap();
    assert_eq!(twice, ["https://a"]);
}

// spec: RFC 8707 §2, "unknown"; standards.md, N, "resource per site and per MCP endpoint"
#[test]
fn resources_are_of_this_site() {
    let known = |resource: &str| check("https://site.example", &[resource.to_owned()]);
    assert!(known("https://site.example").is_ok() && known("https://site.example/mcp").is_ok());
    assert!(check("https://site.example", &[]).is_ok());
    for other in [
        "https://other.example",
        "http://site.example",
        "https://site.example:8443",
        "https://site.example.evil.example/",
        "urn:example:x",
        "app.trust://site.example",
        "https://site.example/?",
        "https://site.example/mcp?tenant=1",
        "https://site.example//",
        "https://site.example/mcp//x",
    ] {
        assert_eq!(
            known(other).unwrap_err().code,
            ErrorCode::InvalidTarget,
            "{other}"
        );
    }
    assert!(check("not a url", &["not a url".to_owned()]).is_err());
}

// spec: RFC 8707 §2.2; standards.md, N, "refresh may narrow, N widen"
#[test]
fn tokens_get_what_was_granted_or_less() {
    let list = |items: &[&str]| {
        items
            .iter()
            .map(|item| (*item).to_owned())
            .collect::<Vec<_>>()
    };
    let granted = list(&["https://a/api", "https://a/mcp"]);
    assert_eq!(narrow(&granted, &[]), Ok(granted.clone()));
    for part in [
        "https://a/mcp",
        "https://a/mcp/",
        "https://a/api/v2",
        "https://a/%6dcp",
    ] {
        assert_eq!(narrow(&granted, &list(&[part])), Ok(list(&[part])));
    }
    for other in [
        "https://a",
        "https://a/x",
        "https://a/mcpx",
        "https://b/mcp",
    ] {
        let error = narrow(&granted, &list(&["https://a/mcp", other])).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidTarget, "{other}");
    }
    assert!(narrow(&[], &list(&["https://a"])).is_err());
    let whole = list(&["https://a"]);
    assert!(narrow(&whole, &granted).is_ok());
}

const SITE: &str = "https://site.example";

/// What a token for that resource, as a client writes it, is good for.
fn good(resource: &str, path: &str) -> bool {
    admits(&canonical(resource).unwrap(), SITE, path)
}

// spec: RFC 8707 §2; RFC 9700 §2.3; standards.md, U, "RS M validate audience"
#[test]
fn a_token_is_good_for_its_resource_and_what_is_below_it() {
    for (resource, path) in [
        ("https://site.example", "/"),
        ("https://site.example/", "/api/resource/ToDo/a/../b"),
        ("HTTPS://SITE.Example:443", "/mcp"),
        ("https://site.example/mcp", "/mcp"),
        ("https://site.example/mcp/", "/mcp"),
        ("https://site.example/mcp", "/mcp/"),
        ("https://site.example/x/../mcp", "/mcp"),
        ("https://site.example/%2e/mcp", "/mcp"),
        ("https://site.example/%6Dcp", "/mcp"),
        ("https://site.example/api", "/api/v2/document/ToDo"),
        (
            "https://site.example/api/resource/OAuth%20Client",
            "/api/resource/OAuth%20Client/x",
        ),
        (
            "https://site.example/api/resource/ToDo",
            "/api/resource/%54oDo",
        ),
        (
            "https://site.example/api/resource/%C3%A4",
            "/api/resource/%c3%a4",
        ),
        (
            "https://site.example/api/resource/File/a%2Fb",
            "/api/resource/File/a%2fb",
        ),
    ] {
        assert!(good(resource, path), "{resource} {path}");
    }
    assert!(
        admits("", SITE, "/anything"),
        "for no resource in particular"
    );
    assert!(admits(
        "https://other.example https://site.example/mcp",
        SITE,
        "/mcp"
    ));
}

// spec: RFC 8707 §2, "a token for one resource is refused at another"; standards.md, N
#[test]
fn and_for_nothing_else() {
    for (resource, path) in [
        ("https://site.example/mcp", "/"),
        ("https://site.example/mcp", "/mcpx"),
        ("https://site.example/mcp", "/MCP"),
        ("https://site.example/mcp", "//mcp"),
        ("https://site.example/mcp", "/mcp%2Fx"),
        ("https://site.example/mcp", "/mcp;x"),
        ("https://site.example/mcp", "/api/method/ping"),
        ("https://site.example/mcp//", "/mcp"),
        ("https://site.example//", "/mcp"),
        ("https://site.example/mcp", "/mcp/../api/method/ping"),
        ("https://site.example/mcp", "/mcp/%2E%2e/api/method/ping"),
        ("https://site.example/mcp", "/mcp/./x"),
        ("https://site.example/api/resource", "/api/v1/resource/ToDo"),
        ("https://site.example/api/v1", "/api/resource/ToDo"),
        ("https://site.example/api/v2", "/api/v1/method/ping"),
        ("https://site.example/api/method/ping", "/"),
        (
            "https://site.example/api/resource/ToDo",
            "/api/resource/ToDo%2Fx",
        ),
        (
            "https://site.example/api/resource/ToDo",
            "/api/resource/ToDo%",
        ),
        (
            "https://site.example/api/resource/a/b",
            "/api/resource/a%2Fb",
        ),
        ("https://site.example/?", "/"),
        ("https://site.example/mcp?x=1", "/mcp"),
        ("http://site.example/mcp", "/mcp"),
        ("https://site.example:8443/mcp", "/mcp"),
        ("https://site.example./mcp", "/mcp"),
        ("https://site.example.evil.example/mcp", "/mcp"),
        ("urn:example:x", "/mcp"),
    ] {
        assert!(!good(resource, path), "{resource} {path}");
    }
    assert!(!admits("https://a/mcp", "no url", "/mcp"));
    assert!(!admits("no url", SITE, "/mcp") && !admits(" ", SITE, "/mcp"));
}

// spec: security.md, Inputs, outputs, network, host names; RFC 3986 §6.2.2
#[test]
fn names_with_other_letters_are_compared_in_their_ascii_form() {
    let ascii = "https://xn--bcher-kva.example/mcp";
    assert_eq!(canonical("https://b\u{fc}cher.example/mcp"), None, "no URI");
    assert_eq!(
        canonical("https://XN--Bcher-KVA.example/mcp").as_deref(),
        Some(ascii)
    );
    for issuer in [
        "https://xn--bcher-kva.example",
        "https://b\u{fc}cher.example",
    ] {
        assert!(admits(ascii, issuer, "/mcp"), "{issuer}");
        assert!(check(issuer, &[ascii.to_owned()]).is_ok(), "{issuer}");
    }
}

fn any_path() -> impl Strategy<Value = String> {
    let segment = "a|b|api|%61|%2F|\\.|\\.\\.|%2e|";
    prop::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn the_form_of_a_form_is_itself(path in "[a-z/.%0-9]{0,12}", query in "(\\?[a-z=]{0,5})?") {
        if let Some(form) = canonical(&format!("https://A.example/{path}{query}")) {
            prop_assert_eq!(canonical(&form), Some(form.clone()));
        }
    }

    #[test]
    fn what_a_part_is_good_for_the_whole_is_good_for(
        granted in prop::collection::vec(any_path(), 1..3),
        asked in prop::collection::vec(any_path(), 1..3),
        path in any_path(),
    ) {
        let form = |paths: &[String]| -> Vec<String> {
            paths.iter().filter_map(|path| canonical(&format!("{SITE}{path}"))).collect()
        };
        let (granted, asked) = (form(&granted), form(&asked));
        if let Ok(narrowed) = narrow(&granted, &asked) {
            let opened = admits(&narrowed.join(" "), SITE, &path);
            prop_assert!(!opened || admits(&granted.join(" "), SITE, &path));
        }
    }

    #[test]
    fn a_resource_is_good_for_its_own_path_and_below(path in any_path(), below in "[a-z]{1,5}") {
        let resource = canonical(&format!("{SITE}{path}")).unwrap();
        prop_assume!(check(SITE, std::slice::from_ref(&resource)).is_ok());
        let own = resource.strip_prefix(SITE).unwrap();
        prop_assert!(admits(&resource, SITE, own));
        let child = format!("{}/{below}", own.strip_suffix('/').unwrap_or(own));
        prop_assert!(admits(&resource, SITE, &child));
    }

    #[test]
    fn a_path_that_only_begins_alike_is_another(path in "(/[a-z]{1,4}){1,3}", more in "[a-z]{1,3}") {
        let resource = format!("{SITE}{path}");
        let longer = format!("{path}{more}");
        prop_assert!(!good(&resource, &longer));
        let above = path.rsplit_once('/').unwrap().0;
        prop_assert!(!good(&resource, above));
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = canonical(&text);
        let _ = check(&text, std::slice::from_ref(&text));
        let _ = admits(&text, SITE, &text);
        let _ = admits("https://site.example/a", &text, &text);
    }
}
