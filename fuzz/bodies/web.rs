// What each fuzz target of `crema-web` does with one input.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use crema_document::SiteConfig;
use crema_web::account::own_path;
use crema_web::api::{arguments::Arguments, path};
use crema_web::pages::{Lang, negotiate};
use crema_web::{cookies, mcp, origin};
use serde_json::{Value, json};

const ISSUER: &str = "http://trust.localhost:8000";

/// A site behind proxies of 10.0.0.0/8.
static CONFIG: LazyLock<SiteConfig> = LazyLock::new(|| {
    let keys = json!({"trusted_proxies": ["10.0.0.0/8"]});
    let keys = keys.as_object().cloned().expect("an object");
    SiteConfig::from_keys(keys).expect("a configuration")
});

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The lines that are headers, as a server gets them.
fn headers_of(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value[1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    let all = headers.get_all(name).iter();
    let all = all.filter_map(|value| value.to_str().ok());
    all.map(str::to_owned).collect()
}

/// Lines of headers: host, cookies, and what proxies add.
pub(crate) fn headers(data: &[u8]) {
    let headers = headers_of(data);
    one_host(&headers);
    one_cookie(&headers);
    forwarded(&headers);
    let language = headers.get(header::ACCEPT_LANGUAGE);
    let language = language.and_then(|value| value.to_str().ok());
    let _ = negotiate(None, language);
}

fn one_host(headers: &HeaderMap) {
    let bare = Uri::from_static("/login");
    let full = Uri::from_static("http://trust.localhost:8000/login");
    let sent: Vec<_> = headers.get_all(header::HOST).iter().collect();
    let found = origin::host(&bare, headers);
    if sent.len() != 1 {
        assert_eq!(found, None, "not one host");
    }
    if let Some(host) = found {
        assert_eq!(sent[0].as_bytes(), host.as_bytes());
        let same = host.eq_ignore_ascii_case("trust.localhost:8000");
        assert_eq!(origin::host(&full, headers).is_some(), same);
    } else {
        assert_eq!(origin::host(&full, headers), None);
    }
}

/// Against all cookies of all headers, one after the other.
fn one_cookie(headers: &HeaderMap) {
    let joined = texts(headers, "cookie").join(";");
    let expected = joined.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == "sid").then_some(value)
    });
    assert_eq!(cookies::get(headers, "sid"), expected);
}

fn forwarded(headers: &HeaderMap) {
    let host = "Trust.Localhost:8000";
    let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let seen = origin::origin(stranger, headers, host, &CONFIG);
    assert_eq!(seen.address, stranger, "a stranger is who it is");
    assert!(!seen.secure, "a stranger says https");
    assert_eq!(seen.issuer, "http://trust.localhost:8000");

    let proxy = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
    let seen = origin::origin(proxy, headers, host, &CONFIG);
    let https = texts(headers, "x-forwarded-proto");
    let https = https
        .first()
        .is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"));
    let readable = headers.get("x-forwarded-proto");
    let readable = readable.is_none_or(|value| value.to_str().is_ok());
    assert!(seen.secure == https || !readable);
    // From the right, the first that is no proxy of ours; what cannot be read ends the search.
    let list = texts(headers, "x-forwarded-for").join(",");
    let mut expected = proxy;
    for hop in list.split(',').rev() {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        expected = hop.to_canonical();
        let ours = matches!(expected, IpAddr::V4(address) if address.octets()[0] == 10);
        if !ours {
            break;
        }
    }
    assert_eq!(seen.address, expected);
}

/// `ui_locales`, a line feed, `Accept-Language`.
pub(crate) fn language(data: &[u8]) {
    let Some((locales, accepted)) = text(data).and_then(|text| text.split_once('\n')) else {
        return;
    };
    let chosen = negotiate(Some(locales), Some(accepted));
    let first = locales.split_ascii_whitespace().find_map(Lang::from_tag);
    match first {
        Some(first) => assert_eq!(chosen.code(), first.code()),
        None => assert_eq!(chosen.code(), negotiate(None, Some(accepted)).code()),
    }
    let named = accepted.to_ascii_lowercase();
    assert!(
        first.is_some() || chosen.code() == Lang::default().code() || named.contains(chosen.code())
    );
}

/// Where to go after a sign-in.
pub(crate) fn redirect_to(data: &[u8]) {
    let Some(to) = text(data) else { return };
    let Some(path) = own_path(ISSUER, to) else {
        return;
    };
    assert!(path.starts_with('/') && !path.starts_with("//"), "{path}");
    assert!(
        path.bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    );
    assert_eq!(own_path(ISSUER, &path).as_deref(), Some(path.as_str()));
    let base = url::Url::parse(ISSUER).expect("an issuer");
    let target = base.join(&path).expect("a path");
    assert_eq!(target.origin(), base.origin());
    assert_eq!(target.scheme(), "http");
}

/// A media type, a line feed, a query, a line feed, a body: the arguments of a request.
pub(crate) fn arguments(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let (Some(kind), Some(query), Some(body)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let kind = match kind.first() {
        Some(b'j') => "application/json",
        Some(b'f') => "application/x-www-form-urlencoded",
        Some(b'm') => "multipart/form-data; boundary=x",
        _ => "",
    };
    let Ok(read) = Arguments::parse(query, kind, body) else {
        return;
    };
    let members = read.members().clone();
    assert!(!members.contains_key("csrf_token"));
    // What serde_json takes, with the same members; it is more lenient than ours.
    let whole = serde_json::from_slice::<Value>(body).ok();
    if let (Some(Value::Object(whole)), "application/json") = (&whole, kind) {
        for (name, value) in whole.iter().filter(|(name, _)| *name != "csrf_token") {
            assert_eq!(members.get(name), Some(value), "the body wins");
        }
    }
    for name in members.keys() {
        let text = read.text(name).ok().flatten();
        assert_eq!(text.is_some(), read.required(name).is_ok());
        assert!(text.is_none() || read.value(name).is_some());
        let _ = read.flag(name, true);
    }
    let shown = format!("{read:?}");
    if let Ok(document) = read.into_document() {
        let wrapped = members.get("data").is_some_and(|data| !data.is_null());
        for (name, value) in &document {
            let same = members.get(name) == Some(value);
            assert!(same || wrapped, "{name} of {shown} comes from nowhere");
        }
    }
}

/// A path of the resource server.
pub(crate) fn path(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let whole = format!("/api/{text}");
    let Ok(target) = path::target(&whole) else {
        return;
    };
    assert!(!target.doctype.is_empty() && !target.doctype.contains('\0'));
    assert!(whole.contains("resource/") || whole.contains("v2/"));
    // Written out again it names the same.
    let encoded = |text: &str| -> String {
        let all = percent_encoding::NON_ALPHANUMERIC;
        percent_encoding::utf8_percent_encode(text, all).to_string()
    };
    let mut again = format!("/api/resource/{}", encoded(&target.doctype));
    if let Some(name) = &target.name {
        assert!(!name.is_empty() && !name.contains('\0'));
        again = format!("{again}/{}", encoded(name));
    }
    assert_eq!(path::target(&again).ok(), Some(target));
}

/// A message of MCP, or several, against a reader that knows only what a request is.
pub(crate) fn mcp_message(data: &[u8]) {
    let Some(ids) = mcp::ids(data) else { return };
    let value: Value = serde_json::from_slice(data).expect("what is read is JSON");
    let messages = match &value {
        Value::Array(messages) => messages.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_request = |message: &&Value| {
        let params = message.get("params");
        message["jsonrpc"] == "2.0"
            && message["method"].is_string()
            && params.is_none_or(Value::is_object)
    };
    let id = |message: &Value| message.get("id").cloned();
    let is_id = |id: &Value| id.is_string() || id.is_i64() || id.is_u64();
    let expected = messages.iter().filter(is_request).filter_map(id);
    assert_eq!(ids, expected.filter(is_id).collect::<Vec<_>>());
}
