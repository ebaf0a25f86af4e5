//! What is done for an alert from its opening to its end, whoever asks: an event, a person, a timer.
//!
//! Everything here is a function over a unit of work, so an alert, what was decided for it and the messages about it are
//! committed together or not at all.

pub mod announce;
pub mod escalate;
pub mod group;
pub mod heartbeat;
pub mod life;
pub mod mute;
pub mod tell;

use std::sync::Arc;

use chrono::TimeDelta;

use self::group::Gate;
use crate::{
    clock::Timestamp,
    domain::{
        alert::{Alert, Ending, Standing},
        event::Event,
        event_rule::Routing,
        history::{Entry, Step},
        note::Note,
        project::Project,
        scope::Scope,
        setup::Setup,
        timer::{Timer, TimerKind},
        words::{Outcome, Why},
    },
    error::{Code, Error, Result},
    id::{Id, Mint},
    store::Tx,
};

/// Who acts, when, with what makes identifiers.
#[derive(Clone, Copy)]
pub struct Hand<'a> {
    /// What makes identifiers.
    pub mint: &'a Mint,
    /// When.
    pub now: Timestamp,
    /// Who, as records name it, e.g. `webhook:webhook-…`, `token:token-…`, `timer:escalate`.
    pub actor: &'a str,
}

/// An alert that is about to open.
pub struct Opening<'a> {
    /// The alert, not in the store yet: it may be changed.
    pub alert: &'a mut Alert,
    /// The event that opens it; `None` for one that a person opens.
    pub event: Option<&'a Event>,
    /// What event rules say about it.
    pub routing: &'a Routing,
    /// How its project is looked after.
    pub setup: &'a Setup,
    /// Who opens it, and when.
    pub hand: Hand<'a>,
    /// What was decided so far; written down once the alert is in the store.
    pub steps: Vec<Step>,
}

/// How the project of an alert is looked after.
///
/// # Errors
/// `ERROR_ALERT_FEATURE_IS_NOT_ACTIVATED` where alerting is off for it.
pub fn setup(tx: &dyn Tx, project: &Id<Project>) -> Result<Arc<Setup>> {
    tx.setup(project)?.ok_or_else(|| {
        let detail = format!("alerting is not switched on in project `{project}`");
        Error::new(Code::AlertFeatureIsNotActivated, detail)
    })
}

/// Writes down what was decided for an alert.
pub fn record(
    tx: &mut dyn Tx,
    (alert_id, event_id): (&Id<Alert>, Option<&Id<Event>>),
    steps: Vec<Step>,
    hand: &Hand<'_>,
) -> Result<()> {
    let (alert_id, event_id) = (Some(alert_id.clone()), event_id.cloned());
    let (at, actor) = (hand.now, hand.actor.to_owned());
    let entry = |step| Entry {
        alert_id: alert_id.clone(),
        event_id: event_id.clone(),
        at,
        actor: actor.clone(),
        step,
    };
    let entries: Vec<Entry> = steps.into_iter().map(entry).collect();
    tx.add_entries(&entries)
}

/// Opens an alert: decides all that is to be decided for it, keeps it, and begins to tell people. All of its history so
/// far is written as one: it is of one instant, and most alerts never have more.
pub fn open(tx: &mut dyn Tx, mut opening: Opening<'_>) -> Result<()> {
    life::opening(tx, &mut opening)?;
    mute::on_open(tx, &mut opening)?;
    // Last, since who is told depends on all that was decided before.
    escalate::begin(tx, &mut opening)?;
    let Opening { alert, event, routing, setup, hand, mut steps } = opening;
    alert.standing.marks = alert.care.marks();
    alert.alert_number = tx.add_alert(alert)?;
    steps.push(escalate::start(tx, alert, setup, &hand)?);
    if routing.assignee.is_some() {
        steps.extend(tell::assigned(tx, alert, setup, &hand)?);
    }
    // Before what it does to others, so that histories stand in the order of cause and effect.
    record(tx, (alert.alert_id(), event.map(|event| &event.event_id)), steps, &hand)?;
    write_down(tx, alert, routing, &hand)?;
    life::opened(tx, alert, setup, &hand)?;
    mute::opened(tx, alert, (routing, setup), &hand)
}

/// Writes below an alert what event rules have to say about it.
fn write_down(tx: &mut dyn Tx, alert: &Alert, routing: &Routing, hand: &Hand<'_>) -> Result<()> {
    for (rule, text) in &routing.notes {
        tx.put_note(&Note {
            note_id: hand.mint.id(hand.now),
            note: text.clone(),
            alert_id: alert.alert_id().clone(),
            created_by: format!("event_rule:{rule}"),
            home: alert.home.clone(),
            created_at: hand.now,
            updated_at: None,
        })?;
    }
    Ok(())
}

/// Opens the alert of an event, or does not: its group may want more events first, or make it part of another alert.
pub fn open_for(
    tx: &mut dyn Tx,
    (mut alert, event): (Alert, &mut Event),
    (routing, before): (&Routing, Vec<Step>),
    setup: &Setup,
    hand: Hand<'_>,
) -> Result<Outcome> {
    let mut steps = before;
    let mut waited = Vec::new();
    match group::gate(tx, (&alert, event), setup, (&hand, &mut steps))? {
        Gate::Open(events) => {
            alert.standing.event_count += events.len() as u64;
            waited = events;
        }
        Gate::Member(lead) => alert.care.merged_into = Some(lead),
        Gate::Below => {
            event.why = Why::BelowThreshold;
            return Ok(Outcome::Kept);
        }
    }
    event.alert_id = Some(alert.alert_id().clone());
    open(tx, Opening { alert: &mut alert, event: Some(event), routing, setup, hand, steps })?;
    group::adopt(tx, alert.alert_id(), &waited)?;
    Ok(Outcome::Opened)
}

/// Keeps how an alert stands once an event joined it, and does what follows where something about it is special.
pub fn join(
    tx: &mut dyn Tx,
    (event, before, after): (&Event, &Standing, &Standing),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<()> {
    tx.join_alert(event, after)?;
    if after.severity > before.severity {
        mute::reweighed(tx, after, setup, hand)?;
    }
    if before.marks.is_empty() && !life::matters(before, after) {
        return Ok(());
    }
    life::joined(tx, (event, before, after), setup, hand)
}

/// Ends an alert with its recovery, unless something holds it open.
pub fn recover(
    tx: &mut dyn Tx,
    (event, before): (&Event, &Standing),
    (after, ending): (&Standing, &Ending),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<Outcome> {
    if !before.marks.is_empty() && life::holds_open(tx, (event, before), setup, hand)? {
        return Ok(Outcome::Joined);
    }
    tx.end_alert(event, after, ending)?;
    let alert = tx
        .alert(&Scope::EVERYTHING, &after.alert_id)?
        .ok_or_else(|| Error::not_found("alert", &after.alert_id))?;
    ended(tx, (&alert, Some(event)), setup, hand)?;
    Ok(Outcome::Resolved)
}

/// Does what follows once an alert is over, in whatever way it ended.
pub fn ended(
    tx: &mut dyn Tx,
    (alert, event): (&Alert, Option<&Event>),
    setup: &Setup,
    hand: &Hand<'_>,
) -> Result<()> {
    let event_id = event.map(|event| &event.event_id);
    let mut steps = vec![life::over(alert, event)];
    if !alert.care.marks().is_empty() {
        // It may end others, whose histories go on from its end.
        record(tx, (alert.alert_id(), event_id), std::mem::take(&mut steps), hand)?;
    }
    life::ended(tx, alert, setup, hand)?;
    mute::ended(tx, alert, hand)?;
    steps.extend(escalate::resolved(tx, alert, setup, hand)?);
    record(tx, (alert.alert_id(), event_id), steps, hand)
}

/// Does what a timer says, now that it is due.
pub fn due(tx: &mut dyn Tx, timer: &Timer, hand: &Hand<'_>) -> Result<()> {
    if waits_for_alerting(tx, timer)? {
        let again = hand.now + TimeDelta::minutes(1);
        return tx.set_timer(timer.kind, &timer.subject, Some(again));
    }
    match timer.kind {
        TimerKind::Escalate => escalate::due(tx, timer, hand),
        TimerKind::Unmute | TimerKind::Window => mute::due(tx, timer, hand),
        TimerKind::Snooze | TimerKind::Acknowledgement | TimerKind::Settle | TimerKind::Stale => {
            life::due(tx, timer, hand)
        }
        TimerKind::Heartbeat => heartbeat::due(tx, timer, hand),
        TimerKind::Group => group::due(tx, timer, hand),
        TimerKind::Gather => announce::due(tx, timer, hand),
        TimerKind::Parts => life::parts_due(tx, timer, hand),
    }
}

/// Whether a timer is about an open alert of a project where alerting is off: it is kept until that is on again.
fn waits_for_alerting(tx: &dyn Tx, timer: &Timer) -> Result<bool> {
    match timer.kind {
        TimerKind::Escalate
        | TimerKind::Unmute
        | TimerKind::Snooze
        | TimerKind::Acknowledgement
        | TimerKind::Settle
        | TimerKind::Stale => {}
        TimerKind::Heartbeat
        | TimerKind::Window
        | TimerKind::Gather
        | TimerKind::Group
        | TimerKind::Parts => return Ok(false),
    }
    let alert = tx.alert(&Scope::EVERYTHING, &timer.subject.as_str().into())?;
    match alert.filter(|alert| alert.standing.state.is_open()) {
        Some(alert) => Ok(tx.setup(&alert.home.project_id)?.is_none()),
        None => Ok(false),
    }
}
