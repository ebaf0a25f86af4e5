//! Conditions: which variant of a mapping reads a payload, and which case of a value holds.

use std::fmt;

use regex::Regex;
use serde_json::Value;

use super::scene::{SHORT, Scene, Source};
use crate::value::text::{folded, text};

/// A condition: any of these tables holds. Without tables it always does.
#[derive(Clone, Debug)]
pub(super) struct When {
    /// The tables; in each, all tests must hold.
    pub(super) any: Vec<Vec<Condition>>,
}

/// One line of a condition.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// What is looked at.
    pub(super) subject: Subject,
    /// What must be so.
    pub(super) test: Test,
}

/// What a condition looks at.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// `$.status`: what a path selects; of many, one must do.
    Path(Source),
    /// `header.X-GitHub-Event`: a header of the request.
    Header(String),
    /// `query.kind`: a parameter of the query string.
    Query(String),
}

/// What must be so.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// `firing`, `[firing, pending]`: it is one of these, whatever its letter case.
    Same(Vec<Word>),
    /// `exists: true`: it is there, and neither null nor `""`.
    Exists(bool),
    /// `regex: ^CPU`: its text matches.
    Matches(Regex),
    /// `type: array`: it is of this type.
    Is(Type),
    /// `not: …`: the test does not hold.
    Not(Box<Test>),
    /// `{type: string, regex: …}`: all of these hold.
    All(Vec<Test>),
}

/// A word that something may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is written.
    pub(super) written: String,
    /// As it is compared.
    pub(super) folded: String,
}

/// The types of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `{}`.
    Object,
    /// `[]`.
    Array,
    /// `""`.
    String,
    /// `1`.
    Number,
    /// `true`.
    Boolean,
    /// `null`.
    Null,
}

impl Type {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Object, Self::Array, Self::String, Self::Number, Self::Boolean, Self::Null];

    /// The type of a value.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Object(_) => Self::Object,
            Value::Array(_) => Self::Array,
            Value::String(_) => Self::String,
            Value::Number(_) => Self::Number,
            Value::Bool(_) => Self::Boolean,
            Value::Null => Self::Null,
        }
    }

    /// Its name in rules.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

impl When {
    /// Whether it holds.
    pub(super) fn holds(&self, scene: &Scene<'_>) -> bool {
        self.any.is_empty() || self.any.iter().any(|all| all.iter().all(|one| one.holds(scene)))
    }

    /// What is missing for it to hold, for a person.
    pub(super) fn missed(&self, scene: &Scene<'_>) -> String {
        let failing = |all: &Vec<Condition>| {
            all.iter()
                .find(|one| !one.holds(scene))
                .map(|one| one.complaint(scene))
                .unwrap_or_default()
        };
        self.any.iter().map(failing).collect::<Vec<_>>().join(", or ")
    }
}

impl Condition {
    /// Whether it holds.
    fn holds(&self, scene: &Scene<'_>) -> bool {
        match &self.subject {
            Subject::Path(source) if source.path.is_singular() => {
                let found = source.only(scene).filter(|value| !self.is_unsaid(value, scene));
                self.test.holds(found.as_slice(), scene)
            }
            Subject::Path(source) => {
                let mut found = source.raw(scene);
                found.retain(|value| !self.is_unsaid(value, scene));
                self.test.holds(&found, scene)
            }
            Subject::Header(name) => self.test.holds_for_text(scene.input.headers.get(name), scene),
            Subject::Query(name) => self.test.holds_for_text(scene.input.query.get(name), scene),
        }
    }

    /// Whether a text says nothing because the mapping says so. Only patterns still see it.
    fn is_unsaid(&self, value: &Value, scene: &Scene<'_>) -> bool {
        scene.missing.is_some()
            && matches!(self.test, Test::Exists(_))
            && value.is_string()
            && scene.is_missing(value)
    }

    fn complaint(&self, scene: &Scene<'_>) -> String {
        let (subject, found) = match &self.subject {
            Subject::Path(source) => {
                (source.path.to_string(), source.raw(scene).first().map(|value| shown(value)))
            }
            Subject::Header(name) => {
                (format!("header {name}"), scene.input.headers.get(name).cloned())
            }
            Subject::Query(name) => (format!("query {name}"), scene.input.query.get(name).cloned()),
        };
        let Some(found) = found else {
            return match &self.test {
                Test::Exists(true) => format!("`{subject}` is missing"),
                test => format!("`{subject}` is missing, not {test}"),
            };
        };
        format!("`{subject}` is {found}, not {}", self.test)
    }
}

impl Test {
    /// Whether it holds for what was found.
    fn holds(&self, found: &[&Value], scene: &Scene<'_>) -> bool {
        match self {
            Self::Same(words) => {
                found.iter().any(|value| is_scalar(value) && is_one_of(&text(value), words))
            }
            Self::Exists(wanted) => found.iter().any(|value| says_something(value)) == *wanted,
            Self::Matches(pattern) => found
                .iter()
                .any(|value| is_scalar(value) && pattern.is_match(scene.matched(&text(value)))),
            Self::Is(wanted) => found.iter().any(|value| Type::of(value) == *wanted),
            Self::Not(test) => !test.holds(found, scene),
            Self::All(tests) => tests.iter().all(|test| test.holds(found, scene)),
        }
    }

    fn holds_for_text(&self, found: Option<&String>, scene: &Scene<'_>) -> bool {
        let value = found.map(|text| Value::String(text.clone()));
        self.holds(value.as_ref().as_slice(), scene)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(words) => {
                let written: Vec<&str> = words.iter().map(|word| word.written.as_str()).collect();
                write!(f, "`{}`", written.join("` or `"))
            }
            Self::Exists(true) => f.write_str("there"),
            Self::Exists(false) => f.write_str("absent"),
            Self::Matches(pattern) => write!(f, "matching `{pattern}`"),
            Self::Is(wanted) => write!(f, "of type {}", wanted.name()),
            Self::Not(test) => write!(f, "other than {test}"),
            Self::All(tests) => {
                let all: Vec<String> = tests.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(" and "))
            }
        }
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_) | Value::Null)
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn is_one_of(text: &str, words: &[Word]) -> bool {
    // Nobody asks for words so long, and folding them costs.
    if text.len() > SHORT {
        return false;
    }
    let text = folded(text);
    words.iter().any(|word| word.folded == *text)
}

/// A value, short enough for a message.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = text(value);
            let mut short: String = text.chars().take(60).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            format!("`{short}`")
        }
    }
}
