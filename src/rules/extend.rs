//! Mappings that say only what differs: how the files that a mapping is made of become one.
//!
//! `extend: grafana` at the top of a file takes the mapping of that name for its base. What the file says is laid over
//! it: `title` takes the place of the base's, variables and variants are matched by name, fields of `set` one by one. A
//! stored text holds all of its files, each base after a line that begins with [`BASE`].

use std::{fmt::Write as _, sync::Arc};

use serde_json::Value;

use super::{
    load::{did_you_mean, listed},
    node::{At, Key, Kind, Node},
};
use crate::load_error::LoadError;

/// What begins the line before a base in a stored text; its file's name follows. In YAML it begins a document, and a
/// rule file holds one, so that no rule file can hold it by accident.
const BASE: &str = "--- # base ";

/// The files that a mapping is made of: its own, what that extends, what that extends in turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Files(Vec<File>);

/// One file of a mapping.
#[derive(Clone, Debug)]
struct File {
    name: Arc<str>,
    text: String,
}

impl Files {
    /// The files in a stored text; mostly one.
    pub(super) fn stored(name: &str, text: &str) -> Self {
        let mut files = vec![File { name: name.into(), text: String::new() }];
        for line in text.split_inclusive('\n') {
            match (line.strip_prefix(BASE), files.last_mut()) {
                (Some(name), _) => {
                    files.push(File { name: name.trim_end().into(), text: String::new() });
                }
                (None, Some(file)) => file.text.push_str(line),
                (None, None) => {}
            }
        }
        Self(files)
    }

    /// Adds the base of the last one.
    pub(super) fn push(&mut self, name: &str, text: &str) {
        self.0.push(File { name: name.into(), text: text.to_owned() });
    }

    /// Adds the base of the last one, and what that extends.
    pub(super) fn append(&mut self, base: Self) {
        self.0.extend(base.0);
    }

    /// All that is needed to read them again: the text of a mapping that extends nothing is its file's.
    pub(super) fn text(&self) -> String {
        let mut all = String::new();
        for (at, File { name, text }) in self.0.iter().enumerate() {
            if at > 0 {
                let end = if all.ends_with('\n') { "" } else { "\n" };
                let _ = writeln!(all, "{end}{BASE}{name}");
            }
            all.push_str(text);
        }
        all
    }

    /// The name of the file that a place is in.
    pub(super) fn name(&self, at: At) -> Arc<str> {
        self.0.get(usize::from(at.file)).map(|file| Arc::clone(&file.name)).unwrap_or_default()
    }

    /// The text of the file that a place is in.
    pub(super) fn text_at(&self, at: At) -> &str {
        self.0.get(usize::from(at.file)).map_or("", |file| &file.text)
    }

    /// A mistake at a place.
    pub(super) fn error(&self, at: At, detail: impl Into<String>) -> LoadError {
        LoadError::at(&*self.name(at), self.text_at(at), (at.line, at.column), detail)
    }

    /// The base that the last file names.
    pub(super) fn missing_base(&self) -> Result<Option<(String, At)>, LoadError> {
        let Some(node) = self.nodes()?.pop() else { return Ok(None) };
        let Some(base) = node.get("extend") else { return Ok(None) };
        match &base.kind {
            Kind::Scalar(Value::String(name)) => Ok(Some((name.clone(), base.at))),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => Err(self.error(
                base.at,
                format!("`extend` is the name of a mapping, not {}", base.describe()),
            )),
        }
    }

    /// What they say together.
    pub(super) fn read(&self) -> Result<Node, Vec<LoadError>> {
        let mut nodes = self.nodes().map_err(|error| vec![error])?;
        let Some(mut base) = nodes.pop() else {
            return Err(vec![LoadError::whole("", "there is no file")]);
        };
        if let Some(extend) = base.get("extend") {
            let detail = "`extend` names a mapping that does not stand with this text";
            return Err(vec![self.error(extend.at, detail)]);
        }
        let mut laying = Laying { wrong: Vec::new() };
        while let Some(over) = nodes.pop() {
            base = laying.mapping(base, over);
        }
        if laying.wrong.is_empty() {
            return Ok(base);
        }
        Err(laying.wrong.into_iter().map(|(at, detail)| self.error(at, detail)).collect())
    }

    fn nodes(&self) -> Result<Vec<Node>, LoadError> {
        let read = self.0.iter().zip(0..).map(|(file, number)| {
            let mut node = Node::read(&file.name, &file.text)?;
            node.belongs_to(number);
            Ok(node)
        });
        read.collect()
    }
}

/// Lays what a file says over its base.
struct Laying {
    wrong: Vec<(At, String)>,
}

type Entries = Vec<(Key, Node)>;

impl Laying {
    fn mapping(&mut self, base: Node, over: Node) -> Node {
        let (Kind::Table(mut entries), Kind::Table(changes)) = (base.kind, over.kind) else {
            self.wrong.push((
                over.at,
                "what extends a mapping, and what is extended, is a table".to_owned(),
            ));
            return Node { kind: Kind::Table(Vec::new()), at: over.at };
        };
        let name = changes.iter().find(|(key, _)| key.text == "extend");
        let name = name.map(|(_, name)| name.describe()).unwrap_or_default();
        for (key, change) in changes {
            match key.text.as_str() {
                "extend" => {}
                "let" => laid(&mut entries, key, change, by_name),
                "missing" => laid(&mut entries, key, change, together),
                "events" => {
                    laid(&mut entries, key, change, |base, over| self.events(&name, base, over));
                }
                _ => laid(&mut entries, key, change, |_, over| over),
            }
        }
        Node { kind: Kind::Table(entries), at: over.at }
    }

    /// Variants of a name that the base has change that one; others are tried before the base's.
    fn events(&mut self, extended: &str, base: Node, over: Node) -> Node {
        let (Kind::List(mut variants), Kind::List(changes)) = (base.kind, &over.kind) else {
            return over;
        };
        let names: Vec<String> =
            variants.iter().filter_map(|variant| variant.name().map(ToOwned::to_owned)).collect();
        let (mut new, mut done) = (Vec::new(), Vec::new());
        for change in changes.clone() {
            let known = change.name().and_then(|name| names.iter().position(|known| known == name));
            let Some(known) = known else {
                if self.stands_alone(extended, &names, &change) {
                    new.push(change);
                }
                continue;
            };
            if done.contains(&known) {
                let detail = format!("`{}` is changed before this already", names[known]);
                self.wrong.push((change.at, detail));
                continue;
            }
            done.push(known);
            let base = std::mem::replace(&mut variants[known], Node::nothing(over.at));
            variants[known] = variant(base, change);
        }
        new.append(&mut variants);
        Node { kind: Kind::List(new), at: over.at }
    }

    /// Whether a variant that the base has not is whole. One that is not was most likely meant to change one.
    fn stands_alone(&mut self, extended: &str, names: &[String], new: &Node) -> bool {
        let is_whole = new.get("ignore").is_some()
            || new.get("set").is_some_and(|set| set.get("event_key").is_some());
        let Some(name) = new.name().filter(|_| !is_whole) else { return true };
        let at = new.get("name").map_or(new.at, |name| name.at);
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        let known = listed(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let detail = format!(
            "{extended} has no variant `{name}` to change, only {known}; a new one needs `set` with `event_key`, or `ignore`{hint}"
        );
        self.wrong.push((at, detail));
        false
    }
}

/// Changes a variant: its fields and variables one by one, everything else as a whole.
fn variant(base: Node, over: Node) -> Node {
    let (Kind::Table(mut entries), Kind::Table(changes)) = (base.kind, over.kind) else {
        return Node { kind: Kind::Table(Vec::new()), at: over.at };
    };
    for (key, change) in changes {
        match key.text.as_str() {
            "let" => laid(&mut entries, key, change, by_name),
            "set" => {
                entries.retain(|(key, _)| key.text != "ignore");
                laid(&mut entries, key, change, by_name);
            }
            "ignore" => {
                entries.retain(|(key, _)| !["set", "each", "let"].contains(&key.text.as_str()));
                laid(&mut entries, key, change, |_, over| over);
            }
            _ => laid(&mut entries, key, change, |_, over| over),
        }
    }
    Node { kind: Kind::Table(entries), at: over.at }
}

/// Lays one entry over those of a table: `null` takes the entry away.
fn laid(entries: &mut Entries, key: Key, over: Node, join: impl FnOnce(Node, Node) -> Node) {
    let known = entries.iter().position(|(found, _)| found.text == key.text);
    match known {
        Some(known) if matches!(over.kind, Kind::Scalar(Value::Null)) => {
            entries.remove(known);
        }
        Some(known) => {
            let base = std::mem::replace(&mut entries[known].1, Node::nothing(key.at));
            entries[known] = (key, join(base, over));
        }
        None => entries.push((key, over)),
    }
}

/// Two tables in one; where both have a key, the second says what stands there.
fn by_name(base: Node, over: Node) -> Node {
    let (Kind::Table(mut entries), Kind::Table(changes)) = (base.kind, &over.kind) else {
        return over;
    };
    for (key, change) in changes.clone() {
        laid(&mut entries, key, change, |_, over| over);
    }
    Node { kind: Kind::Table(entries), at: over.at }
}

/// Two lists in one.
fn together(base: Node, over: Node) -> Node {
    let all = base.as_list().iter().chain(over.as_list()).cloned().collect();
    Node { kind: Kind::List(all), at: over.at }
}

#[cfg(test)]
#[path = "extend_tests.rs"]
mod tests;
