//! The cases of Cloudforet monitoring v1, and where we mean to differ (`docs/cloudforet.md` says why).

use std::sync::Arc;

use alertmill::{ingest::Books, lab::simulate::Scenario};
use serde_json::{Value, json};

use crate::harness::{Hook, House};

/// A difference that we mean: the scenario, or `*` for all; the place in it; what stands there with us.
type Deviation = (&'static str, &'static str, &'static str);

/// Each of them is a row of `docs/cloudforet.md`.
const DEVIATIONS: &[Deviation] = &[
    // The first message is written in the commit that opens the alert, so the alert is escalated from the beginning.
    ("*", "/alerts/*/escalated", "true"),
    // Who acknowledges ends the escalation at once, not with the next run of a scheduler.
    ("recovery_acknowledged_alert", "/alerts/0/escalation_ttl", "0"),
    ("dup_on_acknowledged", "/alerts/0/escalation_ttl", "0"),
    // Severity and urgency rise with the worst event.
    ("dedup_updates_description_only", "/alerts/0/severity", "\"CRITICAL\""),
    ("dedup_updates_description_only", "/alerts/0/urgency", "\"HIGH\""),
    // An event without a description leaves that of the alert alone.
    ("dedup_window_slides", "/alerts/0/description", "null"),
    ("recovery_auto_then_refire", "/alerts/0/description", "null"),
    ("recovery_acknowledged_alert", "/alerts/0/description", "null"),
    ("resolved_notifies_each_reached_step", "/alerts/0/description", "null"),
];

/// How the events of a delivery are wrapped.
#[derive(Clone, Copy, Debug)]
enum Wrapping {
    List,
    Events,
    Results,
}

impl Wrapping {
    fn around(self, events: &Value) -> Value {
        match self {
            Self::List => events.clone(),
            Self::Events => json!({ "events": events }),
            Self::Results => json!({ "results": events }),
        }
    }
}

/// The recorded scenarios, with what we mean to differ in.
fn scenarios() -> Vec<Value> {
    let text = include_str!("../data/ingest_vectors.json");
    let mut vectors: Value = serde_json::from_str(text).unwrap();
    let Value::Array(mut scenarios) = vectors["scenarios"].take() else { panic!("no scenarios") };
    for deviation in DEVIATIONS {
        let mut used = false;
        for scenario in &mut scenarios {
            used |= deviate(scenario, deviation);
        }
        assert!(used, "{deviation:?} is no deviation any more");
    }
    scenarios
}

/// Writes a deviation into a scenario; whether that changed anything.
fn deviate(scenario: &mut Value, (name, pointer, value): &Deviation) -> bool {
    if *name != "*" && scenario["name"] != *name {
        return false;
    }
    let value: Value = serde_json::from_str(value).unwrap();
    let many = scenario["alerts"].as_array().unwrap().len();
    let pointers = if pointer.contains("/*/") {
        (0..many).map(|at| pointer.replace("/*/", &format!("/{at}/"))).collect()
    } else {
        vec![(*pointer).to_owned()]
    };
    let mut changed = false;
    for pointer in pointers {
        let place = scenario.pointer_mut(&pointer).expect("a deviation names a place");
        changed |= *place != value;
        *place = value.clone();
    }
    changed
}

async fn take(house: &House, hook: &Hook, step: &Value, wrapping: Wrapping) {
    if let Some(events) = step.get("post") {
        house.understood(hook, &wrapping.around(events)).await;
    } else if let Some(seconds) = step["advance_seconds"].as_i64() {
        house.later(chrono::TimeDelta::seconds(seconds));
    } else {
        let alerts = house.alerts(json!({ "alert_number": step["set_alert"] })).await;
        let mut request = step["fields"].clone();
        request["alert_id"] = alerts[0]["alert_id"].clone();
        house.done("/monitoring/v1/alert/update", request).await;
    }
}

/// The fields of `row` that `like` has.
fn part_of(row: &Value, like: &[&str]) -> Value {
    like.iter().map(|field| ((*field).to_owned(), row[*field].clone())).collect()
}

const ALERT: &[&str] = &[
    "alert_number",
    "title",
    "description",
    "state",
    "urgency",
    "severity",
    "assignee",
    "resources",
];

const EVENT: &[&str] = &[
    "event_key",
    "event_type",
    "title",
    "severity",
    "resources",
    "provider",
    "account",
    "additional_info",
];

/// The fields of each of `rows` that `like` has.
fn parts_of(rows: &Value, like: &[&str]) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| part_of(row, like)).collect()
}

/// A scenario over HTTP, with its events wrapped in one of three ways.
async fn run(scenario: &Value, wrapping: Wrapping) {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let options = json!({ "recovery_mode": scenario["config"]["recovery_mode"] });
    let config = json!({ "project_id": "default", "options": options });
    house.done("/monitoring/v1/project-alert-config/update", config).await;
    for step in scenario["steps"].as_array().unwrap() {
        take(&house, &hook, step, wrapping).await;
    }
    let alerts = house.alerts(json!({})).await;
    assert!(alerts.iter().all(|alert| alert["triggered_by"] == hook.webhook_id.as_str()));
    let name = &scenario["name"];
    let came = parts_of(&Value::Array(alerts), ALERT);
    assert_eq!(came, parts_of(&scenario["alerts"], ALERT), "{name} as {wrapping:?}");
    let events = Value::Array(house.events(json!({})).await);
    let came = parts_of(&events, EVENT);
    assert_eq!(came, parts_of(&scenario["events"], EVENT), "{name} as {wrapping:?}");
    let webhook =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": hook.webhook_id })).await;
    assert_eq!(webhook["requests"], scenario["requests"], "{name} as {wrapping:?}");
}

/// Whether a scenario is about the door and the grouping of events alone.
fn is_about_grouping(scenario: &Value) -> bool {
    let steps = scenario["steps"].as_array().unwrap();
    scenario["event_rules"] == json!([]) && steps.iter().all(|step| step.get("worker").is_none())
}

#[actix_web::test]
async fn the_cases_of_the_original_end_as_there_but_for_what_we_mean_to_differ_in() {
    let scenarios = json!({ "scenarios": scenarios() });
    let text = serde_json::to_string_pretty(&scenarios).unwrap();
    let scenarios = Scenario::read("ingest_vectors.json", &text).unwrap();
    assert_eq!(scenarios.len(), 26);
    let books = Arc::new(Books::load(None, None).unwrap());
    let mut told = Vec::new();
    for scenario in &scenarios {
        let outcome = scenario.run(&books).await.unwrap();
        for failure in outcome.failures {
            told.push(format!(
                "{}: {}",
                scenario.name.as_deref().unwrap_or_default(),
                failure.told
            ));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[actix_web::test]
async fn and_so_they_do_over_http() {
    let scenarios = scenarios();
    let cases: Vec<&Value> = scenarios.iter().filter(|it| is_about_grouping(it)).collect();
    assert_eq!(cases.len(), 16);
    for scenario in cases {
        run(scenario, Wrapping::List).await;
    }
}

#[actix_web::test]
async fn however_the_events_are_wrapped() {
    let wrapped = ["dedup_updates_description_only", "batch_same_key", "resource_without_name"];
    let scenarios = scenarios();
    for name in wrapped {
        let scenario = scenarios.iter().find(|scenario| scenario["name"] == name).unwrap();
        run(scenario, Wrapping::Events).await;
        run(scenario, Wrapping::Results).await;
    }
}

#[actix_web::test]
async fn an_offset_is_stored_as_the_instant_it_means() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let event = json!({ "event_key": "k", "occurred_at": "2024-05-15T12:00:00+09:00" });
    house.understood(&hook, &event).await;
    let events = house.events(json!({})).await;
    assert_eq!(events[0]["occurred_at"], "2024-05-15T03:00:00.000Z");
}
