//! How a mapping says where a value comes from, compiled.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    ops::{self, Step},
    scene::{SHORT, Scene, Source},
    tally::Site,
    template::Template,
    when::When,
};
use crate::{
    clock::rfc3339,
    value::text::{folded, is_blank, text},
};

/// How much of a word that a `map` does not know is told, in letters.
const LONGEST_TOLD: usize = 100;

/// The right-hand side of one line of a mapping.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// `$.title`: what a path selects.
    Path(Source),
    /// `{{ $.host }} is down`: a text with holes.
    Template(Template),
    /// `ALERT`: always the same.
    Constant(Value),
    /// `header: X-GitHub-Event`: a header of the request, whatever the case of its name.
    Header(String),
    /// `query: severity`: a parameter of the query string.
    Query(String),
    /// `received: at`: when the delivery arrived.
    ReceivedAt,
    /// `hash: ["@.labels"]`: 32 hexadecimal digits that depend on these values and nothing else.
    Hash(Vec<Expr>),
    /// `json: $.Message`: what a text says as JSON; the text itself where it is none.
    Json(Box<Expr>),
    /// `object: $.detail`: an object flattened to texts, `{"a": {"b": 1}}` as `{"a.b": "1"}`.
    Object(Box<Expr>),
    /// `pairs: $.tags`: an object from pairs such as `[["k", "v"]]`, `[{"key": "k", "value": "v"}]` or `"k:v"`.
    Pairs(Box<Expr>),
    /// `list: [$.hosts, $.resource.name]`: all of these in one list, lists among them opened.
    List(Vec<Expr>),
    /// `fields: {region: $.Region}`: an object of these, without what is missing.
    Fields(Vec<(String, Expr)>),
    /// `merge: ["@.labels", {fields: …}]`: the fields of several objects in one; the last that has a field gives it.
    Merge(Vec<Expr>),
    /// `from: …`, with what is done to it.
    Chain(Box<Chain>),
    /// `case: [{when: …, use: …}]`: the first whose condition holds.
    Case(Vec<Arm>, Option<Box<Otherwise>>),
    /// What does not depend on the item, so that it is read, and counted, once per payload; by its slot.
    Once(usize, Box<Expr>),
}

/// One arm of a `case`.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    /// When it holds.
    pub(super) when: When,
    /// What it gives.
    pub(super) gives: Expr,
    /// Where it is counted.
    pub(super) site: Site,
}

/// What stands in where nothing came out.
#[derive(Clone, Debug)]
pub(super) struct Otherwise {
    /// What it gives.
    pub(super) gives: Expr,
    /// Where it is counted.
    pub(super) site: Site,
}

/// A value, or the first of several that is there, and what is done to it.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The first of these that says something.
    pub(super) from: Vec<Expr>,
    /// What is done to it.
    pub(super) then: Vec<Step>,
    /// The words it is translated by.
    pub(super) map: Option<Lookup>,
    /// What stands in where nothing came out.
    pub(super) otherwise: Option<Otherwise>,
}

/// A translation of words, whatever their letter case.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The words, sorted, and what they become.
    pub(super) rows: Vec<Row>,
    /// Where it is counted.
    pub(super) site: Site,
    /// Whether it gives how bad things are, so that the webhook's own words come first.
    pub(super) is_of_severity: bool,
}

/// A word and what it becomes.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The word, folded.
    pub(super) word: Box<str>,
    /// What it becomes.
    pub(super) becomes: Expr,
    /// Where it is counted.
    pub(super) site: Site,
}

/// How many values are wanted of a path that selects many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// The first.
    One,
    /// All, as a list.
    All,
}

impl Expr {
    /// The value, if there is one that says something.
    pub(super) fn eval<'a>(&'a self, scene: &Scene<'a>, want: Want) -> Option<Cow<'a, Value>> {
        let value = match self {
            Self::Path(source) => return selected(source, scene, want),
            Self::Template(template) => Cow::Owned(Value::String(template.render(scene)?)),
            Self::Constant(value) => Cow::Borrowed(value),
            Self::Header(name) => Cow::Owned(Value::String(scene.input.headers.get(name)?.clone())),
            Self::Query(name) => Cow::Owned(Value::String(scene.input.query.get(name)?.clone())),
            Self::ReceivedAt => Cow::Owned(Value::String(rfc3339(scene.input.received_at))),
            Self::Hash(parts) => Cow::Owned(Value::String(hash(parts, scene)?)),
            Self::Json(of) => Cow::Owned(ops::json(of.eval(scene, Want::One)?.as_ref())),
            Self::Object(of) => {
                Cow::Owned(ops::flattened(of.eval(scene, Want::One)?.as_ref(), scene))
            }
            Self::Pairs(of) => Cow::Owned(ops::pairs(of.eval(scene, Want::All)?.as_ref())),
            Self::List(parts) => Cow::Owned(list(parts, scene)),
            Self::Fields(fields) => Cow::Owned(object(fields, scene)?),
            Self::Merge(parts) => Cow::Owned(merged(parts, scene)?),
            Self::Chain(chain) => return chain.eval(scene, want),
            Self::Case(arms, otherwise) => {
                let hit = arms.iter().find(|arm| arm.when.holds(scene));
                let given = hit.and_then(|arm| {
                    scene.hit(arm.site);
                    arm.gives.eval(scene, want)
                });
                return given.or_else(|| otherwise_of(otherwise.as_deref(), scene, want));
            }
            Self::Once(slot, of) => return once(*slot, of, scene, want),
        };
        (!scene.is_missing(&value)).then_some(value)
    }

    /// Adds the fields of the object that it gives, later ones of a name standing for earlier ones; anything else it
    /// gives stands under `value`.
    pub(super) fn pour(&self, scene: &Scene<'_>, into: &mut Vec<(String, Value)>) {
        match self {
            Self::Merge(parts) => return parts.iter().for_each(|part| part.pour(scene, into)),
            Self::Fields(fields) => {
                into.reserve(fields.len());
                for (name, field) in fields {
                    if let Some(value) = field.eval(scene, Want::All) {
                        scene.spend(name.len() + size(&value));
                        into.push((name.clone(), value.into_owned()));
                    }
                }
                return;
            }
            Self::Path(_)
            | Self::Template(_)
            | Self::Constant(_)
            | Self::Header(_)
            | Self::Query(_)
            | Self::ReceivedAt
            | Self::Hash(_)
            | Self::Json(_)
            | Self::Object(_)
            | Self::Pairs(_)
            | Self::List(_)
            | Self::Chain(_)
            | Self::Case(..)
            | Self::Once(..) => {}
        }
        match self.eval(scene, Want::One) {
            None => {}
            Some(Cow::Borrowed(Value::Object(fields))) => {
                into.reserve(fields.len() + 4);
                for (name, value) in fields {
                    scene.spend(name.len() + size(value));
                    into.push((name.clone(), value.clone()));
                }
            }
            Some(Cow::Owned(Value::Object(fields))) => into.extend(fields),
            Some(other) => {
                scene.spend(size(&other));
                into.push(("value".to_owned(), other.into_owned()));
            }
        }
    }

    /// The paths that it looks up, as written, in their order.
    pub(super) fn paths(&self, found: &mut Vec<String>) {
        match self {
            Self::Path(source) => found.push(source.path.to_string()),
            Self::Template(template) => found.extend(template.paths()),
            Self::Constant(_) | Self::ReceivedAt => {}
            Self::Header(name) => found.push(format!("header {name}")),
            Self::Query(name) => found.push(format!("query {name}")),
            Self::Hash(parts) | Self::List(parts) | Self::Merge(parts) => {
                for part in parts {
                    part.paths(found);
                }
            }
            Self::Json(of) | Self::Object(of) | Self::Pairs(of) | Self::Once(_, of) => {
                of.paths(found);
            }
            Self::Fields(fields) => {
                for (_, field) in fields {
                    field.paths(found);
                }
            }
            Self::Chain(chain) => {
                for part in &chain.from {
                    part.paths(found);
                }
                if let Some(part) = &chain.otherwise {
                    part.gives.paths(found);
                }
            }
            Self::Case(arms, otherwise) => {
                for arm in arms {
                    arm.gives.paths(found);
                }
                if let Some(part) = otherwise {
                    part.gives.paths(found);
                }
            }
        }
    }
}

impl Chain {
    fn eval<'a>(&'a self, scene: &Scene<'a>, want: Want) -> Option<Cow<'a, Value>> {
        let wanted = match (self.then.first(), &self.map) {
            (Some(first), _) => first.wants(),
            (None, Some(_)) => Want::One,
            (None, None) => want,
        };
        let mark = scene.mark();
        let mut value = self.from.iter().find_map(|part| {
            let value = part.eval(scene, wanted);
            if value.is_none() {
                scene.rewind(mark);
            }
            value
        });
        for step in &self.then {
            value = step.apply(value, scene).filter(|value| !is_blank(value));
        }
        let mut missed = None;
        if let Some(map) = &self.map {
            value = value.and_then(|value| {
                let found = map.translate(&value, scene);
                if found.is_none() && scene.trace.is_some() {
                    missed = Some(text(&value).chars().take(LONGEST_TOLD).collect::<String>());
                }
                found
            });
        }
        value.or_else(|| {
            match missed {
                None => scene.rewind(mark),
                // Where the word stands stays said.
                Some(word) => scene.did(|| format!("map does not know {word}")),
            }
            otherwise_of(self.otherwise.as_ref(), scene, want)
        })
    }
}

impl Lookup {
    /// What a value becomes.
    fn translate<'a>(&'a self, value: &Value, scene: &Scene<'a>) -> Option<Cow<'a, Value>> {
        let word = text(value);
        // Nobody knows words so long, and reading them costs.
        let folded = if word.len() <= SHORT { folded(&word) } else { Cow::Borrowed("") };
        if self.is_of_severity
            && let Some(severity) = scene.input.overrides.severity_map.get(&*folded)
        {
            scene.run.is_overridden.set(true);
            scene.did(|| format!("webhook's severity map {word} to {severity}"));
            return Some(Cow::Owned(Value::String(severity.as_str().to_owned())));
        }
        let found = self.rows.binary_search_by(|row| (*row.word).cmp(&*folded));
        let Some(row) = found.ok().and_then(|at| self.rows.get(at)) else {
            if let Some(stripe) = scene.stripe {
                stripe.unknown(self.site, &word);
            }
            return None;
        };
        scene.hit(row.site);
        let value = row.becomes.eval(scene, Want::One)?;
        scene.did(|| format!("map {word} to {}", text(&value)));
        Some(value)
    }
}

/// What stands in where nothing came out.
fn otherwise_of<'a>(
    otherwise: Option<&'a Otherwise>,
    scene: &Scene<'a>,
    want: Want,
) -> Option<Cow<'a, Value>> {
    let otherwise = otherwise?;
    scene.defaulted(otherwise.site);
    otherwise.gives.eval(scene, want)
}

/// What does not depend on the item. Where origins are noted it is read for each, since each notes its own.
fn once<'a>(slot: usize, of: &'a Expr, scene: &Scene<'a>, want: Want) -> Option<Cow<'a, Value>> {
    let known = scene.run.once.get(slot).filter(|_| scene.trace.is_none());
    let Some(known) = known else { return of.eval(scene, want) };
    let (value, size) = known.get_or_init(|| {
        let value = of.eval(scene, want).map(Cow::into_owned);
        let size = value.as_ref().map_or(0, size);
        (value, size)
    });
    scene.spend(*size);
    value.as_ref().filter(|_| !scene.is_spent()).map(Cow::Borrowed)
}

/// About how many bytes it takes to copy a value.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
        Value::String(text) => 16 + text.len(),
        Value::Array(items) => 16 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            16 + fields.iter().map(|(name, value)| 16 + name.len() + size(value)).sum::<usize>()
        }
    }
}

/// What a path selects.
fn selected<'a>(source: &Source, scene: &Scene<'a>, want: Want) -> Option<Cow<'a, Value>> {
    if want == Want::One || source.path.is_singular() {
        return source.first(scene).map(Cow::Borrowed);
    }
    let found: Vec<Value> = source.all(scene).into_iter().cloned().collect();
    (!found.is_empty()).then_some(Cow::Owned(Value::Array(found)))
}

/// A value as text, without copying where that can be.
pub(super) fn into_text(value: Cow<'_, Value>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => text(value),
        Cow::Owned(Value::String(text)) if !text.contains('\0') => Cow::Owned(text),
        Cow::Owned(value) => Cow::Owned(text(&value).into_owned()),
    }
}

fn hash(parts: &[Expr], scene: &Scene<'_>) -> Option<String> {
    let values: Vec<_> = parts
        .iter()
        .map(|part| part.eval(scene, Want::All).filter(|value| !is_empty_object(value)))
        .collect();
    if values.iter().all(Option::is_none) {
        return None;
    }
    scene.did(|| "hash".to_owned());
    Some(ops::hash(&values))
}

fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

fn list(parts: &[Expr], scene: &Scene<'_>) -> Value {
    scene.made();
    let mut all = Vec::new();
    for part in parts {
        match part.eval(scene, Want::All).map(Cow::into_owned) {
            Some(Value::Array(items)) => {
                all.extend(items.into_iter().filter(|item| !is_blank(item)));
            }
            Some(value) => all.push(value),
            None => {}
        }
    }
    Value::Array(all)
}

fn object(fields: &[(String, Expr)], scene: &Scene<'_>) -> Option<Value> {
    scene.made();
    let found: Map<String, Value> = fields
        .iter()
        .filter_map(|(name, field)| {
            Some((name.clone(), field.eval(scene, Want::All)?.into_owned()))
        })
        .collect();
    (!found.is_empty()).then_some(Value::Object(found))
}

fn merged(parts: &[Expr], scene: &Scene<'_>) -> Option<Value> {
    scene.made();
    let mut all = Vec::new();
    for part in parts {
        part.pour(scene, &mut all);
    }
    (!all.is_empty()).then(|| Value::Object(all.into_iter().collect()))
}
