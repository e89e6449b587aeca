use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crema_protocol::client_auth::{
    AuthRule, ClientCredentials, PresentedMethod, basic_was_tried, judge,
};
use crema_protocol::client_rules::{AuthMethod, ClientRules, Enforcement, ObservedViolation};
use crema_protocol::error::ErrorCode;
use crema_protocol::secret::SecretText;
use proptest::prelude::*;

use super::{confidential, params, public};

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// `(client_id, method, secret)`, or the error code.
type Read = Result<Option<(String, PresentedMethod, Option<String>)>, ErrorCode>;

fn read(authorization: Option<&str>, body: &str) -> Read {
    ClientCredentials::from_request(authorization, &params(body))
        .map(|found| {
            found.map(|credentials| {
                let secret = credentials.secret.map(|secret| secret.expose().to_owned());
                (credentials.client_id, credentials.method, secret)
            })
        })
        .map_err(|error| error.code)
}

fn found(id: &str, method: PresentedMethod, secret: Option<&str>) -> Read {
    Ok(Some((id.to_owned(), method, secret.map(str::to_owned))))
}

const REFUSED: Read = Err(ErrorCode::InvalidClient);

// spec: RFC 6749 §2.3.1; security.md, Clients, line 1
#[test]
fn the_legal_combinations() {
    let header = basic("em6d6dl40b:01dd173525");
    let by_basic = found("em6d6dl40b", PresentedMethod::Basic, Some("01dd173525"));
    assert_eq!(read(Some(&header), ""), by_basic);
    assert_eq!(read(Some(&header), "client_id=em6d6dl40b"), by_basic);
    assert_eq!(read(Some(&header), "client_id=&client_secret="), by_basic);
    assert_eq!(
        read(Some(&header.replace("Basic ", "bASIC  ")), ""),
        by_basic
    );
    let by_post = found("a", PresentedMethod::Post, Some("s"));
    assert_eq!(read(None, "client_id=a&client_secret=s"), by_post);
    let by_name = found("a", PresentedMethod::None, None);
    assert_eq!(read(None, "client_id=a"), by_name);
    assert_eq!(read(None, "client_id=a&client_secret="), by_name);
    assert_eq!(read(None, "token=x"), Ok(None));
    assert_eq!(read(None, "client_id="), Ok(None));
}

// spec: http.md, introspect_token, "needs client authentication or a bearer token"
#[test]
fn a_bearer_header_is_not_a_client() {
    assert_eq!(read(Some("Bearer abc"), ""), Ok(None));
    assert_eq!(
        read(Some("bearer abc"), "client_id=a"),
        found("a", PresentedMethod::None, None)
    );
}

// spec: security.md, Clients, "Missing, wrong, mixed or doubled credentials: 401"
#[test]
fn mixed_and_doubled_credentials_are_refused() {
    let header = basic("a:s");
    for body in [
        "client_id=a&client_secret=s",
        "client_secret=s",
        "client_id=b",
        "client_id=A",
    ] {
        assert_eq!(read(Some(&header), body), REFUSED, "{body}");
    }
    for body in [
        "client_secret=s",
        "client_id=a&client_secret=s&client_secret=s",
        "client_id=a&client_secret=&client_secret=s",
        "client_id=a&client_assertion=x",
        "client_id=a&client_assertion_type=x",
    ] {
        assert_eq!(read(None, body), REFUSED, "{body}");
    }
    assert_eq!(
        read(None, "client_id=a&client_id=b"),
        Err(ErrorCode::InvalidRequest)
    );
    assert_eq!(read(Some("token a:s"), ""), REFUSED);
    assert_eq!(
        read(Some("Digest x"), "client_id=a&client_secret=s"),
        REFUSED
    );
}

// spec: security.md, Clients, "Basic credentials are form-decoded (RFC 6749 §2.3.1)"
#[test]
fn basic_credentials_are_form_decoded() {
    let read_pair = |pair: &str| read(Some(&basic(pair)), "");
    let method = PresentedMethod::Basic;
    assert_eq!(
        read_pair("a%3Ab:s+%2B%25:t"),
        found("a:b", method, Some("s +%:t"))
    );
    assert_eq!(
        read(Some(&basic("https%3A%2F%2Fapp.example%2Fclient:s")), ""),
        found("https://app.example/client", method, Some("s"))
    );
    for pair in ["a:%", "a:%zz", "a:%ff", "a:%00", "%00:s"] {
        assert_eq!(read_pair(pair), REFUSED, "{pair}");
    }
}

// spec: RFC 7617 §2; security.md, Inputs, outputs, network, "No input gives a 500"
#[test]
fn malformed_basic_headers_are_refused() {
    let (no_colon, long) = (basic("abc"), basic(&format!("a:{}", "x".repeat(9000))));
    let headers = [
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic YTpz YTpz",
        "Basic YTp",
        &no_colon,
        &long,
    ];
    for header in headers {
        assert_eq!(read(Some(header), ""), REFUSED, "{header}");
    }
    for pair in [":", ":s", "a:"] {
        assert_eq!(read(Some(&basic(pair)), ""), REFUSED, "{pair}");
    }
    let not_utf8 = format!("Basic {}", STANDARD.encode(b"a:\xff"));
    assert_eq!(read(Some(&not_utf8), ""), REFUSED);
}

// spec: security.md, Clients, "with `WWW-Authenticate: Basic` when Basic was tried"
#[test]
fn whether_basic_was_tried() {
    assert!(basic_was_tried(Some("Basic")) && basic_was_tried(Some("bAsIc %%%")));
    assert!(!basic_was_tried(Some("Bearer x")) && !basic_was_tried(Some("Basical x")));
    assert!(!basic_was_tried(None));
}

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … `Debug`"
#[test]
fn debug_shows_no_secret() {
    let body = params("client_id=a&client_secret=hunter2");
    let shown = format!("{:?}", ClientCredentials::from_request(None, &body));
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn presented(method: PresentedMethod) -> ClientCredentials {
    let secret = (method != PresentedMethod::None).then(|| SecretText::new("s"));
    ClientCredentials {
        client_id: "a".to_owned(),
        method,
        secret,
    }
}

/// A word for each kind of outcome.
fn outcome(rule: AuthRule) -> &'static str {
    match rule {
        AuthRule::Public => "public",
        AuthRule::RequireSecret { observed: None } => "secret",
        AuthRule::RequireSecret {
            observed: Some(ObservedViolation::OtherMethod),
        } => "other",
        AuthRule::RequireSecret { .. } => "wrong violation",
        AuthRule::LetPass(ObservedViolation::ClientAuthenticationAbsent) => "absent",
        AuthRule::LetPass(_) => "wrong violation",
        AuthRule::Refuse(error) if error.code == ErrorCode::InvalidClient => "refused",
        AuthRule::Refuse(_) => "wrong error",
    }
}

fn outcomes(rules: &ClientRules) -> [&'static str; 3] {
    [
        PresentedMethod::None,
        PresentedMethod::Basic,
        PresentedMethod::Post,
    ]
    .map(|method| outcome(judge(&presented(method), rules)))
}

// spec: security.md, Clients, line 1, "may use Basic or POST unless `strict_client_auth` is on"
#[test]
fn records_may_use_basic_or_post_unless_strict() {
    for (auth_method, strict) in [
        (
            AuthMethod::ClientSecretBasic,
            ["refused", "secret", "refused"],
        ),
        (
            AuthMethod::ClientSecretPost,
            ["refused", "refused", "secret"],
        ),
    ] {
        let lenient = ClientRules {
            auth_method,
            ..confidential()
        };
        assert_eq!(outcomes(&lenient), ["refused", "secret", "secret"]);
        let by_switch = ClientRules {
            strict_client_auth: true,
            ..lenient.clone()
        };
        assert_eq!(outcomes(&by_switch), strict);
        let dynamic = ClientRules {
            dynamically_registered: true,
            ..lenient
        };
        assert_eq!(outcomes(&dynamic), strict);
    }
}

// spec: security.md, Clients, line 2, "Public clients (`None`) send `client_id` only"
#[test]
fn public_clients_send_their_name_only() {
    assert_eq!(outcomes(&public()), ["public", "refused", "refused"]);
}

// spec: security.md, Clients, "`Observe` may let pass only"
#[test]
fn observed_clients_still_need_the_right_secret() {
    let enforcement = Enforcement::Observe;
    let observed = ClientRules {
        enforcement,
        ..confidential()
    };
    assert_eq!(outcomes(&observed), ["absent", "secret", "secret"]);
    let strict = ClientRules {
        enforcement,
        strict_client_auth: true,
        ..confidential()
    };
    assert_eq!(outcomes(&strict), ["absent", "secret", "other"]);
    assert_eq!(
        outcomes(&ClientRules {
            enforcement,
            ..public()
        }),
        ["public", "other", "other"]
    );
}

// spec: http.md, get_token, "confidential client with it"
#[test]
fn acting_for_itself_needs_proof_even_when_observed() {
    let observed = ClientRules {
        enforcement: Enforcement::Observe,
        ..confidential()
    };
    let rule = judge(&presented(PresentedMethod::None), &observed);
    assert_eq!(outcome(rule.proven_only()), "refused");
    let rule = judge(&presented(PresentedMethod::Basic), &observed);
    assert_eq!(outcome(rule.proven_only()), "secret");
}

proptest! {
    #[test]
    fn basic_round_trip(id in "[^\0]{1,20}", secret in "[^\0]{1,20}") {
        let encode = |text: &str| crema_protocol::params::Params::from_pairs([("", text)])
            .to_query()
            .split_off(1);
        let header = basic(&format!("{}:{}", encode(&id), encode(&secret)));
        prop_assert_eq!(read(Some(&header), ""), found(&id, PresentedMethod::Basic, Some(&secret)));
    }

    #[test]
    fn nothing_panics(header in any::<String>(), pair in any::<Vec<u8>>()) {
        let none = params("");
        let _ = ClientCredentials::from_request(Some(&header), &none);
        let header = format!("Basic {}", STANDARD.encode(pair));
        let _ = ClientCredentials::from_request(Some(&header), &none);
    }
}
