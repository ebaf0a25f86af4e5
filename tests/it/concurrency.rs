//! Many senders at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

fn firing(key: &str) -> Value {
    json!({ "event_key": key, "title": "Disk full", "severity": "ERROR" })
}

/// Posts each body to its webhook, all of them in flight at once.
async fn at_once(house: &House, posts: impl IntoIterator<Item = (&Hook, Value)>) -> Vec<Answer> {
    let in_flight: Vec<_> = posts
        .into_iter()
        .map(|(hook, body)| hook.delivery(body.to_string().as_bytes(), &[]))
        .map(|request| actix_web::rt::spawn(house.send(request)))
        .collect();
    let mut answers = Vec::new();
    for answer in in_flight {
        answers.push(answer.await.unwrap());
    }
    answers
}

fn distinct(rows: &[Value], field: &str) -> usize {
    rows.iter().map(|row| row[field].to_string()).collect::<BTreeSet<_>>().len()
}

#[actix_web::test]
async fn a_storm_of_one_key_is_one_alert() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let answers = at_once(&house, (0..200).map(|_| (&hook, firing("k")))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let opened = answers.iter().filter(|answer| answer.body["items"][0]["what"] == "opened");
    assert_eq!(opened.count(), 1);

    let events = house.events(json!({})).await;
    assert_eq!((events.len(), distinct(&events, "event_id")), (200, 200));
    let alerts = house.alerts(json!({})).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["event_count"], 200);
    assert!(events.iter().all(|event| event["alert_id"] == alerts[0]["alert_id"]));
}

#[actix_web::test]
async fn a_storm_of_many_keys_numbers_its_alerts_without_gaps() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let posts = (0..120).map(|number| (&hook, firing(&format!("k{}", number % 40))));
    at_once(&house, posts).await;
    let alerts = house.alerts(json!({})).await;
    let mut numbers: Vec<_> = alerts.iter().map(|alert| alert["alert_number"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).map(Some).collect::<Vec<_>>());
    assert!(alerts.iter().all(|alert| alert["event_count"] == 3));
}

#[actix_web::test]
async fn two_webhooks_of_one_project_share_keys() {
    let house = House::new().await;
    let (one, two) = (house.webhook("api-direct").await, house.webhook("api-direct").await);
    let posts = (0..40).map(|number| (if number % 2 == 0 { &one } else { &two }, firing("k")));
    at_once(&house, posts).await;
    let alerts = house.alerts(json!({})).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["event_count"], 40);
    let recovery = json!({ "event_key": "k", "event_type": "RECOVERY" });
    let receipt = house.understood(&two, &recovery).await;
    assert_eq!(receipt["items"][0]["what"], "resolved");
}

#[actix_web::test]
async fn two_projects_do_not_share_keys() {
    let house = House::new().await;
    house.done("/api/v1/project/create", json!({ "project_id": "other", "name": "other" })).await;
    let here = house.webhook("api-direct").await;
    let there = house.webhook_in("other", "api-direct", json!({})).await;
    at_once(&house, [(&here, firing("k")), (&there, firing("k"))]).await;
    assert_eq!(house.alerts(json!({})).await.len(), 2);
    assert_eq!(house.alerts(json!({ "project_id": "other" })).await.len(), 1);
}

#[actix_web::test]
async fn one_delivery_sent_many_times_at_once_counts_once() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let body = firing("k").to_string();
    let in_flight: Vec<_> = (0..50)
        .map(|_| hook.delivery(body.as_bytes(), &[("Idempotency-Key", "one")]))
        .map(|request| actix_web::rt::spawn(house.send(request)))
        .collect();
    let mut receipts = BTreeSet::new();
    for answer in in_flight {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        receipts.insert(answer.body.to_string());
    }
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert_eq!(house.events(json!({})).await.len(), 1);
}
