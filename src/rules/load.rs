//! What is wrong with a rule file, and how a file's tables are read so that nothing in them goes unnoticed.

use super::{
    extend::Files,
    node::{At, Key, Kind, Node},
};
use crate::load_error::LoadError;
pub(super) use crate::load_error::did_you_mean;

/// Reads one rule file and collects what is wrong with it.
#[derive(Debug)]
pub(super) struct Loader<'a> {
    /// The file, and those that it extends.
    pub(super) files: &'a Files,
    /// What is wrong so far.
    pub(super) errors: Vec<LoadError>,
    /// The variables that may be used from here on, by slot.
    pub(super) shared: Vec<String>,
    /// The variables of one item, by slot.
    pub(super) own: Vec<String>,
    /// The tables of words of `let`, which are no variables, with a hint at the operator that may have been meant.
    pub(super) words: Vec<(String, String)>,
    /// What `@` means here.
    pub(super) element: Element,
    /// Whether what was read since this was last cleared depends on the item.
    pub(super) uses_item: bool,
}

/// What `@` means where the loader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// It is the item of a variant.
    Item,
    /// It is an element of a list that a step goes through.
    Nested,
    /// There is no item yet.
    Unknown,
}

/// A table of a rule file whose keys are known to be right.
#[derive(Debug)]
pub(super) struct Table<'n> {
    entries: &'n [(Key, Node)],
}

impl<'n> Table<'n> {
    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }
}

impl<'a> Loader<'a> {
    /// Begins with the files of a mapping.
    pub(super) fn new(files: &'a Files) -> Self {
        Self {
            files,
            errors: Vec::new(),
            shared: Vec::new(),
            own: Vec::new(),
            words: Vec::new(),
            element: Element::Unknown,
            uses_item: false,
        }
    }

    /// Notes that something is wrong. Gives `None`, so that a caller can leave with it.
    pub(super) fn wrong<T>(&mut self, at: At, detail: impl Into<String>) -> Option<T> {
        let error = self.files.error(at, detail);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        None
    }

    /// The same, pointing at the piece of the text at `at` that is wrong.
    pub(super) fn wrong_in<T>(
        &mut self,
        at: At,
        piece: &str,
        detail: impl Into<String>,
    ) -> Option<T> {
        let error = self.files.error(at, detail).moved_to(self.files.text_at(at), piece);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        None
    }

    /// A table with some of these keys and no other.
    pub(super) fn table<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        keys: &[&str],
    ) -> Option<Table<'n>> {
        let Kind::Table(entries) = &node.kind else {
            return self.wrong(
                node.at,
                format!("{what} is a table with {}, not {}", listed(keys), node.describe()),
            );
        };
        let mut all_known = true;
        for (key, _) in entries {
            if !keys.contains(&key.text.as_str()) {
                let hint = did_you_mean(&key.text, keys.iter().copied());
                self.wrong::<()>(
                    key.at,
                    format!("{what} has no `{}`; it has {}{hint}", key.text, listed(keys)),
                );
                all_known = false;
            }
        }
        all_known.then_some(Table { entries })
    }

    /// The entries of a table with any keys.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        match &node.kind {
            Kind::Table(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => {
                self.wrong(node.at, format!("{what} is a table, not {}", node.describe()))
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

    /// A boolean.
    pub(super) fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.kind {
            Kind::Scalar(serde_json::Value::Bool(truth)) => Some(*truth),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
                self.wrong(node.at, format!("{what} is true or false, not {}", node.describe()))
            }
        }
    }

    /// A regular expression of bounded size.
    pub(super) fn pattern(&mut self, node: &Node) -> Option<regex::Regex> {
        let text = self.text(node, "a pattern")?;
        match regex::RegexBuilder::new(text).size_limit(1 << 18).dfa_size_limit(1 << 20).build() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let told = error.to_string();
                let detail = told.lines().last().unwrap_or_default().trim();
                let detail = detail.trim_start_matches("error: ");
                // The reader of patterns draws a caret of its own, below the pattern.
                let caret = told.lines().find(|line| line.trim() == "^").map_or(4, str::len);
                let rest: String = text.chars().skip(caret.saturating_sub(5)).collect();
                self.wrong_in(
                    node.at,
                    &rest,
                    format!("`{text}` is no regular expression: {detail}"),
                )
            }
        }
    }
}

/// Words for a message: `a`, `b` or `c`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}
