//! The id of a request: in every log line of it, in its answer, on error pages.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use crema_crypto::Entropy;

/// The longest id that is taken from a proxy, in bytes.
const LONGEST: usize = 64;

/// An id, kept inline: making one costs no allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; LONGEST],
    length: usize,
}

impl RequestId {
    /// An id that a proxy has made: 1 to 64 bytes of `A-Z a-z 0-9 . _ -`. Anything else is none,
    /// so that nobody writes lines or markup into our log.
    pub fn claimed(text: &[u8]) -> Option<RequestId> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || !text.iter().all(plain) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(RequestId {
            bytes,
            length: text.len(),
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.length).unwrap_or_default();
        // Only ASCII gets in.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The id as the value of a header.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.as_str()).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes the ids of one process: a random beginning, so that two processes and two starts
/// differ, and a number.
pub(crate) struct RequestIds {
    process: [u8; 10],
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(entropy: &dyn Entropy) -> RequestIds {
        let mut random = [0; 5];
        entropy.fill(&mut random);
        let mut process = [0; 10];
        hex(&random, &mut process);
        RequestIds {
            process,
            next: AtomicU64::new(1),
        }
    }

    pub(crate) fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut digits = [0; 16];
        hex(&number, &mut digits);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let number = digits.iter().skip(zeros.min(15));
        let mut bytes = [0; LONGEST];
        let mut length = 0;
        let all = self.process.iter().chain(b"-").chain(number);
        for (place, byte) in bytes.iter_mut().zip(all) {
            *place = *byte;
            length += 1;
        }
        RequestId { bytes, length }
    }
}

/// Lower-case hexadecimal, two digits a byte.
fn hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (place, nibble) in digits.iter_mut().zip(nibbles) {
        *place = DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crema_crypto::SeededEntropy;

    #[test]
    fn ids_of_a_process_begin_alike_and_differ() {
        let ids = RequestIds::new(&SeededEntropy::new(7));
        let (first, second) = (ids.next(), ids.next());
        let (process, number) = first.as_str().split_once('-').unwrap();
        assert_eq!(process.len(), 10);
        assert_eq!(number, "1");
        assert_eq!(second.as_str(), format!("{process}-2"));
        for _ in 0..300 {
            ids.next();
        }
        assert_eq!(ids.next().as_str(), format!("{process}-12f"));
    }

    #[test]
    fn only_short_and_plain_ids_are_taken_from_a_proxy() {
        for good in ["a", "8f3a-22.x_Y", &"z".repeat(64)] {
            let id = RequestId::claimed(good.as_bytes()).unwrap();
            assert_eq!(id.as_str(), good);
            assert_eq!(id.header().unwrap(), good);
        }
        for bad in ["", " ", "a b", "a\nb", "a\"b", "<b>", "ä", &"z".repeat(65)] {
            assert_eq!(RequestId::claimed(bad.as_bytes()), None, "{bad}");
        }
    }
}
