//! What mutes alerts: maintenance windows, silences, inhibitions, event rules; and how that is decided.
//!
//! Nothing here drops an alert. A muted one is kept, shown and says by what; only that people are told waits, until what
//! muted it is over. Several things may mute an alert at once: the one that lasts longest is named, all are written down.

mod area;
pub(in crate::domain) mod filter;
mod inhibition;
mod record;
mod silence;
#[cfg(test)]
mod tests;
mod window;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    area::Area,
    filter::AlertFilter,
    inhibition::{EqualField, EqualValues, Inhibition, Side},
    record::record,
    silence::{LONGEST_SILENCE, Silence, SilenceState},
    window::{LONGEST_WINDOW, MaintenanceWindow, WindowState},
};
use super::{alert::Alert, care::Mute};
use crate::{
    clock::{Timestamp, rfc3339},
    id::Id,
};

/// How many things that do not mute an alert are written down for it; of more, only their number.
const MOST_PASSES: usize = 40;

/// What may mute the alerts of a project: all that is not over.
#[derive(Clone, Debug, Default)]
pub struct Mutes {
    /// Maintenance windows.
    pub windows: Vec<MaintenanceWindow>,
    /// Silences.
    pub silences: Vec<Silence>,
    /// Inhibitions.
    pub inhibitions: Vec<Inhibition>,
}

/// What something that might mute an alert says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// What, e.g. `silence:silence-0198…`.
    pub by: String,
    /// What people call it.
    pub name: String,
    /// Whether it mutes.
    pub verdict: Verdict,
    /// The condition that decided.
    pub because: String,
}

/// Whether something mutes an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Mutes {
        /// Until when, where that is known.
        until: Option<Timestamp>,
        /// The open alert on whose account.
        by_alert: Option<Id<Alert>>,
    },
    /// It does not.
    Passes,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MuteStep {
    /// Something that might mute the alert was looked at.
    Considered(Considered),
    /// More was looked at, and none of it mutes the alert.
    Others {
        /// How many.
        count: usize,
    },
    /// From now on the alert is muted.
    Muted {
        /// By what.
        by: String,
        /// What people call that.
        name: String,
        /// Until when, where that is known.
        until: Option<Timestamp>,
        /// What muted it until now, where something else did.
        instead_of: Option<String>,
    },
    /// The alert is muted no more.
    Unmuted {
        /// What muted it.
        by: String,
        /// What people call that.
        name: String,
        /// Why it does not any more.
        because: String,
    },
}

impl MuteStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Considered(Considered { verdict: Verdict::Mutes { .. }, .. }) => "mutes",
            Self::Considered(Considered { verdict: Verdict::Passes, .. }) | Self::Others { .. } => {
                "passes"
            }
            Self::Muted { .. } => "muted",
            Self::Unmuted { .. } => "unmuted",
        }
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Considered(Considered { by, name, verdict, because }) => {
                let does = match verdict {
                    Verdict::Mutes { .. } => "mutes it",
                    Verdict::Passes => "does not mute it",
                };
                format!("{} {does}: {because}", called(by, name))
            }
            Self::Others { count } => format!("{count} more were looked at, and do not mute it"),
            Self::Muted { by, name, until, instead_of } => {
                let until = until.map_or_else(String::new, |it| format!(" until {}", rfc3339(it)));
                let before =
                    instead_of.as_ref().map_or_else(String::new, |it| format!(", after {it}"));
                format!("muted by {}{until}{before}", called(by, name))
            }
            Self::Unmuted { by, name, because } => {
                format!("muted no more by {}: {because}", called(by, name))
            }
        }
    }
}

/// What something is called in a sentence: ``silence `disk swap` (silence-0198…)``.
pub fn called(by: &str, name: &str) -> String {
    let (kind, id) = by.split_once(':').unwrap_or(("", by));
    format!("{} `{name}` ({id})", kind.replace('_', " "))
}

impl Mutes {
    /// Whether nothing mutes anything.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.silences.is_empty() && self.inhibitions.is_empty()
    }

    /// What each window and each silence says of an alert at `now`. Inhibitions depend on other alerts.
    pub fn consider(&self, record: &Value, now: Timestamp) -> Vec<Considered> {
        let windows = self.windows.iter().map(|window| window.considers(record, now));
        let silences = self.silences.iter().map(|silence| silence.considers(record, now));
        windows.chain(silences).collect()
    }
}

/// What mutes an alert: of all that does, what lasts longest. It is muted since `now` unless the same muted it `before`.
pub fn muted_by(all: &[Considered], before: Option<&Mute>, now: Timestamp) -> Option<Mute> {
    let muting = all.iter().filter_map(|considered| match &considered.verdict {
        Verdict::Mutes { until, by_alert } => Some((considered, *until, by_alert)),
        Verdict::Passes => None,
    });
    let (considered, until, by_alert) =
        muting.min_by_key(|(_, until, _)| (until.is_some(), std::cmp::Reverse(*until)))?;
    let since = before.filter(|before| before.by == considered.by).map_or(now, |it| it.since);
    Some(Mute {
        by: considered.by.clone(),
        name: considered.name.clone(),
        since,
        until,
        by_alert: by_alert.clone(),
    })
}

/// What is written down of all that was considered.
pub fn steps(all: Vec<Considered>) -> Vec<MuteStep> {
    let (muting, passing): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|it| it.verdict != Verdict::Passes);
    let others = passing.len().saturating_sub(MOST_PASSES);
    let shown = muting.into_iter().chain(passing.into_iter().take(MOST_PASSES));
    let mut steps: Vec<MuteStep> = shown.map(MuteStep::Considered).collect();
    if others > 0 {
        steps.push(MuteStep::Others { count: others });
    }
    steps
}
