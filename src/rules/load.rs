//! What is wrong with a rule file, and how a file's tables are read so that nothing in them goes unnoticed.

use super::{
    extend::Files,
    node::{At, Key, Kind, Node},
};
use crate::load_error::LoadError;

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
                let detail = error.to_string();
                let detail = detail.lines().last().unwrap_or_default().trim().to_owned();
                self.wrong(node.at, format!("`{text}` is no regular expression: {detail}"))
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

/// A hint at the word that may have been meant; empty where none is near.
pub(super) fn did_you_mean<'w>(found: &str, words: impl Iterator<Item = &'w str>) -> String {
    let near = words.map(|word| (distance(found, word), word)).min();
    match near {
        Some((distance, word)) if distance <= 1 + word.len() / 4 && distance < word.len() => {
            format!("; did you mean `{word}`?")
        }
        _ => String::new(),
    }
}

/// How many letters differ, letter case ignored; two neighbours that changed places count as one.
fn distance(a: &str, b: &str) -> usize {
    let letters = |word: &str| word.to_lowercase().chars().take(64).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (at, letter) in a.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = rows[at][column] + usize::from(letter != other);
            let mut least = replaced.min(rows[at][column + 1] + 1).min(row[column] + 1);
            if at > 0 && column > 0 && *letter == b[column - 1] && a[at - 1] == *other {
                least = least.min(rows[at - 1][column - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested() {
        let words = ["severity", "title"];
        assert_eq!(did_you_mean("sevrity", words.into_iter()), "; did you mean `severity`?");
        assert_eq!(did_you_mean("oen", ["one"].into_iter()), "; did you mean `one`?");
        assert_eq!(did_you_mean("account", words.into_iter()), "");
    }
}
