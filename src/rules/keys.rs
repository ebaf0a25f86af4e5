//! What must not go into a key: a key that changes from one send to the next never meets its recovery.

use super::{
    node::{At, Kind, Node},
    written,
};

/// What is wrong with a key.
pub(super) enum Fault {
    /// It changes with each send.
    Clock(At),
    /// What it holds looks like a time, or the number of a send.
    Suspect(At, String),
}

/// What is wrong with the keys of a mapping, in all its variants.
pub(super) fn faults(mapping: &Node) -> Vec<Fault> {
    let mut found = Vec::new();
    let Some(Kind::List(variants)) = mapping.get("events").map(|events| &events.kind) else {
        return found;
    };
    for variant in variants {
        let Some(key) = variant.get("set").and_then(|set| set.get("event_key")) else { continue };
        let lets = [variant.get("let"), mapping.get("let")];
        look(key, lets, None, &mut found);
    }
    found
}

/// Looks at a value that goes into a key, and at the variables in it; `used` is where the key uses the variable that
/// this is the value of.
fn look(node: &Node, lets: [Option<&Node>; 2], used: Option<(At, &str)>, found: &mut Vec<Fault>) {
    written::values(node, &mut |value| {
        let at = used.map_or(value.at, |(at, _)| at);
        if value.get("received").is_some() {
            found.push(Fault::Clock(at));
        }
        for path in written::text(value).map(written::paths).unwrap_or_default() {
            if is_of_a_send(written::last_name(path)) {
                let what = match used {
                    Some((_, name)) => format!("`${name}` holds `{path}`, which"),
                    None => format!("`{path}`"),
                };
                found.push(Fault::Suspect(at, what));
            }
            let Some(name) = written::variable(path) else { continue };
            let meant = lets.iter().flatten().find_map(|lets| lets.get(name));
            // Of a variable with a path behind it, only what the path leads to goes into the key.
            let is_whole = path.len() == name.len() + 1;
            // A variable uses those before it only, so this ends.
            if let Some(meant) = meant.filter(|_| is_whole) {
                look(meant, lets, Some((at, used.map_or(name, |(_, name)| name))), found);
            }
        }
    });
}

/// Whether a name is that of a time, or of what each send has anew.
fn is_of_a_send(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_time = matches!(
        words.as_slice(),
        [.., "time" | "timestamp" | "date" | "datetime" | "ts" | "epoch" | "startsat" | "endsat"]
            | [.., "timestamp", _]
            | [_, .., "at"]
    );
    let is_send = matches!(
        words.as_slice(),
        ["messageid" | "requestid" | "deliveryid"]
            | [.., "message" | "delivery" | "request" | "trace" | "invocation", "id" | "uuid"]
    );
    is_time || is_send
}

/// The words of a name, in lower case: `startsAt` and `starts_at` are `starts` and `at`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let begins = !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower);
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_times_and_sends_are_known() {
        for name in [
            "startsAt",
            "created_at",
            "timestamp",
            "Timestamp",
            "eventTime",
            "MessageId",
            "delivery-id",
            "sentDate",
        ] {
            assert!(is_of_a_send(name), "{name}");
        }
        for name in
            ["id", "runtime", "update", "at", "chat", "uuid", "event_id", "candidate", "AlarmArn"]
        {
            assert!(!is_of_a_send(name), "{name}");
        }
    }
}
