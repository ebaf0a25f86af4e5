//! Tables as text (RFC 4180), safe to open in a spreadsheet: no cell is taken for a formula, not even by a spreadsheet
//! that parts cells by semicolons, and nothing invisible turns the order of what is read.

use std::fmt::Write as _;

use serde_json::Value;

/// What a cell that a spreadsheet takes for a formula begins with; the wide forms are taken for the plain ones.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Where a spreadsheet that was set up for another country, or does not know quotes, begins a cell.
const PARTING: [char; 4] = [';', '\t', '\r', '\n'];

/// Adds a line of headings, which may be names of someone's choice.
pub(super) fn headings(columns: &[String], text: &mut Vec<u8>) {
    line(columns.iter().map(|column| safe(column)), text);
}

/// Adds a line with these cells.
pub(super) fn line<C: AsRef<str>>(cells: impl Iterator<Item = C>, text: &mut Vec<u8>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        quote(cell.as_ref(), text);
    }
    text.extend_from_slice(b"\r\n");
}

fn quote(cell: &str, text: &mut Vec<u8>) {
    let is_plain = !cell.contains(['"', ',', ';', '\t', '\r', '\n']) && cell.trim() == cell;
    if is_plain {
        text.extend_from_slice(cell.as_bytes());
        return;
    }
    text.push(b'"');
    text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    text.push(b'"');
}

/// What stands at `path` in a record, as a cell: nothing where it is absent or null, a text as it is, anything else as
/// JSON. An apostrophe keeps a text from being a formula, and what cannot be seen is written as in `\u202e`.
pub fn cell(record: &Value, path: &str) -> String {
    match at(record, path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => safe(&text),
        Some(scalar @ (Value::Bool(_) | Value::Number(_))) => scalar.to_string(),
        Some(nested @ (Value::Array(_) | Value::Object(_))) => safe(&nested.to_string()),
    }
}

/// A text that does nothing where it is opened.
fn safe(text: &str) -> String {
    let mut kept = String::with_capacity(text.len() + 1);
    if text.starts_with(['\t', '\r']) {
        kept.push('\'');
    }
    // Whether what follows may be the beginning of a cell.
    let mut begins = true;
    for letter in text.chars() {
        if is_hidden(letter) {
            let _ = write!(kept, "\\u{:04x}", u32::from(letter));
            begins = false;
            continue;
        }
        if begins && FORMULA.contains(&letter) {
            kept.push('\'');
        }
        begins = PARTING.contains(&letter) || (begins && is_blank(letter));
        kept.push(letter);
    }
    kept
}

/// What takes room and shows nothing, or joins its neighbours.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200c}' | '\u{200d}')
}

/// What cannot be seen and changes what is: control characters, marks of the direction of writing, of no width.
fn is_hidden(letter: char) -> bool {
    let is_mark = matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
    );
    is_mark || (letter.is_control() && !PARTING.contains(&letter))
}

/// What stands at `path`: a path leads through objects, and through the elements of lists to all that it finds there.
fn at(value: &Value, path: &str) -> Option<Value> {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    match value {
        Value::Object(members) => {
            let member = members.get(step)?;
            rest.map_or_else(|| Some(member.clone()), |rest| at(member, rest))
        }
        Value::Array(items) => match step.parse::<usize>() {
            Ok(place) => {
                let item = items.get(place)?;
                rest.map_or_else(|| Some(item.clone()), |rest| at(item, rest))
            }
            Err(_) => Some(items.iter().filter_map(|item| at(item, path)).collect()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        let record = json!({
            "a": "=cmd|' /C calc'!A0", "b": "+1", "c": "-2+3", "d": "@SUM(A1)", "e": "\tx", "f": "\rx", "n": -5, "p": "5-3",
        });
        let cells: Vec<String> =
            ["a", "b", "c", "d", "e", "f", "n", "p"].map(|path| cell(&record, path)).to_vec();
        assert_eq!(
            cells,
            ["'=cmd|' /C calc'!A0", "'+1", "'-2+3", "'@SUM(A1)", "'\tx", "'\rx", "-5", "5-3"]
        );
    }

    #[test]
    fn a_semicolon_or_a_line_begins_no_formula_either() {
        for (text, wanted) in [
            ("a;=1+1", "a;'=1+1"),
            ("a; =1+1", "a; '=1+1"),
            ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
            ("two\r\n=lines", "two\r\n'=lines"),
            ("  =1", "  '=1"),
            ("\u{3000}\u{ff1d}1", "\u{3000}'\u{ff1d}1"),
            ("a=b;c-d", "a=b;c-d"),
            ("it's 5-3", "it's 5-3"),
        ] {
            assert_eq!(safe(text), wanted, "{text}");
        }
        assert_eq!(cell(&json!({ "a": [";=1"] }), "a"), r#"[";'=1"]"#);
        let mut text = Vec::new();
        headings(&["details.=1".to_owned(), "=1".to_owned()], &mut text);
        assert_eq!(String::from_utf8(text).unwrap(), "details.=1,'=1\r\n");
    }

    #[test]
    fn what_turns_the_order_of_reading_is_shown_and_what_joins_stays() {
        for (text, wanted) in [
            ("invoice\u{202e}fdp.exe", "invoice\\u202efdp.exe"),
            ("\u{2067}a\u{2069}", "\\u2067a\\u2069"),
            ("\u{feff}=1", "\\ufeff=1"),
            ("nul\0 bell\u{7} \u{85}", "nul\\u0000 bell\\u0007 \\u0085"),
            (
                "👩\u{200d}👩 \u{5e9}\u{5dc}\u{5d5}\u{5dd} می\u{200c}خواهم",
                "👩\u{200d}👩 \u{5e9}\u{5dc}\u{5d5}\u{5dd} می\u{200c}خواهم",
            ),
        ] {
            assert_eq!(safe(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let record = json!({
            "info": { "cluster": "c1", "deep": { "x": true } },
            "resources": [{ "name": "a" }, { "name": "b" }],
            "tags": ["x", 1],
        });
        for (path, wanted) in [
            ("info.cluster", "c1"),
            ("info.deep", r#"{"x":true}"#),
            ("info.deep.x", "true"),
            ("info.none.x", ""),
            ("resources.name", r#"["a","b"]"#),
            ("resources.1.name", "b"),
            ("tags", r#"["x",1]"#),
            ("tags.0", "x"),
        ] {
            assert_eq!(cell(&record, path), wanted, "{path}");
        }
    }

    #[test]
    fn what_would_break_a_line_is_quoted() {
        let mut text = Vec::new();
        line(["a,b", "say \"x\"", "two\r\nlines", " blank ", "plain", ""].iter(), &mut text);
        let wanted = "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",\" blank \",plain,\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), wanted);
    }
}
