use crema_protocol::client_rules::IdTokenAlgorithm;
use crema_protocol::id_token::{IdTokenClaims, half_hash};
use serde_json::{Map, json};

// spec: OpenID Connect Core §3.1.3.6; golden token-02
#[test]
fn hashes_of_tokens() {
    let token = "FpkGvKGkBmdbRkhwWr2mzIGoSGrBCq";
    for algorithm in IdTokenAlgorithm::ALL {
        let hash = half_hash(algorithm, token);
        if algorithm == IdTokenAlgorithm::EdDSA {
            assert_eq!(hash.len(), 43, "half of SHA-512");
        } else {
            assert_eq!(hash, "N2BARZXwTQaGHS6vrhtKPA");
        }
    }
    // OpenID Connect Core Appendix A.3 and A.4.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(
        half_hash(IdTokenAlgorithm::RS256, access_token),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
    let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    assert_eq!(
        half_hash(IdTokenAlgorithm::RS256, code),
        "LDktKdoQak3Pk0cnXxCltA"
    );
}

// spec: OpenID Connect Core §2; http.md, ID token
#[test]
fn claims_about_the_user_replace_nothing() {
    let mut user = Map::new();
    user.insert("sub".to_owned(), json!("someone else"));
    user.insert("aud".to_owned(), json!("other"));
    user.insert("nonce".to_owned(), json!("other"));
    user.insert("email".to_owned(), json!("user@example.com"));
    let claims = IdTokenClaims::new("https://s", "0927", "em6d6dl40b", 100, 3700)
        .with_some("auth_time", Some(50))
        .with_some("nonce", Some("n-1"))
        .with_some("sid", None::<&str>)
        .with_hashes(IdTokenAlgorithm::RS256, Some("a"), None)
        .with_user(user)
        .with("amr", json!(["pwd"]))
        .into_map();
    assert_eq!(claims["sub"], "0927");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["email"], "user@example.com");
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(
        (&claims["aud"], &claims["azp"]),
        (&json!("em6d6dl40b"), &json!("em6d6dl40b"))
    );
    assert_eq!(
        (&claims["iat"], &claims["exp"], &claims["auth_time"]),
        (&json!(100), &json!(3700), &json!(50))
    );
    assert!(claims.contains_key("at_hash") && !claims.contains_key("c_hash"));
    assert!(!claims.contains_key("sid"));
}
