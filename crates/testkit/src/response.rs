//! An answer as it came, and the parts of it that tests look at.

use serde_json::Value;

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names as sent, values as text, in order.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

/// A `Set-Cookie` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value as sent.
    pub value: String,
    /// Its attributes in order, without `=` for those that have no value.
    pub attributes: Vec<(String, Option<String>)>,
}

impl Cookie {
    fn parse(header: &str) -> Cookie {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .unwrap_or_default()
            .split_once('=')
            .unwrap_or_default();
        let attribute = |part: &str| match part.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (part.to_owned(), None),
        };
        Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes: parts.map(attribute).collect(),
        }
    }

    /// The value of an attribute, empty for one without; names in any case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Whether it tells the browser to forget the cookie: no value, and an end in the past.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        let never = self.attribute("Max-Age").is_none_or(|age| age == "0");
        self.value.is_empty() && never
    }
}

impl Response {
    /// Parses what has come so far; `None` while something is missing.
    pub(crate) fn parse(bytes: &[u8], head_only: bool, ended: bool) -> Option<Response> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        let rest = &bytes[end + 4..];
        if head_only || status == 204 || status == 304 {
            return Some(response);
        }
        let chunked = response.header("transfer-encoding") == Some("chunked");
        let length = response
            .header("content-length")
            .and_then(|text| text.parse().ok());
        response.body = match length {
            _ if chunked => unchunk(rest)?,
            Some(length) => rest.get(..length)?.to_vec(),
            None if ended => rest.to_vec(),
            None => return None,
        };
        Some(response)
    }

    /// The first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }

    /// Every header of that name, in any case.
    #[must_use]
    pub fn headers_named(&self, name: &str) -> Vec<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The media type of the body, without parameters.
    #[must_use]
    pub fn media_type(&self) -> &str {
        let header = self.header("content-type").unwrap_or_default();
        header.split(';').next().unwrap_or_default().trim()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// A member of the JSON body that is a text; empty when it is not there.
    #[must_use]
    pub fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// What `Set-Cookie` says, in order.
    #[must_use]
    pub fn cookies(&self) -> Vec<Cookie> {
        self.headers_named("set-cookie")
            .into_iter()
            .map(Cookie::parse)
            .collect()
    }

    /// The cookie of that name, if it is set or removed.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies()
            .into_iter()
            .find(|cookie| cookie.name == name)
    }

    /// `Location`.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The value of the hidden field of that name in the page's first form that has one,
    /// with character references resolved.
    #[must_use]
    pub fn hidden_field(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) =
            text.split_once(&format!("<input type=\"hidden\" name=\"{name}\" value=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(unescape(value))
    }

    /// Where the form around the element with that `id` is sent.
    #[must_use]
    pub fn form_action(&self, id: &str) -> Option<String> {
        let text = self.text();
        let (before, _) = text.split_once(&format!("id=\"{id}\""))?;
        let (_, form) = before.rsplit_once("<form ")?;
        let (_, action) = form.split_once("action=\"")?;
        let (action, _) = action.split_once('"')?;
        Some(unescape(action))
    }

    /// The page's title.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once("<title>")?;
        let (title, _) = rest.split_once("</title>")?;
        Some(unescape(title.trim()))
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(end + 2..end + 2 + size)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}

/// The character references that pages of ours contain.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((name, tail)) = after.split_once(';') else {
            plain.push('&');
            rest = after;
            continue;
        };
        let number = name
            .strip_prefix('#')
            .and_then(|digits| match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            });
        match (name, number.and_then(char::from_u32)) {
            (_, Some(character)) => plain.push(character),
            ("amp", _) => plain.push('&'),
            ("lt", _) => plain.push('<'),
            ("gt", _) => plain.push('>'),
            ("quot", _) => plain.push('"'),
            ("apos", _) => plain.push('\''),
            _ => panic!("an unknown character reference: &{name};"),
        }
        rest = tail;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::{Response, unescape};

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: a=b; Path=/; HttpOnly\r\n\r\nbody";
        for end in 0..bytes.len() {
            assert!(
                Response::parse(&bytes[..end], false, false).is_none(),
                "{end}"
            );
        }
        let response = Response::parse(bytes, false, false).unwrap();
        assert_eq!(response.text(), "body");
        let cookie = response.cookie("a").unwrap();
        assert_eq!(
            (cookie.value.as_str(), cookie.attribute("httponly")),
            ("b", Some(""))
        );
        assert_eq!(cookie.attribute("path"), Some("/"));
    }

    #[test]
    fn chunks_are_put_together() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(
            Response::parse(bytes, false, false).unwrap().text(),
            "abcde"
        );
    }

    #[test]
    fn character_references_are_resolved() {
        assert_eq!(unescape("a&#38;b&amp;&#x3c;&quot;é & c"), "a&b&<\"é & c");
    }
}
