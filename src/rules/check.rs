//! What a rule file says that is allowed and yet most likely not meant.

use serde_json::Value;

use super::{
    compile::compile,
    node::{At, Kind, Node},
    rulebook::Rulebook,
};
use crate::load_error::LoadError;

/// Checks the text of one rule file. An error comes as one; where there is none, warnings come.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(provider: &str, file: &str, text: &str) -> Result<Vec<LoadError>, Vec<LoadError>> {
    compile(provider, file, text)?;
    let node = Node::read(file, text).map_err(|error| vec![error])?;
    let mut checker = Checker { file, text, warnings: Vec::new() };
    checker.mapping(&node);
    Ok(checker.warnings)
}

/// Checks every mapping of a rulebook, which is right by itself: what comes are warnings.
pub fn check_all(rulebook: &Rulebook) -> Vec<LoadError> {
    let mappings = rulebook
        .providers()
        .filter_map(|provider| rulebook.get(provider).map(|found| (provider, found)));
    mappings
        .flat_map(|(provider, mapping)| match check(provider, mapping.file(), mapping.text()) {
            Ok(found) | Err(found) => found,
        })
        .collect()
}

/// How names end that hold a time, or a number that each send has anew.
const SENDS: [&str; 9] =
    ["time", "timestamp", "date", "startsat", "endsat", "_at", "uuid", "message_id", "messageid"];

/// Looks for what is most likely not meant.
struct Checker<'a> {
    file: &'a str,
    text: &'a str,
    warnings: Vec<LoadError>,
}

impl Checker<'_> {
    fn warn(&mut self, at: At, detail: impl Into<String>) {
        self.warnings.push(LoadError::at(self.file, self.text, (at.line, at.column), detail));
    }

    fn mapping(&mut self, node: &Node) {
        let variants = match get(node, "events").map(|events| &events.kind) {
            Some(Kind::List(variants)) => variants.as_slice(),
            _ => &[],
        };
        let mut before: Vec<Option<Value>> = Vec::new();
        for variant in variants {
            let when = get(variant, "when").map(Node::to_json).filter(|when| !is_empty(when));
            if before.contains(&None) {
                self.warn(
                    variant.at,
                    "no payload reaches this variant: one above it has no `when`",
                );
            } else if when.is_some() && before.contains(&when) {
                self.warn(
                    variant.at,
                    "no payload reaches this variant: one above it has the same `when`",
                );
            }
            before.push(when);
            self.variant(variant);
        }
    }

    fn variant(&mut self, node: &Node) {
        if let Some(each) = get(node, "each")
            && let Kind::Scalar(Value::String(path)) = &each.kind
            && !path.contains('*')
            && !path.contains("[?")
        {
            self.warn(
                each.at,
                format!("`{path}` is one item; all elements of a list are `{path}[*]`"),
            );
        }
        let Some(set) = get(node, "set") else { return };
        for name in ["severity", "event_type"] {
            let field = get(set, name);
            let has_map = field.is_some_and(|field| get(field, "map").is_some());
            let has_else = field.is_some_and(|field| get(field, "else").is_some());
            if let (Some(field), true, false) = (field, has_map, has_else) {
                self.warn(
                    field.at,
                    format!("`{name}` has a `map` without an `else`: say what other words become"),
                );
            }
        }
        if let Some(key) = get(set, "event_key") {
            self.key(key);
        }
    }

    /// A key must not hold a time: it would differ from one send to the next.
    fn key(&mut self, node: &Node) {
        match &node.kind {
            Kind::Scalar(Value::String(text)) if text.contains(['$', '@']) => {
                let is_of_a_send = |word: &str| {
                    let word = word.to_lowercase();
                    SENDS.iter().any(|known| word.ends_with(known))
                };
                if text
                    .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .any(is_of_a_send)
                {
                    self.warn(node.at, format!("`{text}` looks like a time or the number of a send: a key must stay the same until the recovery"));
                }
            }
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| self.key(item)),
            Kind::Table(entries) => {
                let values =
                    entries.iter().filter(|(key, _)| key.text != "when" && key.text != "map");
                values.for_each(|(_, value)| self.key(value));
            }
        }
    }
}

fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Table(entries) => {
            entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
        }
        Kind::Scalar(_) | Kind::List(_) => None,
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
events:
  - name: a
    each: $.alerts
    set:
      event_key: '{{ @.id }}-{{ @.startsAt }}'
      severity:
        from: '@.level'
        map: {bad: ERROR}
  - name: b
    set:
      event_key: $.id
";
        let warnings: Vec<String> =
            check("t", "t.yaml", text).unwrap().iter().map(LoadError::sentence).collect();
        insta::assert_snapshot!(warnings.join("\n"), @"
        t.yaml:4:11: `$.alerts` is one item; all elements of a list are `$.alerts[*]`
        t.yaml:8:9: `severity` has a `map` without an `else`: say what other words become
        t.yaml:6:18: `{{ @.id }}-{{ @.startsAt }}` looks like a time or the number of a send: a key must stay the same until the recovery
        t.yaml:10:5: no payload reaches this variant: one above it has no `when`
        ");
    }
}
