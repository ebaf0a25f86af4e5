//! Tables as text (RFC 4180), safe to open in a spreadsheet: no cell is taken for a formula.

use serde_json::Value;

/// What a cell that a spreadsheet takes for a formula begins with.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

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
    let is_plain = !cell.contains(['"', ',', '\r', '\n']) && cell.trim() == cell;
    if is_plain {
        text.extend_from_slice(cell.as_bytes());
        return;
    }
    text.push(b'"');
    text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    text.push(b'"');
}

/// What stands at `path` in a record, as a cell: nothing where it is absent or null, a text as it is, anything else as
/// JSON. An apostrophe keeps a text from being a formula.
pub fn cell(record: &Value, path: &str) -> String {
    match at(record, path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(FORMULA) => format!("'{text}"),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    }
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
