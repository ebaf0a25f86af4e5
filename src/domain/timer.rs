//! What is to happen by itself at an instant.

use crate::clock::Timestamp;

/// What happens when a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// An alert's escalation goes on.
    Escalate,
    /// What muted an alert may be over.
    Unmute,
    /// An alert was put off until now.
    Snooze,
    /// An alert's acknowledgement runs out.
    Acknowledgement,
    /// An alert that flapped has been quiet for a while.
    Settle,
    /// An alert's sender may have fallen silent.
    Stale,
    /// A webhook should have been heard from.
    Heartbeat,
    /// A maintenance window or a silence begins or ends.
    Window,
    /// Messages that waited for company are sent.
    Gather,
    /// A group has had its time.
    Group,
    /// More is part of an alert than follows it in one unit of work.
    Parts,
}

/// What is to happen by itself at an instant. At most one of a kind is set for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What happens.
    pub kind: TimerKind,
    /// What it happens to: the identifier of an alert, a webhook, a window.
    pub subject: String,
    /// When.
    pub due_at: Timestamp,
}

impl TimerKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Escalate,
        Self::Unmute,
        Self::Snooze,
        Self::Acknowledgement,
        Self::Settle,
        Self::Stale,
        Self::Heartbeat,
        Self::Window,
        Self::Gather,
        Self::Group,
        Self::Parts,
    ];

    /// Its word, as the store keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Escalate => "escalate",
            Self::Unmute => "unmute",
            Self::Snooze => "snooze",
            Self::Acknowledgement => "acknowledgement",
            Self::Settle => "settle",
            Self::Stale => "stale",
            Self::Heartbeat => "heartbeat",
            Self::Window => "window",
            Self::Gather => "gather",
            Self::Group => "group",
            Self::Parts => "parts",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Who acts when it is due, as records name it.
    pub const fn actor(self) -> &'static str {
        match self {
            Self::Escalate => "timer:escalate",
            Self::Unmute => "timer:unmute",
            Self::Snooze => "timer:snooze",
            Self::Acknowledgement => "timer:acknowledgement",
            Self::Settle => "timer:settle",
            Self::Stale => "timer:stale",
            Self::Heartbeat => "timer:heartbeat",
            Self::Window => "timer:window",
            Self::Gather => "timer:gather",
            Self::Group => "timer:group",
            Self::Parts => "timer:parts",
        }
    }
}
