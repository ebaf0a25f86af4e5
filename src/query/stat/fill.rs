//! Groups of time in which nothing was.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    bucket::Bucket,
    gather::GroupField,
    run::Budget,
    value::{encode, size},
    zone::time,
};
use crate::{
    clock::{Timestamp, rfc3339},
    error::Result,
};

/// Adds a row for each step of time that a group has none for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fill {
    /// The name of the key that has the time.
    pub(super) key: String,
    pub(super) bucket: Bucket,
    /// The names of the other keys: rows that agree in them are a series, which is filled by itself.
    pub(super) others: Vec<String>,
    /// What the new rows say beside their keys.
    pub(super) fields: Vec<GroupField>,
    /// From which time on; from that of the first row where nothing is said.
    pub(super) from: Option<Timestamp>,
    /// Before which time; up to that of the last row where nothing is said.
    pub(super) to: Option<Timestamp>,
    /// Where it stands in the request.
    pub(super) pointer: String,
}

impl Fill {
    /// The rows with those that were missing, by time; those without a time come first.
    pub(super) fn rows(&self, rows: Vec<Value>, budget: &mut Budget) -> Result<Vec<Value>> {
        let start = |row: &Value| row.get(&self.key).and_then(time);
        let mut series: Vec<Map<String, Value>> = Vec::new();
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut known: HashMap<(usize, Timestamp), Value> = HashMap::new();
        let mut filled = Vec::new();
        let times = rows.iter().filter_map(start);
        let first = self.from.map(|from| self.bucket.start(from)).or(times.clone().min());
        let last = self.to.map(|to| to - chrono::TimeDelta::milliseconds(1)).or(times.max());
        for row in rows {
            let Some(at) = start(&row) else {
                filled.push(row);
                continue;
            };
            let number = *numbers.entry(self.encoded(&row)).or_insert_with(|| {
                series.push(self.others_of(&row));
                series.len() - 1
            });
            if first.is_some_and(|first| at < first) || last.is_some_and(|last| at > last) {
                filled.push(row);
            } else {
                known.insert((number, at), row);
            }
        }
        if series.is_empty() && self.others.is_empty() {
            series.push(Map::new());
        }
        let mut next = first;
        while let Some(at) = next.filter(|at| last.is_some_and(|last| *at <= last)) {
            for (number, others) in series.iter().enumerate() {
                let row = known.remove(&(number, at)).unwrap_or_else(|| self.empty(others, at));
                budget.row(size(&row), &self.pointer)?;
                filled.push(row);
            }
            next = self.bucket.next(at);
            if series.is_empty() {
                break;
            }
        }
        // Rows outside the time that was asked for stay; in order of time they belong before or after.
        filled.sort_by_key(start);
        Ok(filled)
    }

    fn encoded(&self, row: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in &self.others {
            encode(row.get(name), &mut bytes);
        }
        bytes
    }

    fn others_of(&self, row: &Value) -> Map<String, Value> {
        let others =
            self.others.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone())));
        others.collect()
    }

    /// The row of a step in which nothing was.
    fn empty(&self, others: &Map<String, Value>, at: Timestamp) -> Value {
        let mut row = others.clone();
        row.insert(self.key.clone(), Value::from(rfc3339(at)));
        for field in &self.fields {
            row.insert(field.name.clone(), field.empty().value());
        }
        Value::Object(row)
    }
}
