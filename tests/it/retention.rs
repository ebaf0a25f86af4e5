//! What is old is removed, as each project says, and nothing else.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::House;

const UPDATE: &str = "/api/v1/project/update";

async fn keep(house: &House, ages: Value) -> Value {
    house.done(UPDATE, json!({ "project_id": "default", "retention": ages })).await
}

fn event(key: &str, kind: &str) -> Value {
    json!({ "event_key": key, "event_type": kind, "severity": "CRITICAL", "title": key })
}

async fn keys(house: &House) -> Vec<String> {
    let events = house.events(json!({ "project_id": "default" })).await;
    events.iter().map(|event| event["event_key"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_project_keeps_everything_until_it_says_otherwise() {
    let house = House::new().await;
    let shown = house.done("/api/v1/project/get", json!({ "project_id": "default" })).await;
    let nothing = json!({ "events": null, "payloads": null, "resolved_alerts": null });
    assert_eq!(shown["retention"], nothing);
    keep(&house, json!({ "events": "90d", "payloads": "36h" })).await;
    let updated = keep(&house, json!({ "payloads": null, "resolved_alerts": "2w" })).await;
    let expected = json!({ "events": "90d", "payloads": null, "resolved_alerts": "14d" });
    assert_eq!(updated["retention"], expected);
    let listed = house.done("/api/v1/project/list", json!({})).await;
    assert_eq!(listed["results"][0]["retention"], expected);
    assert_eq!(listed["results"][1]["retention"], nothing);
    let asked = json!({ "project_id": "default", "retention": { "events": "1 month" } });
    let refused = house.post(UPDATE, asked).await;
    assert_eq!((refused.status, refused.pointers()), (400, vec!["/retention/events"]));
}

#[actix_web::test]
async fn what_is_old_goes_and_what_is_open_stays() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let batch = json!({ "events": [event("over", "ALERT"), event("over", "RECOVERY"), event("open", "ALERT")] });
    let old = house.understood(&hook, &batch).await;
    let dead = house.deliver_bytes(&hook, b"{", &[]).await.body;
    house.later(TimeDelta::days(10));
    house.understood(&hook, &event("young", "ALERT")).await;
    house.hour().await;
    assert_eq!(house.events(json!({})).await.len(), 5, "nothing was said, so nothing goes");

    keep(&house, json!({ "events": "9d", "payloads": "5d", "resolved_alerts": "9d" })).await;
    house.hour().await;
    let left = keys(&house).await;
    // The alert about what was not understood is over since something was, so its event is as old as it looks.
    assert_eq!(left, ["open", "young"]);
    let alerts = house.alerts(json!({ "event_key": "over" })).await;
    assert_eq!(alerts.len(), 0, "a resolved alert is as old as its end");
    let open = &house.events(json!({ "event_key": "open" })).await[0];
    assert_eq!(open["raw_data"], Value::Null, "the body is gone though the event is not");
    assert!(!open["alert_id"].is_null());

    let path =
        |receipt: &Value| format!("/api/v1/deliveries/{}", receipt["receipt_id"].as_str().unwrap());
    let kept = house.admin().found(&path(&old)).await;
    assert_eq!(kept["outcomes"].as_array().unwrap().len(), 1, "one of its events is left: {kept}");
    let listed = house.get("/api/v1/deliveries?state=dead").await;
    assert_eq!(listed.body["results"].as_array().unwrap().len(), 0, "nothing waits any more");
    let redriven = house.post(&format!("{}/redrive", path(&dead)), json!({})).await;
    assert_eq!(redriven.status, 404, "{redriven:?}");

    let audit = house.get("/api/v1/audit?action=project.retain").await.body;
    let after = &audit["results"][0]["after"];
    assert_eq!(
        (&after["events"], &after["payloads"], &after["resolved_alerts"]),
        (&json!(3), &json!(2), &json!(1)),
        "{audit}"
    );
    house.hour().await;
    let again = house.get("/api/v1/audit?action=project.retain").await.body;
    assert_eq!(
        again["results"].as_array().unwrap().len(),
        1,
        "a run that removes nothing says nothing"
    );
}

#[actix_web::test]
async fn an_event_may_outlive_its_alert_and_a_delivery_goes_last() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let batch = json!({ "events": [event("over", "ALERT"), event("over", "RECOVERY")] });
    let receipt = house.understood(&hook, &batch).await;
    let path = format!("/api/v1/deliveries/{}", receipt["receipt_id"].as_str().unwrap());
    keep(&house, json!({ "events": "30d", "payloads": "2d", "resolved_alerts": "10d" })).await;
    house.later(TimeDelta::days(11));
    house.hour().await;
    assert_eq!(house.alerts(json!({})).await.len(), 0);
    let events = house.events(json!({})).await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["alert_id"].is_null()), "{events:?}");
    house.admin().found(&path).await;
    house.later(TimeDelta::days(20));
    house.hour().await;
    assert_eq!(house.events(json!({})).await.len(), 0);
    assert_eq!(house.get(&path).await.status, 404);
}

#[actix_web::test]
async fn what_was_numbered_once_is_not_numbered_so_again() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    keep(&house, json!({ "events": "1d", "payloads": "1d", "resolved_alerts": "1d" })).await;
    // A key each: one that comes and goes so often would flap, and stay open.
    for number in 0..300 {
        let key = format!("a{number}");
        let batch = json!({ "events": [event(&key, "ALERT"), event(&key, "RECOVERY")] });
        house.understood(&hook, &batch).await;
    }
    let taken = |webhook: Value| webhook["requests"]["total"].as_u64().unwrap();
    let asked = json!({ "webhook_id": hook.webhook_id });
    house.later(TimeDelta::days(2));
    house.hour().await;
    assert_eq!(house.events(json!({})).await.len(), 0);
    let audit = house.get("/api/v1/audit?action=project.retain").await.body;
    let after = &audit["results"][0]["after"];
    let expected = json!({ "events": 600, "payloads": 300, "deliveries": 300, "resolved_alerts": 300, "messages": 0 });
    assert_eq!(after, &expected);
    house.reopen().await;
    let receipt = house.understood(&hook, &event("b", "ALERT")).await;
    assert_eq!(receipt["items"].as_array().unwrap().len(), 1);
    let alerts = house.alerts(json!({})).await;
    assert_eq!((alerts.len(), &alerts[0]["alert_number"]), (1, &json!(301)));
    assert_eq!(taken(house.done("/monitoring/v1/webhook/get", asked).await), 301);
    // A place before what is gone, and one after it.
    let opened = house.events(json!({})).await;
    assert_eq!(opened.len(), 1);
}
