use crema_protocol::error::ErrorCode;
use crema_protocol::redirect_uri::{
    append_fragment, append_query, check_bound, check_registrable, host_for_display,
    is_custom_scheme, is_loopback, matches, split_registered,
};
use proptest::prelude::*;

fn matching(registered: &str, presented: &str) -> bool {
    matches(split_registered(registered), presented)
}

// spec: doctypes.md, OAuth Client, "redirect_uris (whitespace separated)"; standards.md, V, 5
#[test]
fn registered_uris_are_separated_by_any_white_space() {
    let uris = split_registered(" https://a/cb\r\nhttps://b/cb\thttps://c/cb https://d/cb\n");
    assert_eq!(
        uris,
        [
            "https://a/cb",
            "https://b/cb",
            "https://c/cb",
            "https://d/cb"
        ]
    );
}

// spec: security.md, Authorization endpoint, line 2, "byte for byte"; RFC 9700 §2.1
#[test]
fn only_the_very_same_bytes_match() {
    let registered = "https://app.example.com/cb";
    assert!(matching(registered, registered));
    assert!(matching(
        "https://a/ https://app.example.com/cb?x=1",
        "https://app.example.com/cb?x=1"
    ));
    for presented in [
        "",
        "https://app.example.com/cb/",
        "https://app.example.com/cb?",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#f",
        "https://app.example.com/cb2",
        "https://app.example.com/c",
        "https://app.example.com/CB",
        "https://APP.example.com/cb",
        "HTTPS://app.example.com/cb",
        "http://app.example.com/cb",
        "https://app.example.com:443/cb",
        "https://app.example.com./cb",
        "https://app.example.com//cb",
        "https://app.example.com/x/../cb",
        "https://app.example.com/%63b",
        "https://app%2eexample.com/cb",
        "https://user@app.example.com/cb",
        "https://app.example.com@evil.example/cb",
        "https://app.example.com\\@evil.example/cb",
        "https://evil.example/https://app.example.com/cb",
        "https://app.example.com.evil.example/cb",
        "https://app.example.com/cb ",
        " https://app.example.com/cb",
        "https://app.example.com/cb\0",
        "https://app.example.com/cb\n",
        "/cb",
        "//app.example.com/cb",
    ] {
        assert!(!matching(registered, presented), "{presented:?}");
    }
    assert!(!matching("", "https://app.example.com/cb"));
}

// spec: RFC 8252 §7.3; security.md, Authorization endpoint, line 2, "the port may differ"
#[test]
fn the_port_of_a_loopback_address_may_differ() {
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        for registered in ["", ":9999"].map(|port| format!("http://{host}{port}/cb?a=1")) {
            for port in ["", ":1", ":80", ":8080", ":65535"] {
                let presented = format!("http://{host}{port}/cb?a=1");
                assert!(
                    matching(&registered, &presented),
                    "{registered} {presented}"
                );
            }
            for presented in [
                format!("http://{host}:/cb?a=1"),
                format!("http://{host}:0/cb?a=1"),
                format!("http://{host}:080/cb?a=1"),
                format!("http://{host}:65536/cb?a=1"),
                format!("http://{host}:+80/cb?a=1"),
                format!("http://{host}:80:80/cb?a=1"),
                format!("http://{host}:80/cb"),
                format!("http://{host}:80/cb?a=2"),
                format!("http://{host}:80/cb/?a=1"),
                format!("http://{host}:80/cb?a=1#"),
                format!("http://{host}:80@evil.example/cb?a=1"),
                format!("http://{host}@evil.example/cb?a=1"),
                format!("http://x@{host}:80/cb?a=1"),
                format!("http://{host}.:80/cb?a=1"),
                format!("http://{host}.evil.example:80/cb?a=1"),
                format!("http://{host}:80\\@evil.example/cb?a=1"),
                format!("http://{host}:80\\/cb?a=1"),
                format!("http:/{host}:80/cb?a=1"),
                format!("HTTP://{host}:80/cb?a=1"),
                format!("https://{host}:80/cb?a=1"),
            ] {
                assert!(
                    !matching(&registered, &presented),
                    "{registered} {presented}"
                );
            }
        }
    }
    assert!(matching("http://127.0.0.1", "http://127.0.0.1:8080"));
    assert!(matching("http://127.0.0.1?a", "http://127.0.0.1:8080?a"));
    assert!(
        !matching("http://127.0.0.1", "http://127.0.0.1:8080/"),
        "only the port may differ"
    );
}

// spec: RFC 8252 §8.3; security.md, "(and `localhost` when registered so)"
#[test]
fn loopback_hosts_do_not_stand_for_each_other() {
    let hosts = [
        "127.0.0.1",
        "[::1]",
        "localhost",
        "127.0.0.2",
        "LOCALHOST",
        "127.1",
        "[0::1]",
    ];
    for (i, one) in hosts.into_iter().enumerate() {
        for (j, other) in hosts.into_iter().enumerate() {
            let (registered, presented) =
                (format!("http://{one}:1/"), format!("http://{other}:2/"));
            assert_eq!(
                matching(&registered, &presented),
                i == j && i < 3,
                "{one} {other}"
            );
        }
    }
    assert!(
        !matching("https://127.0.0.1:1/", "https://127.0.0.1:2/"),
        "http only"
    );
    assert!(!matching(
        "http://app.example.com:1/",
        "http://app.example.com:2/"
    ));
}

// spec: standards.md, B, "N fragment in redirect URI"; http.md, register_client, "never"
#[test]
fn fragments_and_scripts_never_match_even_when_registered() {
    for uri in [
        "https://a/#x",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
    ] {
        assert!(!matching(uri, uri), "{uri}");
    }
    assert!(matching(
        "app.trust://oauth2redirect",
        "app.trust://oauth2redirect"
    ));
}

fn registrable(uri: &str, public: bool) -> bool {
    match check_registrable(uri, public, &["cursor", "vscode"]) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidRedirectUri);
            false
        }
    }
}

// spec: http.md, register_client, `redirect_uris`; RFC 8252 §7.1; security.md, Authorization endpoint, line 2
#[test]
fn what_may_be_registered() {
    for uri in [
        "https://app.example.com/cb",
        "https://app.example.com:8443/cb?x=1",
        "https://localhost/cb",
        "http://127.0.0.1:9999/cb",
        "http://127.0.0.1/",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
    ] {
        assert!(registrable(uri, false) && registrable(uri, true), "{uri}");
    }
    for uri in [
        "app.trust://oauth2redirect",
        "com.example.app:/cb",
        "cursor://a.b/cb",
        "VSCODE://x",
    ] {
        assert!(registrable(uri, true) && !registrable(uri, false), "{uri}");
    }
    for uri in [
        "",
        "cb",
        "/cb",
        "//app.example.com/cb",
        "http://app.example.com/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://localhost.evil.example/cb",
        "https://",
        "https:app.example.com/cb",
        "https:///cb",
        "https://user:pw@app.example.com/cb",
        "https://app%2eexample.com/cb",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#f",
        "https://*.example.com/cb",
        "https://app.example.com/*",
        "https://app.example.com\\cb",
        "https://app.example.com/c b",
        "https://app.example.com/\u{e9}",
        "https://app.example.com:99999/cb",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "unknown://x",
        "mailto:a@b",
        "ftp://app.example.com/",
    ] {
        assert!(!registrable(uri, true) && !registrable(uri, false), "{uri}");
    }
    assert!(!registrable(
        &format!("https://a/{}", "x".repeat(3000)),
        true
    ));
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

// spec: security.md, Authorization endpoint, "keeping an existing query"; RFC 6749 §3.1.2
#[test]
fn parameters_go_behind_an_existing_query() {
    let params = pairs(&[("code", "x"), ("state", "a b&c=d/é\"<>")]);
    let added = "code=x&state=a%20b%26c%3Dd%2F%C3%A9%22%3C%3E";
    for (uri, expected) in [
        ("https://a/cb", format!("https://a/cb?{added}")),
        ("https://a/cb?", format!("https://a/cb?{added}")),
        ("https://a/cb?x=1", format!("https://a/cb?x=1&{added}")),
        ("https://a/cb?x=1&", format!("https://a/cb?x=1&{added}")),
        (
            "https://a/cb?x=%zz+y",
            format!("https://a/cb?x=%zz+y&{added}"),
        ),
        ("https://a/cb?x#f?g", format!("https://a/cb?x&{added}#f?g")),
        (
            "app.trust://oauth2redirect",
            format!("app.trust://oauth2redirect?{added}"),
        ),
    ] {
        assert_eq!(append_query(uri, &params), expected);
    }
    assert_eq!(append_query("https://a/cb", &[]), "https://a/cb");
}

// spec: RFC 6749 §4.2.2
#[test]
fn fragments_leave_the_query_alone() {
    let params = pairs(&[("access_token", "x y")]);
    assert_eq!(
        append_fragment("https://a/cb?x=1", &params),
        "https://a/cb?x=1#access_token=x%20y"
    );
}

// spec: security.md, Authorization endpoint, "except for custom schemes and loopback"
#[test]
fn places_that_anyone_could_answer_at() {
    for uri in [
        "http://127.0.0.1:1/",
        "http://127.9.9.9/",
        "https://localhost/",
        "http://app.localhost/",
        "http://LOCALHOST./",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
    ] {
        assert!(is_loopback(uri), "{uri}");
    }
    assert!(!is_loopback("https://localhost.example.com/") && !is_loopback("app.trust://x"));
    assert!(is_custom_scheme("app.trust://oauth2redirect") && is_custom_scheme("nonsense"));
    assert!(!is_custom_scheme("https://a/") && !is_custom_scheme("HTTP://a/"));
}

// spec: security.md, Authorization endpoint, "the host it will redirect to are shown"
#[test]
fn people_see_the_host() {
    for (uri, shown) in [
        ("https://app.example.com/cb?x", "app.example.com"),
        ("https://app.example.com:8443/", "app.example.com:8443"),
        ("https://user@evil.example/", "evil.example"),
        ("https://аpple.com/", "xn--pple-43d.com"),
        ("http://[::1]:9999/cb", "[::1]:9999"),
        ("app.trust://oauth2redirect", "app.trust://oauth2redirect"),
        ("com.example.app:/cb", "com.example.app:"),
    ] {
        assert_eq!(host_for_display(uri), shown);
    }
}

// spec: http.md, get_token, "must equal the one used, if one was"; RFC 6749 §4.1.3
#[test]
fn the_token_request_repeats_the_redirect_uri() {
    let bound = "https://a/cb";
    assert!(check_bound(bound, true, Some(bound)).is_ok());
    assert!(check_bound(bound, false, Some(bound)).is_ok());
    assert!(check_bound(bound, false, None).is_ok());
    for refused in [
        check_bound(bound, true, None),
        check_bound(bound, true, Some("https://a/cb/")),
        check_bound(bound, false, Some("https://a/CB")),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidGrant);
    }
}

/// What is left of a URI when the port behind a loopback host is taken out.
fn without_port(uri: &str) -> String {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    for host in ["http://127.0.0.1", "http://[::1]", "http://localhost"] {
        if let Some(rest) = uri
            .strip_prefix(host)
            .and_then(|rest| rest.strip_prefix(':'))
        {
            return format!("{host}{}", &rest[digits(rest)..]);
        }
    }
    uri.to_owned()
}

fn any_uri() -> impl Strategy<Value = String> {
    let host = "127\\.0\\.0\\.1|\\[::1\\]|localhost|a\\.example|127\\.0\\.0\\.1@a|localhost\\.a";
    let port = "(:[0-9]{0,6})?";
    let rest = "(/|\\?|@|\\\\|#)?[a-c/?@:.#]{0,4}";
    ("https?://", host, port, rest)
        .prop_map(|(scheme, host, port, rest)| scheme + &host + &port + &rest)
}

proptest! {
    #[test]
    fn only_the_port_may_differ(registered in any_uri(), presented in any_uri()) {
        if matching(&registered, &presented) {
            prop_assert_eq!(without_port(&registered), without_port(&presented));
            prop_assert!(registered == presented || is_loopback(&presented));
        }
    }

    #[test]
    fn matching_is_an_equivalence(a in any_uri(), b in any_uri(), c in any_uri()) {
        prop_assert_eq!(matching(&a, &b), matching(&b, &a));
        prop_assert!(!(matching(&a, &b) && matching(&b, &c)) || matching(&a, &c));
        let (one, two) = (format!("{a} {b}"), format!("{b} {a}"));
        prop_assert_eq!(matching(&one, &c), matching(&a, &c) || matching(&b, &c));
        prop_assert_eq!(matching(&one, &c), matching(&two, &c));
    }

    #[test]
    fn every_uri_matches_itself(uri in any_uri()) {
        prop_assert_eq!(matching(&uri, &uri), !uri.contains('#'));
    }

    #[test]
    fn appended_parameters_can_be_read_again(
        query in "(\\?[a-z=&]{0,8})?",
        value in "[^\0]{0,20}",
    ) {
        let uri = format!("https://a/cb{query}");
        let params = vec![("state".to_owned(), value.clone())];
        let location = append_query(&uri, &params);
        prop_assert!(location.starts_with(&uri));
        let (_, read) = location.split_once('?').unwrap();
        let read = crema_protocol::params::Params::from_query(read.as_bytes()).unwrap();
        prop_assert_eq!(read.iter().last(), Some(("state", value.as_str())));
    }

    #[test]
    fn nothing_panics(uri in any::<String>()) {
        let _ = (matching(&uri, &uri), check_registrable(&uri, true, &[]).is_ok());
        let _ = (is_loopback(&uri), is_custom_scheme(&uri), host_for_display(&uri));
    }
}
