//! What a plugin computes where data is not enough: `plugins/<provider>/main.js`.
//!
//! A script exports some of `handshake(req)`, `verify(req)` and `map(req)`: plain functions from JSON to JSON. Each call
//! runs in a context of its own, so nothing is left from one to the next, and has neither clock nor randomness, files nor
//! network. What takes too long or too much is stopped, which fails that call and nothing else.
//!
//! `worker` runs calls on threads of their own, `engine` is one call, `host` is what scripts may call, `request` what they
//! are given, `answer` what they give.

mod answer;
#[cfg(feature = "plugins-js")]
mod engine;
#[cfg(feature = "plugins-js")]
mod host;
#[cfg(feature = "plugins-js")]
mod host_data;
mod request;
#[cfg(test)]
mod tests;
#[cfg(feature = "plugins-js")]
mod worker;

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::request::Asked;
pub use self::{answer::Made, request::Posted};
use super::{
    handshake::{Handshake, HostPattern},
    verify::Refusal,
};
use crate::{
    domain::{receipt::Unreadable, words::Cause},
    load_error::LoadError,
};

/// What a script may export.
const EXPORTS: [&str; 3] = ["handshake", "verify", "map"];

/// The script of a plugin, whose text has been run once and exports what it should.
#[derive(Debug)]
pub struct Script {
    source: Arc<Source>,
    exports: Vec<String>,
    map_line: u32,
}

/// The text of a script, and the file it stands in.
#[derive(Debug)]
struct Source {
    file: String,
    text: String,
}

/// Why a script gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    /// What is wrong, in a sentence.
    reason: String,
    /// The line and the column, both from one, where they are known.
    at: Option<(u32, u32)>,
}

impl Script {
    /// The script of this text, which stands in `file`. Its top level is run once.
    ///
    /// # Errors
    /// Where it is no JavaScript, fails, or does not export what it should.
    pub(super) fn load(file: &str, text: &[u8]) -> Result<Self, LoadError> {
        let text = std::str::from_utf8(text).map_err(|fault| {
            LoadError::whole(file, format!("is no UTF-8 from byte {} on", fault.valid_up_to()))
        })?;
        let source = Arc::new(Source { file: file.to_owned(), text: text.to_owned() });
        let exports = run(&source, None).map_err(|failure| match failure.at {
            Some(at) => LoadError::at(file, text, at, failure.reason),
            None => LoadError::whole(file, failure.reason),
        })?;
        let exports: Vec<String> =
            exports.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let map_line = line_of(text, "map");
        for name in &exports {
            if !EXPORTS.contains(&name.as_str()) {
                let detail = format!("nobody calls `{name}`; a script exports {}", listed());
                return Err(LoadError::at(file, text, (line_of(text, name), 1), detail));
            }
        }
        if exports.is_empty() {
            return Err(LoadError::whole(
                file,
                format!("exports no function; expected {}", listed()),
            ));
        }
        Ok(Self { source, exports, map_line })
    }

    /// The script of a text that was kept when it was used.
    ///
    /// # Errors
    /// Where it is none any more.
    pub fn restore(file: &str, text: &str) -> Result<Self, Unreadable> {
        Self::load(file, text.as_bytes()).map_err(|error| Unreadable {
            cause: Cause::BadScript,
            reason: error.sentence(),
            file: Some(error.file),
            line: Some(error.line),
            path: None,
        })
    }

    /// The file it stands in.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// The line on which its `map` begins.
    pub fn map_line(&self) -> u32 {
        self.map_line
    }

    /// Whether it says what its provider's bodies mean, so that no mapping does.
    pub fn maps(&self) -> bool {
        self.exports("map")
    }

    /// Whether it says who signed.
    pub(super) fn verifies(&self) -> bool {
        self.exports("verify")
    }

    fn exports(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export == name)
    }

    /// What it makes of a delivery: events as [`Made`] says.
    ///
    /// # Errors
    /// Where it fails, is stopped, or gives something else than events.
    pub fn map(&self, posted: Posted<'_>) -> Result<Made, Unreadable> {
        self.call("map", Asked::of(posted)).and_then(answer::made).map_err(|failure| Unreadable {
            cause: Cause::BadScript,
            line: failure.at.map(|(line, _)| line),
            reason: self.said(&failure),
            file: Some(self.source.file.clone()),
            path: None,
        })
    }

    /// Whether it accepts the signature of a delivery.
    pub(super) fn verify(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        let answered = self.call("verify", asked).and_then(answer::verified);
        match answered {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(Refusal::ByScript(reason)),
            Err(failure) => Err(Refusal::ByScript(self.said(&failure))),
        }
    }

    /// The answer it gives to a question that comes before events; `None` where it knows none.
    ///
    /// # Errors
    /// Where it fails, is stopped, or gives something else than an answer.
    pub(super) fn handshake(
        &self,
        asked: Asked<'_>,
        hosts: &[HostPattern],
    ) -> Result<Option<Handshake>, String> {
        if !self.exports("handshake") {
            return Ok(None);
        }
        let answered = self.call("handshake", asked);
        let answered = answered.and_then(|value| answer::answered(value, hosts));
        answered.map_err(|failure| self.said(&failure))
    }

    fn call(&self, function: &'static str, asked: Asked<'_>) -> Result<Value, Failure> {
        let argument = serde_json::to_string(&asked)
            .map_err(|fault| Failure::new(format!("its request is no JSON: {fault}")))?;
        let Some(text) = run(&self.source, Some((function, argument)))? else {
            return Ok(Value::Null);
        };
        serde_json::from_str(&well_formed(text)).map_err(|fault| {
            Failure::new(format!("what `{function}` returned is no JSON that we read: {fault}"))
        })
    }

    /// A failure with the place of the script.
    fn said(&self, failure: &Failure) -> String {
        let file = &self.source.file;
        match failure.at {
            Some((line, column)) => format!("{file}:{line}:{column}: {}", failure.reason),
            None => format!("{file}: {}", failure.reason),
        }
    }
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), at: None }
    }
}

/// Runs a function of a script, or only its top level, which gives the names of what it exports.
#[cfg(feature = "plugins-js")]
fn run(
    source: &Arc<Source>,
    call: Option<(&'static str, String)>,
) -> Result<Option<String>, Failure> {
    worker::run(worker::Job { source: Arc::clone(source), call })
}

/// Refuses: this program was built without what runs scripts.
#[cfg(not(feature = "plugins-js"))]
fn run(_: &Arc<Source>, _: Option<(&'static str, String)>) -> Result<Option<String>, Failure> {
    Err(Failure::new(
        "this program was built without the feature `plugins-js`, so it runs no scripts",
    ))
}

/// JSON in which what was written for half a character, where a script cut a text in the middle of one, stands for the
/// character that says so.
fn well_formed(json: String) -> String {
    if !json.contains("\\ud") {
        return json;
    }
    let mut made = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some((before, escape)) = rest.split_once('\\') {
        made.push_str(before);
        made.push('\\');
        // Whole characters are written as themselves, so each of these is a half.
        let is_half = escape.starts_with("ud");
        made.push_str(if is_half { "ufffd" } else { escape.get(..1).unwrap_or_default() });
        rest = escape.get(if is_half { 5 } else { 1 }..).unwrap_or_default();
    }
    made.push_str(rest);
    made
}

/// The line on which a script exports `name`; the first where that cannot be told.
fn line_of(text: &str, name: &str) -> u32 {
    let is_word = |line: &str| {
        line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
            .any(|word| word == name)
    };
    let exported = |line: &str| line.trim_start().starts_with("export") && is_word(line);
    let declared = |line: &str| line.contains("function") && is_word(line);
    let lines = || text.lines().zip(1_u32..);
    let found = lines().find(|(line, _)| exported(line));
    found.or_else(|| lines().find(|(line, _)| declared(line))).map_or(1, |(_, number)| number)
}

fn listed() -> String {
    EXPORTS.map(|name| format!("`{name}(req)`")).join(", ")
}
