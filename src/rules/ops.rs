//! The steps of `then`: what can be done to a value on its way into a field.
//!
//! To add one: a variant with a sentence and an example, an arm in [`Step::apply`], an arm in `read_step`.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt::{self, Write as _},
};

use regex::Regex;
use serde_json::{Map, Number, Value};

use super::{
    expr::{Expr, Otherwise, Want},
    scene::Scene,
    template::Filter,
};
use crate::{
    clock::rfc3339,
    digest::{hex, sha256},
    value::{
        text::{canonical, is_blank, text},
        time,
    },
};

/// One step of `then`. Where a step works on texts and is given a list, it works on each of its elements.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// `lower`, `upper`, `trim`: the text, filtered. Example: `OPEN` becomes `open`.
    Filter(Filter),
    /// `regex: {pattern: '\[(\w+)\]', group: 1}`: the part that a pattern captures; nothing where it does not match.
    Regex(Regex, usize),
    /// `replace: {pattern: '^\[\w+\] ', with: ''}`: each match replaced; `$1` in `with` is the first group.
    Replace(Regex, String),
    /// `split: ","`: a list of the parts of a text, trimmed, without empty ones. A list stays as it is.
    Split(String),
    /// `join: {with: ", ", each: "{{ @.name }}={{ @.value }}"}`: the elements of a list as one text.
    Join(String, Option<Box<Expr>>),
    /// `each: "{{ @.name }}"`: a list with this value for each element, without what is missing.
    Each(Box<Expr>),
    /// `index: -1`: one element of a list, counted from its end if negative.
    Index(i64),
    /// `unique`: a list without its repetitions.
    Unique,
    /// `number`: the number that a text stands for; nothing where it is none.
    Number,
    /// `time: auto`, or a `strftime` format: the time that a value stands for, as RFC 3339; nothing where it is none.
    Time(Option<String>),
    /// `json`: what a text says as JSON; the text itself where it is none.
    Json,
    /// `pairs`: an object from pairs such as `[["k", "v"]]`, `[{"key": "k", "value": "v"}]` or `"k:v"`.
    Pairs,
    /// `default: value`: this value, where nothing has come out so far.
    Default(Box<Otherwise>),
}

impl Step {
    /// The names of all steps.
    pub(super) const NAMES: [&'static str; 15] = [
        "lower", "upper", "trim", "regex", "replace", "split", "join", "each", "index", "unique",
        "number", "time", "json", "pairs", "default",
    ];

    /// How many values it wants of a path that selects many.
    pub(super) fn wants(&self) -> Want {
        match self {
            Self::Join(..) | Self::Each(_) | Self::Index(_) | Self::Unique | Self::Pairs => {
                Want::All
            }
            Self::Filter(_)
            | Self::Regex(..)
            | Self::Replace(..)
            | Self::Split(_)
            | Self::Number
            | Self::Time(_)
            | Self::Json
            | Self::Default(_) => Want::One,
        }
    }

    /// The value, one step further.
    pub(super) fn apply<'a>(
        &'a self,
        value: Option<Cow<'a, Value>>,
        scene: &Scene<'a>,
    ) -> Option<Cow<'a, Value>> {
        let Some(value) = value else {
            let Self::Default(instead) = self else { return None };
            scene.defaulted(instead.site);
            return instead.gives.eval(scene, Want::All);
        };
        let done = match self {
            Self::Default(_) => return Some(value),
            Self::Filter(filter) => texts(&value, &|text| Some(filter.apply(text))),
            Self::Regex(pattern, group) => texts(&value, &|text| {
                let captured = pattern.captures(scene.matched(text))?;
                Some(captured.get(*group)?.as_str().to_owned())
            }),
            Self::Replace(pattern, with) => texts(&value, &|text| {
                let head = scene.matched(text);
                let replaced = pattern.replace_all(head, with.as_str()).into_owned();
                Some(replaced + &text[head.len()..])
            }),
            Self::Split(by) => Some(split(&value, by)),
            Self::Join(with, each) => join(&value, with, each.as_deref(), scene),
            Self::Each(of) => Some(Value::Array(elements(&value, of, scene))),
            Self::Index(index) => index_of(&value, *index),
            Self::Unique => Some(unique(&value)),
            Self::Number => numbers(&value),
            Self::Time(format) => read_time(&value, format.as_deref(), scene),
            Self::Json => Some(json(&value)),
            Self::Pairs => Some(pairs(&value)),
        }?;
        scene.did(|| self.to_string());
        Some(Cow::Owned(done))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(Filter::Lower) => f.write_str("lower"),
            Self::Filter(Filter::Upper) => f.write_str("upper"),
            Self::Filter(Filter::Trim) => f.write_str("trim"),
            Self::Regex(pattern, group) => write!(f, "regex {pattern} group {group}"),
            Self::Replace(pattern, with) => write!(f, "replace {pattern} with {with}"),
            Self::Split(by) => write!(f, "split by {by}"),
            Self::Join(with, _) => write!(f, "join with {with}"),
            Self::Each(_) => f.write_str("each"),
            Self::Index(index) => write!(f, "index {index}"),
            Self::Unique => f.write_str("unique"),
            Self::Number => f.write_str("number"),
            Self::Time(format) => write!(f, "time {}", format.as_deref().unwrap_or("auto")),
            Self::Json => f.write_str("json"),
            Self::Pairs => f.write_str("pairs"),
            Self::Default(_) => f.write_str("default"),
        }
    }
}

/// What a change of texts makes of a value: of each element, if it is a list.
fn texts(value: &Value, change: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    match value {
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| change(&text(item)).map(Value::String)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            change(&text(value)).map(Value::String)
        }
    }
}

fn split(value: &Value, by: &str) -> Value {
    if value.is_array() {
        return value.clone();
    }
    let parts = text(value);
    let parts = parts.split(by).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Value::String(part.to_owned())).collect()
}

fn join(value: &Value, with: &str, each: Option<&Expr>, scene: &Scene<'_>) -> Option<Value> {
    let Value::Array(items) = value else { return Some(Value::String(text(value).into_owned())) };
    let parts: Vec<String> = match each {
        Some(each) => {
            elements(value, each, scene).iter().map(|part| text(part).into_owned()).collect()
        }
        None => items
            .iter()
            .filter(|item| !is_blank(item))
            .map(|item| text(item).into_owned())
            .collect(),
    };
    (!parts.is_empty()).then(|| Value::String(parts.join(with)))
}

/// A value for each element of a list.
fn elements(value: &Value, each: &Expr, scene: &Scene<'_>) -> Vec<Value> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items
        .iter()
        .filter_map(|item| each.eval(&scene.around(item), Want::One).map(Cow::into_owned))
        .collect()
}

fn index_of(value: &Value, index: i64) -> Option<Value> {
    // One value is a list of one.
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let place = if index < 0 { items.len().checked_sub(distance)? } else { distance };
    items.get(place).cloned()
}

fn unique(value: &Value) -> Value {
    let Value::Array(items) = value else { return value.clone() };
    let mut seen = BTreeSet::new();
    items.iter().filter(|item| seen.insert(canonical(item))).cloned().collect()
}

/// The number of a value; of each element, if it is a list.
fn numbers(value: &Value) -> Option<Value> {
    match value {
        Value::Array(items) => Some(items.iter().filter_map(numbers).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            number(&text(&unwrapped(value)))
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse().ok()?).map(Value::Number)
}

fn read_time(value: &Value, format: Option<&str>, scene: &Scene<'_>) -> Option<Value> {
    let read = match format {
        None => time::auto(value, scene.input.zone),
        Some(format) => time::formatted(&text(value), format, scene.input.zone),
    };
    read.map(|time| Value::String(rfc3339(time)))
}

/// What a text says as JSON; the value itself where it is none.
pub(super) fn json(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.clone()
        }
    }
}

/// An object flattened to texts.
pub(super) fn flattened(value: &Value, scene: &Scene<'_>) -> Value {
    let mut flat = Map::new();
    flatten(value, String::new(), &mut flat, scene);
    Value::Object(flat)
}

fn flatten(value: &Value, name: String, flat: &mut Map<String, Value>, scene: &Scene<'_>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                // A long name stands before each of the names below it.
                scene.spend(name.len());
                if scene.is_spent() {
                    return;
                }
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(field, name, flat, scene);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let name = if name.is_empty() { "value".to_owned() } else { name };
            flat.insert(name, Value::String(text(value).into_owned()));
        }
    }
}

/// An object from pairs in one of their usual shapes.
pub(super) fn pairs(value: &Value) -> Value {
    match value {
        Value::Object(_) => value.clone(),
        Value::Array(items) => Value::Object(items.iter().filter_map(pair).collect()),
        Value::String(text) => Value::Object(
            text.split(',').filter_map(|part| pair(&Value::String(part.to_owned()))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => Value::Object(Map::new()),
    }
}

fn pair(item: &Value) -> Option<(String, Value)> {
    match item {
        Value::Array(two) => {
            Some((text(two.first()?).into_owned(), two.get(1).cloned().unwrap_or_default()))
        }
        Value::Object(fields) => {
            let named = |names: &[&str]| {
                fields
                    .iter()
                    .find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)))
            };
            let (_, key) = named(&["key", "name", "tag"])?;
            let value = named(&["value"]).map(|(_, value)| unwrapped(value)).unwrap_or_default();
            Some((text(key).into_owned(), value))
        }
        Value::String(text) => {
            let text = text.trim();
            let (key, value) = text.split_once([':', '=']).unwrap_or((text, ""));
            (!key.is_empty())
                .then(|| (key.trim().to_owned(), Value::String(value.trim().to_owned())))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// `{"stringValue": "v"}` as `"v"`: OpenTelemetry wraps its values so.
fn unwrapped(value: &Value) -> Value {
    match value.as_object().map(|fields| (fields.len(), fields.iter().next())) {
        Some((1, Some((key, inner)))) if key.ends_with("Value") => inner.clone(),
        _ => value.clone(),
    }
}

/// A hash of values: of their one spelling, each with its length before it, so that no two lists of values meet.
pub(super) fn hash(values: &[Option<Cow<'_, Value>>]) -> String {
    let mut said = String::new();
    for value in values {
        match value {
            Some(value) => {
                let one = canonical(value);
                let _ = write!(said, "{}:{one}", one.len());
            }
            None => said.push('-'),
        }
    }
    hex(&sha256(said.as_bytes())[..16])
}
