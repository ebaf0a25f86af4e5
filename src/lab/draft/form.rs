//! What values look like: times, addresses, identifiers, words, sentences.

use chrono_tz::Tz;
use serde_json::Value;

use super::{look::Field, names::TIMES, words::says_going};
use crate::value::{text::text, time};

/// What the values of a field look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing is said anywhere.
    #[default]
    Nothing,
    /// True or false.
    Truth,
    /// A time.
    Time,
    /// A time of day without a date.
    TimeOfDay,
    /// A whole number.
    Integer,
    /// Another number.
    Decimal,
    /// An address on the web.
    Link,
    /// Letters and digits that no person made up.
    Identifier,
    /// One word or a name.
    Word,
    /// A line that people read.
    Line,
    /// A longer text.
    Prose,
}

impl Form {
    /// As a reason says it.
    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Nothing => "empty",
            Self::Truth => "true or false",
            Self::Time => "a time",
            Self::TimeOfDay => "a time of day",
            Self::Integer => "a whole number",
            Self::Decimal => "a number",
            Self::Link => "a link",
            Self::Identifier => "looks like an identifier",
            Self::Word => "a word",
            Self::Line => "a line of text",
            Self::Prose => "a long text",
        }
    }
}

/// What the values of a field look like, taken together, as was seen once.
pub(super) fn form_of(field: &Field) -> Form {
    field.form
}

/// What the values of a field look like, taken together.
pub(super) fn seen(field: &Field) -> Form {
    let mut all: Option<Form> = None;
    for value in field.values.iter().flatten() {
        let Some(form) = form(field, value) else { continue };
        all = Some(match all {
            None => form,
            Some(before) => together(before, form),
        });
    }
    all.unwrap_or(Form::Nothing)
}

fn together(one: Form, other: Form) -> Form {
    let is_text = |form: Form| matches!(form, Form::Word | Form::Line | Form::Prose);
    match (one, other) {
        _ if one == other => one,
        (Form::Integer, Form::Decimal) | (Form::Decimal, Form::Integer) => Form::Decimal,
        _ if is_text(one) && is_text(other) => {
            if one == Form::Prose || other == Form::Prose {
                Form::Prose
            } else {
                Form::Line
            }
        }
        _ => Form::Line,
    }
}

fn form(field: &Field, value: &Value) -> Option<Form> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(_) => Some(Form::Truth),
        Value::Number(number) if is_named_like_a_time(field) && is_epoch(&number.to_string()) => {
            Some(Form::Time)
        }
        Value::Number(number) if number.is_f64() => Some(Form::Decimal),
        Value::Number(_) => Some(Form::Integer),
        Value::String(found) => Some(form_of_text(field, value, found.trim())),
    }
}

fn form_of_text(field: &Field, value: &Value, text: &str) -> Form {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_time_of_day(text) {
        return Form::TimeOfDay;
    }
    if digits {
        let is_time = is_named_like_a_time(field) && is_epoch(text);
        return if is_time { Form::Time } else { Form::Integer };
    }
    // The zero time is a time that has not come yet.
    if time::auto(value, Tz::UTC).is_some() || text.starts_with("0001-01-01") {
        return if text.contains(['-', '/', ':']) { Form::Time } else { Form::Decimal };
    }
    if text.parse::<f64>().is_ok() {
        return Form::Decimal;
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Form::Link;
    }
    if is_identifier(text) {
        return Form::Identifier;
    }
    if text.contains('\n') || text.chars().count() > 160 {
        return Form::Prose;
    }
    if text.contains(char::is_whitespace) { Form::Line } else { Form::Word }
}

/// Whether a number may be a time between 2001 and 2100, in seconds or finer.
fn is_epoch(digits: &str) -> bool {
    let whole = digits.split('.').next().unwrap_or_default();
    let seconds = match whole.len() {
        10 | 13 | 16 | 19 => &whole[..10],
        _ => return false,
    };
    seconds.parse::<u64>().is_ok_and(|seconds| (1_000_000_000..4_102_444_800).contains(&seconds))
}

fn is_named_like_a_time(field: &Field) -> bool {
    let named = |word: &String| {
        TIMES.contains(&word.as_str())
            || ["time", "timestamp", "date"].iter().any(|end| word.ends_with(end))
    };
    field.own.iter().any(named)
}

fn is_time_of_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let two =
        |at: usize| bytes.get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_digit));
    match bytes.len() {
        5 => two(0) && bytes[2] == b':' && two(3),
        8 => two(0) && bytes[2] == b':' && two(3) && bytes[5] == b':' && two(6),
        _ => false,
    }
}

/// Whether no person made it up: a UUID, many hexadecimal digits, an ARN, or letters and digits mixed without vowels'
/// sense.
fn is_identifier(text: &str) -> bool {
    if text.starts_with("arn:") {
        return true;
    }
    let letters = text.chars().filter(|letter| *letter != '-').collect::<String>();
    let hex = letters.len() >= 8 && letters.chars().all(|letter| letter.is_ascii_hexdigit());
    let has_digit = letters.chars().any(|letter| letter.is_ascii_digit());
    let is_one_word =
        text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let digits = letters.chars().filter(char::is_ascii_digit).count();
    (hex && has_digit) || (is_one_word && letters.len() >= 10 && digits * 4 >= letters.len())
}

/// The texts of a field, one for each item that says something.
pub(super) fn texts(field: &Field) -> Vec<String> {
    field.values.iter().flatten().map(|value| text(value).trim().to_owned()).collect()
}

/// How many of its items a field says something in.
pub(super) fn there(field: &Field) -> usize {
    field.values.iter().flatten().count()
}

/// Whether a field says with each problem which way it goes, and so is not the same for its recovery.
pub(super) fn tells_going(field: &Field) -> bool {
    texts(field).iter().any(|text| says_going(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lab::draft::words::words_of;

    #[test]
    fn values_are_known_by_their_looks_and_their_names() {
        for (name, value, form) in [
            ("fired_ms", json!("1767225600000"), Form::Time),
            ("account", json!("123456789012"), Form::Integer),
            ("order", json!(1_767_225_600), Form::Integer),
            ("timestamp", json!(1_767_225_600.25), Form::Time),
            ("startsAt", json!("2026-01-01T00:00:00Z"), Form::Time),
            ("endsAt", json!("0001-01-01T00:00:00Z"), Form::Time),
            ("x", json!("12:30:05"), Form::TimeOfDay),
            ("x", json!("da41e39f-ea4d-435a-b922-c6aae3915ebe"), Form::Identifier),
            ("x", json!("arn:aws:cloudwatch:eu-west-1:1:alarm:web cpu"), Form::Identifier),
            ("x", json!("web-1"), Form::Word),
            ("x", json!("CPU is high"), Form::Line),
            ("x", json!("https://example.com/a"), Form::Link),
            ("x", json!(93.5), Form::Decimal),
        ] {
            let own = words_of(name);
            let values = vec![Some(value.clone())];
            let field = Field {
                path: String::new(),
                words: own.clone(),
                own,
                of_item: true,
                many: false,
                values,
                form: Form::default(),
            };
            assert_eq!(seen(&field), form, "{name}: {value}");
        }
    }
}
