//! PostgreSQL's binary `numeric`: groups of four decimal digits.

/// Sign field of a negative number.
const NEGATIVE: u16 = 0x4000;
/// Sign field of a number; others are NaN and the infinities.
const POSITIVE: u16 = 0x0000;

/// Reads a number; `None` for NaN, infinity and what is not well formed.
pub(super) fn decode(bytes: &[u8]) -> Option<f64> {
    let mut words = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    let _count = words.next()?;
    let weight = i32::from(words.next()?.cast_signed());
    let sign = words.next()?;
    let _shown_fraction = words.next()?;
    if sign != NEGATIVE && sign != POSITIVE {
        return None;
    }
    // The digits as one whole number, then a power of ten: the parser of the standard
    // library rounds it correctly.
    let mut text = String::from(if sign == NEGATIVE { "-0" } else { "0" });
    let mut groups = 0;
    for group in words {
        text.push_str(&format!("{group:04}"));
        groups += 1;
    }
    text.push_str(&format!("e{}", (weight + 1 - groups) * 4));
    text.parse().ok()
}

/// Writes a plain decimal number, such as Rust writes integers and floats; `None` when the
/// text is something else.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (POSITIVE, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole = format!("{whole:0>width$}", width = whole.len().next_multiple_of(4));
    let padded = fraction.len().next_multiple_of(4);
    let groups = format!("{whole}{fraction:0<padded$}");
    let groups: Vec<u16> = groups
        .as_bytes()
        .chunks_exact(4)
        .filter_map(|group| std::str::from_utf8(group).ok()?.parse().ok())
        .collect();
    let weight = i16::try_from(whole.len() / 4).ok()? - 1;
    let mut bytes = Vec::with_capacity(8 + groups.len() * 2);
    bytes.extend(u16::try_from(groups.len()).ok()?.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(u16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in groups {
        bytes.extend(group.to_be_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [
            0.0,
            1.0,
            -1.0,
            0.1,
            12_345.678_9,
            -0.000_1,
            1e20,
            123_456_789.125,
        ] {
            let bytes = encode(&number.to_string()).unwrap();
            assert_eq!(decode(&bytes), Some(number), "{number}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "NaN", "inf", "1e5", "1.2.3", "--1", "+1"] {
            assert_eq!(encode(text), None, "{text}");
        }
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0, 0, 0, 0, 0xC0, 0, 0, 0]), None);
    }
}
