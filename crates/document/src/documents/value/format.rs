//! The form of texts that stand for something: addresses, URLs, names, phone numbers, colours.

use super::refused;
use crate::doctype::Field;
use crate::refusal::{Reason, Refusal};

/// How much of a wrong value a message repeats.
const SHOWN: usize = 60;

/// A Data field may say in its options what it holds.
pub(super) fn check_data(field: &Field, text: &str) -> Result<(), Refusal> {
    match field.options.as_deref() {
        Some("Email") => {
            let mut addresses = text
                .split([',', '\n', ';'])
                .map(str::trim)
                .filter(|address| !address.is_empty());
            match addresses.find(|address| !is_email(address)) {
                None => Ok(()),
                Some(wrong) => Err(not_valid(wrong, "Email Address")),
            }
        }
        Some("URL") if !is_url(text) => Err(not_valid(text, "URL")),
        Some("Phone") => check_phone(field, text),
        Some("Name") if !is_personal_name(text) => Err(not_valid(text, "Name")),
        _ => Ok(()),
    }
}

pub(super) fn check_phone(_field: &Field, text: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_digit() || " +_-,.*#()".contains(c);
    if text.len() <= 20 && text.chars().all(plain) && text.contains(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    Err(not_valid(text, "Phone Number"))
}

/// `#` and hexadecimal digits, or the name of a colour.
pub(super) fn check_color(field: &Field, text: &str) -> Result<(), Refusal> {
    let valid = match text.strip_prefix('#') {
        Some(digits) => {
            matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        None => text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-'),
    };
    if valid {
        return Ok(());
    }
    Err(refused(
        field,
        Reason::Validation,
        "not a colour such as #1a2b3c",
    ))
}

fn not_valid(text: &str, what: &str) -> Refusal {
    let message = format!("{} is not a valid {what}", shortened(text));
    Refusal::new(Reason::Validation, message)
}

/// A given text as a message repeats it: one line, not long.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// `somebody@example.com`, perhaps as `Somebody <somebody@example.com>`.
fn is_email(text: &str) -> bool {
    let address = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((_, address)) => address,
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| {
            c.is_alphanumeric() || (c.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(c))
        });
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_fits && domain.len() <= 253 && domain.split('.').all(label_fits)
}

/// A scheme and a host, or an address to write or to call. Nothing that a browser would run.
fn is_url(text: &str) -> bool {
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme = scheme.to_ascii_lowercase();
    let named = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    match scheme.as_str() {
        "javascript" | "data" | "vbscript" | "blob" => false,
        "mailto" | "tel" => !rest.is_empty(),
        _ => {
            let host = rest.strip_prefix("//").unwrap_or_default();
            named && !host.is_empty() && !host.starts_with(['/', '?', '#'])
        }
    }
}

/// Words of letters, with apostrophes and hyphens inside.
fn is_personal_name(text: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '\'' | '-'))
    };
    text.split(' ').all(word)
}
