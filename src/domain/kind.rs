//! Kinds of events: what an event of a kind must say, how bad it is, and who sees it.
//!
//! Services name what happened by a kind in dot notation, e.g. `Software.Project.Secret.Created`. A kind may have a
//! definition; then an event need not say what the definition says, and its parameters must be those that it names. What
//! is recorded of Alertmill itself is of a kind too, so that one list shows both.

mod book;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::collections::BTreeSet;

pub use self::{
    book::{Actions, Grain, Kinds, Records, Seen, Slice, Wanted, is_own},
    vocabulary::{
        Classification, EventList, EventSeverity, ParameterType, Part, Verdict, Visibility,
    },
};

/// The longest name of a kind, in characters.
const LONGEST: usize = 255;

/// What is known of the events of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKind {
    /// Its name in dot notation.
    pub name: String,
    /// What happened, in a sentence: the description of an event that has none.
    pub description: String,
    /// How bad it is, where an event does not say.
    pub severity: EventSeverity,
    /// What it is about, where an event does not say.
    pub classification: Classification,
    /// Whom it is shown to, where an event does not say.
    pub visibility: Visibility,
    /// The list it is kept in, where an event does not say.
    pub list: EventList,
    /// What its events must say and may say.
    pub parameters: Vec<Parameter>,
    /// Which records of Alertmill's own are of this kind.
    pub records: Vec<Recorded>,
}

/// A parameter of the events of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: ParameterType,
    /// Whether an event must have it.
    pub need: Need,
    /// What of a record it holds, where a record is of this kind.
    pub from: Option<Part>,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// Records of Alertmill's own that are of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// What was done, e.g. `user.login`.
    pub action: String,
    /// Whether it was.
    pub verdict: Verdict,
}

/// A parameter that does not fit the definition of its event's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where: the list that it stands in or is missing from.
    pub list: ParameterType,
    /// Its place in that list; `None` for one that is missing.
    pub at: Option<usize>,
    /// Which parameter it is, and what was expected.
    pub detail: String,
}

impl EventKind {
    /// What of an event's parameters, given by their names in their order, does not fit; empty where all of it does.
    pub fn misfits(&self, texts: &[&str], numbers: &[&str]) -> Vec<Misfit> {
        let mut wrong = Vec::new();
        for (list, names) in [(ParameterType::Text, texts), (ParameterType::Uint64, numbers)] {
            for (at, name) in names.iter().enumerate() {
                if let Some(detail) = self.fault(list, name) {
                    wrong.push(Misfit { list, at: Some(at), detail });
                }
            }
        }
        for Parameter { name, holds, need, .. } in &self.parameters {
            let is_there = texts.contains(&name.as_str()) || numbers.contains(&name.as_str());
            if *need == Need::Required && !is_there {
                let kind = &self.name;
                let detail = format!("`{kind}` needs the parameter `{name}` ({holds})");
                wrong.push(Misfit { list: *holds, at: None, detail });
            }
        }
        wrong
    }

    /// What is wrong with a parameter of this name in this list.
    fn fault(&self, list: ParameterType, name: &str) -> Option<String> {
        let kind = &self.name;
        let Some(known) = self.parameters.iter().find(|known| known.name == name) else {
            let known: Vec<String> =
                self.parameters.iter().map(|known| format!("`{}`", known.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Some(format!("`{kind}` has no parameter `{name}`; it has {known}"));
        };
        let right = match known.holds {
            ParameterType::Text => "a text: give it in `parameters_text`",
            ParameterType::Uint64 => "a number: give it in `parameters_uint64`",
        };
        (known.holds != list).then(|| format!("the parameter `{name}` of `{kind}` is {right}"))
    }
}

/// The first parameter whose name stood in its lists before, and its place among all of them.
pub fn repeated<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<(usize, &'n str)> {
    let mut seen = BTreeSet::new();
    names.into_iter().enumerate().find(|(_, name)| !seen.insert(*name))
}

/// What is wrong with the name of a kind; `None` where it is one.
pub fn kind_fault(name: &str) -> Option<String> {
    let is_word = |word: &str| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        !word.is_empty() && word.chars().all(letters)
    };
    if name.is_empty() {
        return Some("a kind says what happened, e.g. `Software.Project.Created`".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Some(format!("a kind has at most {LONGEST} characters"));
    }
    (!name.split('.').all(is_word)).then(|| {
        "a kind is words of letters, digits, `_` and `-` with dots between, e.g. \
         `Software.Project.Created`"
            .to_owned()
    })
}
