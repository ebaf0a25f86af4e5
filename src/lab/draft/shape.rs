//! Guesses which shapes of payload there are: which samples belong together, where their items are, and how to tell
//! them from the others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    form::{Form, form_of, there},
    look::{Item, Look, Variable, Writing, json_inside, look, pairs},
    names::{KEYS, LISTS, TITLES},
    status::{severity, status},
    words::weigh,
    yaml::Yaml,
};
use crate::value::path::{Path, Root};

/// From this score on, a list holds the events.
const ENOUGH: i32 = 6;

/// Samples of one shape.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Which samples.
    pub(super) samples: Vec<usize>,
    /// The list that holds their items; `None` where each is one item.
    pub(super) list: Option<List>,
}

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

/// Sorts samples by shape; those that say nothing are in no group.
pub(super) fn groups(samples: &[Value], variables: &[Variable]) -> Vec<Group> {
    let mut left: Vec<usize> = (0..samples.len()).filter(|at| !is_blank(&samples[*at])).collect();
    let mut groups = Vec::new();
    while let Some(list) = best_list(samples, &left, variables) {
        let has = |at: &usize| list_at(&list.path, &samples[*at], variables).is_some();
        let (with, without): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(has);
        groups.push(Group { samples: with, list: Some(list) });
        left = without;
    }
    // An empty list of the same name belongs to it, and so does a list of nothing else.
    left.retain(|at| samples[*at].is_object());
    groups.extend(objects(samples, &left));
    groups
}

fn is_blank(sample: &Value) -> bool {
    match sample {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
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

fn best_list(samples: &[Value], left: &[usize], variables: &[Variable]) -> Option<List> {
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
    let (score, path, because) = ranked.first().cloned()?;
    let runners_up = ranked.iter().skip(1).take(3).map(|(_, path, _)| path.clone()).collect();
    (score >= ENOUGH).then_some(List { path, because, runners_up })
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

/// Sorts objects by what names they have in common.
fn objects(samples: &[Value], left: &[usize]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for at in left {
        let near = groups
            .iter_mut()
            .find(|group| group.samples.iter().any(|other| near(&samples[*at], &samples[*other])));
        match near {
            Some(group) => group.samples.push(*at),
            None => groups.push(Group { samples: vec![*at], list: None }),
        }
    }
    groups
}

fn near(one: &Value, other: &Value) -> bool {
    let (one, other) = (names(one), names(other));
    let both = one.intersection(&other).count();
    let all = one.union(&other).count();
    // What has fewer fields of the same kind is the same shape with something missing.
    both * 2 >= all || (both >= 2 && both * 5 >= one.len().min(other.len()) * 4)
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flat_map(serde_json::Map::keys).map(String::as_str).collect()
}

/// The condition that tells each group from the others. Groups that nothing tells apart become one.
pub(super) fn conditions(groups: Vec<Group>, samples: &[Value]) -> Vec<(Group, Option<Yaml>)> {
    let mut groups = groups;
    loop {
        let found: Vec<Option<Yaml>> =
            (0..groups.len()).map(|at| condition(&groups, at, samples)).collect();
        let lost: Vec<usize> = (0..groups.len()).filter(|at| found[*at].is_none()).collect();
        // One group without a condition may stand last, where it takes what is left.
        if lost.len() <= 1 {
            let mut told: Vec<(Group, Option<Yaml>)> = groups.into_iter().zip(found).collect();
            told.sort_by_key(|(_, when)| when.is_none());
            return told;
        }
        let mut kept = Vec::new();
        let mut merged = Group { samples: Vec::new(), list: None };
        for (at, group) in groups.into_iter().enumerate() {
            if lost.contains(&at) && group.list.is_none() {
                merged.samples.extend(group.samples);
            } else {
                kept.push(group);
            }
        }
        kept.push(merged);
        groups = kept;
    }
}

fn condition(groups: &[Group], at: usize, samples: &[Value]) -> Option<Yaml> {
    let group = &groups[at];
    if let Some(list) = &group.list {
        return Some(Yaml::table(&list.path, Yaml::table("type", Yaml::text("array"))));
    }
    let own: Vec<&Value> = group.samples.iter().map(|at| &samples[*at]).collect();
    let others: Vec<&Value> = groups
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at)
        .flat_map(|(_, group)| group.samples.iter().map(|at| &samples[*at]))
        .collect();
    let mut common: Option<BTreeSet<&str>> = None;
    for sample in &own {
        let said = names(sample).into_iter().filter(|name| says(sample, name)).collect();
        common = Some(match common {
            None => said,
            Some(before) => before.intersection(&said).copied().collect(),
        });
    }
    let common: Vec<&str> = common.unwrap_or_default().into_iter().collect();
    let alone = common.iter().filter(|name| !others.iter().any(|other| says(other, name)));
    let path = |name: &str| format!("${}", super::look::step(name));
    // What names the problem tells more about a shape than what happens to stand first.
    let best = alone.max_by_key(|name| {
        (
            weigh(&super::words::words_of(name), KEYS)
                .max(weigh(&super::words::words_of(name), TITLES)),
            std::cmp::Reverse(**name),
        )
    });
    if let Some(name) = best {
        return Some(Yaml::table(&path(name), Yaml::table("exists", Yaml::True)));
    }
    let word = |sample: &Value, name: &str| {
        let word = sample.get(name)?.as_str()?;
        (word.len() <= 40).then(|| word.to_lowercase())
    };
    common.iter().find_map(|name| {
        let first = own.first().and_then(|sample| word(sample, name))?;
        let is_same = own.iter().all(|sample| word(sample, name).as_ref() == Some(&first));
        let is_alone = others.iter().all(|sample| word(sample, name).as_ref() != Some(&first));
        let written = own.first()?.get(*name)?.as_str()?;
        (is_same && is_alone).then(|| Yaml::table(&path(name), Yaml::text(written)))
    })
}

/// Whether an object says something by this name.
fn says(sample: &Value, name: &str) -> bool {
    sample
        .get(name)
        .is_some_and(|value| !value.is_null() && value.as_str() != Some("") && is_writable(name))
}

fn is_writable(name: &str) -> bool {
    !name.is_empty() && name.len() <= 80 && !name.chars().any(char::is_control)
}
