//! Where in a decoded body a manifest looks: `$.MessageId`, `$.data.items[0].id`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// A place in a decoded body: names and indexes only, so that it leads to one value at most.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(super) struct BodyPath {
    written: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// Why a text is no path.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no path; expected `$` and then names and indexes, such as `$.data.items[0].id`")]
pub(super) struct BadPath(String);

impl TryFrom<String> for BodyPath {
    type Error = BadPath;

    fn try_from(written: String) -> Result<Self, BadPath> {
        match written.strip_prefix('$').and_then(steps) {
            Some(steps) => Ok(Self { written, steps }),
            None => Err(BadPath(written)),
        }
    }
}

fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
            continue;
        }
        let named = rest.strip_prefix('.')?;
        let (name, after) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
        if name.is_empty() || !name.chars().all(is_name_char) {
            return None;
        }
        steps.push(Step::Name(name.to_owned()));
        rest = after;
    }
    Some(steps)
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

impl BodyPath {
    /// The value there; `None` where there is none, or null.
    pub(super) fn find<'v>(&self, payload: &'v Value) -> Option<&'v Value> {
        let mut value = payload;
        for step in &self.steps {
            value = match step {
                Step::Name(name) => value.get(name)?,
                Step::Index(index) => value.get(index)?,
            };
        }
        (!value.is_null()).then_some(value)
    }

    /// The text or number there, as text; `None` where there is anything else, or nothing.
    pub(super) fn text(&self, payload: &Value) -> Option<String> {
        match self.find(payload)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The path as its author wrote it.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_one_value_or_none() {
        let payload = json!({"a": {"b-c": [{"id": 7}, "x"]}, "none": null});
        for (path, found) in [
            ("$.a.b-c[0].id", Some("7")),
            ("$.a.b-c[1]", Some("x")),
            ("$.a.b-c[2]", None),
            ("$.a", None),
            ("$.none", None),
            ("$.a.b-c.id", None),
        ] {
            let path = BodyPath::try_from(path.to_owned()).unwrap();
            assert_eq!(path.text(&payload).as_deref(), found, "{}", path.as_str());
        }
        assert_eq!(BodyPath::try_from("$".to_owned()).unwrap().find(&payload), Some(&payload));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for wrong in ["", "a", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$.a b", "$.*"] {
            assert!(BodyPath::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
