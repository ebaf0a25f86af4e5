//! What a record keeps of texts that anybody may have sent: the beginning of long ones, and no secret that was pasted where
//! an identifier belongs.

use serde_json::{Value, json};

use super::{Actor, AuditEntry, Entity};

/// The longest word for what kind of thing something is, and the longest identifier, in characters.
const LONGEST_ID: usize = 200;

/// The longest name and the longest name of a program, in characters.
const LONGEST_NAME: usize = 300;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// The most levels of a value: readers of JSON take about 127, and a record is itself within something when it is shown.
const MOST_LEVELS: usize = 100;

/// What our secrets begin with: tokens, sessions, and what applications are given and log in with.
const SECRETS: [&str; 4] = ["amt_", "ams_", "amb_", "amc_"];

impl AuditEntry {
    /// The same as it is kept: texts that anybody may have sent are cut, and hold no secret of ours.
    #[must_use]
    pub fn tidied(self) -> Self {
        let Actor { kind, id, name } = self.actor;
        let actor = Actor { kind, id: tidy(id, LONGEST_ID), name: tidy(name, LONGEST_NAME) };
        let entity = self.entity.map(|Entity { kind, id, name }| Entity {
            kind: tidy(kind, LONGEST_ID),
            id: tidy(id, LONGEST_ID),
            name: name.map(|name| tidy(name, LONGEST_NAME)),
        });
        Self {
            actor,
            entity,
            reason: self.reason.map(|reason| tidy(reason, LONGEST_REASON)),
            remote: self.remote.map(|remote| tidy(remote, LONGEST_ID)),
            user_agent: self.user_agent.map(|agent| tidy(agent, LONGEST_NAME)),
            request_id: self.request_id.map(|id| tidy(id, LONGEST_ID)),
            details: all_masked(self.details),
            ..self
        }
    }

    /// The same as it can be read again: a value in more levels than a reader takes is kept as the beginning of its text.
    #[must_use]
    pub fn readable(self) -> Self {
        Self {
            before: self.before.map(flat),
            after: self.after.map(flat),
            details: flat(self.details),
            ..self
        }
    }
}

/// The value, or, where it has too many levels, the beginning of its text and how many it had.
fn flat(value: Value) -> Value {
    let levels = levels(&value);
    if levels <= MOST_LEVELS {
        return value;
    }
    let beginning: String = value.to_string().chars().take(LONGEST_REASON).collect();
    json!({ "beginning": beginning, "levels": levels })
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The value without secrets of ours in its texts.
fn all_masked(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(all_masked).collect()),
        Value::Object(members) => {
            let masked = members.into_iter().map(|(name, value)| (name, all_masked(value)));
            Value::Object(masked.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn tidy(text: String, longest: usize) -> String {
    cut(masked(text), longest)
}

/// The text, or its beginning and how long it was.
fn cut(text: String, longest: usize) -> String {
    // No text has more characters than bytes.
    if text.len() <= longest {
        return text;
    }
    let characters = text.chars().count();
    if characters <= longest {
        return text;
    }
    let beginning: String = text.chars().take(longest).collect();
    format!("{beginning}… (cut, {characters} characters)")
}

/// The text without secrets of ours, of which the beginning alone is left.
fn masked(text: String) -> String {
    if !SECRETS.iter().any(|secret| text.contains(secret)) {
        return text;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut masked = String::new();
    let mut rest = text.as_str();
    while let Some(at) = SECRETS.iter().filter_map(|secret| rest.find(secret)).min() {
        let (before, secret) = rest.split_at(at);
        let end = secret.find(|c| !is_part(c)).unwrap_or(secret.len());
        let (beginning, after) = (secret.get(..4).unwrap_or_default(), secret.get(end..));
        masked.push_str(before);
        masked.push_str(beginning);
        masked.push_str("***");
        rest = after.unwrap_or_default();
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::from_millis, domain::audit::ActorKind};

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = "é".repeat(60_000);
        let actor = Actor::new(ActorKind::Token, long.clone(), long.clone());
        let entity = Entity::new(&long, &long).called(Some(long.clone()));
        let entry = AuditEntry {
            reason: Some(long.clone()),
            remote: Some(long.clone()),
            user_agent: Some(long.clone()),
            ..AuditEntry::new(from_millis(0), actor, "x.y").on(entity)
        };
        let AuditEntry { actor, entity, reason, remote, user_agent, .. } = entry.tidied();
        let Entity { kind, id, name } = entity.unwrap();
        let texts = [Some(actor.id), Some(actor.name), Some(kind), Some(id), name, reason];
        for text in texts.into_iter().chain([remote, user_agent]) {
            let text = text.unwrap();
            assert!(text.ends_with("… (cut, 60000 characters)"), "{text}");
            assert!(text.chars().count() < 1100);
        }
    }

    #[test]
    fn what_no_reader_would_take_is_kept_as_text() {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let actor = Actor::unnamed(ActorKind::Token, "token-1");
        let of = |levels| {
            let entry = AuditEntry::new(from_millis(0), actor.clone(), "x.y");
            entry
                .changed(Some(nested(levels)), None)
                .saying(json!({ "asked": nested(levels) }))
                .readable()
        };
        assert_eq!(of(99).before, Some(nested(99)));
        let deep = of(110);
        assert_eq!(
            (&deep.details["levels"], &deep.before.unwrap()["levels"]),
            (&json!(111), &json!(110))
        );
        assert!(deep.details["beginning"].as_str().unwrap().starts_with("{\"asked\":[[["));
    }

    #[test]
    fn no_secret_of_ours_is_kept() {
        let entry = AuditEntry::new(from_millis(0), Actor::parse("token:token-1"), "x.y");
        let said = entry.saying(json!({ "asked": [{ "v": "amt_0aB" }], "calls": 3 })).tidied();
        assert_eq!(said.details, json!({ "asked": [{ "v": "amt_***" }], "calls": 3 }));
        let text = "there is no token `amt_0aB-9_z`, nor ams_x; amt_".to_owned();
        assert_eq!(masked(text), "there is no token `amt_***`, nor ams_***; amt_***");
        assert_eq!(masked("token-0198".to_owned()), "token-0198");
    }
}
