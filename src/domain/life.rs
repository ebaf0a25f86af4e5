//! The life of an alert: what may be done to it in which state, and what follows. The one written state machine.
//!
//! ```text
//!                 acknowledge                   resolve, recovery, expiry
//!   TRIGGERED ───────────────────▶ ACKNOWLEDGED ─────────────────────────▶ RESOLVED
//!     ▲  ▲ ◀─────────────────────────┘                                       │ ▲
//!     │  │  taken back, ran out, worse                                       │ │ resolve, recovery, expiry
//!     │  └───────────────────────────────── reopen ──────────────────────────┘ │
//!     └── as TRIGGERED and ERROR ──────────────────────────────────────────────┘
//! ```
//!
//! ERROR is where an alert begins whose sender cannot be read; it is acknowledged and resolved as TRIGGERED is, and
//! nobody gives or takes it back by hand. Acknowledging what is over opens it again.
//!
//! Beside its state an alert may be *snoozed*, *merged* into another, and *flapping*, each of which keeps it from being
//! told for a while and none of which outlives its end. [`Alert::turned`] decides and writes nothing down: it gives the
//! alert as it is then, the steps for its history, and what must follow. What changes nothing gives no step.

mod by_hand;
mod by_itself;
mod step;
#[cfg(test)]
mod tests;

use super::{
    alert::Alert,
    notice::Occasion,
    scope::Home,
    words::{AlertState, Severity, Urgency},
};
use crate::{
    clock::Timestamp,
    error::{Code, Error},
    id::Id,
};

pub use self::step::Life;

/// What is done to an alert, by a person or by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Someone takes it: whoever acts becomes its responder, until then if a time is given.
    Acknowledge {
        /// When the acknowledgement runs out.
        until: Option<Timestamp>,
    },
    /// It is said to be over.
    Resolve {
        /// Why.
        reason: Option<String>,
    },
    /// It is to be TRIGGERED again: an acknowledgement is taken back, or what was over is opened again.
    Reopen {
        /// Why.
        reason: Option<String>,
    },
    /// Nobody is to hear of it until then.
    Snooze {
        /// When it is told again.
        until: Timestamp,
        /// Why.
        reason: Option<String>,
    },
    /// The snooze is taken back.
    Wake,
    /// Someone is to look after it; nobody where it is `None`.
    Assign {
        /// Who.
        assignee: Option<String>,
    },
    /// What it says is changed.
    Edit(Edit),
    /// It goes to another project.
    Move {
        /// Where it lives then.
        home: Home,
    },
    /// It is one with another alert, which is told for both.
    Merge {
        /// The alert that leads.
        into: Id<Alert>,
        /// Why.
        reason: Option<String>,
    },
    /// It is an alert of its own again.
    Unmerge {
        /// Why.
        reason: Option<String>,
    },
    /// An event came that is worse than all before it; the alert has its severity and urgency already.
    Worsen {
        /// The worst severity before it.
        severity: Severity,
        /// The highest urgency before it.
        urgency: Urgency,
    },
    /// It opens for the so-manieth time within a while, which is too often.
    Flap {
        /// How often its key opened, this time included.
        openings: u32,
        /// Within how many seconds.
        within: u32,
    },
    /// An event says that it recovered, and something holds it open: it flaps, or others that are part of it are open.
    Recover {
        /// What came, in a few words.
        reason: String,
        /// When it occurred, by the sender's clock.
        recovered_at: Option<Timestamp>,
    },
    /// An event says that it is broken, which may have been said of it before.
    Fire,
    /// It flapped, and was quiet for long enough.
    Settle(Parts),
    /// The last of the alerts that were part of it is over.
    LastPartEnds,
    /// Its acknowledgement runs out, if it is due by now.
    AcknowledgementRunsOut,
    /// Its snooze ends, if it is due by now.
    SnoozeEnds,
    /// Nothing was heard of it for too long from a sender that sends no recoveries.
    Expire {
        /// After how many seconds of silence.
        stale_after: u32,
    },
}

/// Whether alerts that are part of another are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// None are, or there are none.
    Over,
    /// Some are.
    Open,
}

/// What of an alert's words is changed; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// What a person reads first.
    pub title: Option<String>,
    /// What a person reads next.
    pub description: Option<String>,
    /// How soon a person must look.
    pub urgency: Option<Urgency>,
}

/// What became of an alert by what was done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The alert then.
    pub alert: Alert,
    /// What happened, for its history; nothing where nothing changed.
    pub steps: Vec<Life>,
    /// What must follow.
    pub then: Then,
}

/// What must follow once an alert was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// It is told, at the step that its escalation has come to.
    Tell(Occasion, String),
    /// Its escalation starts anew, and it is told.
    StartAnew(Occasion, String),
    /// It is over: what was told is told to be over.
    End(Occasion),
}

/// Why something cannot be done to an alert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// Which parameter of the request is at fault, as a JSON pointer.
    pub pointer: &'static str,
    /// What is wrong.
    pub detail: String,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::at(Code::InvalidParameter, refused.pointer, refused.detail)
    }
}

/// Who acts, and when.
#[derive(Clone, Copy, Debug)]
pub struct Doer<'a> {
    /// Who it is in records, e.g. `token:…`, `webhook:…`, `timer:snooze`.
    pub actor: &'a str,
    /// When.
    pub now: Timestamp,
}

type Decided = Result<Turn, Refused>;

impl Alert {
    /// What becomes of it when `act` is done to it.
    ///
    /// # Errors
    /// Where its state does not allow it.
    pub fn turned(&self, act: Act, doer: Doer<'_>) -> Decided {
        let alert = self.clone();
        let turn = match act {
            Act::Acknowledge { until } => by_hand::acknowledged(alert, until, doer),
            Act::Resolve { reason } => Ok(by_hand::resolved(alert, reason, doer)),
            Act::Reopen { reason } => by_hand::reopened(alert, reason, doer),
            Act::Snooze { until, reason } => by_hand::snoozed(alert, (until, reason), doer),
            Act::Wake => Ok(by_hand::woken(alert, doer)),
            Act::Assign { assignee } => Ok(by_hand::assigned(alert, assignee, doer)),
            Act::Edit(edit) => Ok(by_hand::edited(alert, edit, doer)),
            Act::Move { home } => by_hand::moved(alert, home, doer),
            Act::Merge { into, reason } => by_hand::merged(alert, into, reason),
            Act::Unmerge { reason } => Ok(by_hand::unmerged(alert, reason)),
            Act::Worsen { severity, urgency } => Ok(by_itself::worse(alert, (severity, urgency))),
            Act::Flap { openings, within } => Ok(by_itself::flaps(alert, (openings, within), doer)),
            Act::Recover { reason, recovered_at } => {
                Ok(by_itself::recovered(alert, (reason, recovered_at), doer))
            }
            Act::Fire => Ok(by_itself::fired(alert)),
            Act::Settle(parts) => Ok(by_itself::settled(alert, parts, doer)),
            Act::LastPartEnds => Ok(by_itself::last_part_ended(alert, doer)),
            Act::AcknowledgementRunsOut => Ok(by_itself::acknowledgement_ran_out(alert, doer)),
            Act::SnoozeEnds => Ok(by_itself::snooze_ended(alert, doer)),
            Act::Expire { stale_after } => Ok(by_itself::expired(alert, stale_after, doer)),
        };
        turn.map(|turn| turn.finished(self, doer.now))
    }

    /// The alert without what its state leaves no room for: what is over waits for nothing.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        if self.state() == AlertState::Resolved {
            self.care.snooze = None;
            self.care.flapping = None;
            self.care.held = None;
        }
        if self.state() != AlertState::Acknowledged {
            self.care.acknowledged_until = None;
        }
        self.standing.marks = self.care.marks();
        self
    }

    fn state(&self) -> AlertState {
        self.standing.state
    }
}

impl Turn {
    /// Nothing changed.
    fn still(alert: Alert) -> Self {
        Self { alert, steps: Vec::new(), then: Then::Nothing }
    }

    /// One thing happened, and nothing follows.
    fn quiet(alert: Alert, step: Life) -> Self {
        Self { alert, steps: vec![step], then: Then::Nothing }
    }

    /// One thing happened, and this follows.
    fn then(alert: Alert, step: Life, then: Then) -> Self {
        Self { alert, steps: vec![step], then }
    }

    /// The turn with what holds of every one: what is over is neither snoozed nor flapping, its marks say what it is,
    /// and its time of change moves only if it changed.
    fn finished(mut self, before: &Alert, now: Timestamp) -> Self {
        self.alert = self.alert.at_rest();
        if self.alert != *before {
            self.alert.standing.updated_at = now;
        }
        self
    }
}
