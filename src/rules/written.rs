//! The values in a rule file, wherever they stand, and the paths in them.

use serde_json::Value;

use super::node::{Kind, Node};

/// Shows each value below `node`, outermost first: what a field, a variable, an operator or a step takes for a value.
pub(super) fn values<'n>(node: &'n Node, seen: &mut dyn FnMut(&'n Node)) {
    seen(node);
    let Kind::Table(entries) = &node.kind else { return };
    for (key, below) in entries {
        match key.text.as_str() {
            "from" | "hash" | "list" | "merge" | "else" | "json" | "object" | "pairs" => {
                below.as_list().iter().for_each(|value| values(value, seen));
            }
            "fields" | "map" => {
                if let Kind::Table(entries) = &below.kind {
                    for (_, value) in entries {
                        values(value, seen);
                    }
                }
            }
            "case" => {
                let uses = below.as_list().iter().filter_map(|case| case.get("use"));
                uses.for_each(|value| values(value, seen));
            }
            "then" => below.as_list().iter().for_each(|step| of_step(step, seen)),
            _ => {}
        }
    }
}

/// Shows the values that a step takes.
fn of_step<'n>(step: &'n Node, seen: &mut dyn FnMut(&'n Node)) {
    let in_join = step.get("join").and_then(|join| join.get("each"));
    let taken = [step.get("each"), step.get("default"), in_join];
    taken.into_iter().flatten().for_each(|value| values(value, seen));
}

/// The text of a scalar.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => Some(text),
        Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => None,
    }
}

/// The paths of a text: itself, if it is one; else those in its holes.
pub(super) fn paths(text: &str) -> Vec<&str> {
    if !text.contains("{{") {
        return if text.starts_with(['$', '@']) { vec![text] } else { Vec::new() };
    }
    let holes = text.split("{{").skip(1).filter_map(|hole| hole.split("}}").next());
    holes.filter_map(|hole| hole.split('|').next()).map(str::trim).collect()
}

/// The variable that a path starts at.
pub(super) fn variable(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('$')?;
    let end = rest.find(|letter: char| !is_in_name(letter)).unwrap_or(rest.len());
    (end > 0).then_some(&rest[..end])
}

fn is_in_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

/// The last name in a path, e.g. `id` of `$.alerts[0].id`.
pub(super) fn last_name(path: &str) -> &str {
    let is_mark = |letter: char| !is_in_name(letter) && letter != '.' && letter != ' ';
    let mut parts = path.split(['.', '[']).rev().map(|part| part.trim_matches(is_mark));
    parts.find(|part| part.starts_with(|letter: char| letter.is_alphabetic())).unwrap_or_default()
}

/// Every variable that is named anywhere below `node`, also in conditions.
pub(super) fn variables<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => {
            found.extend(paths(text).into_iter().filter_map(variable));
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| variables(item, found)),
        Kind::Table(entries) => {
            for (key, below) in entries {
                found.extend(variable(&key.text));
                variables(below, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_names_are_found_in_texts() {
        assert_eq!(paths("{{ $.a | upper }} on {{@.b['c.d']}}"), ["$.a", "@.b['c.d']"]);
        assert_eq!(paths("$msg.x"), ["$msg.x"]);
        assert_eq!(
            (variable("$msg.x"), variable("$.x"), variable("@.x")),
            (Some("msg"), None, None)
        );
        assert_eq!(
            (last_name("$.a[0].startsAt"), last_name("@['sent_at'][1]")),
            ("startsAt", "sent_at")
        );
    }
}
