//! Guesses the fields that people read: title, description, rule, resources, times, and what else is worth keeping.

use std::collections::BTreeSet;

use super::{
    Guess,
    form::{Form, form_of, tells_going, texts, there},
    look::{Field, Look},
    names::{ACCOUNTS, DESCRIPTIONS, ENDS, LABELS, NOT_KEYS, RESOURCES, RULES, STARTS, TITLES},
    status::{Status, share},
    words::weigh,
    yaml::Yaml,
};

/// How many fields go into `additional_info`.
const INFO: usize = 14;

/// Guesses the fields that people read. `used` are the paths that say severity and status.
pub(super) fn texts_of(look: &Look, items: usize, status: &Status, used: &[String]) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let mut taken: BTreeSet<String> = used.iter().cloned().collect();
    let title = first_of(look, items, ("title", TITLES, &is_title), &taken);
    let title_path = title.as_ref().and_then(|(_, paths)| paths.first().cloned());
    taken.extend(title_path.clone());
    let description = first_of(look, items, ("description", DESCRIPTIONS, &is_description), &taken);
    let described: Vec<String> = description.iter().flat_map(|(_, paths)| paths.clone()).collect();
    taken.extend(described);
    let rule = first_of(look, items, ("rule", RULES, &is_name), &used.iter().cloned().collect());
    let resources = first_of(look, items, ("resources", RESOURCES, &is_resource), &taken);
    let account = first_of(look, items, ("account", ACCOUNTS, &is_account), &taken);
    let image =
        first_of(look, items, ("image_url", &[("image", 40), ("imageurl", 44)], &is_link), &taken);
    for (guess, paths) in
        [title, description, rule, resources, account, image].into_iter().flatten()
    {
        taken.extend(paths);
        guesses.push(guess);
    }
    let (occurred_at, times) = occurred_at(look, items, status);
    guesses.push(occurred_at);
    taken.extend(times);
    guesses.extend(additional_info(look, items, &taken));
    guesses
}

type Test<'t> = &'t dyn Fn(&Field, Form) -> bool;

/// The best fields for a text, the next ones for items that lack it.
fn first_of(
    look: &Look,
    items: usize,
    (field, hints, fits): (&'static str, &[(&str, i32)], Test<'_>),
    taken: &BTreeSet<String>,
) -> Option<(Guess, Vec<String>)> {
    let mut ranked: Vec<(i32, &Field)> = look
        .fields
        .iter()
        .filter(|one| !taken.contains(&one.path) && fits(one, form_of(one)))
        .map(|one| (readable_score(one, items, hints), one))
        .filter(|(score, _)| *score >= 16)
        .collect();
    ranked.sort_by_key(|(score, one)| (-score, !one.of_item, one.path.len(), one.path.clone()));
    let (_, best) = ranked.first()?;
    let mut chosen = vec![best.path.clone()];
    let mut covered: BTreeSet<usize> = said_in(best).collect();
    for (_, next) in ranked.iter().skip(1) {
        if covered.len() < items
            && chosen.len() < 3
            && said_in(next).any(|item| !covered.contains(&item))
        {
            covered.extend(said_in(next));
            chosen.push(next.path.clone());
        }
    }
    let rest = ranked.iter().filter(|(_, one)| !chosen.contains(&one.path));
    let runners_up: Vec<String> = rest.take(3).map(|(_, one)| one.path.clone()).collect();
    let mut because = vec![format!("`{}`: by its name, {}", best.path, form_of(best).said())];
    if chosen.len() > 1 {
        because
            .push(format!("it is in {} of {items} items, so the next best stands in", there(best)));
    }
    if field == "title" && tells_going(best) {
        because
            .push("it says which way the problem goes, so it differs for the recovery".to_owned());
    }
    let value = if let [only] = chosen.as_slice() {
        Yaml::text(only)
    } else {
        Yaml::table("from", Yaml::List(chosen.iter().map(Yaml::text).collect()))
    };
    Some((Guess { field, value, because, runners_up }, chosen))
}

fn said_in(field: &Field) -> impl Iterator<Item = usize> {
    field.values.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(item, _)| item)
}

fn readable_score(field: &Field, items: usize, hints: &[(&str, i32)]) -> i32 {
    let named = weigh(&field.words, hints);
    if named == 0 {
        return 0;
    }
    let form = match form_of(field) {
        Form::Identifier => -12,
        Form::Line => 4,
        Form::Prose => 2,
        _ => 0,
    };
    named + form + share(there(field), items, 6) - if field.of_item { 0 } else { 14 }
}

fn is_title(field: &Field, form: Form) -> bool {
    matches!(form, Form::Word | Form::Line | Form::Identifier | Form::Prose)
        && texts(field).iter().all(|text| text.chars().count() <= 300 && !text.contains('\n'))
}

fn is_description(_: &Field, form: Form) -> bool {
    matches!(form, Form::Line | Form::Prose)
}

fn is_name(field: &Field, form: Form) -> bool {
    matches!(form, Form::Word | Form::Line | Form::Identifier)
        && !tells_going(field)
        && texts(field).iter().all(|text| text.chars().count() <= 120)
}

fn is_resource(field: &Field, form: Form) -> bool {
    matches!(
        form,
        Form::Word | Form::Line | Form::Identifier | Form::Link | Form::Integer | Form::Decimal
    ) && texts(field).iter().all(|text| text.chars().count() <= 160)
}

fn is_account(_: &Field, form: Form) -> bool {
    matches!(form, Form::Word | Form::Identifier | Form::Integer)
}

fn is_link(_: &Field, form: Form) -> bool {
    form == Form::Link
}

/// When it happened; and the paths of all that says when.
fn occurred_at(look: &Look, items: usize, status: &Status) -> (Guess, Vec<String>) {
    let times: Vec<&Field> =
        look.fields.iter().filter(|field| form_of(field) == Form::Time && !field.many).collect();
    let paths: Vec<String> = times.iter().map(|field| field.path.clone()).collect();
    let ranked = |hints: &[(&str, i32)], least: i32| {
        let mut ranked: Vec<(i32, &Field)> = times
            .iter()
            .map(|field| {
                let around = if field.of_item { 0 } else { 8 };
                (weigh(&field.words, hints) + share(there(field), items, 6) - around, *field)
            })
            .filter(|(score, _)| *score >= least)
            .collect();
        ranked.sort_by_key(|(score, field)| (-score, field.path.len(), field.path.clone()));
        ranked.into_iter().map(|(_, field)| field).collect::<Vec<_>>()
    };
    let ends = ranked(ENDS, 22);
    let starts: Vec<&Field> = ranked(STARTS, 8)
        .into_iter()
        .filter(|field| ends.first().is_none_or(|end| end.path != field.path))
        .collect();
    let Some(start) = starts.first().or(times.first()) else {
        return (no_time(look), paths);
    };
    let begin = begin_of(look, start);
    let mut because = vec![format!("`{}`: by its name, {}", start.path, form_of(start).said())];
    because.extend(spelling(start));
    let runners_up = starts.iter().skip(1).take(3).map(|field| field.path.clone()).collect();
    let value = match (ends.first(), &status.path) {
        (Some(end), Some(path)) if !status.over.is_empty() => {
            because.push(format!("a recovery happened at `{}`", end.path));
            let over = status.over.iter().map(Yaml::text).collect();
            let when = Yaml::table(path, Yaml::one_or_list(over));
            let used = Yaml::table("from", Yaml::List(vec![begin_of(look, end), begin.clone()]));
            let case = Yaml::Table(vec![("when".to_owned(), when), ("use".to_owned(), used)]);
            Yaml::Table(vec![
                ("case".to_owned(), Yaml::List(vec![case])),
                ("else".to_owned(), begin),
            ])
        }
        (Some(end), None) if there(end) < items => {
            because.push(format!("a recovery happened at `{}`, where that is there", end.path));
            Yaml::table("from", Yaml::List(vec![Yaml::text(&end.path), begin]))
        }
        _ => begin,
    };
    (Guess { field: "occurred_at", value, because, runners_up }, paths)
}

/// The time that begins at `start`: with the time of day beside it, where that is written apart.
fn begin_of(look: &Look, start: &Field) -> Yaml {
    let is_date =
        texts(start).iter().all(|text| text.len() == 10 && text.contains(['-', '.', '/']));
    if is_date && let Some(clock) = time_of_day(look, start) {
        return Yaml::text(format!("{{{{ {} }}}} {{{{ {} }}}}", start.path, clock.path));
    }
    Yaml::text(&start.path)
}

/// The time of day that belongs to a date: the one whose name differs least.
fn time_of_day<'l>(look: &'l Look, date: &Field) -> Option<&'l Field> {
    let clocks = look.fields.iter().filter(|field| form_of(field) == Form::TimeOfDay);
    clocks.max_by_key(|clock| {
        let shared = clock.words.iter().filter(|word| date.words.contains(word)).count();
        (shared, std::cmp::Reverse(clock.path.clone()))
    })
}

fn spelling(field: &Field) -> Option<String> {
    let first = texts(field).into_iter().next()?;
    let digits = first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let unit = match first.split('.').next().unwrap_or_default().len() {
        10 => "seconds",
        13 => "milliseconds",
        16 => "microseconds",
        _ => "nanoseconds",
    };
    if digits {
        return Some(format!("{unit} since 1970"));
    }
    let has_zone = first.ends_with('Z')
        || first.contains(['+'])
        || first.matches('-').count() > 2
        || first.ends_with("UTC");
    (!has_zone).then(|| "it names no zone: set that of the webhook where it is not UTC".to_owned())
}

fn no_time(look: &Look) -> Guess {
    let mut because = vec!["nothing looks like a time; the time of receipt is taken".to_owned()];
    if look.fields.iter().any(|field| form_of(field) == Form::TimeOfDay) {
        because.push("a time of day without a date is none".to_owned());
    }
    Guess {
        field: "occurred_at",
        value: Yaml::table("received", Yaml::text("at")),
        because,
        runners_up: Vec::new(),
    }
}

/// Links, labels and what else is short enough to be read on call.
fn additional_info(look: &Look, items: usize, taken: &BTreeSet<String>) -> Option<Guess> {
    let mut entries: Vec<(String, Yaml)> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    let add = |field: &Field, entries: &mut Vec<(String, Yaml)>| {
        let name = field.own.join("_");
        let name = if name.is_empty() { field.words.join("_") } else { name };
        let is_new = !entries.iter().any(|(known, _)| *known == name);
        if is_new && !name.is_empty() && entries.len() < INFO {
            entries.push((name, Yaml::text(&field.path)));
        }
    };
    let links = look.fields.iter().filter(|field| form_of(field) == Form::Link && !field.many);
    for link in links.filter(|link| !taken.contains(&link.path)).take(5) {
        add(link, &mut entries);
    }
    let is_labels = |field: &&Field| {
        let name = field.own.last().is_some_and(|name| LABELS.contains(&name.as_str()));
        let is_small = field.values.iter().flatten().all(|value| value.to_string().len() < 4000);
        name && is_small && !field.many && field.own.last().is_none_or(|name| name != "annotations")
    };
    for labels in look.objects.iter().filter(is_labels).take(3) {
        inside.push(labels.path.clone());
        add(labels, &mut entries);
    }
    let rest = look.fields.iter().filter(|field| {
        let is_short = texts(field).iter().all(|text| text.chars().count() <= 120);
        let is_said = there(field) > 0 && there(field) * 4 >= items;
        let is_secret = weigh(
            &field.own,
            &[("token", 1), ("secret", 1), ("signature", 1), ("password", 1), ("key", 1)],
        ) > 0;
        let is_dull = weigh(&field.own, NOT_KEYS) >= 60 && !field.of_item;
        let is_inside = inside.iter().any(|path| field.path.starts_with(path.as_str()));
        !field.many
            && is_short
            && is_said
            && !is_secret
            && !is_dull
            && !is_inside
            && !taken.contains(&field.path)
            && form_of(field) != Form::Link
    });
    for field in rest {
        add(field, &mut entries);
    }
    if entries.is_empty() {
        return None;
    }
    let because = vec![
        "links, labels and short values that nothing else uses; keep what helps on call".to_owned(),
    ];
    let value = Yaml::table("fields", Yaml::Table(entries));
    Some(Guess { field: "additional_info", value, because, runners_up: Vec::new() })
}
