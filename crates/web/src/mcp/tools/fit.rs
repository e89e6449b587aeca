//! Keeping results so small that an assistant can take them in.

use std::io::Write;

use serde::Serialize;
use serde_json::{Map, Value};

/// The most bytes of JSON that a result has.
pub(super) const MOST: usize = 200_000;

/// How long texts may be, and lists, when a result is too large: the first pair that makes it
/// small enough.
const STEPS: [(usize, usize); 4] = [(20_000, usize::MAX), (2_000, 1_000), (200, 100), (50, 20)];

/// The member that says that something is missing.
const NOTICE: &str = "shortened";

/// Shortens a result that is too large: long texts first, then long lists. It says so.
pub(super) fn shorten(result: &mut Map<String, Value>) {
    if size(result) <= MOST {
        return;
    }
    let notice = "The result was too large: long texts and lists in it are cut, which … marks. \
                  Do not write them back. Ask for single fields with list_documents.";
    for (text, list) in STEPS {
        result.values_mut().for_each(|value| cut(value, text, list));
        if size(result) <= MOST {
            result.insert(NOTICE.to_owned(), Value::from(notice));
            return;
        }
    }
    result.values_mut().for_each(|value| *value = Value::Null);
    result.insert(
        NOTICE.to_owned(),
        Value::from("It was done; the result is too large to be shown."),
    );
}

fn cut(value: &mut Value, text: usize, list: usize) {
    match value {
        Value::String(long) => {
            if let Some((end, _)) = long.char_indices().nth(text) {
                long.truncate(end);
                long.push('…');
            }
        }
        Value::Array(items) => {
            items.truncate(list);
            items.iter_mut().for_each(|item| cut(item, text, list));
        }
        Value::Object(members) => {
            let members = members.values_mut();
            members.for_each(|member| cut(member, text, list));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How many bytes of JSON it is.
pub(super) fn size(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// Counts what is written.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shortened(value: Value) -> Map<String, Value> {
        let Value::Object(mut result) = value else {
            panic!("an object");
        };
        shorten(&mut result);
        assert!(size(&result) <= MOST + 500);
        result
    }

    #[test]
    fn what_is_small_stays_as_it_is() {
        let value = json!({"document": {"text": "x".repeat(MOST - 100)}});
        assert_eq!(Value::Object(shortened(value.clone())), value);
    }

    #[test]
    fn what_is_large_is_cut_and_says_so() {
        let result = shortened(json!({"document": {"name": "n", "text": "é".repeat(MOST)}}));
        assert_eq!(result["document"]["name"], "n");
        let text = result["document"]["text"].as_str().unwrap();
        assert_eq!((text.chars().count(), text.ends_with('…')), (20_001, true));
        assert!(result.contains_key(NOTICE));
        let result = shortened(json!({"result": vec![json!({"a": "x".repeat(50)}); 30_000]}));
        assert_eq!(result["result"].as_array().unwrap().len(), 1_000);
        let many: Map<String, Value> = (0..60_000).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(shortened(json!({"result": many}))["result"], Value::Null);
    }
}
