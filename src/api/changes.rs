//! `event.changes`: how the thing that an event tells of was before, by the event that told of it last. Senders of audit
//! records often say only what was set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Moment};
use crate::{
    domain::event::{Event, STATE_OF},
    error::{Error, Result},
    id::Id,
    store::Tx,
};

/// Asks what an event changed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetChanges {
    /// Its identifier.
    event_id: Id<Event>,
}

/// What an event changed, as far as events before it tell.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChangesInfo {
    /// The event.
    pub event_id: Id<Event>,
    /// What its mapping calls the thing that it tells of; null where it tells of none, and then nothing is known.
    pub state_of: Option<String>,
    /// How the thing was before; null where no event that is kept told of it.
    pub before: Option<StateInfo>,
    /// How it is now; null where the event does not say, as where it was deleted.
    pub after: Option<Value>,
}

/// How a thing was, by an event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StateInfo {
    /// The event that told of it.
    pub event_id: Id<Event>,
    /// What people read first of that event.
    pub title: Option<String>,
    /// When it happened, or arrived where it does not say.
    pub at: Moment,
    /// How the thing was.
    pub state: Value,
}

/// What an event changed.
///
/// # Errors
/// `ERROR_NOT_FOUND` where there is no such event in the caller's scope.
pub fn changes(tx: &dyn Tx, call: &Call, request: GetChanges) -> Result<ChangesInfo> {
    let scope = &call.caller.scope;
    let found = tx.event(scope, &request.event_id)?;
    let event = found.ok_or_else(|| Error::not_found("event", &request.event_id))?;
    let before = tx.told_before(&event)?.filter(|before| scope.contains(&before.home));
    let before = before.and_then(|before| {
        Some(StateInfo {
            state: before.told_state()?,
            at: before.draft.occurred_at.unwrap_or(before.created_at).into(),
            event_id: before.event_id,
            title: before.draft.title,
        })
    });
    let named = event.draft.additional_info.get(STATE_OF).and_then(Value::as_str);
    Ok(ChangesInfo {
        state_of: named.map(str::to_owned),
        before,
        after: event.told_state(),
        event_id: event.event_id,
    })
}
