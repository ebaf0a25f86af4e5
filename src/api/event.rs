//! `event.*`: what happened.

use std::{collections::HashMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{AnalysisInfo, Call, Moment, Page, Shown, StatInfo, asked::list_request, unwound};
use crate::{
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::{Draft, Event},
        project::{Domain, Project, Workspace},
        scope::{Home, Scope},
        webhook::Webhook,
        words::{EventType, Severity, Why},
    },
    error::{Error, Result},
    id::Id,
    query::{EVENTS, Query},
    store::Tx,
};

/// How many bytes of raw data a page holds, about; it ends early before it holds more.
const PAGE_BYTES: usize = 16 << 20;

/// One message from a monitoring system.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventInfo {
    /// Its identifier.
    pub event_id: Id<Event>,
    /// What the firing and the recovery of one problem have in common.
    pub event_key: String,
    /// Which way it goes.
    pub event_type: EventType,
    /// What a person reads first.
    pub title: Option<String>,
    /// What a person reads next.
    pub description: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about.
    pub resources: Vec<String>,
    /// Whose resources they are; null only where it was imported without.
    pub provider: Option<String>,
    /// Which account of that provider; null only where it was imported without.
    pub account: Option<String>,
    /// The payload it came in: its JSON, or its text where it is none.
    pub raw_data: Raw,
    /// Whatever else the sender said.
    pub additional_info: Map<String, Value>,
    /// The alert it belongs to, if it belongs to one.
    pub alert_id: Option<Id<Alert>>,
    /// The webhook it came through.
    pub webhook_id: Id<Webhook>,
    /// Its project.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it arrived.
    pub created_at: Moment,
    /// When it happened, by the sender's clock.
    pub occurred_at: Option<Moment>,
    /// The delivery it came in.
    pub delivery_id: Id<Delivery>,
    /// Its place in that delivery, from zero.
    pub item: u32,
    /// Why it did to alerts what it did.
    pub why: Why,
}

/// What was posted, shared by the events of a delivery.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(transparent)]
pub struct Raw(Arc<Value>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl EventInfo {
    pub(super) fn new(event: Event, raw_data: Raw) -> Self {
        let Event {
            event_id,
            alert_id,
            webhook_id,
            delivery_id,
            item,
            home: Home { domain_id, workspace_id, project_id },
            draft,
            reading: _,
            why,
            created_at,
        } = event;
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
        } = draft;
        Self {
            event_id,
            event_key,
            event_type,
            title,
            description,
            severity,
            rule,
            image_url,
            resources,
            provider,
            account,
            raw_data,
            additional_info: additional_info.into_iter().collect(),
            alert_id,
            webhook_id,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
            occurred_at: occurred_at.map(Moment),
            delivery_id,
            item,
            why,
        }
    }
}

/// Asks for one event.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetEvent {
    /// Its identifier.
    event_id: Id<Event>,
}

/// One event.
pub fn get(tx: &dyn Tx, call: &Call, request: GetEvent) -> Result<EventInfo> {
    let scope = &call.caller.scope;
    let found = tx.event(scope, &request.event_id)?;
    let event = found.ok_or_else(|| Error::not_found("event", &request.event_id))?;
    let (raw, _) = raw(tx, scope, &event.delivery_id)?;
    Ok(EventInfo::new(event, raw))
}

list_request! {
    /// Asks for events.
    ListEvents: Asked,
    /// Asks for statistics of events.
    StatEvents: AskedStat,
    /// Asks for an analysis of events.
    AnalyzeEvents: AskedAnalysis
    of EVENTS {
        /// Only the one with this identifier.
        event_id: Id<Event>,
        /// Only those with this key.
        event_key: String,
        /// Only those that go this way.
        event_type: EventType,
        /// Only those of this severity.
        severity: Severity,
        /// Only those about this.
        resource: String,
        /// Only those of this provider.
        provider: String,
        /// Only those of this account.
        account: String,
        /// Only those of this alert.
        alert_id: Id<Alert>,
        /// Only those that came through this webhook.
        webhook_id: Id<Webhook>,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Events, newest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListEvents) -> Result<Page<Shown<EventInfo>>> {
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    if query.unwind.is_some() {
        return unwound::page(&query, &EVENTS, |scan, each| tx.visit_events(scope, scan, each));
    }
    let found = tx.events(scope, &query)?;
    let asked = found.rows.len();
    let mut results = Vec::with_capacity(asked);
    let mut payloads = Payloads::default();
    for event in found.rows {
        let raw = if query.shows("raw_data", &EVENTS) {
            payloads.of(tx, scope, &event.delivery_id)?
        } else {
            Raw::default()
        };
        if payloads.bytes > PAGE_BYTES && !results.is_empty() {
            break;
        }
        results.push(Shown::shaped(EventInfo::new(event, raw), &query.shape, &EVENTS)?);
    }
    let next_cursor = if results.len() == asked {
        found.next_cursor
    } else {
        cursor_after(tx, scope, query, results.len())?
    };
    Ok(Page::new(results, found.total, next_cursor))
}

/// Statistics of events.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatEvents) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    Ok(StatInfo::new(&stat, tx.event_stat(&call.caller.scope, &stat)?))
}

/// An analysis of events.
pub fn analyze(tx: &dyn Tx, call: &Call, request: AnalyzeEvents) -> Result<AnalysisInfo> {
    let analysis = request.checked(call.now)?;
    Ok(AnalysisInfo::new(&analysis, tx.event_stat(&call.caller.scope, &analysis.stat)?))
}

/// Where the page begins that follows the first `rows` of a query.
fn cursor_after(tx: &dyn Tx, scope: &Scope, query: Query, rows: usize) -> Result<Option<String>> {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    Ok(tx.events(scope, &query.limited_to(rows).uncounted())?.next_cursor)
}

/// Payloads of the deliveries of a page, each read once.
#[derive(Default)]
struct Payloads {
    read: HashMap<Id<Delivery>, (Raw, usize)>,
    /// How many bytes were shown, those shown again included.
    bytes: usize,
}

impl Payloads {
    fn of(&mut self, tx: &dyn Tx, scope: &Scope, delivery: &Id<Delivery>) -> Result<Raw> {
        let (raw, bytes) = if let Some(read) = self.read.get(delivery) {
            read.clone()
        } else {
            let read = raw(tx, scope, delivery)?;
            self.read.insert(delivery.clone(), read.clone());
            read
        };
        self.bytes += bytes;
        Ok(raw)
    }
}

/// What was posted in a delivery, and how many bytes that is; null if nobody kept it.
pub(super) fn raw(tx: &dyn Tx, scope: &Scope, delivery: &Id<Delivery>) -> Result<(Raw, usize)> {
    let Some(payload) = tx.payload(scope, delivery)? else { return Ok((Raw::default(), 0)) };
    let posted = payload.unpack()?;
    let bytes = posted.body.len();
    Ok((Raw(Arc::new(posted.shown())), bytes))
}
