//! What happened: a monitoring system's message in our own words.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    alert::Alert,
    delivery::Delivery,
    receipt::Unreadable,
    scope::Home,
    webhook::Webhook,
    words::{EventType, Severity, Why},
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified, Mint},
};

/// The field of `additional_info` that says which thing an event tells of; the server finds by it what was said of the same
/// thing before.
pub const STATE_OF: &str = "state_of";

/// The field of `additional_info` that says where in it stands how that thing is now, e.g. `request_data.body`.
pub const STATE_AT: &str = "state_at";

/// What a mapping makes of one item of a payload: an event before it has an
/// identity, a home and a time of arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What the firing and the recovery of one problem have in common.
    pub event_key: String,
    /// Which way it goes.
    pub event_type: EventType,
    /// How bad it is.
    pub severity: Severity,
    /// What a person reads first.
    pub title: Option<String>,
    /// What a person reads next.
    pub description: Option<String>,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about: hosts, services and the like.
    pub resources: Vec<String>,
    /// Whose resources they are, e.g. `aws`; always said by a mapping, but not by every import.
    pub provider: Option<String>,
    /// Which account of that provider; always said by a mapping, but not by every import.
    pub account: Option<String>,
    /// Whatever else the sender said.
    pub additional_info: BTreeMap<String, Value>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Option<Timestamp>,
}

/// One item of a payload, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// What it says.
    pub draft: Draft,
    /// The variant of the mapping that read it.
    pub variant: Arc<str>,
    /// Where each field came from; empty unless it was asked for.
    pub origins: BTreeMap<&'static str, Origin>,
}

/// Where the value of a field came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The rule file, relative to its rules directory.
    pub file: String,
    /// The line of that file, from one.
    pub line: u32,
    /// The place in the payload, e.g. `$.alerts[2].labels.severity`; `None` for a constant.
    pub path: Option<String>,
    /// What was done to it, in order.
    pub steps: Vec<String>,
    /// Whether the value is a default because nothing else came out.
    pub defaulted: bool,
}

/// Why an item could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", .unreadable.reason)]
pub struct MapError {
    /// Its place in the payload, from zero; `None` where the payload as a whole was not understood.
    pub item: Option<u32>,
    /// What is wrong, and where.
    pub unreadable: Unreadable,
}

/// Which mapping read a payload: enough to read it the same way again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MappingVersion {
    /// The provider whose mapping it is.
    pub provider: String,
    /// The digest of the mapping's text, in hex.
    pub version: String,
}

/// One message from a monitoring system.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its identifier.
    pub event_id: Id<Event>,
    /// The alert it belongs to, if it belongs to one.
    pub alert_id: Option<Id<Alert>>,
    /// The webhook it came through.
    pub webhook_id: Id<Webhook>,
    /// The delivery it came in.
    pub delivery_id: Id<Delivery>,
    /// Its place in that delivery, from zero.
    pub item: u32,
    /// Where it lives.
    pub home: Home,
    /// What it says.
    pub draft: Draft,
    /// What read it; `None` for an event that Alertmill made itself.
    pub reading: Option<Reading>,
    /// Why it did to alerts what it did.
    pub why: Why,
    /// When it arrived.
    pub created_at: Timestamp,
}

/// What read an event: a mapping, and one of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The mapping.
    pub mapping: Arc<MappingVersion>,
    /// The variant.
    pub variant: Arc<str>,
}

impl Identified for Event {
    const PREFIX: &'static str = "event";
}

impl Draft {
    /// A draft with this key and nothing else said.
    pub fn new(event_key: impl Into<String>) -> Self {
        Self {
            event_key: event_key.into(),
            event_type: EventType::Alert,
            severity: Severity::None,
            title: None,
            description: None,
            rule: None,
            image_url: None,
            resources: Vec::new(),
            provider: Some(String::new()),
            account: Some(String::new()),
            additional_info: BTreeMap::new(),
            occurred_at: None,
        }
    }
}

/// What a draft needs to become an event.
#[derive(Clone, Debug)]
pub struct Arrival<'a> {
    /// The webhook it came through.
    pub webhook: &'a Webhook,
    /// The delivery it came in.
    pub delivery_id: &'a Id<Delivery>,
    /// Its place in that delivery.
    pub item: u32,
    /// What read it.
    pub reading: Option<Reading>,
}

impl Event {
    /// Whether Alertmill says with it that it could not read what was posted. A sender may use the type ERROR too.
    pub fn says_unreadable(&self) -> bool {
        self.draft.event_type == EventType::Error && self.reading.is_none()
    }

    /// How the thing is that it tells of, where it says; what stands there as a text of JSON is read.
    pub fn told_state(&self) -> Option<Value> {
        let Some(Value::String(path)) = self.draft.additional_info.get(STATE_AT) else {
            return None;
        };
        let mut names = path.split('.');
        let mut found = self.draft.additional_info.get(names.next()?).cloned()?;
        for name in names {
            found = read(found).get_mut(name)?.take();
        }
        Some(read(found))
    }

    /// Gives a draft its identity. What it does to alerts is decided later.
    pub fn from_draft(draft: Draft, arrival: Arrival<'_>, mint: &Mint, now: Timestamp) -> Self {
        Self {
            event_id: mint.id(now),
            alert_id: None,
            webhook_id: arrival.webhook.webhook_id.clone(),
            delivery_id: arrival.delivery_id.clone(),
            item: arrival.item,
            home: arrival.webhook.home.clone(),
            draft,
            reading: arrival.reading,
            why: Why::NewKey,
            created_at: now,
        }
    }
}

/// What a text of JSON says; anything else as it is.
fn read(value: Value) -> Value {
    match &value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value
        }
    }
}
