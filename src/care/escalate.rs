//! Who is told next about an alert, and when.
//!
//! Each open alert that someone is still to be told of has one timer, at the very instant at which its policy goes on.
//! What follows is decided by [`next_step`] from the alert as it stands then, so a restart, a change of the policy or a
//! timer that comes twice does no harm: what is not due yet is only set again.

use chrono::TimeDelta;

use super::{
    Hand, Opening,
    announce::Announcement,
    record,
    tell::{self, Told, Withheld, tell},
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        care::Escalation,
        escalation::{
            EscalationPolicy, EscalationStep, FinishCondition, Next, Stop, Why, next_step,
        },
        history::Step,
        notice::Occasion,
        scope::Scope,
        setup::Setup,
        timer::{Timer, TimerKind},
        words::AlertState,
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// Gives an alert that is about to open its policy. It counts as told from this moment on unless something withholds
/// that, since telling is in the same commit.
pub fn begin(_tx: &mut dyn Tx, opening: &mut Opening<'_>) -> Result<()> {
    let Opening { alert, routing, setup, hand, steps, .. } = opening;
    let given = routing.escalation_policy_id.clone().or(alert.care.escalation.policy_id.take());
    alert.care.escalation.is_given = given.is_some();
    alert.care.escalation.policy_id = given;
    alert.care.escalation.no_notification |= routing.no_notification;
    steps.extend(begun(alert, first_occasion(alert), setup, hand));
    Ok(())
}

/// On what occasion an alert is told that opens.
fn first_occasion(alert: &Alert) -> Occasion {
    if alert.care.flapping.is_some() { Occasion::Flapping } else { Occasion::Opened }
}

/// Puts an alert at the beginning of its policy, and says so.
fn begun(alert: &mut Alert, occasion: Occasion, setup: &Setup, hand: &Hand<'_>) -> Option<Step> {
    let withheld = tell::withheld(alert, occasion, setup);
    let care = &mut alert.care.escalation;
    // One that was the project's when it began before may not be that any more.
    let given = care.policy_id.as_ref().filter(|_| care.is_given);
    let (policy, why) = setup.escalation.policy(given)?;
    let ttl = match withheld {
        Some(Withheld::NoNotification | Withheld::NotUrgent) => 0,
        Some(
            Withheld::Merged(_) | Withheld::Muted(..) | Withheld::Snoozed(..) | Withheld::Flapping,
        )
        | None => policy.passes(),
    };
    let escalated_at = withheld.is_none().then_some(hand.now);
    *care = Escalation {
        ttl,
        escalated_at,
        no_notification: care.no_notification,
        is_given: care.is_given,
        ..policy.beginning()
    };
    if care.no_notification {
        // It begins nothing: that nobody is told is said by what withholds the telling.
        return None;
    }
    let said = EscalationStep::Began {
        escalation_policy_id: policy.escalation_policy_id.to_string(),
        name: policy.name.clone(),
        steps: policy.steps(),
        passes: policy.passes(),
        finish_condition: policy.finish_condition,
        why: why.to_owned(),
    };
    Some(Step::Escalation(said))
}

/// Tells the first step of an alert that opened, and sets its timer; gives what its history is to say of that.
pub fn start(tx: &mut dyn Tx, alert: &Alert, setup: &Setup, hand: &Hand<'_>) -> Result<Step> {
    let announcement = Announcement::at_its_step(alert, (first_occasion(alert), None), setup);
    let (_, said) = tell(tx, &announcement, setup, hand)?;
    // It opened just now, so it has no timer to remove.
    if let due_at @ Some(_) = due_at(alert, setup) {
        tx.set_timer(TimerKind::Escalate, alert.alert_id().as_str(), due_at)?;
    }
    Ok(said)
}

/// Begins an alert's policy anew and tells its first step: it was reopened or moved, its acknowledgement ran out, it
/// became worse. Writes the alert down and gives it as it is then.
pub fn anew(
    tx: &mut dyn Tx,
    alert: &Alert,
    (occasion, reason): (Occasion, Option<String>),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Alert> {
    let mut alert = alert.clone();
    let occasion = unless_untold(&alert, occasion);
    // A policy that belongs to another project stays behind when the alert moves; one that an event rule gave stays.
    let begun = begun(&mut alert, occasion, setup, hand);
    tx.put_alert(&alert)?;
    record(tx, (alert.alert_id(), None), begun.into_iter().collect(), hand)?;
    tell::about(tx, &alert, (occasion, reason), setup, hand)?;
    wind(tx, &alert, setup)?;
    Ok(alert)
}

/// Tells of an alert at the step it is on, whose time begins now: what muted it is over, or a person put it off until
/// now. An alert of which nobody was told yet is told on its first step. Writes the alert down and gives it as it is then.
pub fn again(
    tx: &mut dyn Tx,
    alert: &Alert,
    (occasion, reason): (Occasion, Option<String>),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Alert> {
    let mut alert = alert.clone();
    if is_answered(&alert, setup) {
        return Ok(alert);
    }
    let occasion = unless_untold(&alert, occasion);
    if tell::about(tx, &alert, (occasion, reason), setup, hand)? == Told::Announced {
        alert.care.escalation.escalated_at = Some(hand.now);
        tx.put_alert(&alert)?;
    }
    wind(tx, &alert, setup)?;
    Ok(alert)
}

/// That an alert flaps is told once, and that may have been withheld so far: then it is what is told now.
fn unless_untold(alert: &Alert, occasion: Occasion) -> Occasion {
    let care = &alert.care;
    if care.flapping.is_some() && care.escalation.escalated_at.is_none() {
        return Occasion::Flapping;
    }
    occasion
}

/// Whether someone is on an alert whose policy ends with that: then only what is new is told.
fn is_answered(alert: &Alert, setup: &Setup) -> bool {
    let policy = setup.escalation.policy(alert.care.escalation.policy_id.as_ref());
    let finish =
        policy.map_or(FinishCondition::Acknowledged, |(policy, _)| policy.finish_condition);
    finish == FinishCondition::Acknowledged && alert.standing.state == AlertState::Acknowledged
}

/// Someone acknowledged an alert: its policy ends where that is what ends it. Writes the alert down and gives it as it is
/// then.
pub fn acknowledged(
    tx: &mut dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Alert> {
    if is_answered(alert, setup) {
        return stop(tx, alert, Stop::Acknowledged, hand);
    }
    Ok(alert.clone())
}

/// Ends the escalation of an alert before its time. Writes the alert down and gives it as it is then.
pub fn stop(tx: &mut dyn Tx, alert: &Alert, because: Stop, hand: &Hand<'_>) -> Result<Alert> {
    tx.set_timer(TimerKind::Escalate, alert.alert_id().as_str(), None)?;
    end(tx, alert.clone(), EscalationStep::Stopped { because }, hand)
}

/// Writes down that nothing follows for an alert any more.
fn end(tx: &mut dyn Tx, mut alert: Alert, said: EscalationStep, hand: &Hand<'_>) -> Result<Alert> {
    if alert.care.escalation.ttl > 0 {
        alert.care.escalation.ttl = 0;
        tx.put_alert(&alert)?;
        record(tx, (alert.alert_id(), None), vec![Step::Escalation(said)], hand)?;
    }
    Ok(alert)
}

/// An alert is over: its timer goes, and those of each step that was told are told, once each. Gives what its history is
/// to say of that.
pub fn resolved(
    tx: &mut dyn Tx,
    alert: &Alert,
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Vec<Step>> {
    tx.set_timer(TimerKind::Escalate, alert.alert_id().as_str(), None)?;
    let at = &alert.care.escalation;
    let mut said = Vec::new();
    let Some((policy, _)) = setup.escalation.policy(at.policy_id.as_ref()) else { return Ok(said) };
    let occasion = if alert.care.expired { Occasion::Expired } else { Occasion::Resolved };
    // By what was announced, not by where its escalation stands, which may have begun anew since; that a first step was
    // announced to nobody is only to be seen there.
    let announced = u32::from(at.escalated_at.is_some());
    for step in 1..=tx.last_heard_step(alert.alert_id(), hand.now)?.max(announced) {
        let Some(rule) = policy.rule(step) else { continue };
        let announcement = Announcement {
            alert,
            occasion,
            level: rule.notification_level,
            step,
            reason: None,
            targets: rule.targets.clone(),
        };
        said.push(tell(tx, &announcement, setup, hand)?.1);
    }
    Ok(said)
}

/// The next step of an alert is due.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    let alert_id: Id<Alert> = timer.subject.as_str().into();
    let Some(alert) = tx.alert(&Scope::EVERYTHING, &alert_id)? else { return Ok(()) };
    let Some(setup) = tx.setup(&alert.home.project_id)? else { return Ok(()) };
    let Some((policy, _)) = setup.escalation.policy(alert.care.escalation.policy_id.as_ref())
    else {
        return Ok(());
    };
    let (next, why) = next_step(&alert, policy, hand.now);
    match (next, why) {
        (Next::Wait(until), _) => tx.set_timer(TimerKind::Escalate, alert_id.as_str(), Some(until)),
        (Next::End, Why::Over(because)) => stop(tx, &alert, because, hand).map(|_| ()),
        (Next::End, _) => {
            let (steps, passes) = (policy.steps(), policy.passes());
            end(tx, alert, EscalationStep::Exhausted { steps, passes }, hand).map(|_| ())
        }
        (Next::Announce(at), why) => go_on(tx, (alert, at, why), (&setup, policy), hand),
    }
}

/// Tells the next step of an alert, unless something withholds it: then the alert stays on its step.
fn go_on(
    tx: &mut dyn Tx,
    (mut alert, at, why): (Alert, Escalation, Why),
    (setup, policy): (&Setup, &EscalationPolicy),
    hand: &Hand<'_>,
) -> Result<()> {
    let (occasion, minutes) = match why {
        Why::Again(minutes) => (Occasion::Repeated, minutes),
        Why::Unanswered(minutes) => (Occasion::Escalated, minutes),
        Why::First | Why::NotDue | Why::Exhausted | Why::Over(_) => (Occasion::Opened, 0),
    };
    match tell::withheld(&alert, occasion, setup) {
        None => {}
        Some(Withheld::NotUrgent) => return stop(tx, &alert, Stop::NotUrgent, hand).map(|_| ()),
        Some(withheld) => return hold(tx, &alert, &withheld, hand),
    }
    let said = EscalationStep::Escalated {
        step: at.step,
        steps: policy.steps(),
        pass: policy.pass(&at),
        passes: policy.passes(),
        notification_level: policy
            .rule(at.step)
            .map(|rule| rule.notification_level)
            .unwrap_or_default(),
        minutes,
    };
    alert.care.escalation = at;
    tx.put_alert(&alert)?;
    record(tx, (alert.alert_id(), None), vec![Step::Escalation(said)], hand)?;
    let reason = (minutes > 0).then(|| format!("nobody answered in {minutes} min"));
    tell::about(tx, &alert, (occasion, reason), setup, hand)?;
    wind(tx, &alert, setup)
}

/// Leaves an alert on its step until what withholds the next one is over. Whatever ends that tells of the alert and has
/// its step begin anew; should it come after this timer, the next look is a second later.
fn hold(tx: &mut dyn Tx, alert: &Alert, withheld: &Withheld, hand: &Hand<'_>) -> Result<()> {
    let (step, because) = (alert.care.escalation.step, withheld.sentence());
    let until = withheld.until();
    let look_again = until.map(|until| until.max(hand.now + TimeDelta::seconds(1)));
    tx.set_timer(TimerKind::Escalate, alert.alert_id().as_str(), look_again)?;
    if until.is_some_and(|until| until <= hand.now) {
        return Ok(());
    }
    let said = EscalationStep::Held { step, because, until };
    record(tx, (alert.alert_id(), None), vec![Step::Escalation(said)], hand)
}

/// When the policy of an alert goes on.
fn due_at(alert: &Alert, setup: &Setup) -> Option<Timestamp> {
    let at = &alert.care.escalation;
    let (policy, _) = setup.escalation.policy(at.policy_id.as_ref())?;
    policy.due_at(at)
}

/// Sets the timer of an alert to when its policy goes on, or removes it.
fn wind(tx: &mut dyn Tx, alert: &Alert, setup: &Setup) -> Result<()> {
    tx.set_timer(TimerKind::Escalate, alert.alert_id().as_str(), due_at(alert, setup))
}
