//! Whether a record meets a filter, and lists of records in memory.
//!
//! The values at a path, and the elements of those that are lists, are its *candidates*; lists on the way fan out. What
//! has no candidate is absent. Values of different types never compare, except that null also stands for absent.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::{
    Catalogue, Comparison, Condition, Cursor, Direction, Filter, Kind, Order, Query, Shape, Test,
};

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

impl Filter {
    /// Whether `record`, as its view shows it, is meant.
    pub fn matches(&self, record: &Value) -> bool {
        self.all.iter().all(|condition| condition.holds(record))
            && some(&self.any, record)
            && some(&self.keyword, record)
    }
}

fn some(conditions: &[Condition], record: &Value) -> bool {
    conditions.is_empty() || conditions.iter().any(|condition| condition.holds(record))
}

impl Condition {
    /// Whether it holds of `record`, as its view shows it.
    pub fn holds(&self, record: &Value) -> bool {
        match record.get(self.field.name) {
            Some(value) => self.test.holds(value, &self.path, self.field.kind),
            None => self.test.holds_of(&[], Kind::Object),
        }
    }
}

impl Test {
    /// Whether it holds of what `path` leads to from `value`.
    pub fn holds(&self, value: &Value, path: &[String], kind: Kind) -> bool {
        let mut found = Vec::new();
        follow(value, path, &mut found);
        self.holds_of(&found, kind)
    }

    fn holds_of(&self, found: &[&Value], kind: Kind) -> bool {
        match self {
            Self::Equal(value) => is_one_of(found, std::slice::from_ref(value)),
            Self::Unequal(value) => !is_one_of(found, std::slice::from_ref(value)),
            Self::Among(values) => is_one_of(found, values),
            Self::NotAmong(values) => !is_one_of(found, values),
            Self::Compares(how, value) => compares(found, *how, value),
            // A time is no text, though a view writes it as one.
            Self::Contains(part) => kind != Kind::Time && contains(found, part),
            Self::Lacks(part) => kind == Kind::Time || !contains(found, part),
            Self::Exists(wanted) => found.is_empty() != *wanted,
        }
    }
}

/// Adds to `found` what `path` leads to from `value`.
fn follow<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(members) => {
            if let Some(member) = members.get(step) {
                follow(member, rest, found);
            }
        }
        Value::Array(items) => {
            if let Some(item) = step.parse::<usize>().ok().and_then(|at| items.get(at)) {
                follow(item, rest, found);
            }
            for item in items.iter().filter(|item| item.is_object()) {
                follow(item, path, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The values found, and the elements of those that are lists.
fn candidates<'a>(found: &'a [&'a Value]) -> impl Iterator<Item = &'a Value> {
    found.iter().flat_map(|value| {
        let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
        std::iter::once(*value).chain(elements)
    })
}

fn is_one_of(found: &[&Value], values: &[Value]) -> bool {
    values.iter().any(|value| {
        (value.is_null() && found.is_empty())
            || candidates(found).any(|candidate| are_equal(candidate, value))
    })
}

/// Whether two values are the same; 1 is 1.0.
fn are_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compared(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| are_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn compares(found: &[&Value], how: Comparison, value: &Value) -> bool {
    if value.is_null() && how.holds_of_equals() {
        return is_one_of(found, std::slice::from_ref(value));
    }
    candidates(found).any(|candidate| {
        let order = match (candidate, value) {
            (Value::Number(a), Value::Number(b)) => compared(a, b),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        };
        order.is_some_and(|order| match how {
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
        })
    })
}

/// How two numbers compare, whole ones exactly.
pub fn compared(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn contains(found: &[&Value], part: &str) -> bool {
    candidates(found)
        .any(|candidate| candidate.as_str().is_some_and(|text| contains_lowered(text, part)))
}

/// Whether `text` contains `part`, which is in lower case, in whatever case.
pub fn contains_lowered(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

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
        let mut found = Vec::new();
        follow(value, path, &mut found);
        let flat = found.iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect(),
            single => vec![*single],
        });
        let ranks = flat.map(Self::single);
        let first = match direction {
            Direction::Ascending => ranks.min_by(Self::order),
            Direction::Descending => ranks.max_by(Self::order),
        };
        first.unwrap_or(Self::Nothing)
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

    fn order(&self, other: &Self) -> Ordering {
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

impl Query {
    /// The records of `records` that it asks for, in its order, shaped as it says. They come in their own order.
    pub fn list(&self, records: Vec<Value>, catalogue: &Catalogue) -> Listed {
        let mut rows: Vec<Value> =
            records.into_iter().filter(|record| self.filter.matches(record)).collect();
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

    fn put_in_order(&self, rows: &mut [Value], catalogue: &Catalogue) {
        if !self.sort.is_empty() {
            rows.sort_by(|a, b| self.order(a, b));
            return;
        }
        let (name, direction) = match catalogue.order {
            Order::NewestFirst => {
                // What ties comes newest first too.
                rows.reverse();
                ("created_at", Direction::Descending)
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

impl Shape {
    /// What it leaves of `record`.
    pub fn of(&self, record: Value, catalogue: &Catalogue) -> Value {
        let Value::Object(mut members) = record else { return record };
        match self {
            Self::Whole | Self::Count => {}
            Self::Minimal => members.retain(|name, _| catalogue.minimal.contains(&name.as_str())),
            Self::Only(paths) => members = only(&members, paths, catalogue.id),
        }
        Value::Object(members)
    }
}

fn only(members: &Map<String, Value>, paths: &[String], id: &str) -> Map<String, Value> {
    let mut kept = Map::new();
    for path in paths.iter().map(String::as_str).chain([id]) {
        copy(members, &mut kept, path);
    }
    kept
}

/// Copies what is at `path`; what is there already stays.
fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, path: &str) {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let Some(value) = from.get(step) else { return };
    match (value, rest) {
        (Value::Object(inner), Some(rest)) => {
            let below = to.entry(step).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                copy(inner, below, rest);
            }
        }
        (value, _) => {
            to.insert(step.to_owned(), value.clone());
        }
    }
}
