//! Texts with holes: `{{ $.host | upper }} is down`.

use super::scene::{Scene, Source};
use crate::value::text::text;

/// A text with holes.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// What it consists of, in order.
    pub(super) parts: Vec<Part>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A text that stands as it is.
    Text(String),
    /// What a path selects, filtered; empty where it selects nothing.
    Hole(Source, Vec<Filter>),
}

/// What is done to the text in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// `lower`: in lower case.
    Lower,
    /// `upper`: in upper case.
    Upper,
    /// `trim`: without space at either end.
    Trim,
}

impl Filter {
    /// All of them, by name.
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("lower", Self::Lower), ("upper", Self::Upper), ("trim", Self::Trim)];

    /// The text, filtered.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Trim => text.trim().to_owned(),
        }
    }
}

impl Template {
    /// The text; `None` where all its holes are empty, since then it says nothing.
    pub(super) fn render(&self, scene: &Scene<'_>) -> Option<String> {
        let mut out = String::new();
        let mut says_something = false;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Hole(source, filters) => {
                    let Some(found) = source.first(scene) else { continue };
                    says_something = true;
                    match filters.split_first() {
                        None => out.push_str(&text(found)),
                        Some((first, rest)) => {
                            let filtered = first.apply(&text(found));
                            out.push_str(
                                &rest.iter().fold(filtered, |text, filter| filter.apply(&text)),
                            );
                        }
                    }
                }
            }
        }
        scene.spend(out.len());
        says_something.then_some(out)
    }

    /// The paths in its holes, as written.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(source, _) => Some(source.path.to_string()),
        })
    }
}
