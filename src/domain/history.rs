//! Why: what was decided for an alert, step by step, with what decided it.

use serde::{Deserialize, Serialize};

use super::{
    alert::Alert, escalation::EscalationStep, event::Event, event_rule::RuleStep,
    group_rule::GroupStep, life::Life, notice::NoticeStep, suppress::MuteStep,
};
use crate::{clock::Timestamp, id::Id};

/// One thing that was decided for an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The alert; `None` where an event was kept without one.
    pub alert_id: Option<Id<Alert>>,
    /// The event on whose account it was decided.
    pub event_id: Option<Id<Event>>,
    /// When.
    pub at: Timestamp,
    /// Who or what decided, e.g. `webhook:webhook-…`, `token:token-…`, `timer:escalate`, `event_rule:er-…`.
    pub actor: String,
    /// What was decided.
    pub step: Step,
}

/// What was decided. Kept as JSON: what is renamed here is no longer read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", content = "step", rename_all = "snake_case")]
pub enum Step {
    /// The alert went from one state to another, or a person did something to it.
    Life(Life),
    /// An event rule was looked at.
    Rule(RuleStep),
    /// A group rule was looked at.
    Group(GroupStep),
    /// Something that might mute was looked at.
    Mute(MuteStep),
    /// The escalation went on, or did not.
    Escalation(EscalationStep),
    /// A message was made, withheld, sent, or failed.
    Notice(NoticeStep),
}

impl Step {
    /// Which part decided, in a word.
    pub const fn of(&self) -> &'static str {
        match self {
            Self::Life(_) => "life",
            Self::Rule(_) => "rule",
            Self::Group(_) => "group",
            Self::Mute(_) => "mute",
            Self::Escalation(_) => "escalation",
            Self::Notice(_) => "notice",
        }
    }

    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Life(step) => step.verdict(),
            Self::Rule(step) => step.verdict(),
            Self::Group(step) => step.verdict(),
            Self::Mute(step) => step.verdict(),
            Self::Escalation(step) => step.verdict(),
            Self::Notice(step) => step.verdict(),
        }
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Life(step) => step.sentence(),
            Self::Rule(step) => step.sentence(),
            Self::Group(step) => step.sentence(),
            Self::Mute(step) => step.sentence(),
            Self::Escalation(step) => step.sentence(),
            Self::Notice(step) => step.sentence(),
        }
    }
}
