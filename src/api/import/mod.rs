//! `event.import` and `alert.import`: records from another store, with their identifiers, scopes and times.
//!
//! Lines are read and payloads packed before the writer is asked for its time; what it then does line by line is
//! checked first and written after, so that a line that is refused leaves nothing behind. Importing what is there
//! already changes nothing.

mod alerts;
mod events;
mod lines;
mod scopes;
mod tally;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    alerts::{AlertLines, alerts},
    events::{EventLines, events},
};

/// What became of the lines of an import.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Imported {
    /// How many records were added.
    pub imported: u64,
    /// How many were there already, just so.
    pub unchanged: u64,
    /// How many were not taken; `errors` says why.
    pub refused: u64,
    /// How many of the added events belong to an alert that is not here; they have none now.
    pub orphaned: u64,
    /// What had to be made for them.
    pub created: Created,
    /// Why lines were refused, in their order.
    pub errors: Vec<LineError>,
}

/// What an import had to make, by identifier.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Created {
    /// Domains.
    pub domains: Vec<String>,
    /// Workspaces.
    pub workspaces: Vec<String>,
    /// Projects, with alerting switched on.
    pub projects: Vec<String>,
    /// Webhooks, disabled and without a key.
    pub webhooks: Vec<String>,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LineError {
    /// The line of the body, from one.
    pub line: u64,
    /// Where in its record, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong there, and what was expected.
    pub detail: String,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Added,
    /// Added, without the alert that it names.
    Orphaned,
    Unchanged,
    Refused(Objection),
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Objection {
    pointer: String,
    detail: String,
}

impl Objection {
    fn new(pointer: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), detail: detail.into() }
    }
}

impl Imported {
    fn count(&mut self, line: u64, fate: Fate) {
        match fate {
            Fate::Added => self.imported += 1,
            Fate::Orphaned => {
                self.imported += 1;
                self.orphaned += 1;
            }
            Fate::Unchanged => self.unchanged += 1,
            Fate::Refused(Objection { pointer, detail }) => {
                self.refused += 1;
                self.errors.push(LineError { line, pointer, detail });
            }
        }
    }
}
