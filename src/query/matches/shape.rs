//! What is answered of a record.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::query::{Catalogue, Shape};

impl Shape {
    /// What it leaves of `record`.
    pub fn of(&self, record: Value, catalogue: &Catalogue) -> Value {
        let Value::Object(mut members) = record else { return record };
        match self {
            Self::Whole | Self::Count => {}
            Self::Minimal => members.retain(|name, _| catalogue.minimal.contains(&name.as_str())),
            Self::Only(paths) => {
                let wanted = paths.iter().map(String::as_str).chain([catalogue.id]);
                members = Wanted::of(wanted).part(&members);
            }
        }
        Value::Object(members)
    }
}

/// What is wanted of a value.
enum Wanted<'a> {
    All,
    /// These members, and of each what is wanted of it.
    Members(BTreeMap<&'a str, Wanted<'a>>),
}

impl<'a> Wanted<'a> {
    fn of(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut wanted = Self::Members(BTreeMap::new());
        paths.for_each(|path| wanted.add(path));
        wanted
    }

    /// Adds a path; what lies below one that is wanted is part of it.
    fn add(&mut self, path: &'a str) {
        let mut at = self;
        for step in path.split('.') {
            match at {
                Self::All => return,
                Self::Members(members) => {
                    at = members.entry(step).or_insert_with(|| Self::Members(BTreeMap::new()));
                }
            }
        }
        *at = Self::All;
    }

    /// The part of `members`; of a list, the part of each of its objects.
    fn part(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let Self::Members(wanted) = self else { return members.clone() };
        let part = wanted.iter().filter_map(|(name, wanted)| {
            let value = wanted.part_of(members.get(*name)?)?;
            Some(((*name).to_owned(), value))
        });
        part.collect()
    }

    fn part_of(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::All, value) => Some(value.clone()),
            (_, Value::Object(members)) => Some(Value::Object(self.part(members))),
            (_, Value::Array(items)) => {
                let objects = items.iter().filter_map(Value::as_object);
                Some(objects.map(|members| Value::Object(self.part(members))).collect())
            }
            (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => None,
        }
    }
}
