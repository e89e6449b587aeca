use crema_protocol::error::ErrorCode;
use crema_protocol::pkce::{Allow, Challenge, Method, check};
use proptest::prelude::*;

/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const STRICT: Allow = Allow {
    plain: false,
    short: false,
};
const PLAIN: Allow = Allow {
    plain: true,
    short: false,
};

fn parse(value: &str, method: Option<&str>, allow: Allow) -> Result<Challenge, ErrorCode> {
    match Challenge::parse(Some(value), method, allow) {
        Ok(challenge) => Ok(challenge.unwrap()),
        Err(error) => Err(error.code),
    }
}

// spec: RFC 7636 §4.6, Appendix B
#[test]
fn s256_of_the_rfc() {
    let challenge = parse(CHALLENGE, Some("S256"), STRICT).unwrap();
    assert_eq!(challenge.method, Method::S256);
    assert!(challenge.verify(VERIFIER, false).is_ok());
    let wrong = VERIFIER.replace('d', "e");
    assert_eq!(
        challenge.verify(&wrong, false).unwrap_err().code,
        ErrorCode::InvalidGrant
    );
    assert!(challenge.verify(CHALLENGE, false).is_err());
}

// spec: http.md, authorize, "case of `s256` accepted"
#[test]
fn the_case_of_s256_says_nothing() {
    assert!(parse(CHALLENGE, Some("s256"), STRICT).is_ok());
    assert_eq!(
        parse(CHALLENGE, Some("S512"), PLAIN),
        Err(ErrorCode::InvalidRequest)
    );
    assert_eq!(
        parse(CHALLENGE, Some("PLAIN"), PLAIN),
        Err(ErrorCode::InvalidRequest)
    );
}

// spec: http.md, authorize, "`plain` only where the client allows"; security.md, "means `plain`"
#[test]
fn plain_only_where_allowed_and_no_method_means_plain() {
    for method in [None, Some("plain")] {
        assert_eq!(
            parse(VERIFIER, method, STRICT),
            Err(ErrorCode::InvalidRequest)
        );
        let challenge = parse(VERIFIER, method, PLAIN).unwrap();
        assert_eq!(challenge.method, Method::Plain);
        assert!(challenge.verify(VERIFIER, false).is_ok());
        assert!(challenge.verify(CHALLENGE, false).is_err());
    }
}

// spec: golden authorize-32, pkce-11
#[test]
fn a_method_without_a_challenge_says_nothing() {
    assert_eq!(Challenge::parse(None, Some("S256"), STRICT), Ok(None));
}

// spec: RFC 7636 §4.2
#[test]
fn challenges_that_no_verifier_has_are_refused() {
    let long = "a".repeat(129);
    let padded = format!("{CHALLENGE}=");
    for value in [
        "abc",
        &padded,
        &long,
        &CHALLENGE[1..],
        &CHALLENGE.replace('-', "+"),
    ] {
        assert_eq!(
            parse(value, Some("S256"), STRICT),
            Err(ErrorCode::InvalidRequest),
            "{value}"
        );
    }
    for value in ["abc", &long, &VERIFIER.replace('-', "+")] {
        assert_eq!(
            parse(value, None, PLAIN),
            Err(ErrorCode::InvalidRequest),
            "{value}"
        );
    }
}

// spec: security.md, Codes and tokens, "Verifiers have 43 to 128 unreserved characters"
#[test]
fn short_verifiers_only_where_allowed() {
    let challenge = parse(
        "abc",
        None,
        Allow {
            plain: true,
            short: true,
        },
    )
    .unwrap();
    assert!(challenge.verify("abc", true).is_ok());
    assert_eq!(
        challenge.verify("abc", false).unwrap_err().code,
        ErrorCode::InvalidGrant
    );
    for (length, fits) in [(42, false), (43, true), (128, true), (129, false)] {
        let verifier = "~".repeat(length);
        let challenge = Challenge {
            method: Method::Plain,
            value: verifier.clone(),
        };
        assert_eq!(challenge.verify(&verifier, false).is_ok(), fits, "{length}");
    }
}

// spec: security.md, Codes and tokens, "a challenge that was sent is always enforced"; RFC 9700
// §4.8.2, a verifier without a challenge
#[test]
fn challenge_and_verifier_come_together() {
    let challenge = parse(CHALLENGE, Some("S256"), STRICT).unwrap();
    assert!(check(None, None, false).is_ok());
    assert!(check(Some(&challenge), Some(VERIFIER), false).is_ok());
    for refused in [
        check(Some(&challenge), None, false),
        check(None, Some(VERIFIER), false),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidGrant);
    }
}

proptest! {
    #[test]
    fn only_one_plain_verifier_fits(a in "[a-c]{43}", b in "[a-c]{43}") {
        let challenge = parse(&a, None, PLAIN).unwrap();
        prop_assert_eq!(challenge.verify(&b, false).is_ok(), a == b);
    }

    #[test]
    fn nothing_panics(value in any::<String>(), verifier in any::<String>()) {
        for allow in [STRICT, PLAIN, Allow { plain: true, short: true }] {
            for method in [None, Some("S256"), Some(value.as_str())] {
                if let Ok(Some(challenge)) = Challenge::parse(Some(&value), method, allow) {
                    let _ = challenge.verify(&verifier, allow.short);
                }
            }
        }
    }
}
