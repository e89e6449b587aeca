use crema_protocol::client_rules::{
    AuthMethod, ClientRules, Contradiction, Enforcement, GrantType, IdTokenAlgorithm,
    ObservedViolation, check_pair,
};
use crema_protocol::error::ErrorCode;
use crema_protocol::response::ResponseType;

use super::{confidential, implicit, public};

#[test]
fn names_lead_back_to_their_values() {
    for grant in GrantType::ALL {
        assert_eq!(GrantType::from_name(grant.as_str()), Some(grant));
    }
    for method in AuthMethod::ALL {
        assert_eq!(AuthMethod::from_name(method.as_str()), Some(method));
        assert_eq!(AuthMethod::from_label(method.label()), Some(method));
    }
    for algorithm in IdTokenAlgorithm::ALL {
        assert_eq!(
            IdTokenAlgorithm::from_name(algorithm.as_str()),
            Some(algorithm)
        );
    }
    let labelled = GrantType::from_label("Authorization Code");
    assert_eq!(labelled, Some(GrantType::AuthorizationCode));
    assert_eq!(IdTokenAlgorithm::from_name("none"), None);
}

// spec: http.md, get_token, "allowed when"
#[test]
fn grants_by_registration() {
    let rules = confidential();
    assert!(rules.allows_grant(GrantType::AuthorizationCode));
    assert!(rules.allows_grant(GrantType::RefreshToken));
    for grant in [
        GrantType::Password,
        GrantType::ClientCredentials,
        GrantType::Implicit,
    ] {
        let error = rules.check_grant(grant).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnauthorizedClient);
    }
    let bare = ClientRules {
        grant_types: [].into(),
        ..confidential()
    };
    assert!(bare.allows_grant(GrantType::AuthorizationCode));
    assert!(!bare.allows_grant(GrantType::RefreshToken));
    let grant_types: std::collections::BTreeSet<_> = GrantType::ALL.into();
    let all = ClientRules {
        grant_types: grant_types.clone(),
        ..confidential()
    };
    assert!(
        GrantType::ALL
            .into_iter()
            .all(|grant| all.allows_grant(grant))
    );
    let all = ClientRules {
        grant_types,
        ..public()
    };
    assert!(
        !all.allows_grant(GrantType::ClientCredentials),
        "confidential clients only"
    );
}

// spec: http.md, authorize, "for clients with Grant Type `Implicit` also"
#[test]
fn tokens_in_the_front_channel_are_for_implicit_clients() {
    assert!(
        confidential()
            .check_response_type(ResponseType::CODE)
            .is_ok()
    );
    assert!(implicit().check_response_type(ResponseType::CODE).is_ok());
    for name in ResponseType::FRONT_CHANNEL {
        let response_type = ResponseType::parse(name).unwrap();
        assert!(implicit().check_response_type(response_type).is_ok());
        let error = confidential()
            .check_response_type(response_type)
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::UnauthorizedClient);
    }
}

// spec: security.md, Authorization endpoint, line 2; golden authorize-09, approve-27, approve-28
#[test]
fn an_absent_redirect_uri_is_the_default_or_the_only_one() {
    let rules = |uris: &[&str], default: Option<&str>| ClientRules {
        redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        default_redirect_uri: default.map(str::to_owned),
        ..confidential()
    };
    let absent = |uris: &[&str], default| rules(uris, default).resolve_redirect_uri(None);
    assert_eq!(
        absent(&["https://a", "https://b"], Some("https://b")).unwrap(),
        "https://b"
    );
    assert_eq!(absent(&["https://a"], None).unwrap(), "https://a");
    assert_eq!(absent(&["https://a"], Some("")).unwrap(), "https://a");
    assert!(
        absent(&["https://a", "https://b"], None).is_err(),
        "which one?"
    );
    assert!(
        absent(&["https://a"], Some("https://b")).is_err(),
        "not registered"
    );
    assert!(absent(&[], Some("https://a")).is_err(), "not registered");
    assert!(absent(&[], None).is_err());
    let dynamic = ClientRules {
        dynamically_registered: true,
        ..rules(&["https://a"], None)
    };
    assert!(dynamic.resolve_redirect_uri(None).is_err(), "must send it");
    assert_eq!(
        dynamic.resolve_redirect_uri(Some("https://a")).unwrap(),
        "https://a"
    );
}

// spec: security.md, Clients, line 2; Codes and tokens, line 2
#[test]
fn who_needs_a_challenge() {
    let challenge = crema_protocol::pkce::Challenge {
        method: crema_protocol::pkce::Method::S256,
        value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
    };
    assert_eq!(
        public().check_pkce(None).unwrap_err().code,
        ErrorCode::InvalidRequest
    );
    assert_eq!(public().check_pkce(Some(&challenge)), Ok(None));
    assert_eq!(confidential().check_pkce(None), Ok(None));
    let switched_off = ClientRules {
        require_pkce: false,
        ..public()
    };
    assert_eq!(switched_off.check_pkce(None), Ok(None));
    let observed = ClientRules {
        enforcement: Enforcement::Observe,
        ..public()
    };
    assert_eq!(
        observed.check_pkce(None),
        Ok(Some(ObservedViolation::PkceAbsent))
    );
    assert_eq!(observed.check_pkce(Some(&challenge)), Ok(None));
}

// spec: security.md, Clients, "cannot use HS256 ID tokens"; http.md, get_token, client_credentials
#[test]
fn contradictions() {
    assert_eq!(confidential().check_consistency(), Ok(()));
    assert_eq!(public().check_consistency(), Ok(()));
    let id_token_signed_response_alg = IdTokenAlgorithm::HS256;
    let hmac = ClientRules {
        id_token_signed_response_alg,
        ..public()
    };
    assert_eq!(
        hmac.check_consistency(),
        Err(Contradiction::PublicWithSharedKey)
    );
    let hmac = ClientRules {
        id_token_signed_response_alg,
        ..confidential()
    };
    assert_eq!(hmac.check_consistency(), Ok(()));
    let mut own = public();
    own.grant_types.insert(GrantType::ClientCredentials);
    assert_eq!(
        own.check_consistency(),
        Err(Contradiction::PublicWithClientCredentials)
    );
}

// spec: frappe/doctypes.md, OAuth Client, "grant type and response type must pair"
#[test]
fn pairs_of_grant_and_response_type() {
    assert_eq!(check_pair("Authorization Code", "Code"), Ok(()));
    assert_eq!(check_pair("Implicit", "Token"), Ok(()));
    for (grant, response) in [
        ("Authorization Code", "Token"),
        ("Implicit", "Code"),
        ("", ""),
    ] {
        assert_eq!(
            check_pair(grant, response),
            Err(Contradiction::GrantAndResponse)
        );
    }
}
