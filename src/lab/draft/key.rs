//! Guesses what tells one problem from another, and is the same for its recovery.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Guess,
    form::{Form, form_of, tells_going, texts, there},
    look::{Field, Look},
    names::{KEYS, LABELS, NOT_KEYS, RESOURCES, RULES, TITLES},
    status::share,
    words::{Going, weigh},
    yaml::Yaml,
};
use crate::value::text::text;

/// From this score on, a field is a key by itself.
const ENOUGH: i32 = 30;

/// What is known about the items when their key is looked for.
pub(super) struct Known<'a> {
    /// The payload that each item is in.
    pub(super) payloads: &'a [usize],
    /// Which way each item goes.
    pub(super) going: &'a [Option<Going>],
    /// The paths that say so, or how bad it is: they are no part of a key.
    pub(super) not: Vec<String>,
}

/// A field that may be the key.
struct Candidate<'a> {
    field: &'a Field,
    score: i32,
    reasons: Vec<String>,
}

/// Finds the key: one field, or several together. The paths that make it come too.
pub(super) fn key(look: &Look, known: &Known<'_>) -> (Guess, Vec<String>) {
    let mut candidates = candidates(look, known);
    candidates.sort_by_key(|one| {
        (-one.score, !one.field.of_item, one.field.path.len(), one.field.path.clone())
    });
    let runners_up: Vec<String> = candidates.iter().skip(1).take(3).map(said).collect();
    if let Some(best) = candidates.first().filter(|best| best.score >= ENOUGH) {
        return by_field(best, look, known, runners_up);
    }
    let runners_up = candidates.iter().take(3).map(said).collect();
    by_hash(look, known, runners_up)
}

fn said(candidate: &Candidate<'_>) -> String {
    format!("{} ({})", candidate.field.path, candidate.reasons.join(", "))
}

fn by_field(
    best: &Candidate<'_>,
    look: &Look,
    known: &Known<'_>,
    runners_up: Vec<String>,
) -> (Guess, Vec<String>) {
    let path = &best.field.path;
    let mut because = vec![format!("`{path}`: {}", best.reasons.join(", "))];
    let mut parts = vec![path.clone()];
    if collides(&[best.field], known) {
        let more = told_apart(best.field, look, known);
        if let Some(more) = more {
            because.push(format!(
                "items of one payload share it, so `{}` is taken too, which tells them apart",
                more.path
            ));
            parts.push(more.path.clone());
        } else {
            because.push("items of one payload share it: they will be one alert".to_owned());
        }
    }
    let items = known.payloads.len();
    let whole = if let [only] = parts.as_slice() { Yaml::text(only) } else { hash(&parts) };
    if there(best.field) == items {
        return (Guess { field: "event_key", value: whole, because, runners_up }, parts);
    }
    let (other, paths) = stable(look, known);
    if paths.is_empty() {
        because.push("items without it have no key and fail".to_owned());
        return (Guess { field: "event_key", value: whole, because, runners_up }, parts);
    }
    because.push("items without it are known by what else tells them apart".to_owned());
    let value = Yaml::table("from", Yaml::List(vec![whole, other]));
    (Guess { field: "event_key", value, because, runners_up }, parts)
}

fn by_hash(look: &Look, known: &Known<'_>, runners_up: Vec<String>) -> (Guess, Vec<String>) {
    let (value, paths) = stable(look, known);
    let because = if paths.is_empty() {
        vec!["nothing in the samples tells one problem from another: say what does".to_owned()]
    } else {
        vec![
            "no field is an identifier of the problem, so its rule and what it is about are taken together".to_owned(),
            "check that nothing in it changes until the recovery".to_owned(),
        ]
    };
    let value = if paths.is_empty() { hash(&["$".to_owned()]) } else { value };
    (Guess { field: "event_key", value, because, runners_up }, paths)
}

fn hash(paths: &[String]) -> Yaml {
    Yaml::table("hash", Yaml::List(paths.iter().map(Yaml::text).collect()))
}

/// What stays the same until the recovery, as a hash: labels where there are any, else the rule and the resource.
fn stable(look: &Look, known: &Known<'_>) -> (Yaml, Vec<String>) {
    let is_labels = |field: &&Field| {
        field
            .own
            .last()
            .is_some_and(|name| LABELS.contains(&name.as_str()) && name != "annotations")
            && there(field) == known.payloads.len()
            && field
                .values
                .iter()
                .flatten()
                .all(|value| value.as_object().is_some_and(|it| it.len() > 1))
            && !says_status(field)
    };
    if let Some(labels) = look.objects.iter().find(is_labels) {
        let paths = vec![labels.path.clone()];
        return (hash(&paths), paths);
    }
    let mut paths = Vec::new();
    for hints in [RULES, TITLES, RESOURCES, TITLES] {
        let best = look
            .fields
            .iter()
            .filter(|field| is_stable(field, known) && !paths.contains(&field.path));
        let best = best
            .map(|field| (weigh(&field.words, hints) - if field.of_item { 0 } else { 10 }, field))
            .filter(|(score, _)| *score >= 14)
            .max_by_key(|(score, field)| (*score, std::cmp::Reverse(field.path.clone())));
        if let Some((_, field)) = best
            && (paths.is_empty() || hints != TITLES || paths.len() < 2)
        {
            paths.push(field.path.clone());
        }
    }
    if paths.is_empty() {
        let any = look.fields.iter().filter(|field| is_stable(field, known) && there(field) > 0);
        paths.extend(any.take(3).map(|field| field.path.clone()));
    }
    (hash(&paths), paths)
}

/// Whether an object of labels holds the status too, which is not the same for the recovery.
fn says_status(field: &Field) -> bool {
    let mut objects = field.values.iter().flatten().filter_map(|value| value.as_object());
    objects.any(|object| {
        object.keys().any(|name| ["status", "state"].contains(&name.to_lowercase().as_str()))
    })
}

fn is_stable(field: &Field, known: &Known<'_>) -> bool {
    let form = form_of(field);
    let is_text = matches!(form, Form::Word | Form::Line | Form::Identifier | Form::Integer);
    is_text
        && !known.not.contains(&field.path)
        && !tells_going(field)
        && weigh(&field.own, NOT_KEYS) < 30
        && contradicted(field, known) != Some(true)
}

fn candidates<'a>(look: &'a Look, known: &Known<'_>) -> Vec<Candidate<'a>> {
    let fits = |field: &&Field| {
        let form = form_of(field);
        !field.many
            && matches!(
                form,
                Form::Word | Form::Line | Form::Identifier | Form::Integer | Form::Link
            )
            && !known.not.contains(&field.path)
    };
    let fields: Vec<&Field> = look.fields.iter().filter(fits).collect();
    let is_proven = fields
        .iter()
        .any(|field| weigh(&field.words, KEYS) > 0 && contradicted(field, known) == Some(false));
    let links: Vec<&Field> =
        look.fields.iter().filter(|field| form_of(field) == Form::Link).collect();
    fields
        .into_iter()
        .map(|field| judged(field, known, is_proven))
        .map(|candidate| as_looked_up(candidate, &links))
        .filter(|one| one.score > 0)
        .collect()
}

fn judged<'a>(field: &'a Field, known: &Known<'_>, is_proven: bool) -> Candidate<'a> {
    let (items, form) = (known.payloads.len(), form_of(field));
    let named = weigh(&field.words, KEYS);
    let spoken_against = weigh(&field.words, NOT_KEYS);
    let mut score = named - spoken_against;
    let mut reasons = Vec::new();
    if named > spoken_against {
        reasons.push("named like a key".to_owned());
    }
    if spoken_against > named {
        reasons.push("named like what is no key".to_owned());
    }
    score += match form {
        Form::Identifier => 10,
        Form::Integer => 6,
        Form::Word => 3,
        Form::Link => -10,
        _ => -6,
    };
    reasons.push(form.said().to_owned());
    let present = there(field);
    score += if present == items { 8 } else { share(present, items, 20) - 20 };
    reasons.push(format!("in {present} of {items} items"));
    if !field.of_item && known.payloads.windows(2).any(|two| two[0] == two[1]) {
        score -= 30;
        reasons.push("the same for all items of a payload".to_owned());
    } else if has_batches(known) && !collides(&[field], known) {
        score += 12;
        reasons.push("different in each item of a payload".to_owned());
    } else if has_batches(known) {
        score -= 12;
        reasons.push("shared by items of one payload".to_owned());
    }
    match contradicted(field, known) {
        Some(true) if is_proven => {
            score -= 60;
            reasons.push("not the same in a problem and its recovery".to_owned());
        }
        Some(false) => {
            score += 20;
            reasons.push("the same in a problem and its recovery".to_owned());
        }
        Some(true) | None => {}
    }
    if tells_going(field) {
        score -= 40;
    }
    Candidate { field, score, reasons }
}

/// The same, where its name tells nothing, weighed by what a sender does with what it looks up: it numbers it, and puts
/// it into its own links.
fn as_looked_up<'a>(candidate: Candidate<'a>, links: &[&Field]) -> Candidate<'a> {
    let Candidate { field, mut score, mut reasons } = candidate;
    let is_named = |hints| weigh(&field.words, hints) > 0;
    let said = texts(field);
    let has_digits = said.iter().all(|text| text.chars().any(|letter| letter.is_ascii_digit()));
    let has_name = is_named(KEYS)
        || is_named(NOT_KEYS)
        || is_named(RESOURCES)
        || is_named(RULES)
        || is_named(TITLES);
    if said.is_empty()
        || !has_digits
        || has_name
        || !matches!(form_of(field), Form::Word | Form::Integer)
    {
        return Candidate { field, score, reasons };
    }
    if said.iter().all(|text| is_numbered(text)) {
        score += 7;
        reasons.push("numbered".to_owned());
    }
    if links.iter().any(|link| names(link, field)) {
        score += 15;
        reasons.push("in the sender's link".to_owned());
    }
    Candidate { field, score, reasons }
}

/// Whether it is a few letters and then a number, e.g. `ep-7731`.
fn is_numbered(text: &str) -> bool {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let letters = text.len() - rest.len();
    let number = rest.trim_start_matches(['-', '_', '#', '/']);
    (1..=12).contains(&letters) && number.len() > 2 && number.bytes().all(|it| it.is_ascii_digit())
}

/// Whether a link has in every item, as one part of it, what the field says there.
fn names(link: &Field, field: &Field) -> bool {
    field.values.iter().zip(&link.values).filter(|(said, _)| said.is_some()).all(|(said, link)| {
        let (Some(said), Some(link)) = (said, link) else { return false };
        let (said, link) = (text(said), text(link));
        said.len() > 2 && link.split(['/', '?', '&', '=', '#']).any(|part| part == said)
    })
}

fn has_batches(known: &Known<'_>) -> bool {
    known.payloads.windows(2).any(|two| two[0] == two[1])
}

/// Whether no recovery says what a problem says. `None` where there are not both.
fn contradicted(field: &Field, known: &Known<'_>) -> Option<bool> {
    let of = |way: Going| -> BTreeSet<String> {
        let these = field.values.iter().zip(known.going).filter(|(_, going)| **going == Some(way));
        these.filter_map(|(value, _)| Some(text(value.as_ref()?).into_owned())).collect()
    };
    let (alerts, recoveries) = (of(Going::Alert), of(Going::Recovery));
    if alerts.is_empty() || recoveries.is_empty() {
        return None;
    }
    let distinct: BTreeSet<String> = texts(field).into_iter().collect();
    // What never changes proves nothing, unless there is but one problem.
    if distinct.len() == 1 && known.payloads.len() > 2 {
        return None;
    }
    Some(alerts.is_disjoint(&recoveries))
}

/// Whether two items of one payload have the same values in all these fields.
fn collides(fields: &[&Field], known: &Known<'_>) -> bool {
    let mut seen: BTreeMap<usize, BTreeSet<Vec<String>>> = BTreeMap::new();
    known.payloads.iter().enumerate().any(|(item, payload)| {
        let values: Option<Vec<String>> = fields
            .iter()
            .map(|field| Some(text(field.values.get(item)?.as_ref()?).into_owned()))
            .collect();
        values.is_some_and(|values| !seen.entry(*payload).or_default().insert(values))
    })
}

/// The field that tells apart the items of one payload that share `best`.
fn told_apart<'a>(best: &Field, look: &'a Look, known: &Known<'_>) -> Option<&'a Field> {
    let fits = look.fields.iter().filter(|field| {
        field.of_item && !field.many && field.path != best.path && is_stable(field, known)
    });
    fits.filter(|field| !collides(&[best, field], known) && there(field) == known.payloads.len())
        .max_by_key(|field| (weigh(&field.words, RESOURCES), std::cmp::Reverse(field.path.clone())))
}
