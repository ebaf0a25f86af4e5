//! What the YAML reader says, in words that help.

use std::borrow::Cow;

use serde_saphyr::{Error, Location, MessageFormatter as _, UserMessageFormatter};

use super::{LoadError, did_you_mean};

impl LoadError {
    /// What the YAML reader says is wrong with a file.
    pub fn of_yaml(file: &str, text: &str, error: &Error) -> Self {
        if text.trim().is_empty() {
            return Self::whole(file, "it is empty");
        }
        let error = error.without_snippet();
        let place = error.location().unwrap_or(Location::UNKNOWN);
        let narrow = |number| u32::try_from(number).unwrap_or_default();
        let at = (narrow(place.line()), narrow(place.column()));
        let said = UserMessageFormatter.format_message(error);
        let said = said.lines().next().unwrap_or("it is no YAML");
        let said = said.split(" at line ").next().unwrap_or(said);
        let told = Self::at(file, text, at, "");
        let detail = match told.excerpt.as_deref().and_then(|line| remedy(line, at.1, said)) {
            Some(remedy) => format!("{remedy} (YAML: {said})"),
            None => reworded(said).into_owned(),
        };
        let first = detail.split('`').nth(1).unwrap_or_default().to_owned();
        Self { detail, ..told }.moved_to(text, &first)
    }
}

/// What is most often wrong with a line that is no YAML.
fn remedy(line: &str, column: u32, said: &str) -> Option<String> {
    let at = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let here: String = line.chars().skip(at).collect();
    if here.starts_with('*') && said.contains("unknown") {
        let name = here.split([' ', ',', '}', ']']).next().unwrap_or_default();
        return Some(format!(
            "`{name}`: this file has no anchor `&{}` above",
            name.trim_start_matches('*')
        ));
    }
    let is_syntax =
        ["while ", "unexpected ch", "expected string", "mapping values", "did not find", "invalid"];
    if !is_syntax.iter().any(|start| said.starts_with(start)) {
        return None;
    }
    let value =
        line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches(['-', ' ']);
    if value.starts_with('@') || value.starts_with("{{") {
        return Some("quote what begins with `@` or `{{`".to_owned());
    }
    if value.starts_with(['[', '{']) && line.contains(['$', '@']) {
        return Some(
            "inside `[ ]` and `{ }`, paths and templates need quotes; or write one entry a line"
                .to_owned(),
        );
    }
    if said.starts_with("mapping values") {
        return Some("a text that holds `: ` needs quotes".to_owned());
    }
    if said.contains("expected key") {
        return Some("this line is indented unlike its neighbours".to_owned());
    }
    None
}

/// What the reader says of keys and words, as we say it.
fn reworded(said: &str) -> Cow<'_, str> {
    if let Some(key) = said.strip_prefix("duplicate mapping key: ") {
        let key = key.strip_suffix(" not allowed here").unwrap_or(key);
        return Cow::Owned(format!("`{key}` stands twice in this table"));
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return Cow::Owned(format!("{field} is missing"));
    }
    let unknown = said.strip_prefix("unknown field ").or(said.strip_prefix("unknown variant "));
    if let Some((word, known)) = unknown.and_then(|rest| rest.split_once(", expected ")) {
        let words =
            known.trim_start_matches("one of ").split(", ").map(|word| word.trim_matches('`'));
        let hint = did_you_mean(word.trim_matches('`'), words);
        return Cow::Owned(format!("{word} is not known here; expected {known}{hint}"));
    }
    Cow::Owned(said.replace(": error: ", ": "))
}
