//! Regular expressions that cost no more than their text is long.

use regex::{RegexSet, RegexSetBuilder};

/// The longest expression, in characters.
const LONGEST: usize = 1000;

/// The most expressions that are tried together.
const MOST: usize = 100;

/// How much memory the compiled expressions may take, in bytes.
const LARGEST: usize = 1 << 20;

/// Regular expressions of which one must match somewhere, in whatever case.
#[derive(Clone, Debug)]
pub struct Patterns {
    sources: Vec<String>,
    compiled: RegexSet,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

/// Why an expression is none.
pub(super) struct Fault {
    /// Which of them; `None` for all together.
    pub(super) at: Option<usize>,
    /// What is wrong.
    pub(super) detail: String,
}

impl Patterns {
    pub(super) fn compile(sources: Vec<String>) -> Result<Self, Fault> {
        if sources.len() > MOST {
            return Err(Fault { at: None, detail: format!("at most {MOST} expressions") });
        }
        for (at, source) in sources.iter().enumerate() {
            if source.chars().count() > LONGEST {
                let detail = format!("an expression has at most {LONGEST} characters");
                return Err(Fault { at: Some(at), detail });
            }
            if let Err(error) = set(std::slice::from_ref(source)) {
                return Err(Fault { at: Some(at), detail: told(&error) });
            }
        }
        let compiled = set(&sources).map_err(|error| Fault { at: None, detail: told(&error) })?;
        Ok(Self { sources, compiled })
    }

    /// The expressions as they were given.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Whether one of them matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

fn set(sources: &[String]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(sources)
        .case_insensitive(true)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .nest_limit(50)
        .build()
}

/// The error in one line: what is wrong, and after how many characters.
fn told(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the expression is too large: repeat less, or name fewer letters".to_owned()
        }
        error => {
            let text = error.to_string();
            let what = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
            // The parser shows the expression indented by four, and below it a mark where it stopped.
            let mark = text.lines().find(|line| line.trim_start().starts_with('^'));
            let after = mark.and_then(|line| line.find('^')).and_then(|at| at.checked_sub(4));
            let what = what.unwrap_or("it cannot be read");
            match after {
                Some(after) => format!("no regular expression: {what}, after {after} characters"),
                None => format!("no regular expression: {what}"),
            }
        }
    }
}
