//! Where values stand in an order.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Found, compared};
use crate::query::Direction;

/// Where a value stands in an order: types first, then what they hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Rank {
    /// Null, absent, or an empty list.
    Nothing,
    /// A number.
    Number(Number),
    /// A text, by code point.
    Text(String),
    /// Anything else, by its type and then by its JSON.
    Other(u8, String),
}

impl Rank {
    /// Where what `path` leads to from `value` stands. A list stands where its least element does, or its greatest in a
    /// descending order.
    pub fn of(value: &Value, path: &[String], direction: Direction) -> Self {
        let mut best: Option<Self> = None;
        let mut consider = |value: &Value| {
            let rank = Self::single(value);
            let is_better = best.as_ref().is_none_or(|best| match direction {
                Direction::Ascending => rank.order(best).is_lt(),
                Direction::Descending => rank.order(best).is_ge(),
            });
            if is_better {
                best = Some(rank);
            }
        };
        Found { start: Some(value), path }.any(&mut |value| {
            match value {
                Value::Array(items) => items.iter().for_each(&mut consider),
                single => consider(single),
            }
            false
        });
        best.unwrap_or(Self::Nothing)
    }

    fn single(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Object(_) => Self::Other(1, value.to_string()),
            Value::Array(_) => Self::Other(2, value.to_string()),
            Value::Bool(_) => Self::Other(3, value.to_string()),
        }
    }

    /// How it stands to another.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => compared(a, b).unwrap_or(Ordering::Equal),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Other(a, this), Self::Other(b, that)) => (a, this).cmp(&(b, that)),
            (a, b) => a.class().cmp(&b.class()),
        }
    }

    const fn class(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::Other(..) => 3,
        }
    }
}
