//! What happens by itself, what follows from an act, who is turned away and what is taken out: all of it is recorded.

use actix_web::{http::Method, test::TestRequest};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

const CONFIG: &str = "/monitoring/v1/project-alert-config/update";

async fn fires(house: &House, hook: &Hook, key: &str) -> String {
    let event = json!({ "event_key": key, "event_type": "ALERT", "title": format!("About {key}"), "severity": "ERROR", "rule": "A" });
    let receipt = house.understood(hook, &json!([event])).await;
    receipt["items"][0]["alert_id"].as_str().unwrap_or_default().to_owned()
}

async fn later(house: &House, seconds: i64) {
    house.later(TimeDelta::seconds(seconds));
    house.second().await;
    // What mutes begins a look at the alerts, which is for the next second.
    house.second().await;
}

/// The records of an action, newest first.
async fn records(house: &House, action: &str) -> Vec<Value> {
    let page = house.admin().found(&format!("/api/v1/audit?action={action}")).await;
    page["results"].as_array().unwrap().clone()
}

/// The one record of an action.
async fn record(house: &House, action: &str) -> Value {
    let mut all = records(house, action).await;
    assert_eq!(all.len(), 1, "{action}: {all:#?}");
    all.remove(0)
}

/// That a timer changed this field of an alert from one value to another.
fn changed(record: &Value, timer: &str, (field, before, after): (&str, Value, Value)) {
    assert_eq!(record["actor"], format!("timer:{timer}"), "{record:#}");
    assert_eq!((&record["outcome"], &record["entity_type"]), (&json!("SUCCESS"), &json!("alert")));
    assert!(record["entity_name"].as_str().unwrap().starts_with("About "), "{record:#}");
    assert_eq!((&record["before"][field], &record["after"][field]), (&before, &after));
    let replaces = json!({ "op": "replace", "path": format!("/{field}"), "value": after });
    let tests = json!({ "op": "test", "path": format!("/{field}"), "value": before });
    let patch = record["patch"].as_array().unwrap();
    assert!(patch.contains(&tests) && patch.contains(&replaces), "{patch:?}");
}

#[actix_web::test]
async fn each_change_that_a_timer_makes_leaves_a_record() {
    let house = House::new().await;
    let options = json!({ "acknowledgement_expiry": 600, "stale_after": 7200 });
    house.done(CONFIG, json!({ "project_id": "default", "options": options })).await;
    let hook = house.webhook("api-direct").await;
    let (taken, put_off) =
        (fires(&house, &hook, "taken").await, fires(&house, &hook, "put off").await);
    let act = json!({ "alert_id": taken, "state": "ACKNOWLEDGED" });
    house.done("/monitoring/v1/alert/update", act).await;
    house.done("/api/v1/alert/snooze", json!({ "alert_id": put_off, "seconds": 300 })).await;

    later(&house, 300).await;
    let woken = record(&house, "alert.unsnooze").await;
    changed(&woken, "snooze", ("snoozed_until", json!("2026-01-01T00:05:00.000Z"), Value::Null));
    later(&house, 300).await;
    let expired = record(&house, "alert.acknowledgement_expire").await;
    changed(&expired, "acknowledgement", ("state", json!("ACKNOWLEDGED"), json!("TRIGGERED")));
    assert_eq!(expired["entity_id"], taken.as_str());
    later(&house, 7200).await;
    let stale = records(&house, "alert.expire").await;
    assert_eq!(stale.len(), 2, "{stale:#?}");
    changed(&stale[0], "stale", ("state", json!("TRIGGERED"), json!("RESOLVED")));
}

#[actix_web::test]
async fn a_step_of_an_escalation_leaves_a_record() {
    let house = House::new().await;
    let rules = json!([
        { "escalate_minutes": 5, "notification_level": "LV1" },
        { "escalate_minutes": 5, "notification_level": "LV2" },
    ]);
    let policy = json!({ "name": "two steps", "rules": rules });
    let policy = house.done("/monitoring/v1/escalation-policy/create", policy).await;
    let config = json!({
        "project_id": "default", "escalation_policy_id": policy["escalation_policy_id"],
    });
    house.done(CONFIG, config).await;
    let hook = house.webhook("api-direct").await;
    fires(&house, &hook, "escalated").await;
    later(&house, 300).await;
    let steps = records(&house, "alert.escalate").await;
    assert_eq!(steps.len(), 1, "{steps:#?}");
    changed(&steps[0], "escalate", ("escalation_step", json!(1), json!(2)));
}

#[actix_web::test]
async fn the_end_of_a_silence_and_of_a_window_leaves_records_and_so_do_alerts_that_are_heard_then()
{
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let all = json!([{ "k": "rule", "v": "A", "o": "eq" }]);
    let silence = json!({
        "project_id": "default", "filter": all, "reason": "moving house",
        "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:10:00Z",
    });
    house.done("/api/v1/silence/create", silence).await;
    let window = json!({
        "title": "patching", "projects": ["default"],
        "start_time": "2026-01-01T01:00:00Z", "end_time": "2026-01-01T02:00:00Z",
    });
    house.done("/monitoring/v1/maintenance-window/create", window).await;
    fires(&house, &hook, "muted").await;
    later(&house, 600).await;
    later(&house, 1).await;
    let ended = record(&house, "silence.end").await;
    assert_eq!(
        (&ended["entity_name"], &ended["actor"]),
        (&json!("moving house"), &json!("timer:window"))
    );
    assert_eq!(ended["before"]["ended_at"], Value::Null);
    assert_eq!(ended["after"]["ended_at"], "2026-01-01T00:10:00.000Z");
    let heard = records(&house, "alert.mute").await;
    assert_eq!(heard.len(), 1, "{heard:#?}");
    assert!(heard[0]["before"]["muted_by"].is_string() && heard[0]["after"]["muted_by"].is_null());
    later(&house, 7200).await;
    let closed = record(&house, "maintenance_window.close").await;
    assert!(closed["before"]["closed_at"].is_null() && closed["after"]["closed_at"].is_string());
}

#[actix_web::test]
async fn a_silence_of_a_sender_leaves_records_of_the_heartbeat_and_of_its_alert() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let heartbeat = json!({ "name": "nightly", "webhook_id": hook.webhook_id, "every": 300 });
    house.done("/api/v1/heartbeat/create", heartbeat).await;
    later(&house, 301).await;
    let silent = record(&house, "heartbeat.silence").await;
    assert_eq!(
        (&silent["entity_name"], &silent["actor"]),
        (&json!("nightly"), &json!("timer:heartbeat"))
    );
    assert!(silent["before"]["alert_id"].is_null() && silent["after"]["alert_id"].is_string());
    let opened = record(&house, "alert.create").await;
    assert_eq!(opened["entity_id"], silent["after"]["alert_id"]);
    assert!(opened["before"].is_null() && opened["after"]["state"] == "TRIGGERED", "{opened:#}");
}

#[actix_web::test]
async fn what_follows_from_an_act_is_recorded_with_it() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let mut alerts = Vec::new();
    for key in ["lead", "one", "two"] {
        alerts.push(fires(&house, &hook, key).await);
    }
    for part in &alerts[1..] {
        let merge = json!({ "alert_id": part, "into": alerts[0] });
        house.done("/api/v1/alert/merge", merge).await;
    }
    let resolve = json!({ "alert_id": alerts[0], "state": "RESOLVED" });
    house.done("/monitoring/v1/alert/update", resolve).await;
    let mut resolved = records(&house, "alert.update").await;
    resolved.reverse();
    let about: Vec<_> = resolved.iter().map(|it| it["entity_id"].as_str().unwrap()).collect();
    assert_eq!(about, alerts, "{resolved:#?}");
    for record in &resolved {
        assert_eq!(
            (&record["before"]["state"], &record["after"]["state"]),
            (&json!("TRIGGERED"), &json!("RESOLVED"))
        );
    }
}

#[actix_web::test]
async fn many_alerts_changed_at_once_with_long_texts_leave_small_records() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let text = "long ".repeat(10_000);
    for number in 0..100 {
        let event = json!({
            "event_key": format!("{number}"), "event_type": "ALERT", "severity": "ERROR", "title": "t",
            "description": text,
        });
        house.understood(&hook, &json!([event])).await;
    }
    let all = json!({ "query": {}, "action": "resolve" });
    let done = house.done("/api/v1/alert/bulk", all).await;
    assert_eq!(done["done"], 100);
    let page = house.get("/api/v1/audit?action=alert.bulk").await;
    assert_eq!(page.body["results"].as_array().unwrap().len(), 100);
    assert!(page.bytes.len() < 100 * 16_000, "{}", page.bytes.len());
    assert_eq!(page.body["results"][0]["after"]["state"], "RESOLVED");
}

/// A request of nobody who may.
fn stranger(path: &str, token: &str) -> TestRequest {
    TestRequest::get()
        .uri(path)
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("User-Agent", "a stranger/1.0"))
}

#[actix_web::test]
async fn who_shows_no_token_that_works_is_recorded_once_a_minute_without_it() {
    let house = House::new().await;
    for number in 0..500 {
        let token = format!("amt_secret{number}");
        assert_eq!(house.send(stranger("/api/v1/audit", &token)).await.status, 401);
    }
    let hook = house.webhook("api-direct").await;
    for _ in 0..3 {
        assert_eq!(house.deliver(&hook.with_key("amk_wrong"), &json!([])).await.status, 401);
    }
    for request in
        [TestRequest::post(), TestRequest::get(), TestRequest::get().method(Method::HEAD)]
    {
        assert_eq!(house.send(request.uri("/ack/nonsense")).await.status, 404);
    }
    assert!(records(&house, "token.use").await.is_empty(), "the minute is not over");
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let refused = record(&house, "token.use").await;
    assert_eq!(
        (&refused["outcome"], &refused["actor_type"], &refused["details"]["calls"]),
        (&json!("ERROR_AUTHENTICATE_FAILURE"), &json!("anonymous"), &json!(500))
    );
    assert_eq!(
        (&refused["remote"], &refused["user_agent"]),
        (&json!("192.0.2.7"), &json!("a stranger/1.0"))
    );
    assert_eq!(refused["details"]["routes"], json!({ "/api/v1/audit": 500 }));
    let door = record(&house, "webhook.receive").await;
    assert_eq!(
        (&door["entity_id"], &door["details"]["calls"]),
        (&json!(hook.webhook_id), &json!(3))
    );
    let link = record(&house, "alert.acknowledge_by_link").await;
    assert_eq!(
        (&link["outcome"], &link["details"]["calls"]),
        (&json!("ERROR_NOT_FOUND"), &json!(3)),
        "who looks is counted as who presses"
    );
    let all = house.get("/api/v1/audit").await.text;
    for secret in ["amt_secret", "amk_wrong", "nonsense", hook.access_key.as_str()] {
        assert!(!all.contains(secret), "{secret} stands in the trail");
    }
    house.tick().await;
    assert_eq!(records(&house, "token.use").await.len(), 1, "it is written once");
}

#[actix_web::test]
async fn a_token_that_has_run_out_is_named() {
    let house = House::new().await;
    let request = json!({
        "name": "short", "role": "WORKSPACE_OWNER", "workspace_id": "default", "expires_in": 3600,
    });
    let made = house.done("/api/v1/token/create", request).await;
    house.later(TimeDelta::hours(2));
    let token = made["token"].as_str().unwrap();
    assert_eq!(house.send(stranger("/api/v1/audit", token)).await.status, 401);
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let refused = record(&house, "token.use").await;
    assert_eq!(
        (&refused["entity_id"], &refused["entity_name"]),
        (&made["token_id"], &json!("short"))
    );
}

#[actix_web::test]
async fn whoever_takes_records_out_is_recorded_with_what_they_asked_for() {
    let house = House::new().await;
    let asked = json!({ "query": { "filter": [{ "k": "severity", "v": "ERROR", "o": "eq" }] }, "format": "csv" });
    assert_eq!(house.post("/api/v1/events/export", asked.clone()).await.status, 200);
    let export = record(&house, "event.export").await;
    assert_eq!(
        (&export["resource"], &export["details"]["asked"]),
        (&json!("export:events"), &asked)
    );
    assert_eq!(house.get("/api/v1/alerts/export?format=ndjson").await.status, 200);
    assert_eq!(record(&house, "alert.export").await["details"]["asked"]["format"], "ndjson");
}

#[actix_web::test]
async fn all_that_the_first_start_makes_is_recorded() {
    let house = House::new().await;
    let all = house.admin().found("/api/v1/audit").await;
    let all = all["results"].as_array().unwrap();
    for record in all {
        assert_eq!(
            (&record["actor"], &record["outcome"]),
            (&json!("command:serve"), &json!("SUCCESS"))
        );
        assert!(record["after"].is_object() && record["entity_name"].is_string(), "{record:#}");
    }
    let made: Vec<_> = all.iter().map(|it| it["resource"].as_str().unwrap()).collect();
    for expected in ["domain:default", "workspace:default", "project:default", "project:system"] {
        assert!(made.contains(&expected), "{made:?}");
    }
    for kind in ["token:token-", "webhook:webhook-"] {
        assert!(made.iter().any(|it| it.starts_with(kind)), "{made:?}");
    }
}
