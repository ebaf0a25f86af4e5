//! A `JSONPath` (RFC 9535), compiled once. The only user of `jsonpath_rust`.
//!
//! Chains of names, indexes and wildcards, which is what nearly every rule needs, are walked directly; anything else is
//! left to `jsonpath_rust`, which is several times slower.

use std::{
    fmt::{self, Write as _},
    ops::Range,
};

use jsonpath_rust::{
    parser::{model::JpQuery, parse_json_path},
    query::{QueryRef, js_path_process},
};
use serde_json::Value;

/// A compiled path.
#[derive(Clone, Debug)]
pub struct Path {
    text: Box<str>,
    root: Root,
    walk: Walk,
    is_singular: bool,
}

/// Where a path starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `$`: the whole payload.
    Payload,
    /// `@`: the element that is looked at.
    Element,
    /// `$name`: a variable.
    Variable(Box<str>),
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path: {reason}")]
pub struct PathError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How much more a query costs for each value than a walk.
const QUERY_COST: usize = 4;

/// How a path is followed.
#[derive(Clone, Debug)]
enum Walk {
    /// Names, indexes and wildcards.
    Steps(Vec<Step>),
    /// Everything else.
    Query(Box<JpQuery>),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `.name`: a field of an object.
    Name(Box<str>),
    /// `[0]`, `[-1]`: an element of a list, counted from its end if negative.
    Index(i64),
    /// `[*]`: every element of a list, every value of an object.
    All,
}

impl Path {
    /// Compiles a path.
    ///
    /// # Errors
    /// Where `text` is none, or needs what rules refuse because it is slow or wrong in silence.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fault = |reason: String| PathError { text: text.to_owned(), reason };
        let (root, rest) = split_root(text).ok_or_else(|| {
            fault("it must begin with `$` (the payload), `@` (the element) or `$name`".to_owned())
        })?;
        let walk = match steps(rest) {
            Some(steps) => Walk::Steps(steps),
            None => Walk::Query(Box::new(query(rest).map_err(fault)?)),
        };
        let is_singular = match &walk {
            Walk::Steps(steps) => !steps.contains(&Step::All),
            Walk::Query(_) => false,
        };
        Ok(Self { text: text.into(), root, walk, is_singular })
    }

    /// Where it starts.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whether it selects one value at most.
    pub fn is_singular(&self) -> bool {
        self.is_singular
    }

    /// The names that it begins with.
    pub fn leading_names(&self) -> Vec<&str> {
        let Walk::Steps(steps) = &self.walk else { return Vec::new() };
        let names = steps.iter().map_while(|step| match step {
            Step::Name(name) => Some(name.as_ref()),
            Step::Index(_) | Step::All => None,
        });
        names.collect()
    }

    /// The value that it selects, `null` included, if it is a path that selects one at most; its first `taken` steps
    /// have led to `from`.
    pub fn only_after<'a>(&self, taken: usize, from: &'a Value) -> Option<&'a Value> {
        match &self.walk {
            Walk::Steps(steps) => {
                steps.get(taken..)?.iter().try_fold(from, |value, step| down(step, value))
            }
            Walk::Query(_) => None,
        }
    }

    /// The value that some of its steps lead to from `from`, none of which may lead to more than one.
    pub fn only_through<'a>(&self, steps: Range<usize>, from: &'a Value) -> Option<&'a Value> {
        match &self.walk {
            Walk::Steps(all) => {
                all.get(steps)?.iter().try_fold(from, |value, step| down(step, value))
            }
            Walk::Query(_) => None,
        }
    }

    /// Every value it selects, starting at `from`, in document order.
    pub fn all<'a>(&self, from: &'a Value) -> Vec<&'a Value> {
        self.all_and_visits(from).0
    }

    /// The same, and about how many values were looked at.
    pub fn all_and_visits<'a>(&self, from: &'a Value) -> (Vec<&'a Value>, usize) {
        let mut found = Vec::new();
        let mut visits = 1;
        match &self.walk {
            Walk::Steps(steps) => all_of(steps, from, &mut found, &mut visits),
            Walk::Query(query) => {
                found.extend(selected(query, from).into_iter().map(QueryRef::val));
                visits = QUERY_COST * size(from);
            }
        }
        (found, visits)
    }

    /// Every value it selects with its place, where `from` itself is at `base`, e.g. `$.alerts[2]`; so many at most.
    pub fn located<'a>(
        &self,
        from: &'a Value,
        base: &str,
        most: usize,
    ) -> Vec<(String, &'a Value)> {
        match &self.walk {
            Walk::Steps(steps) => {
                let mut found = Vec::new();
                locate(steps, (from, base.to_owned()), most, &mut found);
                found
            }
            Walk::Query(query) => selected(query, from)
                .into_iter()
                .take(most)
                .map(|found| (relocated(&found.path, base), found.val))
                .collect(),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The root a path begins with, and the rest.
fn split_root(text: &str) -> Option<(Root, &str)> {
    if let Some(rest) = text.strip_prefix('@') {
        return Some((Root::Element, rest));
    }
    let rest = text.strip_prefix('$')?;
    let end = rest.find(|letter: char| !is_in_name(letter)).unwrap_or(rest.len());
    match &rest[..end] {
        "" => Some((Root::Payload, rest)),
        name => Some((Root::Variable(name.into()), &rest[end..])),
    }
}

fn is_in_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

/// The steps that a text stands for; `None` where it needs more than names, indexes and wildcards.
fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(after) = rest.strip_prefix("[*]") {
            (Step::All, after)
        } else if let Some(after) = rest.strip_prefix(".*") {
            (Step::All, after)
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|letter: char| !is_in_name(letter)).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            (Step::Name(after[..end].into()), &after[end..])
        } else {
            bracketed(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// What stands in a bracket: a quoted name or an index; and the rest behind it.
fn bracketed(inside: &str) -> Option<(Step, &str)> {
    let quote = inside.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let Some(quote) = quote else {
        let (number, after) = inside.split_once(']')?;
        return Some((Step::Index(number.trim().parse().ok()?), after));
    };
    let mut name = String::new();
    let mut letters = inside[1..].char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            let after = inside[1 + at + 1..].strip_prefix(']')?;
            return Some((Step::Name(name.into()), after));
        }
        if letter == '\\' {
            match letters.next()?.1 {
                plain @ ('\'' | '"' | '\\' | '/') => name.push(plain),
                _ => return None,
            }
            continue;
        }
        name.push(letter);
    }
    None
}

/// The query that a text stands for, or what is wrong with it.
fn query(rest: &str) -> Result<JpQuery, String> {
    let refused = [
        (
            "match(",
            "test with `regex:` in the rule; a pattern inside a path is compiled anew for each element",
        ),
        (
            "search(",
            "test with `regex:` in the rule; a pattern inside a path is compiled anew for each element",
        ),
        ("$.", "a filter may look at `@` only"),
        ("$[", "a filter may look at `@` only"),
    ];
    for (what, why) in refused {
        if rest.contains(what) {
            return Err(format!("`{what}` is refused: {why}"));
        }
    }
    if !["[?", "..", ":", ","].iter().any(|mark| rest.contains(mark)) {
        return Err(misspelt(rest));
    }
    if rest.matches("..").count() > 1 {
        return Err("one `..` is the most, since each looks at everything below".to_owned());
    }
    let whole = format!("${rest}");
    parse_json_path(&whole).map_err(|_| misspelt(rest))
}

/// What is wrong with what follows a root.
fn misspelt(rest: &str) -> String {
    match rest.chars().next() {
        Some('.' | '[') => {
            "write names like `.name` or `['host.name']`, indexes like `[0]`, all elements as `[*]`"
                .to_owned()
        }
        Some(other) => format!("`.` or `[` was expected where `{other}` stands"),
        None => "it is empty".to_owned(),
    }
}

/// What a query selects, with places.
fn selected<'a>(query: &JpQuery, from: &'a Value) -> Vec<QueryRef<'a, Value>> {
    js_path_process(query, from).unwrap_or_default()
}

/// One step down from `value`, for a step that leads to one value at most.
fn down<'a>(step: &Step, value: &'a Value) -> Option<&'a Value> {
    match (step, value) {
        (Step::Name(name), Value::Object(fields)) => fields.get(name.as_ref()),
        (Step::Index(index), Value::Array(items)) => items.get(place(*index, items.len())?),
        (Step::Name(_) | Step::Index(_) | Step::All, _) => None,
    }
}

/// The place that an index means in a list of `length`.
fn place(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { length.checked_sub(distance) } else { Some(distance) }
}

/// What is directly below a value.
fn children<'a>(value: &'a Value) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Box::new(std::iter::empty())
        }
    }
}

/// How many values there are in a value, itself included.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(fields) => fields.values().map(size).sum::<usize>() + 1,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

fn all_of<'a>(steps: &[Step], from: &'a Value, found: &mut Vec<&'a Value>, visits: &mut usize) {
    let mut value = from;
    for (at, step) in steps.iter().enumerate() {
        if *step == Step::All {
            for child in children(value) {
                *visits += 1;
                all_of(&steps[at + 1..], child, found, visits);
            }
            return;
        }
        let Some(next) = down(step, value) else { return };
        value = next;
    }
    found.push(value);
}

fn locate<'a>(
    steps: &[Step],
    (value, base): (&'a Value, String),
    most: usize,
    found: &mut Vec<(String, &'a Value)>,
) {
    let Some((step, rest)) = steps.split_first() else {
        found.push((base, value));
        return;
    };
    match (step, value) {
        (Step::All, Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                if found.len() >= most {
                    return;
                }
                locate(rest, (item, format!("{base}[{at}]")), most, found);
            }
        }
        (Step::All, Value::Object(fields)) => {
            for (name, field) in fields {
                if found.len() >= most {
                    return;
                }
                locate(rest, (field, named(base.clone(), name)), most, found);
            }
        }
        (Step::Name(name), _) => {
            if let Some(next) = down(step, value) {
                locate(rest, (next, named(base, name)), most, found);
            }
        }
        (Step::Index(index), Value::Array(items)) => {
            if let (Some(next), Some(at)) = (down(step, value), place(*index, items.len())) {
                locate(rest, (next, format!("{base}[{at}]")), most, found);
            }
        }
        (Step::All | Step::Index(_), _) => {}
    }
}

/// The place of a field of what is at `base`.
fn named(mut base: String, name: &str) -> String {
    let is_plain = !name.is_empty() && name.chars().all(is_in_name);
    if is_plain {
        base.push('.');
        base.push_str(name);
    } else {
        let _ = write!(base, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    base
}

/// A place as `jsonpath_rust` writes it, `$['a'][0]`, as we do, below `base`.
fn relocated(place: &str, base: &str) -> String {
    let Some(steps) = place.strip_prefix('$').and_then(steps) else { return place.to_owned() };
    steps.iter().fold(base.to_owned(), |at, step| match step {
        Step::Name(name) => named(at, name),
        Step::Index(index) => format!("{at}[{index}]"),
        Step::All => at,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({
            "alerts": [
                { "labels": { "severity": null, "host.name": "a" } },
                { "labels": { "severity": "page", "host.name": "b" } },
            ],
            "detail-type": "x",
        })
    }

    #[test]
    fn paths_select_what_they_say() {
        let cases = [
            ("$.detail-type", json!(["x"])),
            ("$.alerts[1].labels.severity", json!(["page"])),
            ("$.alerts[-1].labels['host.name']", json!(["b"])),
            ("$.alerts[*].labels[\"host.name\"]", json!(["a", "b"])),
            ("$.alerts[*].labels.severity", json!([null, "page"])),
            ("$.alerts[9]", json!([])),
            ("$.alerts[-9]", json!([])),
            ("$.alerts.labels", json!([])),
            ("$..severity", json!([null, "page"])),
            ("$.alerts[?@.labels.severity == 'page'].labels['host.name']", json!(["b"])),
            ("$.alerts[0:1].labels['host.name']", json!(["a"])),
        ];
        let payload = sample();
        for (text, expected) in cases {
            let path = Path::parse(text).unwrap();
            let found: Vec<&Value> = path.all(&payload);
            assert_eq!(json!(found), expected, "{text}");
            if path.is_singular() {
                assert_eq!(path.only_after(0, &payload), found.first().copied(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_selected_knows_its_place() {
        let cases = [
            ("$.alerts[-1].labels.severity", vec!["$.alerts[1].labels.severity"]),
            (
                "$.alerts[*].labels['host.name']",
                vec!["$.alerts[0].labels['host.name']", "$.alerts[1].labels['host.name']"],
            ),
            ("$..severity", vec!["$.alerts[0].labels.severity", "$.alerts[1].labels.severity"]),
        ];
        let payload = sample();
        for (text, expected) in cases {
            let found = Path::parse(text).unwrap().located(&payload, "$", 9);
            let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
            assert_eq!(places, expected);
        }
    }

    #[test]
    fn roots_are_told_apart() {
        for (text, root) in [
            ("$", Root::Payload),
            ("$.a", Root::Payload),
            ("@.a", Root::Element),
            ("$msg.a", Root::Variable("msg".into())),
        ] {
            assert_eq!(Path::parse(text).unwrap().root(), &root);
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_a_reason() {
        for text in ["", "a.b", "$.a b", "$.", "$.a[", "$.a[?search(@.b, 'c')]", "$..a..b"] {
            let error = Path::parse(text).unwrap_err();
            assert!(!error.reason.is_empty(), "{text}");
        }
    }
}
