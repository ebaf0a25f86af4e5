//! The one decision: what an event does to the alert it belongs to.
//!
//! Cloudforet monitoring v1 groups by a window of ten minutes; here an event joins the open alert of its key whatever
//! its age, so that a recovery cannot miss it. A recovery that overtakes its firing is held for a while, and an event
//! that occurred before the recovery of the last alert of its key is late and opens nothing.

use super::{
    alert::{Alert, Ending, Standing},
    event::Event,
    project::AlertPolicy,
    words::{EventType, RecoveryMode, Why},
};
use crate::{
    clock::Timestamp,
    id::{Id, Mint},
};

/// What is known of an event's key before the event is settled.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How its open alert stands, if there is one.
    pub open: Option<Standing>,
    /// What came before, looked up only where no alert is open.
    pub past: Past,
}

/// What happened to a key before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Whether an alert of this key was resolved before.
    pub closed: bool,
    /// When the recovery occurred that resolved the last alert of this key; `None` where none did.
    pub recovered_at: Option<Timestamp>,
    /// Of the recoveries that matched no alert and are held still, the one that occurred last.
    pub early: Option<EarlyRecovery>,
}

/// A recovery that was stored because it matched no alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyRecovery {
    /// The event.
    pub event_id: Id<Event>,
    /// When it occurred, by the sender's clock.
    pub occurred_at: Option<Timestamp>,
    /// When it arrived.
    pub created_at: Timestamp,
}

/// What becomes of an event, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It opens this alert.
    Open(Box<Alert>),
    /// It opens this alert, which is over already by the recovery that came before it.
    OpenOver(Box<Alert>, Id<Event>),
    /// It joins the open alert, which then stands so.
    Join(Standing),
    /// It ends the open alert, which then stands so.
    Resolve(Standing, Ending),
    /// It is stored and changes no alert.
    Keep,
}

/// Decides what `event` does to alerts.
pub fn correlate(
    known: Known,
    event: &Event,
    policy: &AlertPolicy,
    (mint, now): (&Mint, Timestamp),
) -> Decision {
    match (known.open, event.draft.event_type) {
        (Some(open), EventType::Recovery) => recover(open, event, policy, now),
        (Some(open), EventType::Alert | EventType::Error) => join(open, event, now),
        (None, EventType::Recovery) => decided(Verdict::Keep, Why::NothingToRecover),
        (None, EventType::Alert | EventType::Error) => {
            open(&known.past, event, policy, (mint, now))
        }
    }
}

fn decided(verdict: Verdict, why: Why) -> Decision {
    Decision { verdict, why }
}

fn join(open: Standing, event: &Event, now: Timestamp) -> Decision {
    let why = if event.says_unreadable() {
        Why::Unreadable
    } else if event.draft.severity > open.severity {
        Why::Worse
    } else {
        Why::SameKey
    };
    decided(Verdict::Join(open.joined_by(event, now)), why)
}

fn recover(open: Standing, event: &Event, policy: &AlertPolicy, now: Timestamp) -> Decision {
    let joined = open.joined_by(event, now);
    match policy.recovery_mode {
        RecoveryMode::Manual => decided(Verdict::Join(joined), Why::ManualRecovery),
        RecoveryMode::Auto => {
            let ending = Ending {
                resolved_at: now,
                recovered_at: event.draft.occurred_at,
                reason: format!("recovery {}", event.event_id),
            };
            decided(Verdict::Resolve(joined.resolved(now), ending), Why::Recovers)
        }
    }
}

fn open(
    past: &Past,
    event: &Event,
    policy: &AlertPolicy,
    (mint, now): (&Mint, Timestamp),
) -> Decision {
    let occurred = event.draft.occurred_at;
    let is_late = occurred.zip(past.recovered_at).is_some_and(|(this, recovery)| this < recovery);
    if is_late {
        return decided(Verdict::Keep, Why::Late);
    }
    let alert = Alert::opened_by(event, mint);
    if let Some(early) = past.early.as_ref().filter(|early| early.ends(event, past, policy)) {
        let ending = Ending {
            resolved_at: now,
            recovered_at: early.occurred_at,
            reason: format!("recovery {} had arrived before its firing", early.event_id),
        };
        let mut over = alert.ended(ending, now);
        over.standing.event_count += 1;
        return decided(
            Verdict::OpenOver(Box::new(over), early.event_id.clone()),
            Why::AlreadyRecovered,
        );
    }
    let why = if event.says_unreadable() {
        Why::Unreadable
    } else if past.closed {
        Why::OpensAgain
    } else {
        Why::NewKey
    };
    decided(Verdict::Open(Box::new(alert)), why)
}

impl EarlyRecovery {
    /// Whether it is the recovery of `firing`, which arrived after it: soon enough, not occurred after it, and not
    /// the repeat of a recovery that was used already. Where either says no time there is no telling, and the firing
    /// opens.
    fn ends(&self, firing: &Event, past: &Past, policy: &AlertPolicy) -> bool {
        let Some((fired, recovered)) = firing.draft.occurred_at.zip(self.occurred_at) else {
            return false;
        };
        policy.recovery_mode == RecoveryMode::Auto
            && firing.created_at - self.created_at <= policy.recovery_hold
            && fired <= recovered
            && past.recovered_at.is_none_or(|last| recovered > last)
    }
}

#[cfg(test)]
mod tests;
