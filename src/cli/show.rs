//! How answers look in a terminal: tables that fit, sentences where there is nothing, JSON for machines.

use std::io::{self, Write};

use chrono::DateTime;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::Failure;

/// Where the answer of a command goes, and how it looks.
pub(super) struct Screen {
    json: bool,
}

impl Screen {
    /// A screen for people, or for machines.
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows `answer` to machines, or what `people` makes of it to people.
    pub(super) fn show(
        &self,
        answer: &Value,
        people: impl FnOnce(&Value) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(answer).unwrap_or_else(|_| answer.to_string());
            return print(&text);
        }
        print(&harmless(&people(answer)))
    }
}

/// `text` without what would move a cursor, colour a line or turn its direction: titles come from strangers.
pub(super) fn harmless(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if (c.is_control() && c != '\n') || turns(c) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Prints a text and a line's end.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{}", text.trim_end()) {
        // Whoever reads our output may have seen enough.
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Failure::usage(format!("Cannot print: {cause}."))),
        Ok(()) => Ok(()),
    }
}

/// Prints bytes as they are.
pub(super) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Failure::usage(format!("Cannot print: {cause}."))),
        Ok(()) => Ok(()),
    }
}

/// Rows under headings; `nothing` where there are none.
pub(super) fn table(headings: &[&str], rows: Vec<Vec<String>>, nothing: &str) -> String {
    if rows.is_empty() {
        return nothing.to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.to_vec());
    table.add_rows(rows);
    // Each cell has a blank on either side; the first and the last one are of no use.
    let lines =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    let lines: Vec<String> = lines.collect();
    lines.join("\n")
}

/// A record, one field a line; nested ones as JSON.
pub(super) fn record(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return text(value) };
    let widest = fields.keys().map(String::len).max().unwrap_or(0);
    let indent = format!("\n{:widest$}  ", "");
    let told = fields.iter().filter(|(_, value)| !is_empty(value));
    let lines = told.map(|(name, value)| {
        let value = match value {
            Value::Object(_) | Value::Array(_) => {
                serde_json::to_string_pretty(value).unwrap_or_default()
            }
            Value::String(text) if name.ends_with("_at") => time(text),
            other => text(other),
        };
        format!("{name:widest$}  {}", value.replace('\n', &indent))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The field of a row as text, empty where it is absent.
pub(super) fn field(row: &Value, name: &str) -> String {
    let value = row.pointer(&format!("/{}", name.replace('.', "/"))).unwrap_or(&Value::Null);
    match value {
        Value::String(text) if name.ends_with("_at") => time(text),
        other => text(other),
    }
}

/// The field of a row that is a time, to the minute, in UTC.
pub(super) fn minute(row: &Value, name: &str) -> String {
    field(row, name).chars().take("2026-01-01 00:00".len()).collect()
}

/// The field of a row that names something by its identifier, of which only the end is shown.
pub(super) fn brief(row: &Value, name: &str) -> String {
    let text = field(row, name);
    match text.rsplit_once('-') {
        Some((start, id)) if id.len() == 32 && id.is_ascii() => format!("{start}-…{}", &id[24..]),
        Some(_) | None => text,
    }
}

/// The first line of a field, cut to so many characters.
pub(super) fn short(row: &Value, name: &str, most: usize) -> String {
    let text = field(row, name);
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let start: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// The rows of a list.
pub(super) fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("results").and_then(Value::as_array).into_iter().flatten()
}

/// A line that says how many there are where the list does not show all; empty where it does.
pub(super) fn more(answer: &Value, what: &str) -> String {
    let shown = rows(answer).count();
    let total = answer.get("total_count").and_then(Value::as_u64).unwrap_or(0);
    let at_least =
        if answer.get("total_capped") == Some(&Value::Bool(true)) { "at least " } else { "" };
    if usize::try_from(total).is_ok_and(|total| total <= shown) {
        return String::new();
    }
    format!("\n\n{shown} of {at_least}{total} {what}; see more with --limit.")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A time as people read it, in UTC, to the second.
fn time(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc().format("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_list_says_what_to_do_next() {
        assert_eq!(table(&["ID"], Vec::new(), "Nothing yet."), "Nothing yet.");
    }

    #[test]
    fn times_are_readable_and_long_titles_are_cut() {
        let row = json!({ "created_at": "2026-01-02T03:04:05.678Z", "title": "A very long title" });
        assert_eq!(field(&row, "created_at"), "2026-01-02 03:04:05Z");
        assert_eq!(short(&row, "title", 7), "A very…");
        let row = json!({ "actor": "token:token-01a1fb9034c874e28e4e646eae987800" });
        assert_eq!(brief(&row, "actor"), "token:token-…ae987800");
    }

    #[test]
    fn a_list_that_is_cut_says_so() {
        let answer = json!({ "results": [{}], "total_count": 3 });
        assert_eq!(more(&answer, "alerts"), "\n\n1 of 3 alerts; see more with --limit.");
        assert_eq!(more(&json!({ "results": [{}], "total_count": 1 }), "alerts"), "");
    }
}
