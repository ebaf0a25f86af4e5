//! The conditions of a rule file.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

/// Tests by what they look at, all of which must hold: a path, `header.NAME` or `query.NAME`.
#[derive(JsonSchema)]
#[schemars(transform = subjects)]
pub(super) struct Conditions(BTreeMap<String, Test>);

fn subjects(schema: &mut Schema) {
    let pattern = serde_json::json!({ "pattern": r"^([$@]|header\.|query\.)" });
    schema.insert("propertyNames".to_owned(), pattern);
}

/// What must be so.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Test {
    /// It is this word, whatever its letter case.
    Word(Scalar),
    /// It is one of these words.
    Words(Vec<Scalar>),
    Table(TestTable),
}

/// A word as YAML writes it.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Scalar {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// Several tests, all of which must hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub(super) struct TestTable {
    /// Whether it is there, and neither null nor `""`.
    exists: Option<bool>,
    /// Its text matches.
    regex: Option<String>,
    /// It is of this type of JSON.
    #[schemars(rename = "type")]
    kind: Option<Kind>,
    /// This test does not hold.
    not: Option<Box<Test>>,
}

/// A type of JSON.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}
