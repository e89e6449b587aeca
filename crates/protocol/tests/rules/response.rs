use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::response::{ResponseMode, ResponseTarget, ResponseType};

fn target(mode: ResponseMode) -> ResponseTarget {
    ResponseTarget {
        redirect_uri: "https://a/cb?x=1".to_owned(),
        redirect_uri_was_sent: true,
        mode,
        state: Some("st 1".to_owned()),
    }
}

// spec: http.md, authorize, "`response_type`"; RFC 6749 §3.1.1, "the order of values"
#[test]
fn the_order_of_values_says_nothing() {
    for (sent, registered) in [
        ("code", "code"),
        ("token", "token"),
        ("id_token", "id_token"),
        ("token id_token", "id_token token"),
        ("id_token code", "code id_token"),
        ("token code", "code token"),
        ("id_token token code", "code id_token token"),
        ("code token id_token", "code id_token token"),
    ] {
        assert_eq!(ResponseType::parse(sent).unwrap().as_str(), registered);
    }
    for sent in ["none", "CODE", "code none", "", " ", "code,token"] {
        let error = ResponseType::parse(sent).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnsupportedResponseType, "{sent}");
    }
    assert_eq!(
        ResponseType::parse("code code").unwrap_err().code,
        ErrorCode::InvalidRequest
    );
}

// spec: http.md, authorize, "Fragment by default for those"
#[test]
fn the_fragment_is_the_default_for_tokens() {
    assert_eq!(
        ResponseMode::default_for(ResponseType::CODE),
        ResponseMode::Query
    );
    for name in ResponseType::FRONT_CHANNEL {
        let response_type = ResponseType::parse(name).unwrap();
        assert_eq!(response_type.as_str(), name);
        assert_eq!(
            ResponseMode::default_for(response_type),
            ResponseMode::Fragment
        );
    }
}

// spec: security.md, Authorization endpoint, "Tokens are never put into a query"
#[test]
fn tokens_are_never_put_into_a_query() {
    for name in ResponseType::FRONT_CHANNEL {
        let response_type = ResponseType::parse(name).unwrap();
        let error = ResponseMode::resolve(Some("query"), response_type).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        for mode in ["fragment", "form_post"] {
            assert_eq!(
                ResponseMode::resolve(Some(mode), response_type)
                    .unwrap()
                    .as_str(),
                mode
            );
        }
    }
    for mode in ResponseMode::VALUES {
        assert_eq!(
            ResponseMode::resolve(Some(mode), ResponseType::CODE)
                .unwrap()
                .as_str(),
            mode
        );
    }
    assert!(ResponseMode::resolve(Some("query.jwt"), ResponseType::CODE).is_err());
}

// spec: http.md, authorize, "Allow: 302 to"; RFC 9207 §2; security.md, "`iss` is always returned"
#[test]
fn answers_carry_state_and_issuer() {
    let params = vec![("code".to_owned(), "c".to_owned())];
    let answer = |mode| {
        target(mode)
            .answer(params.clone(), "https://site.example")
            .location()
    };
    let tail = "code=c&state=st%201&iss=https%3A%2F%2Fsite.example";
    assert_eq!(
        answer(ResponseMode::Query).unwrap(),
        format!("https://a/cb?x=1&{tail}")
    );
    assert_eq!(
        answer(ResponseMode::Fragment).unwrap(),
        format!("https://a/cb?x=1#{tail}")
    );
    assert_eq!(answer(ResponseMode::FormPost), None);
}

// spec: security.md, Authorization endpoint, "All other errors redirect with"; http.md, "Deny"
#[test]
fn errors_carry_state_and_issuer() {
    let error = OAuthError::new(ErrorCode::AccessDenied, "No.");
    let response = target(ResponseMode::Query).error(&error, "https://site.example");
    let expected = "https://a/cb?x=1&error=access_denied&error_description=No.\
                    &state=st%201&iss=https%3A%2F%2Fsite.example";
    assert_eq!(response.location().unwrap(), expected);
}

// spec: RFC 6749 §4.1.2.1
#[test]
fn errors_of_other_endpoints_do_not_travel() {
    let error = OAuthError::new(ErrorCode::InvalidGrant, "inner");
    let response = target(ResponseMode::Query).error(&error, "https://s");
    assert_eq!(
        response.params[0],
        ("error".to_owned(), "server_error".to_owned())
    );
}

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … `Debug`"
#[test]
fn debug_shows_no_values() {
    let params = vec![("code".to_owned(), "hunter2".to_owned())];
    let response = target(ResponseMode::Query).answer(params, "https://s");
    let shown = format!("{response:?}");
    assert!(
        shown.contains("code") && !shown.contains("hunter2"),
        "{shown}"
    );
}
