//! Whether a record meets a filter, and lists of records in memory.
//!
//! The values at a path, and the elements of those that are lists, are its *candidates*; lists on the way fan out. What
//! has no candidate is absent. Values of different types never compare, except that null also stands for absent.

mod list;
mod rank;
mod shape;
mod text;

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::{Map, Number, Value};

use self::text::contains_one;
pub use self::{list::Listed, rank::Rank, text::contains_lowered};
use super::{Comparison, Condition, Filter, Kind, Test};
use crate::clock::{Timestamp, to_millis};

impl Filter {
    /// Whether `record`, as its view shows it, is meant.
    pub fn matches(&self, record: &Value) -> bool {
        self.all.iter().all(|condition| condition.holds(record))
            && some(&self.any, record)
            && some(&self.keyword, record)
    }
}

fn some(conditions: &[Condition], record: &Value) -> bool {
    conditions.is_empty() || conditions.iter().any(|condition| condition.holds(record))
}

impl Condition {
    /// Whether it holds of `record`, as its view shows it.
    pub fn holds(&self, record: &Value) -> bool {
        let found = Found { start: record.get(self.field.name), path: &self.path };
        self.test.holds_of(found, self.field.kind)
    }
}

impl Test {
    /// Whether it holds of what `path` leads to from `value`.
    pub fn holds(&self, value: &Value, path: &[String], kind: Kind) -> bool {
        self.holds_of(Found { start: Some(value), path }, kind)
    }

    pub(in crate::query) fn holds_of(&self, found: Found<'_>, kind: Kind) -> bool {
        // A time is no text, though a view writes it as one.
        let has_texts = kind != Kind::Time || !found.path.is_empty();
        match self {
            Self::Equal(value) => found.is_one_of(std::slice::from_ref(value)),
            Self::Unequal(value) => !found.is_one_of(std::slice::from_ref(value)),
            Self::Among(values) => found.is_one_of(values),
            Self::NotAmong(values) => !found.is_one_of(values),
            Self::Compares(how, value) => found.compares(*how, value),
            Self::Contains(parts) => has_texts && found.contains(parts),
            Self::Lacks(parts) => !has_texts || !found.contains(parts),
            Self::Matches(patterns) => has_texts && found.has_text(|text| patterns.is_match(text)),
            Self::Element(members) => found.has_element(members),
            Self::Instant(_, None) => false,
            Self::Instant(how, Some(time)) => {
                found.has_text(|text| instant(text).is_some_and(|at| how.holds_of(at.cmp(time))))
            }
            Self::Exists(wanted) => found.any(&mut |_| true) == *wanted,
        }
    }
}

/// The instant that a text in a record names.
fn instant(text: &str) -> Option<Timestamp> {
    // The shortest has a date, a time of day and a zone.
    if text.len() < 20 || !text.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| to_millis(time.to_utc()))
}

/// What a path leads to from a value, if from anything.
#[derive(Clone, Copy)]
pub(in crate::query) struct Found<'a> {
    pub(in crate::query) start: Option<&'a Value>,
    pub(in crate::query) path: &'a [String],
}

impl<'a> Found<'a> {
    /// Whether `test` holds of one of the values.
    pub(in crate::query) fn any(&self, test: &mut dyn FnMut(&'a Value) -> bool) -> bool {
        self.start.is_some_and(|value| follow(value, self.path, test))
    }

    /// Whether `test` holds of one of the values or of an element of one.
    fn candidate(&self, mut test: impl FnMut(&'a Value) -> bool) -> bool {
        self.any(&mut |value| {
            test(value) || value.as_array().is_some_and(|items| items.iter().any(&mut test))
        })
    }

    fn has_text(&self, test: impl Fn(&str) -> bool) -> bool {
        self.candidate(|candidate| candidate.as_str().is_some_and(&test))
    }

    fn is_one_of(&self, values: &[Value]) -> bool {
        let mut is_absent = true;
        let equals = self.candidate(|candidate| {
            is_absent = false;
            values.iter().any(|value| are_equal(candidate, value))
        });
        equals || (is_absent && values.iter().any(Value::is_null))
    }

    fn compares(&self, how: Comparison, value: &Value) -> bool {
        if value.is_null() {
            return how.holds_of_equals() && self.is_one_of(std::slice::from_ref(value));
        }
        self.candidate(|candidate| {
            let order = match (candidate, value) {
                (Value::Number(a), Value::Number(b)) => compared(a, b),
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
                _ => None,
            };
            order.is_some_and(|order| how.holds_of(order))
        })
    }

    fn contains(&self, parts: &[String]) -> bool {
        self.has_text(|text| contains_one(text, parts))
    }

    fn has_element(&self, members: &Map<String, Value>) -> bool {
        let is_meant = |element: &Value| {
            element.is_object()
                && members.iter().all(|(name, value)| {
                    let found = Found { start: element.get(name), path: &[] };
                    found.is_one_of(std::slice::from_ref(value))
                })
        };
        self.any(&mut |value| value.as_array().is_some_and(|items| items.iter().any(is_meant)))
    }
}

/// Whether `test` holds of one of the values that `path` leads to from `value`.
fn follow<'a>(value: &'a Value, path: &[String], test: &mut dyn FnMut(&'a Value) -> bool) -> bool {
    let Some((step, rest)) = path.split_first() else { return test(value) };
    match value {
        Value::Object(members) => {
            members.get(step).is_some_and(|member| follow(member, rest, test))
        }
        Value::Array(items) => {
            let at = step.parse::<usize>().ok().and_then(|at| items.get(at));
            at.is_some_and(|item| follow(item, rest, test))
                || items.iter().filter(|item| item.is_object()).any(|item| follow(item, path, test))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether two values are the same; 1 is 1.0.
pub(in crate::query) fn are_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compared(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| are_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// How two numbers compare: by their exact values, as far as 64 bits or a float hold them.
pub fn compared(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => compared_to_float(a, b.as_f64()?),
        (None, Some(b)) => compared_to_float(b, a.as_f64()?).map(Ordering::reverse),
        (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// A float has fewer digits than a whole number may have, so the number is not made one.
fn compared_to_float(whole: i64, float: f64) -> Option<Ordering> {
    // Both are exact as floats: -2^63 and 2^63.
    const LEAST: f64 = -9_223_372_036_854_775_808.0;
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float < LEAST {
        return Some(Ordering::Greater);
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is in range, and what is behind the point is looked at"
    )]
    let rounded = float.trunc() as i64;
    Some(
        whole
            .cmp(&rounded)
            .then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)),
    )
}
