//! Names of documents and other random texts, from randomness that is handed in.

/// A source of random bytes: the system's in production, a seeded one in tests.
pub trait RandomSource: Send + Sync {
    /// Fills the slice.
    fn fill(&self, bytes: &mut [u8]);
}

impl<F: Fn(&mut [u8]) + Send + Sync> RandomSource for F {
    fn fill(&self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// How many characters a random name has, as in Frappe.
pub const NAME_LENGTH: usize = 10;

const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A name for a document: ten characters of lower-case base32hex, 50 bits. Names are unique
/// because the primary key says so; they are no secrets.
pub fn random_name(random: &dyn RandomSource) -> String {
    let mut bytes = [0; NAME_LENGTH];
    random.fill(&mut bytes);
    pick(&bytes, BASE32HEX)
}

/// So many random lower-case hex digits.
pub fn random_hex(random: &dyn RandomSource, digits: usize) -> String {
    let mut bytes = vec![0; digits];
    random.fill(&mut bytes);
    pick(&bytes, HEX)
}

/// One character of the alphabet for each byte. Its length divides 256, so all are as likely.
fn pick(bytes: &[u8], alphabet: &[u8]) -> String {
    bytes
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()))
        .map(|character| char::from(*character))
        .collect()
}

/// The SHA-256 of some bytes in hexadecimal: tells whether a text is still the same.
pub fn sha256_hex(bytes: &[u8]) -> String {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Frappe's snake case of a name: lower case, blanks and hyphens become underscores.
pub fn snake_case(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_frappes_form() {
        let name = random_name(&|bytes: &mut [u8]| bytes.fill(255));
        assert_eq!(name, "vvvvvvvvvv");
        assert_eq!(random_hex(&|bytes: &mut [u8]| bytes.fill(17), 39).len(), 39);
        assert_eq!(snake_case(" Office 365"), "office_365");
    }
}
