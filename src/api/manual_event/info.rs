//! How events are shown: documents in the form of JSON:API.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::attributes::{AffectedResource, Attributes, NumberParameter, OWN_SOURCE, TextParameter};
use crate::{
    api::{Call, Moment, trail::POSTED_BY},
    clock::rfc3339,
    domain::{
        audit::{AuditEntry, AuditRecord, Entity, Trail},
        kind::{EventList, Kinds, Parameter, ParameterType, Part, Seen, Verdict},
        project::Domain,
    },
    id::Id,
};

/// An answer that shows one event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventDocument {
    /// The event.
    pub data: EventInfo,
    /// What is said about the answer.
    pub meta: Meta,
}

/// What is said about an answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Meta {
    /// The request.
    pub ctx: String,
    /// How many events there are in all; absent where one was asked for or nobody counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether there are more than `total`; absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub total_capped: bool,
}

/// An event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventInfo {
    /// The list that it is in.
    #[serde(rename = "type")]
    pub list: EventList,
    /// Its identifier.
    pub id: Id<AuditRecord>,
    /// What it says.
    pub attributes: ShownAttributes,
    /// Whose it is.
    pub relationships: Relationships,
}

/// What an event says, and when we learned of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShownAttributes {
    /// What it says.
    #[serde(flatten)]
    pub said: Attributes,
    /// When we learned of it.
    pub created_at: Moment,
}

/// Whose an event is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Relationships {
    /// The tenant.
    pub tenant: Linked,
}

/// Something that belongs to an event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Linked {
    /// What it is.
    pub data: Named,
}

/// What belongs to an event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Named {
    /// `tenant`.
    #[serde(rename = "type")]
    pub what: &'static str,
    /// Its identifier.
    pub id: Id<Domain>,
}

impl Meta {
    /// About an answer to this call that counts nothing.
    pub(super) fn of(call: &Call) -> Self {
        Self { ctx: call.request_id.clone(), total: None, total_capped: false }
    }
}

impl EventInfo {
    /// A record as an event of its list.
    pub(super) fn new(record: AuditRecord, kinds: &Kinds) -> Self {
        let AuditRecord { audit_id: id, domain_id, trail, entry, .. } = record;
        let created_at = entry.received_at.into();
        let (list, said) = match trail {
            Trail::Event => (EventList::Event, posted(entry)),
            Trail::Communication => (EventList::CommunicationEvent, posted(entry)),
            Trail::AuditEvent => (EventList::AuditEvent, posted(entry)),
            Trail::Own | Trail::Posted => (EventList::AuditEvent, recorded(entry, kinds)),
        };
        let data = Named { what: "tenant", id: domain_id };
        Self {
            list,
            id,
            attributes: ShownAttributes { said, created_at },
            relationships: Relationships { tenant: Linked { data } },
        }
    }
}

/// An event as it was posted: what the envelope has no place for stands in its details.
fn posted(entry: AuditEntry) -> Attributes {
    let AuditEntry { actor, action, mut details, .. } = entry;
    if let Value::Object(details) = &mut details {
        details.remove(POSTED_BY);
    }
    let rest: Attributes = serde_json::from_value(details).unwrap_or_default();
    Attributes { source: Some(actor.id), kind: Some(action), ..rest }
}

/// A record of Alertmill's own as an event.
fn recorded(entry: AuditEntry, kinds: &Kinds) -> Attributes {
    let verdict = verdict(&entry);
    let Seen { kind, definition, severity, classification, visibility } =
        kinds.of_record(&entry.action, verdict);
    let description = definition.map_or_else(|| in_words(&entry), |it| it.description.clone());
    let millis = u64::try_from(entry.occurred_at.timestamp_millis()).unwrap_or_default();
    let named = |holds: ParameterType| {
        let parameters = definition.map(|it| it.parameters.as_slice()).unwrap_or_default();
        parameters.iter().filter(move |parameter| parameter.holds == holds)
    };
    let texts: Vec<TextParameter> = match definition {
        Some(_) => named(ParameterType::Text)
            .filter_map(|it| Some(text(it.name.clone(), part(&entry, it.from?)?)))
            .collect(),
        None => Part::ALL
            .iter()
            .filter_map(|it| Some(text(it.as_str().to_owned(), part(&entry, *it)?)))
            .collect(),
    };
    let number = |it: &Parameter| {
        let value = part(&entry, it.from?)?.parse().ok()?;
        Some(NumberParameter { name: it.name.clone(), value })
    };
    let numbers: Vec<NumberParameter> = named(ParameterType::Uint64).filter_map(number).collect();
    let particular = entry.entity.as_ref().filter(|entity| !entity.id.is_empty());
    let affected = particular.map(|Entity { kind, id, name }| {
        let (resource_type, id_str) = (kind.clone(), id.clone());
        vec![AffectedResource {
            resource_type,
            id_str,
            id: 0,
            name: name.clone().unwrap_or_default(),
        }]
    });
    Attributes {
        source: Some(OWN_SOURCE.to_owned()),
        kind: Some(kind),
        timestamp_uint64: Some(millis),
        timestamp_uint64_str: Some(millis.to_string()),
        timestamp_iso8601: Some(rfc3339(entry.occurred_at)),
        parameters_text: Some(texts),
        parameters_uint64: (!numbers.is_empty()).then_some(numbers),
        description: Some(description),
        severity: Some(severity),
        tags: None,
        affected_resources: affected,
        classification: Some(classification),
        system_event: Some(true),
        visibility: Some(visibility),
    }
}

/// Whether what a record tells of was done.
fn verdict(entry: &AuditEntry) -> Verdict {
    if entry.is_success() { Verdict::Done } else { Verdict::Refused }
}

fn text(name: String, value: String) -> TextParameter {
    TextParameter { name, value }
}

/// What a record says of itself, in a sentence.
fn in_words(entry: &AuditEntry) -> String {
    let AuditEntry { action, actor, entity, outcome, reason, .. } = entry;
    let to = match entity {
        Some(Entity { kind, id, name: None }) if id.is_empty() => format!(" to a {kind}"),
        Some(Entity { kind, id, name }) => format!(" to {kind} {}", name.as_deref().unwrap_or(id)),
        None => String::new(),
    };
    let refused = if entry.is_success() {
        String::new()
    } else {
        format!(", which was refused: {}", reason.as_deref().unwrap_or(outcome))
    };
    format!("{} did `{action}`{to}{refused}.", actor.name)
}

/// A part of a record, if it has that part.
fn part(entry: &AuditEntry, part: Part) -> Option<String> {
    let entity = entry.entity.as_ref();
    let particular = entity.filter(|it| !it.id.is_empty());
    match part {
        Part::Actor => Some(entry.actor.name.clone()),
        Part::EntityType => entity.map(|it| it.kind.clone()),
        Part::EntityId => particular.map(|it| it.id.clone()),
        Part::EntityName => particular.map(|it| it.name.clone().unwrap_or_else(|| it.id.clone())),
        Part::Outcome => Some(entry.outcome.clone()),
        Part::Reason => entry.reason.clone(),
        Part::Remote => entry.remote.clone(),
        Part::UserAgent => entry.user_agent.clone(),
        Part::RequestId => entry.request_id.clone(),
    }
}

/// What of an event's attributes is kept where the envelope has no place for it.
pub(super) fn details(rest: &Attributes) -> Value {
    serde_json::to_value(rest).unwrap_or_default()
}
