//! `heartbeat.*`: who must be heard from.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Call, Done, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    place,
};
use crate::{
    care::{Hand, heartbeat as care},
    clock::Timestamp,
    domain::{
        alert::Alert,
        channel::Place,
        heartbeat::{Heartbeat, HeartbeatState},
        project::{Domain, Project, Workspace},
        scope::Home,
        setup::Held,
        webhook::Webhook,
        words::Severity,
    },
    error::{Code, Error, Result},
    id::Id,
    query::HEARTBEATS,
    store::Tx,
};

/// The shortest and the longest silence that can be asked for, in seconds.
const SILENCES: std::ops::RangeInclusive<u32> = 1..=366 * 86_400;

/// What must be heard from every so often.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HeartbeatInfo {
    /// Its identifier.
    pub heartbeat_id: Id<Heartbeat>,
    /// What people call it; unique for its webhook.
    pub name: String,
    /// The webhook that must be heard from.
    pub webhook_id: Id<Webhook>,
    /// The events of which key must come; any delivery will do where null.
    pub event_key: Option<String>,
    /// How many seconds it may be silent.
    pub every: i64,
    /// How bad silence is.
    pub severity: Severity,
    /// Where it stands.
    pub state: HeartbeatState,
    /// When it was heard last; null where it never was.
    pub last_heard_at: Option<Moment>,
    /// When it is silent for too long, if nothing is heard before.
    pub due_at: Moment,
    /// The alert that says that it fell silent.
    pub alert_id: Option<Id<Alert>>,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// The project of its webhook.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

impl HeartbeatInfo {
    pub(super) fn new(heartbeat: Heartbeat, now: Timestamp) -> Self {
        let (state, due_at) = (heartbeat.state(now), heartbeat.due_at());
        let Heartbeat {
            heartbeat_id,
            name,
            webhook_id,
            home: Home { domain_id, workspace_id, project_id },
            event_key,
            every,
            severity,
            last_heard_at,
            alert_id,
            tags,
            created_at,
        } = heartbeat;
        Self {
            heartbeat_id,
            name,
            webhook_id,
            event_key,
            every: every.num_seconds(),
            severity,
            state,
            last_heard_at: last_heard_at.map(Moment),
            due_at: due_at.into(),
            alert_id,
            tags: tags.into_iter().collect(),
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
        }
    }
}

fn silence(seconds: u32) -> Result<TimeDelta> {
    if SILENCES.contains(&seconds) {
        return Ok(TimeDelta::seconds(seconds.into()));
    }
    let (least, most) = (SILENCES.start(), SILENCES.end());
    let detail = format!("`every` is {least} to {most} seconds");
    Err(Error::at(Code::InvalidParameter, "/every", detail))
}

/// Asks for a new heartbeat.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHeartbeat {
    /// What people call it; unique for its webhook.
    name: String,
    /// The webhook that must be heard from.
    webhook_id: Id<Webhook>,
    /// The events of which key must come; any delivery will do where absent.
    event_key: Option<String>,
    /// How many seconds it may be silent.
    every: u32,
    /// How bad silence is; CRITICAL where absent.
    severity: Option<Severity>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// Makes a heartbeat. It counts as heard at this moment.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateHeartbeat) -> Result<HeartbeatInfo> {
    let CreateHeartbeat { name, webhook_id, event_key, every, severity, tags } = request;
    let webhook = tx.webhook(&call.caller.scope, &webhook_id)?;
    let webhook = webhook.ok_or_else(|| Error::not_found("webhook", &webhook_id))?;
    let heartbeat = Heartbeat {
        heartbeat_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        webhook_id: webhook.webhook_id,
        home: webhook.home,
        event_key: event_key.filter(|key| !key.is_empty()),
        every: silence(every)?,
        severity: severity.unwrap_or(Severity::Critical),
        last_heard_at: None,
        alert_id: None,
        tags: tags.into_iter().collect(),
        created_at: call.now,
    };
    place::has_room(tx, Held::Heartbeats, &Place::Project(heartbeat.home.clone()))?;
    call.touches("heartbeat", &heartbeat.heartbeat_id);
    keep(tx, call, (None, heartbeat))
}

/// Asks to change a heartbeat; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateHeartbeat {
    /// Its identifier.
    heartbeat_id: Id<Heartbeat>,
    /// What people call it; unique for its webhook.
    name: Option<String>,
    /// How many seconds it may be silent.
    every: Option<u32>,
    /// How bad silence is.
    severity: Option<Severity>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes a heartbeat.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateHeartbeat) -> Result<HeartbeatInfo> {
    let UpdateHeartbeat { heartbeat_id, name, every, severity, tags } = request;
    let before = existing(tx, call, &heartbeat_id)?;
    let mut after = before.clone();
    if let Some(name) = asked::text(name) {
        after.name = asked::name("name", &name)?;
    }
    if let Some(every) = every {
        after.every = silence(every)?;
    }
    after.severity = severity.unwrap_or(after.severity);
    if let Some(tags) = tags {
        after.tags = tags.into_iter().collect();
    }
    keep(tx, call, (Some(before), after))
}

/// Names one heartbeat.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneHeartbeat {
    /// Its identifier.
    heartbeat_id: Id<Heartbeat>,
}

/// Deletes a heartbeat; the alert of its silence is resolved.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneHeartbeat) -> Result<Done> {
    let heartbeat = existing(tx, call, &request.heartbeat_id)?;
    care::removed(tx, &heartbeat, &hand(call))?;
    tx.delete_heartbeat(&heartbeat.heartbeat_id)?;
    let id = heartbeat.heartbeat_id.clone();
    call.touched("heartbeat", &id, seen(&HeartbeatInfo::new(heartbeat, call.now)), None);
    Ok(Done {})
}

/// One heartbeat.
pub fn get(tx: &dyn Tx, call: &Call, request: OneHeartbeat) -> Result<HeartbeatInfo> {
    let heartbeat = existing(tx, call, &request.heartbeat_id)?;
    Ok(HeartbeatInfo::new(heartbeat, call.now))
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Heartbeat>) -> Result<Heartbeat> {
    call.touches("heartbeat", id);
    let heartbeat = tx.heartbeat(&call.caller.scope, id)?;
    heartbeat.ok_or_else(|| Error::not_found("heartbeat", id))
}

fn hand(call: &Call) -> Hand<'_> {
    Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor }
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    (before, after): (Option<Heartbeat>, Heartbeat),
) -> Result<HeartbeatInfo> {
    tx.put_heartbeat(&after)?;
    care::changed(tx, &after, &hand(call))?;
    let before = before.map(|before| HeartbeatInfo::new(before, call.now));
    let after = HeartbeatInfo::new(after, call.now);
    call.touched("heartbeat", &after.heartbeat_id, before.as_ref().and_then(seen), seen(&after));
    Ok(after)
}

list_request! {
    /// Asks for heartbeats.
    ListHeartbeats: Asked,
    /// Asks for statistics of heartbeats.
    StatHeartbeats: AskedStat
    of HEARTBEATS {
        /// Only the one with this identifier.
        heartbeat_id: Id<Heartbeat>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of this webhook.
        webhook_id: Id<Webhook>,
        /// Only those that stand so.
        state: HeartbeatState,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Heartbeats, by name where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListHeartbeats,
) -> Result<Page<Shown<HeartbeatInfo>>> {
    let query = request.checked(call.now)?;
    let heartbeats = tx.heartbeats(&call.caller.scope)?;
    let views = heartbeats.into_iter().map(|heartbeat| HeartbeatInfo::new(heartbeat, call.now));
    Page::listed(views, &query, &HEARTBEATS)
}

/// Statistics of heartbeats.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatHeartbeats) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let heartbeats = tx.heartbeats(&call.caller.scope)?;
    let views = heartbeats.into_iter().map(|heartbeat| HeartbeatInfo::new(heartbeat, call.now));
    StatInfo::of(views, &stat)
}
