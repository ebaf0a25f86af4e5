//! Reads the samples with what was drafted: what they must become from now on, and whether the key holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    DraftError, Drafted, Posted, Samples, write,
    yaml::{comment, scalar},
};
use crate::{
    domain::words::EventType,
    ingest::Books,
    lab::{posted, reading::ReadingInfo},
    plugins::PluginBook,
    rules::{Rulebook, check::check},
    value::text::counted,
};

/// What one sample became: its keys with the way each went, or why it was not read.
struct Outcome {
    name: String,
    keys: Vec<(String, EventType)>,
    failed: Vec<String>,
    golden: String,
}

/// Reads the samples with the mapping `text`, and puts the files together.
pub(super) fn prove(
    provider: &str,
    posted: &[Posted],
    samples: &Samples,
    text: String,
) -> Result<Drafted, DraftError> {
    let file = format!("{provider}/mapping.yaml");
    let warnings = check(provider, &file, &text).map_err(DraftError::Broken)?;
    let text = with_warnings(text, &warnings.iter().map(|it| it.detail.clone()).collect());
    let manifest = write::manifest(provider, samples.body);
    let rulebook =
        Rulebook::from_texts([(provider.to_owned(), text.clone())]).map_err(DraftError::Broken)?;
    let plugins = PluginBook::default().with_text(provider, &manifest);
    let plugins = plugins.map_err(|error| DraftError::Broken(vec![error]))?;
    let outcomes =
        outcomes(provider, &Books { rulebook, plugins, ..Books::default() }, posted, samples);
    let findings = findings(&outcomes);
    let mut files = BTreeMap::new();
    let rules = format!("rules/{provider}");
    files.insert(format!("{rules}/mapping.yaml"), text.into_bytes());
    let kind = match samples.body {
        super::Body::Json => "json",
        super::Body::Form => "body",
    };
    for (one, outcome) in posted.iter().zip(&outcomes) {
        let case = format!("{rules}/samples/{}", outcome.name);
        files.insert(format!("{case}.{kind}"), one.body.clone());
        files.insert(format!("{case}.events.json"), outcome.golden.clone().into_bytes());
    }
    if let Some(problems) = problems(&outcomes) {
        files.insert(format!("{rules}/samples/problems.yaml"), problems.into_bytes());
    }
    let plugins = format!("plugins/{provider}");
    files.insert(format!("{plugins}/plugin.yaml"), manifest.into_bytes());
    files.insert(format!("{plugins}/README.md"), write::readme(provider, &findings).into_bytes());
    Ok(Drafted { provider: provider.to_owned(), files, findings, warnings: Vec::new() })
}

/// A draft may raise warnings where it says so.
fn with_warnings(text: String, warnings: &BTreeSet<String>) -> String {
    if warnings.is_empty() {
        return text;
    }
    let mut said = String::new();
    for warning in warnings {
        comment(&mut said, 0, &format!("`rules check` warns, and a person should look: {warning}"));
    }
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{said}{rest}"),
        None => text,
    }
}

fn outcomes(provider: &str, books: &Books, posted: &[Posted], samples: &Samples) -> Vec<Outcome> {
    let read = samples.names.iter().zip(posted).map(|(name, one)| {
        let read = posted::Posted::new(provider, one.body.clone()).read(books);
        let golden = serde_json::to_value(ReadingInfo::of(&read)).unwrap_or_default();
        let (mut keys, mut failed) = (Vec::new(), Vec::new());
        for item in read.items {
            match item {
                Ok(mapped) => keys.push((mapped.draft.event_key, mapped.draft.event_type)),
                Err(error) => failed.push(error.to_string()),
            }
        }
        Outcome { name: name.clone(), keys, failed, golden: format!("{golden:#}\n") }
    });
    read.collect()
}

/// What the draft makes of the samples, one sentence each.
fn findings(outcomes: &[Outcome]) -> Vec<String> {
    let mut found = Vec::new();
    for Outcome { name, keys, failed, .. } in outcomes {
        let over = keys.iter().filter(|(_, kind)| *kind == EventType::Recovery).count();
        let (events, recoveries) = (
            counted(keys.len() as u64, "event"),
            match over {
                1 => "1 of them a recovery".to_owned(),
                _ => format!("{over} of them recoveries"),
            },
        );
        let mut said = format!("`{name}`: {events}, {recoveries}");
        if let Some(why) = failed.first() {
            let _ = write!(said, "; {} not read: {why}", counted(failed.len() as u64, "item"));
        }
        found.push(said);
    }
    found.extend(same_key(outcomes));
    found
}

/// Whether problems and recoveries share their keys.
fn same_key(outcomes: &[Outcome]) -> Vec<String> {
    let of = |kind: EventType| -> BTreeMap<&str, &str> {
        let keys = outcomes.iter().flat_map(|one| one.keys.iter().map(move |key| (one, key)));
        keys.filter(|(_, (_, found))| *found == kind)
            .map(|(one, (key, _))| (key.as_str(), one.name.as_str()))
            .collect()
    };
    let (alerts, recoveries) = (of(EventType::Alert), of(EventType::Recovery));
    if recoveries.is_empty() {
        return vec![
            "No recovery among the samples: nothing shows yet that it has the key of its problem."
                .to_owned(),
        ];
    }
    let mut said = Vec::new();
    for (key, recovery) in &recoveries {
        said.push(match alerts.get(key) {
            Some(alert) => format!(
                "Proven: the recovery in `{recovery}` has the key of the problem in `{alert}`."
            ),
            None => {
                format!("Not proven: no sample shows the problem of the recovery in `{recovery}`.")
            }
        });
    }
    said
}

/// The samples of one problem, row by row; only those of which each is about one problem.
fn problems(outcomes: &[Outcome]) -> Option<String> {
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Outcome { name, keys, failed, .. } in outcomes {
        if let ([(key, _)], true) = (keys.as_slice(), failed.is_empty()) {
            rows.entry(key).or_default().push(name);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let mut rows: Vec<Vec<&str>> = rows.into_values().collect();
    rows.sort();
    let rows: Vec<String> =
        rows.iter().map(|names| format!("- [{}]\n", quoted_names(names))).collect();
    Some(format!(
        "# Each row: the samples of one problem, which share its key with no other row.\n{}",
        rows.concat()
    ))
}

fn quoted_names(names: &[&str]) -> String {
    names.iter().map(|name| scalar(name)).collect::<Vec<_>>().join(", ")
}
