//! Tests of grouping.

use serde_json::json;

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        event::Draft,
        words::{EventType, RecoveryMode, Why},
    },
};

fn home() -> Home {
    Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() }
}

fn rule(threshold: u32) -> GroupRule {
    let condition = json!({"key": "severity", "value": "NONE", "operator": "eq"});
    GroupRule {
        group_rule_id: "gr-1".into(),
        name: "clusters".to_owned(),
        order: 1,
        conditions: vec![RuleCondition::parse(&condition, "", from_millis(0)).unwrap()],
        fields: vec![GroupField::parse("additional_info.cluster").unwrap()],
        window: TimeDelta::minutes(5),
        threshold,
        home: home(),
        tags: BTreeMap::new(),
        created_at: from_millis(0),
    }
}

/// An event of a key and a cluster, so many minutes after the beginning.
fn event(key: &str, cluster: Option<&str>, minute: i64) -> Event {
    let info = cluster.map(|cluster| ("cluster".to_owned(), json!(cluster)));
    Event {
        event_id: "event-1".into(),
        alert_id: None,
        webhook_id: "webhook-1".into(),
        delivery_id: "delivery-1".into(),
        item: 0,
        home: home(),
        draft: Draft { additional_info: info.into_iter().collect(), ..Draft::new(key) },
        reading: None,
        why: Why::NewKey,
        created_at: from_millis(minute * 60_000),
    }
}

fn recovery(key: &str, minute: i64) -> Event {
    let mut event = event(key, None, minute);
    event.draft.event_type = EventType::Recovery;
    event
}

fn replay(rule: &GroupRule, events: &[Event]) -> Replay {
    let seen: Vec<Seen> = events.iter().map(|event| Seen::of(event, rule)).collect();
    Replay::of(rule, &seen, RecoveryMode::Auto)
}

#[test]
fn events_that_share_the_values_are_of_one_group_and_others_are_told_why_not() {
    let rule = rule(1);
    let group = rule.group_of(&event("a", Some("eu1"), 0)).unwrap();
    assert_eq!(group.values, "additional_info.cluster eu1");
    assert_eq!(group.subject, rule.group_of(&event("b", Some("eu1"), 9)).unwrap().subject);
    assert_ne!(group.subject, rule.group_of(&event("a", Some("eu2"), 0)).unwrap().subject);
    let why = rule.group_of(&event("a", None, 0)).unwrap_err();
    assert_eq!(why, "additional_info.cluster: it is not there");
    let mut severe = event("a", Some("eu1"), 0);
    severe.draft.severity = crate::domain::words::Severity::Critical;
    assert!(rule.group_of(&severe).unwrap_err().starts_with("severity eq \"NONE\""));
}

#[test]
fn an_alert_becomes_a_part_of_the_lead_within_the_window_of_the_newest_member() {
    let rule = rule(1);
    let at = |minute: i64| from_millis(minute * 60_000);
    let known = |last| Known { lead: Some(("alert-1".into(), at(last))), waiting: 0 };
    assert_eq!(rule.decide(known(0), at(5)), Verdict::Member("alert-1".into()));
    assert_eq!(rule.decide(known(0), at(6)), Verdict::Lead(1));
    assert_eq!(rule.decide(known(4), at(9)), Verdict::Member("alert-1".into()));
    assert_eq!(rule.decide(Known::default(), at(0)), Verdict::Lead(1));
}

#[test]
fn an_alert_opens_with_the_event_that_reaches_the_threshold() {
    let rule = rule(3);
    let waiting = |waiting| rule.decide(Known { lead: None, waiting }, from_millis(0));
    assert_eq!(waiting(0), Verdict::Below(1));
    assert_eq!(waiting(1), Verdict::Below(2));
    assert_eq!(waiting(2), Verdict::Lead(3));
    assert_eq!(waiting(u32::MAX), Verdict::Lead(u32::MAX));
}

#[test]
fn a_replay_counts_what_would_have_opened_joined_and_waited() {
    let cluster = |key: &str, minute| event(key, Some("eu1"), minute);
    let events = [
        cluster("a", 0),
        cluster("b", 1),
        cluster("c", 2),
        event("x", None, 2),
        cluster("d", 6),
        cluster("e", 20),
    ];
    let made = replay(&rule(1), &events);
    assert_eq!((made.opened_without, made.opened_with), (6, 3));
    let group = made.groups.values().next().unwrap();
    assert_eq!((group.leads, group.members, group.below), (2, 3, 0));
    // Three within five minutes: a and b wait for c, d is part of it, and e is alone.
    let made = replay(&rule(3), &events);
    assert_eq!((made.opened_without, made.opened_with), (6, 2));
    let group = made.groups.values().next().unwrap();
    assert_eq!((group.leads, group.members, group.below), (1, 1, 1));
}

#[test]
fn a_lead_that_recovered_leads_no_more() {
    let cluster = |key: &str, minute| event(key, Some("eu1"), minute);
    let made = replay(&rule(1), &[cluster("a", 0), recovery("a", 1), cluster("b", 2)]);
    let group = made.groups.values().next().unwrap();
    assert_eq!((group.leads, group.members), (2, 0));
    // Unless a part of it has not recovered, which holds it open.
    let events = [cluster("a", 0), cluster("b", 1), recovery("a", 2), cluster("c", 3)];
    let made = replay(&rule(1), &events);
    let group = made.groups.values().next().unwrap();
    assert_eq!((group.leads, group.members), (1, 2));
    // Repeats of a key reach a threshold too, unless they are too far apart.
    let made =
        replay(&rule(3), &[cluster("a", 0), cluster("a", 1), cluster("a", 2), cluster("a", 3)]);
    assert_eq!((made.opened_without, made.opened_with), (1, 1));
    let made = replay(&rule(3), &[cluster("a", 0), cluster("a", 6), cluster("a", 12)]);
    assert_eq!(made.opened_with, 0);
}

#[test]
fn fields_that_nothing_shares_are_refused() {
    assert!(GroupField::parse("additional_info.cluster").is_ok());
    assert_eq!(GroupField::parse("resource").unwrap().as_str(), "resources");
    assert!(GroupField::parse("titel").unwrap_err().contains("did you mean `title`?"));
    for written in
        ["created_at", "occurred_at", "additional_info", "additional_info.", "", "alert_id"]
    {
        assert!(GroupField::parse(written).is_err(), "{written}");
    }
}
