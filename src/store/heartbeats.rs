//! Who must be heard from.

use crate::{
    clock::Timestamp,
    domain::{alert::Alert, heartbeat::Heartbeat, scope::Scope, webhook::Webhook},
    error::Result,
    id::Id,
};

/// Who must be heard from.
pub trait Heartbeats {
    /// The heartbeat, if it exists in `scope`.
    fn heartbeat(&self, scope: &Scope, id: &Id<Heartbeat>) -> Result<Option<Heartbeat>>;
    /// The heartbeats in `scope`, by name.
    fn heartbeats(&self, scope: &Scope) -> Result<Vec<Heartbeat>>;
    /// The heartbeats of a webhook.
    fn heartbeats_of(&self, webhook: &Id<Webhook>) -> Result<Vec<Heartbeat>>;
    /// Adds or replaces a heartbeat, but for what was heard; `ERROR_NOT_UNIQUE` where its webhook has another of that
    /// name.
    fn put_heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()>;
    /// Removes a heartbeat.
    fn delete_heartbeat(&mut self, id: &Id<Heartbeat>) -> Result<()>;
    /// Keeps that it was heard; the alert that said that it was silent, if it was.
    fn hear_heartbeat(&mut self, id: &Id<Heartbeat>, now: Timestamp) -> Result<Option<Id<Alert>>>;
    /// Keeps that it fell silent, and which alert says so.
    fn silence_heartbeat(&mut self, id: &Id<Heartbeat>, alert: &Id<Alert>) -> Result<()>;
}
