//! What is needed to care for alerts: how projects are looked after, what is due, what was decided, what was hit.

use std::sync::Arc;

use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        channel::Place,
        event::Event,
        history::Entry,
        project::Project,
        scope::Scope,
        setup::{Held, Setup},
        timer::{Timer, TimerKind},
    },
    error::Result,
    id::Id,
};

/// How projects are looked after.
pub trait Setups {
    /// How a project is looked after, as this unit of work sees it; `None` where alerting is off.
    fn setup(&self, project: &Id<Project>) -> Result<Option<Arc<Setup>>>;
    /// How many of what setups are made of a place has by itself.
    fn count_held(&self, what: Held, place: &Place) -> Result<u64>;
}

/// What happens by itself.
pub trait Timers {
    /// Sets the timer of this kind for a subject, instead of the one it had; `None` removes it.
    fn set_timer(
        &mut self,
        kind: TimerKind,
        subject: &str,
        due_at: Option<Timestamp>,
    ) -> Result<()>;
    /// The timer of this kind for a subject.
    fn timer(&self, kind: TimerKind, subject: &str) -> Result<Option<Timestamp>>;
    /// At most `most` of what is due at `now`, the longest due first.
    fn due_timers(&self, now: Timestamp, most: u32) -> Result<Vec<Timer>>;
    /// When the next timer is due.
    fn next_timer(&self) -> Result<Option<Timestamp>>;
}

/// What was decided for alerts.
pub trait Histories {
    /// Adds what was decided.
    fn add_entry(&mut self, entry: &Entry) -> Result<()> {
        self.add_entries(std::slice::from_ref(entry))
    }
    /// Adds what was decided at one instant for one alert and event, by one who acts.
    fn add_entries(&mut self, entries: &[Entry]) -> Result<()>;
    /// What was decided for an alert in `scope`, in order, each with its number: after the entry with the first number, at most
    /// as many as the second says.
    fn entries(
        &self,
        scope: &Scope,
        alert: &Id<Alert>,
        after_and_most: (i64, u32),
    ) -> Result<Vec<(i64, Entry)>>;
    /// What was decided for any alert, and for events that were kept without one, in order, each with its number: after the
    /// entry with the first number, at as many instants as the second says. For the system itself.
    fn all_entries(&self, after_and_most: (i64, u32)) -> Result<Vec<(i64, Entry)>>;
    /// Whether an alert ended after `since`, however it stands now.
    fn ended_since(&self, alert: &Id<Alert>, since: Timestamp) -> Result<bool>;
    /// What was decided for an event that no alert has, in order.
    fn event_entries(&self, event: &Id<Event>) -> Result<Vec<Entry>>;
    /// Removes what was decided before `before` for events that no alert has, at most so many; how many.
    fn forget_entries(&mut self, before: Timestamp, most: u32) -> Result<usize>;
}

/// What can be hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitKind {
    /// An event rule.
    EventRule,
    /// A group rule.
    GroupRule,
    /// A maintenance window.
    MaintenanceWindow,
    /// A silence.
    Silence,
    /// An inhibition.
    Inhibition,
}

impl HitKind {
    /// Its word, as the store keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventRule => "event_rule",
            Self::GroupRule => "group_rule",
            Self::MaintenanceWindow => "maintenance_window",
            Self::Silence => "silence",
            Self::Inhibition => "inhibition",
        }
    }
}

/// How often something was hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: Option<Timestamp>,
}

/// How often rules were hit.
pub trait Hits {
    /// Counts a hit.
    fn hit(&mut self, kind: HitKind, id: &str, now: Timestamp) -> Result<()>;
    /// How often something was hit.
    fn hits(&self, kind: HitKind, id: &str) -> Result<Hit>;
    /// Forgets the hits of what is deleted.
    fn forget_hits(&mut self, kind: HitKind, id: &str) -> Result<()>;
}
