use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::{Params, ParamsError};
use proptest::prelude::*;

use super::params;

fn pairs(params: &Params) -> Vec<(&str, &str)> {
    params.iter().collect()
}

// spec: RFC 6749 Appendix B; http.md, authorize, "Spaces in `scope` as `%20` or `+`"
#[test]
fn form_decoding() {
    let params = params("scope=all%20openid&b=x+y&c=%C3%A9%2b&d&&=e&f=g=h");
    let expected = [
        ("scope", "all openid"),
        ("b", "x y"),
        ("c", "é+"),
        ("d", ""),
        ("", "e"),
        ("f", "g=h"),
    ];
    assert_eq!(pairs(&params), expected);
}

// spec: security.md, Inputs, outputs, network, "Malformed JSON, UTF-8, percent-encoding"
#[test]
fn malformed_encoding_is_refused() {
    for (form, error) in [
        ("a=%", ParamsError::Encoding),
        ("a=%4", ParamsError::Encoding),
        ("a=%zz", ParamsError::Encoding),
        ("a=%+1", ParamsError::Encoding),
        ("%4=a", ParamsError::Encoding),
        ("a=%%41", ParamsError::Encoding),
        ("a=%ff", ParamsError::Utf8),
        ("a=%c3", ParamsError::Utf8),
        ("a=%ed%a0%80", ParamsError::Utf8),
        ("a=%c0%80", ParamsError::Utf8),
        ("a=%00", ParamsError::Nul),
        ("%00=a", ParamsError::Nul),
    ] {
        assert_eq!(Params::from_form(form.as_bytes()), Err(error), "{form}");
        assert_eq!(Params::from_query(form.as_bytes()), Err(error), "{form}");
    }
    assert_eq!(Params::from_form(b"a=\xff"), Err(ParamsError::Utf8));
    let error = OAuthError::from(ParamsError::Encoding);
    assert_eq!(
        (error.code, error.status()),
        (ErrorCode::InvalidRequest, 400)
    );
}

// spec: security.md, Codes and tokens, "parameters are strings only"
#[test]
fn json_parameters_are_strings() {
    let json = br#"{"token":"x","n":7,"f":1.5,"t":true,"absent":null}"#;
    let params = Params::from_json(json).unwrap();
    let expected = [
        ("token", "x"),
        ("n", "7"),
        ("f", "1.5"),
        ("t", "true"),
        ("absent", ""),
    ];
    assert_eq!(pairs(&params), expected);
    assert_eq!(params.get("absent"), None);
    for json in [
        r#"{"token":["like","ab%"]}"#,
        r#"{"token":{"a":1}}"#,
        r#"{"token":[]}"#,
    ] {
        assert_eq!(
            Params::from_json(json.as_bytes()),
            Err(ParamsError::NotAString),
            "{json}"
        );
    }
}

// spec: security.md, Inputs, outputs, network, "Malformed JSON … nesting over 64: 400", "U+0000"
#[test]
fn json_is_read_strictly() {
    for json in ["", "[]", "\"a\"", "null", "7"] {
        assert!(Params::from_json(json.as_bytes()).is_err(), "{json}");
    }
    for json in [
        "{",
        "{\"a\":1}x",
        "{\"a\":1,}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"\\u0000\":\"a\"}",
        "{\"a\":\"1\",\"a\":\"2\"}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
    ] {
        assert_eq!(
            Params::from_json(json.as_bytes()),
            Err(ParamsError::Json),
            "{json}"
        );
    }
    assert_eq!(
        Params::from_json(b"{\"a\":\"\xff\"}"),
        Err(ParamsError::Json)
    );
}

// spec: security.md, Inputs, outputs, network, "nesting over 64: 400"
#[test]
fn json_nests_64_levels_and_no_more() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(crema_protocol::json::parse(nested(64).as_bytes()).is_ok());
    assert!(crema_protocol::json::parse(nested(65).as_bytes()).is_err());
    assert!(crema_protocol::json::parse(nested(100_000).as_bytes()).is_err());
    let object = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(crema_protocol::json::parse(object(64).as_bytes()).is_ok());
    assert!(crema_protocol::json::parse(object(65).as_bytes()).is_err());
}

// spec: RFC 6749 §3.1, "sent without a value"; security.md, Clients, line 1
#[test]
fn an_empty_parameter_is_absent() {
    let params = params("a=&b&c=1");
    assert_eq!(
        (params.get("a"), params.get("b"), params.get("c")),
        (None, None, Some("1"))
    );
    assert_eq!(params.all("a").count(), 0);
}

// spec: RFC 6749 §3.1; security.md, Authorization endpoint, "Repeated parameters"
#[test]
fn repeated_parameters_are_refused_but_for_resource() {
    let refused = |query: &str| params(query).reject_repeated(&["resource"]).is_err();
    assert!(refused("client_id=a&client_id=a"));
    assert!(refused("unknown=a&unknown=b"));
    assert!(
        refused("state=&state=x"),
        "two readers could disagree which one counts"
    );
    assert!(refused("client%5Fid=a&client_id=b"));
    assert!(!refused("resource=a&resource=b&scope=c"));
}

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … `Debug`"
#[test]
fn debug_shows_names_only() {
    let shown = format!("{:?}", params("client_secret=hunter2"));
    assert!(
        shown.contains("client_secret") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn without_and_bounds() {
    let params = params("a=1&b=2&a=3");
    assert_eq!(pairs(&params.without(&["a"])), [("b", "2")]);
    assert_eq!(params.get_bounded("b", 1), Ok(Some("2")));
    assert!(params.get_bounded("b", 0).is_err());
}

proptest! {
    #[test]
    fn round_trip(pairs in prop::collection::vec(("[^\0]{1,8}", "[^\0]{0,16}"), 0..8)) {
        let params = Params::from_pairs(pairs);
        prop_assert_eq!(Params::from_query(params.to_query().as_bytes()), Ok(params));
    }

    #[test]
    fn queries_are_plain_ascii_without_plus(value in any::<String>()) {
        let query = Params::from_pairs([("v", value)]).to_query();
        prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+'));
    }

    #[test]
    fn parsers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Params::from_form(&bytes);
        let _ = Params::from_json(&bytes);
    }
}
