use crema_protocol::error::ErrorCode;
use crema_protocol::resource::{canonical, check, narrow, parse};
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
    let granted = list(&["https://a", "https://a/mcp"]);
    assert_eq!(narrow(&granted, &[]), Ok(granted.clone()));
    assert_eq!(
        narrow(&granted, &list(&["https://a/mcp"])),
        Ok(list(&["https://a/mcp"]))
    );
    let error = narrow(&granted, &list(&["https://a/x"])).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidTarget);
    assert!(narrow(&[], &list(&["https://a"])).is_err());
}

proptest! {
    #[test]
    fn the_form_of_a_form_is_itself(path in "[a-z/.%0-9]{0,12}", query in "(\\?[a-z=]{0,5})?") {
        if let Some(form) = canonical(&format!("https://A.example/{path}{query}")) {
            prop_assert_eq!(canonical(&form), Some(form.clone()));
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = canonical(&text);
        let _ = check(&text, std::slice::from_ref(&text));
    }
}
