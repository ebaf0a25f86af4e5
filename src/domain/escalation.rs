//! Who is told, in which steps, and when.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum EscalationStep {}

impl EscalationStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match *self {}
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match *self {}
    }
}

use crate::id::{Id, Identified};

/// Who is told, in which steps.
#[derive(Clone, Debug)]
pub struct EscalationPolicy {
    /// Its identifier.
    pub escalation_policy_id: Id<EscalationPolicy>,
}

impl Identified for EscalationPolicy {
    const PREFIX: &'static str = "ep";
}

/// The escalation policies that a project may use.
#[derive(Clone, Debug, Default)]
pub struct Escalations {}
