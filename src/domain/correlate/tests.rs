//! Every order of short sequences of one key.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use proptest::{prelude::*, sample::select};

use super::*;
use crate::{
    clock::{Clock, from_millis},
    domain::{
        event::{Arrival, Draft, MappingVersion, Reading},
        scope::Home,
        webhook::{Webhook, WebhookOptions},
        words::{AlertState, Severity, WebhookState},
    },
};

/// One event as it arrives.
#[derive(Clone, Debug)]
struct Step {
    event_type: EventType,
    severity: Severity,
    /// When it occurred, in minutes.
    occurred: Option<i64>,
    /// How long after the one before it arrives, in minutes.
    after: i64,
}

/// What the store would hold of one key.
struct Memory {
    policy: AlertPolicy,
    clock: Clock,
    webhook: Webhook,
    alerts: Vec<Alert>,
    /// The recoveries that matched no alert, in the order they came.
    unmatched: Vec<EarlyRecovery>,
    kept: u64,
}

impl Memory {
    fn new(mode: RecoveryMode) -> Self {
        let home = Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() };
        let webhook = Webhook {
            webhook_id: "webhook-1".into(),
            name: "prod".to_owned(),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: "any".to_owned(),
            options: WebhookOptions::default(),
            home,
            tags: BTreeMap::new(),
            created_at: from_millis(0),
        };
        Self {
            policy: AlertPolicy::new(mode),
            clock: Clock::manual(minute(0)),
            webhook,
            alerts: Vec::new(),
            unmatched: Vec::new(),
            kept: 0,
        }
    }

    fn open(&self) -> Vec<&Standing> {
        let standings = self.alerts.iter().map(|alert| &alert.standing);
        standings.filter(|standing| standing.state.is_open()).collect()
    }

    fn known(&self, event: &Event) -> Known {
        let closed = self.alerts.iter().rev().find(|alert| !alert.standing.state.is_open());
        let since = event.created_at - self.policy.recovery_hold;
        let waiting = self.unmatched.iter().filter(|early| early.created_at >= since);
        let past = Past {
            closed: closed.is_some(),
            recovered_at: closed.and_then(|alert| alert.ending.as_ref()?.recovered_at),
            early: waiting.max_by_key(|early| early.occurred_at).cloned(),
        };
        Known { open: self.open().first().map(|open| (*open).clone()), past }
    }

    /// Takes the event in, does what was decided, and tells it.
    fn take(&mut self, step: &Step) -> Decision {
        let event = self.arrived(step);
        self.settle(event)
    }

    fn arrived(&mut self, step: &Step) -> Event {
        self.clock.advance(TimeDelta::minutes(step.after));
        let now = self.clock.now();
        let draft = Draft {
            event_type: step.event_type,
            severity: step.severity,
            occurred_at: step.occurred.map(minute),
            ..Draft::new("k")
        };
        let delivery_id = "receipt-1".into();
        let arrival =
            Arrival { webhook: &self.webhook, delivery_id: &delivery_id, item: 0, reading: None };
        Event::from_draft(draft, arrival, self.clock.mint(), now)
    }

    fn settle(&mut self, event: Event) -> Decision {
        let (known, now) = (self.known(&event), self.clock.now());
        let decision = correlate(known, &event, &self.policy, (self.clock.mint(), now));
        self.remember(&decision.verdict, event);
        decision
    }

    fn remember(&mut self, verdict: &Verdict, event: Event) {
        match verdict.clone() {
            Verdict::Open(alert) => self.alerts.push(*alert),
            Verdict::OpenOver(alert, early) => {
                let waiting = self.unmatched.len();
                self.unmatched.retain(|one| one.event_id != early);
                assert_eq!(self.unmatched.len(), waiting - 1, "it used a recovery that was there");
                self.kept -= 1;
                self.alerts.push(*alert);
            }
            Verdict::Join(standing) => {
                let id = standing.alert_id.clone();
                self.of(&id).standing = standing;
            }
            Verdict::Resolve(standing, ending) => {
                let alert = self.of(&standing.alert_id);
                alert.ending = Some(ending);
                alert.standing = standing;
            }
            Verdict::Keep => {
                self.kept += 1;
                if event.draft.event_type == EventType::Recovery {
                    self.unmatched.push(EarlyRecovery {
                        event_id: event.event_id,
                        occurred_at: event.draft.occurred_at,
                        created_at: event.created_at,
                    });
                }
            }
        }
    }

    fn of(&mut self, id: &Id<Alert>) -> &mut Alert {
        self.alerts.iter_mut().find(|alert| alert.alert_id() == id).unwrap()
    }

    fn events(&self) -> u64 {
        self.kept + self.alerts.iter().map(|alert| alert.standing.event_count).sum::<u64>()
    }
}

fn minute(number: i64) -> Timestamp {
    from_millis(1_767_225_600_000 + number * 60_000)
}

fn step(
    times: impl Strategy<Value = Option<i64>>,
    gaps: std::ops::Range<i64>,
) -> impl Strategy<Value = Step> {
    let types = select(vec![EventType::Alert, EventType::Recovery]);
    (types, select(Severity::ALL.to_vec()), times, gaps).prop_map(
        |(event_type, severity, occurred, after)| Step { event_type, severity, occurred, after },
    )
}

fn any_story() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(prop::option::of(0..8_i64), 0..15), 1..9)
}

/// Events that each occurred at a time of their own, arriving in any order within the time that a recovery is held.
fn shuffled_story() -> impl Strategy<Value = Vec<Step>> {
    let story = prop::collection::vec(step(Just(None), 0..2), 1..6);
    story
        .prop_map(|mut story| {
            for (time, step) in (0..).zip(&mut story) {
                step.occurred = Some(time);
            }
            story
        })
        .prop_shuffle()
}

fn modes() -> impl Strategy<Value = RecoveryMode> {
    select(vec![RecoveryMode::Auto, RecoveryMode::Manual])
}

proptest! {
    #[test]
    fn at_most_one_alert_is_open_and_every_event_is_accounted_for(story in any_story(), mode in modes()) {
        let mut memory = Memory::new(mode);
        for (taken, step) in (1..).zip(&story) {
            memory.take(step);
            prop_assert!(memory.open().len() <= 1);
            prop_assert_eq!(memory.events(), taken);
        }
    }

    #[test]
    fn a_recovery_leaves_nothing_open_under_auto(story in any_story()) {
        let mut memory = Memory::new(RecoveryMode::Auto);
        for step in &story {
            memory.take(step);
            prop_assert!(step.event_type != EventType::Recovery || memory.open().is_empty());
        }
    }

    #[test]
    fn what_occurred_last_decides_whatever_came_first(story in shuffled_story()) {
        let mut memory = Memory::new(RecoveryMode::Auto);
        for step in &story {
            memory.take(step);
        }
        let last = story.iter().max_by_key(|step| step.occurred).unwrap();
        if last.event_type == EventType::Recovery {
            prop_assert_eq!(memory.open(), Vec::<&Standing>::new());
        }
    }

    #[test]
    fn only_a_person_resolves_under_manual(story in any_story()) {
        let mut memory = Memory::new(RecoveryMode::Manual);
        let fires = story.iter().any(|step| step.event_type == EventType::Alert);
        for step in &story {
            memory.take(step);
        }
        prop_assert_eq!(memory.alerts.len(), usize::from(fires));
        prop_assert!(memory.alerts.iter().all(|alert| alert.standing.state == AlertState::Triggered));
    }

    #[test]
    fn severity_and_urgency_never_fall_while_open(story in any_story(), mode in modes()) {
        let mut memory = Memory::new(mode);
        for step in &story {
            let before: Option<Standing> = memory.open().first().map(|open| (*open).clone());
            memory.take(step);
            let Some((before, now)) = before.and_then(|before| {
                let now = memory.alerts.iter().find(|alert| *alert.alert_id() == before.alert_id)?;
                Some((before, now.standing.clone()))
            }) else {
                continue;
            };
            prop_assert!(now.severity >= before.severity && now.urgency >= before.urgency);
            prop_assert!(now.urgency >= now.severity.urgency());
            prop_assert_eq!(now.event_count, before.event_count + 1);
        }
    }

    #[test]
    fn a_recovery_says_nothing_of_how_bad_it_was(story in any_story()) {
        let mut memory = Memory::new(RecoveryMode::Manual);
        for step in &story {
            memory.take(step);
        }
        let firings = story.iter().filter(|step| step.event_type == EventType::Alert);
        let worst = firings.map(|step| step.severity).max();
        prop_assert_eq!(memory.alerts.first().map(|alert| alert.standing.severity), worst);
    }
}

fn fires(occurred: impl Into<Option<i64>>, after: i64) -> Step {
    let occurred = occurred.into();
    Step { event_type: EventType::Alert, severity: Severity::Error, occurred, after }
}

fn recovers(occurred: impl Into<Option<i64>>, after: i64) -> Step {
    Step { event_type: EventType::Recovery, ..fires(occurred, after) }
}

fn told(mode: RecoveryMode, story: &[Step]) -> (Vec<Why>, Vec<AlertState>) {
    let mut memory = Memory::new(mode);
    let why = story.iter().map(|step| memory.take(step).why).collect();
    (why, memory.alerts.iter().map(|alert| alert.standing.state).collect())
}

#[test]
fn each_story_ends_as_it_must() {
    use AlertState::{Resolved, Triggered};
    let auto = RecoveryMode::Auto;
    for (story, why, states) in [
        (vec![fires(0, 0), fires(0, 90)], vec![Why::NewKey, Why::SameKey], vec![Triggered]),
        (vec![fires(0, 0), recovers(11, 11)], vec![Why::NewKey, Why::Recovers], vec![Resolved]),
        (
            vec![fires(0, 0), recovers(5, 5), fires(6, 1)],
            vec![Why::NewKey, Why::Recovers, Why::OpensAgain],
            vec![Resolved, Triggered],
        ),
        (
            vec![fires(0, 0), recovers(5, 5), fires(4, 1)],
            vec![Why::NewKey, Why::Recovers, Why::Late],
            vec![Resolved],
        ),
        (
            vec![fires(0, 0), recovers(5, 5), fires(5, 1)],
            vec![Why::NewKey, Why::Recovers, Why::OpensAgain],
            vec![Resolved, Triggered],
        ),
        (
            vec![fires(0, 0), recovers(5, 5), fires(None, 1)],
            vec![Why::NewKey, Why::Recovers, Why::OpensAgain],
            vec![Resolved, Triggered],
        ),
        (
            vec![recovers(5, 0), fires(0, 10)],
            vec![Why::NothingToRecover, Why::AlreadyRecovered],
            vec![Resolved],
        ),
        (
            vec![recovers(5, 0), fires(0, 11)],
            vec![Why::NothingToRecover, Why::NewKey],
            vec![Triggered],
        ),
        (
            vec![recovers(5, 0), fires(6, 1)],
            vec![Why::NothingToRecover, Why::NewKey],
            vec![Triggered],
        ),
    ] {
        assert_eq!(told(auto, &story), (why, states), "{story:?}");
    }
}

#[test]
fn a_recovery_only_joins_where_people_resolve() {
    let story = [fires(0, 0), recovers(5, 5)];
    let (why, states) = told(RecoveryMode::Manual, &story);
    assert_eq!(why, [Why::NewKey, Why::ManualRecovery]);
    assert_eq!(states, [AlertState::Triggered]);
}

#[test]
fn after_a_resolve_by_hand_a_repeat_opens_again() {
    let mut memory = Memory::new(RecoveryMode::Auto);
    memory.take(&fires(0, 0));
    let now = memory.clock.now();
    let ending = Ending { resolved_at: now, recovered_at: None, reason: "by hand".to_owned() };
    let alert = memory.alerts.pop().unwrap().ended(ending, now);
    memory.alerts.push(alert);
    assert_eq!(memory.take(&fires(0, 1)).why, Why::OpensAgain);
    assert_eq!(memory.open().len(), 1);
}

#[test]
fn a_sender_that_says_error_is_not_one_that_was_not_understood() {
    let mut memory = Memory::new(RecoveryMode::Auto);
    let reading = Some(Reading {
        mapping: Arc::new(MappingVersion { provider: "any".into(), version: "1".into() }),
        variant: "only".into(),
    });
    let said = Step { event_type: EventType::Error, ..fires(0, 0) };
    for (reading, why) in
        [(reading.clone(), Why::NewKey), (reading, Why::SameKey), (None, Why::Unreadable)]
    {
        let mut event = memory.arrived(&said);
        event.reading = reading;
        assert_eq!(memory.settle(event).why, why);
    }
    assert_eq!(memory.alerts[0].standing.state, AlertState::Error);
}
