//! What a rule file says that is allowed and yet most likely not meant: the warnings of `rules check`.

use serde_json::Value;

use super::{
    compile::compile,
    coverage::{Coverage, UnknownValue},
    extend::Files,
    keys::{self, Fault},
    mapping::Mapping,
    node::{At, Key, Kind, Node},
    reach,
    read::is_operator,
    rulebook::Rulebook,
    written,
};
use crate::load_error::LoadError;

/// Checks the text of one rule file. An error comes as one; where there is none, warnings come.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(provider: &str, file: &str, text: &str) -> Result<Vec<LoadError>, Vec<LoadError>> {
    compile(provider, file, text).map(|mapping| warnings(&mapping))
}

/// Checks the mapping of one provider in a rulebook, which is right by itself: what comes are warnings.
pub fn check_provider(rulebook: &Rulebook, provider: &str) -> Vec<LoadError> {
    rulebook.get(provider).map(|mapping| warnings(mapping)).unwrap_or_default()
}

/// Checks every mapping of a rulebook, which is right by itself: what comes are warnings.
pub fn check_all(rulebook: &Rulebook) -> Vec<LoadError> {
    rulebook.providers().flat_map(|provider| check_provider(rulebook, provider)).collect()
}

/// What payloads say that a `map` without an `else` does not know, by what was counted of them.
pub fn unmet(mapping: &Mapping, coverage: &Coverage) -> Vec<LoadError> {
    let files = Files::stored(mapping.file(), mapping.text());
    let Ok(node) = files.read() else { return Vec::new() };
    let mut checker = Checker { files: &files, warnings: Vec::new() };
    for UnknownValue { variant, field, value, .. } in &coverage.unknown {
        let read_by = variants(&node).iter().find(|one| one.name() == Some(variant));
        let field = read_by.and_then(|one| one.get("set")?.get(field));
        let map = entries(field).iter().find(|(key, _)| key.text == "map");
        if let (Some((map, _)), None) = (map, field.and_then(|field| field.get("else"))) {
            let detail = format!(
                "a sample says `{value}`, which this `map` does not know, and there is no `else`"
            );
            checker.warn(map.at, detail);
        }
    }
    checker.warnings
}

/// What is most likely not meant in the mapping's own file. What it extends is another's.
fn warnings(mapping: &Mapping) -> Vec<LoadError> {
    if mapping.is_scripted() {
        return Vec::new();
    }
    let files = Files::stored(mapping.file(), mapping.text());
    let Ok(node) = files.read() else { return Vec::new() };
    let mut checker = Checker { files: &files, warnings: Vec::new() };
    checker.reach(mapping, &node);
    checker.keys(&node);
    checker.variables(&node);
    checker.mapping(&node);
    if let Ok(own) = Node::read(mapping.file(), files.text_at(At::default())) {
        checker.flow(&own);
    }
    checker.warnings.sort_by_key(|warning| (warning.line, warning.column));
    checker.warnings
}

/// Looks for what is most likely not meant.
struct Checker<'a> {
    files: &'a Files,
    warnings: Vec<LoadError>,
}

impl Checker<'_> {
    fn warn(&mut self, at: At, detail: impl Into<String>) {
        let warning = self.files.error(at, detail);
        if at.file == 0 && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn reach(&mut self, mapping: &Mapping, node: &Node) {
        let variants = variants(node);
        for (unreached, by) in reach::shadowed(mapping) {
            let (Some(unreached), Some(by)) = (variants.get(unreached), variants.get(by)) else {
                continue;
            };
            let name = |variant: &Node| variant.name().unwrap_or_default().to_owned();
            let (above, below) = (name(by), name(unreached));
            let why = match by.get("when").map(Node::to_json).filter(|when| !is_empty(when)) {
                None => format!("`{above}` above it has no `when` and takes all"),
                Some(_) => format!("`{above}` above it takes all that it waits for"),
            };
            self.warn(unreached.at, format!("no payload reaches the variant `{below}`: {why}"));
            if unreached.at.file != by.at.file {
                self.warn(by.at, format!("after the variant `{above}`, no payload reaches `{below}` of what is extended"));
            }
        }
    }

    fn keys(&mut self, node: &Node) {
        for fault in keys::faults(node) {
            match fault {
                Fault::Suspect(at, what) => self.warn(
                    at,
                    format!("{what} looks like a time or the number of a send: a key stays the same until the recovery"),
                ),
                // That is an error, and told as one.
                Fault::Clock(_) => {}
            }
        }
    }

    /// Variables that nothing uses.
    fn variables(&mut self, node: &Node) {
        let mut used = Vec::new();
        written::variables(node, &mut used);
        for (key, value) in entries(node.get("let")) {
            let is_table = matches!(&value.kind, Kind::Table(entries) if !entries.iter().any(|(key, _)| is_operator(&key.text)));
            if !is_table {
                self.unused(key, &used);
            }
        }
        for variant in variants(node) {
            let mut used = Vec::new();
            written::variables(variant, &mut used);
            for (key, _) in entries(variant.get("let")) {
                self.unused(key, &used);
            }
        }
    }

    fn unused(&mut self, key: &Key, used: &[&str]) {
        if !used.contains(&key.text.as_str()) {
            self.warn(key.at, format!("nothing uses the variable `{}`", key.text));
        }
    }

    fn mapping(&mut self, node: &Node) {
        for (_, value) in entries(node.get("let")) {
            written::values(value, &mut |value| self.value(value));
        }
        for variant in variants(node) {
            for (_, value) in entries(variant.get("let")).iter().chain(entries(variant.get("set")))
            {
                written::values(value, &mut |value| self.value(value));
            }
            self.each(variant);
            for (key, field) in entries(variant.get("set")) {
                self.words(key, field);
            }
        }
    }

    /// A `map` that leaves something unsaid where that costs most.
    fn words(&mut self, name: &Key, field: &Node) {
        if field.get("map").is_none() || field.get("else").is_some() {
            return;
        }
        let costs = match name.text.as_str() {
            "severity" | "event_type" => "say what other words become",
            "event_key" => "an item with another word has no key and fails",
            _ => return,
        };
        self.warn(name.at, format!("`{}` has a `map` without an `else`: {costs}", name.text));
    }

    fn each(&mut self, variant: &Node) {
        let Some((each, list)) =
            variant.get("each").and_then(|each| Some((each, written::text(each)?)))
        else {
            return;
        };
        if !list.contains('*') && !list.contains("[?") && !list.contains(':') {
            let detail = format!("`{list}` is one item; all elements of a list are `{list}[*]`");
            self.warn(each.at, detail);
            return;
        }
        let mut found = Vec::new();
        for (_, value) in entries(variant.get("set")) {
            written::values(value, &mut |value| {
                for path in written::text(value).map(written::paths).unwrap_or_default() {
                    let rest = path.strip_prefix(list);
                    if let Some(rest) =
                        rest.filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                    {
                        found.push((value.at, format!("`{path}` reads all items, in each of them anew; this item's is `@{rest}`")));
                    }
                }
            });
        }
        for (at, detail) in found {
            self.warn(at, detail);
        }
    }

    /// One value, wherever it stands.
    fn value(&mut self, node: &Node) {
        if let Some(text) = written::text(node) {
            self.text(node.at, text);
        }
        if let Some(Kind::List(from)) = node.get("from").map(|from| &from.kind)
            && let Some((_, but_last)) = from.split_last()
            && let Some(constant) = but_last.iter().find(|value| is_constant(value))
        {
            let detail = format!(
                "{} is always there, so that nothing after it is ever taken",
                constant.describe()
            );
            self.warn(constant.at, detail);
        }
        for (key, _) in entries(node.get("map")) {
            if key.text.is_empty() {
                self.warn(
                    key.at,
                    "no word is ever empty: what is empty is not there, and goes to `else`",
                );
            }
        }
    }

    /// A constant text that was most likely meant to be a path, or to have one in it.
    fn text(&mut self, at: At, text: &str) {
        if text.starts_with(['$', '@']) {
            return;
        }
        let has_holes = text.contains("{{");
        if text.contains("}}") && !has_holes {
            self.warn(at, "`}}` without `{{`: this stands as it is");
        }
        let is_open = |at: usize| text[..at].ends_with([' ', '{', '(', '[', ':', '/']);
        let path = ["$.", "@."]
            .iter()
            .find_map(|root| text.match_indices(root).map(|(at, _)| at).find(|at| is_open(*at)));
        if let (Some(path), false) = (path, has_holes) {
            let end =
                text[path..].find([' ', '}', ')', ']', ',']).map_or(text.len(), |end| path + end);
            let path = &text[path..end];
            self.warn(at, format!("`{path}` stands here as it is; a path inside a text is written `{{{{ {path} }}}}`"));
        } else if text.starts_with('.')
            && text[1..].starts_with(|letter: char| letter.is_ascii_alphabetic())
        {
            self.warn(
                at,
                format!(
                    "`{text}` stands here as it is; a path begins with `$` or `@`, as `${text}`"
                ),
            );
        }
    }

    /// Paths without quotes inside `[ ]` or `{ }`: they work until someone adds an index.
    fn flow(&mut self, node: &Node) {
        let is_flow = matches!(self.letter(node.at), Some('[' | '{'));
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                for item in items {
                    self.bare(is_flow, item.at, written::text(item));
                    self.flow(item);
                }
            }
            Kind::Table(entries) => {
                for (key, value) in entries {
                    self.bare(is_flow, key.at, Some(&key.text));
                    self.bare(is_flow, value.at, written::text(value));
                    self.flow(value);
                }
            }
        }
    }

    fn bare(&mut self, is_flow: bool, at: At, text: Option<&str>) {
        // A variable and a plain name below it want no index: what they name is one value, and works as it stands.
        let is_path = |text: &&str| text.starts_with("$.") || text.starts_with("$[");
        let Some(text) = text.filter(|text| is_flow && is_path(text)) else { return };
        if self.letter(at) == Some('$') {
            self.warn(at, format!("quote `{text}` inside `[ ]` and `{{ }}`, or write one entry a line: it works as it stands, but an index in it would be YAML's own `[` and `]`"));
        }
    }

    /// The letter at a place of the mapping's own file.
    fn letter(&self, at: At) -> Option<char> {
        let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
        self.files.text_at(at).lines().nth(index(at.line)?)?.chars().nth(index(at.column)?)
    }
}

fn variants(node: &Node) -> &[Node] {
    match node.get("events").map(|events| &events.kind) {
        Some(Kind::List(variants)) => variants,
        _ => &[],
    }
}

fn entries(node: Option<&Node>) -> &[(Key, Node)] {
    match node.map(|node| &node.kind) {
        Some(Kind::Table(entries)) => entries,
        _ => &[],
    }
}

fn is_constant(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(Value::Null) | Kind::List(_) | Kind::Table(_) => false,
        Kind::Scalar(Value::String(text)) => {
            !text.is_empty() && !text.starts_with(['$', '@']) && !text.contains("{{")
        }
        Kind::Scalar(_) => true,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_raise_no_warning() {
        let warnings = check_all(&Rulebook::embedded().unwrap());
        assert!(warnings.is_empty(), "{warnings:#?}");
    }

    #[test]
    fn what_is_most_likely_not_meant_is_said() {
        let text = "\
title: T
let:
  sent: '{{ $.id }}/{{ $.sent_at }}'
  unused: $.x
  host: $.host
events:
  - name: a
    when: {$.kind: a}
    each: $.alerts
    set:
      event_key: {from: [$.id, '$.uid', $host, $host.of, none, '@.x']}
      title: CPU of $.host is high
      rule: .rule.name
      severity:
        from: '@.level'
        map: {bad: ERROR, '': NONE}
  - name: b
    each: $.items[*]
    set:
      event_key: $sent
      description: '{{ $.items[*].text }}'
  - name: c
    when: {'$.kind': c}
    ignore: never
";
        let warnings: Vec<String> =
            check("t", "t.yaml", text).unwrap().iter().map(LoadError::sentence).collect();
        insta::assert_snapshot!(warnings.join("\n"));
    }
}
