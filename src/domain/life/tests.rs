//! The life of an alert, step by step.

mod random;

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        care::Marks,
        delivery::Delivery,
        event::{Draft, Event},
        words::{EventType, Why},
    },
    id::Mint,
};
use chrono::TimeDelta;

const AMY: &str = "token:amy";
const BOB: &str = "token:bob";

fn home(project: &str) -> Home {
    Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: project.into() }
}

fn opened(event_type: EventType) -> Alert {
    let event = Event {
        event_id: "event-1".into(),
        alert_id: None,
        webhook_id: "webhook-1".into(),
        delivery_id: Id::<Delivery>::from("receipt-1"),
        item: 0,
        home: home("p"),
        draft: Draft {
            event_type,
            severity: Severity::Warning,
            title: Some("Disk full".to_owned()),
            ..Draft::new("k")
        },
        reading: None,
        why: Why::NewKey,
        created_at: from_millis(1000),
    };
    Alert::opened_by(&event, &Mint::repeatable())
}

fn triggered() -> Alert {
    opened(EventType::Alert)
}

fn by(actor: &str, at: i64) -> Doer<'_> {
    Doer { actor, now: from_millis(at) }
}

fn ack() -> Act {
    Act::Acknowledge { until: None }
}

fn down() -> Act {
    Act::Recover { reason: "recovery event-9".to_owned(), recovered_at: None }
}

fn resolve() -> Act {
    Act::Resolve { reason: None }
}

fn reopen() -> Act {
    Act::Reopen { reason: None }
}

fn done(alert: &Alert, act: Act, doer: Doer<'_>) -> Turn {
    alert.turned(act, doer).unwrap()
}

/// The alert with a worse event in it, and the act that says so.
fn worsened(alert: &Alert, severity: Severity) -> (Alert, Act) {
    let mut alert = alert.clone();
    let act = Act::Worsen { severity: alert.standing.severity, urgency: alert.standing.urgency };
    alert.standing.severity = alert.standing.severity.max(severity);
    alert.standing.urgency = alert.standing.urgency.max(severity.urgency());
    (alert, act)
}

#[test]
fn who_acknowledges_becomes_the_responder_and_another_may_take_over() {
    for from in [triggered(), opened(EventType::Error)] {
        let acked = done(&from, ack(), by(AMY, 2000));
        assert_eq!(acked.alert.standing.state, AlertState::Acknowledged);
        assert_eq!(acked.alert.responder.as_deref(), Some(AMY));
        assert_eq!(acked.alert.acknowledged_at, Some(from_millis(2000)));
        assert_eq!(acked.then, Then::Nothing);
        let again = done(&acked.alert, ack(), by(AMY, 3000));
        assert_eq!((again.alert, again.steps), (acked.alert.clone(), Vec::new()));
        let taken = done(&acked.alert, ack(), by(BOB, 3000));
        assert_eq!(taken.alert.responder.as_deref(), Some(BOB));
    }
}

#[test]
fn acknowledging_what_is_over_opens_it_and_starts_its_escalation_anew() {
    let over = done(&triggered(), resolve(), by(AMY, 2000)).alert;
    let acked = done(&over, ack(), by(BOB, 3000));
    assert_eq!(
        (acked.alert.standing.state, &acked.alert.ending),
        (AlertState::Acknowledged, &None)
    );
    assert!(matches!(acked.then, Then::StartAnew(Occasion::Reopened, _)));
}

#[test]
fn resolving_says_who_did_and_why_and_resolving_again_changes_nothing() {
    let why = Act::Resolve { reason: Some("disk replaced".to_owned()) };
    let over = done(&triggered(), why, by(AMY, 2000));
    let ending = over.alert.ending.clone().unwrap();
    assert_eq!(ending.reason, "resolved by token:amy: disk replaced");
    assert_eq!((ending.resolved_at, ending.recovered_at), (from_millis(2000), None));
    assert_eq!(over.then, Then::End(Occasion::Resolved));
    let again = done(&over.alert, resolve(), by(BOB, 3000));
    assert_eq!((again.alert, again.then), (over.alert, Then::Nothing));
}

#[test]
fn reopening_forgets_who_was_on_it_and_escalates_again() {
    let acked = done(&triggered(), ack(), by(AMY, 2000)).alert;
    let over = done(&acked, resolve(), by(AMY, 3000)).alert;
    for from in [&acked, &over] {
        let open = done(from, reopen(), by(BOB, 4000));
        let Alert { responder, acknowledged_at, ending, standing, .. } = open.alert;
        assert_eq!(standing.state, AlertState::Triggered);
        assert_eq!((responder, acknowledged_at, ending), (None, None, None));
        assert!(matches!(open.then, Then::StartAnew(Occasion::Reopened, _)));
    }
}

#[test]
fn the_state_error_is_acknowledged_and_resolved_and_nothing_else() {
    let broken = opened(EventType::Error);
    let refused = broken.turned(reopen(), by(AMY, 2000)).unwrap_err();
    assert_eq!(refused.pointer, "/state");
    assert_eq!(done(&broken, resolve(), by(AMY, 2000)).then, Then::End(Occasion::Resolved));
}

#[test]
fn an_acknowledgement_runs_out_when_it_was_asked_to_and_not_before() {
    let until = Act::Acknowledge { until: Some(from_millis(5000)) };
    let acked = done(&triggered(), until, by(AMY, 2000)).alert;
    let early = done(&acked, Act::AcknowledgementRunsOut, by("timer", 4999));
    assert!(early.steps.is_empty());
    let out = done(&acked, Act::AcknowledgementRunsOut, by("timer", 5000));
    assert_eq!(out.alert.standing.state, AlertState::Triggered);
    let reason = "the acknowledgement by token:amy ran out".to_owned();
    assert_eq!(out.then, Then::StartAnew(Occasion::Reopened, reason));
    let taken = done(&acked, ack(), by(BOB, 3000)).alert;
    assert!(done(&taken, Act::AcknowledgementRunsOut, by("timer", 5000)).steps.is_empty());
}

#[test]
fn a_worse_event_alarms_anew_whoever_had_taken_or_snoozed_it() {
    let acked = done(&triggered(), ack(), by(AMY, 2000)).alert;
    let snooze = Act::Snooze { until: from_millis(90_000), reason: None };
    let snoozed = done(&triggered(), snooze, by(AMY, 2000)).alert;
    for from in [&acked, &snoozed] {
        let (alert, act) = worsened(from, Severity::Critical);
        let turn = done(&alert, act, by("webhook:w", 3000));
        assert_eq!(turn.alert.standing.state, AlertState::Triggered);
        assert_eq!(turn.alert.care.snooze.as_ref(), None);
        let reason = "worse: WARNING, now CRITICAL".to_owned();
        assert_eq!(turn.then, Then::StartAnew(Occasion::Worsened, reason));
    }
    let (alert, act) = worsened(&acked, Severity::Warning);
    assert!(done(&alert, act, by("webhook:w", 3000)).steps.is_empty());
}

#[test]
fn what_gets_worse_within_its_urgency_is_told_where_its_escalation_is() {
    let mut high = triggered();
    high.standing.severity = Severity::Error;
    high.standing.urgency = Urgency::High;
    let (alert, act) = worsened(&high, Severity::Critical);
    assert!(matches!(done(&alert, act, by("w", 2000)).then, Then::Tell(Occasion::Worsened, _)));
}

#[test]
fn a_snooze_has_an_end_and_is_over_with_the_alert() {
    let snooze = |until: i64| Act::Snooze { until: from_millis(until), reason: None };
    let alert = triggered();
    assert_eq!(alert.turned(snooze(2000), by(AMY, 2000)).unwrap_err().pointer, "/until");
    let far = from_millis(2000) + by_hand::LONGEST + TimeDelta::milliseconds(1);
    let far = Act::Snooze { until: far, reason: None };
    assert_eq!(alert.turned(far, by(AMY, 2000)).unwrap_err().pointer, "/until");
    let snoozed = done(&alert, snooze(9000), by(AMY, 2000));
    assert!(snoozed.alert.standing.marks.has(Marks::SNOOZED));
    assert!(done(&snoozed.alert, Act::SnoozeEnds, by("timer", 8999)).steps.is_empty());
    let woken = done(&snoozed.alert, Act::SnoozeEnds, by("timer", 9000));
    assert_eq!(
        woken.then,
        Then::Tell(Occasion::Unmuted, "the snooze by token:amy ended".to_owned())
    );
    let over = done(&snoozed.alert, resolve(), by(AMY, 3000)).alert;
    assert_eq!(over.care.snooze, None);
    assert!(!over.standing.marks.has(Marks::SNOOZED));
    assert_eq!(over.turned(snooze(9000), by(AMY, 4000)).unwrap_err().pointer, "/alert_id");
}

#[test]
fn what_flaps_closes_only_once_it_stays_quiet_after_its_recovery() {
    let flaps = Act::Flap { openings: 6, within: 600 };
    let flapping = done(&triggered(), flaps, by("webhook:w", 2000)).alert;
    assert!(flapping.standing.marks.has(Marks::FLAPPING));
    let down = done(&flapping, down(), by("webhook:w", 3000)).alert;
    assert_eq!(down.standing.state, AlertState::Triggered);
    let up = done(&down, Act::Fire, by("webhook:w", 4000)).alert;
    let over = done(&down, Act::Settle(Parts::Over), by("timer", 9000));
    assert_eq!(over.alert.standing.state, AlertState::Resolved);
    assert_eq!(over.then, Then::End(Occasion::Resolved));
    let stays = done(&up, Act::Settle(Parts::Over), by("timer", 9000));
    assert_eq!(stays.alert.standing.state, AlertState::Triggered);
    assert!(!stays.alert.standing.marks.has(Marks::FLAPPING));
    assert!(matches!(stays.then, Then::StartAnew(Occasion::Reopened, _)));
}

#[test]
fn what_others_are_part_of_is_over_with_the_last_of_them() {
    let mut lead = triggered();
    lead.care.leads = true;
    let held = done(&lead, down(), by("webhook:w", 2000));
    assert_eq!(held.alert.standing.state, AlertState::Triggered);
    let over = done(&held.alert, Act::LastPartEnds, by("webhook:w", 3000));
    assert_eq!(over.alert.standing.state, AlertState::Resolved);
    assert_eq!(over.then, Then::End(Occasion::Resolved));
    let again = done(&held.alert, Act::Fire, by("webhook:w", 3000)).alert;
    let stays = done(&again, Act::LastPartEnds, by("webhook:w", 4000));
    assert_eq!(stays.alert.standing.state, AlertState::Triggered);
}

#[test]
fn what_nobody_hears_of_expires_and_does_not_claim_to_have_recovered() {
    let out = done(&triggered(), Act::Expire { stale_after: 60 }, by("timer", 90_000));
    assert!(out.alert.care.expired);
    assert_eq!(out.then, Then::End(Occasion::Expired));
    let ending = out.alert.ending.clone().unwrap();
    assert_eq!(ending.recovered_at, None);
    assert!(ending.reason.starts_with("expired:"));
    let again = done(&out.alert, reopen(), by(AMY, 99_000));
    assert!(!again.alert.care.expired);
}

#[test]
fn an_alert_is_merged_into_another_and_leaves_it_again() {
    let into = Act::Merge { into: "alert-2".into(), reason: None };
    let member = done(&triggered(), into, by(AMY, 2000)).alert;
    assert!(member.standing.marks.has(Marks::MERGED));
    let free = done(&member, Act::Unmerge { reason: None }, by(AMY, 3000));
    assert!(!free.alert.standing.marks.has(Marks::MERGED));
    assert!(matches!(free.then, Then::StartAnew(Occasion::Reopened, _)));
    let own = Act::Merge { into: member.alert_id().clone(), reason: None };
    assert_eq!(member.turned(own, by(AMY, 2000)).unwrap_err().pointer, "/into");
    let over = done(&triggered(), resolve(), by(AMY, 2000)).alert;
    let into = Act::Merge { into: "alert-2".into(), reason: None };
    assert_eq!(over.turned(into, by(AMY, 3000)).unwrap_err().pointer, "/alert_id");
}

#[test]
fn whoever_gets_an_alert_is_told_unless_they_took_it() {
    let assign = |to: &str| Act::Assign { assignee: Some(to.to_owned()) };
    let given = done(&triggered(), assign("amy"), by(BOB, 2000));
    assert!(matches!(given.then, Then::Tell(Occasion::Assigned, _)));
    assert_eq!(given.steps[0].sentence(), "assigned to amy");
    assert_eq!(done(&triggered(), assign(AMY), by(AMY, 2000)).then, Then::Nothing);
    let nobody = done(&given.alert, Act::Assign { assignee: None }, by(BOB, 3000));
    assert_eq!(nobody.steps[0].sentence(), "assigned to nobody (was amy)");
}

#[test]
fn an_alert_moves_within_its_workspace_and_starts_anew_there() {
    let turn = done(&triggered(), Act::Move { home: home("q") }, by(AMY, 2000));
    assert!(matches!(turn.then, Then::StartAnew(Occasion::Opened, _)));
    let far = Home { workspace_id: "other".into(), ..home("q") };
    let refused = triggered().turned(Act::Move { home: far }, by(AMY, 2000)).unwrap_err();
    assert_eq!(refused.pointer, "/project_id");
}

#[test]
fn a_change_that_changes_nothing_leaves_the_time_alone() {
    let edit = Edit { title: Some("Disk full".to_owned()), ..Edit::default() };
    let turn = done(&triggered(), Act::Edit(edit), by(AMY, 9000));
    assert_eq!(turn, Turn::still(triggered()));
    let raised = Edit { urgency: Some(Urgency::High), ..Edit::default() };
    let turn = done(&triggered(), Act::Edit(raised), by(AMY, 9000));
    assert!(matches!(turn.then, Then::StartAnew(Occasion::Worsened, _)));
}
