//! Which alerts are meant: conditions of the filter language, all of which must hold.

use serde_json::{Value, json};

use super::record::values;
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    query::{ALERTS, Condition, Filter, Query, QueryError, Test},
};

/// The most conditions of a filter.
const MOST: usize = 50;

/// Fields in which one value still means most alerts, so that naming one is not narrow.
const WIDE: &[&str] = &["domain_id", "workspace_id", "project_id", "state", "urgency", "severity"];

/// Which alerts are meant.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    written: Vec<Value>,
    filter: Filter,
}

impl PartialEq for AlertFilter {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl AlertFilter {
    /// The filter that these conditions make, which stand at `pointer` of a request; times are counted from `now`.
    pub fn read(written: Vec<Value>, pointer: &str, now: Timestamp) -> Result<Self> {
        if written.len() > MOST {
            let detail = format!("a filter has at most {MOST} conditions");
            return Err(Error::at(crate::error::Code::Query, pointer, detail));
        }
        let query = json!({ "filter": by_name(&written) });
        let query = Query::parse(&query, &ALERTS, now).map_err(|error| {
            let below = error.pointer.strip_prefix("/query/filter").unwrap_or_default();
            QueryError { pointer: format!("{pointer}{below}"), ..error }
        })?;
        Ok(Self { written, filter: query.filter })
    }

    /// Its conditions, as they were written.
    pub fn written(&self) -> &[Value] {
        &self.written
    }

    /// The same for a question of a list.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether it has a condition that only certain values meet, of a field that tells alerts apart.
    pub fn is_narrow(&self) -> bool {
        self.filter.all.iter().any(|condition| {
            let is_wide = condition.path.is_empty() && WIDE.contains(&condition.field.name);
            !is_wide
                && match &condition.test {
                    Test::Equal(value) => !value.is_null(),
                    Test::Among(values) => !values.is_empty() && !values.iter().any(Value::is_null),
                    Test::Element(members) => !members.is_empty(),
                    Test::Unequal(_)
                    | Test::NotAmong(_)
                    | Test::Compares(..)
                    | Test::Contains(_)
                    | Test::Lacks(_)
                    | Test::Matches(_)
                    | Test::Instant(..)
                    | Test::Exists(_) => false,
                }
        })
    }

    /// Whether `record` is meant.
    pub fn matches(&self, record: &Value) -> bool {
        self.filter.matches(record)
    }

    /// Why `record` is not meant: the first condition that does not hold of it; `None` where all hold.
    pub fn unmet(&self, record: &Value) -> Option<String> {
        let unmet = self.filter.all.iter().find(|condition| !condition.holds(record))?;
        Some(format!("{} does not hold: it is {}", said(unmet), found(unmet, record)))
    }

    /// Its conditions in words.
    pub fn sentence(&self) -> String {
        let all: Vec<String> = self.filter.all.iter().map(said).collect();
        if all.is_empty() { "every alert".to_owned() } else { all.join(" and ") }
    }
}

/// A condition in words, e.g. `severity eq "CRITICAL"`.
fn said(condition: &Condition) -> String {
    let (operator, operand) = condition.test.parts();
    let mut key = condition.field.name.to_owned();
    for step in &condition.path {
        key.push('.');
        key.push_str(step);
    }
    format!("`{key} {} {}`", operator.word(), short(&operand.to_string()))
}

/// What a record has where a condition looks.
fn found(condition: &Condition, record: &Value) -> String {
    let start = record.get(condition.field.name).unwrap_or(&Value::Null);
    let found = values(start, &condition.path);
    match found.as_slice() {
        [] => "absent".to_owned(),
        [one] => short(&one.to_string()),
        several => short(&several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The conditions with `resources` held against texts meant as `resources.name`: the resources of an alert are objects, so
/// no text would ever equal one.
pub(in crate::domain) fn by_name(written: &[Value]) -> Vec<Value> {
    let is_text = |value: &Value| match value {
        Value::String(_) => true,
        Value::Array(all) => !all.is_empty() && all.iter().all(Value::is_string),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    let named = |condition: &Value| {
        let mut condition = condition.clone();
        let operand = condition.get("v").or_else(|| condition.get("value"));
        if operand.is_some_and(is_text) {
            for key in ["k", "key"] {
                if let Some(field) = condition.get_mut(key).filter(|it| **it == "resources") {
                    *field = json!("resources.name");
                }
            }
        }
        condition
    };
    written.iter().map(named).collect()
}

/// A text of a size that fits into a sentence.
pub(in crate::domain) fn short(text: &str) -> String {
    const LONGEST: usize = 120;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{kept}…")
}
