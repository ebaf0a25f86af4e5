//! From one state of an alert to the next, with all that follows: the timers that go with it, what its history keeps, who
//! is told, and what becomes of the alerts that are part of it.
//!
//! What may be done when, and what follows, is decided in [`domain::life`](crate::domain::life); here it is done.

mod parts;
mod time;

use std::sync::Arc;

use super::{Hand, Opening, escalate, mute, record, tell};
use crate::{
    domain::{
        alert::{Alert, Standing},
        care::Marks,
        channel::Channels,
        escalation::Escalations,
        event::Event,
        event_rule::EventRules,
        group_rule::GroupRules,
        heartbeat::Heartbeats,
        history::Step,
        life::{Act, Doer, Life, Then, Turn},
        notice::Occasion,
        people::People,
        project::AlertPolicy,
        scope::{Home, Scope},
        setup::Setup,
        suppress::Mutes,
        timer::TimerKind,
        words::{AlertState, EventType, RecoveryMode, Why},
    },
    error::{Error, Result},
    id::Id,
    store::Tx,
};

pub use self::{
    parts::{due as parts_due, merge, unmerge},
    time::due,
};

/// An alert is about to open: what is said of it, and whether its key flaps.
pub fn opening(tx: &mut dyn Tx, opening: &mut Opening<'_>) -> Result<()> {
    let Opening { alert, event, routing, setup, hand, steps } = opening;
    let astray = join_root(tx, alert)?;
    if routing.assignee.is_some() {
        alert.assignee.clone_from(&routing.assignee);
    }
    if let Some(urgency) = routing.urgency {
        alert.standing.urgency = urgency;
    }
    let reason = event.map_or_else(
        || format!("raised by {}", hand.actor),
        |event| event.why.meaning().trim_end_matches('.').to_owned(),
    );
    steps.push(Step::Life(Life::Opened { state: alert.standing.state, reason }));
    steps.extend(astray.map(Step::Life));
    if event.is_some_and(|event| event.why == Why::OpensAgain)
        && let Some(flaps) = time::flaps(tx, alert, setup, hand)?
    {
        let Turn { alert: marked, steps: said, then: _ } = alert.turned(flaps, doer(hand))?;
        **alert = marked;
        steps.extend(said.into_iter().map(Step::Life));
    }
    Ok(())
}

/// How many alerts lead one another at most while they are merged.
const MOST_LEADS: usize = 8;

/// Who leads an alert that is about to open may be a part of another by now, and a part of a part would be told by nobody.
/// Where the one that leads them all is over, the alert stands alone: it would be closed with what it is no part of.
fn join_root(tx: &dyn Tx, alert: &mut Alert) -> Result<Option<Life>> {
    let Some(lead) = alert.care.merged_into.take() else { return Ok(None) };
    let mut root = found(tx, &lead)?;
    // More than one where a lead is on its way to another.
    for _ in 0..MOST_LEADS {
        let Some(next) = &root.care.merged_into else { break };
        root = found(tx, next)?;
    }
    let from = root.alert_id().clone();
    if root.standing.state.is_open() && root.care.merged_into.is_none() {
        alert.care.merged_into = Some(from);
        return Ok(None);
    }
    let reason = Some(format!("{from} is over"));
    Ok(Some(Life::Unmerged { from, reason }))
}

/// An alert opened: its timers are set, and if it is part of another, that one leads from now on.
pub fn opened(tx: &mut dyn Tx, alert: &Alert, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    time::watched(tx, alert, setup)?;
    time::wound(tx, None, (alert, setup), hand)?;
    if let Some(lead) = &alert.care.merged_into {
        parts::taken_in(tx, lead, alert, hand)?;
    }
    Ok(())
}

/// Whether an event that joined an alert without marks matters beyond being counted.
pub fn matters(before: &Standing, after: &Standing) -> bool {
    after.severity > before.severity
}

/// An event joined an alert about which something is special, or which it made worse.
pub fn joined(
    tx: &mut dyn Tx,
    (event, before, after): (&Event, &Standing, &Standing),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<()> {
    let turns = before.marks.has(Marks::FLAPPING) || before.marks.has(Marks::LEADS);
    let is_worse = matters(before, after);
    if !turns && !is_worse {
        return Ok(());
    }
    let mut alert = found(tx, &after.alert_id)?;
    let about = Some(&event.event_id);
    if turns && event.draft.event_type != EventType::Recovery {
        alert = done(tx, (alert, about), Act::Fire, (setup, hand))?;
    }
    if is_worse {
        let act = Act::Worsen { severity: before.severity, urgency: before.urgency };
        let alert = done(tx, (alert, about), act, (setup, hand))?;
        parts::heard_by_lead(tx, &alert, hand)?;
    }
    Ok(())
}

/// Whether an alert stays open although its recovery came: it flaps, or its members have not recovered. If so, the event
/// is joined to it here.
pub fn holds_open(
    tx: &mut dyn Tx,
    (event, before): (&Event, &Standing),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<bool> {
    let leads = before.marks.has(Marks::LEADS) && tx.has_open_parts(&before.alert_id)?;
    if !before.marks.has(Marks::FLAPPING) && !leads {
        return Ok(false);
    }
    tx.join_alert(event, &before.clone().joined_by(event, hand.now))?;
    let alert = found(tx, &before.alert_id)?;
    let act = Act::Recover {
        reason: format!("recovery {}", event.event_id),
        recovered_at: event.draft.occurred_at,
    };
    done(tx, (alert, Some(&event.event_id)), act, (setup, hand))?;
    Ok(true)
}

/// What the history of an alert is to say of its end, by its recovery or because its sender is understood again.
pub fn over(alert: &Alert, event: Option<&Event>) -> Step {
    let was = if alert.acknowledged_at.is_some() {
        AlertState::Acknowledged
    } else {
        match event.map(|event| event.draft.event_type) {
            Some(EventType::Alert | EventType::Recovery) => AlertState::Triggered,
            Some(EventType::Error) | None => AlertState::Error,
        }
    };
    let reason = alert.ending.as_ref().map(|ending| ending.reason.clone()).unwrap_or_default();
    Step::Life(Life::Resolved { from: was, reason })
}

/// An alert is over, by its recovery or because its sender is understood again: what waited for it waits no more, and its
/// lead may be over too. What else ends an alert ends it by [`change`].
pub fn ended(tx: &mut dyn Tx, alert: &Alert, setup: &Setup, hand: &Hand<'_>) -> Result<()> {
    let rested = alert.clone().at_rest();
    if rested.care != alert.care {
        tx.put_alert(&rested)?;
        time::wound(tx, Some(alert), (&rested, setup), hand)?;
    }
    parts::set_free(tx, alert, hand)?;
    parts::left(tx, alert, hand)
}

/// An alert was deleted: no timer is left of it, and what was part of it or muted on its account is told by itself.
pub fn deleted(tx: &mut dyn Tx, alert: &Alert, hand: &Hand<'_>) -> Result<()> {
    for kind in TimerKind::ALL {
        tx.set_timer(*kind, alert.alert_id().as_str(), None)?;
    }
    tx.delete_notes_of(alert.alert_id())?;
    mute::ended(tx, alert, hand)?;
    record(tx, (alert.alert_id(), None), vec![Step::Life(Life::Deleted)], hand)?;
    parts::set_free(tx, alert, hand)?;
    parts::left(tx, alert, hand)?;
    mute::ended(tx, alert, hand)
}

/// Does something to an alert, whoever asks, with all that follows from it; the alert then.
///
/// # Errors
/// Where its state does not allow it, where another alert of its key is open, or where its project is not alerted.
pub fn change(tx: &mut dyn Tx, alert: Alert, act: Act, hand: &Hand<'_>) -> Result<Alert> {
    let home = if let Act::Move { home } = &act { home } else { &alert.home };
    let setup = setup_of(tx, home)?;
    done(tx, (alert, None), act, (&setup, hand))
}

/// The same within what is done already, on account of an event if there is one.
fn done(
    tx: &mut dyn Tx,
    (before, event): (Alert, Option<&Id<Event>>),
    act: Act,
    (setup, hand): (&Setup, &Hand<'_>),
) -> Result<Alert> {
    let Turn { alert, steps, then } = before.turned(act.clone(), doer(hand))?;
    if alert == before && steps.is_empty() {
        return Ok(alert);
    }
    tx.put_alert(&alert)?;
    if alert.home != before.home {
        tx.move_notes_of(alert.alert_id(), &alert.home.project_id)?;
    }
    record(tx, (alert.alert_id(), event), steps.into_iter().map(Step::Life).collect(), hand)?;
    time::wound(tx, Some(&before), (&alert, setup), hand)?;
    let alert = muted_anew(tx, (&before, alert), &then, (setup, hand))?;
    followed(tx, alert, (&act, then), (setup, hand))
}

/// What mutes an alert is decided anew where what filters look at has changed, before anyone is told; what starts anew is
/// told by that alone.
fn muted_anew(
    tx: &mut dyn Tx,
    (before, alert): (&Alert, Alert),
    then: &Then,
    (setup, hand): (&Setup, &Hand<'_>),
) -> Result<Alert> {
    let seen = |alert: &Alert| {
        let Standing { severity, urgency, state, .. } = alert.standing;
        (severity, urgency, state.is_open(), alert.home.clone())
    };
    let says =
        |alert: &Alert| (alert.title.clone(), alert.description.clone(), alert.assignee.clone());
    if !alert.standing.state.is_open()
        || (seen(before) == seen(&alert) && says(before) == says(&alert))
    {
        return Ok(alert);
    }
    if matches!(then, Then::StartAnew(..)) {
        return mute::taken_up(tx, (before, &alert), setup, hand);
    }
    let is_muted = alert.care.mute.is_some() || before.care.mute.is_some();
    if setup.mutes.is_empty() && !is_muted {
        return Ok(alert);
    }
    mute::looked_at_again(tx, &alert, setup, hand)
}

/// What must follow, done; the alert then.
fn followed(
    tx: &mut dyn Tx,
    alert: Alert,
    (act, then): (&Act, Then),
    (setup, hand): (&Setup, &Hand<'_>),
) -> Result<Alert> {
    match then {
        Then::Nothing if matches!(act, Act::Acknowledge { .. }) => {
            escalate::acknowledged(tx, &alert, setup, hand)
        }
        Then::Nothing => Ok(alert),
        Then::Tell(Occasion::Assigned, _) => {
            let said = tell::assigned(tx, &alert, setup, hand)?;
            record(tx, (alert.alert_id(), None), said.into_iter().collect(), hand)?;
            Ok(alert)
        }
        Then::Tell(occasion, reason) => {
            escalate::again(tx, &alert, (occasion, Some(reason)), setup, hand)
        }
        Then::StartAnew(occasion, reason) => {
            escalate::anew(tx, &alert, (occasion, Some(reason)), setup, hand)
        }
        Then::End(_) => {
            if matches!(act, Act::Resolve { .. }) {
                parts::follow(tx, &alert, hand)?;
            } else {
                parts::set_free(tx, &alert, hand)?;
            }
            parts::left(tx, &alert, hand)?;
            mute::ended(tx, &alert, hand)?;
            let said = escalate::resolved(tx, &alert, setup, hand)?;
            record(tx, (alert.alert_id(), None), said, hand)?;
            Ok(alert)
        }
    }
}

/// The alert, which is there.
fn found(tx: &dyn Tx, id: &Id<Alert>) -> Result<Alert> {
    tx.alert(&Scope::EVERYTHING, id)?.ok_or_else(|| Error::not_found("alert", id))
}

/// How the project of an alert is looked after. Where alerting was switched off, what is open can still be closed; nobody
/// is told.
pub fn setup_of(tx: &dyn Tx, home: &Home) -> Result<Arc<Setup>> {
    if let Some(setup) = tx.setup(&home.project_id)? {
        return Ok(setup);
    }
    Ok(Arc::new(Setup {
        home: home.clone(),
        policy: AlertPolicy::new(RecoveryMode::Manual),
        escalation: Escalations::default(),
        event_rules: EventRules::default(),
        group_rules: GroupRules::default(),
        mutes: Mutes::default(),
        channels: Channels::default(),
        people: People::default(),
        heartbeats: Heartbeats::default(),
    }))
}

fn doer<'a>(hand: &Hand<'a>) -> Doer<'a> {
    Doer { actor: hand.actor, now: hand.now }
}
