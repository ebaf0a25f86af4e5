//! What the history of an alert says of its escalation.

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        escalation::FinishCondition,
        notice::{NotificationLevel, Occasion},
    },
};

/// What happened in the escalation of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum EscalationStep {
    /// A policy began.
    Began {
        /// The policy.
        escalation_policy_id: String,
        /// What people call it.
        name: String,
        /// How many steps it has.
        steps: u32,
        /// How often they are gone through.
        passes: u32,
        /// What ends it.
        finish_condition: FinishCondition,
        /// Why this policy.
        why: String,
    },
    /// The next step was reached, since nobody answered.
    Escalated {
        /// Its number, from one.
        step: u32,
        /// How many there are.
        steps: u32,
        /// Which time through the policy, from one.
        pass: u32,
        /// How often it is gone through.
        passes: u32,
        /// The channels of which level are told.
        notification_level: NotificationLevel,
        /// How many minutes nobody answered.
        minutes: u32,
    },
    /// The next step was due, and waits since nothing may be sent.
    Held {
        /// The step that the alert stays on.
        step: u32,
        /// Why nothing may be sent.
        because: String,
        /// Until when; `None` where nobody knows.
        until: Option<Timestamp>,
    },
    /// It stopped before its end.
    Stopped {
        /// Why.
        because: Stop,
    },
    /// The last step of the last pass is over, and nobody answered.
    Exhausted {
        /// How many steps there were.
        steps: u32,
        /// How often they were gone through.
        passes: u32,
    },
    /// A message that was due was not sent.
    Withheld {
        /// What it was about.
        occasion: Occasion,
        /// The step that was due.
        step: u32,
        /// Why not, in a sentence.
        because: String,
    },
}

/// Why an escalation stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Someone is on it, which ends the policy.
    Acknowledged,
    /// The alert is over.
    Resolved,
    /// An event rule says that nobody is told of the alert.
    NoNotification,
    /// The alert is part of another one.
    Merged,
    /// The project tells of urgent alerts alone.
    NotUrgent,
    /// It ended before.
    Ended,
}

impl Stop {
    /// Why, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Acknowledged => "someone acknowledged the alert, which ends its policy",
            Self::Resolved => "the alert is resolved",
            Self::NoNotification => "an event rule says that nobody is told of this alert",
            Self::Merged => "the alert is part of another one, which tells for both",
            Self::NotUrgent => {
                "the project notifies of urgency HIGH alone, and the alert is of urgency LOW"
            }
            Self::Ended => "its policy ended before",
        }
    }
}

impl EscalationStep {
    /// The verdict in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Began { .. } => "began",
            Self::Escalated { .. } => "escalated",
            Self::Held { .. } => "held",
            Self::Stopped { .. } => "stopped",
            Self::Exhausted { .. } => "exhausted",
            Self::Withheld { .. } => "withheld",
        }
    }

    /// What happened and what decided it, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Began { name, steps, passes, finish_condition, why, .. } => {
                let steps = count(*steps, "step");
                let times = if *passes == 1 { String::new() } else { format!(", {passes} times") };
                format!(
                    "escalation policy `{name}` began ({steps}{times}, until {finish_condition}): {why}"
                )
            }
            Self::Escalated { step, steps, pass, passes, notification_level, minutes } => {
                let time =
                    if *passes == 1 { String::new() } else { format!(", pass {pass} of {passes}") };
                let minutes = count(*minutes, "minute");
                format!(
                    "step {step} of {steps}{time}, level {notification_level}: nobody answered in {minutes}"
                )
            }
            Self::Held { step, because, until } => {
                let until = until.map_or_else(String::new, |at| format!(" until {}", rfc3339(at)));
                format!("stays on step {step}{until}: {because}")
            }
            Self::Stopped { because } => format!("stopped: {}", because.sentence()),
            Self::Exhausted { steps, passes } => {
                let steps = count(*steps, "step");
                let times = if *passes == 1 { String::new() } else { format!(", {passes} times") };
                format!("all of it is over ({steps}{times}) and nobody answered")
            }
            Self::Withheld { occasion, step, because } => {
                format!("{occasion} was not told on step {step}: {because}")
            }
        }
    }
}

/// `1 step`, `2 steps`.
fn count(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
