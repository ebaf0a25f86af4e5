//! A first draft of a provider's rules, from samples of what it posts: every field guessed, and every guess explained.
//!
//! Pure heuristics over names, forms and how values change from item to item: the same samples give the same draft.
//! `look` sees which fields there are, `form`, `names` and `words` what they look like and what they are called, `lists` where
//! items are, `shape` which samples belong together; `key`, `status` and `texts` guess, `write` and `yaml` write it down, `proof` reads the
//! samples with the result.

mod form;
mod key;
mod lists;
mod look;
mod names;
mod proof;
mod shape;
mod status;
#[cfg(test)]
mod tests;
mod texts;
mod words;
mod write;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{
    key::Known,
    look::{Item, Variable, look},
    shape::Group,
    yaml::Yaml,
};
use crate::load_error::LoadError;

/// A payload that a sender posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// What it shows, e.g. `firing`; what is no name of a file is made one.
    pub name: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// A draft.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// The provider.
    pub provider: String,
    /// The files by their path, e.g. `rules/<provider>/mapping.yaml`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the draft makes of the samples, one sentence each.
    pub findings: Vec<String>,
    /// What is most likely not meant, and what to do about it.
    pub warnings: Vec<String>,
}

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The provider's name is no name of a directory.
    #[error("`{0}` is no provider's name: expected lower-case letters, digits and `-`")]
    Name(String),
    /// A sample cannot be read.
    #[error("`{name}` is neither JSON nor a web form: {reason}")]
    Unreadable {
        /// The sample.
        name: String,
        /// What is wrong with it as JSON.
        reason: String,
    },
    /// There is nothing in the samples.
    #[error(
        "there is nothing in the samples to draft from: expected an object or a list of objects"
    )]
    Nothing,
    /// What is said to hold the items is no list.
    #[error("no sample has a list at `{0}`: expected the path of one, such as `$.alerts[*]`")]
    NoList(String),
    /// What was drafted does not load: a mistake of ours.
    #[error("the draft does not load, which is a mistake in Alertmill: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Broken(Vec<LoadError>),
}

/// A guess: what becomes of a field, why, and what else might.
struct Guess {
    /// The field of the event.
    field: &'static str,
    /// What gives it.
    value: Yaml,
    /// Why.
    because: Vec<String>,
    /// What was not taken, best first.
    runners_up: Vec<String>,
}

/// How bodies are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// As JSON.
    Json,
    /// As a web form.
    Form,
}

/// Samples, read.
struct Samples {
    body: Body,
    names: Vec<String>,
    values: Vec<Value>,
}

/// One variant, drafted.
struct Variant {
    name: String,
    group: Group,
    when: Option<Yaml>,
    own: Vec<Variable>,
    guesses: Vec<Guess>,
}

/// Drafts the rules of a provider from what it posted.
///
/// # Errors
/// Where a sample is neither JSON nor a form, or none says anything.
pub fn draft(provider: &str, posted: &[Posted]) -> Result<Drafted, DraftError> {
    draft_each(provider, posted, None)
}

/// The same, where the elements of the list at `each`, such as `$.alerts[*]`, are the items, if anything is said.
///
/// # Errors
/// The same, and where there is no such list.
pub fn draft_each(
    provider: &str,
    posted: &[Posted],
    each: Option<&str>,
) -> Result<Drafted, DraftError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if provider.is_empty() || !provider.chars().all(fits) {
        return Err(DraftError::Name(provider.to_owned()));
    }
    let samples = read(posted)?;
    let shared = shared_variables(&samples.values);
    let list = each.map(|each| each.strip_suffix("[*]").unwrap_or(each));
    let has_list = |path: &str| {
        samples.values.iter().any(|sample| lists::list_at(path, sample, &shared).is_some())
    };
    if let Some(each) = each.filter(|_| !list.is_some_and(has_list)) {
        return Err(DraftError::NoList(each.to_owned()));
    }
    let groups = shape::groups(&samples.values, &shared, list);
    if groups.is_empty() {
        return Err(DraftError::Nothing);
    }
    let warnings = overlooked(&groups, &samples, &shared);
    let told = shape::conditions(groups, &samples.values);
    let mut variables = shared;
    let mut variants: Vec<Variant> = Vec::new();
    for (group, when) in told {
        let name = name_of(&group, variants.len());
        let variant = variant((name, group, when), &samples.values, &mut variables);
        variants.push(variant);
    }
    let mut said: Vec<&str> = variants.iter().flat_map(Variant::texts).collect();
    let needed = needed(&variables, &mut said);
    let text = write::mapping(provider, &variants, &needed);
    let drafted = proof::prove(provider, posted, &samples, text)?;
    Ok(Drafted { warnings, ..drafted })
}

/// Warns of lists in what becomes one event each.
fn overlooked(groups: &[Group], samples: &Samples, variables: &[Variable]) -> Vec<String> {
    let whole = groups.iter().filter(|group| group.list.is_none());
    let lists =
        whole.flat_map(|group| lists::overlooked(&samples.values, &group.samples, variables));
    let warning = |(path, at): (String, usize)| {
        let name = samples.names.get(at).map(String::as_str).unwrap_or_default();
        format!(
            "`{path}` is a list of like objects in `{name}`, and the draft makes one event of each post; if each of them is a \
             problem of its own, draft again with `--each '{path}[*]'`"
        )
    };
    let mut warnings: Vec<String> = lists.map(warning).collect();
    warnings.dedup();
    warnings
}

/// The variables that some of these texts use, and those that they use themselves.
fn needed<'v>(variables: &'v [Variable], said: &mut Vec<&'v str>) -> Vec<Variable> {
    let mut needed = Vec::new();
    // Each may use those before it.
    for variable in variables.iter().rev() {
        if said.iter().any(|text| uses(text, &variable.name)) {
            said.push(&variable.of);
            needed.insert(0, variable.clone());
        }
    }
    needed
}

/// Whether a path or a template names a variable.
fn uses(text: &str, name: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        let goes_on = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(goes_on))
    })
}

impl Variant {
    /// Every text of it that may name a variable.
    fn texts(&self) -> Vec<&str> {
        let values = self.guesses.iter().map(|guess| &guess.value).chain(&self.when);
        let mut texts: Vec<&str> = values.flat_map(Yaml::texts).collect();
        texts.extend(self.group.list.iter().map(|list| list.path.as_str()));
        texts.extend(self.own.iter().map(|variable| variable.of.as_str()));
        texts
    }
}

/// Reads samples, all as JSON or all as forms.
fn read(posted: &[Posted]) -> Result<Samples, DraftError> {
    let mut names = Vec::new();
    let mut taken = BTreeSet::new();
    for one in posted {
        let name = case_name(&one.name);
        let new = (1..).map(|at| if at == 1 { name.clone() } else { format!("{name}-{at}") });
        let name = new.into_iter().find(|name| !taken.contains(name)).unwrap_or(name);
        taken.insert(name.clone());
        names.push(name);
    }
    let json: Result<Vec<Value>, (usize, serde_json::Error)> = posted
        .iter()
        .enumerate()
        .map(|(at, one)| serde_json::from_slice(body_of(one)).map_err(|error| (at, error)))
        .collect();
    match json {
        Ok(values) => Ok(Samples { body: Body::Json, names, values }),
        Err((at, error)) => {
            let forms: Option<Vec<Value>> = posted.iter().map(|one| form(&one.body)).collect();
            let name = posted.get(at).map(|one| one.name.clone()).unwrap_or_default();
            let values = forms.ok_or(DraftError::Unreadable { name, reason: error.to_string() })?;
            Ok(Samples { body: Body::Form, names, values })
        }
    }
}

fn body_of(one: &Posted) -> &[u8] {
    one.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&one.body)
}

/// The fields of a web form; `None` for what is none.
fn form(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(text).ok()?;
    let is_name = |name: &String| !name.is_empty() && !name.contains(char::is_whitespace);
    let is_form =
        !fields.is_empty() && text.contains('=') && fields.iter().all(|(name, _)| is_name(name));
    is_form.then(|| fields.into_iter().map(|(name, text)| (name, Value::from(text))).collect())
}

/// The name of a case, as files are called.
fn case_name(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(".json").or(name.strip_suffix(".body")).unwrap_or(name);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = stem.chars().map(plain).collect();
    let parts: Vec<&str> = slug.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "sample".to_owned() } else { parts.join("-") }
}

/// The variables that read what is written in texts of the payloads.
fn shared_variables(values: &[Value]) -> Vec<Variable> {
    let items: Vec<Item<'_>> =
        values.iter().map(|payload| Item { payload, element: None }).collect();
    look(&items, &[], &[]).variables
}

fn name_of(group: &Group, at: usize) -> String {
    let list = group.list.as_ref().map(|list| list.path.as_str());
    let ending = list.and_then(|path| path.rsplit(['.', '$']).next()).unwrap_or("event");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = if ending.is_empty() || !ending.chars().all(plain) { "events" } else { ending };
    if at == 0 { name.to_lowercase() } else { format!("{}-{}", name.to_lowercase(), at + 1) }
}

fn variant(
    (name, group, when): (String, Group, Option<Yaml>),
    values: &[Value],
    variables: &mut Vec<Variable>,
) -> Variant {
    // Elements are copied, since some stand in texts that were just read.
    let mut elements: Vec<(usize, Option<Value>)> = Vec::new();
    for at in &group.samples {
        match &group.list {
            None => elements.push((*at, None)),
            Some(list) => {
                let found = lists::list_at(&list.path, &values[*at], variables).unwrap_or_default();
                elements.extend(found.into_iter().map(|element| (*at, Some(element))));
            }
        }
    }
    let items: Vec<Item<'_>> = elements
        .iter()
        .map(|(at, element)| Item { payload: &values[*at], element: element.as_ref() })
        .collect();
    let without: Vec<String> = group.list.iter().map(|list| list.path.clone()).collect();
    let seen = look(&items, &without, variables);
    let (own, shared): (Vec<Variable>, Vec<Variable>) =
        seen.variables.iter().cloned().partition(|variable| variable.of_item);
    *variables = shared;
    let payloads: Vec<usize> = elements.iter().map(|(at, _)| *at).collect();
    let status = status::status(&seen, items.len());
    let (severity_path, severity) = status::severity(&seen, items.len());
    let used: Vec<String> = status.path.iter().chain(&severity_path).cloned().collect();
    let known = Known { payloads: &payloads, going: &status.going, not: used.clone() };
    let (key, key_paths) = key::key(&seen, &known);
    let mut texts = texts::texts_of(&seen, items.len(), &status, &used);
    for guess in &mut texts {
        if guess.field == "title" && key_paths.is_empty() {
            guess.because.push("it may serve as a key".to_owned());
        }
    }
    let mut guesses = vec![key, status.guess, severity];
    guesses.extend(texts);
    let mut said: Vec<&str> = guesses.iter().flat_map(|guess| guess.value.texts()).collect();
    let own = needed(&own, &mut said);
    Variant { name, group, when, own, guesses }
}
