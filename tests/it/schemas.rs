//! What editors check while a person types agrees with what the loader says later.

use std::fs;

use alertmill::{plugins, rules};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::mistakes::{MANIFESTS, MAPPINGS, full};

/// Mistakes in mappings and manifests that a schema cannot see: what a text says, what a name means, how YAML is written.
const UNSEEN: &[&str] = &[
    "an empty file",
    "an empty manifest",
    "two variants of a name",
    "a key twice",
    "a path that is none",
    "a path with a space",
    "a name with a dot, unquoted in brackets",
    "a pattern inside a path",
    "an unknown variable",
    "a variable whose operator is misspelt",
    "a bad pattern",
    "a group that the pattern has not",
    "a bad time format",
    "a bad letter in a time format",
    "an unknown filter",
    "an unclosed hole",
    "a hole without a path",
    "a word twice, but for its case",
    "an item where there is none yet",
    "a clock in a key",
    "an index in flow style without quotes",
    "an item's path without quotes",
    "a template without quotes",
    "a colon in a text without quotes",
    "wrong indentation",
    "an anchor that is not there",
    "a base that is not there",
    "a variant that the base has not",
    "a base's variable taken away",
    "a sender's identifier without its root",
    "a header's name that is none",
    "an unknown placeholder of a signature",
    "a signature that leaves the body out",
    "a timestamp that is nowhere",
    "a handshake that is answered with a fault",
    "a host's pattern that is none",
];

struct Checker {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Checker {
    fn of(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// What is wrong with a YAML text.
    fn faults(&self, yaml: &str) -> Option<String> {
        // As the loader and editors read YAML: `yes` is a word.
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: Value = match serde_saphyr::from_str_with_options(yaml, options) {
            Ok(value) => value,
            Err(fault) => return Some(fault.to_string()),
        };
        self.schemas.validate(&value, self.index).err().map(|fault| format!("{fault:#}"))
    }

    fn accepts_all(&self, root: &str, file: &str) {
        let mut wrong = Vec::new();
        let mut count = 0;
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path().join(file);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            count += 1;
            let first = "# yaml-language-server: $schema=../schema.json\n";
            assert!(text.starts_with(first), "{}: the first line names no schema", path.display());
            wrong.extend(self.faults(&text).map(|fault| format!("{}: {fault}", path.display())));
        }
        assert!(count >= 5 && wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Each mistake is refused here too, unless a schema cannot see it.
    fn refuses(&self, mistakes: &[(&str, &str)]) {
        for (what, text) in mistakes.iter().filter(|(what, _)| !UNSEEN.contains(what)) {
            assert!(self.faults(&full(text)).is_some(), "the schema does not see {what}:\n{text}");
        }
    }
}

#[test]
fn the_schema_of_mappings_and_the_loader_agree() {
    let checker = Checker::of(rules::schema::schema());
    checker.accepts_all("rules", "mapping.yaml");
    checker.refuses(MAPPINGS);
}

#[test]
fn the_schema_of_manifests_and_the_loader_agree() {
    let checker = Checker::of(plugins::schema());
    checker.accepts_all("plugins", "plugin.yaml");
    checker.refuses(MANIFESTS);
}

#[test]
fn a_mapping_that_extends_another_fits_the_schema() {
    let checker = Checker::of(rules::schema::schema());
    let text = "extend: grafana\nmissing: ['^-$']\nevents:\n  - name: unified\n    when: null\n    set:\n      severity: null\n      title: $.title\n";
    assert_eq!(checker.faults(text), None);
}

#[test]
fn every_word_of_the_language_has_help_in_editors() {
    for schema in [rules::schema::schema(), plugins::schema()] {
        let mut silent = Vec::new();
        look(&schema, "", &mut silent);
        assert!(silent.is_empty(), "no description: {silent:?}");
    }
}

/// Finds the properties that say nothing of themselves.
fn look(schema: &Value, at: &str, silent: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            // Where a table has one key, what is said of the table is said of the key.
            let is_said = fields.contains_key("description");
            if let Some(Value::Object(properties)) = fields.get("properties").filter(|properties| {
                !is_said || properties.as_object().is_some_and(|all| all.len() > 1)
            }) {
                let all =
                    properties.iter().filter(|(_, property)| property.get("description").is_none());
                silent.extend(all.map(|(name, _)| format!("{at}/{name}")));
            }
            fields.iter().for_each(|(name, below)| look(below, &format!("{at}/{name}"), silent));
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, at, silent)),
        _ => {}
    }
}
