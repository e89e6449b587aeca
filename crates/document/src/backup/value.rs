//! Values of rows as JSON. `null`, whole numbers and texts are themselves; `{"r": "0.1"}` is a
//! floating point number in the digits that lead back to it, `{"t": "2026-11-21 10:00:00.000000"}` a
//! date and time, `{"b": "00ff"}` bytes.

use crema_store::{Value, format_datetime, parse_datetime};
use serde_json::Value as Json;

use super::hex;

/// Appends a row. `None` for a date that no calendar here has.
pub(super) fn write_row(values: &[Value], line: &mut Vec<u8>) -> Option<()> {
    line.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        write_value(value, line)?;
    }
    line.push(b']');
    Some(())
}

fn write_value(value: &Value, line: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => line.extend(b"null"),
        Value::Int(int) => line.extend(int.to_string().into_bytes()),
        Value::Text(text) => serde_json::to_writer(&mut *line, text).ok()?,
        Value::Real(real) => line.extend(format!("{{\"r\":\"{real:?}\"}}").into_bytes()),
        Value::DateTime(micros) => {
            let text = format_datetime(*micros)?;
            line.extend(format!("{{\"t\":\"{text}\"}}").into_bytes());
        }
        Value::Bytes(bytes) => line.extend(format!("{{\"b\":\"{}\"}}", hex(bytes)).into_bytes()),
    }
    Some(())
}

/// A value as it was written; `None` for anything else.
pub(super) fn read(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text),
        Json::Object(members) => {
            let mut members = members.into_iter();
            let (Some((kind, Json::String(text))), None) = (members.next(), members.next()) else {
                return None;
            };
            match kind.as_str() {
                "r" => Value::Real(text.parse().ok()?),
                "t" => Value::DateTime(parse_datetime(&text)?),
                "b" => Value::Bytes(unhex(&text)?),
                _ => return None,
            }
        }
        Json::Bool(_) | Json::Array(_) => return None,
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_map(Value::Real),
            any::<String>().prop_map(Value::Text),
            "\\PC{0,40}[\u{0}-\u{1f}\u{2028}\u{10ffff}\"\\\\]{0,9}".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            (-62_135_596_800_000_000_i64..=253_402_300_799_999_999).prop_map(Value::DateTime),
        ]
    }

    fn comes_back(values: &[Value]) -> Vec<Value> {
        let mut line = Vec::new();
        write_row(values, &mut line).unwrap();
        assert!(!line.contains(&b'\n'));
        let row: Vec<Json> = serde_json::from_slice(&line).unwrap();
        row.into_iter().map(|json| read(json).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn every_value_comes_back(values in prop::collection::vec(values(), 0..12)) {
            let found = comes_back(&values);
            prop_assert_eq!(found.len(), values.len());
            for (found, value) in found.iter().zip(&values) {
                match (found, value) {
                    // Bit for bit, but for the many that are not a number.
                    (Value::Real(found), Value::Real(value)) if !value.is_nan() => {
                        prop_assert_eq!(found.to_bits(), value.to_bits());
                    }
                    (Value::Real(found), Value::Real(_)) => prop_assert!(found.is_nan()),
                    (found, value) => prop_assert_eq!(found, value),
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            read(Json::String(text.clone()));
            read(serde_json::json!({"b": text}));
            read(serde_json::json!({"t": text}));
            read(serde_json::json!({"r": text}));
        }
    }

    #[test]
    fn a_long_text_comes_back() {
        let value = Value::Text("ä\u{1f511}\n".repeat(1 << 18));
        assert_eq!(comes_back(std::slice::from_ref(&value)), [value]);
    }

    #[test]
    fn what_was_not_written_is_refused() {
        for text in [
            "true",
            "[]",
            "{}",
            "1.5",
            "18446744073709551615",
            r#"{"x":"1"}"#,
            r#"{"r":1}"#,
            r#"{"b":"0"}"#,
            r#"{"b":"zz"}"#,
            r#"{"b":"é"}"#,
            r#"{"t":"today"}"#,
            r#"{"r":"1","t":"1"}"#,
        ] {
            assert!(
                read(serde_json::from_str(text).unwrap()).is_none(),
                "{text}"
            );
        }
    }
}
