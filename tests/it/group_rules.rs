//! Group rules over HTTP: alerts that become parts of one, and events that wait until there are enough.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

async fn house(threshold: u32) -> (House, Hook, Value) {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let made = house
        .done(
            "/api/v1/group-rule/create",
            json!({
                "project_id": "default", "name": "clusters", "fields": ["additional_info.cluster"],
                "window": 300, "threshold": threshold,
            }),
        )
        .await;
    (house, hook, made)
}

async fn fire(house: &House, hook: &Hook, (key, cluster): (&str, &str)) -> Value {
    let event = json!({"event_key": key, "title": key, "additional_info": {"cluster": cluster}});
    house.understood(hook, &event).await["items"][0].clone()
}

async fn alert(house: &House, item: &Value) -> Value {
    house.done("/monitoring/v1/alert/get", json!({ "alert_id": item["alert_id"] })).await
}

#[actix_web::test]
async fn alerts_of_one_cluster_are_parts_of_the_first() {
    let (house, hook, made) = house(1).await;
    let lead = fire(&house, &hook, ("a", "eu1")).await;
    house.later(TimeDelta::minutes(4));
    let part = fire(&house, &hook, ("b", "eu1")).await;
    let elsewhere = fire(&house, &hook, ("c", "us1")).await;
    // Within the window of the newest part, not of the lead.
    house.later(TimeDelta::minutes(4));
    let late_part = fire(&house, &hook, ("d", "eu1")).await;
    house.later(TimeDelta::minutes(6));
    let alone = fire(&house, &hook, ("e", "eu1")).await;
    for (item, merged) in
        [(&lead, false), (&part, true), (&elsewhere, false), (&late_part, true), (&alone, false)]
    {
        let expected = if merged { lead["alert_id"].clone() } else { Value::Null };
        assert_eq!(alert(&house, item).await["merged_into"], expected, "{item}");
        assert_eq!(item["what"], "opened");
    }
    let one = json!({ "group_rule_id": made["group_rule_id"] });
    assert_eq!(house.done("/api/v1/group-rule/get", one).await["hit_count"], 5);
}

#[actix_web::test]
async fn an_alert_opens_with_the_event_that_reaches_the_threshold_and_takes_in_those_before() {
    let (house, hook, _) = house(3).await;
    let first = fire(&house, &hook, ("a", "eu1")).await;
    assert_eq!((&first["what"], &first["alert_id"]), (&json!("kept"), &Value::Null));
    house.later(TimeDelta::minutes(4));
    let second = fire(&house, &hook, ("b", "eu1")).await;
    assert_eq!(second["what"], "kept");
    // The first is too old by now.
    house.later(TimeDelta::minutes(2));
    let third = fire(&house, &hook, ("c", "eu1")).await;
    assert_eq!(third["what"], "kept");
    let fourth = fire(&house, &hook, ("d", "eu1")).await;
    assert_eq!(fourth["what"], "opened");
    let alert = alert(&house, &fourth).await;
    assert_eq!(alert["event_count"], 3);
    let events = house.events(json!({ "alert_id": fourth["alert_id"] })).await;
    let keys: Vec<&str> = events.iter().map(|event| event["event_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["b", "c", "d"]);
    assert_eq!(events[0]["why"], "below_threshold");
    let left = json!({ "event_id": first["event_id"] });
    assert_eq!(house.done("/monitoring/v1/event/get", left).await["alert_id"], Value::Null);
}

#[actix_web::test]
async fn what_lacks_the_field_is_not_grouped() {
    let (house, hook, _) = house(3).await;
    let event = json!({"event_key": "k", "title": "t"});
    let item = &house.understood(&hook, &event).await["items"][0];
    assert_eq!(item["what"], "opened");
}

#[actix_web::test]
async fn what_waited_is_forgotten_after_the_window_and_survives_a_restart_within_it() {
    let (mut house, hook, _) = house(2).await;
    fire(&house, &hook, ("a", "eu1")).await;
    house.reopen().await;
    assert_eq!(fire(&house, &hook, ("b", "eu1")).await["what"], "opened");
    fire(&house, &hook, ("c", "us1")).await;
    house.later(TimeDelta::minutes(6));
    house.second().await;
    assert_eq!(fire(&house, &hook, ("d", "us1")).await["what"], "kept");
}

#[actix_web::test]
async fn a_deleted_rule_lets_each_open_its_own() {
    let (house, hook, made) = house(2).await;
    fire(&house, &hook, ("a", "eu1")).await;
    let one = json!({ "group_rule_id": made["group_rule_id"] });
    house.done("/api/v1/group-rule/delete", one).await;
    assert_eq!(fire(&house, &hook, ("b", "eu1")).await["what"], "opened");
    house.later(TimeDelta::minutes(6));
    house.second().await;
}

#[actix_web::test]
async fn a_dry_run_tells_how_many_alerts_there_would_have_been() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for key in ["a", "b", "c"] {
        fire(&house, &hook, (key, "eu1")).await;
    }
    fire(&house, &hook, ("d", "us1")).await;
    let rule =
        json!({ "project_id": "default", "fields": ["additional_info.cluster"], "window": 300 });
    let told = house.done("/api/v1/group-rule/dry-run", json!({ "group_rule": rule })).await;
    assert_eq!((&told["alerts_without"], &told["alerts_with"]), (&json!(4), &json!(2)));
    assert_eq!(told["examples"][0]["values"], "additional_info.cluster eu1");
    assert_eq!(told["examples"][0]["members"], 2);
    let mut rule = rule;
    rule["threshold"] = json!(3);
    let told = house.done("/api/v1/group-rule/dry-run", json!({ "group_rule": rule })).await;
    assert_eq!(told["alerts_with"], 1);
    assert_eq!(told["warnings"], json!(["1 groups would never have opened an alert"]));
    let kept = house.done("/api/v1/group-rule/list", json!({ "project_id": "default" })).await;
    assert_eq!(kept["total_count"], 0);
}

#[actix_web::test]
async fn a_group_rule_that_cannot_hold_is_refused_at_its_place() {
    let house = House::new().await;
    let fine =
        json!({ "project_id": "default", "fields": ["event_key"], "window": 300, "threshold": 2 });
    for (field, value, pointer) in [
        ("fields", json!([]), "/fields"),
        ("fields", json!(["event_key", "titel"]), "/fields/1"),
        ("fields", json!(["occurred_at"]), "/fields/0"),
        ("window", json!(0), "/window"),
        ("window", json!(90_000), "/window"),
        ("threshold", json!(0), "/threshold"),
        ("threshold", json!(5000), "/threshold"),
        (
            "conditions",
            json!([{ "key": "title", "value": "(", "operator": "regex" }]),
            "/conditions/0/value",
        ),
    ] {
        let mut wrong = fine.clone();
        wrong[field] = value;
        let answer = house.post("/api/v1/group-rule/create", wrong).await;
        assert_eq!((answer.status, answer.pointers()), (400, vec![pointer]), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_lead_stays_open_until_its_parts_have_recovered() {
    let (house, hook, _) = house(1).await;
    let lead = fire(&house, &hook, ("a", "eu1")).await;
    let part = fire(&house, &hook, ("b", "eu1")).await;
    let end = async |key: &str| {
        let event = json!({"event_key": key, "title": key, "event_type": "RECOVERY"});
        house.understood(&hook, &event).await["items"][0].clone()
    };
    let held = end("a").await;
    assert_eq!((&held["what"], &held["why"]), (&json!("joined"), &json!("held_open")), "{held}");
    assert_eq!(alert(&house, &lead).await["state"], "TRIGGERED");
    assert_eq!(end("b").await["what"], "resolved");
    assert_eq!(alert(&house, &part).await["state"], "RESOLVED");
    assert_eq!(alert(&house, &lead).await["state"], "RESOLVED");
}

#[actix_web::test]
async fn why_an_alert_is_a_part_is_in_its_history() {
    let (house, hook, _) = house(2).await;
    fire(&house, &hook, ("a", "eu1")).await;
    let lead = fire(&house, &hook, ("b", "eu1")).await;
    let part = fire(&house, &hook, ("c", "eu1")).await;
    let why = async |item: &Value| {
        let id = item["alert_id"].as_str().unwrap();
        house.get(&format!("/api/v1/alerts/{id}/explain")).await.text
    };
    let told = why(&lead).await;
    assert!(
        told.contains("group rule clusters found 2 events with additional_info.cluster eu1"),
        "{told}"
    );
    let told = why(&part).await;
    assert!(told.contains("group rule clusters makes it a part of"), "{told}");
}

#[actix_web::test]
async fn a_fresh_alert_is_no_part_of_what_is_over() {
    let (house, hook, _) = house(1).await;
    let root = fire(&house, &hook, ("root", "eu1")).await;
    // More than follow in one unit of work, so that the last one is a part still.
    for number in 0..201 {
        fire(&house, &hook, (&format!("part {number}"), "eu1")).await;
    }
    let lead = fire(&house, &hook, ("lead", "us1")).await;
    let merge = json!({ "alert_id": lead["alert_id"], "into": root["alert_id"] });
    house.done("/api/v1/alert/merge", merge).await;
    let over = json!({ "alert_id": root["alert_id"], "state": "RESOLVED" });
    house.done("/monitoring/v1/alert/update", over).await;
    assert_eq!(alert(&house, &lead).await["state"], "TRIGGERED");
    let fresh = fire(&house, &hook, ("fresh", "us1")).await;
    assert_eq!(alert(&house, &fresh).await["merged_into"], Value::Null);
    house.second().await;
    assert_eq!(alert(&house, &lead).await["state"], "RESOLVED");
    assert_eq!(alert(&house, &fresh).await["state"], "TRIGGERED");
}

#[actix_web::test]
async fn however_many_parts_a_deleted_lead_has_all_are_set_free() {
    let (house, hook, _) = house(1).await;
    let lead = fire(&house, &hook, ("lead", "eu1")).await;
    for number in 0..203 {
        fire(&house, &hook, (&format!("part {number}"), "eu1")).await;
    }
    let request = json!({ "alert_id": lead["alert_id"] });
    house.done("/monitoring/v1/alert/delete", request).await;
    let merged = async || {
        let asked = json!({ "query": { "page": { "limit": 1000 } } });
        let all = house.alerts(asked).await;
        all.iter().filter(|alert| !alert["merged_into"].is_null()).count()
    };
    assert_eq!(merged().await, 3);
    house.second().await;
    assert_eq!(merged().await, 0);
}
