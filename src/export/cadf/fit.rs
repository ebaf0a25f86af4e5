//! Keeps an event within 16 KiB, as those who take in CADF expect: what is too much is left out, and a sentence says so.

use serde_json::Value;

use super::Profile;

/// How long an event may be as JSON, in bytes.
pub(super) const LIMIT: usize = 16 * 1024;

/// What stands where an answer was too long; IBM Cloud's services say it in these words, and readers compare them.
pub(super) const WITHHELD: &str =
    "Information about the action is not included for performance and size reasons.";

/// How much of a text is kept where leaving out the long parts was not enough, in bytes of JSON.
const SHORT: usize = 256;

/// What is left out first.
const HEAVY: [&str; 3] = ["/responseData", "/requestData/body", "/details"];

/// What is left out first of attachments.
const ATTACHED: [&str; 4] = ["before", "after", "details", "reason"];

/// The event, with no more in it than there is room for.
pub(super) fn fitted(mut event: Value, profile: Profile) -> Value {
    match profile {
        Profile::Ibm => {
            for pointer in HEAVY {
                if size(&event) <= LIMIT {
                    return event;
                }
                withhold(event.pointer_mut(pointer));
            }
        }
        Profile::Dmtf => {
            for name in ATTACHED {
                if size(&event) <= LIMIT {
                    return event;
                }
                withhold(content(&mut event, name));
            }
        }
    }
    if size(&event) > LIMIT {
        shorten(&mut event);
    }
    event
}

fn size(event: &Value) -> usize {
    event.to_string().len()
}

fn withhold(part: Option<&mut Value>) {
    if let Some(part) = part {
        *part = WITHHELD.into();
    }
}

/// What an attachment of this name holds.
fn content<'a>(event: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let attachments = event.get_mut("attachments")?.as_array_mut()?;
    attachments.iter_mut().find(|one| one["name"] == name)?.get_mut("content")
}

/// Cuts every text to a length that leaves room for the others.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > SHORT / 6 => *text = cut(text),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn cut(text: &str) -> String {
    let mut room = SHORT;
    let mut kept = String::new();
    for letter in text.chars() {
        // What JSON escapes takes six bytes at most.
        let takes =
            if letter.is_control() || matches!(letter, '"' | '\\') { 6 } else { letter.len_utf8() };
        if takes > room {
            kept.push('…');
            return kept;
        }
        room -= takes;
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        let event = json!({ "responseData": { "body": "x".repeat(LIMIT - 40) } });
        assert!(size(&event) <= LIMIT);
        assert_eq!(fitted(event.clone(), Profile::Ibm), event);
    }

    #[test]
    fn the_answer_is_left_out_first() {
        let event = json!({
            "action": "a", "requestData": { "verb": "get", "body": { "kept": true } },
            "responseData": { "body": "x".repeat(LIMIT) },
        });
        let wanted = json!({
            "action": "a", "requestData": { "verb": "get", "body": { "kept": true } },
            "responseData": WITHHELD,
        });
        assert_eq!(fitted(event, Profile::Ibm), wanted);
    }

    #[test]
    fn nothing_makes_an_event_longer_than_the_limit() {
        for letter in ["x", "\0", "\"", "é", "👩"] {
            let long = letter.repeat(LIMIT);
            let event = json!({
                "message": long, "initiator": { "name": long, "host": { "agent": long } },
                "reason": { "reasonForFailure": long }, "target": { "name": long, "id": long },
                "responseData": long, "details": { "a": long }, "requestData": { "body": long },
                "attachments": [{ "name": "reason", "content": long }, { "name": "after", "content": long }],
            });
            for profile in Profile::ALL {
                let fitted = fitted(event.clone(), profile);
                assert!(size(&fitted) <= LIMIT, "{letter:?} {}", size(&fitted));
            }
        }
    }
}
