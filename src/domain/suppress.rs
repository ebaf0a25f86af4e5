//! What mutes alerts: maintenance windows, silences, inhibitions.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MuteStep {}

impl MuteStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match *self {}
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match *self {}
    }
}

/// What may mute the alerts of a project.
#[derive(Clone, Debug, Default)]
pub struct Mutes {}
