//! The description of one dialect alone: whoever writes a client of it need not read all of the others.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{method::Method, openapi, problem::Dialect};
use crate::error::{Code, Error, Result};

/// The dialects, by the words that they are asked for by, and what they are.
const ALL: [(&str, Dialect, &str); 5] = [
    ("native", Dialect::Native, "the native API"),
    ("cloudforet", Dialect::Cloudforet, "events and alerts as Cloudforet has them"),
    ("runai", Dialect::Runai, "the audit log as Run:ai has it"),
    ("h2o", Dialect::H2o, "reported events as H2O has them"),
    (
        "iguazio",
        Dialect::Iguazio,
        "events, audit events and communication events as Iguazio has them",
    ),
];

/// Where the schemas of a description are.
const SCHEMAS: &str = "#/components/schemas/";

/// The dialects, by the words that they are asked for by, and what they are.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|(word, _, what)| (*word, *what))
}

/// The description of the methods of one dialect, or of all where none is asked for.
///
/// # Errors
/// `ERROR_INVALID_PARAMETER` where there is no such dialect.
pub(super) fn describe(methods: &[Method], asked: Option<&str>) -> Result<Value> {
    let whole = openapi::describe(methods);
    let Some(asked) = asked else { return Ok(whole) };
    let Some((_, dialect, what)) = ALL.iter().find(|(word, ..)| *word == asked) else {
        let words: Vec<&str> = ALL.iter().map(|(word, ..)| *word).collect();
        let detail = format!("there is no dialect `{asked}`; expected one of {}", words.join(", "));
        return Err(Error::at(Code::InvalidParameter, "/dialect", detail));
    };
    Ok(part(whole, *dialect, what))
}

/// What of a description is about one dialect.
fn part(mut whole: Value, dialect: Dialect, what: &str) -> Value {
    whole["info"]["title"] = format!("Alertmill: {what}").into();
    if let Some(paths) = whole["paths"].as_object_mut() {
        paths.retain(|path, _| Dialect::of(path) == dialect);
    }
    let needed = needed(&whole);
    if let Some(schemas) = whole["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| needed.contains(name));
    }
    let mut shown = BTreeSet::new();
    keys_of(&whole["security"], &mut shown);
    for operation in whole["paths"].as_object().into_iter().flat_map(Map::values) {
        let operations = operation.as_object().into_iter().flat_map(Map::values);
        operations.for_each(|operation| keys_of(&operation["security"], &mut shown));
    }
    if let Some(schemes) = whole["components"]["securitySchemes"].as_object_mut() {
        schemes.retain(|name, _| shown.contains(name));
    }
    whole
}

/// What one of may be shown, by name.
fn keys_of(security: &Value, found: &mut BTreeSet<String>) {
    let each = security.as_array().into_iter().flatten().filter_map(Value::as_object);
    found.extend(each.flat_map(Map::keys).cloned());
}

/// The schemas that the paths of a description refer to, themselves or by others.
fn needed(whole: &Value) -> BTreeSet<String> {
    let empty = Map::new();
    let schemas = whole["components"]["schemas"].as_object().unwrap_or(&empty);
    let mut needed = BTreeSet::new();
    let mut open = Vec::new();
    references(&whole["paths"], &mut open);
    while let Some(name) = open.pop() {
        if let Some(schema) = schemas.get(&name)
            && needed.insert(name)
        {
            references(schema, &mut open);
        }
    }
    needed
}

/// The names of the schemas that a part of a description refers to.
fn references(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            found.extend(reference.and_then(|it| it.strip_prefix(SCHEMAS)).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_whole_and_each_is_complete() {
        let methods = crate::http::methods();
        let whole = openapi::describe(&methods);
        let mut paths = 0;
        for (word, _) in all() {
            let part = describe(&methods, Some(word)).unwrap();
            let described = part["paths"].as_object().unwrap();
            assert!(!described.is_empty(), "{word}");
            paths += described.len();
            let mut names = Vec::new();
            references(&part, &mut names);
            let schemas = part["components"]["schemas"].as_object().unwrap();
            assert!(names.iter().all(|name| schemas.contains_key(name)), "{word}");
        }
        assert_eq!(paths, whole["paths"].as_object().unwrap().len());
        let unknown = describe(&methods, Some("klingon")).unwrap_err();
        assert!(unknown.detail.contains("`klingon`; expected one of native, "), "{unknown}");
    }
}
