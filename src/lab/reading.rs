//! What became of a payload, as the outside sees it: in golden files, on the command line and through the API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    clock::rfc3339,
    domain::{
        event::{Draft, MapError, Mapped, Origin},
        receipt::Unreadable,
        words::{Cause, EventType, Severity},
    },
    ingest::{Interpreted, NO_ITEMS},
};

/// What became of a payload.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReadingInfo {
    /// What each item that was understood says.
    pub events: Vec<Normalized>,
    /// How each item was read, in the order of the payload.
    pub items: Vec<ItemReading>,
    /// Why it is deliberately no event, where a rule says so.
    pub ignored: Option<String>,
}

/// What an item says: the fields of its event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "NormalizedEvent")]
pub struct Normalized {
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
    /// What it is about.
    pub resources: Vec<String>,
    /// Whose resources they are.
    pub provider: Option<String>,
    /// Which account of that provider.
    pub account: Option<String>,
    /// Whatever else the sender said.
    pub additional_info: BTreeMap<String, Value>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Option<String>,
}

/// How an item was read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ItemReading {
    /// Its place in the payload, from zero; null where the payload as a whole was not understood.
    pub index: Option<u32>,
    /// The variant of the mapping that read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Where the value of each field came from.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, OriginInfo>,
    /// Why it was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
}

/// Where the value of a field came from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OriginInfo {
    /// The place in the payload, e.g. `$.alerts[2].labels.severity`; null for a constant.
    pub path: Option<String>,
    /// What was done to it, in order.
    pub steps: Vec<String>,
    /// Whether the value is a default because nothing else came out.
    pub default: bool,
    /// The rule file.
    pub file: String,
    /// The line of that file, from one.
    pub line: u32,
}

/// Why an item, or a payload as a whole, was not understood.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ReadingError")]
pub struct ErrorInfo {
    /// What kind of fault it is.
    pub cause: Cause,
    /// What is wrong, in a sentence.
    pub reason: String,
    /// The rule file that was being followed.
    pub file: Option<String>,
    /// The line of that file, from one.
    pub line: Option<u32>,
    /// The place in the payload, or the path that was looked up.
    pub path: Option<String>,
}

impl ReadingInfo {
    /// What became of a payload; with origins where they were asked for when it was read.
    pub fn of(interpreted: &Interpreted) -> Self {
        let Interpreted { items, ignored, mapping: _ } = interpreted;
        let events = items.iter().flatten().map(|mapped| Normalized::of(&mapped.draft));
        let read = items.iter().zip(0..).map(|(item, index)| ItemReading::of(item, index));
        // That a batch is empty says the batch itself; no rule says so.
        let ignored = ignored.as_ref().filter(|reason| *reason != NO_ITEMS);
        Self { events: events.collect(), items: read.collect(), ignored: ignored.cloned() }
    }
}

impl Normalized {
    /// The fields of an event.
    pub fn of(draft: &Draft) -> Self {
        let Draft {
            event_key,
            event_type,
            severity,
            title,
            description,
            rule,
            image_url,
            resources,
            provider,
            account,
            additional_info,
            occurred_at,
        } = draft.clone();
        Self {
            event_key,
            event_type,
            severity,
            title,
            description,
            rule,
            image_url,
            resources,
            provider,
            account,
            additional_info,
            occurred_at: occurred_at.map(rfc3339),
        }
    }
}

impl ItemReading {
    /// How the item at a place was read.
    pub fn of(item: &Result<Mapped, MapError>, index: u32) -> Self {
        match item {
            Ok(Mapped { draft: _, variant, origins }) => Self {
                index: Some(index),
                variant: Some(variant.to_string()),
                origins: origins
                    .iter()
                    .map(|(field, origin)| ((*field).to_owned(), OriginInfo::of(origin)))
                    .collect(),
                error: None,
            },
            Err(MapError { item, unreadable }) => Self {
                index: item.map(|_| index),
                variant: None,
                origins: BTreeMap::new(),
                error: Some(ErrorInfo::of(unreadable)),
            },
        }
    }
}

impl OriginInfo {
    fn of(origin: &Origin) -> Self {
        let Origin { file, line, path, steps, defaulted } = origin.clone();
        Self { path, steps, default: defaulted, file, line }
    }
}

impl ErrorInfo {
    /// The same for the outside.
    pub fn of(unreadable: &Unreadable) -> Self {
        let Unreadable { cause, reason, file, line, path } = unreadable.clone();
        Self { cause, reason, file, line, path }
    }
}
