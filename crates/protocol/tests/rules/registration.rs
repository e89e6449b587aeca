use crema_protocol::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::registration::{ApplicationType, ClientMetadata, object};
use proptest::prelude::*;
use serde_json::{Value, json};

const SCHEMES: [&str; 3] = ["cursor", "vscode", "vscode-insiders"];

fn parse(value: &Value) -> Result<ClientMetadata, OAuthError> {
    ClientMetadata::parse(object(value)?, &SCHEMES)
}

/// The smallest registration with these members beside it.
fn with(members: Value) -> Result<ClientMetadata, OAuthError> {
    let mut value = json!({"redirect_uris": ["https://app.example/cb"]});
    for (name, member) in members.as_object().unwrap() {
        value[name] = member.clone();
    }
    parse(&value)
}

/// Expects that the member is refused, and named in the description.
fn refused(members: Value, code: ErrorCode) {
    let member = members.as_object().unwrap().keys().next().unwrap().clone();
    let error = with(members.clone()).expect_err(&members.to_string());
    assert_eq!(error.code, code, "{members}");
    assert!(error.description.contains(&member), "{error} of {members}");
}

fn invalid(members: Value) {
    refused(members, ErrorCode::InvalidClientMetadata);
}

// spec: RFC 7591 §2; http.md, register_client
#[test]
fn what_is_absent_has_its_default_and_the_answer_shows_it() {
    let metadata = with(json!({})).unwrap();
    assert_eq!(metadata.auth_method(), AuthMethod::ClientSecretBasic);
    assert!(!metadata.is_public());
    assert_eq!(metadata.application_type, ApplicationType::Web);
    assert_eq!(metadata.display_name(), "app.example");
    assert_eq!(
        Value::Object(metadata.to_json()),
        json!({
            "redirect_uris": ["https://app.example/cb"],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "application_type": "web",
            "id_token_signed_response_alg": "RS256",
        })
    );
}

// spec: RFC 7591 §2, §3.2.1, "all registered metadata"; OpenID Connect Dynamic Client Registration §2
#[test]
fn every_member_is_read_and_shown_again() {
    let sent = json!({
        "client_name": "Full App",
        "client_name#ja-Jpan-JP": "\u{30af}\u{30e9}\u{30a4}\u{30a2}\u{30f3}\u{30c8}",
        "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "native",
        "id_token_signed_response_alg": "EdDSA",
        "scope": "openid profile",
        "client_uri": "https://app.example/",
        "client_uri#de": "https://app.example/de",
        "logo_uri": "https://app.example/logo.png",
        "tos_uri": "https://app.example/tos",
        "policy_uri": "https://app.example/policy",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "1.2.3",
        "contacts": ["a@app.example", "b@app.example"],
        "post_logout_redirect_uris": ["https://app.example/bye"],
    });
    let metadata = parse(&sent).unwrap();
    assert_eq!(Value::Object(metadata.to_json()), sent);
    assert_eq!(
        metadata.id_token_signed_response_alg,
        Some(IdTokenAlgorithm::EdDSA)
    );
}

// spec: RFC 7591 §2, "MUST ignore values … it does not understand"; RFC 7592 §2.2
#[test]
fn unknown_members_and_empty_ones_are_as_if_absent() {
    let plain = with(json!({})).unwrap();
    let sent = json!({
        "something": {"else": [1]}, "client_name#": "x", "client_name#de_AT": "x",
        "contacts#de": "x", "jwks_uri": "https://app.example/jwks", "default_max_age": 5,
        "client_name": null, "client_uri": "", "scope": "  ", "contacts": [], "grant_types": null,
        "token_endpoint_auth_method": "", "software_statement": null, "subject_type": "public",
    });
    assert_eq!(with(sent).unwrap(), plain);
    let keys = with(json!({"jwks": {"keys": []}, "jwks_uri": null})).unwrap();
    assert_eq!(keys, plain);
}

// spec: http.md, register_client, "Errors"; RFC 7591 §3.2.2
#[test]
fn a_wrong_member_is_named() {
    for value in [
        json!(5),
        json!("https://app.example/cb"),
        json!({}),
        json!([5]),
        json!([]),
        json!(null),
    ] {
        invalid(json!({"redirect_uris": value}));
    }
    for member in [
        "client_name",
        "scope",
        "software_id",
        "software_version",
        "client_uri",
    ] {
        for value in [
            json!(5),
            json!(["x"]),
            json!({}),
            json!(true),
            json!("x".repeat(5000)),
        ] {
            invalid(json!({member: value}));
        }
    }
    for member in ["client_name", "software_id", "client_name#de"] {
        for text in ["a\u{0}b", "a\nb", "a\u{202e}b", "a\u{2066}b"] {
            invalid(json!({member: text}));
        }
    }
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "app.example",
        "https://",
        "ftp://a.example/",
        "https://u:p@a.example/",
    ] {
        for member in [
            "client_uri",
            "logo_uri",
            "tos_uri",
            "policy_uri",
            "policy_uri#en",
        ] {
            invalid(json!({member: uri}));
        }
    }
    for member in [
        "contacts",
        "grant_types",
        "response_types",
        "post_logout_redirect_uris",
    ] {
        for value in [
            json!("code"),
            json!([5]),
            json!({"a": 1}),
            json!(vec!["x"; 101]),
        ] {
            invalid(json!({member: value}));
        }
    }
    invalid(json!({"contacts": ["x".repeat(4001)]}));
    invalid(json!({"contacts": ["a\nb"]}));
    invalid(json!({"scope": "a\"b"}));
    invalid(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    invalid(json!({"token_endpoint_auth_method": ["none"]}));
    invalid(json!({"application_type": "Native"}));
    invalid(json!({"id_token_signed_response_alg": "none"}));
    invalid(json!({"subject_type": "pairwise"}));
    invalid(json!({"post_logout_redirect_uris": ["http://app.example/"]}));
    for body in [json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(
            parse(&body).unwrap_err().code,
            ErrorCode::InvalidClientMetadata
        );
    }
}

// spec: RFC 7591 §2, jwks; standards.md I, "jwks xor jwks_uri"
#[test]
fn keys_by_value_and_by_address_are_a_mistake() {
    invalid(json!({"jwks": {"keys": []}, "jwks_uri": "https://app.example/jwks"}));
}

// spec: http.md, register_client, "`redirect_uris`"; RFC 8252 §7.1
#[test]
fn redirect_uris_follow_the_rule_and_a_bad_one_has_its_own_error() {
    let uris = |uris: Value, method: &str| {
        parse(&json!({"redirect_uris": uris, "token_endpoint_auth_method": method}))
    };
    for good in [
        "https://app.example",
        "http://127.0.0.1/cb",
        "http://[::1]:3/",
        "http://localhost/x",
    ] {
        let metadata = uris(json!([good, good]), "client_secret_basic").unwrap();
        assert_eq!(metadata.redirect_uris, [good]);
    }
    for private in [
        "com.example.app:/cb",
        "cursor://anysphere.cursor-retrieval/oauth",
        "vscode://x/y",
    ] {
        assert!(uris(json!([private]), "none").is_ok(), "{private}");
        let error = uris(json!([private]), "client_secret_basic").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRedirectUri);
    }
    for bad in [
        "http://app.example/cb",
        "myapp://cb",
        "nonsense",
        "https://app.example/cb#x",
        "",
        "https://*.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a.example/ b",
    ] {
        let error = uris(json!(["https://app.example/cb", bad]), "none").unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRedirectUri, "{bad}");
        assert!(error.description.starts_with("redirect_uris: "), "{error}");
    }
    let many: Vec<String> = (0..101)
        .map(|n| format!("https://app.example/{n}"))
        .collect();
    assert!(uris(json!(many), "none").is_err());
    let long: Vec<String> = (0..9)
        .map(|n| format!("https://a.example/{n}{}", "x".repeat(2000)))
        .collect();
    assert!(uris(json!(long), "none").is_err());
}

// spec: OpenID Connect Dynamic Client Registration §2, application_type; standards.md U2
#[test]
fn the_application_type_fits_the_redirect_uris() {
    let kind = |uris: Value, said: Option<&str>| {
        let mut sent = json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"});
        if let Some(said) = said {
            sent["application_type"] = json!(said);
        }
        parse(&sent).map(|metadata| metadata.application_type)
    };
    let private = || json!(["com.example.app:/cb"]);
    assert_eq!(kind(private(), None), Ok(ApplicationType::Native));
    assert_eq!(
        kind(json!(["http://127.0.0.1/cb"]), None),
        Ok(ApplicationType::Native)
    );
    assert_eq!(
        kind(json!(["http://127.0.0.1/cb"]), Some("web")),
        Ok(ApplicationType::Web)
    );
    assert_eq!(
        kind(json!(["https://app.example/"]), Some("native")),
        Ok(ApplicationType::Native)
    );
    assert_eq!(
        kind(json!(["https://a.example/", "http://[::1]/"]), None),
        Ok(ApplicationType::Web)
    );
    let error = kind(private(), Some("web")).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRedirectUri);
}

// spec: RFC 7591 §2.1; security.md, Clients
#[test]
fn strangers_get_the_code_and_refresh_tokens_only() {
    let grants = |names: Value| with(json!({"grant_types": names})).map(|one| one.grant_types);
    let code = GrantType::AuthorizationCode;
    let both = [code, GrantType::RefreshToken];
    assert_eq!(grants(json!(["authorization_code"])), Ok([code].into()));
    assert_eq!(
        grants(json!([
            "refresh_token",
            "authorization_code",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code"
        ])),
        Ok(both.into())
    );
    for names in [
        json!(["password"]),
        json!(["authorization_code", "password"]),
        json!(["authorization_code", "implicit"]),
        json!(["client_credentials"]),
        json!(["refresh_token"]),
        json!(["urn:x"]),
        json!([]),
    ] {
        invalid(json!({"grant_types": names}));
    }
    for names in [
        json!(["token"]),
        json!(["code", "id_token"]),
        json!(["none"]),
    ] {
        invalid(json!({"response_types": names}));
    }
}

// spec: security.md, Clients, "cannot use HS256 ID tokens"
#[test]
fn a_client_without_a_secret_cannot_have_it_as_a_key() {
    let hs256 = |method: &str| {
        with(json!({"id_token_signed_response_alg": "HS256", "token_endpoint_auth_method": method}))
    };
    assert!(hs256("client_secret_post").is_ok());
    assert_eq!(
        hs256("none").unwrap_err().code,
        ErrorCode::InvalidClientMetadata
    );
}

// spec: RFC 7591 §2.3, §3.2.2
#[test]
fn software_statements_are_refused_in_words() {
    let statement = "eyJhbGciOiJSUzI1NiJ9.eyJzb2Z0d2FyZV9pZCI6IjEifQ.c2ln";
    refused(
        json!({"software_statement": statement}),
        ErrorCode::UnapprovedSoftwareStatement,
    );
    for value in [
        json!("x"),
        json!("a.b"),
        json!("a..c"),
        json!(5),
        json!({"iss": "x"}),
    ] {
        refused(
            json!({"software_statement": value}),
            ErrorCode::InvalidSoftwareStatement,
        );
    }
}

// spec: RFC 7591 §2.2
#[test]
fn texts_in_many_languages_are_bounded() {
    let mut members = json!({});
    for n in 0..51 {
        members[format!("client_name#x{n}")] = json!("App");
    }
    assert!(with(members).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "none",
            "client_secret_post",
            "code",
            "token",
            "authorization_code",
            "refresh_token",
            "https://app.example/cb",
            "http://127.0.0.1:9/cb",
            "com.example:/cb",
            "openid all",
            "web",
            "native",
            "RS256",
            "HS256",
            "",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(Value::from)
    })
}

fn any_member() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "redirect_uris",
            "token_endpoint_auth_method",
            "grant_types",
            "response_types",
            "application_type",
            "client_name",
            "client_name#de",
            "client_uri",
            "client_uri#fr",
            "logo_uri",
            "tos_uri",
            "policy_uri",
            "scope",
            "contacts",
            "software_id",
            "software_version",
            "software_statement",
            "id_token_signed_response_alg",
            "post_logout_redirect_uris",
            "jwks",
            "jwks_uri",
            "subject_type",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

proptest! {
    // What is taken is stable: sent back as it was answered it means the same (RFC 7592 §2.2).
    #[test]
    fn whatever_is_taken_survives_a_round(
        members in prop::collection::btree_map(any_member(), any_json(), 0..8),
        has_uri in any::<bool>(),
    ) {
        let mut sent = json!(members);
        if has_uri {
            sent["redirect_uris"] = json!(["https://app.example/cb", "http://127.0.0.1/cb"]);
        }
        match parse(&sent) {
            Ok(metadata) => {
                let shown = Value::Object(metadata.to_json());
                let again = parse(&shown).unwrap();
                prop_assert_eq!(Value::Object(again.to_json()), shown);
                prop_assert!(metadata.grant_types.contains(&GrantType::AuthorizationCode));
                prop_assert!(!metadata.redirect_uris.is_empty());
            }
            Err(error) => prop_assert_eq!(error.status(), 400),
        }
    }
}
