//! How the queries of requests are documented.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::query::{COMPUTES, GATHERS, Operator};

/// The `query` of a list: conditions, order, page and shape.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Asked(pub Value);

/// The `query` of statistics: conditions, and stages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct AskedStat(pub Value);

/// The `query` of an analysis: conditions, what is wanted, and of which groups.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct AskedAnalysis(pub Value);

/// One condition of a query, as it is described.
struct Condition;

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        described_condition()
    }
}

/// The reference to what is said of a condition once.
fn condition(all: &mut SchemaGenerator) -> Value {
    all.subschema_for::<Condition>().to_value()
}

fn described_condition() -> Schema {
    let words: Vec<&str> = Operator::ALL.iter().map(|operator| operator.word()).collect();
    let meanings = Operator::ALL
        .iter()
        .map(|operator| format!("`{}`: {}", operator.word(), operator.meaning()));
    json_schema!({
        "type": "object",
        "required": ["k", "o"],
        "additionalProperties": false,
        "properties": {
            "k": { "type": "string", "description": "The field, and the way on below it: `additional_info.region`. Also `key`." },
            "v": { "description": "What it is held against. Also `value`." },
            "o": {
                "enum": words,
                "description": format!("How. Also `operator`. {}", meanings.collect::<Vec<_>>().join(" ")),
            },
        },
    })
}

/// What says which records are meant, and in which order the rows come.
fn common(all: &mut SchemaGenerator) -> Value {
    json!({
        "filter": { "type": "array", "items": condition(all), "description": "All of these must hold." },
        "filter_or": { "type": "array", "items": condition(all), "description": "One of these must hold." },
        "keyword": { "type": "string", "description": "Words of which one must occur in an identifier or a title." },
    })
}

fn sort() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["key"],
            "additionalProperties": false,
            "properties": { "key": { "type": "string" }, "desc": { "type": "boolean", "default": false } },
        },
    })
}

fn slice() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "start": { "type": "integer", "minimum": 0, "description": "The first row, from 1." },
            "limit": { "type": "integer", "minimum": 0, "description": "How many rows; all where absent." },
        },
    })
}

fn unwind(all: &mut SchemaGenerator) -> Value {
    json!({
        "type": "object",
        "required": ["path"],
        "additionalProperties": false,
        "properties": {
            "path": { "type": "string", "description": "The list whose elements make a row each." },
            "filter": { "type": "array", "items": condition(all), "description": "All of these must hold of a row." },
        },
        "description": "A row for each element of a list.",
    })
}

/// An object schema of these members, or null.
fn question(description: &str, members: Value, all: &mut SchemaGenerator) -> Schema {
    let mut properties = common(all);
    if let (Value::Object(properties), Value::Object(members)) = (&mut properties, members) {
        properties.extend(members);
    }
    json_schema!({
        "type": ["object", "null"],
        "description": description,
        "additionalProperties": false,
        "properties": properties,
    })
}

impl JsonSchema for Asked {
    fn schema_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn json_schema(all: &mut SchemaGenerator) -> Schema {
        let page = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "start": { "type": "integer", "minimum": 0, "description": "The first row, from 1." },
                "limit": { "type": "integer", "minimum": 0, "description": "How many rows; 1000 by default and at most." },
                "cursor": { "type": "string", "description": "`next_cursor` of the page before." },
                "total": { "enum": ["exact", "capped", "none"], "default": "capped", "description": "How far rows are counted; `capped` stops at 10000." },
            },
        });
        question(
            "Which records, in which order, and which part of them.",
            json!({
                "sort": sort(),
                "page": page,
                "minimal": { "type": "boolean", "description": "Only the most important fields." },
                "only": { "type": "array", "items": { "type": "string" }, "description": "Only these fields, and the identifier." },
                "count_only": { "type": "boolean", "description": "No records, only how many there are." },
                "unwind": unwind(all),
            }),
            all,
        )
    }
}

/// A field that a group makes; `more` are the members that its name needs.
fn gathered(more: &[&str], all: &mut SchemaGenerator) -> Value {
    let mut properties = json!({
        "operator": { "enum": GATHERS, "description": "How the rows are gathered. Also `o`." },
        "key": { "type": "string", "description": "The path to what is gathered; `count` needs none. Also `k`." },
        "p": { "type": "number", "minimum": 0, "maximum": 100, "description": "Which percentile." },
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "name"],
                "properties": { "key": { "type": "string" }, "name": { "type": "string" } },
            },
            "description": "The members of the objects that `push` gathers, instead of `key`.",
        },
        "conditions": { "type": "array", "items": condition(all), "description": "Only rows of which all of these hold count; with eq, not, gt, gte, lt and lte." },
    });
    if let Value::Object(properties) = &mut properties {
        properties
            .extend(more.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))));
    }
    json!({ "type": "object", "properties": properties })
}

fn key() -> Value {
    json!({
        "type": "object",
        "properties": {
            "key": { "type": "string", "description": "The path to the value. Also `k`." },
            "name": { "type": "string", "description": "What it is called in the rows. Also `n`." },
            "date_format": { "type": "string", "description": "year, month, day, or a text such as `%Y-%m-%d`: the time, told so." },
            "bucket": { "type": "string", "description": "A step of time such as 15m, 1h, 1d or 1w: when the step that a time lies in began." },
            "time_zone": { "type": "string", "description": "The zone of `bucket` and `date_format`, such as Europe/Berlin; UTC where absent." },
        },
    })
}

fn computed() -> Value {
    json!({
        "type": "object",
        "properties": {
            "operator": { "enum": COMPUTES, "description": "What is computed; nothing where absent. Also `o`." },
            "key": { "type": "string", "description": "The path to the value. Also `k`." },
            "fields": { "type": "array", "description": "Paths, numbers, and objects with `operator` and `fields`." },
            "name": { "type": "string", "description": "What it is called. Also `n`." },
        },
    })
}

impl JsonSchema for AskedStat {
    fn schema_name() -> Cow<'static, str> {
        "StatQuery".into()
    }

    fn json_schema(all: &mut SchemaGenerator) -> Schema {
        let stages = json!({
            "unwind": unwind(all),
            "match": { "type": "object", "properties": { "filter": { "type": "array", "items": condition(all) } } },
            "group": {
                "type": "object",
                "properties": {
                    "keys": { "type": "array", "items": key() },
                    "fields": { "type": "array", "items": gathered(&["name"], all) },
                },
            },
            "fill": {
                "type": "object",
                "required": ["key"],
                "properties": {
                    "key": { "type": "string", "description": "The key of the group before that has a `bucket`." },
                    "from": { "type": "string", "description": "From which time on; from the first row where absent." },
                    "to": { "type": "string", "description": "Before which time; to the last row where absent." },
                },
            },
            "count": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
            "sort": sort(),
            "project": {
                "type": "object",
                "properties": {
                    "fields": { "type": "array", "items": computed() },
                    "exclude_keys": { "type": "boolean", "default": false },
                },
            },
            "limit": { "type": "integer", "minimum": 1 },
            "skip": { "type": "integer", "minimum": 0 },
        });
        let stage = json!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": stages,
        });
        question(
            "Which records, and what becomes of them.",
            json!({
                "aggregate": { "type": "array", "items": stage, "description": "The stages, one after the other." },
                "distinct": { "type": "string", "description": "The path whose different values are wanted, instead of stages." },
                "page": slice(),
            }),
            all,
        )
    }
}

impl JsonSchema for AskedAnalysis {
    fn schema_name() -> Cow<'static, str> {
        "AnalysisQuery".into()
    }

    fn json_schema(all: &mut SchemaGenerator) -> Schema {
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        question(
            "Which records, and what is wanted of which groups of them.",
            json!({
                "fields": { "type": "object", "additionalProperties": gathered(&[], all), "description": "What is wanted, by name." },
                "group_by": { "type": "array", "items": { "anyOf": [{ "type": "string" }, key()] }, "description": "What the records of a group agree in." },
                "field_group": texts,
                "select": { "type": "object", "additionalProperties": { "anyOf": [{ "type": "string" }, computed()] }, "description": "What the rows become, by name." },
                "sort": sort(),
                "page": slice(),
                "start": { "type": "string", "description": "The first year, month or day: 2024, 2024-05, 2024-05-15." },
                "end": { "type": "string", "description": "The last year, month or day." },
                "granularity": { "enum": ["DAILY", "MONTHLY", "YEARLY"], "description": "Groups by time as well, as `date`." },
                "date_field": { "type": "string", "default": "created_at", "description": "The time that is meant." },
                "date_field_format": { "type": ["string", "null"], "default": "%Y-%m-%d", "description": "How days are told." },
                "time_zone": { "type": "string", "description": "Whose days these are; UTC where absent." },
            }),
            all,
        )
    }
}
