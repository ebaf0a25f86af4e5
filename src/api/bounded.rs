//! How much of what was and what is one record holds: all of it mostly, and what differs where that is a lot. Whoever
//! changes a thousand things with long texts in one call must not write gigabytes.

use serde_json::{Map, Value};

use crate::digest::{hex, sha256};

/// How large the old and the new value may be together to be kept whole, in bytes of JSON.
const WHOLE: usize = 16 << 10;

/// The longest text that is kept whole in larger ones, in bytes.
const LONGEST_TEXT: usize = 1 << 10;

/// How much of a longer text is kept, in characters.
const BEGINNING: usize = 200;

/// What was and what is: whole where that is little, else the members that differ, and of their long texts the beginning
/// with their length and digest, so that it can be told whether a text is the one.
pub(super) fn bounded(
    before: Option<Value>,
    after: Option<Value>,
) -> (Option<Value>, Option<Value>) {
    if size(before.as_ref()) + size(after.as_ref()) <= WHOLE {
        return (before, after);
    }
    let (before, after) = match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let (was, is) = (differing(&before, &after), differing(&after, &before));
            (Some(Value::Object(was)), Some(Value::Object(is)))
        }
        either => either,
    };
    (before.map(shortened), after.map(shortened))
}

fn size(value: Option<&Value>) -> usize {
    value.map_or(0, |value| value.to_string().len())
}

/// The members that the other does not have like that.
fn differing(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let differs = |(name, value): &(&String, &Value)| other.get(*name) != Some(*value);
    one.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A value whose members are each short: texts are cut, and what is large without any long text is a digest.
fn shortened(value: Value) -> Value {
    let value = cut(value);
    let is_large = size(Some(&value)) > WHOLE;
    match value {
        Value::Object(members) if is_large => {
            let short = |value: Value| {
                if size(Some(&value)) > LONGEST_TEXT { summary(&value.to_string()) } else { value }
            };
            let members: Map<String, Value> =
                members.into_iter().map(|(name, value)| (name, short(value))).collect();
            let members = Value::Object(members);
            if size(Some(&members)) > WHOLE { summary(&members.to_string()) } else { members }
        }
        value if is_large => summary(&value.to_string()),
        value => value,
    }
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => summary(&text),
        Value::Array(items) => Value::Array(items.into_iter().map(cut).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, cut(value))).collect())
        }
        value => value,
    }
}

/// The beginning of a text, and what tells whether another one is the same.
fn summary(text: &str) -> Value {
    let beginning: String = text.chars().take(BEGINNING).collect();
    let digest = hex(&sha256(text.as_bytes()));
    Value::String(format!("{beginning}… ({} bytes, SHA-256 {digest})", text.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_little_is_kept_whole() {
        let (before, after) = (json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 3 }));
        let kept = bounded(Some(before.clone()), Some(after.clone()));
        assert_eq!(kept, (Some(before), Some(after)));
        assert_eq!(bounded(None, None), (None, None));
    }

    #[test]
    fn of_much_what_differs_is_kept_and_long_texts_are_told_apart() {
        let long = "x".repeat(10_000);
        let before = json!({ "same": long, "text": long, "state": "OPEN" });
        let after = json!({ "same": long, "text": format!("{long}y"), "state": "CLOSED" });
        let (Some(before), Some(after)) = bounded(Some(before), Some(after)) else {
            panic!("neither may vanish")
        };
        assert_eq!((before.get("same"), after.get("same")), (None, None));
        assert_eq!((&before["state"], &after["state"]), (&json!("OPEN"), &json!("CLOSED")));
        assert_ne!(before["text"], after["text"]);
        assert!(after["text"].as_str().unwrap().contains("(10001 bytes, SHA-256 "), "{after}");
    }

    #[test]
    fn whatever_it_is_what_is_kept_is_small() {
        let texts: Vec<String> = (0..100_000).map(|n| format!("text {n}")).collect();
        let members: Map<String, Value> =
            (0..100_000).map(|n| (format!("member {n}"), json!(n))).collect();
        let all = [
            json!("é".repeat(1 << 20)),
            json!(texts),
            Value::Object(members),
            json!({ "a": texts }),
        ];
        for large in all {
            let (_, after) = bounded(None, Some(large));
            assert!(size(after.as_ref()) <= WHOLE, "{}", size(after.as_ref()));
        }
    }
}
