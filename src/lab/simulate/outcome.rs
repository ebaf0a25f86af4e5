//! What came of a scenario, as it is printed.

use serde::Serialize;
use serde_json::Value;

use crate::load_error::LoadError;

/// What came of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// What it is called.
    pub name: Option<String>,
    /// Whether everything was as expected.
    pub passed: bool,
    /// When its timeline began.
    pub began_at: String,
    /// When its timeline ended.
    pub ended_at: String,
    /// The alerts at the end, by number.
    pub alerts: Vec<Value>,
    /// All events, in the order of arrival.
    pub events: Vec<Value>,
    /// All notifications, in order.
    pub notifications: Vec<Value>,
    /// All messages, as their channels would have got them.
    pub messages: Vec<Value>,
    /// How many deliveries came in.
    pub requests: Value,
    /// What each step brought.
    pub trace: Vec<Value>,
    /// What happened, in order.
    pub timeline: Vec<Line>,
    /// What was not as expected, and where it was expected.
    pub failures: Vec<Failure>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// When.
    pub at: String,
    /// How long after the beginning.
    pub after: String,
    /// The number of the alert that it is about.
    pub alert_number: Option<u64>,
    /// What kind of thing: `step`, or which part of Alertmill decided.
    pub of: &'static str,
    /// What came out, in a word.
    pub verdict: String,
    /// What came out and why, in a sentence; of a message its first line.
    pub sentence: String,
    /// The rest of a message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The file.
    pub file: String,
    /// The line, from one.
    pub line: u32,
    /// The column, from one.
    pub column: u32,
    /// What was expected, and what came.
    pub detail: String,
    /// The same with the line of the file, for people.
    #[serde(skip)]
    pub told: String,
}

impl From<LoadError> for Failure {
    fn from(mistake: LoadError) -> Self {
        let told = mistake.to_string();
        let LoadError { file, line, column, detail, excerpt: _ } = mistake;
        Self { file, line, column, detail, told }
    }
}
