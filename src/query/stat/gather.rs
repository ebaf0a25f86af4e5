//! What a group makes of its rows: counts, sums, lists and the like.

use std::{borrow::Cow, cmp::Ordering, collections::HashSet};

use serde_json::{Map, Number, Value};

use super::{
    check::Check,
    path::Path,
    run::Budget,
    value::{Sum, as_float, encode, order, size},
};
use crate::error::{Code, Error, Result};

/// A field of the row that a group makes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GroupField {
    pub(super) name: String,
    pub(super) operator: Gather,
    pub(super) aim: Aim,
    /// Rows that do not meet all of these do not count.
    pub(super) conditions: Vec<Check>,
    /// Where it stands in the request.
    pub(super) pointer: String,
}

/// What of each row is gathered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Aim {
    /// The row itself.
    Rows,
    /// What a path leads to.
    Of(Path),
    /// An object of these.
    Parts(Vec<ObjectPart>),
}

/// A member of an object that is made of each row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectPart {
    pub(super) name: String,
    pub(super) path: Path,
    /// Whether it is a time of the resource, which is written without a fraction.
    pub(super) time: TimePart,
}

/// Whether a part is a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    /// It is, and is shown to the second.
    Seconds,
    /// It is as it is.
    Plain,
}

/// How rows are gathered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Gather {
    /// How many.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// That of the first row.
    First,
    /// That of the last row.
    Last,
    /// All, in order.
    Push,
    /// All different ones.
    AddToSet,
    /// One object of all.
    MergeObjects,
    /// The least of which so many of a hundred are not greater (nearest rank).
    Percentile(f64),
}

impl GroupField {
    pub(super) fn is_count(&self) -> bool {
        self.operator == Gather::Count
    }

    /// What nothing was gathered into yet.
    pub(super) fn empty(&self) -> Gathered {
        match self.operator {
            Gather::Count => Gathered::Count(0),
            Gather::Sum => Gathered::Sum(Sum::default()),
            Gather::Average => Gathered::Average(Sum::default(), 0),
            Gather::Max => Gathered::Best(None, Ordering::Greater),
            Gather::Min => Gathered::Best(None, Ordering::Less),
            Gather::First => Gathered::First(None),
            Gather::Last => Gathered::Last(Value::Null),
            Gather::Push => Gathered::List(Vec::new()),
            Gather::AddToSet => Gathered::Set(Vec::new(), HashSet::new()),
            Gather::MergeObjects => Gathered::Object(Map::new()),
            Gather::Percentile(of) => Gathered::Numbers(Numbers { of, ..Numbers::default() }),
        }
    }

    /// Adds a row, which stands for so many.
    pub(super) fn add(
        &self,
        to: &mut Gathered,
        (row, weight): (&Value, u64),
        budget: &mut Budget,
    ) -> Result<()> {
        if !self.conditions.iter().all(|check| check.holds(row)) {
            return Ok(());
        }
        if let Gathered::Count(rows) = to {
            *rows = rows.saturating_add(weight);
            return Ok(());
        }
        let value = match &self.aim {
            Aim::Rows => None,
            Aim::Of(path) => path.of(row),
            Aim::Parts(parts) => Some(Cow::Owned(object(parts, row))),
        };
        self.gather(to, (value, weight), budget)
    }

    fn gather(
        &self,
        to: &mut Gathered,
        (value, weight): (Option<Cow<'_, Value>>, u64),
        budget: &mut Budget,
    ) -> Result<()> {
        match (to, value) {
            (Gathered::First(first @ None), value) => {
                *first = Some(value.map_or(Value::Null, Cow::into_owned));
            }
            (Gathered::Last(last), value) => *last = value.map_or(Value::Null, Cow::into_owned),
            (Gathered::Count(_) | Gathered::First(Some(_)), _) | (_, None) => {}
            (Gathered::Sum(sum), Some(value)) => {
                if let Value::Number(number) = &*value {
                    sum.add(number, weight);
                }
            }
            (Gathered::Average(sum, rows), Some(value)) => {
                if let Value::Number(number) = &*value {
                    sum.add(number, weight);
                    *rows = rows.saturating_add(weight);
                }
            }
            (Gathered::Best(best, wanted), Some(value)) => {
                let is_better = !value.is_null()
                    && best.as_ref().is_none_or(|best| order(&value, best) == *wanted);
                if is_better {
                    *best = Some(value.into_owned());
                }
            }
            (Gathered::List(list), Some(value)) => {
                let value = value.into_owned();
                for _ in 1..weight {
                    budget.take(size(&value), &self.pointer)?;
                    list.push(value.clone());
                }
                budget.take(size(&value), &self.pointer)?;
                list.push(value);
            }
            (Gathered::Set(list, known), Some(value)) => {
                let mut key = Vec::new();
                encode(Some(&value), &mut key);
                if !known.contains(key.as_slice()) {
                    budget.take(size(&value) + key.len() + 32, &self.pointer)?;
                    known.insert(key.into_boxed_slice());
                    list.push(value.into_owned());
                }
            }
            (Gathered::Object(merged), Some(value)) => match value.into_owned() {
                Value::Null => {}
                Value::Object(members) => {
                    for (name, value) in members {
                        budget.take(size(&value) + name.len(), &self.pointer)?;
                        merged.insert(name, value);
                    }
                }
                other => {
                    let detail =
                        format!("`merge_objects` takes objects, and one row has {}", named(&other));
                    return Err(Error::at(Code::Query, &self.pointer, detail));
                }
            },
            (Gathered::Numbers(numbers), Some(value)) => {
                if let Value::Number(number) = &*value {
                    numbers.add(number, weight, (budget, &self.pointer))?;
                }
            }
        }
        Ok(())
    }
}

/// What a value is, for a message.
pub(super) const fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn object(parts: &[ObjectPart], row: &Value) -> Value {
    let members = parts.iter().filter_map(|part| {
        let value = part.path.of(row)?.into_owned();
        let value = match (part.time, value) {
            // `2026-01-02T03:04:05.678Z`, without what is finer than a second.
            (TimePart::Seconds, Value::String(text)) if text.len() == 24 => {
                Value::from(format!("{}Z", text.get(..19).unwrap_or(&text)))
            }
            (_, value) => value,
        };
        Some((part.name.clone(), value))
    });
    Value::Object(members.collect())
}

/// What was gathered so far.
#[derive(Clone, Debug)]
pub(super) enum Gathered {
    Count(u64),
    Sum(Sum),
    Average(Sum, u64),
    /// The best one, and how a better one stands to it.
    Best(Option<Value>, Ordering),
    First(Option<Value>),
    Last(Value),
    List(Vec<Value>),
    Set(Vec<Value>, HashSet<Box<[u8]>>),
    Object(Map<String, Value>),
    Numbers(Numbers),
}

impl Gathered {
    /// What the row of the group says.
    pub(super) fn value(self) -> Value {
        match self {
            Self::Count(rows) => Value::from(rows),
            Self::Sum(sum) => sum.value(),
            Self::Average(_, 0) => Value::Null,
            Self::Average(sum, rows) => Value::from(sum.float() / as_float(i128::from(rows))),
            Self::Best(best, _) => best.unwrap_or_default(),
            Self::First(first) => first.unwrap_or_default(),
            Self::Last(last) => last,
            Self::List(list) | Self::Set(list, _) => Value::Array(list),
            Self::Object(members) => Value::Object(members),
            Self::Numbers(numbers) => numbers.value(),
        }
    }
}

/// Numbers of which one is wanted by its rank: each different one once, with how often it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    of: f64,
    sorted: Vec<(f64, u64)>,
    fresh: Vec<(f64, u64)>,
    is_float: bool,
}

/// After how many numbers they are put in order, so that equal ones take no more room.
const FRESH: usize = 4_096;

impl Numbers {
    fn add(
        &mut self,
        number: &Number,
        times: u64,
        (budget, pointer): (&mut Budget, &str),
    ) -> Result<()> {
        self.is_float |= number.as_i64().is_none();
        let Some(number) = number.as_f64() else { return Ok(()) };
        self.fresh.push((number, times));
        if self.fresh.len() < FRESH {
            return Ok(());
        }
        let before = self.sorted.len();
        self.settle();
        budget.take((self.sorted.len() - before) * size_of::<(f64, u64)>(), pointer)
    }

    fn settle(&mut self) {
        self.sorted.append(&mut self.fresh);
        self.sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.sorted.dedup_by(|(later, times), (number, all)| {
            let is_same = later.total_cmp(number).is_eq();
            if is_same {
                *all = all.saturating_add(*times);
            }
            is_same
        });
    }

    fn value(mut self) -> Value {
        self.settle();
        let all: u64 = self.sorted.iter().fold(0, |all, (_, times)| all.saturating_add(*times));
        let wanted = (self.of / 100.0 * as_float(i128::from(all))).ceil().max(1.0);
        let mut rank = 0.0;
        for (number, times) in &self.sorted {
            rank += as_float(i128::from(*times));
            if rank >= wanted {
                return self.shown(*number);
            }
        }
        self.sorted.last().map_or(Value::Null, |(number, _)| self.shown(*number))
    }

    fn shown(&self, number: f64) -> Value {
        // Where all are whole, this one is one of them.
        #[expect(clippy::cast_possible_truncation, reason = "it was a whole number")]
        if self.is_float { Value::from(number) } else { Value::from(number as i64) }
    }
}
