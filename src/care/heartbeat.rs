//! Who must be heard from: silence opens an alert, and whatever is heard next resolves it.
//!
//! A heartbeat has one timer. What is heard only writes down when; the timer, once it is due, looks at that and is set
//! anew, so a busy webhook costs one small write a delivery.

use super::{Hand, Opening, life, open, setup};
use crate::{
    domain::{
        alert::Alert,
        event_rule::Routing,
        heartbeat::Heartbeat,
        life::Act,
        scope::Scope,
        timer::{Timer, TimerKind},
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// A delivery came through a webhook, with events of these keys: what waited for it is heard.
pub fn heard(tx: &mut dyn Tx, webhook: &Webhook, keys: &[&str], hand: &Hand<'_>) -> Result<()> {
    let Some(setup) = tx.setup(&webhook.home.project_id)? else { return Ok(()) };
    for heartbeat in setup.heartbeats.hearing(&webhook.webhook_id, keys) {
        let id = &heartbeat.heartbeat_id;
        if let Some(alert_id) = tx.hear_heartbeat(id, hand.now)? {
            let until = hand.now + heartbeat.every;
            tx.set_timer(TimerKind::Heartbeat, id.as_str(), Some(until))?;
            let reason = format!("`{}` was heard from again", heartbeat.name);
            resolve(tx, &alert_id, reason, hand)?;
        }
    }
    Ok(())
}

/// Resolves an alert of silence, unless someone did.
fn resolve(tx: &mut dyn Tx, id: &Id<Alert>, reason: String, hand: &Hand<'_>) -> Result<()> {
    match tx.alert(&Scope::EVERYTHING, id)? {
        Some(alert) if alert.standing.state.is_open() => {
            life::change(tx, alert, Act::Resolve { reason: Some(reason) }, hand).map(|_| ())
        }
        Some(_) | None => Ok(()),
    }
}

/// A heartbeat is made or changed: its timer is set to when it is late.
pub fn changed(tx: &mut dyn Tx, heartbeat: &Heartbeat, hand: &Hand<'_>) -> Result<()> {
    let due_at = heartbeat.due_at().max(hand.now);
    tx.set_timer(TimerKind::Heartbeat, heartbeat.heartbeat_id.as_str(), Some(due_at))
}

/// A heartbeat is no more: so is its alert.
pub fn removed(tx: &mut dyn Tx, heartbeat: &Heartbeat, hand: &Hand<'_>) -> Result<()> {
    stopped(tx, heartbeat, format!("heartbeat `{}` was deleted", heartbeat.name), hand)
}

/// A webhook is about to be deleted, and its heartbeats with it: nothing could end their alerts any more.
pub fn orphaned(tx: &mut dyn Tx, webhook: &Webhook, hand: &Hand<'_>) -> Result<()> {
    for heartbeat in tx.heartbeats_of(&webhook.webhook_id)? {
        stopped(tx, &heartbeat, format!("webhook `{}` was deleted", webhook.name), hand)?;
        tx.delete_heartbeat(&heartbeat.heartbeat_id)?;
    }
    Ok(())
}

fn stopped(tx: &mut dyn Tx, heartbeat: &Heartbeat, reason: String, hand: &Hand<'_>) -> Result<()> {
    tx.set_timer(TimerKind::Heartbeat, heartbeat.heartbeat_id.as_str(), None)?;
    match &heartbeat.alert_id {
        Some(alert_id) => resolve(tx, alert_id, reason, hand),
        None => Ok(()),
    }
}

/// A webhook, or a key within it, should have been heard from by now.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    let id: Id<Heartbeat> = timer.subject.as_str().into();
    let Some(heartbeat) = tx.heartbeat(&Scope::EVERYTHING, &id)? else { return Ok(()) };
    let next = heartbeat.due_at();
    if next > hand.now {
        return tx.set_timer(TimerKind::Heartbeat, id.as_str(), Some(next));
    }
    // A silence that goes on is looked at again: whoever resolved its alert by hand hears of it after another while.
    tx.set_timer(TimerKind::Heartbeat, id.as_str(), Some(hand.now + heartbeat.every))?;
    let webhook = tx.webhook(&Scope::EVERYTHING, &heartbeat.webhook_id)?;
    if webhook.is_none_or(|webhook| !webhook.is_enabled()) {
        // Whoever switched it off knows that nothing comes.
        return Ok(());
    }
    fell_silent(tx, &heartbeat, hand)
}

/// Opens the alert of a silence, unless it is open.
fn fell_silent(tx: &mut dyn Tx, heartbeat: &Heartbeat, hand: &Hand<'_>) -> Result<()> {
    let project = &heartbeat.home.project_id;
    if tx.setup(project)?.is_none() || tx.open_alert(project, &heartbeat.alert_key())?.is_some() {
        return Ok(());
    }
    let setup = setup(tx, project)?;
    let mut alert = heartbeat.silence(hand.mint, hand.now);
    let routing = Routing::default();
    let opening = Opening {
        alert: &mut alert,
        event: None,
        routing: &routing,
        setup: &setup,
        hand: *hand,
        steps: Vec::new(),
    };
    open(tx, opening)?;
    tx.silence_heartbeat(&heartbeat.heartbeat_id, alert.alert_id())
}
