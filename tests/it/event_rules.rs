//! Event rules over HTTP: what they do to events on their way, how they are managed, and what is refused.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

const CREATE: &str = "/monitoring/v1/event-rule/create";

/// A rule of the default project.
fn rule(conditions: &Value, actions: &Value) -> Value {
    let policy = if conditions.as_array().is_some_and(Vec::is_empty) { "ALWAYS" } else { "ALL" };
    json!({
        "resource_group": "PROJECT", "project_id": "default", "conditions": conditions,
        "conditions_policy": policy, "actions": actions,
    })
}

fn titled(part: &str) -> Value {
    json!([{ "key": "title", "value": part, "operator": "contain" }])
}

/// A house with one webhook and a second project.
async fn house() -> (House, Hook) {
    let house = House::new().await;
    house.done("/api/v1/project/create", json!({ "project_id": "other", "name": "Other" })).await;
    let hook = house.webhook("api-direct").await;
    (house, hook)
}

/// Posts an event; the item of its receipt.
async fn fire(house: &House, hook: &Hook, event: Value) -> Value {
    house.understood(hook, &event).await["items"][0].clone()
}

async fn alert(house: &House, item: &Value) -> Value {
    house.done("/monitoring/v1/alert/get", json!({ "alert_id": item["alert_id"] })).await
}

async fn event(house: &House, item: &Value) -> Value {
    house.done("/monitoring/v1/event/get", json!({ "event_id": item["event_id"] })).await
}

async fn refused(house: &House, body: Value) -> Answer {
    let answer = house.post(CREATE, body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    answer
}

#[actix_web::test]
async fn a_rule_changes_the_event_and_its_alert_and_counts_its_hits() {
    let (house, hook) = house().await;
    let actions = json!({
        "change_urgency": "LOW", "change_assignee": "amy", "add_additional_info": {"team": "db"},
        "change_severity": "WARNING", "change_title": "[{{additional_info.team}}] {{title}}",
    });
    let made = house.done(CREATE, rule(&titled("cpu"), &actions)).await;
    assert_eq!((&made["order"], &made["hit_count"]), (&json!(1), &json!(0)));
    let item =
        fire(&house, &hook, json!({"event_key": "k", "title": "High CPU", "severity": "ERROR"}))
            .await;
    let alert = alert(&house, &item).await;
    assert_eq!(alert["title"], "[db] High CPU");
    assert_eq!((&alert["urgency"], &alert["assignee"]), (&json!("LOW"), &json!("amy")));
    let event = event(&house, &item).await;
    assert_eq!(
        (&event["severity"], &event["additional_info"]["team"]),
        (&json!("WARNING"), &json!("db"))
    );
    fire(&house, &hook, json!({"event_key": "j", "title": "disk"})).await;
    let one = json!({ "event_rule_id": made["event_rule_id"] });
    let seen = house.done("/monitoring/v1/event-rule/get", one).await;
    assert_eq!((&seen["hit_count"], seen["last_hit_at"].is_string()), (&json!(1), true));
}

#[actix_web::test]
async fn a_rule_holds_for_the_very_next_delivery_and_no_longer_than_it_is_there() {
    let (house, hook) = house().await;
    let made = house.done(CREATE, rule(&json!([]), &json!({ "change_assignee": "amy" }))).await;
    let item = fire(&house, &hook, json!({"event_key": "a", "title": "a"})).await;
    assert_eq!(alert(&house, &item).await["assignee"], "amy");
    let id = json!({ "event_rule_id": made["event_rule_id"] });
    let change =
        json!({ "event_rule_id": id["event_rule_id"], "actions": {"change_assignee": "bob"} });
    house.done("/monitoring/v1/event-rule/update", change).await;
    let item = fire(&house, &hook, json!({"event_key": "b", "title": "b"})).await;
    assert_eq!(alert(&house, &item).await["assignee"], "bob");
    house.done("/monitoring/v1/event-rule/delete", id).await;
    let item = fire(&house, &hook, json!({"event_key": "c", "title": "c"})).await;
    assert_eq!(alert(&house, &item).await["assignee"], Value::Null);
}

#[actix_web::test]
async fn rules_of_the_webhook_come_first_and_those_of_the_workspace_last() {
    let (house, hook) = house().await;
    let says = |who: &str, place: Value| {
        let mut rule =
            json!({ "conditions_policy": "ALWAYS", "actions": {"change_assignee": who} });
        rule.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        rule
    };
    let whole = house.done(CREATE, says("w", json!({ "resource_group": "WORKSPACE" }))).await;
    assert_eq!(whole["project_id"], "*");
    let place = json!({ "resource_group": "PROJECT", "project_id": "default" });
    house.done(CREATE, says("p", place)).await;
    let place = json!({ "resource_group": "WEBHOOK", "webhook_id": hook.webhook_id });
    let own = house.done(CREATE, says("h", place)).await;
    let item = fire(&house, &hook, json!({"event_key": "a", "title": "a"})).await;
    assert_eq!(alert(&house, &item).await["assignee"], "w");
    let stop =
        json!({ "event_rule_id": own["event_rule_id"], "options": {"stop_processing": true} });
    assert_eq!(
        house.done("/monitoring/v1/event-rule/update", stop).await["options"]["stop_processing"],
        true
    );
    let item = fire(&house, &hook, json!({"event_key": "b", "title": "b"})).await;
    assert_eq!(alert(&house, &item).await["assignee"], "h");
}

#[actix_web::test]
async fn an_event_that_is_sent_on_opens_its_alert_there() {
    let (house, hook) = house().await;
    house.done(CREATE, rule(&titled("db"), &json!({ "change_project": "other" }))).await;
    let item = fire(&house, &hook, json!({"event_key": "k", "title": "db down"})).await;
    assert_eq!(alert(&house, &item).await["project_id"], "other");
    assert_eq!(event(&house, &item).await["project_id"], "other");
    let end = json!({"event_key": "k", "title": "db up", "event_type": "RECOVERY"});
    let ended = fire(&house, &hook, end).await;
    assert_eq!(ended["what"], "resolved", "{ended}");
}

#[actix_web::test]
async fn what_is_dropped_is_kept_and_counted_and_touches_no_alert() {
    let (house, hook) = house().await;
    let made = house.done(CREATE, rule(&titled("noise"), &json!({ "drop": true }))).await;
    let item = fire(&house, &hook, json!({"event_key": "k", "title": "noise"})).await;
    assert_eq!((&item["what"], &item["alert_id"]), (&json!("kept"), &Value::Null));
    let event = event(&house, &item).await;
    assert_eq!((&event["why"], &event["title"]), (&json!("dropped"), &json!("noise")));
    assert_eq!(house.alerts(json!({})).await.len(), 0);
    let one = json!({ "event_rule_id": made["event_rule_id"] });
    assert_eq!(house.done("/monitoring/v1/event-rule/get", one).await["hit_count"], 1);
    // A recovery closes what was open before the rule was there.
    let open = fire(&house, &hook, json!({"event_key": "j", "title": "signal"})).await;
    assert_eq!(open["what"], "opened");
    let end = json!({"event_key": "j", "title": "noise", "event_type": "RECOVERY"});
    assert_eq!(fire(&house, &hook, end).await["what"], "resolved");
}

#[actix_web::test]
async fn a_new_key_regroups_events_and_their_recoveries() {
    let (house, hook) = house().await;
    let key = json!({ "set_event_key": "{{additional_info.cluster}}-{{rule}}" });
    house.done(CREATE, rule(&json!([]), &key)).await;
    let of = |key: &str, kind: &str| json!({"event_key": key, "title": "t", "rule": "cpu", "event_type": kind, "additional_info": {"cluster": "eu1"}});
    let first = fire(&house, &hook, of("a", "ALERT")).await;
    let second = fire(&house, &hook, of("b", "ALERT")).await;
    assert_eq!(second["what"], "joined");
    assert_eq!(first["alert_id"], second["alert_id"]);
    assert_eq!(alert(&house, &first).await["event_key"], "eu1-cpu");
    assert_eq!(fire(&house, &hook, of("c", "RECOVERY")).await["what"], "resolved");
}

#[actix_web::test]
async fn rules_are_moved_and_numbered_without_gaps() {
    let (house, _) = house().await;
    let mut ids = Vec::new();
    for who in ["a", "b", "c"] {
        let made = house.done(CREATE, rule(&json!([]), &json!({ "change_assignee": who }))).await;
        ids.push(made["event_rule_id"].clone());
    }
    let names = async || {
        let all = house.done("/monitoring/v1/event-rule/list", json!({})).await;
        let each = all["results"].as_array().unwrap().iter();
        each.map(|rule| {
            format!("{}{}", rule["order"], rule["actions"]["change_assignee"].as_str().unwrap())
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["1a", "2b", "3c"]);
    let order = |id: &Value, order: u32| json!({ "event_rule_id": id, "order": order });
    house.done("/monitoring/v1/event-rule/change-order", order(&ids[2], 1)).await;
    assert_eq!(names().await, ["1c", "2a", "3b"]);
    for wrong in [0, 4] {
        let answer =
            house.post("/monitoring/v1/event-rule/change-order", order(&ids[0], wrong)).await;
        assert_eq!((answer.status, answer.pointers()), (400, vec!["/order"]));
    }
    house.done("/monitoring/v1/event-rule/delete", json!({ "event_rule_id": ids[0] })).await;
    assert_eq!(names().await, ["1c", "2b"]);
}

#[actix_web::test]
async fn a_rule_that_cannot_hold_is_refused_at_its_place() {
    let (house, _) = house().await;
    let assign = json!({ "change_assignee": "x" });
    let told = refused(
        &house,
        rule(&json!([{ "key": "titel", "value": "x", "operator": "eq" }]), &assign),
    )
    .await;
    assert_eq!(told.pointers(), ["/conditions/0/key"]);
    let told = refused(&house, rule(&titled("x"), &json!({}))).await;
    assert_eq!(told.pointers(), ["/actions"]);
    let told = refused(
        &house,
        rule(&titled("x"), &json!({ "set_event_key": "{{created_at}}", "change_assignee": " " })),
    )
    .await;
    assert_eq!(told.pointers(), ["/actions/change_assignee", "/actions/set_event_key"]);
    let told = refused(&house, rule(&titled("x"), &json!({ "change_project": "gone" }))).await;
    assert_eq!(told.pointers(), ["/actions/change_project"]);
    refused(
        &house,
        rule(&titled("x"), &json!({ "change_urgency": "MID", "change_project": "other" })),
    )
    .await;
    refused(&house, rule(&titled("x"), &json!({ "shout": true }))).await;
    let mut no_conditions = rule(&json!([]), &assign);
    no_conditions["conditions_policy"] = json!("ANY");
    assert_eq!(refused(&house, no_conditions).await.pointers(), ["/conditions"]);
    let mut no_project = rule(&titled("x"), &assign);
    no_project.as_object_mut().unwrap().remove("project_id");
    assert_eq!(refused(&house, no_project).await.pointers(), ["/project_id"]);
    assert_eq!(house.done("/monitoring/v1/event-rule/list", json!({})).await["total_count"], 0);
}

#[actix_web::test]
async fn a_rule_that_would_close_a_circle_is_refused_and_says_which() {
    let (house, _) = house().await;
    let told = refused(&house, rule(&json!([]), &json!({ "change_project": "default" }))).await;
    assert!(told.text.contains("default → default"), "{}", told.text);
    house.done(CREATE, rule(&json!([]), &json!({ "change_project": "other" }))).await;
    let mut back = rule(&titled("x"), &json!({ "change_project": "default" }));
    back["project_id"] = json!("other");
    let told = refused(&house, back.clone()).await;
    assert!(told.text.contains("other → default → other"), "{}", told.text);
    // Neither may a change close one.
    back["actions"] = json!({ "change_assignee": "x" });
    let made = house.done(CREATE, back).await;
    let change =
        json!({ "event_rule_id": made["event_rule_id"], "actions": {"change_project": "default"} });
    let answer = house.post("/monitoring/v1/event-rule/update", change).await;
    assert_eq!((answer.status, answer.pointers()), (400, vec!["/actions/change_project"]));
}

#[actix_web::test]
async fn what_the_old_clients_send_is_understood() {
    let (house, hook) = house().await;
    let old = json!({
        "name": "", "resourceGroup": "PROJECT", "projectId": "default", "conditionsPolicy": "ANY",
        "conditions": [{"key": "resource", "value": "db-1", "operator": "eq"}],
        "actions": {"change_assignee": "amy", "change_project": "", "no_notification": false},
        "options": {"stop_processing": true},
    });
    let made = house.done(CREATE, old).await;
    assert_eq!(made["options"]["stop_processing"], true);
    let item =
        fire(&house, &hook, json!({"event_key": "k", "title": "t", "resources": ["db-1", "db-2"]}))
            .await;
    assert_eq!(alert(&house, &item).await["assignee"], "amy");
}

#[actix_web::test]
async fn what_is_for_a_whole_workspace_is_seen_by_its_members_and_changed_by_its_owners() {
    let (house, _) = house().await;
    let all = json!({ "resource_group": "WORKSPACE", "conditions_policy": "ALWAYS", "actions": {"change_assignee": "x"} });
    let made = house.done(CREATE, all.clone()).await;
    let member = json!({ "workspace_id": "default", "projects": ["default"] });
    let member = house.token("WORKSPACE_MEMBER", member).await;
    let member = house.as_token(member);
    let one = json!({ "event_rule_id": made["event_rule_id"] });
    member.done("/monitoring/v1/event-rule/get", one.clone()).await;
    assert_eq!(member.post("/monitoring/v1/event-rule/delete", one).await.status, 403);
    assert_eq!(member.post(CREATE, all).await.status, 403);
    let mut theirs = rule(&json!([]), &json!({ "change_assignee": "x" }));
    theirs["project_id"] = json!("other");
    assert_eq!(member.post(CREATE, theirs).await.status, 404);
    let away = rule(&json!([]), &json!({ "change_project": "other" }));
    assert_eq!(member.post(CREATE, away).await.status, 400);
}

#[actix_web::test]
async fn a_dry_run_tells_what_would_differ_and_changes_nothing() {
    let (house, hook) = house().await;
    for (key, severity) in [("a", "ERROR"), ("b", "ERROR"), ("c", "INFO")] {
        fire(&house, &hook, json!({"event_key": key, "title": "High CPU", "severity": severity}))
            .await;
        house.later(TimeDelta::hours(1));
    }
    let severe = json!([{ "key": "severity", "value": "ERROR", "operator": "eq" }]);
    let tried = rule(&severe, &json!({ "change_severity": "CRITICAL", "change_assignee": "amy" }));
    let told = house.done("/api/v1/event-rule/dry-run", json!({ "event_rule": tried })).await;
    assert_eq!(
        (&told["looked_at"], &told["matched"], &told["alerts"]),
        (&json!(3), &json!(2), &json!(2))
    );
    assert_eq!(told["changed"], json!({ "severity": 2, "assignee": 2 }));
    let example = &told["examples"][0];
    assert_eq!(example["changes"]["severity"], json!({ "before": "ERROR", "after": "CRITICAL" }));
    assert!(
        example["steps"][0].as_str().unwrap().contains("severity eq \"ERROR\": it is \"ERROR\"")
    );
    assert_eq!(house.done("/monitoring/v1/event-rule/list", json!({})).await["total_count"], 0);
    let never = rule(&titled("nothing like it"), &json!({ "drop": true }));
    let told = house.done("/api/v1/event-rule/dry-run", json!({ "event_rule": never })).await;
    assert_eq!(told["warnings"], json!(["it matches none of 3 events"]));
    house.later(TimeDelta::days(8));
    let told = house.done("/api/v1/event-rule/dry-run", json!({ "event_rule": tried })).await;
    assert_eq!(told["looked_at"], 0);
}

#[actix_web::test]
async fn a_dry_run_warns_of_recoveries_that_would_no_longer_meet_their_problems() {
    let (house, hook) = house().await;
    fire(&house, &hook, json!({"event_key": "k", "title": "t", "severity": "ERROR"})).await;
    fire(
        &house,
        &hook,
        json!({"event_key": "k", "title": "t", "severity": "INFO", "event_type": "RECOVERY"}),
    )
    .await;
    let severe = json!([{ "key": "severity", "value": "ERROR", "operator": "eq" }]);
    let tried = rule(&severe, &json!({ "change_project": "other" }));
    let told = house.done("/api/v1/event-rule/dry-run", json!({ "event_rule": tried })).await;
    assert!(
        told["warnings"][0].as_str().unwrap().starts_with("the recoveries of 1 keys"),
        "{told}"
    );
    let all = rule(&json!([]), &json!({ "change_project": "other" }));
    let told = house.done("/api/v1/event-rule/dry-run", json!({ "event_rule": all })).await;
    assert_eq!(told["warnings"], json!(["it matches each of 2 events"]));
}

#[actix_web::test]
async fn what_a_rule_says_of_the_alert_is_muted_noted_and_told_by_whom() {
    let (house, hook) = house().await;
    let actions = json!({ "suppress": true, "add_note": "see runbook for {{title}}" });
    let made = house.done(CREATE, rule(&titled("known"), &actions)).await;
    let item = fire(&house, &hook, json!({"event_key": "k", "title": "known fault"})).await;
    let by = format!("event_rule:{}", made["event_rule_id"].as_str().unwrap());
    assert_eq!(alert(&house, &item).await["muted_by"], by);
    let notes = json!({ "alert_id": item["alert_id"] });
    let notes = house.done("/monitoring/v1/note/list", notes).await;
    assert_eq!(notes["results"][0]["note"], "see runbook for known fault");
    assert_eq!(notes["results"][0]["created_by"], by);
}

#[actix_web::test]
async fn an_alert_is_inhibited_while_the_alert_of_the_named_key_is_open() {
    let (house, hook) = house().await;
    let by = json!({ "inhibit_by": "{{additional_info.cluster}}-down" });
    let made = house.done(CREATE, rule(&titled("pod"), &by)).await;
    let pod = |key: &str| json!({"event_key": key, "title": "pod lost", "additional_info": {"cluster": "eu1"}});
    let before = fire(&house, &hook, pod("p0")).await;
    fire(&house, &hook, json!({"event_key": "eu1-down", "title": "cluster lost"})).await;
    house.second().await;
    let after = fire(&house, &hook, pod("p1")).await;
    assert_eq!(alert(&house, &before).await["muted_by"], alert(&house, &after).await["muted_by"]);
    assert!(alert(&house, &after).await["muted_by"].is_string());
    // Without the rule it is told still once the other alert is over.
    let one = json!({ "event_rule_id": made["event_rule_id"] });
    house.done("/monitoring/v1/event-rule/delete", one).await;
    let end = json!({"event_key": "eu1-down", "title": "back", "event_type": "RECOVERY"});
    fire(&house, &hook, end).await;
    house.second().await;
    assert_eq!(alert(&house, &after).await["muted_by"], Value::Null);
}

#[actix_web::test]
async fn a_policy_that_there_is_not_is_refused_at_save() {
    let (house, _) = house().await;
    let told =
        refused(&house, rule(&titled("x"), &json!({ "change_escalation_policy": "ep-1" }))).await;
    assert_eq!(told.pointers(), ["/actions/change_escalation_policy"]);
}

#[actix_web::test]
async fn a_dry_run_names_no_rule_of_a_project_that_the_caller_does_not_reach() {
    let (house, hook) = house().await;
    let away = json!({
        "resource_group": "WORKSPACE", "conditions_policy": "ALWAYS", "actions": { "change_project": "other" },
    });
    house.done(CREATE, away).await;
    let mut theirs = rule(&json!([]), &json!({ "suppress": true, "add_note": "classified" }));
    theirs["project_id"] = json!("other");
    theirs["name"] = json!("secret plans");
    house.done(CREATE, theirs).await;
    fire(&house, &hook, json!({ "event_key": "k", "title": "db down" })).await;
    let member = json!({ "workspace_id": "default", "projects": ["default"] });
    let member = house.token("WORKSPACE_MEMBER", member).await;
    let tried = rule(&titled("db"), &json!({ "change_severity": "CRITICAL" }));
    let tried = json!({ "event_rule": tried });
    house.later(TimeDelta::minutes(1));
    let told = house.done("/api/v1/event-rule/dry-run", tried.clone()).await.to_string();
    assert!(told.contains("secret plans"), "{told}");
    let told = house.as_token(member).done("/api/v1/event-rule/dry-run", tried).await.to_string();
    assert!(!told.contains("secret plans") && !told.contains("classified"), "{told}");
}

#[actix_web::test]
async fn an_alert_of_which_nobody_is_to_be_told_begins_no_escalation() {
    let (house, hook) = house().await;
    house.done(CREATE, rule(&titled("db"), &json!({ "no_notification": true }))).await;
    let item = fire(&house, &hook, json!({ "event_key": "k", "title": "db down" })).await;
    let id = item["alert_id"].as_str().unwrap();
    let told = house.get(&format!("/api/v1/alerts/{id}/explain")).await.body;
    let steps = told["steps"].as_array().unwrap();
    let verdicts = steps.iter().filter(|step| step["of"] == "escalation");
    let verdicts: Vec<&Value> = verdicts.map(|step| &step["verdict"]).collect();
    assert_eq!(verdicts, ["withheld"], "{steps:?}");
}
