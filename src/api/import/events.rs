//! Events from another store.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    Fate, Imported, Objection,
    lines::{self, Line, Time},
    scopes::Scopes,
    tally::Tallies,
};
use crate::{
    api::Call,
    digest::{hex, sha256},
    domain::{
        alert::Alert,
        delivery::Delivery,
        event::{Draft, Event},
        project::{Domain, Project, Workspace},
        scope::{Home, Scope},
        webhook::Webhook,
        words::{DeliveryState, EventType, Severity, Why},
    },
    error::Result,
    id::Id,
    store::{Filing, Payload, Placed, Posted, Tx},
};

/// How much of a digest the identifier of a delivery has that no record names, in characters.
const NAMED: usize = 32;

/// An event as an export or the original's list says it. Fields that are not known are passed over.
#[derive(Debug, Deserialize)]
struct Record {
    event_id: Id<Event>,
    event_key: String,
    event_type: EventType,
    title: Option<String>,
    description: Option<String>,
    severity: Option<Severity>,
    rule: Option<String>,
    image_url: Option<String>,
    resources: Option<Vec<String>>,
    provider: Option<String>,
    account: Option<String>,
    /// As it was written: the events of a delivery all hold the same, and it is read of the first alone.
    #[serde(default, deserialize_with = "lines::given")]
    raw_data: Option<Box<RawValue>>,
    additional_info: Option<BTreeMap<String, Value>>,
    alert_id: Option<Id<Alert>>,
    webhook_id: Id<Webhook>,
    project_id: Id<Project>,
    workspace_id: Id<Workspace>,
    domain_id: Id<Domain>,
    created_at: Time,
    occurred_at: Option<Time>,
    delivery_id: Option<Id<Delivery>>,
    item: Option<u32>,
    why: Option<Why>,
}

/// An event, and what was posted if its record says that.
#[derive(Debug)]
struct Incoming {
    event: Event,
    raw: Option<Box<RawValue>>,
    /// `raw` as it is stored, where it begins a delivery.
    packed: Option<Payload>,
}

/// The events in a body.
#[derive(Debug)]
pub struct EventLines(Vec<Line<Incoming>>);

impl EventLines {
    /// Reads the events in `body`, one a line, and packs what was posted.
    pub fn read(body: &[u8]) -> Result<Self> {
        let mut read = lines::read(body, incoming);
        let mut last: Option<Id<Delivery>> = None;
        for (_, incoming) in &mut read {
            let Ok(incoming) = incoming else { continue };
            let delivery = &incoming.event.delivery_id;
            if last.as_ref() != Some(delivery) {
                incoming.packed = Some(packed(incoming.raw.as_deref())?);
                last = Some(delivery.clone());
            }
        }
        Ok(Self(read))
    }
}

fn incoming(record: Record) -> Incoming {
    let Time(created_at) = record.created_at;
    let delivery_id = record.delivery_id.unwrap_or_else(|| named_after(&record.event_id));
    let why = record.why.unwrap_or(match (record.event_type, &record.alert_id) {
        (EventType::Alert, Some(_)) => Why::SameKey,
        (EventType::Alert, None) => Why::NewKey,
        (EventType::Recovery, Some(_)) => Why::Recovers,
        (EventType::Recovery, None) => Why::NothingToRecover,
        (EventType::Error, _) => Why::Unreadable,
    });
    let draft = Draft {
        event_key: record.event_key,
        event_type: record.event_type,
        severity: record.severity.unwrap_or(Severity::None),
        title: record.title,
        description: record.description,
        rule: record.rule,
        image_url: record.image_url,
        resources: record.resources.unwrap_or_default(),
        provider: record.provider,
        account: record.account,
        additional_info: record.additional_info.unwrap_or_default(),
        occurred_at: record.occurred_at.map(|Time(time)| time),
    };
    let event = Event {
        event_id: record.event_id,
        alert_id: record.alert_id,
        webhook_id: record.webhook_id,
        delivery_id,
        item: record.item.unwrap_or(0),
        home: Home {
            domain_id: record.domain_id,
            workspace_id: record.workspace_id,
            project_id: record.project_id,
        },
        draft,
        reading: None,
        why,
        created_at,
    };
    Incoming { event, raw: record.raw_data, packed: None }
}

/// The delivery of an event that names none: the same whenever it is imported.
fn named_after(event: &Id<Event>) -> Id<Delivery> {
    let digest = hex(&sha256(event.as_str().as_bytes()));
    format!("receipt-{}", &digest[..NAMED]).into()
}

fn packed(raw: Option<&RawValue>) -> Result<Payload> {
    let body = raw.map_or("null", RawValue::get);
    Payload::pack(&BTreeMap::new(), &BTreeMap::new(), body.as_bytes())
}

/// What was found out about a call's records so far.
#[derive(Default)]
struct Known {
    scopes: Scopes,
    alerts: HashMap<Id<Alert>, Option<Placed>>,
    deliveries: HashMap<Id<Delivery>, Id<Webhook>>,
}

/// Adds the events that are not there yet.
pub fn events(tx: &mut dyn Tx, call: &Call, lines: EventLines) -> Result<Imported> {
    let (mut known, mut done) = (Known::default(), Imported::default());
    let mut tallies = Tallies::default();
    for (line, read) in lines.0 {
        let domain = read.as_ref().ok().map(|read| read.event.home.domain_id.clone());
        let fate = match read {
            Ok(incoming) => add(tx, call, &mut known, incoming)?,
            Err(objection) => Fate::Refused(objection),
        };
        tallies.count(domain, &fate);
        done.count(line, fate);
    }
    tallies.note(tx, (call, "events"), known.scopes.made)?;
    done.created = known.scopes.created;
    Ok(done)
}

fn add(tx: &mut dyn Tx, call: &Call, known: &mut Known, incoming: Incoming) -> Result<Fate> {
    let Incoming { mut event, raw, packed: payload } = incoming;
    if event.draft.event_key.is_empty() {
        return Ok(Fate::Refused(Objection::new("/event_key", "a key is not empty")));
    }
    let alert = known.alert(tx, event.alert_id.as_ref())?;
    let is_orphan = event.alert_id.is_some() && alert.is_none();
    if is_orphan {
        event.alert_id = None;
    }
    if let Some(there) = tx.event(&Scope::EVERYTHING, &event.event_id)? {
        if there.alert_id.is_none()
            && let Some(objection) = known.unlike(tx, &event)?
        {
            return Ok(Fate::Refused(objection));
        }
        return again(tx, there, &event, raw.as_deref());
    }
    let place = alert.as_ref().map(|alert| &alert.home);
    if let Some(objection) = known.objection(tx, call, (&event, place))? {
        return Ok(Fate::Refused(objection));
    }
    if known.deliveries.contains_key(&event.delivery_id) {
        tx.add_event_later(&event)?;
    } else {
        let payload = payload.map_or_else(|| packed(raw.as_deref()), Ok)?;
        file(tx, &event, &payload)?;
        tx.add_event(&event)?;
        known.deliveries.insert(event.delivery_id.clone(), event.webhook_id.clone());
    }
    if let (Why::Recovers, Some(alert), Some(occurred_at)) =
        (event.why, &event.alert_id, event.draft.occurred_at)
    {
        tx.set_recovered(alert, occurred_at)?;
    }
    Ok(if is_orphan { Fate::Orphaned } else { Fate::Added })
}

impl Known {
    /// Where an alert is, if it is here.
    fn alert(&mut self, tx: &dyn Tx, id: Option<&Id<Alert>>) -> Result<Option<Placed>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.alerts.get(id) {
            return Ok(known.clone());
        }
        let place = tx.alert_place(id)?;
        self.alerts.insert(id.clone(), place.clone());
        Ok(place)
    }

    /// What speaks against an event's being one of its alert's: they share their key, by which events are found. An alert
    /// that has none yet gets that of its first event.
    fn unlike(&mut self, tx: &mut dyn Tx, event: &Event) -> Result<Option<Objection>> {
        let Some(alert) = &event.alert_id else { return Ok(None) };
        let Some(Some(place)) = self.alerts.get_mut(alert) else { return Ok(None) };
        let event_key = &event.draft.event_key;
        if place.event_key == *event_key {
            return Ok(None);
        }
        if place.event_key != alert.as_str() {
            let detail = format!("its alert `{alert}` has the key `{}`", place.event_key);
            return Ok(Some(Objection::new("/event_key", detail)));
        }
        if tx.key_alert(alert, event_key)? {
            place.event_key.clone_from(event_key);
            return Ok(None);
        }
        let detail =
            format!("another alert of this key is open, so its alert `{alert}` cannot have it");
        Ok(Some(Objection::new("/event_key", detail)))
    }

    /// What speaks against adding an event that is not here; makes what it needs.
    fn objection(
        &mut self,
        tx: &mut dyn Tx,
        call: &Call,
        (event, alert): (&Event, Option<&Home>),
    ) -> Result<Option<Objection>> {
        let Event { home, webhook_id, delivery_id, draft, .. } = event;
        if let Some(alert) = alert.filter(|it| it.workspace_id != home.workspace_id) {
            let detail = format!("its alert is of workspace `{}` here", alert.workspace_id);
            return Ok(Some(Objection::new("/alert_id", detail)));
        }
        if let Some(objection) = self.scopes.settle(tx, call, home)? {
            return Ok(Some(objection));
        }
        let hook = (webhook_id, home, draft.provider.as_deref());
        if let Some(objection) = self.scopes.hook(tx, call, hook)? {
            return Ok(Some(objection));
        }
        if !self.deliveries.contains_key(delivery_id)
            && let Some(webhook) = tx.delivered_to(delivery_id)?
        {
            self.deliveries.insert(delivery_id.clone(), webhook);
        }
        if let Some(other) = self.deliveries.get(delivery_id).filter(|it| *it != webhook_id) {
            let detail = format!("delivery `{delivery_id}` came through webhook `{other}` here");
            return Ok(Some(Objection::new("/delivery_id", detail)));
        }
        self.unlike(tx, event)
    }
}

/// Keeps the delivery that an event came in, which is the first of it that is imported.
fn file(tx: &mut dyn Tx, event: &Event, payload: &Payload) -> Result<()> {
    tx.add_delivery(&Filing {
        delivery_id: &event.delivery_id,
        webhook_id: &event.webhook_id,
        state: DeliveryState::Applied,
        ignored: None,
        items: event.item.saturating_add(1),
        dead: 0,
        events: 1,
        sender: None,
        payload,
        remote: "",
        received_at: event.created_at,
    })
}

fn said(raw: &RawValue) -> Value {
    // What is nested too deeply to be read is a text wherever it is shown.
    serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::from(raw.get()))
}

/// What becomes of an event that is here already.
fn again(tx: &mut dyn Tx, there: Event, event: &Event, raw: Option<&RawValue>) -> Result<Fate> {
    let posted = match raw {
        Some(_) => tx.payload(&Scope::EVERYTHING, &there.delivery_id)?,
        None => None,
    };
    let posted = posted.map(Payload::unpack).transpose()?;
    let posted = posted.map_or(Value::Null, Posted::shown);
    let is_same = there.webhook_id == event.webhook_id
        && there.delivery_id == event.delivery_id
        && there.item == event.item
        && there.home == event.home
        && there.draft == event.draft
        && there.why == event.why
        && there.created_at == event.created_at
        && raw.is_none_or(|raw| said(raw) == posted);
    Ok(match (&there.alert_id, &event.alert_id) {
        (known, said) if is_same && known == said => Fate::Unchanged,
        // Its alert was not here when it came first.
        (None, Some(alert)) if is_same => {
            tx.adopt_event(&there.event_id, alert)?;
            Fate::Added
        }
        _ => {
            let detail = "an event of this identifier is here already, and it differs";
            Fate::Refused(Objection::new("/event_id", detail))
        }
    })
}
