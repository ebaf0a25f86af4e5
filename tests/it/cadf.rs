//! Audit records of others, in CADF: what they become, who is alerted, and how a thing was before.

use std::fs;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

const PROJECT: &str = "crn:v1:bluemix:public:codeengine:us-south:a/0123:4f9f2b1e::";

fn sample(case: &str) -> Value {
    let text = fs::read_to_string(format!("rules/cadf/samples/{case}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A record of this action and outcome, with these fields besides.
fn record(action: &str, outcome: &str, more: &Value) -> Value {
    let mut record = json!({
        "action": action, "outcome": outcome, "eventTime": "2026-01-01T00:00:00.00+0000",
        "initiator": { "id": "IBMid-1", "name": "jane@example.com", "host": { "address": "192.0.2.44" } },
        "target": { "id": PROJECT, "name": "shop" }, "observer": { "name": "ActivityTracker" },
    });
    for (field, value) in more.as_object().unwrap() {
        record[field] = value.clone();
    }
    record
}

async fn item(house: &House, hook: &Hook, record: &Value) -> Value {
    house.understood(hook, record).await["items"][0].clone()
}

async fn event(house: &House, item: &Value) -> Value {
    house.done("/monitoring/v1/event/get", json!({ "event_id": item["event_id"] })).await
}

/// The events that meet one condition.
async fn found(house: &House, field: &str, value: &str) -> Vec<Value> {
    let condition = json!({ "k": format!("additional_info.{field}"), "v": value, "o": "eq" });
    let query = json!({ "filter": [condition], "page": { "total": "exact" } });
    house.events(json!({ "project_id": "default", "query": query })).await
}

#[actix_web::test]
async fn all_documented_actions_are_known_and_any_other_passes_with_a_flag() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    let all = sample("all-actions");
    let sent = all.as_array().unwrap_or_else(|| all["events"].as_array().unwrap());
    house.understood(&hook, &all).await;
    let events = house.events(json!({})).await;
    assert_eq!((events.len(), sent.len()), (64, 64), "63 in the tables, and one in a note");
    for event in &events {
        assert_eq!(event["additional_info"]["action_known"], true, "{}", event["rule"]);
    }
    assert!(events.iter().any(|event| event["rule"] == "codeengine.pods.get"));

    let unknown = record("codeengine.function.create", "success", &json!({}));
    let unknown = event(&house, &item(&house, &hook, &unknown).await).await;
    assert_eq!(unknown["additional_info"]["action_known"], false);
    assert_eq!(unknown["additional_info"]["action_kind"], "change");
}

#[actix_web::test]
async fn what_reads_and_what_changes_can_be_told_apart() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    house.understood(&hook, &sample("all-actions")).await;
    let (reads, changes) =
        (found(&house, "action_kind", "read").await, found(&house, "action_kind", "change").await);
    let verb =
        |event: &Value| event["rule"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
    assert!(reads.iter().all(|event| ["read", "list", "get"].contains(&verb(event).as_str())));
    assert!(
        changes.iter().all(|event| ["create", "update", "delete"].contains(&verb(event).as_str()))
    );
    assert_eq!(reads.len() + changes.len(), 64);
}

#[actix_web::test]
async fn the_project_of_a_record_is_found_and_leads_to_a_project_of_ours() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    house.done("/api/v1/project/create", json!({ "project_id": "shop", "name": "shop" })).await;
    let rule = json!({
        "name": "shop", "resource_group": "WEBHOOK", "webhook_id": hook.webhook_id, "conditions_policy": "ALL",
        "conditions": [{ "key": "additional_info.target_id", "value": PROJECT, "operator": "eq" }],
        "actions": { "change_project": "shop" },
    });
    house.done("/monitoring/v1/event-rule/create", rule).await;
    let ours =
        item(&house, &hook, &record("codeengine.secret.delete", "success", &json!({}))).await;
    let elsewhere = json!({ "target": { "id": "crn:other", "name": "other" } });
    let other = record("codeengine.secret.delete", "success", &elsewhere);
    let other = item(&house, &hook, &other).await;
    assert_eq!(event(&house, &ours).await["project_id"], "shop");
    assert_eq!(event(&house, &other).await["project_id"], "default");
    assert_eq!(found(&house, "target_id", "crn:other").await.len(), 1);
}

#[actix_web::test]
async fn all_records_of_one_request_are_found_by_an_index() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    let fields = json!(["additional_info.correlation_id"]);
    let wanted = json!({ "project_id": "default", "indexed_fields": fields });
    house.done("/api/v1/project/update", wanted).await;
    for (request, action) in [("r-1", "create"), ("r-2", "create"), ("r-1", "read")] {
        let action = format!("codeengine.configmap.{action}");
        let more = json!({ "correlationId": request });
        item(&house, &hook, &record(&action, "success", &more)).await;
    }
    let rules: Vec<Value> = found(&house, "correlation_id", "r-1").await;
    let rules: Vec<&str> = rules.iter().map(|event| event["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["codeengine.configmap.create", "codeengine.configmap.read"]);
    let condition = json!({ "k": "additional_info.correlation_id", "v": "r-1", "o": "eq" });
    let project = json!({ "k": "project_id", "v": "default", "o": "eq" });
    let asked = json!({ "resource": "event", "query": { "filter": [condition, project] } });
    let plan = house.done("/api/v1/query/explain", asked).await.to_string();
    assert!(plan.contains("correlation_id"), "{plan}");
}

#[actix_web::test]
async fn why_something_failed_is_its_description_and_a_failure_without_a_reason_is_flagged() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    let reason = json!({ "reason": { "reasonCode": 403, "reasonForFailure": "No such right" } });
    let said = item(&house, &hook, &record("codeengine.job.create", "failure", &reason)).await;
    let said = event(&house, &said).await;
    assert_eq!(said["description"], "No such right (403)");
    assert_eq!(said["additional_info"]["fault"], Value::Null);
    let silent = item(&house, &hook, &record("codeengine.job.create", "failure", &json!({}))).await;
    let silent = event(&house, &silent).await;
    assert_eq!(silent["event_type"], "ALERT");
    assert_eq!(silent["description"], "The record does not say why it failed.");
    assert_eq!(found(&house, "fault", "a failure without a reason").await.len(), 1);
}

#[actix_web::test]
async fn what_an_update_replaced_is_told_by_the_record_before_it() {
    let house = House::new().await;
    let hook = house.webhook("cadf").await;
    let body = |value: &str| json!({ "name": "cert", "data": { "key": value } });
    let request = |value: &str| json!({ "requestData": { "verb": "POST", "body": body(value) } });
    let made = record("codeengine.secret.create", "success", &request("one"));
    let made = item(&house, &hook, &made).await;
    let mut refused = record("codeengine.secret.update", "failure", &request("never"));
    refused["reason"] = json!({ "reasonForFailure": "No such right" });
    item(&house, &hook, &refused).await;
    let other = json!({ "requestData": { "body": { "name": "other", "data": 7 } } });
    item(&house, &hook, &record("codeengine.secret.update", "success", &other)).await;
    let changed = record("codeengine.secret.update", "success", &request("two"));
    let changed = item(&house, &hook, &changed).await;

    let path =
        |item: &Value| format!("/api/v1/events/{}/changes", item["event_id"].as_str().unwrap());
    let told = house.get(&path(&changed)).await.body;
    assert_eq!(told["before"]["state"], body("one"), "{told}");
    assert_eq!(told["before"]["event_id"], made["event_id"]);
    assert_eq!(told["after"], body("two"));
    let told = house.get(&path(&made)).await.body;
    assert_eq!((&told["before"], &told["after"]), (&Value::Null, &body("one")));

    // What a read shows is as good; what was withheld from it is no data.
    let withheld = "Information about the action is not included for performance and size reasons.";
    let name = json!({ "body": { "name": "cert" } });
    let shown = json!({ "requestData": name, "responseData": body("three") });
    item(&house, &hook, &record("codeengine.secret.read", "success", &shown)).await;
    let hidden = json!({ "requestData": name, "responseData": withheld });
    let hidden = item(&house, &hook, &record("codeengine.secret.read", "success", &hidden)).await;
    let hidden = event(&house, &hidden).await;
    assert_eq!(hidden["additional_info"]["response_withheld"], true);
    assert_eq!(hidden["additional_info"]["response_data"], Value::Null);
    let gone = record("codeengine.secret.delete", "success", &json!({ "requestData": name }));
    let gone = item(&house, &hook, &gone).await;
    let told = house.get(&path(&gone)).await.body;
    assert_eq!((&told["before"]["state"], &told["after"]), (&body("three"), &Value::Null));
}

#[actix_web::test]
async fn a_webhook_brings_rules_that_alert_of_deletions_and_of_repeated_failure() {
    let house = House::new().await;
    let wanted = json!({ "name": "one", "provider": "cadf" });
    let made = house.done("/monitoring/v1/webhook/create", wanted).await;
    let kinds: Vec<&Value> =
        made["default_rules"].as_array().unwrap().iter().map(|rule| &rule["kind"]).collect();
    assert_eq!(kinds, ["event_rule", "group_rule"], "{made}");
    let hook = Hook::from(&made);

    let gone =
        item(&house, &hook, &record("codeengine.project.delete", "success", &json!({}))).await;
    let alert = json!({ "alert_id": gone["alert_id"] });
    let alert = house.done("/monitoring/v1/alert/get", alert).await;
    assert_eq!((&alert["urgency"], &alert["severity"]), (&json!("HIGH"), &json!("WARNING")));

    let named = json!({ "requestData": { "body": { "name": "cert" } } });
    let gone = item(&house, &hook, &record("codeengine.secret.delete", "success", &named)).await;
    let alert = json!({ "alert_id": gone["alert_id"] });
    let alert = house.done("/monitoring/v1/alert/get", alert).await;
    assert_eq!(alert["urgency"], "HIGH", "{alert}");

    let mut what = Vec::new();
    for name in ["a", "b", "c"] {
        let more = json!({
            "reason": { "reasonForFailure": "No such right" },
            "requestData": { "body": { "name": name } },
        });
        let failed = record("codeengine.secret.read", "failure", &more);
        what.push(item(&house, &hook, &failed).await["what"].clone());
        house.later(TimeDelta::minutes(2));
    }
    assert_eq!(what, ["kept", "kept", "opened"], "one failure is a mistake, three are an attempt");

    let critical = json!({ "severity": "critical", "reason": { "reasonForFailure": "No" },
        "initiator": { "id": "IBMid-2" } });
    let critical = record("codeengine.project.update", "failure", &critical);
    assert_eq!(item(&house, &hook, &critical).await["what"], "opened");

    let again = json!({ "name": "two", "provider": "cadf" });
    let again = house.done("/monitoring/v1/webhook/create", again).await;
    assert_eq!(again["default_rules"], Value::Null, "the project has them");
    house.done("/api/v1/project/create", json!({ "project_id": "bare", "name": "bare" })).await;
    let without =
        json!({ "name": "x", "provider": "cadf", "project_id": "bare", "default_rules": false });
    let without = house.done("/monitoring/v1/webhook/create", without).await;
    assert_eq!(without["default_rules"], Value::Null);
}
