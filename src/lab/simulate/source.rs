//! The file as it is written: its tables, and the place of whatever is wrong in it.

use std::sync::Arc;

use crate::{
    error::Error,
    load_error::{LoadError, did_you_mean},
    rules::{At, Key, Kind, Node},
};

/// A file and its text, for messages that show the line.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// Reads a file, YAML or JSON.
    pub(super) fn read(file: &str, text: &str) -> Result<(Self, Node), LoadError> {
        let node = Node::read(file, text)?;
        Ok((Self { file: file.into(), text: text.into() }, node))
    }

    /// A mistake at a place.
    pub(super) fn mistake(&self, at: At, detail: impl Into<String>) -> LoadError {
        LoadError::at(&*self.file, &self.text, (at.line, at.column), detail)
    }

    /// What a method of the API refused, at the places it complained of; `place` finds them.
    pub(super) fn refused(&self, error: &Error, place: impl Fn(&str) -> At) -> Vec<LoadError> {
        if error.mistakes.is_empty() {
            return vec![self.mistake(place(""), &error.detail)];
        }
        let mistakes = error.mistakes.iter();
        mistakes.map(|one| self.near(place(&one.pointer), &one.detail)).collect()
    }

    /// A mistake at a place, or at what it names first where that stands just below.
    fn near(&self, at: At, detail: &str) -> LoadError {
        let named = detail.split('`').nth(1).unwrap_or_default();
        self.mistake(at, detail).moved_to(&self.text, named)
    }
}

/// A reader of tables that collects what is wrong.
pub(super) struct Reader<'s> {
    /// The file.
    pub(super) source: &'s Source,
    /// What is wrong so far.
    pub(super) mistakes: Vec<LoadError>,
}

/// A table whose keys are known to be right.
pub(super) struct Table<'n> {
    entries: &'n [(Key, Node)],
}

impl<'n> Table<'n> {
    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }

    /// The first of these keys that is there, with what stands under it.
    pub(super) fn first(&self, keys: &[&'static str]) -> Option<(&'static str, &'n Node)> {
        keys.iter().find_map(|key| Some((*key, self.get(key)?)))
    }

    /// Its keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'n Key> {
        self.entries.iter().map(|(key, _)| key)
    }
}

impl<'s> Reader<'s> {
    /// Begins with a file.
    pub(super) fn new(source: &'s Source) -> Self {
        Self { source, mistakes: Vec::new() }
    }

    /// Notes that something is wrong. Gives `None`, so that a caller can leave with it.
    pub(super) fn wrong<T>(&mut self, at: At, detail: impl Into<String>) -> Option<T> {
        let mistake = self.source.mistake(at, detail);
        self.mistakes.push(mistake);
        None
    }

    /// A table that has only these keys.
    pub(super) fn table<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        keys: &[&'static str],
    ) -> Option<Table<'n>> {
        let table = self.open_table(node, what)?;
        for key in table.keys() {
            if !keys.contains(&key.text.as_str()) {
                let hint = did_you_mean(&key.text, keys.iter().copied());
                let known = keys.join("`, `");
                let detail =
                    format!("`{}` is not known in {what}; expected `{known}`{hint}", key.text);
                self.wrong::<()>(key.at, detail);
            }
        }
        Some(table)
    }

    /// A table of any keys.
    pub(super) fn open_table<'n>(&mut self, node: &'n Node, what: &str) -> Option<Table<'n>> {
        match &node.kind {
            Kind::Table(entries) => Some(Table { entries }),
            Kind::Scalar(_) | Kind::List(_) => {
                self.wrong(node.at, format!("{what} is a table, not {}", node.describe()))
            }
        }
    }

    /// A list.
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Table(_) => {
                self.wrong(node.at, format!("{what} is a list, not {}", node.describe()))
            }
        }
    }

    /// A text.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(serde_json::Value::String(text)) => Some(text),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
                self.wrong(node.at, format!("{what} is a text, not {}", node.describe()))
            }
        }
    }

    /// A whole number, not below zero.
    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<u64> {
        match &node.kind {
            Kind::Scalar(value) if value.as_u64().is_some() => value.as_u64(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
                self.wrong(node.at, format!("{what} is a whole number, not {}", node.describe()))
            }
        }
    }
}
