use crema_protocol::claims::{ClaimsRequest, granted_claims};
use crema_protocol::error::ErrorCode;
use crema_protocol::scope::Scope;
use proptest::prelude::*;

fn claims(granted: &str, requested: &str) -> Vec<&'static str> {
    granted_claims(
        &Scope::parse(granted).unwrap(),
        &Scope::parse(requested).unwrap(),
    )
}

const FULL: [&str; 13] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "email",
    "email_verified",
    "picture",
    "roles",
    "preferred_username",
    "locale",
    "zoneinfo",
    "updated_at",
    "iss",
];

// spec: http.md, openid_profile, "`openid` alone gives Frappe's full set"
#[test]
fn openid_alone_opens_the_full_set() {
    assert_eq!(claims("openid", "openid"), FULL);
    assert_eq!(
        claims("all openid offline_access", "all openid offline_access"),
        FULL
    );
}

// spec: http.md, openid_profile, "explicitly beside `openid`, only those"; OpenID Connect Core §5.4
#[test]
fn explicit_scopes_open_only_their_own() {
    assert_eq!(
        claims("openid email", "openid email"),
        ["sub", "email", "email_verified", "iss"]
    );
    assert_eq!(
        claims("openid roles", "openid roles"),
        ["sub", "roles", "iss"]
    );
    let profile = claims("openid profile", "openid profile");
    assert!(!profile.contains(&"email") && !profile.contains(&"roles"));
    assert_eq!(profile.len(), FULL.len() - 3);
    assert_eq!(
        claims("openid profile email roles", "openid profile email roles"),
        FULL
    );
}

// spec: security.md, Codes and tokens, "scope can only shrink"
#[test]
fn less_scope_never_opens_more() {
    assert_eq!(claims("openid", "openid email"), ["sub", "iss"]);
    assert_eq!(
        claims("openid email", "openid profile email"),
        claims("openid email", "openid email")
    );
}

// spec: http.md, openid_profile, "token without `openid`: 403"
#[test]
fn without_openid_there_is_nothing() {
    assert!(claims("all profile email", "all profile email").is_empty());
}

// spec: OpenID Connect Core §5.5, §5.5.1
#[test]
fn the_claims_parameter() {
    let text = r#"{"userinfo":{"email":null,"http://x/y":{"essential":false}},
        "id_token":{"auth_time":{"essential":true},"acr":{"values":["1","2"]},
        "sub":{"value":"abc"},"roles":{}},"other":7}"#;
    let request = ClaimsRequest::parse(text).unwrap();
    assert_eq!(request.userinfo_claims(), ["email"]);
    assert_eq!(request.id_token_claims(), ["sub", "roles"]);
    assert_eq!(request.subjects(), ["abc"]);
    assert!(request.in_id_token("auth_time").unwrap().essential);
    assert_eq!(request.in_id_token("acr").unwrap().values, ["1", "2"]);
    assert_eq!(request.userinfo().count(), 2);
    assert_eq!(ClaimsRequest::parse(request.as_str()), Ok(request.clone()));
    assert_eq!(ClaimsRequest::parse("{}").unwrap().userinfo().count(), 0);
}

// spec: OpenID Connect Core §5.5, "a JSON object"
#[test]
fn other_json_is_refused() {
    for text in [
        "",
        "x",
        "[]",
        "null",
        r#"{"userinfo":[]}"#,
        r#"{"id_token":{"email":7}}"#,
        r#"{"id_token":{"email":{"essential":"yes"}}}"#,
        r#"{"id_token":{"email":{"values":"x"}}}"#,
        r#"{"id_token":{},"id_token":{}}"#,
    ] {
        assert_eq!(
            ClaimsRequest::parse(text).unwrap_err().code,
            ErrorCode::InvalidRequest,
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn narrowing_never_adds_a_claim(
        requested in prop::collection::btree_set("openid|profile|email|roles|all", 0..5),
        kept in prop::collection::vec(any::<bool>(), 5),
    ) {
        let all: Vec<String> = requested.into_iter().collect();
        let less: Vec<String> =
            all.iter().zip(kept).filter(|(_, kept)| *kept).map(|(scope, _)| scope.clone()).collect();
        let (all, less) = (all.join(" "), less.join(" "));
        let before = claims(&all, &all);
        for claim in claims(&less, &all) {
            prop_assert!(before.contains(&claim));
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = ClaimsRequest::parse(&text);
        let _ = ClaimsRequest::parse(&format!("{{\"userinfo\":{{\"a\":{text}}}}}"));
    }
}

// spec: OpenID Connect Core §5.5; security.md, consent
#[test]
fn claims_that_the_scopes_do_not_open_need_their_scope_allowed() {
    let request = ClaimsRequest::parse(
        r#"{"userinfo":{"roles":null,"name":null,"iss":null},"id_token":{"email":null,"x":null}}"#,
    )
    .unwrap();
    let beyond = |scope: &str| request.beyond(&Scope::parse(scope).unwrap()).to_string();
    assert_eq!(beyond("openid profile"), "email roles");
    assert_eq!(beyond("openid email roles"), "profile");
    // The full set is open, or nothing can be asked for.
    assert_eq!(beyond("openid"), "");
    assert_eq!(beyond("all"), "");
}
