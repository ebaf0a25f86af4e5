//! Guesses which list of a payload holds its events.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    form::{Form, form_of, there},
    look::{Field, Item, Look, Variable, Writing, json_inside, look, pairs},
    names::{KEYS, LISTS, TITLES},
    status::{severity, status},
    words::weigh,
};
use crate::value::path::{Path, Root};

/// From this score on, a list holds the events.
const ENOUGH: i32 = 6;

/// A list that holds items.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// Its path.
    pub(super) path: String,
    /// Why it is taken for that.
    pub(super) because: Vec<String>,
    /// Other lists that may be.
    pub(super) runners_up: Vec<String>,
}

/// The elements of the list at `path` in a payload; `None` where there is no list.
pub(super) fn list_at(path: &str, payload: &Value, variables: &[Variable]) -> Option<Vec<Value>> {
    match resolve(path, payload, variables)? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// What a path selects of a payload, through the variables that it needs.
pub(super) fn resolve(path: &str, payload: &Value, variables: &[Variable]) -> Option<Value> {
    let compiled = Path::parse(path).ok()?;
    match compiled.root() {
        Root::Payload => compiled.all(payload).first().map(|found| (*found).clone()),
        Root::Element => None,
        Root::Variable(name) => {
            let variable = variables.iter().find(|it| it.name.as_str() == &**name)?;
            let written = resolve(&variable.of, payload, variables)?;
            let inside = match (variable.writing, written) {
                (Writing::Pairs, Value::Array(items)) => pairs(&items)?,
                (Writing::Json, Value::String(text)) => json_inside(&text)?,
                (Writing::PairsInJson, Value::String(text)) => match json_inside(&text)? {
                    Value::Array(items) => pairs(&items)?,
                    _ => return None,
                },
                _ => return None,
            };
            compiled.all(&inside).first().map(|found| (*found).clone())
        }
    }
}

/// The list that holds the items of samples; `None` where each sample is one.
pub(super) fn best_list(samples: &[Value], left: &[usize], variables: &[Variable]) -> Option<List> {
    let items: Vec<Item<'_>> =
        left.iter().map(|at| Item { payload: &samples[*at], element: None }).collect();
    let seen = look(&items, &[], variables);
    let mut ranked = Vec::new();
    for list in &seen.lists {
        let lists = list.values.iter().flatten().filter_map(Value::as_array);
        let elements: Vec<&Value> = lists.flatten().collect();
        let (score, because) = list_score(&list.path, &list.own, &elements);
        ranked.push((score, list.path.clone(), because));
    }
    ranked.sort_by_key(|(score, path, _)| (-score, path.len(), path.clone()));
    let has_items =
        |path: &str, score: i32| score >= ENOUGH || happens(path, samples, (left, &seen));
    let best = ranked.iter().position(|(score, path, _)| has_items(path, *score))?;
    let (_, path, because) = ranked.remove(best);
    let runners_up = ranked.into_iter().take(3).map(|(_, path, _)| path).collect();
    Some(List { path, because, runners_up })
}

fn list_score(path: &str, own: &[String], elements: &[&Value]) -> (i32, Vec<String>) {
    let nothing = Value::Null;
    let items: Vec<Item<'_>> =
        elements.iter().map(|element| Item { payload: &nothing, element: Some(element) }).collect();
    let seen = look(&items, &[], &[]);
    let mut score = weigh(own, LISTS);
    let mut because = Vec::new();
    if score > 0 {
        because.push("named like a list of events".to_owned());
    }
    if path == "$" {
        score += 5;
        because.push("the payload is a list".to_owned());
    }
    for (holds, weight, what) in [
        (status(&seen, items.len()).path.is_some(), 3, "a status"),
        (severity(&seen, items.len()).0.is_some(), 2, "a severity"),
        (has(&seen, |field| form_of(field) == Form::Time), 1, "a time"),
        (has(&seen, |field| weigh(&field.own, KEYS) >= 28), 2, "an identifier"),
        (has(&seen, |field| weigh(&field.own, TITLES) >= 30), 1, "a title"),
    ] {
        if holds {
            score += weight;
            because.push(format!("its elements have {what}"));
        }
    }
    if alike(elements) {
        because.push("its elements are alike".to_owned());
    } else {
        score -= 3;
    }
    (score, because)
}

fn has(look: &Look, test: impl Fn(&super::look::Field) -> bool) -> bool {
    look.fields.iter().any(|field| there(field) > 0 && test(field))
}

/// Whether objects have most of their names in common.
fn alike(elements: &[&Value]) -> bool {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for object in elements.iter().filter_map(|element| element.as_object()) {
        for name in object.keys() {
            *counts.entry(name).or_default() += 1;
        }
    }
    let common = counts.values().filter(|count| **count * 2 > elements.len()).count();
    !counts.is_empty() && common * 2 >= counts.len()
}

/// Whether a list speaks for itself, whatever it is called: one post holds several elements, which are alike, each has a
/// time of its own, and nothing around them says how a problem goes.
fn happens(path: &str, samples: &[Value], (left, seen): (&[usize], &Look)) -> bool {
    let Some(list) = seen.lists.iter().find(|list| list.path == path) else { return false };
    let elements = elements(list);
    let nothing = Value::Null;
    let items: Vec<Item<'_>> =
        elements.iter().map(|element| Item { payload: &nothing, element: Some(element) }).collect();
    let has_time = look(&items, &[], &[])
        .fields
        .iter()
        .any(|field| form_of(field) == Form::Time && there(field) == elements.len());
    let around: Vec<Item<'_>> =
        left.iter().map(|at| Item { payload: &samples[*at], element: None }).collect();
    let without = [path.to_owned()];
    has_time
        && is_batch(list)
        && alike(&elements)
        && status(&look(&around, &without, &[]), left.len()).path.is_none()
}

/// The lists of several like objects in samples that are one event each, with the first of these samples.
pub(super) fn overlooked(
    samples: &[Value],
    left: &[usize],
    variables: &[Variable],
) -> Vec<(String, usize)> {
    let items: Vec<Item<'_>> =
        left.iter().map(|at| Item { payload: &samples[*at], element: None }).collect();
    let seen = look(&items, &[], variables);
    let several = seen.lists.iter().filter(|list| {
        let elements = elements(list);
        is_batch(list) && alike(&elements) && elements.iter().all(|element| says_much(element))
    });
    let first = |list: &Field| {
        let at = list.values.iter().position(|value| value.as_ref().is_some_and(is_several))?;
        Some((list.path.clone(), *left.get(at)?))
    };
    several.filter_map(first).collect()
}

/// Every element of a list, of all samples.
fn elements(list: &Field) -> Vec<&Value> {
    list.values.iter().flatten().filter_map(Value::as_array).flatten().collect()
}

/// Whether one post holds several elements.
fn is_batch(list: &Field) -> bool {
    list.values.iter().flatten().any(is_several)
}

fn is_several(value: &Value) -> bool {
    value.as_array().is_some_and(|elements| elements.len() > 1)
}

/// Whether an element may be an event: what has but two fields is a name and a value.
fn says_much(element: &Value) -> bool {
    element.as_object().is_some_and(|fields| fields.len() > 2)
}
