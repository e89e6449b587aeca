// What each fuzz target does with one input. The stable test in `crates/protocol/tests` runs the
// same functions over generated inputs; a panic or a failed assertion is a finding.

use crema_protocol::authorize_request::AuthorizeRequest;
use crema_protocol::claims::ClaimsRequest;
use crema_protocol::client_auth::{ClientCredentials, judge};
use crema_protocol::client_rules::{AuthMethod, ClientRules, GrantType};
use crema_protocol::params::Params;
use crema_protocol::pkce::{Allow, Challenge};
use crema_protocol::redirect_uri;
use crema_protocol::response::ResponseMode;
use crema_protocol::scope::{Scope, grant_scope, narrow_scope};
use crema_protocol::token_query::TokenQuery;
use crema_protocol::token_request::TokenRequest;

/// The input as text; what is not UTF-8 never reaches a parser of text.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The input as two texts, split at the first line feed.
fn two(data: &[u8]) -> Option<(&str, &str)> {
    text(data)?.split_once('\n')
}

/// What was read can be written and read again.
fn check_params(params: &Params) {
    let again = Params::from_query(params.to_query().as_bytes());
    assert_eq!(again.as_ref(), Ok(params), "round trip");
    assert!(
        params
            .iter()
            .all(|(name, value)| !name.contains('\0') && !value.contains('\0'))
    );
}

/// An `application/x-www-form-urlencoded` body.
pub(crate) fn form(data: &[u8]) {
    if let Ok(params) = Params::from_form(data) {
        check_params(&params);
        let _ = params.reject_repeated(&["resource"]);
    }
}

/// A query string.
pub(crate) fn query(data: &[u8]) {
    if let Ok(params) = Params::from_query(data) {
        check_params(&params);
    }
}

/// A JSON body.
pub(crate) fn json(data: &[u8]) {
    if let Ok(params) = Params::from_json(data) {
        check_params(&params);
        assert!(
            params.reject_repeated(&[]).is_ok(),
            "JSON names a member once"
        );
    }
}

/// An `Authorization` header, and a body behind the first line feed.
pub(crate) fn basic(data: &[u8]) {
    let Some((header, body)) = two(data) else {
        return;
    };
    let Ok(body) = Params::from_form(body.as_bytes()) else {
        return;
    };
    if let Ok(Some(credentials)) = ClientCredentials::from_request(Some(header), &body) {
        assert!(!credentials.client_id.is_empty());
        assert!(
            credentials
                .secret
                .as_ref()
                .is_none_or(|secret| !secret.expose().is_empty())
        );
        let mut client = ClientRules::new("fuzz");
        let _ = judge(&credentials, &client);
        client.auth_method = AuthMethod::None;
        let _ = judge(&credentials, &client);
    }
}

/// A registered and a presented redirect URI.
pub(crate) fn redirect_uri(data: &[u8]) {
    let Some((registered, presented)) = two(data) else {
        return;
    };
    let list = redirect_uri::split_registered(registered);
    if redirect_uri::matches(list.iter().copied(), presented) {
        assert!(!presented.contains(['#', '\n']));
        let exact = list.contains(&presented);
        assert!(exact || presented.starts_with("http://") && redirect_uri::is_loopback(presented));
    }
    let params = vec![("state".to_owned(), registered.to_owned())];
    let location = redirect_uri::append_query(presented, &params);
    assert!(location.len() > presented.len());
    if redirect_uri::check_registrable(presented, true, &["cursor"]).is_ok() {
        assert!(
            redirect_uri::matches([presented], presented),
            "registrable, but never matches"
        );
        assert!(location.starts_with(presented));
    }
    let _ = redirect_uri::host_for_display(presented);
}

/// Requested and registered scopes.
pub(crate) fn scope(data: &[u8]) {
    let Some((requested, registered)) = two(data) else {
        return;
    };
    let registered = Scope::from_registered(registered);
    let Ok(requested) = Scope::parse(requested) else {
        return;
    };
    assert_eq!(
        Scope::parse(&requested.to_string()).as_ref(),
        Ok(&requested)
    );
    if let Ok(granted) = grant_scope(Some(&requested), &registered) {
        assert!(granted.is_subset_of(&registered.with_implied()));
    }
    if let Ok(narrowed) = narrow_scope(&registered, Some(&requested)) {
        assert!(narrowed.is_subset_of(&registered));
    }
}

/// The `claims` parameter.
pub(crate) fn claims(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(request) = ClaimsRequest::parse(text) {
        assert_eq!(ClaimsRequest::parse(request.as_str()), Ok(request.clone()));
        let _ = (
            request.subjects(),
            request.userinfo_claims(),
            request.id_token_claims(),
        );
    }
}

/// A challenge and a verifier.
pub(crate) fn verifier(data: &[u8]) {
    let Some((challenge, verifier)) = two(data) else {
        return;
    };
    for (plain, short) in [(false, false), (true, false), (true, true)] {
        for method in ["S256", "plain"] {
            let allow = Allow { plain, short };
            let parsed = Challenge::parse(Some(challenge), Some(method), allow);
            let Ok(Some(parsed)) = parsed else { continue };
            if parsed.verify(verifier, short).is_ok() {
                assert!(short || (43..=128).contains(&verifier.len()));
                assert!(method == "S256" || challenge == verifier);
            }
        }
    }
}

/// The query of an authorization request.
pub(crate) fn authorize(data: &[u8]) {
    let Ok(params) = Params::from_query(data) else {
        return;
    };
    let mut client = ClientRules::new("em6d6dl40b");
    client.redirect_uris = vec!["http://127.0.0.1:9999/cb".to_owned()];
    client.grant_types.insert(GrantType::Implicit);
    client.allow_plain_pkce = true;
    let target = AuthorizeRequest::identify(&params).and_then(|found| found.target(&client));
    let parsed = AuthorizeRequest::parse(&params, &client);
    match (target, parsed) {
        (Ok(target), Ok(request)) => {
            assert_eq!(target.redirect_uri, request.target.redirect_uri);
            assert_eq!(target.mode, request.target.mode);
            let front_channel = request.response_type.front_channel();
            assert!(!front_channel || request.target.mode != ResponseMode::Query);
            assert!(!request.response_type.id_token || request.nonce.is_some());
            assert!(!request.scope.is_empty());
        }
        (Ok(target), Err(error)) => {
            assert!(error.redirectable(), "{error}");
            let _ = target.error(&error, "https://site.example").location();
        }
        (Err(_), parsed) => assert!(parsed.is_err(), "parsed without a proven target"),
    }
}

/// The body of a token request, read as a form and as JSON.
pub(crate) fn token(data: &[u8]) {
    for params in [Params::from_form(data), Params::from_json(data)]
        .into_iter()
        .flatten()
    {
        let _ = ClientCredentials::from_request(None, &params);
        let _ = TokenQuery::parse(&params);
        if let Err(error) = TokenRequest::parse(&params) {
            assert_eq!(error.status(), 400, "{error}");
        }
    }
}
