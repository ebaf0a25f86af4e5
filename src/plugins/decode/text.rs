//! Text for people: kept whole, and the lines that say `key: value` taken out of it.

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::as_text;
use crate::domain::receipt::Unreadable;

/// The field that holds the whole text.
const WHOLE: &str = "text";

/// Which lines of a text are fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::plugins) struct Lines {
    /// What such a line looks like; where absent, none is a field.
    line: Option<Pattern>,
}

/// A pattern whose groups `key` and `value` are the name and the value of a field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Pattern(Regex);

/// Why a text is no such pattern.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("`{pattern}` is no pattern: {fault}")]
    Pattern { pattern: String, fault: String },
    #[error("`{0}` lacks the group `{1}`; expected such as `^(?<key>[^:]+): *(?<value>.*)$`")]
    Group(String, &'static str),
}

impl TryFrom<String> for Pattern {
    type Error = Fault;

    fn try_from(pattern: String) -> Result<Self, Fault> {
        let built = RegexBuilder::new(&pattern).size_limit(1 << 18).dfa_size_limit(1 << 20).build();
        let regex = match built {
            Ok(regex) => regex,
            Err(fault) => {
                let fault = fault.to_string().lines().last().unwrap_or_default().trim().to_owned();
                return Err(Fault::Pattern { pattern, fault });
            }
        };
        for group in ["key", "value"] {
            if !regex.capture_names().flatten().any(|name| name == group) {
                return Err(Fault::Group(pattern, group));
            }
        }
        Ok(Self(regex))
    }
}

/// The whole text under `text`, and beside it the fields of its lines. The first line with a key gives its value: what a
/// person wrote further down must not change what stands above it.
pub(super) fn decode(lines: &Lines, body: &[u8]) -> Result<Value, Unreadable> {
    let text = as_text(body, "the text")?;
    let mut object = Map::new();
    object.insert(WHOLE.to_owned(), Value::from(text));
    for line in text.lines() {
        let found = lines.line.as_ref().and_then(|Pattern(pattern)| pattern.captures(line));
        let Some(found) = found else { continue };
        let group = |name| found.name(name).map_or("", |group| group.as_str().trim());
        if !group("key").is_empty() {
            object.entry(group("key")).or_insert_with(|| Value::from(group("value")));
        }
    }
    Ok(Value::Object(object))
}
