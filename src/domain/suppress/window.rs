//! Maintenance windows: times at which the alerts of projects are expected.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;

use super::{AlertFilter, Area, Considered, Verdict};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{calendar::Calendar, words::words},
    id::{Id, Identified},
};

words! {
    /// Where a maintenance window stands.
    WindowState {
        /// It mutes, or will.
        Open = "OPEN",
        /// It mutes no more.
        Closed = "CLOSED",
    }
}

/// The longest time that a window mutes without a gap, in days.
pub const LONGEST_WINDOW: i64 = 31;

/// How far ahead a recurring window is looked at for such a time, in days.
const LOOKED_AHEAD: i64 = 70;

/// A time, once or again and again, at which the alerts of projects are muted.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceWindow {
    /// Its identifier.
    pub maintenance_window_id: Id<MaintenanceWindow>,
    /// What people call it.
    pub title: String,
    /// Whose alerts it mutes.
    pub area: Area,
    /// Which of them; all where it is empty.
    pub filter: AlertFilter,
    /// When.
    pub calendar: Calendar,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was closed, by hand or because its last time was over.
    pub closed_at: Option<Timestamp>,
}

impl Identified for MaintenanceWindow {
    const PREFIX: &'static str = "mw";
}

impl MaintenanceWindow {
    /// What it is called where something says what muted an alert.
    pub fn by(&self) -> String {
        format!("maintenance_window:{}", self.maintenance_window_id)
    }

    /// Whether it is open still: it mutes, or will.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closed_at.is_none() && !self.calendar.occurrences(now, 1).is_empty()
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> WindowState {
        if self.is_open(now) { WindowState::Open } else { WindowState::Closed }
    }

    /// When it next begins or, if it does not begin again, is over.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        if self.closed_at.is_some() {
            return None;
        }
        let over = || self.calendar.at(now).map(|span| span.end);
        self.calendar.next_start(now).or_else(over)
    }

    /// Why it is too broad, if it is.
    pub fn too_broad(&self, now: Timestamp) -> Option<String> {
        let first = self.calendar.first();
        let from = first.start.max(now);
        let longest = if self.calendar.rrule().is_some() {
            self.calendar.longest_run(from, from + TimeDelta::days(LOOKED_AHEAD))
        } else {
            first.length()
        };
        (longest > TimeDelta::days(LONGEST_WINDOW)).then(|| {
            let days = longest.num_days();
            format!("it mutes for {days} days without a gap; at most {LONGEST_WINDOW} are allowed")
        })
    }

    /// What it says of an alert at `now`.
    pub(super) fn considers(&self, record: &Value, now: Timestamp) -> Considered {
        let (verdict, because) = match (self.filter.unmet(record), self.calendar.at(now)) {
            (Some(unmet), _) => (Verdict::Passes, unmet),
            (None, None) => match self.calendar.next_start(now) {
                Some(next) => (Verdict::Passes, format!("it begins at {}", rfc3339(next))),
                None => (Verdict::Passes, "it is over".to_owned()),
            },
            (None, Some(span)) => {
                let because = format!(
                    "the window is open until {}, for {}",
                    rfc3339(span.end),
                    self.filter.sentence()
                );
                (Verdict::Mutes { until: Some(span.end), by_alert: None }, because)
            }
        };
        Considered { by: self.by(), name: self.title.clone(), verdict, because }
    }
}
