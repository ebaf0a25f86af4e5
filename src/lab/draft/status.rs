//! Guesses which field says whether a problem is there or over, and which one how bad it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Guess,
    form::{Form, form_of, texts, there},
    look::{Field, Look},
    names::{ENDS, OVER, SEVERITIES, STATUSES, THERE},
    words::{Going, going, severity as severity_of, weigh},
    yaml::Yaml,
};
use crate::{domain::words::Severity, value::text::text};

/// Names that a field has which says what was so before.
const BEFORE: &[&str] = &["old", "previous", "prev", "prior", "from", "last", "before"];

/// How the problem of each item goes, and the field that says so.
pub(super) struct Status {
    /// The field.
    pub(super) path: Option<String>,
    /// Which way each item goes; `None` where nothing says so.
    pub(super) going: Vec<Option<Going>>,
    /// The words that say that a problem is over.
    pub(super) over: Vec<String>,
    /// What becomes of it.
    pub(super) guess: Guess,
}

/// Finds the field that says which way a problem goes.
pub(super) fn status(look: &Look, items: usize) -> Status {
    let mut ranked: Vec<(i32, &Field)> = look
        .fields
        .iter()
        .filter_map(|field| Some((status_score(field, items)?, field)))
        .filter(|(score, _)| *score >= 40)
        .collect();
    ranked.sort_by_key(|(score, field)| (-score, !field.of_item, field.path.len()));
    let Some(((_, best), others)) = ranked.split_first().map(|(best, rest)| (*best, rest)) else {
        return by_time_of_end(look, items).unwrap_or_else(|| unsaid(items));
    };
    let runners_up: Vec<String> =
        others.iter().take(3).map(|(_, field)| field.path.clone()).collect();
    let said: BTreeSet<String> = texts(best).into_iter().collect();
    let ways: Vec<Option<Going>> =
        best.values.iter().map(|value| way(best, value.as_ref()?)).collect();
    let over: Vec<String> = said
        .iter()
        .filter(|word| way_of_word(best, word) == Some(Going::Recovery))
        .cloned()
        .collect();
    let words: Vec<&str> = said.iter().map(String::as_str).collect();
    let mut because = vec![format!("`{}` says {}", best.path, quoted(&words))];
    let both = ways.contains(&Some(Going::Alert)) && ways.contains(&Some(Going::Recovery));
    if both {
        because.push("which shows problems and recoveries".to_owned());
    } else {
        because.push("the samples show one way only: check the words for the other".to_owned());
    }
    let unknown: Vec<&str> =
        words.iter().copied().filter(|word| way_of_word(best, word).is_none()).collect();
    if !unknown.is_empty() {
        because.push(format!("{} is taken for a problem, as any other word", quoted(&unknown)));
    }
    let map = word_map(best, &said);
    let value = Yaml::Table(vec![
        ("from".to_owned(), Yaml::text(&best.path)),
        ("map".to_owned(), Yaml::Table(map)),
        ("else".to_owned(), Yaml::text("ALERT")),
    ]);
    Status {
        path: Some(best.path.clone()),
        going: ways,
        over,
        guess: Guess { field: "event_type", value, because, runners_up },
    }
}

/// The words that were seen, and the usual ones for the way that was not.
fn word_map(field: &Field, said: &BTreeSet<String>) -> Vec<(String, Yaml)> {
    let mut map: Vec<(String, Yaml)> = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |word: &str, way: Going| {
        if known.insert(word.to_lowercase()) {
            let becomes = if way == Going::Alert { "ALERT" } else { "RECOVERY" };
            map.push((word.to_owned(), Yaml::text(becomes)));
        }
    };
    for word in said {
        if let Some(way) = way_of_word(field, word) {
            add(word, way);
        }
    }
    if form_of(field) == Form::Truth {
        for word in ["true", "false"] {
            if let Some(way) = way_of_word(field, word) {
                add(word, way);
            }
        }
        return map;
    }
    for word in ["resolved", "ok", "closed", "recovered"] {
        add(word, Going::Recovery);
    }
    map
}

fn status_score(field: &Field, items: usize) -> Option<i32> {
    let said = texts(field);
    let form = form_of(field);
    let is_word = matches!(form, Form::Word | Form::Line | Form::Truth);
    let is_short = said.iter().all(|text| text.len() <= 30);
    if field.many || !is_word || !is_short || said.is_empty() || is_of_before(field) {
        return None;
    }
    let ways: Vec<Option<Going>> =
        field.values.iter().flatten().map(|value| way(field, value)).collect();
    let known = ways.iter().flatten().count();
    if known == 0 {
        return None;
    }
    let mut score = weigh(&field.words, STATUSES);
    // A truth says something by its name alone.
    score += if form == Form::Truth { 40 } else { share(known, said.len(), 30) };
    if ways.contains(&Some(Going::Alert)) && ways.contains(&Some(Going::Recovery)) {
        score += 25;
    }
    score += share(there(field), items, 8) - if field.of_item { 0 } else { 10 };
    Some(score)
}

fn is_of_before(field: &Field) -> bool {
    field.own.iter().any(|word| BEFORE.contains(&word.as_str()))
}

fn way(field: &Field, value: &Value) -> Option<Going> {
    way_of_word(field, &text(value))
}

fn way_of_word(field: &Field, word: &str) -> Option<Going> {
    if form_of(field) != Form::Truth {
        return going(word);
    }
    let name: Vec<&str> = field
        .own
        .iter()
        .map(String::as_str)
        .filter(|word| !["is", "has", "was"].contains(word))
        .collect();
    let name = name.join("");
    let yes = if OVER.contains(&name.as_str()) {
        Going::Recovery
    } else if THERE.contains(&name.as_str()) {
        Going::Alert
    } else {
        return None;
    };
    let no = if yes == Going::Alert { Going::Recovery } else { Going::Alert };
    Some(if word == "true" { yes } else { no })
}

/// A time of the end that only some items have says that these are over.
fn by_time_of_end(look: &Look, items: usize) -> Option<Status> {
    let mut ends: Vec<(i32, &Field)> = look
        .fields
        .iter()
        .filter(|field| form_of(field) == Form::Time && there(field) < items && !field.many)
        .map(|field| (weigh(&field.own, ENDS), field))
        .filter(|(score, _)| *score >= 30)
        .collect();
    ends.sort_by_key(|(score, field)| (-score, field.path.len()));
    let (_, end) = ends.first()?;
    let ways = end
        .values
        .iter()
        .map(|value| Some(if value.is_some() { Going::Recovery } else { Going::Alert }));
    let case = Yaml::Table(vec![
        ("when".to_owned(), Yaml::table(&end.path, Yaml::table("exists", Yaml::True))),
        ("use".to_owned(), Yaml::text("RECOVERY")),
    ]);
    let value = Yaml::Table(vec![
        ("case".to_owned(), Yaml::List(vec![case])),
        ("else".to_owned(), Yaml::text("ALERT")),
    ]);
    let because = vec![
        "no field says firing or resolved".to_owned(),
        format!(
            "`{}` is there in {} of {items} items only, which says that these are over",
            end.path,
            there(end)
        ),
    ];
    Some(Status {
        path: None,
        going: ways.collect(),
        over: Vec::new(),
        guess: Guess { field: "event_type", value, because, runners_up: Vec::new() },
    })
}

fn unsaid(items: usize) -> Status {
    let because = vec![
        "nothing in the samples says that a problem is over: every item is a problem".to_owned(),
        "without recoveries, alerts end by hand or by timer".to_owned(),
    ];
    let value = Yaml::text("ALERT");
    Status {
        path: None,
        going: vec![None; items],
        over: Vec::new(),
        guess: Guess { field: "event_type", value, because, runners_up: Vec::new() },
    }
}

/// Finds the field that says how bad a problem is; its path, and what becomes of it.
pub(super) fn severity(look: &Look, items: usize) -> (Option<String>, Guess) {
    let mut ranked: Vec<(i32, &Field)> = look
        .fields
        .iter()
        .filter_map(|field| Some((severity_score(field, items)?, field)))
        .filter(|(score, _)| *score >= 36)
        .collect();
    ranked.sort_by_key(|(score, field)| (-score, !field.of_item, field.path.len()));
    let Some(((_, best), others)) = ranked.split_first().map(|(best, rest)| (*best, rest)) else {
        let because = vec![
            "nothing in the samples looks like a severity; a constant such as ERROR may serve"
                .to_owned(),
        ];
        let guess =
            Guess { field: "severity", value: Yaml::text("NONE"), because, runners_up: Vec::new() };
        return (None, guess);
    };
    let runners_up = others.iter().take(3).map(|(_, field)| field.path.clone()).collect();
    let said: BTreeSet<String> = texts(best).into_iter().collect();
    let words: Vec<&str> = said.iter().map(String::as_str).collect();
    let mut because = vec![format!("`{}` says {}", best.path, quoted(&words))];
    let map = if form_of(best) == Form::Integer {
        because.push(if counts_down(best) {
            "1 is taken for the worst, as priorities are usually counted".to_owned()
        } else {
            "the largest number is taken for the worst; turn the map round if 1 is".to_owned()
        });
        numbers(best)
    } else {
        let unknown: Vec<&str> =
            words.iter().copied().filter(|word| severity_of(word).is_none()).collect();
        if !unknown.is_empty() {
            because.push(format!("{} is no word we know: say what it becomes", quoted(&unknown)));
        }
        severities(&said)
    };
    let value = Yaml::Table(vec![
        ("from".to_owned(), Yaml::text(&best.path)),
        ("map".to_owned(), Yaml::Table(map)),
        ("else".to_owned(), Yaml::text("NONE")),
    ]);
    (Some(best.path.clone()), Guess { field: "severity", value, because, runners_up })
}

fn severity_score(field: &Field, items: usize) -> Option<i32> {
    let said = texts(field);
    let form = form_of(field);
    if field.many
        || said.is_empty()
        || is_of_before(field)
        || said.iter().any(|text| text.len() > 24)
    {
        return None;
    }
    let named = weigh(&field.words, SEVERITIES);
    if form == Form::Integer {
        let is_scale = said.iter().all(|text| text.parse::<u64>().is_ok_and(|number| number <= 10));
        return (named >= 26 && is_scale).then_some(named + 8);
    }
    if !matches!(form, Form::Word | Form::Line | Form::Identifier) {
        return None;
    }
    let known = said.iter().filter(|word| severity_of(word).is_some()).count();
    let is_bad = said.iter().any(|word| {
        severity_of(word)
            .is_some_and(|severity| !matches!(severity, Severity::None | Severity::NotAvailable))
    });
    if known == 0 || (named < 20 && !is_bad) {
        return (named >= 36 && known == 0).then_some(named);
    }
    let all_items = share(there(field), items, 4) - if field.of_item { 0 } else { 6 };
    Some(named + share(known, said.len(), 30) + all_items)
}

/// The words that were seen, and the usual ones that were not.
fn severities(said: &BTreeSet<String>) -> Vec<(String, Yaml)> {
    let usual = ["critical", "error", "warning", "info"].map(ToOwned::to_owned);
    let mut known = BTreeSet::new();
    let mut map = Vec::new();
    for word in said.iter().chain(&usual) {
        let Some(severity) = severity_of(word) else { continue };
        if known.insert(word.to_lowercase()) {
            map.push((severity, word.clone()));
        }
    }
    map.sort_by_key(|(severity, _)| worst_first(*severity));
    map.into_iter().map(|(severity, word)| (word, Yaml::text(severity.as_str()))).collect()
}

fn worst_first(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 0,
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Info => 3,
        Severity::None => 4,
        Severity::NotAvailable => 5,
    }
}

fn counts_down(field: &Field) -> bool {
    let down = ["priority", "urgency", "impact", "sev"];
    field.own.iter().any(|word| down.contains(&word.as_str()))
}

fn numbers(field: &Field) -> Vec<(String, Yaml)> {
    let down = ["CRITICAL", "ERROR", "WARNING", "INFO", "INFO"];
    let up = ["INFO", "WARNING", "ERROR", "ERROR", "CRITICAL"];
    let words = if counts_down(field) { down } else { up };
    (1..=5).zip(words).map(|(number, word)| (number.to_string(), Yaml::text(word))).collect()
}

/// `most` times how large a part of `all` these are.
pub(super) fn share(part: usize, all: usize, most: i32) -> i32 {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX / 64).min(i32::MAX / 64);
    number(part) * most / number(all).max(1)
}

/// Words for a reason, a few at most.
pub(super) fn quoted(words: &[&str]) -> String {
    let mut quoted: Vec<String> = words.iter().take(6).map(|word| format!("`{word}`")).collect();
    if words.len() > 6 {
        quoted.push(format!("{} more", words.len() - 6));
    }
    quoted.join(", ")
}
