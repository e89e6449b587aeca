use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crema_protocol::authorization::{Authorization, AuthorizationError};
use proptest::prelude::*;

fn parse(header: &str) -> Result<Authorization, AuthorizationError> {
    Authorization::parse(header)
}

fn pair(header: &str) -> (String, String) {
    match parse(header) {
        Ok(Authorization::ApiKey(pair)) => (
            pair.key.expose().to_owned(),
            pair.secret.expose().to_owned(),
        ),
        other => panic!("{header}: {other:?}"),
    }
}

// spec: http.md, Resource server, "`Authorization: Bearer <token>`"
#[test]
fn a_bearer_token_in_any_case_of_the_scheme() {
    for header in ["Bearer abc", "bearer abc", "BEARER  abc ", " Bearer abc"] {
        let Ok(Authorization::Bearer(token)) = parse(header) else {
            panic!("{header}");
        };
        assert_eq!(token.expose(), "abc");
    }
    for header in ["Bearer", "Bearer ", "bearer a b", "Bearer a\tb"] {
        assert_eq!(parse(header), Err(AuthorizationError::Bearer), "{header}");
    }
}

// spec: http.md, Resource server, "`Authorization: token <api_key>:<api_secret>`"
#[test]
fn an_api_key_in_both_schemes() {
    let expected = ("key".to_owned(), "sec:ret".to_owned());
    assert_eq!(pair("token key:sec:ret"), expected);
    assert_eq!(pair("Token key:sec:ret"), expected);
    let encoded = STANDARD.encode("key:sec:ret");
    assert_eq!(pair(&format!("Basic {encoded}")), expected);
    assert_eq!(
        pair(&format!("bAsIc {}", encoded.trim_end_matches('='))),
        expected
    );
}

#[test]
fn everything_else_is_an_error_and_never_nothing() {
    let malformed = [
        "",
        " ",
        "abc",
        "token",
        "token key",
        "token key:",
        "token :secret",
        "token a b:c",
        "token a:b c",
        "key:secret",
        "Digest key:secret",
        "tokens key:secret",
        "Basic",
    ];
    for header in malformed {
        assert_eq!(
            parse(header),
            Err(AuthorizationError::Malformed),
            "{header}"
        );
    }
    for text in ["abc", "key:", ":secret", "k\0:s", "k:s\0"] {
        let header = format!("Basic {}", STANDARD.encode(text));
        assert_eq!(
            parse(&header),
            Err(AuthorizationError::Malformed),
            "{text:?}"
        );
    }
    for value in ["!!!notb64", "/w==", "a"] {
        let header = format!("Basic {value}");
        assert_eq!(
            parse(&header),
            Err(AuthorizationError::Undecodable),
            "{value}"
        );
    }
    assert!(parse(&format!("token {}:x", "k".repeat(141))).is_err());
    assert!(parse(&format!("token k:{}", "x".repeat(1025))).is_err());
}

#[test]
fn nothing_of_it_is_shown() {
    for header in ["token k3y1:hunter2", "Bearer hunter2"] {
        let shown = format!("{:?}", parse(header));
        assert!(
            !shown.contains("hunter2") && !shown.contains("k3y1"),
            "{shown}"
        );
    }
}

proptest! {
    #[test]
    fn any_header_is_read_without_harm(header in ".{0,60}") {
        let _ = parse(&header);
    }

    #[test]
    fn both_schemes_mean_the_same(key in "[!-9;-~]{1,20}", secret in "[!-~]{1,20}") {
        let clear = format!("token {key}:{secret}");
        let basic = format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")));
        prop_assert_eq!(parse(&clear), parse(&basic));
        prop_assert_eq!(pair(&clear), (key, secret));
    }
}
