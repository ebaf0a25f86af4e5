//! Driving a delivery again after a rule was mended: the same second and third stage, with today's rules, for what
//! was not understood. It keeps the time at which the delivery arrived; doing it twice changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Intake, Interpreted, Moment, interpret,
    settle::{Item, Route, add, bury, calm, reading},
    state_of,
};
use crate::{
    clock::Timestamp,
    domain::{
        audit::AuditEntry,
        delivery::{Delivery, PresentedKey},
        event::Event,
        receipt::{ItemOutcome, Reason, Receipt},
        scope::Scope,
        webhook::Webhook,
        words::{Cause, Outcome},
    },
    error::{Code, Error, Result},
    id::Id,
    store::{Kept, Redriven, Tx},
};

/// A delivery that is to be driven again.
pub struct Redrive {
    /// Which one.
    pub delivery_id: Id<Delivery>,
    /// What the caller may see.
    pub scope: Scope,
    /// What the audit trail shall say, in the chain of its webhook's domain.
    pub audit: AuditEntry,
}

/// Drives again what was not understood of a delivery, and returns its receipt as it is now.
///
/// # Errors
/// `ERROR_NOT_FOUND` where there is no such delivery in scope, or its webhook is gone.
pub async fn redrive(intake: &Intake, redrive: Redrive, now: Timestamp) -> Result<Receipt> {
    let Redrive { delivery_id, scope, audit } = redrive;
    let (id, reach) = (delivery_id.clone(), scope.clone());
    let (kept, payload) = intake
        .store
        .read(move |tx| {
            let kept = tx.delivery(&reach, &id)?;
            kept.zip(tx.payload(&reach, &id)?).ok_or_else(|| Error::not_found("delivery", &id))
        })
        .await?;
    let webhook_id = kept.receipt.webhook_id.clone();
    let webhook = intake.store.snapshots().webhooks.get(&webhook_id).ok_or_else(|| {
        let detail =
            format!("its webhook `{webhook_id}` is deleted, so nothing says how to read it");
        Error::new(Code::NotFound, detail)
    })?;
    let posted = payload.unpack()?;
    let delivery = Delivery {
        delivery_id,
        webhook_id,
        presented: PresentedKey([0; 32]),
        headers: posted.headers,
        query: posted.query,
        body: posted.body,
        remote: kept.remote,
        received_at: kept.receipt.received_at,
    };
    let reader = intake.reader(&webhook)?;
    let payload = reader.plugin.decode(&delivery.body, delivery.header("content-type"));
    let reads = (&*reader.plugin, &*webhook);
    let interpreted = interpret(&reader.books.rulebook, reads, &delivery, payload);
    let again = Again { webhook, delivery, scope, interpreted, audit };
    let mint = intake.mint.clone();
    intake.store.write(move |tx| again.settle(tx, (&mint, now))).await
}

/// A delivery that was read again.
struct Again {
    webhook: Arc<Webhook>,
    delivery: Delivery,
    scope: Scope,
    interpreted: Interpreted,
    audit: AuditEntry,
}

impl Again {
    fn settle(self, tx: &mut dyn Tx, (mint, now): Moment<'_>) -> Result<Receipt> {
        let id = &self.delivery.delivery_id;
        let find = |tx: &dyn Tx| {
            tx.delivery(&self.scope, id)?.ok_or_else(|| Error::not_found("delivery", id))
        };
        let before = find(tx)?;
        if before.dead > 0 {
            self.drive(tx, &before, (mint, now))?;
        }
        let after = find(tx)?;
        let entry = self.audit.clone().changed(Some(standing(&before)), Some(standing(&after)));
        tx.add_audit(&self.webhook.home.domain_id, entry, mint)?;
        Ok(after.receipt)
    }

    fn drive(&self, tx: &mut dyn Tx, kept: &Kept, (mint, now): Moment<'_>) -> Result<()> {
        let dead = dead_places(kept);
        let route = Route {
            webhook: &self.webhook,
            delivery_id: &self.delivery.delivery_id,
            received_at: self.delivery.received_at,
        };
        let mapping = self.interpreted.mapping.as_deref();
        if let Some(mapping) = mapping {
            tx.add_mapping(mapping.version(), mapping.text())?;
        }
        let mut driven = Driven::default();
        // The events of type ERROR that said so before say so still: no new ones are raised.
        let mut causes: BTreeMap<_, _> = dead.values().cloned().collect();
        let whole = dead.contains_key(&None);
        for (index, item) in (0..).zip(&self.interpreted.items) {
            let place = if whole { None } else { Some(index) };
            if !dead.contains_key(&place) {
                continue;
            }
            match item {
                Ok(mapped) => {
                    let reading = reading(mapping, &mapped.variant);
                    let mut draft = mapped.draft.clone();
                    let item = Item { index, draft: &mut draft, reading, ahead: None };
                    let outcome = add(tx, &route, item, (mint, now))?;
                    driven.gone.insert(place);
                    driven.events.extend(outcome.event_id.map(|event| (index, event)));
                }
                Err(error) => {
                    bury(tx, &route, (error, &mut causes), (mint, now))?;
                    if whole && error.item.is_some() {
                        driven.gone.insert(None);
                        driven.newly_dead += 1;
                    }
                }
            }
        }
        if self.interpreted.items.is_empty() {
            driven.gone.extend(dead.keys().copied());
        }
        self.write(tx, (kept, dead.len()), driven, (mint, now))
    }

    fn write(
        &self,
        tx: &mut dyn Tx,
        (kept, dead): (&Kept, usize),
        driven: Driven,
        moment: Moment<'_>,
    ) -> Result<()> {
        let Driven { gone, events, newly_dead } = driven;
        let still_dead = dead - gone.len() + newly_dead;
        let items = (kept.items as usize).saturating_sub(dead) + events.len() + still_dead;
        let redriven = Redriven {
            gone: gone.into_iter().collect(),
            events,
            items: u32::try_from(items).unwrap_or(u32::MAX),
            state: state_of(items, still_dead),
            ignored: self.interpreted.ignored.clone().filter(|_| items == 0),
        };
        tx.redriven(&self.delivery.delivery_id, &redriven)?;
        let webhook_id = Some(&self.webhook.webhook_id);
        if still_dead == 0 && tx.dead_deliveries(webhook_id, 1)? == 0 {
            calm(tx, &self.webhook, "all that was not understood was driven again", moment)?;
        }
        Ok(())
    }
}

/// How a delivery stands, for the audit trail.
fn standing(kept: &Kept) -> Value {
    json!({ "state": kept.receipt.state, "items": kept.items, "dead": kept.dead })
}

/// What driving a delivery again has changed so far.
#[derive(Default)]
struct Driven {
    gone: BTreeSet<Option<u32>>,
    events: Vec<(u32, Id<Event>)>,
    newly_dead: usize,
}

/// The items of a delivery that are dead, by place, with the cause and the event of type ERROR that said so.
fn dead_places(kept: &Kept) -> BTreeMap<Option<u32>, (Cause, ItemOutcome)> {
    let dead = kept.receipt.items.iter().filter(|item| item.what == Outcome::Dead);
    dead.filter_map(|item| match &item.why {
        Reason::Unreadable(why) => Some((item.index, (why.cause, item.clone()))),
        Reason::Decided(_) => None,
    })
    .collect()
}
