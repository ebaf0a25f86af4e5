//! Grouping beyond the key: whether an event opens an alert of its own.
//!
//! What a group waits for and who leads it is kept by a subject, the rule and a digest of the shared values; a timer
//! clears it once its window has passed.

use super::Hand;
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        care::Care,
        event::Event,
        group_rule::{Group, GroupRule, GroupStep, Known, Verdict},
        history::{Entry, Step},
        scope::Scope,
        setup::Setup,
        timer::{Timer, TimerKind},
        words::EventType,
    },
    error::Result,
    id::Id,
    store::{HitKind, Tx},
};

/// What the group rules say about an event that would open an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It opens, and these events, which waited, are its too.
    Open(Vec<Id<Event>>),
    /// Its group has too few events still: it is kept without an alert.
    Below,
    /// It opens as a part of this alert.
    Member(Id<Alert>),
}

/// What the group rules say about the alert that an event would open.
pub fn gate(
    tx: &mut dyn Tx,
    (alert, event): (&Alert, &Event),
    setup: &Setup,
    (hand, steps): (&Hand<'_>, &mut Vec<Step>),
) -> Result<Gate> {
    let alone = Gate::Open(Vec::new());
    // What could not be read is about its webhook, never about what its sender watches.
    if event.draft.event_type != EventType::Alert {
        return Ok(alone);
    }
    let (concerned, passed) = setup.group_rules.concerning(event);
    steps.extend(passed.into_iter().map(Step::Group));
    let Some((rule, group)) = concerned else { return Ok(alone) };
    let known = known(tx, rule, &group, hand.now)?;
    let (group_rule_id, name) = rule.named();
    let values = group.values.clone();
    tx.hit(HitKind::GroupRule, group_rule_id.as_str(), hand.now)?;
    let (gate, step) = match rule.decide(known, hand.now) {
        Verdict::Member(lead) => {
            join(tx, rule, &group, (&lead, hand.now))?;
            let step = GroupStep::Member { group_rule_id, name, values, lead: lead.clone() };
            (Gate::Member(lead), step)
        }
        Verdict::Below(count) => {
            tx.wait(&rule.group_rule_id, &group.subject, (&event.event_id, hand.now))?;
            clear_later(tx, rule, &group, hand.now)?;
            let (threshold, window) = (rule.threshold, rule.window.num_seconds());
            let step = GroupStep::Below { group_rule_id, name, values, count, threshold, window };
            let whole = std::mem::take(steps).into_iter().chain([Step::Group(step)]).collect();
            keep(tx, event, whole, hand)?;
            return Ok(Gate::Below);
        }
        Verdict::Lead(count) => {
            let adopted = lead(tx, rule, &group, (alert.alert_id(), hand.now))?;
            let told = adopted.clone();
            let step = GroupStep::Leads { group_rule_id, name, values, count, adopted: told };
            (Gate::Open(adopted), step)
        }
    };
    steps.push(Step::Group(step));
    Ok(gate)
}

/// Makes the events that waited for an alert its own, once it is in the store.
pub fn adopt(tx: &mut dyn Tx, alert: &Id<Alert>, waited: &[Id<Event>]) -> Result<()> {
    waited.iter().try_for_each(|event| tx.adopt_event(event, alert))
}

/// What is known of a group.
fn known(tx: &dyn Tx, rule: &GroupRule, group: &Group, now: Timestamp) -> Result<Known> {
    let lead = match tx.grouping(&group.subject)? {
        Some((lead, last)) => {
            let found = tx.alert(&Scope::EVERYTHING, &lead)?;
            let leads = |alert: &Alert| {
                alert.standing.state.is_open() && alert.home.project_id == rule.home.project_id
            };
            found.filter(leads).map(|_| (lead, last))
        }
        None => None,
    };
    let waiting = if lead.is_none() && rule.threshold > 1 {
        tx.waiting(&group.subject, now - rule.window, rule.threshold)?.len()
    } else {
        0
    };
    Ok(Known { lead, waiting: u32::try_from(waiting).unwrap_or(u32::MAX) })
}

/// Keeps that an alert is about to be a part of `lead`.
fn join(
    tx: &mut dyn Tx,
    rule: &GroupRule,
    group: &Group,
    (lead, now): (&Id<Alert>, Timestamp),
) -> Result<()> {
    tx.put_grouping(&rule.group_rule_id, &group.subject, (lead, now))?;
    clear_later(tx, rule, group, now)?;
    let Some(alert) = tx.alert(&Scope::EVERYTHING, lead)? else { return Ok(()) };
    if alert.care.leads {
        return Ok(());
    }
    let care = Care { leads: true, ..alert.care.clone() };
    tx.put_alert(&alert.cared_for(care))
}

/// Keeps that an alert is about to lead a group; the events that waited for it.
fn lead(
    tx: &mut dyn Tx,
    rule: &GroupRule,
    group: &Group,
    (alert, now): (&Id<Alert>, Timestamp),
) -> Result<Vec<Id<Event>>> {
    let waited = if rule.threshold > 1 {
        let waited = tx.waiting(&group.subject, now - rule.window, rule.threshold)?;
        tx.forget_waiting(&group.subject, Timestamp::MAX_UTC)?;
        waited
    } else {
        Vec::new()
    };
    tx.put_grouping(&rule.group_rule_id, &group.subject, (alert, now))?;
    clear_later(tx, rule, group, now)?;
    Ok(waited)
}

/// Sees to it that nothing is kept of a group for longer than its window.
fn clear_later(tx: &mut dyn Tx, rule: &GroupRule, group: &Group, now: Timestamp) -> Result<()> {
    if tx.timer(TimerKind::Group, &group.subject)?.is_some() {
        return Ok(());
    }
    tx.set_timer(TimerKind::Group, &group.subject, Some(after(now, rule)))
}

/// When nothing of now is within the window any more.
fn after(now: Timestamp, rule: &GroupRule) -> Timestamp {
    now + rule.window + chrono::TimeDelta::milliseconds(1)
}

/// Writes down why an event is kept without an alert.
fn keep(tx: &mut dyn Tx, event: &Event, steps: Vec<Step>, hand: &Hand<'_>) -> Result<()> {
    let entry = |step| Entry {
        alert_id: None,
        event_id: Some(event.event_id.clone()),
        at: hand.now,
        actor: hand.actor.to_owned(),
        step,
    };
    let entries: Vec<Entry> = steps.into_iter().map(entry).collect();
    tx.add_entries(&entries)
}

/// A group may have had its time: what is older than its window goes.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    let subject = timer.subject.as_str();
    let rule_id = Id::from(subject.split(':').next().unwrap_or_default());
    let Some(rule) = tx.group_rule(&Scope::EVERYTHING, &rule_id)? else {
        tx.forget_waiting(subject, Timestamp::MAX_UTC)?;
        return tx.forget_grouping(subject);
    };
    let since = hand.now - rule.window;
    let oldest = tx.forget_waiting(subject, since)?;
    let last = match tx.grouping(subject)? {
        Some((_, last)) if last >= since => Some(last),
        Some(_) => {
            tx.forget_grouping(subject)?;
            None
        }
        None => None,
    };
    let next = oldest.into_iter().chain(last).min().map(|at| after(at, &rule));
    tx.set_timer(TimerKind::Group, subject, next)
}
