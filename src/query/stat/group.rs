//! Groups of rows that agree in their keys.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value};

use super::{
    bucket::Bucket,
    coarse::Grain,
    format::Format,
    gather::{Gathered, GroupField},
    path::Path,
    run::Budget,
    value::{encode, size},
    zone::time,
};
use crate::{
    clock::{Timestamp, rfc3339},
    error::Result,
};

/// Which rows belong together, and what becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) keys: Vec<GroupKey>,
    pub(super) fields: Vec<GroupField>,
    /// Where it stands in the request.
    pub(super) pointer: String,
}

/// What rows of a group agree in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GroupKey {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) part: KeyPart,
}

/// What of a value they agree in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum KeyPart {
    /// All of it.
    Whole,
    /// The time that it is, told in a format.
    Told(Format),
    /// The step of time in which it lies.
    Step(Bucket),
}

impl KeyPart {
    fn of_time(&self, time: Timestamp) -> Value {
        match self {
            Self::Whole => Value::Null,
            Self::Told(format) => format.tell(time),
            Self::Step(bucket) => Value::from(rfc3339(bucket.start(time))),
        }
    }

    fn grain(&self) -> Option<Grain> {
        match self {
            Self::Whole => None,
            Self::Told(format) => format.grain(),
            Self::Step(bucket) => bucket.grain(),
        }
    }
}

/// Groups in the making.
pub(super) struct Groups {
    group: Group,
    /// What the key of a time was last, and for which step of the store: rows often come in the order of time.
    latest: Vec<Latest>,
    places: HashMap<Box<[u8]>, usize>,
    groups: Vec<(Vec<Option<Value>>, Vec<Gathered>)>,
    scratch: Vec<u8>,
    /// How many bytes the groups themselves take.
    kept: usize,
}

struct Latest {
    /// How long a step is, in milliseconds; none where each time may have a key of its own.
    step: Option<i64>,
    at: Option<i64>,
    value: Value,
}

impl Groups {
    pub(super) fn new(group: Group) -> Self {
        let latest = group.keys.iter().map(|key| Latest {
            step: key.part.grain().map(Grain::millis),
            at: None,
            value: Value::Null,
        });
        let latest = latest.collect();
        Self {
            group,
            latest,
            places: HashMap::new(),
            groups: Vec::new(),
            scratch: Vec::new(),
            kept: 0,
        }
    }

    /// Adds a row, which stands for so many.
    pub(super) fn add(&mut self, (row, weight): (&Value, u64), budget: &mut Budget) -> Result<()> {
        self.scratch.clear();
        for (key, latest) in self.group.keys.iter().zip(&mut self.latest) {
            match &key.part {
                KeyPart::Whole => encode(key.path.of(row).as_deref(), &mut self.scratch),
                part => {
                    latest.move_to(part, key.path.of(row).as_deref().and_then(time));
                    encode(Some(&latest.value), &mut self.scratch);
                }
            }
        }
        let at = match self.places.get(self.scratch.as_slice()) {
            Some(at) => *at,
            None => self.found(row, budget)?,
        };
        if let Some((_, gathered)) = self.groups.get_mut(at) {
            for (field, to) in self.group.fields.iter().zip(gathered) {
                field.add(to, (row, weight), budget)?;
            }
        }
        Ok(())
    }

    /// Makes a group of its own for the first row of it.
    fn found(&mut self, row: &Value, budget: &mut Budget) -> Result<usize> {
        let keys = self.group.keys.iter().zip(&self.latest).map(|(key, latest)| match key.part {
            KeyPart::Whole => key.path.of(row).map(Cow::into_owned),
            KeyPart::Told(_) | KeyPart::Step(_) => Some(latest.value.clone()),
        });
        let keys: Vec<Option<Value>> = keys.collect();
        let fields: Vec<Gathered> = self.group.fields.iter().map(GroupField::empty).collect();
        let room = keys.iter().flatten().map(size).sum::<usize>()
            + self.scratch.len()
            + fields.len() * size_of::<Gathered>();
        budget.row(room, &self.group.pointer)?;
        self.kept += room;
        let at = self.groups.len();
        self.places.insert(self.scratch.as_slice().into(), at);
        self.groups.push((keys, fields));
        Ok(at)
    }

    /// The row of each group, in the order in which they began. They no longer count as kept.
    pub(super) fn finish(&mut self, budget: &mut Budget) -> Vec<Value> {
        let Group { keys: names, fields, .. } = &self.group;
        let groups = std::mem::take(&mut self.groups);
        self.places = HashMap::new();
        budget.give(groups.len(), self.kept);
        let rows = groups.into_iter().map(|(keys, gathered)| {
            let mut row = Map::new();
            for (key, value) in names.iter().zip(keys) {
                if let Some(value) = value {
                    row.insert(key.name.clone(), value);
                }
            }
            for (field, gathered) in fields.iter().zip(gathered) {
                row.insert(field.name.clone(), gathered.value());
            }
            Value::Object(row)
        });
        rows.collect()
    }
}

impl Latest {
    /// Makes `value` the key of a time; null is that of what is none.
    fn move_to(&mut self, part: &KeyPart, time: Option<Timestamp>) {
        let at = match (time, self.step) {
            (Some(time), Some(step)) => Some(time.timestamp_millis().div_euclid(step)),
            _ => None,
        };
        if at.is_some() && at == self.at {
            return;
        }
        self.at = at;
        self.value = time.map_or(Value::Null, |time| part.of_time(time));
    }
}
