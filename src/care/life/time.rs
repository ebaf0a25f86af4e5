//! The timers of an alert's life, and what happens when they are due.

use chrono::TimeDelta;

use super::{done, parts, setup_of};
use crate::{
    care::Hand,
    domain::{
        alert::Alert,
        life::{Act, Parts},
        project::FlappingPolicy,
        scope::Scope,
        setup::Setup,
        timer::{Timer, TimerKind},
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// What is to be said of an alert that is about to open if its key opened too often lately.
pub(super) fn flaps(
    tx: &dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Option<Act>> {
    let Some(FlappingPolicy { count, within, .. }) = setup.policy.flapping else { return Ok(None) };
    let before =
        tx.openings(&alert.home.project_id, &alert.event_key, (hand.now - within, count))?;
    let within = u32::try_from(within.num_seconds()).unwrap_or(u32::MAX);
    Ok((before >= count).then_some(Act::Flap { openings: before + 1, within }))
}

/// After how long without an event an alert expires: what its webhook says, else what its project says. One without
/// events does not: a person raised it, or the silence of a heartbeat, of which no event can be expected.
fn stale_after(tx: &dyn Tx, alert: &Alert, setup: &Setup) -> Result<Option<TimeDelta>> {
    let Some(webhook) = &alert.webhook_id else { return Ok(None) };
    if alert.standing.event_count == 0 {
        return Ok(None);
    }
    let own = tx.stale_after(webhook)?.map(|seconds| TimeDelta::seconds(seconds.into()));
    Ok(own.or(setup.policy.stale_after))
}

/// An alert opened: if it may expire, that is looked at once it might. Events that join it move no timer; the timer looks
/// when the last one came.
pub(super) fn watched(tx: &mut dyn Tx, alert: &Alert, setup: &Setup) -> Result<()> {
    let Some(stale_after) = stale_after(tx, alert, setup)? else { return Ok(()) };
    let due_at = alert.standing.last_event_at + stale_after;
    tx.set_timer(TimerKind::Stale, alert.alert_id().as_str(), Some(due_at))
}

/// Sets the timers that differ between what an alert was and what it is.
pub(super) fn wound(
    tx: &mut dyn Tx,
    before: Option<&Alert>,
    (alert, setup): (&Alert, &Setup),
    hand: &Hand<'_>,
) -> Result<()> {
    let id = alert.alert_id().as_str();
    let was = before.map(|before| before.care.clone()).unwrap_or_default();
    let is = &alert.care;
    if was.acknowledged_until != is.acknowledged_until {
        tx.set_timer(TimerKind::Acknowledgement, id, is.acknowledged_until)?;
    }
    if was.snooze != is.snooze {
        let until = is.snooze.as_ref().map(|snooze| snooze.until);
        tx.set_timer(TimerKind::Snooze, id, until)?;
    }
    if was.flapping != is.flapping {
        let quiet = setup.policy.flapping.unwrap_or_default().quiet;
        tx.set_timer(TimerKind::Settle, id, is.flapping.as_ref().map(|_| hand.now + quiet))?;
    }
    let rests = (was.snooze.is_none() && is.snooze.is_some())
        || (was.merged_into.is_none() && is.merged_into.is_some());
    if before.is_some() && rests {
        // The escalation goes on from where it is once it is told again.
        tx.set_timer(TimerKind::Escalate, id, None)?;
    }
    let reopens = before.is_some_and(|before| !before.standing.state.is_open());
    let moves = before.is_some_and(|before| before.home != alert.home);
    if (reopens || moves) && alert.standing.state.is_open() {
        watched_anew(tx, alert, setup, hand)?;
    }
    Ok(())
}

/// It was opened again, so the silence counts from now.
fn watched_anew(tx: &mut dyn Tx, alert: &Alert, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    let Some(stale_after) = stale_after(tx, alert, setup)? else { return Ok(()) };
    let due_at = Some(hand.now + stale_after);
    tx.set_timer(TimerKind::Stale, alert.alert_id().as_str(), due_at)
}

/// An alert was put off until now, its acknowledgement ran out, it has been quiet, or its sender may have fallen silent.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    let id = Id::<Alert>::from(timer.subject.as_str());
    let Some(alert) = tx.alert(&Scope::EVERYTHING, &id)? else { return Ok(()) };
    let setup = setup_of(tx, &alert.home)?;
    let act = match timer.kind {
        TimerKind::Snooze => Act::SnoozeEnds,
        TimerKind::Acknowledgement => Act::AcknowledgementRunsOut,
        TimerKind::Settle if !alert.standing.state.is_open() => {
            return parts::follow(tx, &alert, hand);
        }
        TimerKind::Settle if tx.has_open_parts(&id)? => Act::Settle(Parts::Open),
        TimerKind::Settle => Act::Settle(Parts::Over),
        TimerKind::Stale => match stale(tx, &alert, &setup, hand)? {
            Some(act) => act,
            None => return Ok(()),
        },
        TimerKind::Escalate
        | TimerKind::Unmute
        | TimerKind::Heartbeat
        | TimerKind::Window
        | TimerKind::Gather
        | TimerKind::Group
        | TimerKind::Parts => return Ok(()),
    };
    done(tx, (alert, None), act, (&setup, hand))?;
    Ok(())
}

/// Whether an alert expires now; if it was heard of meanwhile, or holds others together, it is looked at again later.
fn stale(tx: &mut dyn Tx, alert: &Alert, setup: &Setup, hand: &Hand<'_>) -> Result<Option<Act>> {
    if !alert.standing.state.is_open() {
        return Ok(None);
    }
    let Some(stale_after) = stale_after(tx, alert, setup)? else { return Ok(None) };
    let mut due_at = alert.standing.last_event_at + stale_after;
    if due_at <= hand.now && tx.has_open_parts(alert.alert_id())? {
        due_at = hand.now + stale_after;
    }
    if due_at > hand.now {
        tx.set_timer(TimerKind::Stale, alert.alert_id().as_str(), Some(due_at))?;
        return Ok(None);
    }
    let stale_after = u32::try_from(stale_after.num_seconds()).unwrap_or(u32::MAX);
    Ok(Some(Act::Expire { stale_after }))
}
