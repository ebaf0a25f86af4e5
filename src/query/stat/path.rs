//! Ways through a row.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A way through a row: keys of objects; through a list it leads to the list of what it leads to from each element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<String>);

impl Path {
    pub(super) fn read(key: &str) -> Self {
        Self(key.split('.').map(str::to_owned).collect())
    }

    /// The first step.
    pub(super) fn field(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it is a field of the row itself.
    pub(super) fn is_top(&self) -> bool {
        self.0.len() == 1
    }

    /// What it leads to; `None` where nothing is.
    pub(super) fn of<'a>(&self, row: &'a Value) -> Option<Cow<'a, Value>> {
        through(row, &self.0)
    }

    /// What it leads to, if that is something else than null, a list passed on the way included.
    pub(super) fn there<'a>(&self, row: &'a Value) -> Option<Cow<'a, Value>> {
        self.of(row).filter(|value| !value.is_null())
    }

    /// Puts `value` where it leads, through objects only; what is in the way stays.
    pub(super) fn put(&self, row: &mut Value, value: Value) {
        let mut place = row;
        for step in &self.0 {
            let Value::Object(members) = place else { return };
            place = members.entry(step).or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
    }
}

fn through<'a>(value: &'a Value, steps: &[String]) -> Option<Cow<'a, Value>> {
    let Some((step, rest)) = steps.split_first() else { return Some(Cow::Borrowed(value)) };
    match value {
        Value::Object(members) => through(members.get(step)?, rest),
        Value::Array(items) => {
            let found = items.iter().filter_map(|item| through(item, steps));
            Some(Cow::Owned(found.map(Cow::into_owned).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
