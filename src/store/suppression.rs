//! Maintenance windows, silences, inhibitions, and which open alerts they are about.

use crate::{
    domain::{
        alert::Alert,
        project::Project,
        scope::Scope,
        suppress::{Area, EqualValues, Inhibition, MaintenanceWindow, Side, Silence},
    },
    error::Result,
    id::Id,
};

/// A place in the order of open alerts: what comes after it is looked at next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenPlace {
    /// The project's number in the store.
    pub project: i64,
    /// When the alert was made, in milliseconds.
    pub created_at: i64,
    /// The alert's number in the store.
    pub alert: i64,
}

/// Open alerts that are to be looked at, a page of them.
#[derive(Clone, Debug)]
pub struct OpenPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<OpenPlace>,
}

/// An alert that is muted while the alert of another key is open, as an event rule said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InhibitedByKey {
    /// The project of that other alert.
    pub project_id: Id<Project>,
    /// Its key.
    pub event_key: String,
    /// The rule that said so.
    pub event_rule_id: String,
    /// What people call that rule.
    pub name: String,
}

/// Which open alerts are to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that live there.
    Within(Area),
    /// Those that this mutes, e.g. `silence:silence-…`.
    MutedBy(String),
    /// Those that an inhibition mutes while an alert with these values is open.
    Equal(Id<Inhibition>, EqualValues),
    /// Those that wait for the alert of this key.
    Waiting(Id<Project>, String),
}

/// Maintenance windows, silences, inhibitions.
pub trait Suppression {
    /// The maintenance windows that are seen in `scope`, newest first.
    fn maintenance_windows(&self, scope: &Scope) -> Result<Vec<MaintenanceWindow>>;
    /// The maintenance window, if it is seen in `scope`.
    fn maintenance_window(
        &self,
        scope: &Scope,
        id: &Id<MaintenanceWindow>,
    ) -> Result<Option<MaintenanceWindow>>;
    /// Adds or replaces a maintenance window.
    fn put_maintenance_window(&mut self, window: &MaintenanceWindow) -> Result<()>;
    /// The silences that are seen in `scope`, newest first.
    fn silences(&self, scope: &Scope) -> Result<Vec<Silence>>;
    /// The silence, if it is seen in `scope`.
    fn silence(&self, scope: &Scope, id: &Id<Silence>) -> Result<Option<Silence>>;
    /// Adds or replaces a silence.
    fn put_silence(&mut self, silence: &Silence) -> Result<()>;
    /// The inhibitions that are seen in `scope`, newest first.
    fn inhibitions(&self, scope: &Scope) -> Result<Vec<Inhibition>>;
    /// The inhibition, if it is seen in `scope`.
    fn inhibition(&self, scope: &Scope, id: &Id<Inhibition>) -> Result<Option<Inhibition>>;
    /// Adds or replaces an inhibition.
    fn put_inhibition(&mut self, inhibition: &Inhibition) -> Result<()>;
    /// How many silences, windows and inhibitions of a workspace are not over.
    fn live_suppressions(&self, area: &Area) -> Result<u64>;

    /// Open alerts to look at again, those after a place, at most so many.
    fn open_alerts(&self, which: &Which, after: OpenPlace, most: u32) -> Result<OpenPage>;
    /// Says which parts an open alert plays in inhibitions, instead of those it played.
    fn put_sides(
        &mut self,
        alert: &Id<Alert>,
        sides: &[(Id<Inhibition>, Side, EqualValues)],
    ) -> Result<()>;
    /// The parts that an open alert plays in inhibitions.
    fn sides(&self, alert: &Id<Alert>) -> Result<Vec<(Id<Inhibition>, Side, EqualValues)>>;
    /// The open alerts that mute what has these values, for each inhibition the oldest few; never `but` itself.
    fn inhibitors(
        &self,
        of: &[(Id<Inhibition>, EqualValues)],
        but: Option<&Id<Alert>>,
    ) -> Result<Vec<(Id<Inhibition>, Id<Alert>)>>;
    /// Whether some open alert other than `but` mutes what has these values.
    fn is_inhibiting(&self, of: (&Id<Inhibition>, EqualValues), but: &Id<Alert>) -> Result<bool>;
    /// Forgets which alerts play a part in an inhibition that is over, at most so many; how many there were.
    fn forget_sides(&mut self, inhibition: &Id<Inhibition>, most: u32) -> Result<usize>;
    /// Says that an open alert is muted while the alert of a key is open; `None` forgets it.
    fn put_inhibited_by_key(
        &mut self,
        alert: &Id<Alert>,
        by: Option<&InhibitedByKey>,
    ) -> Result<()>;
    /// For the alert of which key an open alert waits.
    fn inhibited_by_key(&self, alert: &Id<Alert>) -> Result<Option<InhibitedByKey>>;
    /// Whether some open alert waits for the alert of this key.
    fn is_waited_for(&self, project: &Id<Project>, event_key: &str) -> Result<bool>;
}
