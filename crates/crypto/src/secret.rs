//! A value that is never shown and is wiped from memory when dropped.

use std::fmt;

use zeroize::Zeroize;

use crate::digest::constant_time_eq;

/// Holds a password, token, key or code.
///
/// `Debug` shows dots, there is no `Display` and no `Serialize`: whoever sends
/// the value out has to write [`Secret::expose`], which a reviewer can search
/// for. Comparison takes the same time wherever the first difference is.
// spec: security.md, Inputs, outputs, network, line 8
#[derive(Clone, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Compares with something presented by a caller, in constant time.
    pub fn matches(&self, presented: impl AsRef<[u8]>) -> bool {
        constant_time_eq(self.0.as_ref(), presented.as_ref())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
