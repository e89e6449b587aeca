//! For how long an answer may be kept, RFC 9111 §4.2, as one that keeps it for itself.

use std::time::SystemTime;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, VARY};

/// RFC 9111 §1.2.2: what a number that is too large counts as.
const LONGEST: u64 = 1 << 31;

/// For how many seconds from now the answer is fresh: its lifetime without the age that it has
/// already. `None` when its headers do not say; 0 when it must not be kept or used unasked.
pub(super) fn fresh_for(headers: &HeaderMap) -> Option<u64> {
    let directives = directives(headers);
    let has = |name: &str| directives.iter().any(|(known, _)| known == name);
    if has("no-store") || has("no-cache") || texts(headers, &VARY).any(|vary| vary.contains('*')) {
        return Some(0);
    }
    let ages = (directives.iter())
        .filter(|(name, _)| name == "max-age")
        .map(|(_, value)| seconds(value).unwrap_or(0));
    // Several that disagree: the shortest (§4.2.1 leaves the choice).
    let lifetime = ages.min().or_else(|| expires_in(headers))?;
    let age = texts(headers, &AGE).next().and_then(seconds).unwrap_or(0);
    Some(lifetime.saturating_sub(age))
}

/// The directives of `Cache-Control` in lower case with what stands behind their `=`.
fn directives(headers: &HeaderMap) -> Vec<(String, String)> {
    texts(headers, &CACHE_CONTROL)
        .flat_map(|text| text.split(','))
        .map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let value = value.trim().trim_matches('"');
            (name.trim().to_ascii_lowercase(), value.to_owned())
        })
        .collect()
}

/// `Expires` less `Date`. A value that is no date is in the past (§5.3); without `Date` it says
/// nothing that could be trusted.
fn expires_in(headers: &HeaderMap) -> Option<u64> {
    let expires = texts(headers, &EXPIRES).next()?;
    let Some(expires) = http_date(expires) else {
        return Some(0);
    };
    let date = texts(headers, &DATE).next().and_then(http_date)?;
    Some(
        expires
            .duration_since(date)
            .map_or(0, |left| left.as_secs()),
    )
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

fn http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| {
        text.parse()
            .map_or(LONGEST, |seconds: u64| seconds.min(LONGEST))
    })
}

#[cfg(test)]
#[path = "freshness_tests.rs"]
mod tests;
