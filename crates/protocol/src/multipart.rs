//! Parameters in a `multipart/form-data` body (RFC 7578), as many HTTP libraries send a map of
//! fields when nobody tells them otherwise.
//!
//! Strict where leniency would let two readers see different fields: no preamble, CRLF only, one
//! `Content-Disposition` per part. Uploaded files are no parameters and are left out.

use crate::params::{Params, ParamsError};

/// RFC 2046 §5.1.1: a boundary has at most 70 characters.
const LONGEST_BOUNDARY: usize = 70;

/// The boundary that a `Content-Type` header names, when it is that of such a body.
///
/// # Errors
/// [`ParamsError::Multipart`] when there is none, or one that RFC 2046 §5.1.1 does not admit.
pub fn boundary(content_type: &str) -> Result<&str, ParamsError> {
    let boundary = content_type
        .split(';')
        .skip(1)
        .find_map(|parameter| parameter_of(parameter.trim(), "boundary"))
        .ok_or(ParamsError::Multipart)?;
    let admitted = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    match !boundary.is_empty()
        && boundary.len() <= LONGEST_BOUNDARY
        && boundary.bytes().all(admitted)
    {
        true => Ok(boundary),
        false => Err(ParamsError::Multipart),
    }
}

/// Reads a body whose parts are separated by this boundary.
///
/// # Errors
/// Anything that is not such a body to its end, and fields that are not UTF-8 or hold U+0000.
// spec: security.md, Inputs, outputs, network, "Malformed JSON …: 400"
pub fn parse(boundary: &str, body: &[u8]) -> Result<Params, ParamsError> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first one may stand at the very beginning, without its line end.
    let first = delimiter.get(2..).unwrap_or_default();
    let mut rest = body.strip_prefix(first).ok_or(ParamsError::Multipart)?;
    let mut params = Params::default();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let (headers, content) = cut(part, b"\r\n\r\n").ok_or(ParamsError::Multipart)?;
        if cut(headers, &delimiter).is_some() {
            return Err(ParamsError::Multipart);
        }
        let (value, behind) = cut(content, &delimiter).ok_or(ParamsError::Multipart)?;
        if let Some(name) = field_name(&text(headers)?)? {
            params.push(name, text(value)?);
        }
        rest = behind;
    }
    match rest.strip_prefix(b"--").map(<[u8]>::trim_ascii) {
        Some([]) => Ok(params),
        _ => Err(ParamsError::Multipart),
    }
}

/// The name of the field that a part's headers tell; none for a file.
fn field_name(headers: &str) -> Result<Option<String>, ParamsError> {
    let mut found = None;
    for line in headers.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(ParamsError::Multipart)?;
        if name.eq_ignore_ascii_case("content-disposition") && found.replace(value.trim()).is_some()
        {
            return Err(ParamsError::Multipart);
        }
    }
    let mut parameters = quoted_split(found.ok_or(ParamsError::Multipart)?).into_iter();
    if !parameters
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("form-data"))
    {
        return Err(ParamsError::Multipart);
    }
    let mut field = None;
    let mut file = false;
    for parameter in parameters {
        file |= parameter_of(parameter, "filename").is_some()
            || parameter_of(parameter, "filename*").is_some();
        if let Some(name) = parameter_of(parameter, "name")
            && field.replace(name.to_owned()).is_some()
        {
            return Err(ParamsError::Multipart);
        }
    }
    let field = field.ok_or(ParamsError::Multipart)?;
    Ok((!file).then_some(field))
}

/// The pieces between the `;` that stand in no quotes.
fn quoted_split(value: &str) -> Vec<&str> {
    let mut quoted = false;
    value
        .split(|character| {
            quoted ^= character == '"';
            character == ';' && !quoted
        })
        .map(str::trim)
        .collect()
}

/// The value of `name=value` or `name="value"`, when the parameter has that name.
fn parameter_of<'a>(parameter: &'a str, name: &str) -> Option<&'a str> {
    let (own, value) = parameter.split_once('=')?;
    if !own.trim().eq_ignore_ascii_case(name) {
        return None;
    }
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Some(inner.unwrap_or(value))
}

fn text(bytes: &[u8]) -> Result<String, ParamsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ParamsError::Utf8)?;
    match text.contains('\0') {
        true => Err(ParamsError::Nul),
        false => Ok(text.to_owned()),
    }
}

/// What stands before and behind the first `separator`, which begins with a CR.
fn cut<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let found = bytes.get(from..)?.iter().position(|byte| *byte == b'\r')?;
        let at = from + found;
        if let Some(behind) = bytes.get(at..)?.strip_prefix(separator) {
            return Some((bytes.get(..at)?, behind));
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<(String, String)>, ParamsError> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        parse("x-1", body.as_bytes()).map(|params| params.iter().map(owned).collect())
    }

    fn part(disposition: &str, value: &str) -> String {
        format!("--x-1\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
    }

    #[test]
    fn the_boundary_is_read() {
        for (header, expected) in [
            ("multipart/form-data; boundary=x-1", Some("x-1")),
            (
                "multipart/form-data; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=a\"b", None),
        ] {
            assert_eq!(boundary(header).ok(), expected, "{header}");
        }
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        assert_eq!(boundary(&long), Err(ParamsError::Multipart));
    }

    #[test]
    fn fields_are_read_in_order_and_files_are_left_out() {
        let body = [
            part("name=\"usr\"", "jo@example.com"),
            part("filename=\"a;b.txt\"; name=\"file\"", "bytes"),
            part("name=plain", "two\r\nlines --x-1 \r\n--x"),
            part("name=\"a;b\"", ""),
        ]
        .concat()
            + "--x-1--\r\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(&body),
            Ok(vec![
                pair("usr", "jo@example.com"),
                pair("plain", "two\r\nlines --x-1 \r\n--x"),
                pair("a;b", ""),
            ])
        );
        assert_eq!(read("--x-1--"), Ok(Vec::new()));
        let typed = "--x-1\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; \
                     name=\"n\"\r\n\r\nv\r\n--x-1--";
        assert_eq!(read(typed), Ok(vec![pair("n", "v")]));
    }

    #[test]
    fn what_is_cut_off_or_says_two_things_is_refused() {
        let whole = part("name=\"n\"", "v") + "--x-1--";
        for end in 0..whole.len() {
            let cut = whole.get(..end).unwrap_or_default();
            assert!(read(cut).is_err(), "{cut:?}");
        }
        let line = "Content-Disposition: form-data; name=\"n\"\r\n";
        for body in [
            format!("preamble\r\n{whole}"),
            format!("{whole}more"),
            whole.replace("\r\n", "\n"),
            format!("--x-1\r\n{line}{line}\r\nv\r\n--x-1--"),
            part("name=\"n\"; name=\"m\"", "v") + "--x-1--",
            part("filename=\"n\"", "v") + "--x-1--",
            whole.replace("form-data", "attachment"),
            whole.replace("--x-1--", "--x-1x--"),
            part("name=\"n\"", "\0") + "--x-1--",
        ] {
            assert!(read(&body).is_err(), "{body:?}");
        }
        let bytes = whole
            .replace("\r\nv", "\r\n\u{1}")
            .into_bytes()
            .into_iter()
            .map(|byte| if byte == 1 { 0xff } else { byte })
            .collect::<Vec<_>>();
        assert_eq!(parse("x-1", &bytes), Err(ParamsError::Utf8));
    }
}
