//! Between reading and settling: what the event rules make of each event, decided on the caller's thread by the setups of
//! this moment; the writer decides again only where a setup has changed meanwhile.

use std::{cell::RefCell, sync::Arc};

use super::Interpreted;
use crate::{
    clock::Timestamp,
    domain::{
        event::Draft,
        event_rule::{self, FindSetup, Routed, RuleStep},
        webhook::Webhook,
    },
    error::Result,
    store::{HitKind, Snapshots, Tx},
};

/// What the event rules make of the items of a delivery, by the setups of this moment; empty where no rule concerns them.
pub(super) fn ahead(
    snapshots: &Snapshots,
    webhook: &Webhook,
    interpreted: &Interpreted,
    now: Timestamp,
) -> Vec<Option<Routed>> {
    let find: &FindSetup<'_> = &|project| snapshots.setups.get(project);
    let concerns = find(&webhook.home.project_id).is_some_and(|it| !it.event_rules.is_empty());
    if !concerns {
        return Vec::new();
    }
    let items = interpreted.items.iter().map(|item| {
        let draft = item.as_ref().ok()?.draft.clone();
        Some(event_rule::route(draft, webhook, find, now))
    });
    items.collect()
}

/// What the event rules make of an event as this unit of work sees them: what was decided ahead where that still holds;
/// `None` where no rule concerns it.
pub(super) fn settled(
    tx: &dyn Tx,
    webhook: &Webhook,
    (draft, ahead): (&Draft, Option<&Routed>),
    now: Timestamp,
) -> Result<Option<Routed>> {
    let setup = tx.setup(&webhook.home.project_id)?;
    if setup.is_none_or(|setup| setup.event_rules.is_empty()) {
        return Ok(None);
    }
    match ahead {
        Some(routed) if holds(tx, routed)? => Ok(Some(routed.clone())),
        Some(_) | None => anew(tx, webhook, draft, now).map(Some),
    }
}

/// Counts the rules that matched.
pub(super) fn count(tx: &mut dyn Tx, steps: &[RuleStep], now: Timestamp) -> Result<()> {
    for step in steps {
        if let RuleStep::Matched { event_rule_id, .. } = step {
            tx.hit(HitKind::EventRule, event_rule_id.as_str(), now)?;
        }
    }
    Ok(())
}

/// What the event rules make of an event as this unit of work sees them.
fn anew(tx: &dyn Tx, webhook: &Webhook, draft: &Draft, now: Timestamp) -> Result<Routed> {
    let fault = RefCell::new(None);
    let find: &FindSetup<'_> = &|project| match tx.setup(project) {
        Ok(setup) => setup,
        Err(error) => {
            fault.replace(Some(error));
            None
        }
    };
    let routed = event_rule::route(draft.clone(), webhook, find, now);
    match fault.into_inner() {
        Some(error) => Err(error),
        None => Ok(routed),
    }
}

/// Whether what was decided ahead still holds.
fn holds(tx: &dyn Tx, routed: &Routed) -> Result<bool> {
    for consulted in &routed.consulted {
        let today = tx.setup(&consulted.home.project_id)?;
        if !today.is_some_and(|today| Arc::ptr_eq(&today, consulted)) {
            return Ok(false);
        }
    }
    Ok(true)
}
