//! A rule file as it is written: scalars, lists and tables that know their line and column.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

use crate::load_error::LoadError;

/// One value of a rule file, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What stands there.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) at: At,
}

/// A place in a rule file; line and column count from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    /// The file among those of a mapping: zero is its own, one what that extends.
    pub(crate) file: u8,
    /// The line.
    pub(crate) line: u32,
    /// The column.
    pub(crate) column: u32,
}

/// What stands in a rule file.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A text, number, boolean or null.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A table, in its order.
    Table(Vec<(Key, Node)>),
}

/// A key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Its text.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) at: At,
}

impl Node {
    /// Reads a rule file.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, LoadError> {
        if text.trim().is_empty() {
            return Err(LoadError::whole(file, "it is empty"));
        }
        let options = serde_saphyr::options! { strict_booleans: true };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| LoadError::of_yaml(file, text, &error))
    }

    /// `null`, standing somewhere.
    pub(crate) fn nothing(at: At) -> Self {
        Self { kind: Kind::Scalar(Value::Null), at }
    }

    /// Notes which file of its mapping it stands in.
    pub(crate) fn belongs_to(&mut self, file: u8) {
        self.at.file = file;
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.belongs_to(file)),
            Kind::Table(entries) => {
                for (key, node) in entries {
                    key.at.file = file;
                    node.belongs_to(file);
                }
            }
        }
    }

    /// What stands under a key; `None` where it is no table or has no such key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Table(entries) => {
                entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
            }
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Where that stands which a JSON pointer (RFC 6901) names; as far as it leads, where it leads nowhere.
    pub(crate) fn place(&self, pointer: &str) -> At {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let below = match &here.kind {
                Kind::Table(_) => here.get(&step),
                Kind::List(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                Kind::Scalar(_) => None,
            };
            let Some(below) = below else { break };
            here = below;
        }
        here.at
    }

    /// The text under `name`.
    pub(crate) fn name(&self) -> Option<&str> {
        match self.get("name").map(|name| &name.kind) {
            Some(Kind::Scalar(Value::String(name))) => Some(name),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(value) => format!("`{}`", crate::value::text::text(value)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }

    /// A list, or a single value as a list of one.
    pub(crate) fn as_list(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Scalar(_) | Kind::Table(_) => std::slice::from_ref(self),
        }
    }

    /// It as JSON.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Table(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.text.clone(), node.to_json())).collect(),
            ),
        }
    }
}

fn at(place: serde_saphyr::Location) -> At {
    let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
    At { file: 0, line: narrow(place.line()), column: narrow(place.column()) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { kind: spanned.value, at: at(spanned.defined) })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self { text: spanned.value, at: at(spanned.defined) })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a list or a table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Kind::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_knows_its_place() {
        let text =
            "title: A\nlet:\n  words: &words\n    1: ONE\n    yes: TWO\nuse:\n  map: *words\n";
        let node = Node::read("x.yaml", text).unwrap();
        let Kind::Table(entries) = &node.kind else { unreachable!() };
        let places: Vec<_> = entries
            .iter()
            .map(|(key, node)| (key.text.as_str(), key.at.line, node.at.line))
            .collect();
        assert_eq!(places, [("title", 1, 1), ("let", 2, 3), ("use", 6, 7)]);
        let expected = serde_json::json!({ "map": { "1": "ONE", "yes": "TWO" } });
        assert_eq!(entries[2].1.to_json(), expected);
    }

    #[test]
    fn json_is_read_too() {
        let text = "{\n\t\"a/b\": \"\\ud83d\\ude00 \\/\",\n\t\"c\": [1, -2.5e3, null]}";
        let node = Node::read("x.json", text).unwrap();
        assert_eq!(node.to_json(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn duplicate_keys_are_an_error_with_a_place() {
        let error = Node::read("x.yaml", "a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 1), "{error}");
    }
}
