//! Guesses which shapes of payload there are: which samples belong together, where their items are, and how to tell
//! them from the others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    lists::{List, best_list, list_at},
    look::Variable,
    names::{KEYS, TITLES},
    words::weigh,
    yaml::Yaml,
};

/// Samples of one shape.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Which samples.
    pub(super) samples: Vec<usize>,
    /// The list that holds their items; `None` where each is one item.
    pub(super) list: Option<List>,
}

/// Sorts samples by shape; those that say nothing are in no group. The list at `each` holds items, where a person says so.
pub(super) fn groups(samples: &[Value], variables: &[Variable], each: Option<&str>) -> Vec<Group> {
    let mut left: Vec<usize> = (0..samples.len()).filter(|at| !is_blank(&samples[*at])).collect();
    let mut groups = Vec::new();
    let said = |path: &str| List {
        path: path.to_owned(),
        because: vec!["`--each` says so".to_owned()],
        runners_up: Vec::new(),
    };
    let mut said = each.map(said);
    while let Some(list) = said.take().or_else(|| best_list(samples, &left, variables)) {
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
