//! Alerts from another store.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Fate, Imported, Objection,
    lines::{self, Line, Time},
    scopes::Scopes,
    tally::Tallies,
};
use crate::{
    api::Call,
    domain::{
        alert::{Alert, Ending, Standing},
        care::{Care, Escalation, Marks},
        escalation::EscalationPolicy,
        project::{Domain, Project, Workspace},
        scope::{Home, Scope},
        webhook::Webhook,
        words::{AlertState, Severity, Urgency},
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// Why an alert is over of which that is not said.
const UNTOLD: &str = "resolved before it was imported";

/// An alert as an export or the original's list says it. Fields that are not known are passed over.
#[derive(Debug, Deserialize)]
struct Record {
    alert_number: u64,
    alert_id: Id<Alert>,
    title: Option<String>,
    state: AlertState,
    description: Option<String>,
    assignee: Option<String>,
    responder: Option<String>,
    urgency: Option<Urgency>,
    severity: Option<Severity>,
    rule: Option<String>,
    image_url: Option<String>,
    resources: Option<Vec<Resource>>,
    provider: Option<String>,
    account: Option<String>,
    additional_info: Option<BTreeMap<String, Value>>,
    triggered_by: Option<String>,
    webhook_id: Option<Id<Webhook>>,
    project_id: Id<Project>,
    workspace_id: Id<Workspace>,
    domain_id: Id<Domain>,
    created_at: Time,
    updated_at: Option<Time>,
    acknowledged_at: Option<Time>,
    resolved_at: Option<Time>,
    event_key: Option<String>,
    event_count: Option<u64>,
    last_event_at: Option<Time>,
    resolved_reason: Option<String>,
    resolved_as: Option<String>,
    escalation_policy_id: Option<Id<EscalationPolicy>>,
    escalation_step: Option<u32>,
    escalation_ttl: Option<u32>,
    escalated_at: Option<Time>,
}

/// What an alert is about: its name, or an object that holds it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Resource {
    Name(String),
    Object { name: Option<String>, resource_id: Option<String> },
}

impl Resource {
    fn name(self) -> String {
        match self {
            Self::Name(name) => name,
            Self::Object { name, resource_id } => name.or(resource_id).unwrap_or_default(),
        }
    }
}

/// An alert, and what its record did not say and so does not count when it is compared.
#[derive(Debug)]
struct Incoming {
    alert: Alert,
    says_key: bool,
    says_count: bool,
    says_last: bool,
}

/// The alerts in a body.
#[derive(Debug)]
pub struct AlertLines(Vec<Line<Incoming>>);

impl AlertLines {
    /// Reads the alerts in `body`, one a line.
    pub fn read(body: &[u8]) -> Self {
        Self(lines::read(body, incoming))
    }
}

fn incoming(record: Record) -> Incoming {
    let Time(created_at) = record.created_at;
    let time = |time: Option<Time>| time.map(|Time(time)| time);
    let updated_at = time(record.updated_at).unwrap_or(created_at);
    let is_open = record.state.is_open();
    let ending = (!is_open).then(|| Ending {
        resolved_at: time(record.resolved_at).unwrap_or(updated_at),
        recovered_at: None,
        reason: record.resolved_reason.unwrap_or_else(|| UNTOLD.to_owned()),
    });
    // What mutes it, merges it and puts it off is decided here, not there; and nobody is paged by an import, so its
    // escalation is known and does not go on.
    let escalation = Escalation {
        policy_id: record.escalation_policy_id,
        is_given: false,
        step: record.escalation_step.unwrap_or(1),
        ttl: record.escalation_ttl.unwrap_or(0),
        escalated_at: time(record.escalated_at),
        no_notification: false,
    };
    let expired = record.resolved_as.as_deref() == Some("EXPIRED");
    let webhook = record.webhook_id.as_ref().map(ToString::to_string);
    let said = (record.event_key.is_some(), record.event_count.is_some());
    let says_last = record.last_event_at.is_some();
    let alert = Alert {
        standing: Standing {
            alert_id: record.alert_id.clone(),
            state: record.state,
            severity: record.severity.unwrap_or(Severity::None),
            urgency: record.urgency.unwrap_or(Urgency::High),
            event_count: record.event_count.unwrap_or(0),
            last_event_at: time(record.last_event_at).unwrap_or(created_at),
            updated_at,
            marks: Marks::default(),
        },
        alert_number: record.alert_number,
        // Where no key is said, nothing but its own identifier can be its key.
        event_key: record.event_key.unwrap_or_else(|| record.alert_id.to_string()),
        title: record.title,
        description: record.description,
        rule: record.rule,
        image_url: record.image_url,
        resources: record.resources.into_iter().flatten().map(Resource::name).collect(),
        provider: record.provider,
        account: record.account,
        additional_info: record.additional_info.unwrap_or_default(),
        assignee: record.assignee,
        responder: record.responder,
        triggered_by: record.triggered_by.or(webhook).unwrap_or_default(),
        webhook_id: record.webhook_id,
        home: Home {
            domain_id: record.domain_id,
            workspace_id: record.workspace_id,
            project_id: record.project_id,
        },
        created_at,
        acknowledged_at: time(record.acknowledged_at),
        ending,
        care: Care { escalation, expired, ..Care::default() },
    };
    Incoming { alert, says_key: said.0, says_count: said.1, says_last }
}

/// Adds the alerts that are not there yet.
pub fn alerts(tx: &mut dyn Tx, call: &Call, lines: AlertLines) -> Result<Imported> {
    let (mut scopes, mut done) = (Scopes::default(), Imported::default());
    let mut tallies = Tallies::default();
    for (line, read) in lines.0 {
        let domain = read.as_ref().ok().map(|read| read.alert.home.domain_id.clone());
        let fate = match read {
            Ok(incoming) => add(tx, call, &mut scopes, incoming)?,
            Err(objection) => Fate::Refused(objection),
        };
        tallies.count(domain, &fate);
        done.count(line, fate);
    }
    tallies.note(tx, (call, "alerts"), scopes.made)?;
    done.created = scopes.created;
    Ok(done)
}

fn add(tx: &mut dyn Tx, call: &Call, scopes: &mut Scopes, incoming: Incoming) -> Result<Fate> {
    let alert = &incoming.alert;
    if let Some(there) = tx.alert(&Scope::EVERYTHING, alert.alert_id())? {
        return Ok(if is_same(there, incoming) {
            Fate::Unchanged
        } else {
            let detail = "an alert of this identifier is here already, and it differs";
            Fate::Refused(Objection::new("/alert_id", detail))
        });
    }
    let mut objection = objection(tx, alert)?;
    if objection.is_none() {
        objection = scopes.settle(tx, call, &alert.home)?;
    }
    if let (None, Some(webhook)) = (&objection, &alert.webhook_id) {
        let provider = alert.provider.as_deref();
        objection = scopes.hook(tx, call, (webhook, &alert.home, provider))?;
    }
    if let Some(objection) = objection {
        return Ok(Fate::Refused(objection));
    }
    tx.add_alert(alert)?;
    Ok(Fate::Added)
}

/// Whether what is here is what a record says, as far as it says anything.
fn is_same(there: Alert, incoming: Incoming) -> bool {
    let Incoming { mut alert, says_key, says_count, says_last } = incoming;
    if !says_key {
        alert.event_key.clone_from(&there.event_key);
    }
    if !says_count {
        alert.standing.event_count = there.standing.event_count;
    }
    if !says_last {
        alert.standing.last_event_at = there.standing.last_event_at;
    }
    // What is done for it goes on while it lives, whatever a record of then says.
    alert.care.clone_from(&there.care);
    alert.standing.marks = there.standing.marks;
    // No record says when its recovery occurred; that is learnt from the recovery itself.
    if let (Some(ending), Some(known)) = (&mut alert.ending, &there.ending) {
        ending.recovered_at = known.recovered_at;
    }
    alert == there
}

/// What speaks against adding an alert that is not here.
fn objection(tx: &dyn Tx, alert: &Alert) -> Result<Option<Objection>> {
    let Alert { alert_number, event_key, home, .. } = alert;
    if *alert_number == 0 {
        return Ok(Some(Objection::new("/alert_number", "alerts are numbered from 1")));
    }
    if event_key.is_empty() {
        return Ok(Some(Objection::new("/event_key", "a key is not empty")));
    }
    if tx.alert_place(alert.alert_id())?.is_some() {
        return Ok(Some(Objection::new(
            "/alert_id",
            "an alert of this identifier was deleted here",
        )));
    }
    if let Some(other) = tx.alert_numbered(&home.workspace_id, *alert_number)? {
        let detail = format!(
            "number {alert_number} of workspace `{}` is alert `{other}` here",
            home.workspace_id
        );
        return Ok(Some(Objection::new("/alert_number", detail)));
    }
    if alert.standing.state.is_open()
        && tx.project(&Scope::EVERYTHING, &home.project_id)?.is_some()
        && let Some(open) = tx.open_alert(&home.project_id, event_key)?
    {
        let detail = format!(
            "alert `{}` of key `{event_key}` is open in that project, and a key has one open alert",
            open.alert_id
        );
        return Ok(Some(Objection::new("/event_key", detail)));
    }
    Ok(None)
}
