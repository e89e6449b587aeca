//! Frappe's six cookies: names, values and attributes as its clients know them.

use axum::http::{HeaderMap, HeaderValue, header};
use crema_auth::session::Session;
use crema_document::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays readable in a cookie value, as in Frappe's (`user%40example.com`, `Test%20User`).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The cookies beside `sid`, in the order in which Frappe clears them.
const CLEARED: [&str; 6] = [
    "user_lang",
    "system_user",
    "full_name",
    "sid",
    "user_image",
    "user_id",
];

/// The value of a request cookie, as it was sent. Of several of one name the first counts.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Sets the `sid` cookie: HttpOnly, for this host and every path, `Secure` over https.
pub fn set_sid(headers: &mut HeaderMap, sid: &str, now: Timestamp, max_age: i64, secure: bool) {
    let expires = now.plus_seconds(max_age).http_date();
    let attributes =
        format!("; Expires={expires}; Max-Age={max_age}; HttpOnly; Path=/; SameSite=Lax");
    push(headers, &format!("sid={sid}{attributes}{}", flag(secure)));
}

/// Sets the five cookies that scripts read after a sign-in.
pub fn set_user(headers: &mut HeaderMap, session: &Session, secure: bool) {
    let system_user = if session.user_type == "System User" {
        "yes"
    } else {
        "no"
    };
    let language = session.language.as_deref().unwrap_or("en");
    let mut set = |name: &str, value: &str| {
        let value = utf8_percent_encode(value, VALUE);
        push(
            headers,
            &format!("{name}={value}; Path=/; SameSite=Lax{}", flag(secure)),
        );
    };
    set("system_user", system_user);
    set("full_name", &session.full_name);
    set("user_id", &session.user);
    if let Some(image) = session
        .user_image
        .as_deref()
        .filter(|image| !image.is_empty())
    {
        set("user_image", image);
    }
    set("user_lang", language);
}

/// Removes all six.
pub fn clear(headers: &mut HeaderMap, now: Timestamp, secure: bool) {
    let past = now.plus_seconds(-86_400).http_date();
    for name in CLEARED {
        push(
            headers,
            &format!("{name}=; Expires={past}; Path=/{}", flag(secure)),
        );
    }
}

fn flag(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

fn push(headers: &mut HeaderMap, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(header::SET_COOKIE, value);
    }
}
