//! What each rule said of an event, so that a person can see why.

use serde::{Deserialize, Serialize};

use super::EventRule;
use crate::{domain::project::Project, id::Id};

/// What one rule said of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum RuleStep {
    /// Its conditions hold.
    Matched {
        /// The rule.
        event_rule_id: Id<EventRule>,
        /// What people call it.
        name: String,
        /// Which condition decided, and what it was held against.
        because: String,
        /// What it did, each in a few words.
        did: Vec<String>,
        /// Whether no further rule was asked after it.
        stopped: bool,
    },
    /// Its conditions do not hold.
    NotMatched {
        /// The rule.
        event_rule_id: Id<EventRule>,
        /// What people call it.
        name: String,
        /// Which condition decided, and what it was held against.
        because: String,
    },
    /// It would have sent the event back to a project whose rules are being asked; the event stays where it is.
    Loop {
        /// The rule.
        event_rule_id: Id<EventRule>,
        /// What people call it.
        name: String,
        /// Where it would have gone.
        project_id: Id<Project>,
    },
    /// It would have sent the event where it cannot go; the event stays where it is.
    Unmoved {
        /// The rule.
        event_rule_id: Id<EventRule>,
        /// What people call it.
        name: String,
        /// Where it would have gone.
        project_id: Id<Project>,
        /// Why it cannot.
        because: String,
    },
    /// So many further rules did not match; they are not told one by one.
    Omitted {
        /// How many.
        rules: u32,
    },
}

impl RuleStep {
    /// What it came to, in one word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Matched { .. } => "matched",
            Self::NotMatched { .. } | Self::Omitted { .. } => "not_matched",
            Self::Loop { .. } => "loop",
            Self::Unmoved { .. } => "unmoved",
        }
    }

    /// The rule that it is of, if it is of one.
    pub fn event_rule_id(&self) -> Option<&Id<EventRule>> {
        match self {
            Self::Matched { event_rule_id, .. }
            | Self::NotMatched { event_rule_id, .. }
            | Self::Loop { event_rule_id, .. }
            | Self::Unmoved { event_rule_id, .. } => Some(event_rule_id),
            Self::Omitted { .. } => None,
        }
    }

    /// What it came to, in a sentence that names what decided.
    pub fn sentence(&self) -> String {
        match self {
            Self::Matched { name, because, did, stopped, .. } => {
                let did = if did.is_empty() { "nothing".to_owned() } else { did.join("; ") };
                let end = if *stopped { "; no further rule was asked" } else { "" };
                format!("event rule {name} matched ({because}) and did: {did}{end}")
            }
            Self::NotMatched { name, because, .. } => {
                format!("event rule {name} did not match ({because})")
            }
            Self::Loop { name, project_id, .. } => format!(
                "event rule {name} would send the event back to project {project_id}, whose rules sent it here: a loop, so it stays"
            ),
            Self::Unmoved { name, project_id, because, .. } => {
                format!(
                    "event rule {name} could not send the event to project {project_id}: {because}"
                )
            }
            Self::Omitted { rules } => format!("{rules} further event rules did not match"),
        }
    }
}
