//! Statements over a hundred keys at once.
//!
//! A list of keys has no parameter of its own in SQL, and a statement must be the same text each
//! time to be prepared once. So such a statement has a hundred placeholders, and who has fewer
//! keys names the last one again.

use crema_store::Value;

/// How many keys such a statement takes.
pub(crate) const HUNDRED: usize = 100;

/// A hundred placeholders for the parentheses of an `IN`.
macro_rules! marks {
    () => {
        concat!(
            "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ",
            "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ",
            "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ",
            "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
        )
    };
}
pub(crate) use marks;

/// `first`, then the keys, then the last key until there are a hundred. What is beyond a hundred
/// is left out; without any key none matches.
pub(crate) fn values(first: &[Value], keys: &[String]) -> Vec<Value> {
    let last = keys.last().map_or("", String::as_str);
    let padding = std::iter::repeat(last);
    let keys = keys.iter().map(String::as_str).chain(padding);
    let mut values = first.to_vec();
    values.extend(keys.take(HUNDRED).map(Value::from));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_always_a_hundred() {
        assert_eq!(marks!().matches('?').count(), HUNDRED);
        let key = |number: usize| number.to_string();
        for count in [0, 1, 99, 100, 101] {
            let keys: Vec<String> = (1..=count).map(key).collect();
            let values = values(&[Value::Int(7)], &keys);
            assert_eq!(values.len(), HUNDRED + 1);
            let last = count.min(HUNDRED);
            let expected = if count == 0 { String::new() } else { key(last) };
            assert_eq!(values.get(HUNDRED), Some(&Value::from(expected)));
        }
    }
}
