//! A JSON value as people write it.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value;

/// A value as text: strings bare, `57.0` as `57`, integers with all their digits, `null` as nothing, lists and objects
/// as JSON. A NUL becomes U+FFFD, since neither databases nor people can do anything with it.
pub fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Owned(digits(number)),
        Value::String(text) => without_nul(text),
        Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_string()),
    }
}

/// A number as people write it: `57.0` as `57`, never with an exponent.
fn digits(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// The text with U+FFFD for each NUL.
pub fn without_nul(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

/// Whether nothing is said: `null`, `""` or `[]`.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Makes what is nested deeper than so many levels a text of JSON: what reads JSON stops at some depth, here and at whoever
/// asks for it.
pub fn flatten_below(value: &mut Value, levels: usize) {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            *value = Value::String(value.to_string());
        }
        Value::Array(items) => {
            for item in items {
                flatten_below(item, levels - 1);
            }
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                flatten_below(field, levels - 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What comparisons compare: the text of a value without its letter case and without noise, so that `1`, `1.0` and
/// `"1"` are the same.
pub fn folded(text: &str) -> Cow<'_, str> {
    let text = without_zero_fraction(text);
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        return Cow::Owned(text.to_lowercase());
    }
    Cow::Borrowed(text)
}

/// `1.0` as `1`; any other text as it is.
fn without_zero_fraction(text: &str) -> &str {
    if !text.ends_with('0') {
        return text;
    }
    let Some((whole, fraction)) = text.split_once('.') else { return text };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_whole && fraction.bytes().all(|digit| digit == b'0') { whole } else { text }
}

/// A value in one spelling, whatever the order of its fields: keys sorted, numbers as people write them.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in sorted {
                let _ = write!(out, "{}:", Value::String(key.clone()));
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Number(number) => out.push_str(&digits(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// So many of something, e.g. `1 item`, `2 items`, `0 deliveries` for `delivery`.
pub fn counted(count: u64, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_thing_is_not_several() {
        let said = [(1, "item"), (2, "item"), (1, "delivery"), (0, "delivery")];
        let said = said.map(|(count, what)| counted(count, what));
        assert_eq!(said, ["1 item", "2 items", "1 delivery", "0 deliveries"]);
    }

    #[test]
    fn values_print_as_people_write_them() {
        let cases = [
            (json!(57.0), "57"),
            (json!(0.25), "0.25"),
            (json!(9_007_199_254_740_993_u64), "9007199254740993"),
            (json!(null), ""),
            (json!(true), "true"),
            (json!("a\u{0}b"), "a\u{fffd}b"),
            (json!(["a", 1]), r#"["a",1]"#),
        ];
        for (value, expected) in cases {
            assert_eq!(text(&value), expected);
        }
    }

    #[test]
    fn comparison_ignores_case_and_float_noise() {
        for (given, key) in [("OPEN", "open"), ("1.0", "1"), ("-2.00", "-2"), ("ÄRGER", "ärger")]
        {
            assert_eq!(folded(given), key);
        }
        assert_eq!(folded("1.10"), "1.10");
        assert_eq!(folded("v1.0"), "v1.0");
    }

    #[test]
    fn one_spelling_whatever_the_order() {
        let one: Value = serde_json::from_str(r#"{"b": 1.0, "a": {"d": [], "c": null}}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a": {"c": null, "d": []}, "b": 1}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&two));
    }
}
