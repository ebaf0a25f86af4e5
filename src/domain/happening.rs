//! What happens to alerts that is worth telling those who watch.

use super::{alert::Alert, words::AlertState};
use crate::clock::Timestamp;

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The alert opened.
    Opened,
    /// Something of it changed: its state, severity, urgency, assignee, project, title or description.
    Changed,
    /// It was resolved.
    Resolved,
    /// It was deleted.
    Deleted,
}

/// One change of an alert.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What kind of change it is.
    pub what: What,
    /// When it happened.
    pub at: Timestamp,
    /// The state before; `None` where there was no alert.
    pub before: Option<AlertState>,
    /// The state after; `None` where there is no alert any more.
    pub after: Option<AlertState>,
    /// The alert as it is now.
    pub alert: Alert,
}

impl What {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Opened, Self::Changed, Self::Resolved, Self::Deleted];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Resolved => "resolved",
            Self::Deleted => "deleted",
        }
    }

    /// What a change from one state to another is.
    pub const fn between(before: AlertState, after: AlertState) -> Self {
        match (before.is_open(), after.is_open()) {
            (true, false) => Self::Resolved,
            (true | false, _) => Self::Changed,
        }
    }
}
