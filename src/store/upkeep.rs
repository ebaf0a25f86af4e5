//! Removing what is old, a little at a time.

use crate::{
    clock::Timestamp,
    domain::{
        project::Project,
        retention::Retention,
        scope::{Home, Scope},
    },
    error::Result,
    id::Id,
};

/// What can be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Events. Those of alerts that are still open stay.
    Events,
    /// Resolved and deleted alerts. Events that outlive their alert lose it.
    Alerts,
    /// The raw bodies of deliveries. Nothing of these can be driven again then.
    Payloads,
    /// Deliveries of which neither body nor events are left.
    Deliveries,
}

/// A place among what is old, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// When it came, in milliseconds since 1970; for deliveries the integer key of their webhook.
    pub group: i64,
    /// Its integer key.
    pub row: i64,
}

/// What one unit of work removes.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The project it is removed of.
    pub project: Id<Project>,
    /// What is removed.
    pub old: Old,
    /// What came before this time is old.
    pub before: Timestamp,
    /// What lies up to this place was looked at already.
    pub from: Mark,
    /// How many rows are looked at, at most.
    pub most: u32,
}

/// What one unit of work removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many of what was asked for.
    pub removed: u64,
    /// Where to go on; `None` where all was looked at.
    pub next: Option<Mark>,
}

/// Keeping the store in order.
pub trait Upkeep {
    /// How long a project keeps what.
    fn retention(&self, project: &Id<Project>) -> Result<Retention>;
    /// Changes how long a project keeps what.
    fn set_retention(&mut self, project: &Id<Project>, retention: &Retention) -> Result<()>;
    /// The projects in `scope` that do not keep everything, by identifier.
    fn retentions(&self, scope: &Scope) -> Result<Vec<(Home, Retention)>>;
    /// Removes some of what is old.
    fn sweep(&mut self, sweep: &Sweep) -> Result<Swept>;
    /// Removes changes of alerts that nobody may be behind so far as to read; how many.
    fn trim_happenings(&mut self, most: u32) -> Result<u64>;
}
