//! Text from a request that must not show in logs, traces or errors.

use std::fmt;

/// A secret, token, code or password as it was presented.
///
/// `Debug` never prints it and there is no `Display`; comparing two of them takes the same time
/// wherever they differ.
// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in logs"
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> SecretText {
        SecretText(text.into())
    }

    /// The text itself, for hashing or comparing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(…)")
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &SecretText) -> bool {
        use subtle::ConstantTimeEq as _;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

#[cfg(test)]
mod tests {
    use super::SecretText;

    // spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … `Debug`"
    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", SecretText::new("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn equality_is_that_of_the_text() {
        assert_eq!(SecretText::new("a"), SecretText::new("a"));
        assert_ne!(SecretText::new("a"), SecretText::new("A"));
        assert_ne!(SecretText::new("a"), SecretText::new("aa"));
    }
}
