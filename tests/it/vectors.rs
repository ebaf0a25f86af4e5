//! The cases of Cloudforet monitoring v1, and where we mean to differ (`docs/cloudforet.md` says why).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

/// Scenario, place in it, and what stands there with us.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    // Severity and urgency rise with the worst event.
    ("dedup_updates_description_only", "/alerts/0/severity", "\"CRITICAL\""),
    ("dedup_updates_description_only", "/alerts/0/urgency", "\"HIGH\""),
    // An event without a description leaves that of the alert alone.
    ("dedup_window_slides", "/alerts/0/description", "null"),
    ("recovery_auto_then_refire", "/alerts/0/description", "null"),
    ("recovery_acknowledged_alert", "/alerts/0/description", "null"),
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

fn scenarios() -> Vec<Value> {
    let text = include_str!("../data/ingest_vectors.json");
    let mut vectors: Value = serde_json::from_str(text).unwrap();
    let Value::Array(scenarios) = vectors["scenarios"].take() else { panic!("no scenarios") };
    scenarios
}

/// What must come of a scenario with us.
fn expected(scenario: &Value) -> Value {
    let mut expected = json!({
        "alerts": scenario["alerts"],
        "events": scenario["events"],
        "requests": scenario["requests"],
    });
    for (name, pointer, value) in DEVIATIONS {
        if scenario["name"] == *name {
            let place = expected.pointer_mut(pointer).expect("a deviation names a place");
            let value: Value = serde_json::from_str(value).unwrap();
            assert_ne!(*place, value, "{name} {pointer} is no deviation any more");
            *place = value;
        }
    }
    expected
}

async fn take(house: &House, hook: &Hook, step: &Value, wrapping: Wrapping) {
    if let Some(events) = step.get("post") {
        house.understood(hook, &wrapping.around(events)).await;
    } else if let Some(seconds) = step["advance_seconds"].as_i64() {
        house.later(TimeDelta::seconds(seconds));
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

async fn what_came(house: &House, hook: &Hook) -> Value {
    let alerts = house.alerts(json!({})).await;
    let number_of = |alert_id: &Value| {
        let alert = alerts.iter().find(|alert| alert["alert_id"] == *alert_id);
        alert.map_or(Value::Null, |alert| alert["alert_number"].clone())
    };
    let fields = [
        "event_key",
        "event_type",
        "title",
        "severity",
        "resources",
        "provider",
        "account",
        "additional_info",
    ];
    let events = house.events(json!({})).await;
    let events: Vec<Value> = events
        .iter()
        .map(|event| {
            let mut part = part_of(event, &fields);
            part["alert_number"] = number_of(&event["alert_id"]);
            part
        })
        .collect();
    let fields = [
        "alert_number",
        "title",
        "description",
        "state",
        "urgency",
        "severity",
        "assignee",
        "resources",
    ];
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|alert| {
            assert_eq!(alert["triggered_by"], hook.webhook_id.as_str());
            let mut part = part_of(alert, &fields);
            part["triggered_by"] = json!("webhook_id");
            part["resolved"] = json!(!alert["resolved_at"].is_null());
            part
        })
        .collect();
    let webhook =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": hook.webhook_id })).await;
    json!({ "alerts": alerts, "events": events, "requests": webhook["requests"] })
}

async fn run(scenario: &Value, wrapping: Wrapping) {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let options = json!({ "recovery_mode": scenario["recovery_mode"] });
    let config = json!({ "project_id": "default", "options": options });
    house.done("/monitoring/v1/project-alert-config/update", config).await;
    for step in scenario["steps"].as_array().unwrap() {
        take(&house, &hook, step, wrapping).await;
    }
    let came = what_came(&house, &hook).await;
    let expected = expected(scenario);
    assert_eq!(came, expected, "{} as {wrapping:?}: {came:#}\nnot {expected:#}", scenario["name"]);
}

#[actix_web::test]
async fn the_cases_of_the_original_end_as_there_but_for_what_we_mean_to_differ_in() {
    let scenarios = scenarios();
    assert_eq!(scenarios.len(), 16);
    for scenario in &scenarios {
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
