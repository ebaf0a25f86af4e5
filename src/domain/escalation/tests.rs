//! The timing of policies, to the millisecond.

use proptest::prelude::*;

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        alert::Standing,
        care::{Care, Marks},
        scope::Home,
        words::{Severity, Urgency},
    },
};

fn place() -> Place {
    Place::Workspace("d".into(), "w".into())
}

/// A policy whose steps wait so many minutes, at level LV1.
fn policy(minutes: &[u32], repeat_count: u32) -> EscalationPolicy {
    let rule = |minutes: &u32| EscalationRule {
        notification_level: NotificationLevel::Lv1,
        escalate_minutes: *minutes,
        targets: Vec::new(),
    };
    EscalationPolicy {
        rules: minutes.iter().map(rule).collect(),
        repeat_count,
        ..EscalationPolicy::default_of(place(), from_millis(0))
    }
}

/// An alert at the beginning of a policy, told at zero.
fn told(policy: &EscalationPolicy) -> Alert {
    Alert {
        standing: Standing {
            alert_id: "alert-1".into(),
            state: AlertState::Triggered,
            severity: Severity::Error,
            urgency: Urgency::High,
            event_count: 1,
            last_event_at: from_millis(0),
            updated_at: from_millis(0),
            marks: Marks::default(),
        },
        alert_number: 1,
        event_key: "k".to_owned(),
        title: None,
        description: None,
        rule: None,
        image_url: None,
        resources: Vec::new(),
        provider: None,
        account: None,
        additional_info: BTreeMap::new(),
        assignee: None,
        responder: None,
        triggered_by: "webhook-1".to_owned(),
        webhook_id: None,
        home: Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() },
        created_at: from_millis(0),
        acknowledged_at: None,
        ending: None,
        care: Care {
            escalation: Escalation { escalated_at: Some(from_millis(0)), ..policy.beginning() },
            ..Care::default()
        },
    }
}

/// The time so many seconds and milliseconds after the first announcement.
fn at(seconds: i64, millis: i64) -> Timestamp {
    from_millis(seconds * 1000 + millis)
}

/// Everything that an alert's policy does by itself, looked at by a timer that is late by `late` milliseconds: when,
/// and the step and passes that are left then.
fn run(policy: &EscalationPolicy, late: i64) -> Vec<(i64, u32, u32)> {
    let mut alert = told(policy);
    let mut seen = Vec::new();
    while let Some(due_at) = policy.due_at(&alert.care.escalation) {
        let now = due_at + TimeDelta::milliseconds(late);
        match next_step(&alert, policy, now) {
            (Next::Announce(next), _) => {
                seen.push((now.timestamp_millis(), next.step, next.ttl));
                alert.care.escalation = next;
            }
            (Next::End, why) => {
                assert_eq!(why, Why::Exhausted);
                seen.push((now.timestamp_millis(), alert.care.escalation.step, 0));
                break;
            }
            (Next::Wait(_), why) => panic!("it was due: {why:?}"),
        }
    }
    seen
}

const MINUTE: i64 = 60_000;

#[test]
fn each_step_waits_its_minutes_and_passes_count_down() {
    let policy = policy(&[10, 5], 1);
    let expected =
        [(10 * MINUTE, 2, 2), (15 * MINUTE, 1, 1), (25 * MINUTE, 2, 1), (30 * MINUTE, 2, 0)];
    assert_eq!(run(&policy, 0), expected);
}

#[test]
fn timers_that_are_a_little_late_do_not_add_up() {
    let policy = policy(&[1], 100);
    let times: Vec<i64> = run(&policy, 900).iter().map(|(at, ..)| *at).collect();
    assert_eq!(times.len(), 101);
    assert_eq!(times[100], 101 * MINUTE + 900);
}

#[test]
fn after_a_long_stop_people_have_their_whole_time_again() {
    let policy = policy(&[10, 5], 0);
    let mut alert = told(&policy);
    // The server was down from the fifth minute to the end of the third hour.
    let (next, why) = next_step(&alert, &policy, at(3 * 3600, 0));
    let Next::Announce(next) = next else { panic!("{next:?}") };
    assert_eq!((next.step, why), (2, Why::Unanswered(10)));
    assert_eq!(policy.due_at(&next), Some(at(3 * 3600 + 300, 0)));
    alert.care.escalation = next;
    let (wait, why) = next_step(&alert, &policy, at(3 * 3600 + 1, 0));
    assert_eq!((wait, why), (Next::Wait(at(3 * 3600 + 300, 0)), Why::NotDue));
}

#[test]
fn nothing_is_due_a_millisecond_before_its_time() {
    let policy = policy(&[10, 5], 0);
    let alert = told(&policy);
    assert_eq!(next_step(&alert, &policy, at(599, 999)).1, Why::NotDue);
    assert_eq!(next_step(&alert, &policy, at(600, 0)).1, Why::Unanswered(10));
}

#[test]
fn the_default_policy_tells_once_and_needs_no_timer() {
    let policy = EscalationPolicy::default_of(place(), from_millis(0));
    let alert = told(&policy);
    assert_eq!(policy.due_at(&alert.care.escalation), None);
    assert_eq!(alert.care.escalation.ttl, 1);
    assert_eq!(next_step(&alert, &policy, at(60, 0)), (Next::End, Why::Exhausted));
}

#[test]
fn a_policy_that_waits_for_nothing_begins_anew_after_a_minute() {
    assert_eq!(run(&policy(&[0], 2), 0), [(MINUTE, 1, 2), (2 * MINUTE, 1, 1)]);
    assert_eq!(run(&policy(&[0, 0], 1), 0), [(0, 2, 2), (MINUTE, 1, 1), (MINUTE, 2, 1)]);
}

#[test]
fn who_acknowledges_ends_a_policy_unless_only_its_end_does() {
    let policy = policy(&[10, 5], 1);
    let mut alert = told(&policy);
    alert.standing.state = AlertState::Acknowledged;
    let now = at(601, 0);
    assert_eq!(next_step(&alert, &policy, now), (Next::End, Why::Over(Stop::Acknowledged)));
    let stubborn =
        EscalationPolicy { finish_condition: FinishCondition::Resolved, ..policy.clone() };
    assert_eq!(next_step(&alert, &stubborn, now).1, Why::Unanswered(10));
    alert.standing.state = AlertState::Resolved;
    assert_eq!(next_step(&alert, &stubborn, now).1, Why::Over(Stop::Resolved));
}

#[test]
fn no_notification_is_final() {
    let policy = policy(&[1], 5);
    let mut alert = told(&policy);
    alert.care.escalation.no_notification = true;
    alert.care.escalation.escalated_at = None;
    let (next, why) = next_step(&alert, &policy, at(601, 0));
    assert_eq!((next, why), (Next::End, Why::Over(Stop::NoNotification)));
}

#[test]
fn a_policy_that_lost_steps_goes_on_from_its_last_one() {
    let long = policy(&[1, 1, 1, 1], 0);
    let mut alert = told(&long);
    alert.care.escalation.step = 4;
    let short = policy(&[5, 5], 1);
    assert_eq!(short.rule(4), short.rules.last());
    assert_eq!(short.due_at(&alert.care.escalation), Some(at(300, 0)));
    assert_eq!(next_step(&alert, &short, at(300, 0)), (Next::End, Why::Exhausted));
}

#[test]
fn the_policy_is_the_alerts_else_the_projects_else_the_default() {
    let named = |id: &str| {
        let policy = EscalationPolicy {
            escalation_policy_id: id.into(),
            is_default: id == "ep-d",
            ..policy(&[0], 0)
        };
        (policy.escalation_policy_id.clone(), Arc::new(policy))
    };
    let policies = BTreeMap::from([named("ep-a"), named("ep-c"), named("ep-d")]);
    let chosen = Escalations { chosen: Some("ep-c".into()), policies: policies.clone() };
    let unchosen = Escalations { chosen: None, policies };
    let of = |from: &Escalations, given: Option<&str>| {
        let given = given.map(Id::from);
        from.policy(given.as_ref()).unwrap().0.escalation_policy_id.to_string()
    };
    assert_eq!(of(&chosen, Some("ep-a")), "ep-a");
    assert_eq!(of(&chosen, Some("ep-gone")), "ep-c");
    assert_eq!(of(&chosen, None), "ep-c");
    assert_eq!(of(&unchosen, None), "ep-d");
}

proptest! {
    #[test]
    fn every_policy_ends_and_tells_each_step_of_each_pass_once(
        minutes in proptest::collection::vec(0_u32..60, 1..6),
        repeat_count in 0_u32..5,
        late in 0_i64..1000,
    ) {
        let policy = policy(&minutes, repeat_count);
        let seen = run(&policy, late);
        let told = 1 + seen.iter().filter(|(.., ttl)| *ttl > 0).count();
        prop_assert_eq!(told, minutes.len() * (repeat_count as usize + 1));
        prop_assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        let pass: i64 = minutes.iter().map(|it| i64::from(*it) * MINUTE).sum();
        let expected = if pass == 0 { MINUTE * i64::from(repeat_count) } else {
            pass * i64::from(repeat_count + 1)
        };
        if let Some((end, _, 0)) = seen.last() {
            prop_assert_eq!(*end, expected + late);
        }
    }
}
