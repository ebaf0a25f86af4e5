//! What group rules said of an alert that would open, so that a person can see why.

use serde::{Deserialize, Serialize};

use super::GroupRule;
use crate::{
    domain::{alert::Alert, event::Event},
    id::Id,
};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum GroupStep {
    /// The rule does not concern the event.
    Passed {
        /// The rule.
        group_rule_id: Id<GroupRule>,
        /// What people call it.
        name: String,
        /// Which condition or field decided.
        because: String,
    },
    /// The group has too few events still, so the event is kept without an alert.
    Below {
        /// The rule.
        group_rule_id: Id<GroupRule>,
        /// What people call it.
        name: String,
        /// The values that the group shares.
        values: String,
        /// How many events it has, this one included.
        count: u32,
        /// How many it needs.
        threshold: u32,
        /// Within how many seconds.
        window: i64,
    },
    /// The alert leads the group from now on.
    Leads {
        /// The rule.
        group_rule_id: Id<GroupRule>,
        /// What people call it.
        name: String,
        /// The values that the group shares.
        values: String,
        /// How many events it took.
        count: u32,
        /// Those that had waited and are the alert's now.
        adopted: Vec<Id<Event>>,
    },
    /// The alert is a part of another one.
    Member {
        /// The rule.
        group_rule_id: Id<GroupRule>,
        /// What people call it.
        name: String,
        /// The values that the group shares.
        values: String,
        /// The alert that leads the group.
        lead: Id<Alert>,
    },
}

impl GroupStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Passed { .. } => "not_matched",
            Self::Below { .. } => "below_threshold",
            Self::Leads { .. } => "leads",
            Self::Member { .. } => "member",
        }
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Passed { name, because, .. } => {
                format!("group rule {name} does not concern it ({because})")
            }
            Self::Below { name, values, count, threshold, window, .. } => format!(
                "group rule {name} wants {threshold} events with {values} within {window} s, and this is number {count}: kept without an alert"
            ),
            Self::Leads { name, values, count, adopted, .. } => match adopted.len() {
                0 => format!("group rule {name} lets it lead those with {values}"),
                waited => format!(
                    "group rule {name} found {count} events with {values}: it opens, and {waited} that had waited are part of it"
                ),
            },
            Self::Member { name, values, lead, .. } => {
                format!("group rule {name} makes it a part of {lead}, which has the same {values}")
            }
        }
    }
}
