//! What callers see of the events of services.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::RpcStatus;
use crate::domain::{
    audit::{ActorKind, AuditRecord},
    posted::{Origin, PostedEvent, written},
};

/// Something that was done in a service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventInfo {
    /// Its name: `events/` and its identifier.
    pub name: String,
    /// When it happened.
    pub event_time: String,
    /// When it was reported.
    pub receive_time: String,
    /// The service that reports it.
    pub event_source: String,
    /// What was asked for.
    pub action: String,
    /// Whether that changes nothing.
    pub read_only: bool,
    /// What it was asked of; empty where nothing is named.
    pub resource: String,
    /// With which parameters it was asked for.
    pub request_parameters: BTreeMap<String, String>,
    /// How it ended.
    pub status: StatusInfo,
    /// Who asked for it, e.g. `users/u` or `services/s`.
    pub principal: String,
    /// What people call who asked for it; empty where we do not know.
    pub login_principal: String,
    /// The address it was asked from; `private` where it is none of the internet.
    pub source_ip_address: String,
    /// The program it was asked with; empty where nobody knows.
    pub user_agent: String,
    /// What else the service says of it.
    pub metadata: BTreeMap<String, String>,
    /// The workspace it belongs to, `workspaces/w`; empty for none.
    pub workspace: String,
    /// What set it off.
    pub r#type: Origin,
}

/// How what is reported ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StatusInfo {
    /// A status code of gRPC, 0 to 16.
    pub code: u8,
    /// What was wrong; empty where nothing was.
    pub message: String,
}

/// An event that was kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Created {
    /// The event.
    pub event: EventInfo,
}

/// What became of many events.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchCreated {
    /// Those that were kept, in the order of the request.
    pub events: Vec<EventInfo>,
    /// Why the others were not, by their place in the request, from 0.
    #[serde(serialize_with = "by_place")]
    #[schemars(with = "BTreeMap<String, RpcStatus>")]
    pub failed_requests: BTreeMap<usize, RpcStatus>,
}

/// Events that were found, the last first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The events of this page; there may be none though there is a next page.
    pub events: Vec<EventInfo>,
    /// What to ask for the next page with; empty on the last one.
    pub next_page_token: String,
    /// How far back was looked.
    pub searched_until_time: String,
}

/// Who answers here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VersionInfo {
    /// The program.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl EventInfo {
    /// How a record of the audit trail is shown.
    pub(super) fn of(record: &AuditRecord) -> Self {
        Self::shown(record, PostedEvent::of(record))
    }

    /// How a record that tells `event` is shown.
    pub(super) fn shown(record: &AuditRecord, event: PostedEvent) -> Self {
        let PostedEvent {
            event_time,
            event_source,
            action,
            read_only,
            status: (code, message),
            principal,
            source_address,
            resource,
            workspace,
            user_agent,
            metadata,
            request_parameters,
            origin,
        } = event;
        let actor = &record.entry.actor;
        let is_user = actor.kind == ActorKind::User;
        let id = record.posted_id.as_deref().unwrap_or(record.audit_id.as_str());
        Self {
            name: format!("events/{id}"),
            event_time: written(event_time),
            receive_time: written(record.entry.received_at),
            event_source,
            action,
            read_only,
            resource,
            request_parameters,
            status: StatusInfo { code: code.number(), message },
            principal,
            login_principal: if is_user { actor.name.clone() } else { String::new() },
            source_ip_address: source_address,
            user_agent,
            metadata,
            workspace,
            r#type: origin,
        }
    }
}

/// The keys of JSON objects are texts.
fn by_place<S: Serializer>(
    failed: &BTreeMap<usize, RpcStatus>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(failed.iter().map(|(at, status)| (at.to_string(), status)))
}
