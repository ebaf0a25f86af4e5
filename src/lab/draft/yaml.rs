//! YAML as people write it: block style, quotes only where they are needed, comments above what they explain.

use std::fmt::Write as _;

/// How wide a line of comment may be.
const WIDTH: usize = 110;

/// A value of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    /// A text.
    Text(String),
    /// `true`.
    True,
    /// A list.
    List(Vec<Yaml>),
    /// A table, in this order.
    Table(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A table with one key.
    pub(super) fn table(key: &str, value: Self) -> Self {
        Self::Table(vec![(key.to_owned(), value)])
    }

    /// Every text in it, keys included.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::True => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Table(entries) => entries
                .iter()
                .flat_map(|(key, value)| std::iter::once(key.as_str()).chain(value.texts()))
                .collect(),
        }
    }

    /// The value alone where there is one, else the list of them.
    pub(super) fn one_or_list(mut values: Vec<Self>) -> Self {
        if values.len() == 1
            && let Some(only) = values.pop()
        {
            return only;
        }
        Self::List(values)
    }
}

/// Writes `key: value`, indented by so many blanks.
pub(super) fn entry(out: &mut String, indent: usize, key: &str, value: &Yaml) {
    let _ = write!(out, "{:indent$}{}:", "", scalar(key));
    below(out, indent, value);
}

/// Writes a comment, each line indented by so many blanks.
pub(super) fn comment(out: &mut String, indent: usize, text: &str) {
    let width = WIDTH - indent;
    let mut line = String::new();
    // What comes from a payload must not end a comment.
    let text = text.replace(|letter: char| letter.is_control(), " ");
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= width {
            let _ = writeln!(out, "{:indent$}#{line}", "");
            line.clear();
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(out, "{:indent$}#{line}", "");
}

/// Writes what follows a key or a dash.
fn below(out: &mut String, indent: usize, value: &Yaml) {
    match value {
        Yaml::Text(text) => {
            let _ = writeln!(out, " {}", scalar(text));
        }
        Yaml::True => out.push_str(" true\n"),
        Yaml::List(items) => {
            out.push('\n');
            for item in items {
                dashed(out, indent + 2, item);
            }
        }
        Yaml::Table(entries) => {
            out.push('\n');
            for (key, value) in entries {
                entry(out, indent + 2, key, value);
            }
        }
    }
}

fn dashed(out: &mut String, indent: usize, item: &Yaml) {
    let _ = write!(out, "{:indent$}-", "");
    let Yaml::Table(entries) = item else { return below(out, indent, item) };
    for (at, (key, value)) in entries.iter().enumerate() {
        if at == 0 {
            let _ = write!(out, " {}:", scalar(key));
            below(out, indent + 2, value);
        } else {
            entry(out, indent + 2, key, value);
        }
    }
}

/// A text as a scalar, with quotes where YAML would read something else.
pub(super) fn scalar(text: &str) -> String {
    let is_path = text.starts_with('$')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "$_.[]*-".contains(letter));
    let first = text.chars().next();
    let is_words = first.is_some_and(|first| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || " _-./()`';,".contains(letter));
    let is_reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"]
        .contains(&text.to_ascii_lowercase().as_str());
    if is_path || (is_words && !is_reserved) {
        return text.to_owned();
    }
    // Texts in JSON are texts in YAML.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_where_they_are_needed() {
        for (text, written) in [
            ("$.a.b[0]", "$.a.b[0]"),
            ("@.a", "\"@.a\""),
            ("$.a['x: y']", "\"$.a['x: y']\""),
            ("{{ $.a }}", "\"{{ $.a }}\""),
            ("firing", "firing"),
            ("not classified", "not classified"),
            ("No", "\"No\""),
            ("5", "\"5\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }

    #[test]
    fn a_comment_stays_a_comment() {
        let mut out = String::new();
        comment(&mut out, 2, "one\ntitle: \u{85} two");
        assert_eq!(out, "  # one title: two\n");
    }
}
