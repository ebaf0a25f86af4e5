//! Silences: alerts that someone does not want to hear of for a while, and why.

use chrono::TimeDelta;
use serde_json::Value;

use super::{AlertFilter, Area, Considered, Verdict, filter::short};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{calendar::Span, words::words},
    id::{Id, Identified},
};

words! {
    /// Where a silence stands.
    SilenceState {
        /// It begins later.
        Pending = "PENDING",
        /// It mutes.
        Active = "ACTIVE",
        /// It mutes no more.
        Expired = "EXPIRED",
    }
}

/// The longest silence, in days.
pub const LONGEST_SILENCE: i64 = 31;

/// Alerts that someone does not want to hear of for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Its identifier.
    pub silence_id: Id<Silence>,
    /// Why.
    pub reason: String,
    /// Whose alerts it mutes.
    pub area: Area,
    /// Which of them.
    pub filter: AlertFilter,
    /// From when to when.
    pub span: Span,
    /// Who answers for it.
    pub owner: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was ended, by hand or because its time was over.
    pub ended_at: Option<Timestamp>,
}

impl Identified for Silence {
    const PREFIX: &'static str = "silence";
}

impl Silence {
    /// What it is called where something says what muted an alert.
    pub fn by(&self) -> String {
        format!("silence:{}", self.silence_id)
    }

    /// Whether it mutes at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.span.contains(now)
    }

    /// Whether it mutes no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended_at.is_some() || self.span.end <= now
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        match (self.is_over(now), now < self.span.start) {
            (true, _) => SilenceState::Expired,
            (false, true) => SilenceState::Pending,
            (false, false) => SilenceState::Active,
        }
    }

    /// When it next begins or ends.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        let turns = [self.span.start, self.span.end];
        turns.into_iter().find(|turn| *turn > now && self.ended_at.is_none())
    }

    /// Why it is too broad, if it is.
    pub fn too_broad(&self) -> Option<String> {
        if !self.filter.is_narrow() {
            let detail = "it names nothing that tells alerts apart: give at least one condition with `eq` or `in`, of another field than severity, urgency, state or where the alert lives";
            return Some(detail.to_owned());
        }
        (self.span.length() > TimeDelta::days(LONGEST_SILENCE)).then(|| {
            let days = self.span.length().num_days();
            format!("it lasts {days} days; at most {LONGEST_SILENCE} are allowed")
        })
    }

    /// What it says of an alert at `now`.
    pub(super) fn considers(&self, record: &Value, now: Timestamp) -> Considered {
        let Span { start, end } = self.span;
        let passes = |because: String| (Verdict::Passes, because);
        let (verdict, because) = match self.filter.unmet(record) {
            Some(unmet) => passes(unmet),
            None if now < start => passes(format!("it begins at {}", rfc3339(start))),
            None if self.is_over(now) => passes("it is over".to_owned()),
            None => {
                let because =
                    format!("{} until {}, by {}", self.filter.sentence(), rfc3339(end), self.owner);
                (Verdict::Mutes { until: Some(end), by_alert: None }, because)
            }
        };
        Considered { by: self.by(), name: short(&self.reason), verdict, because }
    }
}
