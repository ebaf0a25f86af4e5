//! What happened in the life of an alert, as its history keeps it.

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        alert::Alert,
        project::Project,
        words::{AlertState, Severity, Urgency},
    },
    id::Id,
};

/// One thing that happened in the life of an alert. Who did it, and when, stands beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Life {
    /// It opened.
    Opened {
        /// Where it stood then.
        state: AlertState,
        /// Why it opened, in a sentence.
        reason: String,
    },
    /// Someone took it.
    Acknowledged {
        /// Where it stood before.
        from: AlertState,
        /// When that runs out.
        until: Option<Timestamp>,
    },
    /// It became TRIGGERED again.
    Reopened {
        /// Where it stood before.
        from: AlertState,
        /// Why.
        reason: String,
    },
    /// It was over.
    Resolved {
        /// Where it stood before.
        from: AlertState,
        /// Why.
        reason: String,
    },
    /// It was over because nothing was heard of it.
    Expired {
        /// When its last event arrived.
        last_event_at: Timestamp,
        /// How long nothing may be heard, in seconds.
        stale_after: u32,
    },
    /// An event was worse than all before it.
    Worsened {
        /// The worst severity before.
        from: Severity,
        /// The worst severity from then on.
        to: Severity,
    },
    /// Nobody was to hear of it for a while.
    Snoozed {
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: Option<String>,
    },
    /// The snooze was over.
    SnoozeEnded {
        /// Why.
        reason: String,
    },
    /// Someone else was to look after it.
    Assigned {
        /// Who; nobody where absent.
        to: Option<String>,
        /// Who was before.
        from: Option<String>,
    },
    /// What it says was changed.
    Edited {
        /// Which fields.
        fields: Vec<String>,
    },
    /// How soon a person must look was changed.
    Urgency {
        /// Before.
        from: Urgency,
        /// From then on.
        to: Urgency,
    },
    /// It went to another project.
    Moved {
        /// Where it was.
        from: Id<Project>,
        /// Where it went.
        to: Id<Project>,
    },
    /// It became one with another alert.
    Merged {
        /// The alert that leads.
        into: Id<Alert>,
        /// Why.
        reason: Option<String>,
    },
    /// It became an alert of its own again.
    Unmerged {
        /// The alert that led.
        from: Id<Alert>,
        /// Why.
        reason: Option<String>,
    },
    /// It took another alert in.
    TookIn {
        /// That alert.
        member: Id<Alert>,
    },
    /// An alert that it had taken in left it.
    LetGo {
        /// That alert.
        member: Id<Alert>,
    },
    /// It opened too often within a while.
    Flaps {
        /// How often.
        openings: u32,
        /// Within how many seconds.
        within: u32,
    },
    /// While it flapped, it recovered.
    FlapDown,
    /// While it flapped, it broke again.
    FlapUp,
    /// Its recovery came, and others that are part of it were open.
    Held {
        /// What came.
        reason: String,
    },
    /// It was broken again after its recovery, which others had held back.
    HeldNoMore,
    /// It flapped no more.
    Settled {
        /// Whether it had recovered last.
        recovered: bool,
    },
    /// Someone wrote a note about it.
    Noted {
        /// The note's identifier.
        note_id: String,
    },
    /// It was deleted.
    Deleted,
}

impl Life {
    /// What it came to, in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Reopened { .. } => "reopened",
            Self::Resolved { .. } => "resolved",
            Self::Expired { .. } => "expired",
            Self::Worsened { .. } => "worsened",
            Self::Snoozed { .. } => "snoozed",
            Self::SnoozeEnded { .. } => "snooze_ended",
            Self::Assigned { .. } => "assigned",
            Self::Edited { .. } => "edited",
            Self::Urgency { .. } => "urgency_changed",
            Self::Moved { .. } => "moved",
            Self::Merged { .. } => "merged",
            Self::Unmerged { .. } => "unmerged",
            Self::TookIn { .. } => "took_in",
            Self::LetGo { .. } => "let_go",
            Self::Flaps { .. } => "flapping",
            Self::FlapDown => "flap_recovered",
            Self::FlapUp => "flap_fired",
            Self::Held { .. } => "held_open",
            Self::HeldNoMore => "fired_again",
            Self::Settled { .. } => "settled",
            Self::Noted { .. } => "noted",
            Self::Deleted => "deleted",
        }
    }

    /// What happened, in a sentence that names what decided.
    pub fn sentence(&self) -> String {
        match self {
            Self::Opened { state, reason } => format!("opened as {state}: {reason}"),
            Self::Acknowledged { from, until } => {
                let until = until.map(|until| format!(", until {}", rfc3339(until)));
                format!("acknowledged (was {from}){}", until.unwrap_or_default())
            }
            Self::Reopened { from, reason } => format!("TRIGGERED again (was {from}): {reason}"),
            Self::Resolved { from, reason } => format!("resolved (was {from}): {reason}"),
            Self::Expired { last_event_at, stale_after } => format!(
                "expired: its last event came at {}, and `stale_after` is {stale_after} s; that it recovered is not known",
                rfc3339(*last_event_at)
            ),
            Self::Worsened { from, to } => format!("severity rose from {from} to {to}"),
            Self::Snoozed { until, reason } => {
                format!("snoozed until {}{}", rfc3339(*until), because(reason.as_deref()))
            }
            Self::SnoozeEnded { reason } => format!("snoozed no more: {reason}"),
            Self::Assigned { to, from } => assigned(to.as_deref(), from.as_deref()),
            Self::Edited { fields } => format!("changed: {}", fields.join(", ")),
            Self::Urgency { from, to } => format!("urgency changed from {from} to {to}"),
            Self::Moved { from, to } => format!("moved from project {from} to {to}"),
            Self::Merged { into, reason } => {
                format!("merged into {into}{}", because(reason.as_deref()))
            }
            Self::Unmerged { from, reason } => {
                format!("no longer merged into {from}{}", because(reason.as_deref()))
            }
            Self::TookIn { member } => format!("{member} was merged into it"),
            Self::LetGo { member } => format!("{member} is no longer merged into it"),
            Self::Flaps { openings, within } => {
                format!("flapping: its key opened {openings} times within {within} s")
            }
            Self::FlapDown => "recovered while flapping; it closes once it stays quiet".to_owned(),
            Self::FlapUp => "broke again while flapping".to_owned(),
            Self::Held { reason } => {
                format!("recovered ({reason}); it stays open while others that are part of it are")
            }
            Self::HeldNoMore => "broke again while others held it open".to_owned(),
            Self::Settled { recovered: true } => {
                "flaps no more: it recovered and stayed quiet".to_owned()
            }
            Self::Settled { recovered: false } => "flaps no more: it stayed broken".to_owned(),
            Self::Noted { note_id } => format!("a note was written: {note_id}"),
            Self::Deleted => "deleted".to_owned(),
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn assigned(to: Option<&str>, from: Option<&str>) -> String {
    match (to, from) {
        (Some(to), Some(from)) => format!("assigned to {to} (was {from})"),
        (Some(to), None) => format!("assigned to {to}"),
        (None, Some(from)) => format!("assigned to nobody (was {from})"),
        (None, None) => "assigned to nobody".to_owned(),
    }
}
