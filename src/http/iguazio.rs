//! The table of `/api/*_events`: events, audit events and communication events, as Iguazio has them.

mod session;

use self::session::{Document, Opened};
use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Front, audited,
    method::{Method, Verb, Work, act, read, serve, write},
};
use crate::{
    api::{
        Call, Done,
        manual_event::{self, EventDocument, GetEvent},
    },
    domain::{kind::EventList, token::Right},
    error::Result,
    store::Tx,
};

/// What trying to delete anything of the trail is called in records.
const DELETE: &str = "manual_event.delete";

/// The methods of this dialect.
pub(super) fn methods() -> Vec<Method> {
    let mut all = vec![
        Method::post(
            "/api/manual_events",
            "manual_event.emit",
            "Emits an event, an audit event or a communication event.",
            write(manual_event::emit),
        )
        .needs(Right::Administer)
        .answers(201),
    ];
    all.extend(sessions());
    all.extend(lists());
    all.extend(deletions());
    all
}

fn sessions() -> Vec<Method> {
    vec![
        Method::post(
            "/api/sessions",
            "session.open",
            "Opens a session for a user's name and password; a cookie holds it.",
            serve::<_, Document<Opened>, _>(session::log_in),
        )
        .needs(Right::Anyone)
        .answers(201),
        Method::post(
            "/api/sessions/verifications/planes/{plane}/internal",
            "session.get",
            "Says who is logged in.",
            read(session::verify),
        ),
        Method::get(
            "/api/tunnel/{tunnel}/external_versions/{node}",
            "session.external_version",
            "Says which version of the API this is like.",
            read(session::version),
        ),
    ]
}

fn lists() -> Vec<Method> {
    vec![
        Method::get(
            "/api/events",
            "manual_event.list_events",
            "Lists the events of a tenant.",
            read(manual_event::events),
        ),
        Method::get(
            "/api/audit_events",
            "manual_event.list_audit_events",
            "Lists the audit events of a tenant, those of this server among them.",
            read(manual_event::audit_events),
        ),
        Method::get(
            "/api/communication_events",
            "manual_event.list_communication_events",
            "Lists the communication events of a tenant.",
            read(manual_event::communication_events),
        ),
        Method::get(
            "/api/events/{event_id}",
            "manual_event.get_event",
            "Shows an event.",
            read(event),
        ),
        Method::get(
            "/api/audit_events/{event_id}",
            "manual_event.get_audit_event",
            "Shows an audit event.",
            read(audit_event),
        ),
        Method::get(
            "/api/communication_events/{event_id}",
            "manual_event.get_communication_event",
            "Shows a communication event.",
            read(communication_event),
        ),
    ]
}

fn event(tx: &dyn Tx, call: &Call, request: GetEvent) -> Result<EventDocument> {
    manual_event::get(tx, call, &request, EventList::Event)
}

fn audit_event(tx: &dyn Tx, call: &Call, request: GetEvent) -> Result<EventDocument> {
    manual_event::get(tx, call, &request, EventList::AuditEvent)
}

fn communication_event(tx: &dyn Tx, call: &Call, request: GetEvent) -> Result<EventDocument> {
    manual_event::get(tx, call, &request, EventList::CommunicationEvent)
}

/// Nothing of the trail can be deleted, and who tries is recorded. Clients end an address with a slash where they mean
/// all of a list.
fn deletions() -> Vec<Method> {
    let row = |path, name, list: Work| {
        Method::get(path, name, "Is refused: the audit trail is a chain.", list)
            .called_by(Verb::Delete)
    };
    let events = || act(|front, call, at| refuse(front, call, (EventList::Event, at)));
    let audits = || act(|front, call, at| refuse(front, call, (EventList::AuditEvent, at)));
    let others = || act(|front, call, at| refuse(front, call, (EventList::CommunicationEvent, at)));
    vec![
        row("/api/events", "manual_event.delete_events", events()),
        row("/api/events/", "manual_event.delete_all_events", events()),
        row("/api/events/{event_id}", "manual_event.delete_event", events()),
        row("/api/audit_events", "manual_event.delete_audit_events", audits()),
        row("/api/audit_events/", "manual_event.delete_all_audit_events", audits()),
        row("/api/audit_events/{event_id}", "manual_event.delete_audit_event", audits()),
        row("/api/communication_events", "manual_event.delete_communication_events", others()),
        row("/api/communication_events/", "manual_event.delete_all_communication_events", others()),
        row(
            "/api/communication_events/{event_id}",
            "manual_event.delete_communication_event",
            others(),
        ),
    ]
}

/// What is to be deleted.
#[derive(Debug, Deserialize, JsonSchema)]
struct Doomed {
    /// One event; all of the list where absent.
    event_id: Option<String>,
}

async fn refuse(front: Data<Front>, call: Call, at: (EventList, Doomed)) -> Result<Done> {
    let (list, Doomed { event_id }) = at;
    if let Some(event_id) = event_id {
        call.touches(list.as_str(), event_id);
    }
    Err(audited::refused(&front.app, DELETE, call, manual_event::undeletable(list)).await)
}
