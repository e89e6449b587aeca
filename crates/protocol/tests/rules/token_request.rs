use crema_protocol::client_rules::GrantType;
use crema_protocol::error::ErrorCode;
use crema_protocol::params::Params;
use crema_protocol::token_query::{TokenQuery, TokenTypeHint};
use crema_protocol::token_request::{GrantRequest, TokenRequest};
use proptest::prelude::*;

use super::params;

fn parse(body: &str) -> Result<TokenRequest, ErrorCode> {
    TokenRequest::parse(&params(body)).map_err(|error| error.code)
}

// spec: http.md, get_token, parameters; RFC 6749 §4.1.3, RFC 7636 §4.5
#[test]
fn an_authorization_code() {
    let body = "code=MIdx&grant_type=authorization_code&client_id=em6d6dl40b\
                &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&code_verifier=BTGfb8&scope=x";
    let grant = parse(body).unwrap().grant;
    assert_eq!(grant.grant_type(), GrantType::AuthorizationCode);
    let GrantRequest::AuthorizationCode {
        code,
        redirect_uri,
        code_verifier,
    } = grant
    else {
        panic!("{grant:?}");
    };
    assert_eq!(code.expose(), "MIdx");
    assert_eq!(redirect_uri.as_deref(), Some("http://127.0.0.1:9999/cb"));
    assert_eq!(code_verifier.unwrap().expose(), "BTGfb8");
}

// spec: http.md, get_token, parameters; RFC 6749 §4.3.2, §4.4.2, §6
#[test]
fn the_other_grants() {
    let GrantRequest::RefreshToken {
        refresh_token,
        scope,
    } = parse("grant_type=refresh_token&refresh_token=r&scope=all")
        .unwrap()
        .grant
    else {
        panic!("not a refresh");
    };
    assert_eq!(
        (refresh_token.expose(), scope.unwrap().to_string()),
        ("r", "all".to_owned())
    );
    let GrantRequest::Password {
        username,
        password,
        scope,
    } = parse("grant_type=password&username=u%40x&password=p+w&scope=")
        .unwrap()
        .grant
    else {
        panic!("not a password");
    };
    assert_eq!(
        (username.as_str(), password.expose(), scope),
        ("u@x", "p w", None)
    );
    let grant = parse("grant_type=client_credentials&scope=all")
        .unwrap()
        .grant;
    assert_eq!(grant.grant_type(), GrantType::ClientCredentials);
}

// spec: http.md, get_token, "JSON body accepted"
#[test]
fn json_says_the_same_as_a_form() {
    let json = br#"{"grant_type":"authorization_code","code":"x","redirect_uri":"https://a/cb"}"#;
    let form = params("grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Fa%2Fcb");
    let json = Params::from_json(json).unwrap();
    assert_eq!(TokenRequest::parse(&json), TokenRequest::parse(&form));
}

// spec: RFC 6749 §5.2, §3.2
#[test]
fn what_is_missing_unknown_or_repeated() {
    let long = format!(
        "grant_type=refresh_token&refresh_token={}",
        "x".repeat(5000)
    );
    for (body, code) in [
        ("", ErrorCode::InvalidRequest),
        ("grant_type=", ErrorCode::InvalidRequest),
        ("grant_type=nope", ErrorCode::UnsupportedGrantType),
        ("grant_type=implicit", ErrorCode::UnsupportedGrantType),
        ("grant_type=Password", ErrorCode::UnsupportedGrantType),
        ("grant_type=authorization_code", ErrorCode::InvalidRequest),
        (
            "grant_type=refresh_token&refresh_token=",
            ErrorCode::InvalidRequest,
        ),
        ("grant_type=password&username=u", ErrorCode::InvalidRequest),
        ("grant_type=password&password=p", ErrorCode::InvalidRequest),
        (
            "grant_type=client_credentials&scope=%22",
            ErrorCode::InvalidScope,
        ),
        (
            "grant_type=refresh_token&refresh_token=a&refresh_token=a",
            ErrorCode::InvalidRequest,
        ),
        (
            "grant_type=refresh_token&refresh_token=a&x=1&x=2",
            ErrorCode::InvalidRequest,
        ),
        (
            "grant_type=client_credentials&resource=cb",
            ErrorCode::InvalidTarget,
        ),
        (long.as_str(), ErrorCode::InvalidRequest),
    ] {
        assert_eq!(parse(body), Err(code), "{body}");
    }
}

// spec: RFC 8707 §2.2
#[test]
fn resource_may_be_repeated() {
    let request =
        parse("grant_type=client_credentials&resource=https://a/&resource=https://a/mcp").unwrap();
    assert_eq!(request.resource, ["https://a", "https://a/mcp"]);
}

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … `Debug`"
#[test]
fn debug_shows_no_secret() {
    for body in [
        "grant_type=authorization_code&code=hunter2&code_verifier=hunter2",
        "grant_type=refresh_token&refresh_token=hunter2",
        "grant_type=password&username=u&password=hunter2",
    ] {
        let shown = format!("{:?}", parse(body).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let shown = format!("{:?}", TokenQuery::parse(&params("token=hunter2")));
    assert!(!shown.contains("hunter2"), "{shown}");
}

// spec: http.md, revoke_token, "`token_type_hint` is a hint only"
#[test]
fn questions_about_a_token() {
    let parse = |body: &str| TokenQuery::parse(&params(body));
    let query = parse("token=x&token_type_hint=refresh_token").unwrap();
    assert_eq!(
        (query.token.expose(), query.hint),
        ("x", Some(TokenTypeHint::RefreshToken))
    );
    assert_eq!(parse("token=x&token_type_hint=nope").unwrap().hint, None);
    for body in ["", "token=", "token=a&token=b"] {
        assert_eq!(
            parse(body).unwrap_err().code,
            ErrorCode::InvalidRequest,
            "{body}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_panics(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..6)) {
        let mut params = Params::from_pairs(pairs);
        for grant in GrantType::ALL {
            params = params.without(&["grant_type"]);
            params.push("grant_type", grant.as_str());
            let _ = TokenRequest::parse(&params);
        }
    }
}
