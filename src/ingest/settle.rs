//! The third stage: what a delivery does, in one unit of work of the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Interpreted, Moment, route, state_of};
use crate::{
    care::{self, Hand},
    clock::Timestamp,
    digest::Digest,
    domain::{
        alert::{Alert, Ending, Standing},
        correlate::{Decision, Known, Past, Verdict, correlate},
        delivery::Delivery,
        event::{Arrival, Draft, Event, MapError, Mapped, Reading},
        event_rule::{Routed, Routing},
        history::{Entry, Step},
        project::AlertPolicy,
        receipt::{ItemOutcome, Reason, Receipt, Unreadable},
        scope::Scope,
        setup::Setup,
        webhook::Webhook,
        words::{Cause, EventType, Outcome, Severity, Why},
    },
    error::{Code, Error, Result},
    id::{Id, Mint},
    rules::Mapping,
    store::{Filing, Payload, Tx},
};

/// A delivery that was read and is to be kept.
pub(super) struct Settling {
    pub(super) webhook: Arc<Webhook>,
    /// What event rules make of its items; empty where none concern them.
    pub(super) routed: Vec<Option<Routed>>,
    pub(super) mint: Mint,
    pub(super) delivery_id: Id<Delivery>,
    pub(super) received_at: Timestamp,
    pub(super) remote: String,
    /// What the sender calls the delivery, and the digest of its body.
    pub(super) sender: Option<(String, Digest)>,
    pub(super) payload: Payload,
    pub(super) interpreted: Interpreted,
}

/// Where events of one delivery go: what is the same for all of them.
pub(super) struct Route<'a> {
    pub(super) webhook: &'a Webhook,
    pub(super) delivery_id: &'a Id<Delivery>,
    /// When the delivery arrived, which is when its events did.
    pub(super) received_at: Timestamp,
}

/// Keeps a delivery with all that follows from it. May be done again if it was undone.
pub(super) fn settle(tx: &mut dyn Tx, settling: &mut Settling) -> Result<Receipt> {
    if let Some(first) = first_receipt(tx, settling)? {
        return Ok(first);
    }
    file(tx, settling)?;
    let Settling { webhook, routed, mint, delivery_id, received_at: now, interpreted, .. } =
        settling;
    let Interpreted { items: read, ignored, mapping } = interpreted;
    let dead = read.iter().filter(|item| item.is_err()).count();
    let route = Route { webhook, delivery_id, received_at: *now };
    let mut items = Vec::with_capacity(read.len());
    let mut causes = BTreeMap::new();
    for (place, item) in read.iter_mut().enumerate() {
        items.push(match item {
            Ok(Mapped { draft, variant, .. }) => {
                let index = u32::try_from(place).unwrap_or(u32::MAX);
                let reading = reading(mapping.as_deref(), variant);
                let ahead = routed.get(place).and_then(Option::as_ref);
                add(tx, &route, Item { index, draft, reading, ahead }, (mint, *now))?
            }
            Err(error) => bury(tx, &route, (error, &mut causes), (mint, *now))?,
        });
    }
    hear(tx, webhook, read, (mint, *now))?;
    if dead == 0 {
        calm(tx, webhook, "a delivery of its webhook was understood again", (mint, *now))?;
    }
    Ok(Receipt {
        receipt_id: delivery_id.clone(),
        webhook_id: webhook.webhook_id.clone(),
        state: state_of(items.len(), dead),
        ignored: ignored.clone(),
        items,
        received_at: *now,
    })
}

/// Whatever waits to hear of a webhook hears of this delivery.
fn hear(
    tx: &mut dyn Tx,
    webhook: &Webhook,
    read: &[Result<Mapped, MapError>],
    (mint, now): Moment<'_>,
) -> Result<()> {
    let Some(setup) = tx.setup(&webhook.home.project_id)? else { return Ok(()) };
    if !setup.heartbeats.listen_to(&webhook.webhook_id) {
        return Ok(());
    }
    let understood = read.iter().filter_map(|item| item.as_ref().ok());
    let keys: Vec<&str> = understood.map(|mapped| mapped.draft.event_key.as_str()).collect();
    let actor = format!("webhook:{}", webhook.webhook_id);
    care::heartbeat::heard(tx, webhook, &keys, &Hand { mint, now, actor: &actor })
}

/// The receipt that the sender got when it sent this delivery before.
fn first_receipt(tx: &dyn Tx, settling: &Settling) -> Result<Option<Receipt>> {
    let Some((sender_id, digest)) = &settling.sender else { return Ok(None) };
    match tx.receipt_of(&settling.webhook.webhook_id, sender_id)? {
        None => Ok(None),
        Some((first, receipt)) if first == *digest => Ok(Some(receipt)),
        Some(_) => {
            let detail = format!("delivery id `{sender_id}` was used before for another body");
            Err(Error::new(Code::AuthenticateFailure, detail))
        }
    }
}

/// Keeps the delivery itself.
fn file(tx: &mut dyn Tx, settling: &Settling) -> Result<()> {
    let Settling {
        webhook, delivery_id, received_at, remote, sender, payload, interpreted, ..
    } = settling;
    if let Some(mapping) = &interpreted.mapping {
        tx.add_mapping(mapping.version(), mapping.text())?;
    }
    let errors = interpreted.items.iter().filter_map(|item| item.as_ref().err());
    let causes: BTreeSet<Cause> = errors.map(|error| error.unreadable.cause).collect();
    let dead = interpreted.dead_items();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    tx.add_delivery(&Filing {
        delivery_id,
        webhook_id: &webhook.webhook_id,
        state: state_of(interpreted.items.len(), dead),
        ignored: interpreted.ignored.as_deref(),
        items: count(interpreted.items.len()),
        dead: count(dead),
        events: count(interpreted.items.len() - dead + causes.len()),
        sender: sender.as_ref().map(|(id, digest)| (id.as_str(), digest)),
        payload,
        remote,
        received_at: *received_at,
    })
}

/// What read an item, so that it can be read the same way again.
pub(super) fn reading(mapping: Option<&Mapping>, variant: &Arc<str>) -> Option<Reading> {
    let mapping = Arc::clone(mapping?.version());
    Some(Reading { mapping, variant: Arc::clone(variant) })
}

/// One item of a delivery that was understood.
pub(super) struct Item<'a> {
    /// Its place in the delivery.
    pub(super) index: u32,
    /// What it says. Lent, since this may have to be done again.
    pub(super) draft: &'a mut Draft,
    /// What read it.
    pub(super) reading: Option<Reading>,
    /// What event rules made of it before the writer had it.
    pub(super) ahead: Option<&'a Routed>,
}

/// Adds the event of one item, and does to alerts what follows from it.
pub(super) fn add(
    tx: &mut dyn Tx,
    route: &Route<'_>,
    item: Item<'_>,
    (mint, now): Moment<'_>,
) -> Result<ItemOutcome> {
    let Route { webhook, delivery_id, received_at } = *route;
    let Item { index, draft, reading, ahead } = item;
    // What could not be read was made by us and says nothing that a rule of a user's could be about.
    let is_read = reading.is_some() || draft.event_type != EventType::Error;
    let routed = if is_read { route::settled(tx, webhook, (draft, ahead), now)? } else { None };
    let arrival = Arrival { webhook, delivery_id, item: index, reading };
    let Some(Routed { draft: said, home, routing, steps, .. }) = routed else {
        // Lent to the event and given back.
        let lent = std::mem::replace(draft, Draft::new(String::new()));
        let mut event = Event::from_draft(lent, arrival, mint, received_at);
        let settled = settle_event(tx, &mut event, (&Routing::default(), Vec::new()), (mint, now));
        let Event { event_id, alert_id, why, draft: lent, .. } = event;
        *draft = lent;
        return Ok(outcome(index, (event_id, alert_id), (settled?, why)));
    };
    let mut event = Event::from_draft(said, arrival, mint, received_at);
    event.home = home;
    route::count(tx, &steps, now)?;
    let steps = steps.into_iter().map(Step::Rule).collect();
    let settled = settle_event(tx, &mut event, (&routing, steps), (mint, now))?;
    Ok(outcome(index, (event.event_id, event.alert_id), (settled, event.why)))
}

fn outcome(
    index: u32,
    (event_id, alert_id): (Id<Event>, Option<Id<Alert>>),
    (what, why): (Outcome, Why),
) -> ItemOutcome {
    let why = Reason::Decided(why);
    ItemOutcome { index: Some(index), event_id: Some(event_id), alert_id, what, why }
}

/// Decides what an event does to alerts, does it, and keeps the event.
fn settle_event(
    tx: &mut dyn Tx,
    event: &mut Event,
    (routing, steps): (&Routing, Vec<Step>),
    (mint, now): Moment<'_>,
) -> Result<Outcome> {
    let setup = care::setup(tx, &event.home.project_id)?;
    let actor = format!("webhook:{}", event.webhook_id);
    let hand = Hand { mint, now, actor: &actor };
    let what = if routing.drop.is_some() {
        event.why = Why::Dropped;
        keep_steps(tx, event, steps, &hand)?;
        Outcome::Kept
    } else {
        let known = known(tx, event, &setup.policy)?;
        let before = known.open.clone();
        let Decision { verdict, why } = correlate(known, event, &setup.policy, (mint, now));
        event.why = why;
        act(tx, event, (verdict, before), (routing, steps), (&setup, hand))?
    };
    tx.add_event(event)?;
    Ok(what)
}

/// Does to alerts what was decided.
fn act(
    tx: &mut dyn Tx,
    event: &mut Event,
    (verdict, before): (Verdict, Option<Standing>),
    (routing, steps): (&Routing, Vec<Step>),
    (setup, hand): (&Setup, Hand<'_>),
) -> Result<Outcome> {
    match (verdict, before) {
        (Verdict::Open(alert), _) => {
            care::open_for(tx, (*alert, event), (routing, steps), setup, hand)
        }
        (Verdict::OpenOver(alert, early), _) => {
            tx.add_alert(&alert)?;
            tx.adopt_event(&early, alert.alert_id())?;
            event.alert_id = Some(alert.alert_id().clone());
            keep_steps(tx, event, steps, &hand)?;
            Ok(Outcome::Opened)
        }
        (Verdict::Join(standing), Some(before)) => {
            event.alert_id = Some(standing.alert_id.clone());
            care::join(tx, (event, &before, &standing), setup, &hand)?;
            keep_steps(tx, event, steps, &hand)?;
            Ok(Outcome::Joined)
        }
        (Verdict::Resolve(standing, ending), Some(before)) => {
            event.alert_id = Some(standing.alert_id.clone());
            let ends = (&standing, &ending);
            let outcome = care::recover(tx, (event, &before), ends, setup, &hand)?;
            if outcome == Outcome::Joined {
                event.why = Why::HeldOpen;
            }
            keep_steps(tx, event, steps, &hand)?;
            Ok(outcome)
        }
        (Verdict::Join(_) | Verdict::Resolve(..), None) => {
            Err(Error::internal("an event joined an alert that is not open"))
        }
        (Verdict::Keep, _) => {
            keep_steps(tx, event, steps, &hand)?;
            Ok(Outcome::Kept)
        }
    }
}

/// Writes down what event rules decided for an event that opens nothing. Of the many repeats of an event, what did not
/// match is not written down: it says nothing that the dry run of a rule would not.
fn keep_steps(tx: &mut dyn Tx, event: &Event, steps: Vec<Step>, hand: &Hand<'_>) -> Result<()> {
    let steps = steps.into_iter().filter(|step| step.verdict() != "not_matched");
    let entry = |step| Entry {
        alert_id: event.alert_id.clone(),
        event_id: Some(event.event_id.clone()),
        at: hand.now,
        actor: hand.actor.to_owned(),
        step,
    };
    let entries: Vec<Entry> = steps.map(entry).collect();
    tx.add_entries(&entries)
}

/// What is known of an event's key. The past is looked up only where it matters.
fn known(tx: &dyn Tx, event: &Event, policy: &AlertPolicy) -> Result<Known> {
    let (project, event_key) = (&event.home.project_id, &event.draft.event_key);
    let open = tx.open_alert(project, event_key)?;
    let past = match (&open, event.draft.event_type) {
        (None, EventType::Alert | EventType::Error) => {
            tx.past(project, event_key, event.created_at - policy.recovery_hold)?
        }
        (None, EventType::Recovery) | (Some(_), _) => Past::default(),
    };
    Ok(Known { open, past })
}

/// Keeps an item that was not understood. Each cause raises one event of type ERROR per delivery, whose key is the
/// same for all deliveries of the webhook, so that a broken sender gives one alert and not a thousand.
pub(super) fn bury(
    tx: &mut dyn Tx,
    route: &Route<'_>,
    (error, causes): (&MapError, &mut BTreeMap<Cause, ItemOutcome>),
    moment: Moment<'_>,
) -> Result<ItemOutcome> {
    let MapError { item, unreadable } = error;
    let raised = if let Some(raised) = causes.get(&unreadable.cause) {
        raised.clone()
    } else {
        let mut draft = unreadable_draft(route.webhook, unreadable);
        let item = Item { index: item.unwrap_or(0), draft: &mut draft, reading: None, ahead: None };
        let raised = add(tx, route, item, moment)?;
        causes.insert(unreadable.cause, raised.clone());
        raised
    };
    if let Some(event) = &raised.event_id {
        tx.add_dead_item(route.delivery_id, *item, unreadable, event)?;
    }
    let why = Reason::Unreadable(unreadable.clone());
    Ok(ItemOutcome { index: *item, what: Outcome::Dead, why, ..raised })
}

/// The event that says that what a sender posts cannot be read.
fn unreadable_draft(webhook: &Webhook, unreadable: &Unreadable) -> Draft {
    let place = unreadable.file.as_ref().map(|file| match unreadable.line {
        Some(line) => format!(" ({file}:{line})"),
        None => format!(" ({file})"),
    });
    Draft {
        event_type: EventType::Error,
        severity: Severity::Critical,
        title: Some(format!("Webhook Event Parsing Error - {}", webhook.name)),
        description: Some(format!("{}{}", unreadable.reason, place.unwrap_or_default())),
        ..Draft::new(unreadable.event_key(&webhook.webhook_id))
    }
}

/// Ends the alerts that say that what a webhook's sender posts cannot be read.
pub(super) fn calm(
    tx: &mut dyn Tx,
    webhook: &Webhook,
    reason: &str,
    (mint, now): Moment<'_>,
) -> Result<()> {
    let mut all = tx.unreadable_alerts(&webhook.webhook_id)?;
    // Parts before what leads them, so that none is set free and told of only to end at once.
    all.sort_by_key(|alert| alert.care.leads);
    for alert in all {
        // What ended before it may have changed it, or ended it.
        let Some(alert) = tx.alert(&Scope::EVERYTHING, alert.alert_id())? else { continue };
        if !alert.standing.state.is_open() {
            continue;
        }
        let ending = Ending { resolved_at: now, recovered_at: None, reason: reason.to_owned() };
        let setup = care::life::setup_of(tx, &alert.home)?;
        let over = alert.ended(ending, now);
        tx.put_alert(&over)?;
        let actor = format!("webhook:{}", webhook.webhook_id);
        care::ended(tx, (&over, None), &setup, &Hand { mint, now, actor: &actor })?;
    }
    Ok(())
}
