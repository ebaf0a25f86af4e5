//! Events that services emit and people list: events, audit events and communication events.
//!
//! Each is a record of the audit trail, in a chain of its list, so none can be changed or deleted. The list of audit
//! events shows what is recorded of Alertmill itself too.

mod attributes;
mod info;
mod list;
mod merge;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Call, audit, chain,
    trail::{self, Draft},
};
use crate::{
    domain::{
        audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, Trail},
        kind::{EventList, Kinds, Visibility},
        project::Domain,
        scope::{Reach, Scope},
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

use self::attributes::Checked;
pub use self::{
    attributes::{AffectedResource, Attributes, NumberParameter, TextParameter},
    info::{EventDocument, EventInfo, Linked, Meta, Named, Relationships, ShownAttributes},
    list::{EventsDocument, Links, ListEvents, audit_events, communication_events, events},
};

/// Asks to emit an event.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmitEvent {
    /// The event.
    data: Emitted,
}

/// An event to emit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Emitted {
    /// The list it goes to; `event` leaves that to its relationships and its kind.
    #[serde(rename = "type", default)]
    list: Option<EventList>,
    /// What it says.
    attributes: Attributes,
    /// Whose it is.
    #[serde(default)]
    relationships: Option<Tenants>,
}

/// The tenant whose event it is; the caller's where none is named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Tenants {
    /// The tenant whose audit event it is; an event with one is an audit event.
    audit_tenant: Option<Related>,
    /// The tenant whose event it is.
    tenant: Option<Related>,
}

/// Something that an event belongs to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Related {
    /// What it is.
    data: RelatedTo,
}

/// What an event belongs to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RelatedTo {
    /// `tenant`.
    #[serde(rename = "type")]
    what: TenantWord,
    /// Its identifier: that of a domain.
    id: Id<Domain>,
}

/// What an event can belong to.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TenantWord {
    /// A tenant, which is a domain.
    Tenant,
}

/// Emits an event: it is kept in its list for ever, or until retention removes it.
pub fn emit(tx: &mut dyn Tx, call: &Call, request: EmitEvent) -> Result<EventDocument> {
    let Emitted { list, attributes, relationships } = request.data;
    let kinds = &call.kinds;
    let Checked { source, kind, occurred_at, rest } = attributes.checked(kinds, call.now)?;
    let tenants = relationships.unwrap_or_default();
    let list = list_of(list, &tenants, (&kind, kinds));
    let Tenants { audit_tenant, tenant } = tenants;
    let place = if audit_tenant.is_some() { "audit_tenant" } else { "tenant" };
    let domain = match audit_tenant.or(tenant) {
        Some(Related { data: RelatedTo { what: TenantWord::Tenant, id } }) => {
            known(tx, call, id, place)?
        }
        None => tenant_of(call),
    };
    let actor = Actor::unnamed(ActorKind::Service, source);
    let mut entry = AuditEntry {
        occurred_at,
        remote: call.remote.clone(),
        user_agent: call.user_agent.clone(),
        ..AuditEntry::new(call.now, actor, &kind)
    };
    let affected = rest.affected_resources.as_ref().and_then(|all| all.first());
    if let Some(AffectedResource { resource_type, id_str, name, .. }) = affected {
        let name = Some(name.clone()).filter(|name| !name.is_empty());
        entry = entry.on(Entity::new(resource_type, id_str).called(name));
    }
    let draft = Draft { posted_id: None, entry: entry.saying(info::details(&rest)) };
    let record = trail::posted_in(tx, call, (&domain, trail_of(list)), draft)?;
    let (id, data) = (record.audit_id.clone(), EventInfo::new(record, kinds));
    call.touched_in(&domain, (list.as_str(), id), (None, super::call::seen(&data)));
    Ok(EventDocument { data, meta: Meta::of(call) })
}

/// The list that an event goes to.
fn list_of(said: Option<EventList>, of: &Tenants, (kind, kinds): (&str, &Kinds)) -> EventList {
    match said {
        Some(EventList::AuditEvent) => EventList::AuditEvent,
        Some(EventList::CommunicationEvent) => EventList::CommunicationEvent,
        Some(EventList::Event) | None if of.audit_tenant.is_some() => EventList::AuditEvent,
        Some(EventList::Event) | None => {
            let usual = kinds.get(kind).map(|definition| definition.list);
            // Whoever emits an audit event says so; only what services tell each other is known by its kind alone.
            usual.filter(|list| *list == EventList::CommunicationEvent).unwrap_or(EventList::Event)
        }
    }
}

/// The trail that a list is kept in.
const fn trail_of(list: EventList) -> Trail {
    match list {
        EventList::Event => Trail::Event,
        EventList::AuditEvent => Trail::AuditEvent,
        EventList::CommunicationEvent => Trail::Communication,
    }
}

/// A domain that exists and that the caller reaches.
fn known(tx: &dyn Tx, call: &Call, id: Id<Domain>, place: &str) -> Result<Id<Domain>> {
    let scope = Scope { domains: call.caller.scope.domains.narrowed(&id), ..Scope::EVERYTHING };
    if tx.domains(&scope)?.iter().any(|domain| domain.domain_id == id) {
        return Ok(id);
    }
    let pointer = format!("/data/relationships/{place}/data/id");
    Err(Error::at(Code::NotFound, pointer, format!("no tenant `{id}`")))
}

/// The tenant that a caller belongs to: its domain, or the first one of whoever reaches several.
pub fn tenant_of(call: &Call) -> Id<Domain> {
    match &call.caller.scope.domains {
        Reach::Only(some) => some.first().cloned().unwrap_or_else(|| chain::of_caller(call)),
        Reach::All => chain::of_caller(call),
    }
}

/// Whether the caller sees what is for administrators alone.
fn is_inside(call: &Call) -> bool {
    match call.caller.role {
        Role::SystemAdmin | Role::DomainAdmin => audit::admit(call).is_ok(),
        Role::WorkspaceOwner | Role::WorkspaceMember | Role::Service => false,
    }
}

/// Why an event cannot be deleted: each is a link of a chain.
pub fn undeletable(list: EventList) -> Error {
    let detail = format!(
        "a record of `{list}` cannot be deleted: the audit trail is a chain, and retention alone removes its oldest records"
    );
    Error::new(Code::MethodNotAllowed, detail)
}

/// Asks for one event.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetEvent {
    /// Its identifier.
    event_id: Id<AuditRecord>,
}

/// Shows an event of a list.
pub fn get(tx: &dyn Tx, call: &Call, request: &GetEvent, list: EventList) -> Result<EventDocument> {
    let id = &request.event_id;
    let domains = call.caller.scope.domains.clone();
    let scope = Scope { domains, ..Scope::EVERYTHING };
    let mut found = tx.audit(&scope, trail_of(list), id.as_str())?;
    if found.is_none() && list == EventList::AuditEvent {
        found = tx.audit(&scope, Trail::Own, id.as_str())?;
    }
    let data = found.map(|record| EventInfo::new(record, &call.kinds));
    let is_shown = |event: &EventInfo| {
        let visibility = event.attributes.said.visibility;
        let own = event.attributes.said.source.as_deref() == Some(attributes::OWN_SOURCE);
        is_inside(call) || (!own && visibility.is_some_and(Visibility::is_shown_outside))
    };
    match data.filter(is_shown) {
        Some(data) => Ok(EventDocument { data, meta: Meta::of(call) }),
        None => Err(Error::not_found(list.as_str(), id)),
    }
}
