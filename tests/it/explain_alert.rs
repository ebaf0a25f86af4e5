//! Why an alert is as it is: one story, told as a person reads it.

use chrono::TimeDelta;
use regex::Regex;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

/// A house with an event rule, a maintenance window that ends soon, two steps of escalation, and channels that nobody
/// reaches, since their address is private.
async fn house() -> (House, Hook) {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let rule = json!({
        "name": "databases are urgent",
        "resource_group": "PROJECT",
        "project_id": "default",
        "conditions": [{ "key": "title", "value": "postgres", "operator": "contain" }],
        "conditions_policy": "ALL",
        "actions": { "change_urgency": "HIGH", "change_assignee": "amy" },
    });
    house.done("/monitoring/v1/event-rule/create", rule).await;
    let other = json!({
        "name": "tests are not",
        "resource_group": "PROJECT",
        "project_id": "default",
        "conditions": [{ "key": "title", "value": "test", "operator": "contain" }],
        "conditions_policy": "ALL",
        "actions": { "no_notification": true },
    });
    house.done("/monitoring/v1/event-rule/create", other).await;
    let window = json!({
        "title": "Nightly backup",
        "projects": ["default"],
        "start_time": house.now().to_rfc3339(),
        "end_time": (house.now() + TimeDelta::minutes(5)).to_rfc3339(),
    });
    house.done("/monitoring/v1/maintenance-window/create", window).await;
    let policy = json!({
        "name": "Two lines",
        "rules": [
            { "notification_level": "LV1", "escalate_minutes": 10 },
            { "notification_level": "LV2", "escalate_minutes": 5 },
        ],
    });
    let policy = house.done("/monitoring/v1/escalation-policy/create", policy).await;
    let config = json!({
        "project_id": "default",
        "escalation_policy_id": policy["escalation_policy_id"],
    });
    house.done("/monitoring/v1/project-alert-config/update", config).await;
    for (name, level) in [("first line", "LV1"), ("second line", "LV2")] {
        let channel = json!({
            "name": name,
            "kind": "WEBHOOK",
            "settings": { "url": "http://127.0.0.1:9/hook" },
            "levels": [level],
        });
        house.done("/api/v1/channel/create", channel).await;
    }
    (house, hook)
}

async fn later(house: &House, minutes: i64) {
    house.later(TimeDelta::minutes(minutes));
    house.second().await;
    house.sends().await;
}

/// Identifiers without their digits.
fn brief(text: &str) -> String {
    let digits = Regex::new("-[0-9a-f]{32}").unwrap();
    digits.replace_all(text, "-…").into_owned()
}

fn told(explained: &Value) -> String {
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let lines = explained["steps"].as_array().unwrap().iter().map(|step| {
        let time = text(step, "at")[11..19].to_owned();
        let (of, verdict) = (text(step, "of"), text(step, "verdict"));
        format!(
            "{time} {of:<10} {verdict:<11} {} [{}]",
            text(step, "sentence"),
            text(step, "actor")
        )
    });
    let summary = text(explained, "summary");
    brief(&format!("{summary}\n\n{}", lines.collect::<Vec<_>>().join("\n")))
}

#[actix_web::test]
async fn an_alert_that_met_a_rule_a_window_an_escalation_and_a_failure_tells_its_story() {
    let (house, hook) = house().await;
    let event =
        json!({ "event_key": "db-1", "title": "Postgres db-1 is slow", "severity": "WARNING" });
    let receipt = house.understood(&hook, &event).await;
    let id = receipt["items"][0]["alert_id"].as_str().unwrap().to_owned();
    later(&house, 2).await;
    house.understood(&hook, &event).await;
    later(&house, 3).await;
    later(&house, 10).await;
    let recovery = json!({ "event_key": "db-1", "event_type": "RECOVERY" });
    house.understood(&hook, &recovery).await;
    later(&house, 1).await;
    let explained = house.get(&format!("/api/v1/alerts/{id}/explain")).await;
    assert_eq!(explained.status, 200, "{explained:?}");
    insta::assert_snapshot!(told(&explained.body));
}

#[actix_web::test]
async fn what_others_see_only_they_can_have_explained() {
    let (house, hook) = house().await;
    let receipt = house.understood(&hook, &json!({ "event_key": "k" })).await;
    let id = receipt["items"][0]["alert_id"].as_str().unwrap().to_owned();
    let reach = json!({ "workspace_id": "default", "projects": ["system"] });
    let stranger = house.as_token(house.token("WORKSPACE_MEMBER", reach).await);
    let refused = stranger.get(&format!("/api/v1/alerts/{id}/explain")).await;
    assert_eq!(refused.status, 404, "{refused:?}");
    let lost = house.get(&format!("/api/v1/alerts/{id}/explain?cursor=x")).await;
    assert_eq!((lost.status, lost.pointers()), (400, vec!["/cursor"]));
}
