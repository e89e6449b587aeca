use std::collections::BTreeMap;

use crema_protocol::error::{ErrorCode, OAuthError};
use serde_json::json;

/// Code on the wire, status, redirectable: written down from the RFCs, not from the code.
const TABLE: [(&str, u16, bool); 26] = [
    // RFC 6749 §5.2: 400, but 401 for invalid_client.
    ("invalid_request", 400, true),
    ("invalid_client", 401, false),
    ("invalid_grant", 400, false),
    ("unauthorized_client", 400, true),
    ("unsupported_grant_type", 400, false),
    ("invalid_scope", 400, true),
    // RFC 6749 §4.1.2.1.
    ("access_denied", 400, true),
    ("unsupported_response_type", 400, true),
    ("server_error", 500, true),
    ("temporarily_unavailable", 503, true),
    // OpenID Connect Core §3.1.2.6.
    ("interaction_required", 400, true),
    ("login_required", 400, true),
    ("account_selection_required", 400, true),
    ("consent_required", 400, true),
    ("request_not_supported", 400, true),
    ("request_uri_not_supported", 400, true),
    ("registration_not_supported", 400, true),
    ("unmet_authentication_requirements", 400, true),
    // RFC 6750 §3.1.
    ("invalid_token", 401, false),
    ("insufficient_scope", 403, false),
    // RFC 7009 §2.2.1.
    ("unsupported_token_type", 400, false),
    // RFC 8707 §2.
    ("invalid_target", 400, true),
    // RFC 7591 §3.2.2.
    ("invalid_redirect_uri", 400, false),
    ("invalid_client_metadata", 400, false),
    ("invalid_software_statement", 400, false),
    ("unapproved_software_statement", 400, false),
];

// spec: RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1; RFC 7009 §2.2.1; RFC 7591 §3.2.2; RFC 8707 §2
#[test]
fn the_table_is_that_of_the_rfcs() {
    let ours: BTreeMap<&str, (u16, bool)> = ErrorCode::ALL
        .iter()
        .filter(|code| **code != ErrorCode::TooManyRequests)
        .map(|code| (code.as_str(), (code.status(), code.redirectable())))
        .collect();
    let theirs: BTreeMap<_, _> = TABLE
        .into_iter()
        .map(|(code, status, redirect)| (code, (status, redirect)))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ErrorCode::ALL.len(), TABLE.len() + 1, "a code twice");
}

// spec: security.md, Clients, "429 with `Retry-After`"
#[test]
fn too_many_requests_is_429_with_retry_after() {
    let error = OAuthError::too_many_requests(30);
    assert_eq!((error.status(), error.retry_after), (429, Some(30)));
    assert_eq!(error.body()["error"], "temporarily_unavailable");
}

// spec: RFC 6749 §5.2, error_description
#[test]
fn descriptions_keep_to_the_allowed_characters() {
    let error = OAuthError::new(ErrorCode::InvalidRequest, "a\"b\\c\u{e9}\n~ !");
    assert_eq!(error.description, "a?b?c??~ !");
}

// spec: RFC 6749 §5.2; product.md, rule 3, "send both when JSON allows"
#[test]
fn bodies_have_the_members_of_the_rfc_and_those_of_frappe() {
    let error = OAuthError::invalid_request("code is missing.");
    let expected = json!({"error": "invalid_request", "error_description": "code is missing."});
    assert_eq!(error.body(), expected);
    let expected = json!({
        "error": "invalid_request",
        "error_description": "code is missing.",
        "description": "code is missing.",
        "status_code": 400,
    });
    assert_eq!(error.frappe_body(), expected);
}
