//! What a rule asks of an event: a condition of the filter language, checked when the rule is saved.
//!
//! It means what it means in a query, but for three things. What is missing or null meets no condition except
//! `exists: false` (as in Cloudforet monitoring v1). What is neither text nor a list of texts neither contains a text nor
//! lacks it. Times and distances from now are counted from the moment at which the event arrived.

use std::{
    io::{self, Write},
    str::FromStr,
};

use serde_json::{Value, json};

use super::subject::{KNOWN, at};
use crate::{
    clock::Timestamp,
    domain::words::{EventType, Severity},
    error::Code,
    load_error::did_you_mean,
    query::{Condition, EVENTS, Kind, Query, QueryError, Test},
};

/// The most conditions of one rule.
pub const MOST_CONDITIONS: usize = 100;

/// How much of a value is shown, in characters.
const SHOWN: usize = 80;

/// What a rule asks of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleCondition {
    key: String,
    operator: String,
    value: Value,
    checked: Checked,
}

#[derive(Clone, Debug, PartialEq)]
enum Checked {
    /// What it asks.
    Always(Box<Condition>),
    /// It is counted from now, so it is read anew for each event.
    FromNow,
    /// It was kept by a version that read it otherwise, and is met by nothing.
    Unreadable(String),
}

impl RuleCondition {
    /// Reads the condition that stands at `pointer`: `{key, value, operator}`, or `{k, v, o}`.
    pub fn parse(written: &Value, pointer: &str, now: Timestamp) -> Result<Self, QueryError> {
        let mistake = |at: &str, detail: String| QueryError {
            code: Code::InvalidParameter,
            pointer: format!("{pointer}{at}"),
            detail,
        };
        let [key, value, operator] =
            [["k", "key"], ["v", "value"], ["o", "operator"]].map(|names| member(written, names));
        let (key_at, value_at) = (format!("/{}", key.0), format!("/{}", value.0));
        if let Some(detail) = key.1.as_str().and_then(unknown) {
            return Err(mistake(&key_at, detail));
        }
        let condition = read(written, pointer, now)?;
        if value.1.is_null() {
            let detail = "a condition needs a value; `exists` asks whether there is one at all";
            return Err(mistake(&value_at, detail.to_owned()));
        }
        if condition.path.is_empty() {
            words(&condition).map_err(|detail| mistake(&value_at, detail))?;
        }
        let operator = operator.1.as_str().unwrap_or_default().to_owned();
        let is_from_now = condition.field.kind == Kind::Time || operator.starts_with("timediff");
        let checked =
            if is_from_now { Checked::FromNow } else { Checked::Always(Box::new(condition)) };
        let key = key.1.as_str().unwrap_or_default().to_owned();
        Ok(Self { key, operator, value: value.1.clone(), checked })
    }

    /// Reads a condition as it was kept. One that can no longer be read is met by nothing, and says so.
    pub fn restored(written: &Value) -> Self {
        Self::parse(written, "", Timestamp::UNIX_EPOCH).unwrap_or_else(|error| {
            let text = |names| member(written, names).1.as_str().unwrap_or_default().to_owned();
            Self {
                key: text(["k", "key"]),
                operator: text(["o", "operator"]),
                value: member(written, ["v", "value"]).1.clone(),
                checked: Checked::Unreadable(error.detail),
            }
        })
    }

    /// As it is written: `{key, value, operator}`.
    pub fn written(&self) -> Value {
        json!({ "key": self.key, "value": self.value, "operator": self.operator })
    }

    /// Its key, value and operator.
    pub fn parts(&self) -> (&str, &Value, &str) {
        (&self.key, &self.value, &self.operator)
    }

    /// In one line, e.g. `title contain "cpu"`.
    pub fn text(&self) -> String {
        format!("{} {} {}", self.key, self.operator, shown(&self.value))
    }

    /// Whether it takes regular expressions, which are costly to keep.
    pub fn takes_patterns(&self) -> bool {
        self.operator.starts_with("regex")
    }

    /// Whether it is met by an event at `now`.
    pub(in crate::domain) fn is_met(&self, record: &Value, now: Timestamp) -> bool {
        match &self.checked {
            Checked::Always(condition) => holds(condition, record),
            Checked::FromNow => {
                read(&self.written(), "", now).is_ok_and(|condition| holds(&condition, record))
            }
            Checked::Unreadable(_) => false,
        }
    }

    /// It, and what it is held against, e.g. `title contain "cpu": it is "High CPU"`.
    pub(in crate::domain) fn held_against(&self, record: &Value) -> String {
        let found = match &self.checked {
            Checked::Always(condition) => found(condition, record),
            Checked::FromNow => match read(&self.written(), "", Timestamp::UNIX_EPOCH) {
                Ok(condition) => found(&condition, record),
                Err(error) => error.detail,
            },
            Checked::Unreadable(why) => format!("it can no longer be read: {why}"),
        };
        format!("{}: {found}", self.text())
    }
}

/// What is wrong with a key: an event has no such field, or not yet.
fn unknown(key: &str) -> Option<String> {
    let name = key.split('.').next().unwrap_or_default();
    let is_alias = EVENTS.aliases.iter().any(|(alias, _)| *alias == name);
    if name.is_empty() || is_alias || KNOWN.contains(&name) {
        return None;
    }
    let hint = did_you_mean(name, KNOWN.iter().copied());
    if !hint.is_empty() || EVENTS.field(name).is_none() {
        return Some(format!("unknown field `{name}`{hint}"));
    }
    let known = KNOWN.join(", ");
    Some(format!("`{name}` is not known yet when rules are asked; they know {known}"))
}

/// The condition, by the filter language.
fn read(written: &Value, pointer: &str, now: Timestamp) -> Result<Condition, QueryError> {
    let query = Query::parse(&json!({ "filter": [written] }), &EVENTS, now);
    let query = query.map_err(|error| {
        let below = error.pointer.strip_prefix("/query/filter/0").unwrap_or_default();
        QueryError { pointer: format!("{pointer}{below}"), ..error }
    })?;
    query.filter.all.into_iter().next().ok_or_else(|| QueryError {
        code: Code::InvalidParameter,
        pointer: pointer.to_owned(),
        detail: "a condition is an object with `key`, `value` and `operator`".to_owned(),
    })
}

/// A member that has two names: the one it is written with, and the value.
fn member<'a>(written: &'a Value, [short, long]: [&'static str; 2]) -> (&'static str, &'a Value) {
    static NULL: Value = Value::Null;
    match (written.get(short), written.get(long)) {
        (Some(value), _) => (short, value),
        (None, value) => (long, value.unwrap_or(&NULL)),
    }
}

/// Checks what is said of fields that take one of a few words.
fn words(condition: &Condition) -> Result<(), String> {
    let check: fn(&str) -> Option<String> = match condition.field.name {
        "severity" => |word| Severity::from_str(word).err().map(|error| error.to_string()),
        "event_type" => |word| EventType::from_str(word).err().map(|error| error.to_string()),
        _ => return Ok(()),
    };
    let one = |value: &Value| match value.as_str() {
        Some(word) => check(word).map_or(Ok(()), Err),
        None => Err(format!("`{}` is one of a few words, not {value}", condition.field.name)),
    };
    match &condition.test {
        Test::Equal(value) | Test::Unequal(value) => one(value),
        Test::Among(values) | Test::NotAmong(values) => values.iter().try_for_each(one),
        Test::Compares(..) => {
            let name = condition.field.name;
            Err(format!(
                "words are not greater or less: name those of `{name}` that are meant, with `in`"
            ))
        }
        Test::Contains(_)
        | Test::Lacks(_)
        | Test::Matches(_)
        | Test::Element(_)
        | Test::Instant(..)
        | Test::Exists(_) => Ok(()),
    }
}

fn holds(condition: &Condition, record: &Value) -> bool {
    let Some(start) = record.get(condition.field.name) else { return false };
    let asks = |test: &Test| test.holds(start, &condition.path, condition.field.kind);
    let is_there = asks(&Test::Unequal(Value::Null));
    match &condition.test {
        Test::Exists(wanted) => is_there == *wanted,
        Test::Lacks(_) => {
            let has_texts = || asks(&Test::Contains(vec![String::new()]));
            let is_empty = || asks(&Test::Equal(Value::Array(Vec::new())));
            is_there && condition.holds(record) && (has_texts() || is_empty())
        }
        Test::Equal(_)
        | Test::Unequal(_)
        | Test::Among(_)
        | Test::NotAmong(_)
        | Test::Compares(..)
        | Test::Contains(_)
        | Test::Matches(_)
        | Test::Element(_)
        | Test::Instant(..) => is_there && condition.holds(record),
    }
}

/// What is where the condition looks, in a few words.
fn found(condition: &Condition, record: &Value) -> String {
    let start = record.get(condition.field.name).unwrap_or(&Value::Null);
    let values = at(start, &condition.path);
    match values.as_slice() {
        [] | [Value::Null] => "it is not there".to_owned(),
        [value] => format!("it is {}", shown(value)),
        [first, rest @ ..] => format!("it is {} and {} more", shown(first), rest.len()),
    }
}

/// A value as JSON, cut short.
pub(super) fn shown(value: &Value) -> String {
    let mut start = Start(Vec::new());
    // It stops where enough is written, which is no failure here.
    let is_whole = serde_json::to_writer(&mut start, value).is_ok();
    let text = String::from_utf8_lossy(&start.0);
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None if is_whole => text.into_owned(),
        None => format!("{text}…"),
    }
}

/// Takes the first bytes of what is written and refuses the rest, so that a large value is not written out to be cut.
struct Start(Vec<u8>);

impl Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() > 4 * SHOWN {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.len().min(4 * SHOWN + 1);
        self.0.extend_from_slice(&bytes[..taken]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
