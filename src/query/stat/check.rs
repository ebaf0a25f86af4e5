//! Conditions on rows: those of 6.2 for whole rows, and plain comparisons for what a group counts.

use serde_json::Value;

use super::{path::Path, value::order};
use crate::query::{Comparison, Kind, Test, matches::Found};

/// What must hold of a row, in the meaning that operators have in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowTest {
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    pub(super) test: Test,
}

impl RowTest {
    /// The field of the row that it looks at.
    pub(super) fn field(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    pub(super) fn holds(&self, row: &Value) -> bool {
        self.test.holds_of(Found { start: Some(row), path: &self.path }, self.kind)
    }
}

/// What must hold of a row for a group to count it: how a whole value stands to another, whatever the types.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Check {
    pub(super) path: Path,
    pub(super) how: How,
    pub(super) value: Value,
}

/// How a value stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It is the same.
    Same,
    /// It is not the same.
    Other,
    /// It compares so.
    Is(Comparison),
}

impl Check {
    pub(super) fn holds(&self, row: &Value) -> bool {
        let found = self.path.of(row);
        let order = order(found.as_deref().unwrap_or(&Value::Null), &self.value);
        match self.how {
            How::Same => order.is_eq(),
            How::Other => order.is_ne(),
            How::Is(comparison) => comparison.holds_of(order),
        }
    }
}
