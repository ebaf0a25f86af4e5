//! `events` of services: what was done in them, reported by them, and asked for by whoever may see the audit trail.
//!
//! Errors, names and shapes are those of a gRPC service behind HTTP. What is reported becomes a record of the trail
//! [`Trail::Posted`]; that record is all that is kept of the call.

mod filter;
mod form;
mod info;
mod search;
mod status;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::form::EventForm;
#[cfg(test)]
pub(in crate::api) use self::search::{Effort, search_within};
pub use self::{
    info::{BatchCreated, Created, EventInfo, Found, VersionInfo},
    search::{SearchEvents, search},
    status::RpcStatus,
};
use super::{
    Call, audit, chain, decode,
    trail::{self, Draft},
};
use crate::{
    domain::{
        audit::{Entity, Trail},
        posted::{self, OURSELVES},
    },
    error::{Code, Error, Mistake, Result},
    store::Tx,
};

/// What reporting many at once is called in records.
pub const BATCH: &str = "posted_event.batch_create";

/// How many of those that were refused a record lists.
const LISTED: usize = 20;

/// The most events that are reported at once.
const MOST: usize = 1000;

/// Reports an event; its identifier is a parameter of the address.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CreateEvent {
    event: EventForm,
}

/// Reports many events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchCreateEvents {
    /// The events, at most 1000.
    #[schemars(with = "Vec<CreateRequest>")]
    requests: Vec<Value>,
}

/// One of many events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    /// What its service calls it: a UUID of version 4.
    #[serde(alias = "event_id")]
    event_id: Option<String>,
    /// What it is.
    event: Option<EventForm>,
}

/// Events that are ready to be written, each or why it is not.
#[derive(Debug)]
pub struct Batch {
    items: Vec<Result<Draft>>,
}

impl CreateEvent {
    /// The event, ready to be written.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` or `ERROR_REQUIRED_PARAMETER`, with the places.
    pub fn ready(mut self, call: &Call) -> Result<Draft> {
        let event_id = self.event.event_id.take();
        if let Some(id) = &event_id {
            call.touches("event", shown(id));
        }
        draft(call, (event_id, self.event), "")
    }
}

impl BatchCreateEvents {
    /// The events, those ready to be written that can be.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` where they are too many.
    pub fn ready(self, call: &Call) -> Result<Batch> {
        let Self { requests } = self;
        if requests.len() > MOST {
            let detail = format!("at most {MOST} events at once, not {}", requests.len());
            return Err(Error::at(Code::InvalidParameter, "/requests", detail));
        }
        let item = |(at, request)| {
            let at = format!("/requests/{at}");
            let CreateRequest { event_id, event } =
                decode::request(request).map_err(|error| below(&at, error))?;
            let event = event.ok_or_else(|| below(&at, Error::required("event")))?;
            if event.event_id.is_some() {
                let detail = "`event_id` stands beside the event, not in it";
                let place = format!("{at}/event/event_id");
                return Err(Error::at(Code::InvalidParameter, place, detail));
            }
            draft(call, (event_id, event), &at)
        };
        Ok(Batch { items: requests.into_iter().enumerate().map(item).collect() })
    }
}

/// What is written of an event; `at` is where it stands in the request, nowhere where it is the request.
fn draft(call: &Call, (event_id, event): (Option<String>, EventForm), at: &str) -> Result<Draft> {
    let Some(event_id) = event_id.filter(|id| !id.is_empty()) else {
        return Err(below(at, Error::required("event_id")));
    };
    let Some(posted_id) = posted::event_id(&event_id) else {
        let detail = format!("`event_id` must be a UUID of version 4, not `{}`", shown(&event_id));
        return Err(Error::at(Code::InvalidParameter, format!("{at}/event_id"), detail));
    };
    let place = if at.is_empty() { String::new() } else { format!("{at}/event") };
    let event = event.checked(&place, call.now)?;
    if event.event_source == OURSELVES {
        let detail =
            format!("`event_source` must not be `{OURSELVES}`: that is what we are called");
        return Err(Error::at(Code::InvalidParameter, format!("{place}/event_source"), detail));
    }
    Ok(Draft { posted_id: Some(posted_id), entry: event.entry() })
}

/// The same error of what stands below `at`.
fn below(at: &str, error: Error) -> Error {
    let moved =
        |mistake: Mistake| Mistake { pointer: format!("{at}{}", mistake.pointer), ..mistake };
    let mistakes = error.mistakes.into_iter().map(moved).collect();
    Error { mistakes, ..error }
}

/// As much of an identifier of the sender's as is repeated.
fn shown(id: &str) -> String {
    id.chars().take(64).collect()
}

/// Keeps an event that a service reports.
///
/// # Errors
/// `ERROR_NOT_UNIQUE` where another event was reported under its identifier.
pub fn create(tx: &mut dyn Tx, call: &Call, draft: Draft) -> Result<Created> {
    let record = trail::posted(tx, call, Trail::Posted, draft)?;
    Ok(Created { event: EventInfo::of(&record) })
}

/// Keeps events that a service reports, each by itself.
///
/// # Errors
/// Where the store fails.
pub fn batch_create(tx: &mut dyn Tx, call: &Call, batch: Batch) -> Result<BatchCreated> {
    let mut failed = BTreeMap::new();
    let (mut places, mut drafts) = (Vec::new(), Vec::new());
    for (at, item) in batch.items.into_iter().enumerate() {
        match item {
            Ok(draft) => {
                places.push(at);
                drafts.push(draft);
            }
            Err(error) => drop(failed.insert(at, error)),
        }
    }
    let results = trail::post(tx, call, Trail::Posted, drafts)?;
    let mut events = Vec::with_capacity(results.len());
    for (at, result) in places.into_iter().zip(results) {
        match result {
            Ok(record) => events.push(EventInfo::of(&record)),
            Err(error) => drop(failed.insert(at, error)),
        }
    }
    note(tx, call, &failed, events.len() + failed.len())?;
    let failed_requests = failed.iter().map(|(at, error)| (*at, RpcStatus::of(error))).collect();
    Ok(BatchCreated { events, failed_requests })
}

/// Records in one record which of many events were refused, as one that is posted alone is.
fn note(tx: &mut dyn Tx, call: &Call, failed: &BTreeMap<usize, Error>, of: usize) -> Result<()> {
    let Some((_, first)) = failed.first_key_value() else { return Ok(()) };
    let which = failed.iter().take(LISTED).map(|(at, error)| {
        json!({ "at": format!("/requests/{at}"), "code": error.code.name(), "reason": error.detail.chars().take(200).collect::<String>() })
    });
    let details = json!({ "refused": failed.len(), "of": of, "which": which.collect::<Vec<_>>() });
    let entry =
        audit::entry(call, BATCH).on(Entity::of_action(BATCH)).refused(first).saying(details);
    tx.add_audit(&chain::of_caller(call), entry, &call.mint).map(|_| ())
}

/// Asks for the version.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct AskVersion {}

/// Who answers here.
///
/// # Errors
/// None.
pub fn version(_: &dyn Tx, _: &Call, _: AskVersion) -> Result<VersionInfo> {
    Ok(VersionInfo { name: OURSELVES, version: env!("CARGO_PKG_VERSION") })
}
