//! What happens by itself, recorded like what people do: one record for each thing that a timer changed.

use std::fmt::Display;

use serde_json::Value;

use super::{
    alert::AlertInfo, bounded::bounded, call::seen, heartbeat::HeartbeatInfo, maintenance_window,
    named, silence,
};
use crate::{
    care::{self, Hand, mute},
    clock::Timestamp,
    domain::{
        alert::Alert,
        audit::{Actor, AuditEntry, Entity},
        project::Domain,
        scope::Scope,
        timer::{Timer, TimerKind},
    },
    error::Result,
    id::{Id, Mint},
    store::{Changed, Tx},
};

/// Something that a timer may change, and how it is seen.
type Seen = (Id<Domain>, Entity, Option<Value>);

/// Does what a timer says, and records what that changed, in the unit of work that changed it.
///
/// # Errors
/// Where it cannot be done, or not be recorded.
pub fn due(tx: &mut dyn Tx, timer: &Timer, (mint, now): (&Mint, Timestamp)) -> Result<()> {
    let actor = Actor::parse(timer.kind.actor());
    let before = subject(tx, timer, now)?;
    tx.watch_changes();
    care::due(tx, timer, &Hand { mint, now, actor: timer.kind.actor() })?;
    let alerts = tx.take_changes();
    if let Some((domain_id, entity, before)) = before {
        let after = subject(tx, timer, now)?.and_then(|(_, _, view)| view);
        if before != after {
            let entry = AuditEntry::new(now, actor.clone(), of_subject(timer, &entity)).on(entity);
            let (before, after) = bounded(before, after);
            tx.add_audit(&domain_id, entry.changed(before, after), mint)?;
        }
    }
    for changed in alerts {
        if let Some((domain_id, entity, (before, after))) = alert(tx, changed)? {
            let entry = AuditEntry::new(now, actor.clone(), of_alerts(timer.kind)).on(entity);
            tx.add_audit(&domain_id, entry.changed(before, after), mint)?;
        }
    }
    Ok(())
}

/// What is done to alerts when such a timer is due.
const fn of_alerts(kind: TimerKind) -> &'static str {
    match kind {
        TimerKind::Escalate => "alert.escalate",
        TimerKind::Unmute | TimerKind::Window => "alert.mute",
        TimerKind::Snooze => "alert.unsnooze",
        TimerKind::Acknowledgement => "alert.acknowledgement_expire",
        TimerKind::Settle => "alert.settle",
        TimerKind::Stale => "alert.expire",
        TimerKind::Heartbeat => "alert.create",
        TimerKind::Gather => "alert.announce",
        TimerKind::Group => "alert.group",
        TimerKind::Parts => "alert.merge",
    }
}

/// What is done to what such a timer is about.
fn of_subject(timer: &Timer, entity: &Entity) -> &'static str {
    match (timer.kind, entity.kind.as_str()) {
        (TimerKind::Window, "silence") => "silence.end",
        (TimerKind::Window, _) => "maintenance_window.close",
        (_, _) => "heartbeat.silence",
    }
}

/// What a timer is about that is no alert.
fn subject(tx: &dyn Tx, timer: &Timer, now: Timestamp) -> Result<Option<Seen>> {
    let everything = &Scope::EVERYTHING;
    match timer.kind {
        TimerKind::Heartbeat => {
            let found = tx.heartbeat(everything, &timer.subject.as_str().into())?;
            Ok(found.map(|heartbeat| {
                let entity = entity("heartbeat", &heartbeat.heartbeat_id, Some(&heartbeat.name));
                let domain_id = heartbeat.home.domain_id.clone();
                (domain_id, entity, seen(&HeartbeatInfo::new(heartbeat, now)))
            }))
        }
        TimerKind::Window => match mute::turning(timer) {
            Some((kind, id)) if kind == "silence" => {
                let Some(found) = tx.silence(everything, &id.into())? else { return Ok(None) };
                let entity = entity(&kind, &found.silence_id, Some(&found.reason));
                let view = seen(&silence::info(tx, &found, now)?);
                Ok(Some((found.area.domain_id, entity, view)))
            }
            Some((kind, id)) => {
                let found = tx.maintenance_window(everything, &id.into())?;
                let Some(found) = found else { return Ok(None) };
                let entity = entity(&kind, &found.maintenance_window_id, Some(&found.title));
                let view = seen(&maintenance_window::info(tx, (&found, everything), now)?);
                Ok(Some((found.area.domain_id, entity, view)))
            }
            None => Ok(None),
        },
        TimerKind::Escalate
        | TimerKind::Unmute
        | TimerKind::Snooze
        | TimerKind::Acknowledgement
        | TimerKind::Settle
        | TimerKind::Stale
        | TimerKind::Gather
        | TimerKind::Group
        | TimerKind::Parts => Ok(None),
    }
}

fn entity(kind: &str, id: impl Display, name: Option<&str>) -> Entity {
    Entity::new(kind, id).called(name.map(named::cut))
}

/// An alert as it was and as it is, where that is a difference that anyone sees.
pub(super) fn alert(tx: &dyn Tx, (id, before): Changed) -> Result<Option<AlertChange>> {
    let after = tx.alert(&Scope::EVERYTHING, &id)?;
    let Some(either) = after.as_ref().or(before.as_ref()) else { return Ok(None) };
    let domain_id = either.home.domain_id.clone();
    let entity = entity("alert", &id, either.title.as_deref());
    let view = |alert: Option<Alert>| alert.and_then(|alert| seen(&AlertInfo::from(alert)));
    let (before, after) = (view(before), view(after));
    if before == after {
        return Ok(None);
    }
    Ok(Some((domain_id, entity, bounded(before, after))))
}

/// An alert that changed: whose it is, which it is, and how it was and is.
pub(super) type AlertChange = (Id<Domain>, Entity, (Option<Value>, Option<Value>));
