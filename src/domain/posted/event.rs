//! What a service reports, as a record of the audit trail, and any record as what a service would report.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Origin, workspace_of};
use crate::{
    clock::to_millis,
    domain::{
        address,
        audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, SUCCESS, Trail},
        rpc::RpcCode,
    },
};

/// What we are called among the services.
pub const OURSELVES: &str = "alertmill";

/// Something that was done in a service, as that reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostedEvent {
    /// When it happened, as finely as it was told.
    pub event_time: DateTime<Utc>,
    /// The service that reports it.
    pub event_source: String,
    /// What was asked for.
    pub action: String,
    /// Whether that changes nothing.
    pub read_only: bool,
    /// How it ended, and what was wrong.
    pub status: (RpcCode, String),
    /// Who asked for it, e.g. `users/u`.
    pub principal: String,
    /// The address it was asked from; `private` where it is none of the internet.
    pub source_address: String,
    /// What it was asked of; empty where nothing is named.
    pub resource: String,
    /// The workspace it belongs to, `workspaces/w`; empty for none.
    pub workspace: String,
    /// The program it was asked with; empty where nobody knows.
    pub user_agent: String,
    /// What else the service says of it.
    pub metadata: BTreeMap<String, String>,
    /// With which parameters it was asked for.
    pub request_parameters: BTreeMap<String, String>,
    /// What set it off.
    pub origin: Origin,
}

impl PostedEvent {
    /// What the audit trail records of it.
    pub fn entry(self) -> AuditEntry {
        let Self {
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
        } = self;
        let occurred_at = to_millis(event_time);
        let mut details = json!({
            "source": event_source,
            "read_only": read_only,
            "workspace": workspace,
            "metadata": metadata,
            "request_parameters": request_parameters,
            "origin": origin,
        });
        if event_time != occurred_at {
            details["event_time"] = written(event_time).into();
        }
        let outcome = match code {
            RpcCode::Ok => SUCCESS,
            code => code.name(),
        };
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let actor = Actor::unnamed(ActorKind::Service, principal);
        AuditEntry {
            entity: some(resource).map(entity),
            outcome: outcome.to_owned(),
            reason: some(message),
            remote: Some(source_address),
            user_agent: some(user_agent),
            details,
            ..AuditEntry::new(occurred_at, actor, &action)
        }
    }

    /// What a record tells.
    pub fn of(record: &AuditRecord) -> Self {
        match record.trail {
            Trail::Own => Self::own(record),
            Trail::Posted | Trail::Event | Trail::AuditEvent | Trail::Communication => {
                Self::read(&record.entry)
            }
        }
    }

    fn read(entry: &AuditEntry) -> Self {
        let details = &entry.details;
        let text = |name: &str| details[name].as_str().unwrap_or_default().to_owned();
        let exact = details["event_time"].as_str().and_then(|text| text.parse().ok());
        let entity = entry.entity.as_ref();
        Self {
            event_time: exact.unwrap_or(entry.occurred_at),
            event_source: text("source"),
            action: entry.action.clone(),
            read_only: details["read_only"].as_bool().unwrap_or_default(),
            status: status(entry),
            principal: entry.actor.id.clone(),
            source_address: entry.remote.clone().unwrap_or_default(),
            resource: entity.map(|entity| entity.id.clone()).unwrap_or_default(),
            workspace: text("workspace"),
            user_agent: entry.user_agent.clone().unwrap_or_default(),
            metadata: pairs(&details["metadata"]),
            request_parameters: pairs(&details["request_parameters"]),
            origin: text("origin").parse().unwrap_or(Origin::Api),
        }
    }

    /// What was done to or in Alertmill, as a service among others would report it.
    fn own(record: &AuditRecord) -> Self {
        let AuditRecord { entry, sequence, .. } = record;
        let resource = entry.entity.as_ref().map(own_resource).unwrap_or_default();
        let mut metadata = BTreeMap::from([("sequence".to_owned(), sequence.to_string())]);
        let named = entry.entity.as_ref().and_then(|entity| entity.name.clone());
        metadata.extend(named.map(|name| ("entity_name".to_owned(), name)));
        metadata.extend(entry.request_id.clone().map(|id| ("request_id".to_owned(), id)));
        let remote = entry.remote.as_deref().and_then(address::told);
        Self {
            event_time: entry.occurred_at,
            event_source: OURSELVES.to_owned(),
            action: entry.action.clone(),
            // What is taken out is recorded, though it stays as it is.
            read_only: entry.action.split('.').any(|word| word == "export"),
            status: status(entry),
            principal: own_principal(&entry.actor),
            source_address: remote.unwrap_or_else(|| address::PRIVATE.to_owned()),
            workspace: workspace_of(&resource).unwrap_or_default().to_owned(),
            resource,
            user_agent: entry.user_agent.clone().unwrap_or_default(),
            metadata,
            request_parameters: BTreeMap::new(),
            origin: own_origin(&entry.actor),
        }
    }
}

/// A time as finely as it is known: `2026-01-02T03:04:05.000006Z`.
pub fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn status(entry: &AuditEntry) -> (RpcCode, String) {
    (RpcCode::of_outcome(&entry.outcome), entry.reason.clone().unwrap_or_default())
}

fn pairs(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    members.filter_map(pair).collect()
}

/// What a full resource name names: of this collection, by its last part.
fn entity(resource: String) -> Entity {
    let name = resource.strip_prefix("//").and_then(|rest| Some(rest.split_once('/')?.1));
    let parts: Vec<&str> = name.unwrap_or(&resource).split('/').collect();
    let last = parts.last().copied().unwrap_or_default();
    let (kind, name) = match parts.len() {
        // A collection as a whole.
        length if length % 2 == 1 => (last, None),
        length => (parts[length - 2], Some(last.to_owned())),
    };
    Entity { kind: kind.to_owned(), name, id: resource.clone() }
}

/// How something of ours is named among the services' resources.
fn own_resource(entity: &Entity) -> String {
    let Entity { kind, id, .. } = entity;
    let separator = if id.is_empty() { "" } else { "/" };
    format!("//{OURSELVES}/{kind}s{separator}{id}")
}

/// How somebody of ours is named among the services' principals.
fn own_principal(actor: &Actor) -> String {
    let collection = match actor.kind {
        ActorKind::User => "users",
        ActorKind::Application | ActorKind::Service => "services",
        ActorKind::Token => "tokens",
        ActorKind::Webhook => "webhooks",
        ActorKind::Timer => "timers",
        ActorKind::Command => "commands",
        ActorKind::Recipient => "recipients",
        ActorKind::Nobody => return "anonymous".to_owned(),
    };
    format!("{collection}/{}", actor.id)
}

fn own_origin(actor: &Actor) -> Origin {
    match actor.kind {
        ActorKind::Timer => Origin::System,
        ActorKind::User
        | ActorKind::Application
        | ActorKind::Service
        | ActorKind::Token
        | ActorKind::Webhook
        | ActorKind::Command
        | ActorKind::Recipient
        | ActorKind::Nobody => Origin::Api,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn whole() -> PostedEvent {
        let pairs = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        PostedEvent {
            event_time: "2026-01-01T00:00:00.123456Z".parse().unwrap(),
            event_source: "h2oai-enginemanager-server".to_owned(),
            action: "actions/enginemanager/daiEngines/CREATE".to_owned(),
            read_only: true,
            status: (RpcCode::NotFound, "gone".to_owned()),
            principal: "users/john.doe".to_owned(),
            source_address: "203.0.113.7".to_owned(),
            resource: "//engine-manager/workspaces/w/daiEngines/e".to_owned(),
            workspace: "workspaces/w".to_owned(),
            user_agent: "client/1".to_owned(),
            metadata: pairs("engine_type", "dai"),
            request_parameters: pairs("timeout", "3600"),
            origin: Origin::System,
        }
    }

    fn recorded(trail: Trail, entry: AuditEntry) -> AuditRecord {
        AuditRecord {
            audit_id: "audit-1".into(),
            sequence: 7,
            domain_id: "default".into(),
            trail,
            format: 2,
            posted_id: None,
            entry,
            previous: [0; 32],
            hash: [0; 32],
        }
    }

    #[test]
    fn what_a_service_reports_reads_back_as_it_was() {
        let plain = PostedEvent {
            event_time: from_millis(1_767_225_600_000),
            status: (RpcCode::Ok, String::new()),
            resource: String::new(),
            workspace: String::new(),
            user_agent: String::new(),
            metadata: BTreeMap::new(),
            ..whole()
        };
        for event in [whole(), plain] {
            let record = recorded(Trail::Posted, event.clone().entry());
            assert_eq!(PostedEvent::of(&record), event);
        }
    }

    #[test]
    fn what_it_was_done_to_can_be_asked_for_by_kind_and_name() {
        let entity = whole().entry().entity.unwrap();
        assert_eq!((&*entity.kind, entity.name.as_deref()), ("daiEngines", Some("e")));
        assert_eq!(entity.id, "//engine-manager/workspaces/w/daiEngines/e");
        let all = PostedEvent { resource: "//a/workspaces/w/daiEngines".to_owned(), ..whole() };
        let all = all.entry().entity.unwrap();
        assert_eq!((&*all.kind, all.name), ("daiEngines", None));
    }

    #[test]
    fn what_is_done_in_alertmill_is_told_like_what_services_report() {
        let user = Actor::new(ActorKind::User, "user-1", "amy");
        let entry = AuditEntry::new(from_millis(0), user, "webhook.create").on(Entity::new(
            "webhook",
            "webhook-1",
        )
        .called(Some("prod".to_owned())));
        let entry = AuditEntry { remote: Some("10.0.0.1".to_owned()), ..entry };
        let told = PostedEvent::of(&recorded(Trail::Own, entry));
        assert_eq!(told.event_source, "alertmill");
        assert_eq!(told.principal, "users/user-1");
        assert_eq!(told.resource, "//alertmill/webhooks/webhook-1");
        assert_eq!((&*told.source_address, told.origin), ("private", Origin::Api));
        assert_eq!(told.metadata["entity_name"], "prod");
        let timer = Actor::unnamed(ActorKind::Timer, "retention");
        let told = AuditEntry::new(from_millis(0), timer, "retention.run");
        let told = PostedEvent::of(&recorded(Trail::Own, told));
        assert_eq!((told.origin, &*told.principal), (Origin::System, "timers/retention"));
    }
}
