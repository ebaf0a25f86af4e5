//! What is being done for an alert: who is told next, what mutes it, what it waits for.

use super::{alert::Alert, escalation::EscalationPolicy};
use crate::{clock::Timestamp, id::Id};

/// What is being done for an alert, besides how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// How far its escalation is.
    pub escalation: Escalation,
    /// What mutes it, as of the last moment at which something would have been sent.
    pub mute: Option<Mute>,
    /// Until when a person put it off.
    pub snooze: Option<Snooze>,
    /// When its acknowledgement runs out; `None` where it does not.
    pub acknowledged_until: Option<Timestamp>,
    /// Since when it opens and recovers too often.
    pub flapping: Option<Flapping>,
    /// The alert that it is part of.
    pub merged_into: Option<Id<Alert>>,
    /// Whether alerts are part of it.
    pub leads: bool,
    /// Its own recovery, which waits for the alerts that are part of it.
    pub held: Option<Held>,
    /// Whether it ended because its sender fell silent.
    pub expired: bool,
}

/// How far the escalation of an alert is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// Its policy; `None` for an alert that was imported or that is older than policies.
    pub policy_id: Option<Id<EscalationPolicy>>,
    /// Whether the policy was given to the alert, by an event rule say; else it is that of its project, asked anew whenever
    /// the escalation begins.
    pub is_given: bool,
    /// The step that was reached, from one.
    pub step: u32,
    /// How many passes over the steps are left, this one included; zero once it is over.
    pub ttl: u32,
    /// When the step was reached; `None` before anyone was told.
    pub escalated_at: Option<Timestamp>,
    /// Whether an event rule said that nobody is to be told, which is final.
    pub no_notification: bool,
}

/// What mutes an alert.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mute {
    /// What, e.g. `silence:silence-0198…`, `maintenance_window:mw-…`, `inhibition:…`, `event_rule:er-…`.
    pub by: String,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// The open alert on whose account it is muted, for an inhibition.
    pub by_alert: Option<Id<Alert>>,
}

impl Mute {
    /// Whether it lasts as long as the alert is open: an event rule said so when it opened.
    pub fn is_final(&self) -> bool {
        self.by.starts_with("event_rule:") && self.by_alert.is_none()
    }
}

/// An alert put off by a person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Snooze {
    /// Until when.
    pub until: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, if they said so.
    pub reason: Option<String>,
}

/// An alert that opens and recovers too often.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Flapping {
    /// Since when.
    pub since: Timestamp,
    /// Whether its newest event says that it recovered: then it is resolved once it settles.
    pub recovered: bool,
}

/// The recovery of an alert that others are part of: it is over once they are too.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Held {
    /// When it came.
    pub since: Timestamp,
    /// When it occurred, by the sender's clock.
    pub recovered_at: Option<Timestamp>,
    /// What it was, in a few words.
    pub reason: String,
}

/// What is special about an open alert, kept where each event finds it: an event that joins an alert without marks needs
/// nothing else of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// It opens and recovers too often.
    pub const FLAPPING: Self = Self(1);
    /// It is part of another alert.
    pub const MERGED: Self = Self(2);
    /// Other alerts are part of it.
    pub const LEADS: Self = Self(4);
    /// A person put it off.
    pub const SNOOZED: Self = Self(8);
    /// Something mutes it.
    pub const MUTED: Self = Self(16);
    /// An event rule said that nobody is to be told.
    pub const SILENT: Self = Self(32);

    /// The marks that this number stands for in the store.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The number that stands for them in the store.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether `mark` is among them.
    pub const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn with(self, mark: Self, holds: Option<()>) -> Self {
        if holds.is_some() { Self(self.0 | mark.0) } else { self }
    }
}

impl Care {
    /// What is special about an alert that is cared for so.
    pub fn marks(&self) -> Marks {
        let claim = |holds: bool| holds.then_some(());
        Marks::default()
            .with(Marks::FLAPPING, claim(self.flapping.is_some()))
            .with(Marks::MERGED, claim(self.merged_into.is_some()))
            .with(Marks::LEADS, claim(self.leads))
            .with(Marks::SNOOZED, claim(self.snooze.is_some()))
            .with(Marks::MUTED, claim(self.mute.is_some()))
            .with(Marks::SILENT, claim(self.escalation.no_notification))
    }
}

impl Default for Escalation {
    fn default() -> Self {
        Self {
            policy_id: None,
            is_given: false,
            step: 1,
            ttl: 0,
            escalated_at: None,
            no_notification: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn marks_say_what_is_special_and_survive_the_store() {
        assert!(Care::default().marks().is_empty());
        let flapping = Some(Flapping { since: from_millis(1), recovered: false });
        let care = Care { flapping, leads: true, ..Care::default() };
        let marks = Marks::from_bits(care.marks().bits());
        assert!(marks.has(Marks::FLAPPING) && marks.has(Marks::LEADS));
        assert!(!marks.has(Marks::MERGED) && !marks.has(Marks::MUTED));
    }
}
