//! Getting records out and in: stretches of what is there, and what an import must know and may do beside adding.

use std::{collections::BTreeSet, ops::ControlFlow};

use serde_json::Value;

use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::Event,
        project::Workspace,
        scope::{Home, Scope},
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    query::{Filter, Keyset},
};

/// A kind of record that is taken out and brought in by the million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// Events.
    Events,
    /// Alerts.
    Alerts,
}

/// Rows that are taken out by the million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Events.
    Events,
    /// Alerts.
    Alerts,
    /// Audit records.
    Audits,
}

/// Which way a stretch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The newest first, as lists are.
    NewestFirst,
    /// As they arrived.
    OldestFirst,
}

/// A part of all rows, short enough to be read at once; the next one begins after its last row.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// Which rows.
    pub filter: &'a Filter,
    /// The fields that the records have; what costs to read is read only if it is among them.
    pub fields: &'a BTreeSet<&'static str>,
    /// Which way it goes.
    pub way: Way,
    /// The row that it begins after; `None` for the first one there is.
    pub after: Option<Keyset>,
    /// The newest row that is meant: what arrives later is not.
    pub newest: i64,
    /// How many rows at most.
    pub rows: u32,
}

/// Takes a record of a stretch, with its place.
pub type EachPlaced<'f> = dyn FnMut(Keyset, Value) -> Result<ControlFlow<()>> + 'f;

/// Records on their way out.
pub trait Exports {
    /// The newest row there is; zero where there is none.
    fn newest_row(&self, of: Rows) -> Result<i64>;
    /// Gives `each` of the records in `scope` that `stretch` means, as the views show them, until it breaks off.
    fn stretch(
        &self,
        of: Rows,
        scope: &Scope,
        stretch: &Stretch<'_>,
        each: &mut EachPlaced<'_>,
    ) -> Result<()>;
}

/// Where an alert is, and its key.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Where it is.
    pub home: Home,
    /// What its events have in common; its own identifier where nobody has said that yet.
    pub event_key: String,
}

/// What an import must know of what is there, deleted things included, and may do beside adding.
pub trait Imports {
    /// Where a webhook is.
    fn webhook_home(&self, id: &Id<Webhook>) -> Result<Option<Home>>;
    /// Where an alert is.
    fn alert_place(&self, id: &Id<Alert>) -> Result<Option<Placed>>;
    /// The alert of a workspace that has this number.
    fn alert_numbered(&self, workspace: &Id<Workspace>, number: u64) -> Result<Option<Id<Alert>>>;
    /// The webhook that a delivery was posted to.
    fn delivered_to(&self, id: &Id<Delivery>) -> Result<Option<Id<Webhook>>>;
    /// Adds an event to a delivery that was there before it, so that the delivery's receipt tells of it.
    fn add_event_later(&mut self, event: &Event) -> Result<()>;
    /// Gives an alert that has no key but its own identifier the key of its events, unless another alert of that key is
    /// open; whether it has that key now.
    fn key_alert(&mut self, id: &Id<Alert>, event_key: &str) -> Result<bool>;
    /// Keeps when the recovery occurred that resolved an alert, where that is not known.
    fn set_recovered(&mut self, id: &Id<Alert>, recovered_at: Timestamp) -> Result<()>;
}
