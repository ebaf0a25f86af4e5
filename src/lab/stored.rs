//! Why a stored event is what it is: read once more by the mapping that read it then, and what it did to alerts.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    because::because,
    explain::MappingInfo,
    posted::Posted,
    reading::{ErrorInfo, ItemReading, Normalized, OriginInfo},
};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        alert::Alert,
        delivery::{Delivery, PresentedKey},
        event::{Event, Reading},
        receipt::Reason,
        scope::Scope,
        webhook::Webhook,
        words::Why,
    },
    error::Result,
    id::Id,
    ingest::{Books, Interpreted, interpret_traced},
    load_error::LoadError,
    plugins::Plugin,
    rules::{Mapping, Rulebook},
    store::Tx,
};

/// Why a stored event is what it is, and did what it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExplainedEvent {
    /// The event.
    pub event_id: Id<Event>,
    /// The delivery it came in.
    pub delivery_id: Id<Delivery>,
    /// Its place in that delivery, from zero.
    pub item: u32,
    /// When that delivery arrived.
    pub received_at: String,
    /// The webhook it came through.
    pub webhook_id: Id<Webhook>,
    /// What people call that webhook; null where it is deleted.
    pub webhook_name: Option<String>,
    /// The alert it belongs to, if it belongs to one.
    pub alert_id: Option<Id<Alert>>,
    /// Why it did to alerts what it did, as a code.
    pub why: Why,
    /// Why it did to alerts what it did, in a sentence.
    pub because: String,
    /// What read it; null where Alertmill made the event itself.
    pub mapping: Option<MappingInfo>,
    /// Whether the rules of today read its provider by the same text still.
    pub mapping_is_current: bool,
    /// The variant of the mapping that read it.
    pub variant: Option<String>,
    /// What it says, as it is stored.
    pub event: Normalized,
    /// Where the value of each field came from.
    pub origins: BTreeMap<String, OriginInfo>,
    /// Whether reading the delivery once more, by the same mapping, gives the stored values; null where it cannot be
    /// read once more.
    pub same: Option<bool>,
    /// The fields in which it does not, e.g. since the webhook's settings changed.
    pub differences: Vec<FieldDifference>,
    /// Why it cannot be read once more, where it cannot.
    pub unexplained: Option<String>,
    /// What was not understood, for an event that says so.
    pub errors: Vec<ErrorInfo>,
}

/// A field that is read differently today.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// What is stored.
    pub stored: Value,
    /// What reading it once more gives.
    pub read: Value,
}

/// Explains an event of `scope`, with its webhook where that is not deleted.
///
/// # Errors
/// Where the store cannot be asked.
pub fn explain_event(
    tx: &dyn Tx,
    (books, webhook): (&Books, Option<&Webhook>),
    scope: &Scope,
    event: Event,
) -> Result<ExplainedEvent> {
    let id = &event.event_id;
    let kept = tx.delivery(scope, &event.delivery_id)?;
    let received_at = kept.as_ref().map_or(event.created_at, |kept| kept.receipt.received_at);
    let again = match &event.reading {
        Some(reading) => read_again(tx, (books, webhook), scope, (&event, reading, received_at))?,
        None => Err(own(&event)),
    };
    let outcomes = kept.into_iter().flat_map(|kept| kept.receipt.items);
    let errors = outcomes.filter(|item| item.event_id.as_ref() == Some(id)).filter_map(|item| {
        match item.why {
            Reason::Unreadable(unreadable) => Some(ErrorInfo::of(&unreadable)),
            Reason::Decided(_) => None,
        }
    });
    let stored = Normalized::of(&event.draft);
    let mut explained = ExplainedEvent {
        received_at: rfc3339(received_at),
        webhook_name: webhook.map(|webhook| webhook.name.clone()),
        because: because(tx, scope, &event)?,
        mapping: None,
        mapping_is_current: false,
        variant: event.reading.as_ref().map(|reading| reading.variant.to_string()),
        origins: BTreeMap::new(),
        same: None,
        differences: Vec::new(),
        unexplained: None,
        errors: errors.collect(),
        event_id: event.event_id,
        delivery_id: event.delivery_id,
        item: event.item,
        webhook_id: event.webhook_id,
        alert_id: event.alert_id,
        why: event.why,
        event: stored,
    };
    match again {
        Ok((mapping, read)) => explained.hold_against(books, &mapping, &read),
        Err(why) => explained.unexplained = Some(why),
    }
    Ok(explained)
}

impl ExplainedEvent {
    /// Notes how the event was read, and where reading it once more gives something else.
    fn hold_against(&mut self, books: &Books, mapping: &Mapping, read: &Interpreted) {
        let of_today = books.rulebook.get(&mapping.version().provider);
        self.mapping_is_current = of_today.is_some_and(|it| it.version() == mapping.version());
        self.mapping = Some(MappingInfo::of(mapping));
        let item = usize::try_from(self.item).ok().and_then(|at| read.items.get(at));
        match item {
            Some(Ok(mapped)) => {
                self.origins = ItemReading::of(&Ok(mapped.clone()), self.item).origins;
                self.differences = differences(&self.event, &Normalized::of(&mapped.draft));
                self.same = Some(self.differences.is_empty());
            }
            Some(Err(error)) => {
                self.same = Some(false);
                self.unexplained = Some(format!("it is not understood today: {error}"));
            }
            None => {
                self.same = Some(false);
                let why = read.ignored.as_deref().unwrap_or("the payload has fewer items");
                self.unexplained = Some(format!("there is no such item today: {why}"));
            }
        }
    }
}

/// Why an event has nothing to be read again from.
fn own(event: &Event) -> String {
    if event.says_unreadable() {
        return "Alertmill made it, to say that a delivery was not understood".to_owned();
    }
    "Alertmill made it, to say something of itself".to_owned()
}

/// Reads the delivery of an event once more, by the text of the mapping that read it then.
fn read_again(
    tx: &dyn Tx,
    (books, webhook): (&Books, Option<&Webhook>),
    scope: &Scope,
    (event, reading, received_at): (&Event, &Reading, Timestamp),
) -> Result<Result<(Arc<Mapping>, Interpreted), String>> {
    let Some(payload) = tx.payload(scope, &event.delivery_id)? else {
        return Ok(Err("what was posted is no longer kept".to_owned()));
    };
    let provider = &reading.mapping.provider;
    let mapping = match mapping_of(tx, books, reading)? {
        Ok(mapping) => mapping,
        Err(why) => return Ok(Err(why)),
    };
    let posted = payload.unpack()?;
    let delivery = Delivery {
        delivery_id: event.delivery_id.clone(),
        webhook_id: event.webhook_id.clone(),
        presented: PresentedKey([0; 32]),
        headers: posted.headers,
        query: posted.query,
        body: posted.body,
        remote: String::new(),
        received_at,
    };
    let stand_in = Posted::new(provider, Vec::new());
    let plugin: Arc<Plugin> = webhook
        .and_then(|webhook| books.plugins.get(&webhook.plugin).cloned())
        .unwrap_or_else(|| stand_in.plugin(books));
    let rulebook = Rulebook::default().with(plugin.mapping(), Arc::clone(&mapping));
    let body = plugin.decode(&delivery.body, delivery.header("content-type"));
    let nobody = stand_in.webhook();
    let read_by = (&*plugin, webhook.unwrap_or(&nobody));
    Ok(Ok((mapping, interpret_traced(&rulebook, read_by, &delivery, body))))
}

/// The mapping that read an event: the one that is live if it has the same text, else what was kept of it.
fn mapping_of(
    tx: &dyn Tx,
    books: &Books,
    reading: &Reading,
) -> Result<Result<Arc<Mapping>, String>> {
    let provider = &reading.mapping.provider;
    let live = books.rulebook.get(provider);
    if let Some(same) = live.filter(|live| *live.version() == reading.mapping) {
        return Ok(Ok(Arc::clone(same)));
    }
    let Some(text) = tx.mapping_text(&reading.mapping)? else {
        return Ok(Err("the text of its mapping is not kept".to_owned()));
    };
    Ok(Rulebook::restore(provider, &text).map(Arc::new).map_err(|mistakes| {
        let first = mistakes.first().map(LoadError::sentence).unwrap_or_default();
        format!("its mapping is no longer valid: {first}")
    }))
}

/// The fields in which two readings of an event differ.
fn differences(stored: &Normalized, read: &Normalized) -> Vec<FieldDifference> {
    let fields = |event: &Normalized| match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let mut read = fields(read);
    let differing = fields(stored).into_iter().filter_map(|(field, stored)| {
        let read = read.remove(&field).unwrap_or_default();
        (stored != read).then_some(FieldDifference { field, stored, read })
    });
    differing.collect()
}
