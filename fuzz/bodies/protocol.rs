// What each fuzz target of `crema-protocol` does with one input. The stable test of the crate runs
// the same functions; a panic or a failed assertion is a finding.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crema_protocol::authorize_request::AuthorizeRequest;
use crema_protocol::claims::ClaimsRequest;
use crema_protocol::client_auth::{ClientCredentials, basic_was_tried, judge};
use crema_protocol::client_rules::{AuthMethod, ClientRules, GrantType};
use crema_protocol::metadata_document::{DocumentAddress, LARGEST, MetadataDocument};
use crema_protocol::params::{Params, ParamsError};
use crema_protocol::pkce::{Allow, Challenge};
use crema_protocol::registration::ClientMetadata;
use crema_protocol::resource_scope::ResourceScopes;
use crema_protocol::response::ResponseMode;
use crema_protocol::scope::{Scope, grant_scope, narrow_scope};
use crema_protocol::token_query::TokenQuery;
use crema_protocol::token_request::TokenRequest;
use crema_protocol::{json as strict_json, limits, redirect_uri as uris, resource as resources};
use serde_json::Value;

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

/// `%` without two hexadecimal digits behind it.
fn has_broken_percent(data: &[u8]) -> bool {
    data.iter().enumerate().any(|(at, byte)| {
        let digits = data.get(at + 1..at + 3);
        *byte == b'%' && !digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    })
}

/// An `application/x-www-form-urlencoded` body, against the lenient reader of browsers.
pub(crate) fn form(data: &[u8]) {
    let strict = Params::from_form(data);
    match &strict {
        Ok(params) => {
            check_params(params);
            assert!(!has_broken_percent(data));
            let lenient: Vec<_> = url::form_urlencoded::parse(data).collect();
            let ours: Vec<_> = params.iter().collect();
            assert_eq!(ours.len(), lenient.len());
            for ((name, value), (other_name, other_value)) in ours.iter().zip(&lenient) {
                assert_eq!((*name, *value), (&**other_name, &**other_value));
            }
            let unique: BTreeSet<_> = params.iter().map(|(name, _)| name).collect();
            let repeated = params.reject_repeated(&[]).is_err();
            assert_eq!(repeated, unique.len() != ours.len());
        }
        Err(ParamsError::Encoding) => assert!(has_broken_percent(data)),
        Err(ParamsError::Nul) => {
            let nul = data.contains(&0) || data.windows(3).any(|three| three == b"%00");
            assert!(nul, "no U+0000 in it");
        }
        Err(ParamsError::Utf8) => {
            let lost = url::form_urlencoded::parse(data)
                .any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
            assert!(lost, "browsers read it without loss");
        }
        Err(other) => panic!("{other}: not of a form"),
    }
}

/// A query string.
pub(crate) fn query(data: &[u8]) {
    assert_eq!(Params::from_query(data), Params::from_form(data));
    if let Ok(params) = Params::from_query(data) {
        check_params(&params);
        for (name, _) in params.iter() {
            assert!(params.without(&[name]).count(name) == 0);
            assert!(params.get(name).is_none_or(|value| !value.is_empty()));
        }
    }
}

/// Levels of nesting, and whether U+0000 is in a text or name.
fn depth_and_nul(value: &Value) -> (usize, bool) {
    let below = |inner: &mut dyn Iterator<Item = (usize, bool)>| {
        inner.fold((0, false), |(deep, nul), (other, also)| {
            (deep.max(other), nul || also)
        })
    };
    match value {
        Value::Array(items) => {
            let (deep, nul) = below(&mut items.iter().map(depth_and_nul));
            (deep + 1, nul)
        }
        Value::Object(members) => {
            let (deep, nul) = below(&mut members.iter().map(|(name, value)| {
                let (deep, nul) = depth_and_nul(value);
                (deep, nul || name.contains('\0'))
            }));
            (deep + 1, nul)
        }
        Value::String(text) => (0, text.contains('\0')),
        _ => (0, false),
    }
}

/// Whether a number is in it that is no whole one of 64 bits.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

fn count_members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_members).sum(),
        Value::Object(members) => {
            members.len() + members.values().map(count_members).sum::<usize>()
        }
        _ => 0,
    }
}

/// The colons outside of texts: as many as members were written.
fn count_written_members(json: &[u8]) -> usize {
    let (mut colons, mut in_text, mut escaped) = (0, false, false);
    for byte in json {
        match (in_text, *byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b':') => colons += 1,
            _ => {}
        }
    }
    colons
}

/// A JSON body, against a reader without our limits.
pub(crate) fn json(data: &[u8]) {
    let lenient = serde_json::from_slice::<Value>(data);
    match (strict_json::parse(data), lenient) {
        (Ok(strict), Ok(lenient)) => {
            assert_eq!(strict, lenient);
            let (deep, nul) = depth_and_nul(&strict);
            assert!(deep <= limits::JSON_DEPTH && !nul);
            assert_eq!(count_members(&strict), count_written_members(data), "twice");
            let again = strict_json::parse(strict.to_string().as_bytes());
            let again = again.expect("what was written is JSON");
            // Of very long numbers serde_json reads the last bit one way or the other.
            assert!(again == strict || has_fraction(&strict));
        }
        (Err(_), Ok(lenient)) => {
            let (deep, nul) = depth_and_nul(&lenient);
            let twice = count_members(&lenient) != count_written_members(data);
            assert!(deep > limits::JSON_DEPTH || nul || twice, "for no reason");
        }
        (Ok(strict), Err(error)) => panic!("{strict} was read although {error}"),
        (Err(_), Err(_)) => {}
    }
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
    basic_round_trip(header, body);
    let Ok(params) = Params::from_form(body.as_bytes()) else {
        return;
    };
    if let Ok(Some(credentials)) = ClientCredentials::from_request(Some(header), &params) {
        assert!(!credentials.client_id.is_empty());
        assert!(
            credentials
                .secret
                .as_ref()
                .is_none_or(|secret| !secret.expose().is_empty())
        );
        if basic_was_tried(Some(header)) {
            assert!(params.get("client_secret").is_none(), "two sets");
            let named = params.get("client_id");
            assert!(named.is_none_or(|id| id == credentials.client_id));
        }
        let mut client = ClientRules::new("fuzz");
        let _ = judge(&credentials, &client);
        client.auth_method = AuthMethod::None;
        let _ = judge(&credentials, &client);
    }
}

/// What a client encodes as RFC 6749 §2.3.1 wants it is what the server reads.
fn basic_round_trip(id: &str, secret: &str) {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let value = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let taken = !id.is_empty()
        && !secret.is_empty()
        && !id.contains('\0')
        && !secret.contains('\0')
        && value.len() <= 2 * (limits::CLIENT_ID + limits::CLIENT_SECRET);
    let read = ClientCredentials::from_request(Some(&format!("Basic {value}")), &Params::default());
    match read {
        Ok(Some(read)) => {
            assert!(taken);
            assert_eq!(read.client_id, id);
            let read_secret = read.secret.as_ref().map(|secret| secret.expose());
            assert_eq!(read_secret, Some(secret));
        }
        Ok(None) => panic!("Basic names a client"),
        Err(_) => assert!(!taken, "{id:?} {secret:?}"),
    }
}

/// A loopback URI without its port, written another way than the rule.
fn portless(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("http://")?;
    let host_end = if rest.starts_with('[') {
        rest.find(']')? + 1
    } else {
        rest.find([':', '/', '?']).unwrap_or(rest.len())
    };
    let (host, rest) = rest.split_at(host_end);
    if !["127.0.0.1", "[::1]", "localhost"].contains(&host) {
        return None;
    }
    let tail = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let port = rest.strip_suffix(tail)?;
            let number: u32 = port.parse().ok()?;
            if number.to_string() != port || !(1..=65535).contains(&number) {
                return None;
            }
            tail
        }
    };
    let plain = tail.is_empty() || tail.starts_with('/') || tail.starts_with('?');
    plain.then(|| format!("{host} {tail}"))
}

/// A registered and a presented redirect URI.
pub(crate) fn redirect_uri(data: &[u8]) {
    let Some((registered, presented)) = two(data) else {
        return;
    };
    let list = uris::split_registered(registered);
    let matched = uris::matches(list.iter().copied(), presented);
    let same = list
        .iter()
        .any(|own| own.as_bytes() == presented.as_bytes());
    let loopback = portless(presented);
    let other_port = loopback.is_some() && list.iter().any(|own| portless(own) == loopback);
    let lower = presented.to_ascii_lowercase();
    let scripted = ["javascript:", "data:", "vbscript:", "file:", "blob:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme));
    if matched {
        assert!(same || other_port, "neither the same nor another port");
        assert!(!presented.contains(['#', '\n']) && !scripted);
    } else if !scripted && !presented.contains('#') && (same || other_port) {
        let hidden = ["about:", "filesystem:", "view-source:"];
        assert!(hidden.iter().any(|scheme| lower.starts_with(scheme)));
    }
    let params = vec![("state".to_owned(), registered.to_owned())];
    let location = uris::append_query(presented, &params);
    assert!(location.len() > presented.len());
    if uris::check_registrable(presented, true, &["cursor"]).is_ok() {
        assert!(
            uris::matches([presented], presented),
            "registrable, but never matches"
        );
        assert!(location.starts_with(presented));
        assert!(presented.bytes().all(|byte| byte.is_ascii_graphic()));
        let query = location.split_once('?').map(|(_, query)| query.as_bytes());
        let read = Params::from_query(query.unwrap_or_default());
        if let Ok(read) = read {
            assert_eq!(read.iter().last(), Some(("state", registered)));
        } else {
            // The registered query itself may be one that nobody can read, or the state U+0000.
            assert!(registered.contains('\0') || presented.contains('%'));
        }
    }
    let shown = uris::host_for_display(presented);
    assert!(
        shown.is_ascii() || uris::is_custom_scheme(presented),
        "{shown}"
    );
}

fn set(scope: &Scope) -> BTreeSet<String> {
    scope.iter().map(str::to_owned).collect()
}

/// Requested and registered scopes, against sets.
pub(crate) fn scope(data: &[u8]) {
    let Some((requested, registered)) = two(data) else {
        return;
    };
    let registered = Scope::from_registered(registered);
    let Ok(requested) = Scope::parse(requested) else {
        return;
    };
    let read = Scope::parse(&requested.to_string());
    assert_eq!(read.as_ref(), Ok(&requested));
    let (ours, theirs) = (set(&requested), set(&registered));
    assert_eq!(ours.len(), requested.iter().count(), "each once");
    let union = requested.union(&registered);
    assert_eq!(set(&union), ours.union(&theirs).cloned().collect());
    let both = requested.intersection(&registered);
    assert_eq!(set(&both), ours.intersection(&theirs).cloned().collect());
    assert_eq!(requested.is_subset_of(&registered), ours.is_subset(&theirs));
    let available = registered.with_implied();
    let (wide, named) = (ResourceScopes::of(&registered), set(&available));
    // Within what is named, or opened by it.
    let holds = |scope: &Scope, named: &BTreeSet<String>| {
        let others = scope.iter().filter(|token| !named.contains(*token));
        others.into_iter().all(|token| {
            let alone = Scope::from_registered(token);
            let opened = ResourceScopes::of(&alone);
            !opened.is_empty() && wide.covers(&opened)
        })
    };
    assert_eq!(available.covers(&requested), holds(&requested, &named));
    if let Ok(granted) = grant_scope(Some(&requested), &registered) {
        assert!(holds(&granted, &named));
        assert!(wide.covers(&ResourceScopes::of(&granted)), "opens more");
        assert!(requested.is_empty() || granted.is_subset_of(&requested));
        assert!(!granted.is_empty());
    }
    if let Ok(narrowed) = narrow_scope(&registered, Some(&requested)) {
        assert!(holds(&narrowed, &theirs));
        assert!(wide.covers(&ResourceScopes::of(&narrowed)), "opens more");
    }
}

/// The `claims` parameter.
pub(crate) fn claims(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(request) = ClaimsRequest::parse(text) else {
        return;
    };
    assert!(text.len() <= limits::CLAIMS);
    assert_eq!(ClaimsRequest::parse(request.as_str()), Ok(request.clone()));
    let value: Value = serde_json::from_str(text).expect("it was read");
    for (section, claims) in [
        ("userinfo", request.userinfo().collect::<Vec<_>>()),
        ("id_token", request.id_token().collect::<Vec<_>>()),
    ] {
        let written = value[section].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(claims.len(), written, "{section}");
        for (name, _) in claims {
            assert!(value[section].get(name).is_some());
        }
    }
    let sub = |section: &str| !value[section]["sub"].is_null();
    assert!(request.subjects().is_empty() || sub("id_token") || sub("userinfo"));
    for scope in ["", "openid", "openid email", "openid profile roles"] {
        let granted = Scope::from_registered(scope);
        let beyond = request.beyond(&granted);
        assert!(beyond.intersection(&granted).is_empty() || !granted.contains("openid"));
    }
}

/// A challenge and a verifier.
pub(crate) fn verifier(data: &[u8]) {
    let Some((challenge, verifier)) = two(data) else {
        return;
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    let hashed = URL_SAFE_NO_PAD.encode(digest.as_ref());
    for (plain, short) in [(false, false), (true, false), (true, true)] {
        for method in ["S256", "plain"] {
            let allow = Allow { plain, short };
            let parsed = Challenge::parse(Some(challenge), Some(method), allow);
            let Ok(Some(parsed)) = parsed else { continue };
            assert!(plain || method == "S256");
            if parsed.verify(verifier, short).is_ok() {
                assert!(short || (43..=128).contains(&verifier.len()));
                let expected = if method == "S256" { &hashed } else { verifier };
                assert_eq!(challenge, expected);
            }
        }
    }
}

/// One `resource`, and the issuer behind the first line feed, which serves as a path too.
pub(crate) fn resource(data: &[u8]) {
    let Some((resource, issuer)) = two(data) else {
        return;
    };
    let Some(canonical) = resources::canonical(resource) else {
        return;
    };
    assert_eq!(
        resources::canonical(&canonical).as_deref(),
        Some(canonical.as_str())
    );
    assert!(!canonical.contains(['#', '\\', ' ']) && canonical.is_ascii());
    let list = vec![canonical];
    let path = issuer.find("/m").and_then(|at| issuer.get(at..));
    let path = path.unwrap_or(issuer);
    if resources::check(issuer, &list).is_ok() {
        let own = resources::check(&list[0], &[issuer.to_owned()]);
        assert!(own.is_ok(), "of the same origin, but only one way");
        // A part of it is good for no more than the whole.
        let part = vec![format!("{}/x", list[0].trim_end_matches('/'))];
        assert!(resources::narrow(&list, &part).is_ok());
        assert!(
            list == part || resources::narrow(&part, &list).is_err(),
            "widened"
        );
        let opened = resources::admits(&part[0], issuer, path);
        assert!(!opened || resources::admits(&list[0], issuer, path));
    } else {
        assert!(
            !resources::admits(&list[0], issuer, path),
            "of another site"
        );
    }
    assert!(resources::admits("", issuer, path));
    assert_eq!(resources::narrow(&list, &[]).as_ref(), Ok(&list));
    assert_eq!(resources::narrow(&list, &list).as_ref(), Ok(&list));
    assert!(resources::narrow(&[], &list).is_err());
}

/// A client metadata document, found at the address that it names, and at another.
pub(crate) fn client_document(data: &[u8]) {
    const OTHER: &str = "https://app.example/oauth/client.json";
    let named = strict_json::parse(data).ok();
    let id = named.as_ref().and_then(|value| value["client_id"].as_str());
    let id = id.unwrap_or(OTHER);
    let Ok(address) = DocumentAddress::parse(id, false) else {
        return;
    };
    let url = url::Url::parse(id).expect("it was read");
    assert_eq!(url.as_str(), id, "another spelling");
    assert!(url.scheme() == "https" && url.path().len() > 1 && !id.contains(['#', '\\']));
    assert!(url.username().is_empty() && url.password().is_none());
    let taken = MetadataDocument::parse(&address, data, &["cursor"]);
    let elsewhere = DocumentAddress::parse("https://elsewhere.example/x", false);
    let elsewhere = elsewhere.expect("an address");
    assert!(elsewhere == address || MetadataDocument::parse(&elsewhere, data, &[]).is_err());
    let Ok(document) = taken else { return };
    let metadata = document.metadata;
    assert!(metadata.is_public() && !metadata.redirect_uris.is_empty());
    assert!(metadata.grant_types.contains(&GrantType::AuthorizationCode));
    assert!(!metadata.grant_types.contains(&GrantType::ClientCredentials));
    assert!(!metadata.display_name().trim().is_empty());
    for uri in &metadata.redirect_uris {
        assert!(uris::check_registrable(uri, true, &["cursor"]).is_ok());
    }
    let named = named.expect("JSON");
    assert!(data.len() <= LARGEST && named.get("client_secret").is_none());
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
            assert!(params.reject_repeated(&["resource"]).is_ok(), "repeated");
        }
        (Ok(target), Err(error)) => {
            assert!(error.redirectable(), "{error}");
            let location = target.error(&error, "https://site.example").location();
            if let Some(location) = location {
                assert!(location.starts_with("http://127.0.0.1:"), "{location}");
                assert!(location.bytes().all(|byte| byte.is_ascii_graphic()));
            }
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
        if let Ok(query) = TokenQuery::parse(&params) {
            assert_eq!(params.get("token"), Some(query.token.expose()));
            assert!(query.token.expose().len() <= limits::TOKEN);
        }
        match TokenRequest::parse(&params) {
            Err(error) => assert_eq!(error.status(), 400, "{error}"),
            Ok(request) => {
                let named = params.get("grant_type");
                assert_eq!(named, Some(request.grant.grant_type().as_str()));
                assert!(params.reject_repeated(&["resource"]).is_ok(), "repeated");
            }
        }
    }
}

/// The body of a registration: what is taken is within its bounds, and sent back as it was
/// answered it means the same.
pub(crate) fn registration(data: &[u8]) {
    const SCHEMES: [&str; 1] = ["cursor"];
    let Ok(value) = strict_json::parse(data) else {
        return;
    };
    let Some(object) = value.as_object() else {
        return;
    };
    let Ok(metadata) = ClientMetadata::parse(object, &SCHEMES) else {
        return;
    };
    let shown = metadata.to_json();
    let again = ClientMetadata::parse(&shown, &SCHEMES).expect("it was taken before");
    assert_eq!(again.to_json(), shown, "round trip");
    assert_eq!(
        depth_and_nul(&Value::Object(shown)),
        (2, false),
        "flat lists"
    );
    assert!(!metadata.redirect_uris.is_empty());
    for uri in &metadata.redirect_uris {
        let lower = uri.to_ascii_lowercase();
        assert!(
            !["javascript:", "data:", "file:"]
                .iter()
                .any(|bad| lower.starts_with(bad))
        );
        assert!(uri.is_ascii() && !uri.contains(['#', '*', ' ']));
        let web = lower.starts_with("http");
        assert!(web || metadata.is_public() || lower.starts_with("https"));
    }
    for grant in &metadata.grant_types {
        let given = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        assert!(given.contains(grant));
    }
    let name = metadata.display_name();
    assert!(!name.is_empty() && name.chars().count() <= limits::CLIENT_NAME);
    assert!(!name.chars().any(char::is_control));
}
