//! Quotes and angle brackets in the query of a request, as people type them.
//!
//! `curl 'http://site/api/resource/ToDo?filters=[["date",">","2026-01-01"]]'` sends them as they
//! are, and Frappe takes them, although RFC 3986 §2 wants them percent-encoded and hyper refuses
//! the request before we see it. So they are encoded on the way in, in the query of the request
//! line and nowhere else: nothing changes about where a request ends.

/// How far the request line has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the query, if there is one.
    Line,
    /// In the query.
    Query,
    /// Behind it: nothing is looked at.
    Behind,
}

impl Place {
    /// Reads on. Gives the same bytes with the query's characters encoded, when there are any.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if *self == Place::Behind {
            return None;
        }
        let mut encoded: Option<Vec<u8>> = None;
        for (position, byte) in bytes.iter().enumerate() {
            let escape: Option<&[u8]> = match (*self, byte) {
                (Place::Query, b'"') => Some(b"%22"),
                (Place::Query, b'<') => Some(b"%3C"),
                (Place::Query, b'>') => Some(b"%3E"),
                _ => None,
            };
            match (escape, &mut encoded) {
                (Some(escape), None) => {
                    let mut start = bytes.get(..position).unwrap_or_default().to_vec();
                    start.extend_from_slice(escape);
                    encoded = Some(start);
                }
                (Some(escape), Some(encoded)) => encoded.extend_from_slice(escape),
                (None, Some(encoded)) => encoded.push(*byte),
                (None, None) => {}
            }
            *self = match (*self, byte) {
                (_, b'\n') | (Place::Query, b' ') => Place::Behind,
                (Place::Line, b'?') => Place::Query,
                (place, _) => place,
            };
            if *self == Place::Behind {
                if let Some(encoded) = &mut encoded {
                    encoded.extend_from_slice(bytes.get(position + 1..).unwrap_or_default());
                }
                break;
            }
        }
        encoded
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn whole(text: &str, cut: usize) -> String {
        let mut place = Place::Line;
        let mut all = Vec::new();
        for part in text.as_bytes().chunks(cut) {
            all.extend(place.read(part).unwrap_or_else(|| part.to_vec()));
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn only_the_query_of_the_request_line_is_encoded() {
        let sent = "GET /a\"b?filters=[[\"x\",\">\",\"<\"]] HTTP/1.1\r\nX: ?\"<>\r\n\r\n?\"body\"";
        let read = "GET /a\"b?filters=[[%22x%22,%22%3E%22,%22%3C%22]] HTTP/1.1\r\nX: ?\"<>\r\n\r\n\
                    ?\"body\"";
        for cut in 1..=sent.len() {
            assert_eq!(whole(sent, cut), read, "{cut}");
        }
        let plain = "POST /?a=b HTTP/1.1\r\n\r\n\"";
        assert_eq!(Place::Line.read(plain.as_bytes()), None);
    }
}
