use crema_protocol::authorize_request::AuthorizeRequest;
use crema_protocol::client_rules::{ClientRules, Enforcement, ObservedViolation};
use crema_protocol::error::ErrorCode;
use crema_protocol::params::Params;
use crema_protocol::pkce::Method;
use crema_protocol::response::ResponseMode;
use proptest::prelude::*;

use super::{confidential, implicit, params, public};

const BASE: &str = "client_id=em6d6dl40b&response_type=code&scope=all%20openid\
                    &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&state=st-123";
const CHALLENGE: &str = "jmhXd3zpvZCfPOwYundEakoC3iG9XCKBe1OwokEy0x8";

/// [`BASE`] with these parameters in the place of those of the same name.
fn with(changes: &str) -> Params {
    let changes = params(changes);
    let names: Vec<&str> = changes.iter().map(|(name, _)| name).collect();
    let mut all = params(BASE).without(&names);
    for (name, value) in changes.iter() {
        all.push(name, value);
    }
    all
}

fn parse(changes: &str, rules: &ClientRules) -> Result<AuthorizeRequest, ErrorCode> {
    AuthorizeRequest::parse(&with(changes), rules).map_err(|error| error.code)
}

// spec: http.md, authorize, parameters
#[test]
fn everything_is_understood() {
    let changes = "nonce=n-1&code_challenge=jmhXd3zpvZCfPOwYundEakoC3iG9XCKBe1OwokEy0x8\
        &code_challenge_method=S256&response_mode=form_post&prompt=login%20consent&max_age=60\
        &login_hint=x%40y.z&id_token_hint=a.b.c&claims=%7B%22id_token%22%3A%7B%22email%22%3Anull%7D%7D\
        &acr_values=1+2&ui_locales=de+en&resource=https%3A%2F%2Fa%2F&resource=https%3A%2F%2Fa%2Fmcp\
        &display=page&claims_locales=de&foo=bar";
    let request = parse(changes, &confidential()).unwrap();
    assert_eq!(request.client_id, "em6d6dl40b");
    assert_eq!(request.target.redirect_uri, "http://127.0.0.1:9999/cb");
    assert_eq!(request.target.mode, ResponseMode::FormPost);
    assert_eq!(request.target.state.as_deref(), Some("st-123"));
    assert!(request.target.redirect_uri_was_sent);
    assert_eq!(request.scope.to_string(), "all openid");
    assert_eq!(request.nonce.as_deref(), Some("n-1"));
    assert_eq!(request.challenge.unwrap().method, Method::S256);
    assert!(request.prompt.login && request.prompt.consent && !request.prompt.none);
    assert_eq!(request.max_age, Some(60));
    assert_eq!(request.login_hint.as_deref(), Some("x@y.z"));
    assert_eq!(request.id_token_hint.unwrap().expose(), "a.b.c");
    assert_eq!(request.claims.unwrap().id_token_claims(), ["email"]);
    assert_eq!(request.acr_values, ["1", "2"]);
    assert_eq!(request.ui_locales, ["de", "en"]);
    assert_eq!(request.resource, ["https://a", "https://a/mcp"]);
}

// spec: security.md, Authorization endpoint, "No match, or unknown client: an error page"
#[test]
fn who_asks_has_to_be_clear_before_anything_travels() {
    for query in [
        "",
        "client_id=",
        "response_type=code",
        "client_id=a&client_id=b",
        "client_id=a&redirect_uri=https://a&redirect_uri=https://b",
    ] {
        let error = AuthorizeRequest::identify(&params(query)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest, "{query}");
    }
    let long = format!("client_id=a&redirect_uri=https://{}", "a".repeat(3000));
    assert!(AuthorizeRequest::identify(&params(&long)).is_err());
    let identification = AuthorizeRequest::identify(&with("redirect_uri=https://evil/")).unwrap();
    assert!(identification.target(&confidential()).is_err());
    let dynamic = ClientRules {
        dynamically_registered: true,
        ..confidential()
    };
    let identification = AuthorizeRequest::identify(&with("redirect_uri=")).unwrap();
    assert!(identification.target(&dynamic).is_err());
    let target = identification.target(&confidential()).unwrap();
    assert_eq!(target.redirect_uri, "http://127.0.0.1:9999/cb");
    assert!(!target.redirect_uri_was_sent);
}

// spec: security.md, Authorization endpoint, "`state` is returned byte-exact"; golden authorize-39
#[test]
fn state_comes_back_as_it_was() {
    let state = "a b&c=d/é\"<>+%";
    let changes = format!("state={}", "a%20b%26c%3Dd%2F%C3%A9%22%3C%3E%2B%25");
    let request = parse(&changes, &confidential()).unwrap();
    assert_eq!(request.target.state.as_deref(), Some(state));
    let location = request
        .target
        .answer(Vec::new(), "https://s")
        .location()
        .unwrap();
    let (_, query) = location.split_once('?').unwrap();
    assert_eq!(params(query).get("state"), Some(state));
}

// spec: security.md, Authorization endpoint, "in the response mode asked for"
#[test]
fn errors_travel_in_the_mode_asked_for() {
    for (changes, mode) in [
        ("", ResponseMode::Query),
        (
            "response_mode=form_post&response_type=nope",
            ResponseMode::FormPost,
        ),
        ("response_mode=fragment", ResponseMode::Fragment),
        ("response_type=id_token", ResponseMode::Fragment),
        (
            "response_type=id_token&response_mode=nope",
            ResponseMode::Fragment,
        ),
        (
            "response_mode=fragment&response_mode=query",
            ResponseMode::Query,
        ),
        ("response_type=nope", ResponseMode::Query),
    ] {
        let identification = AuthorizeRequest::identify(&with(changes)).unwrap();
        assert_eq!(
            identification.target(&confidential()).unwrap().mode,
            mode,
            "{changes}"
        );
    }
}

// spec: security.md, Authorization endpoint, "Repeated parameters: `invalid_request`"
#[test]
fn repeated_parameters() {
    for changes in [
        "state=a&state=b",
        "scope=all&scope=openid",
        "foo=1&foo=2",
        "nonce=&nonce=",
    ] {
        assert_eq!(
            parse(changes, &confidential()),
            Err(ErrorCode::InvalidRequest),
            "{changes}"
        );
    }
    let identification = AuthorizeRequest::identify(&with("state=a&state=b")).unwrap();
    assert_eq!(identification.state, None, "neither is known to be right");
}

// spec: http.md, authorize, "`request`: `request_not_supported`"; OpenID Connect Core §6
#[test]
fn request_objects() {
    assert_eq!(
        parse("request=eyJ..", &confidential()),
        Err(ErrorCode::RequestNotSupported)
    );
    let by_reference = parse("request_uri=https://a/x", &confidential());
    assert_eq!(by_reference, Err(ErrorCode::RequestUriNotSupported));
    assert!(parse("request=&request_uri=", &confidential()).is_ok());
}

// spec: http.md, authorize, "`response_type`"; golden authorize-15, -17, -24
#[test]
fn response_types() {
    assert_eq!(
        parse("response_type=", &confidential()),
        Err(ErrorCode::InvalidRequest)
    );
    let unsupported = Err(ErrorCode::UnsupportedResponseType);
    assert_eq!(parse("response_type=none", &confidential()), unsupported);
    let unauthorized = Err(ErrorCode::UnauthorizedClient);
    for name in [
        "token",
        "id_token",
        "code id_token",
        "code token",
        "token id_token code",
    ] {
        let changes = format!("response_type={name}&nonce=n");
        assert_eq!(parse(&changes, &confidential()), unauthorized, "{name}");
        let request = parse(&changes, &implicit()).unwrap();
        assert_eq!(request.target.mode, ResponseMode::Fragment, "{name}");
    }
}

// spec: security.md, Authorization endpoint, "Tokens are never put into a query"
#[test]
fn no_tokens_in_a_query() {
    let changes = "response_type=code%20id_token&nonce=n&response_mode=query";
    assert_eq!(parse(changes, &implicit()), Err(ErrorCode::InvalidRequest));
}

// spec: OpenID Connect Core §3.2.2.1, nonce; golden authorize-18
#[test]
fn an_id_token_in_the_front_channel_needs_a_nonce_and_openid() {
    for name in [
        "id_token",
        "id_token token",
        "code id_token",
        "code id_token token",
    ] {
        let changes = format!("response_type={name}");
        assert_eq!(
            parse(&changes, &implicit()),
            Err(ErrorCode::InvalidRequest),
            "{name}"
        );
        let changes = format!("response_type={name}&nonce=n&scope=all");
        assert_eq!(
            parse(&changes, &implicit()),
            Err(ErrorCode::InvalidScope),
            "{name}"
        );
    }
    for name in ["code", "token", "code token"] {
        assert!(
            parse(&format!("response_type={name}"), &implicit()).is_ok(),
            "{name}"
        );
    }
}

// spec: http.md, authorize, scopes; golden authorize-12, -13, -14
#[test]
fn scopes() {
    assert_eq!(
        parse("scope=all%20nope", &confidential()),
        Err(ErrorCode::InvalidScope)
    );
    let absent = parse("scope=", &confidential()).unwrap();
    assert_eq!(
        (absent.scope.to_string().as_str(), absent.requested_scope),
        ("all openid", None)
    );
    let dropped = parse("scope=openid+email+nope", &confidential()).unwrap();
    assert_eq!(dropped.scope.to_string(), "openid email");
    assert_eq!(
        dropped.requested_scope.unwrap().to_string(),
        "openid email nope"
    );
}

// spec: security.md, Clients, line 2; Codes and tokens, line 2; golden authorize-27 to -32
#[test]
fn pkce() {
    let s256 = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let lower = format!("code_challenge={CHALLENGE}&code_challenge_method=s256");
    let plain = format!("code_challenge={CHALLENGE}&code_challenge_method=plain");
    let no_method = format!("code_challenge={CHALLENGE}");
    let invalid = Err(ErrorCode::InvalidRequest);
    for rules in [confidential(), public()] {
        assert!(parse(&s256, &rules).is_ok() && parse(&lower, &rules).is_ok());
        assert_eq!(parse(&plain, &rules), invalid);
        assert_eq!(parse(&no_method, &rules), invalid);
        let allowed = ClientRules {
            allow_plain_pkce: true,
            ..rules
        };
        assert_eq!(
            parse(&no_method, &allowed)
                .unwrap()
                .challenge
                .unwrap()
                .method,
            Method::Plain
        );
    }
    assert!(parse("", &confidential()).is_ok());
    assert_eq!(parse("", &public()), invalid);
    assert_eq!(parse("code_challenge_method=S256", &public()), invalid);
    let observed = ClientRules {
        enforcement: Enforcement::Observe,
        ..public()
    };
    assert_eq!(
        parse("", &observed).unwrap().observed,
        Some(ObservedViolation::PkceAbsent)
    );
    assert_eq!(
        parse(&plain, &observed),
        invalid,
        "absent is let pass, wrong is not"
    );
}

// spec: OpenID Connect Core §3.1.2.1, prompt; golden authorize-58
#[test]
fn prompts() {
    assert_eq!(
        parse("prompt=none%20login", &confidential()),
        Err(ErrorCode::InvalidRequest)
    );
    assert_eq!(
        parse("prompt=none+create", &confidential()),
        Err(ErrorCode::InvalidRequest)
    );
    assert!(parse("prompt=none", &confidential()).unwrap().prompt.none);
    let select = parse("prompt=select_account+create", &confidential())
        .unwrap()
        .prompt;
    assert!(select.select_account && select.interactive());
}

// spec: OpenID Connect Core §3.1.2.1, max_age
#[test]
fn ages() {
    assert_eq!(
        parse("max_age=0", &confidential()).unwrap().max_age,
        Some(0)
    );
    for age in ["-1", "1.5", "x", "%2B1", "99999999999999999999", "1+"] {
        let parsed = parse(&format!("max_age={age}"), &confidential());
        assert_eq!(parsed, Err(ErrorCode::InvalidRequest), "{age}");
    }
}

// spec: security.md, Inputs, outputs, network, "has a length limit"
#[test]
fn lengths() {
    for (name, length) in [
        ("nonce", 1025),
        ("state", 8193),
        ("login_hint", 1025),
        ("claims", 9000),
    ] {
        let parsed = parse(&format!("{name}={}", "1".repeat(length)), &confidential());
        assert_eq!(parsed, Err(ErrorCode::InvalidRequest), "{name}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(pairs in prop::collection::vec(("[a-z_]{1,12}", any::<String>()), 0..6)) {
        let mut all = params(BASE);
        for (name, value) in pairs {
            all.push(name, value);
        }
        let _ = AuthorizeRequest::parse(&all, &implicit());
    }

    #[test]
    fn values_of_known_parameters_never_panic(
        name in prop::sample::select(vec![
            "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "claims",
            "response_type", "response_mode", "max_age", "resource", "redirect_uri", "client_id",
        ]),
        value in any::<String>(),
    ) {
        let mut all = params(BASE).without(&[name]);
        all.push(name, value);
        if let Ok(request) = AuthorizeRequest::parse(&all, &implicit()) {
            prop_assert!(!(request.response_type.front_channel()
                && request.target.mode == ResponseMode::Query));
        }
    }
}
