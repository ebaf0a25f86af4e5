//! Grouping beyond the key.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum GroupStep {}

impl GroupStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match *self {}
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match *self {}
    }
}

/// The group rules of a project.
#[derive(Clone, Debug, Default)]
pub struct GroupRules {}
