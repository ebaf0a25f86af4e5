//! Lists of records in memory.

use std::cmp::Ordering;

use serde_json::Value;

use super::Rank;
use crate::query::{Catalogue, Cursor, Direction, Order, Query, Unwind};

/// A page of records that were kept in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The page.
    pub rows: Vec<Value>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; `None` on the last page.
    pub next_cursor: Option<String>,
}

impl Query {
    /// The records of `records` that it asks for, in its order, shaped as it says. They come in their own order.
    pub fn list(&self, records: Vec<Value>, catalogue: &Catalogue) -> Listed {
        let meant = records.into_iter().filter(|record| self.filter.matches(record));
        let mut rows: Vec<Value> = match &self.unwind {
            None => meant.collect(),
            Some(unwind) => meant.flat_map(|record| unwind.rows(&record)).collect(),
        };
        self.put_in_order(&mut rows, catalogue);
        let total = rows.len() as u64;
        if !self.wants_rows() {
            return Listed { rows: Vec::new(), total, next_cursor: None };
        }
        let skipped = match self.page.from {
            Cursor::Skip(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
            Cursor::After(_) => 0,
        };
        let limit = self.page.limit as usize;
        let end = skipped.saturating_add(limit);
        let next_cursor = (end < rows.len()).then(|| Cursor::Skip(end as u64).text());
        let page = rows.into_iter().skip(skipped).take(limit);
        let rows = page.map(|row| self.shape.of(row, catalogue)).collect();
        Listed { rows, total, next_cursor }
    }

    /// Puts records in the order that is asked for, or in that of the resource.
    pub fn put_in_order(&self, rows: &mut [Value], catalogue: &Catalogue) {
        if !self.sort.is_empty() {
            rows.sort_by(|a, b| self.order(a, b));
            return;
        }
        let (name, direction) = match catalogue.order {
            Order::NewestFirst | Order::LatestFirst => {
                // What ties comes newest first too.
                rows.reverse();
                let is_newest = catalogue.order == Order::NewestFirst;
                (if is_newest { "created_at" } else { "occurred_at" }, Direction::Descending)
            }
            Order::By(name) => (name, Direction::Ascending),
        };
        let rank = |row: &Value| Rank::of(row, &[name.to_owned()], direction);
        rows.sort_by(|a, b| directed(rank(a).order(&rank(b)), direction));
    }

    fn order(&self, a: &Value, b: &Value) -> Ordering {
        let orders = self.sort.iter().map(|sort| {
            let rank = |row: &Value| match row.get(sort.field.name) {
                Some(value) => Rank::of(value, &sort.path, sort.direction),
                None => Rank::Nothing,
            };
            directed(rank(a).order(&rank(b)), sort.direction)
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

const fn directed(order: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

impl Unwind {
    /// The rows that a record makes: one for each element of the list, in which that list has only this element, where
    /// the row meets the filter. What is no list is its only element; null and absent make no row.
    pub fn rows(&self, record: &Value) -> Vec<Value> {
        let mut value = record.get(self.field.name);
        for step in &self.path {
            value = value.and_then(|value| value.as_object()?.get(step));
        }
        let elements = match value {
            None | Some(Value::Null) => &[],
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(single) => std::slice::from_ref(single),
        };
        let mut rows = Vec::with_capacity(elements.len());
        for element in elements {
            let mut row = record.clone();
            let mut place = row.get_mut(self.field.name);
            for step in &self.path {
                place = place.and_then(|value| value.as_object_mut()?.get_mut(step));
            }
            if let Some(place) = place {
                *place = Value::Array(vec![element.clone()]);
            }
            if self.filter.iter().all(|condition| condition.holds(&row)) {
                rows.push(row);
            }
        }
        rows
    }
}
