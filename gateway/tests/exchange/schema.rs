//! A small reader of JSON schemas: as much of them as the API's document uses.

use serde_json::Value;

/// Why `value` is not as `schema` says; `None` when it is. References lead into `document`.
pub fn mismatch(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target =
            document.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        return mismatch(document, target, value);
    }
    if let Some(shapes) = schema["anyOf"].as_array() {
        let reasons: Vec<_> = shapes.iter().map(|shape| mismatch(document, shape, value)).collect();
        return if reasons.iter().any(Option::is_none) {
            None
        } else {
            Some(format!("none of: {}", reasons.into_iter().flatten().collect::<Vec<_>>().join(" | ")))
        };
    }
    let right = match schema["type"].as_str().unwrap_or_else(|| panic!("no type: {schema}")) {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    };
    if !right {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{value} is none of {words:?}"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !decimals(text, pattern)
    {
        return Some(format!("{text} is not {pattern}"));
    }
    match value {
        Value::Array(rows) => array(document, schema, rows),
        Value::Object(_) => object(document, schema, value),
        _ => None,
    }
}

/// The document's only patterns: a sign, digits, and so many decimals.
fn decimals(text: &str, pattern: &str) -> bool {
    let expected = if pattern.contains("{8}") { 8 } else { 3 };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    text.split_once('.').is_some_and(|(whole, rest)| digits(whole) && digits(rest) && rest.len() == expected)
}

fn array(document: &Value, schema: &Value, rows: &[Value]) -> Option<String> {
    let length = rows.len() as u64;
    let (least, most) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
    if least.is_some_and(|least| length < least) || most.is_some_and(|most| length > most) {
        return Some(format!("{length} places, not {least:?} to {most:?}"));
    }
    rows.iter().find_map(|row| mismatch(document, &schema["items"], row))
}

fn object(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let fields = value.as_object().expect("an object");
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return Some(format!("no {name}"));
        }
    }
    for (name, value) in fields {
        match schema["properties"].get(name) {
            Some(property) => {
                if let Some(reason) = mismatch(document, property, value) {
                    return Some(format!("{name}: {reason}"));
                }
            }
            None if schema["additionalProperties"] == false => {
                return Some(format!("{name} is not documented"));
            }
            None => {}
        }
    }
    None
}
