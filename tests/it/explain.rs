//! Why an event is what it is, and did what it did.

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use alertmill::rules::samples::{self, SampleRequest};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House, time};

/// A delivery of a payload, with the request around it that its sample asks for.
fn delivery(hook: &Hook, body: &[u8], request: &SampleRequest) -> TestRequest {
    let mut headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.extend(request.content_type.as_deref().map(|kind| ("Content-Type", kind)));
    let delivery = hook.delivery(body, &headers);
    let query = serde_urlencoded::to_string(&request.query).unwrap();
    if query.is_empty() { delivery } else { delivery.uri(&format!("{}?{query}", hook.path())) }
}

#[actix_web::test]
async fn every_stored_event_is_read_the_same_once_more() {
    let house = House::new().await;
    let files = samples::files();
    let (mut explained, mut other, mut hooks) = (0, Vec::new(), BTreeMap::new());
    for (path, body) in &files {
        let Some((provider, case)) = samples::case_of(path) else { continue };
        let request = files
            .get(&format!("{provider}/samples/{case}.request.yaml"))
            .map(|text| SampleRequest::read(case, std::str::from_utf8(text).unwrap()).unwrap());
        if !hooks.contains_key(provider) {
            hooks.insert(provider.to_owned(), house.webhook(provider).await);
        }
        let delivery = delivery(&hooks[provider], body, &request.unwrap_or_default());
        let answer = house.send(delivery).await;
        let items = answer.body["items"].as_array().cloned().unwrap_or_default();
        for item in items.iter().filter(|item| item["what"] != "dead") {
            let id = item["event_id"].as_str().unwrap();
            let told = house.get(&format!("/api/v1/events/{id}/explain")).await.body;
            explained += 1;
            if told["same"] != true || told["mapping_is_current"] != true {
                other.push((path, told));
            }
        }
    }
    assert!(other.is_empty(), "{other:#?}");
    assert!(explained > 50, "{explained}");
}

async fn told(house: &House, receipt: &Value, item: usize) -> Value {
    let id = receipt["items"][item]["event_id"].as_str().unwrap();
    house.get(&format!("/api/v1/events/{id}/explain")).await.body
}

#[actix_web::test]
async fn an_explanation_names_what_decided() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let event = |event_type: &str, at: &str| json!({ "event_key": "disk", "title": "Disk full", "event_type": event_type, "occurred_at": at });
    let firing = |at: &str| event("ALERT", at);
    let opened = house.understood(&hook, &firing("2026-01-01T00:00:00Z")).await;
    let alert = opened["items"][0]["alert_id"].as_str().unwrap().to_owned();
    let said = told(&house, &opened, 0).await;
    let wanted = format!("It opened alert {alert} (#1): no alert of key `disk` was open.");
    assert_eq!(said["because"], wanted);
    assert_eq!(said["origins"]["event_key"]["path"], "$.event_key", "{said}");
    assert_eq!((&said["webhook_id"], &said["item"]), (&json!(hook.webhook_id), &json!(0)));
    assert_eq!(said["received_at"], "2026-01-01T00:00:00.000Z");

    house.later(TimeDelta::minutes(1));
    let joined = house.understood(&hook, &firing("2026-01-01T00:00:00Z")).await;
    let because = told(&house, &joined, 0).await["because"].as_str().unwrap().to_owned();
    assert!(because.starts_with(&format!("It joined alert {alert} (#1)")), "{because}");

    house.later(TimeDelta::minutes(1));
    let over = house.understood(&hook, &event("RECOVERY", "2026-01-01T00:02:00Z")).await;
    let because = told(&house, &over, 0).await["because"].as_str().unwrap().to_owned();
    assert!(because.starts_with(&format!("It resolved alert {alert} (#1)")), "{because}");

    let late = house.understood(&hook, &firing("2026-01-01T00:01:00Z")).await;
    let because = told(&house, &late, 0).await["because"].as_str().unwrap().to_owned();
    let wanted = format!(
        "It is late and changed nothing: it occurred at 2026-01-01T00:01:00.000Z, before the recovery at \
         2026-01-01T00:02:00.000Z that resolved the last alert {alert} of its key `disk`."
    );
    assert_eq!(because, wanted);
    assert_eq!(house.now(), time("2026-01-01T00:02:00Z"));
}

#[actix_web::test]
async fn an_event_that_says_unreadable_tells_what_was_not_understood() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    house.deliver_bytes(&hook, b"{", &[]).await;
    let events = house.events(json!({ "event_type": "ERROR" })).await;
    let id = events[0]["event_id"].as_str().unwrap();
    let said = house.get(&format!("/api/v1/events/{id}/explain")).await.body;
    assert_eq!((&said["same"], &said["mapping"]), (&Value::Null, &Value::Null));
    assert_eq!(said["errors"][0]["cause"], "bad_body", "{said}");
}

#[actix_web::test]
async fn what_is_out_of_scope_is_not_explained() {
    let house = House::new().await;
    house.done("/api/v1/project/create", json!({ "name": "other", "project_id": "other" })).await;
    let hook = house.webhook("api-direct").await;
    let receipt = house.understood(&hook, &json!({ "event_key": "k", "title": "t" })).await;
    let id = receipt["items"][0]["event_id"].as_str().unwrap();
    let token =
        house.token("SERVICE", json!({ "workspace_id": "default", "projects": ["other"] })).await;
    let answer = house.as_token(token).get(&format!("/api/v1/events/{id}/explain")).await;
    assert_eq!((answer.status, answer.code()), (404, "ERROR_NOT_FOUND"));
}

const EDITED: &str = r#"title: Mine
events:
  - name: all
    set:
      event_key: "$.id"
      title: "{{ $.name | upper }}"
      severity:
        from: "$.level"
        map: { high: CRITICAL }
        else: WARNING
"#;

#[actix_web::test]
async fn an_edited_text_is_checked_tested_and_explained_without_being_live() {
    let house = House::new().await;
    let checked =
        house.done("/api/v1/rules/check", json!({ "provider": "zabbix", "text": EDITED })).await;
    assert_eq!(checked["errors"], json!([]));
    let wrong = json!({ "provider": "zabbix", "text": EDITED.replace("title: \"", "titel: \"") });
    let wrong = house.done("/api/v1/rules/check", wrong).await;
    assert_eq!(wrong["errors"][0]["line"], 6, "{wrong}");

    let asked = json!({
        "provider": "zabbix", "text": EDITED, "body": "{\"id\": 7, \"name\": \"disk\", \"level\": \"low\"}",
    });
    let explained = house.done("/api/v1/rules/explain", asked).await;
    assert_eq!(explained["events"][0]["title"], "DISK");
    let severity = &explained["items"][0]["origins"]["severity"];
    assert_eq!((&severity["default"], &severity["line"]), (&json!(true), &json!(7)), "{explained}");

    let right = house.done("/api/v1/rules/test", json!({ "provider": "zabbix" })).await;
    assert_eq!(right["wrong"], 0, "{right}");
    let wrong = json!({ "provider": "zabbix", "text": EDITED });
    let wrong = house.done("/api/v1/rules/test", wrong).await;
    assert!(wrong["wrong"].as_u64().unwrap() > 0);
    let live = house.done("/api/v1/rules/test", json!({})).await;
    assert_eq!(live["wrong"], 0, "{live}");

    let large =
        json!({ "provider": "zabbix", "body": " ".repeat(600_000), "text": " ".repeat(600_000) });
    let refused = house.post("/api/v1/rules/explain", large).await;
    assert_eq!(refused.status, 413);
    let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": "default" })).await;
    let refused = house.as_token(reader.clone()).post("/api/v1/rules/test", json!({})).await;
    assert_eq!(refused.status, 403);
    assert_eq!(house.as_token(reader).get("/api/v1/rules").await.status, 200);
}
