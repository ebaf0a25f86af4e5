//! What rows hold: how values stand to each other, what makes them the same, what they weigh.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::query::matches::compared;

/// How two values of any types stand to each other: absent and null before numbers, texts, objects, lists, truths.
pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compared(a, b).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let pairs = a.iter().zip(b).map(|(a, b)| order(a, b));
            pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let pairs = a.iter().zip(b).map(|((k, a), (l, b))| k.cmp(l).then_with(|| order(a, b)));
            pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        (a, b) => class(a).cmp(&class(b)),
    }
}

const fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Object(_) => 3,
        Value::Array(_) => 4,
        Value::Bool(_) => 5,
    }
}

/// Adds to `bytes` what is the same of two values exactly where they are the same; 1 is 1.0, and absent is not null.
pub(super) fn encode(value: Option<&Value>, bytes: &mut Vec<u8>) {
    let text = |text: &str, bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    match value {
        None => bytes.push(b'-'),
        Some(Value::Null) => bytes.push(b'0'),
        Some(Value::Bool(truth)) => bytes.extend([b'b', u8::from(*truth)]),
        Some(Value::Number(number)) => encode_number(number, bytes),
        Some(Value::String(string)) => {
            bytes.push(b's');
            text(string, bytes);
        }
        Some(Value::Array(items)) => {
            bytes.push(b'[');
            items.iter().for_each(|item| encode(Some(item), bytes));
            bytes.push(b']');
        }
        Some(Value::Object(members)) => {
            bytes.push(b'{');
            for (name, value) in members {
                text(name, bytes);
                encode(Some(value), bytes);
            }
            bytes.push(b'}');
        }
    }
}

fn encode_number(number: &Number, bytes: &mut Vec<u8>) {
    let float = number.as_f64().unwrap_or_default();
    // Floating-point numbers below 2^53 are whole exactly.
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    let whole = number
        .as_i64()
        .or_else(|| (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64));
    match whole {
        Some(whole) => {
            bytes.push(b'i');
            bytes.extend_from_slice(&whole.to_le_bytes());
        }
        None => {
            bytes.push(b'f');
            bytes.extend_from_slice(&float.to_bits().to_le_bytes());
        }
    }
}

/// How many bytes of memory a value takes, about.
pub(super) fn size(value: &Value) -> usize {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + 32 + size(value)).sum()
        }
    };
    32 + inner
}

/// A sum that is whole as long as its parts are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    whole: i128,
    float: f64,
    is_float: bool,
}

impl Sum {
    /// Adds a number so many times.
    pub(super) fn add(&mut self, number: &Number, times: u64) {
        if let Some(whole) = number.as_i64() {
            self.whole = self.whole.saturating_add(i128::from(whole) * i128::from(times));
        } else if let Some(float) = number.as_f64() {
            self.is_float = true;
            self.float += float * as_float(i128::from(times));
        }
    }

    /// The sum; null where no number is so large.
    pub(super) fn value(&self) -> Value {
        match i64::try_from(self.whole) {
            Ok(whole) if !self.is_float => Value::from(whole),
            _ => Value::from(self.float()),
        }
    }

    pub(super) fn float(&self) -> f64 {
        self.float + as_float(self.whole)
    }
}

/// The nearest floating-point number.
#[expect(clippy::cast_precision_loss, reason = "the nearest is meant")]
pub(super) fn as_float(whole: i128) -> f64 {
    whole as f64
}
