//! Whether a value is what a schema says, for the keywords that ours use.

use serde_json::Value;

use super::check::{follow, resolve};

/// Why the value is not what the schema says; `None` when it is.
pub(super) fn misfit(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    fit(document, schema, value, "").err()
}

fn fit(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at}: {what}: {value}"));
    if let Some(reference) = schema["$ref"].as_str() {
        let Some(target) = resolve(document, reference) else {
            return wrong(reference);
        };
        fit(document, target, value, at)?;
    }
    if let Some(wanted) = schema.get("type") {
        let one = std::slice::from_ref(wanted);
        let types = wanted.as_array().map_or(one, Vec::as_slice);
        if !types
            .iter()
            .any(|wanted| is_a(value, wanted.as_str().unwrap_or_default()))
        {
            return wrong(&format!("not of type {wanted}"));
        }
    }
    if schema
        .get("enum")
        .is_some_and(|all| !all.as_array().unwrap().contains(value))
    {
        return wrong(&format!("none of {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return wrong(&format!("not {}", schema["const"]));
    }
    if let (Some(most), Some(text)) = (schema["maxLength"].as_u64(), value.as_str())
        && text.chars().count() as u64 > most
    {
        return wrong(&format!("longer than {most}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        return wrong(&format!("less than {least}"));
    }
    if let Some(text) = value.as_str() {
        text_fits(schema, text).or_else(|what| wrong(&what))?;
    }
    if let Some(object) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap_or_default()) {
                return wrong(&format!("without {name}"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(member) = object.get(name) {
                fit(document, property, member, &format!("{at}/{name}"))?;
            }
        }
    }
    if let (Some(items), Some(array)) = (schema.get("items"), value.as_array()) {
        for (index, item) in array.iter().enumerate() {
            fit(document, items, item, &format!("{at}/{index}"))?;
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fit(document, part, value, at)?;
    }
    if let Some(parts) = schema["anyOf"].as_array() {
        let fits = |part: &Value| fit(document, part, value, at).is_ok();
        if !parts.iter().any(fits) {
            let first = fit(document, follow(document, &parts[0]), value, at);
            return first.and_then(|()| wrong("none of anyOf"));
        }
    }
    Ok(())
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// Dates and times: digits stand where digits belong.
fn text_fits(schema: &Value, text: &str) -> Result<(), String> {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let (moment, fraction) = shape.split_once('.').unwrap_or((&shape, "0"));
    let good_fraction = (1..=6).contains(&fraction.len()) && fraction.chars().all(|c| c == '0');
    let fits = match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("date"), _) => shape == "0000-00-00",
        (_, Some(pattern)) if pattern.starts_with(r"^\d{4}-") => {
            good_fraction && ["0000-00-00 00:00:00", "0000-00-00 0:00:00"].contains(&moment)
        }
        (_, Some(pattern)) if pattern.starts_with(r"^\d{1,2}:") => {
            good_fraction && ["00:00:00", "0:00:00"].contains(&moment)
        }
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("not as {schema} says")),
    }
}
