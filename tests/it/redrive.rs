//! What was not understood: it is kept, it says so once, and it is driven again once the rules are mended.

use std::fs;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, House, START};

fn firing(key: &str) -> Value {
    json!({ "event_key": key, "title": "Disk full", "severity": "ERROR" })
}

/// A mapping that asks for `event_key` alone, and one that takes `id` too.
const STRICT: &str = "title: Direct\nevents:\n  - name: list\n    each: $.events[*]\n    set:\n      event_key: \"@.event_key\"\n      event_type: \"@.event_type\"\n      title: \"@.title\"\n      occurred_at: \"@.occurred_at\"\n";

fn mended() -> String {
    STRICT.replace("\"@.event_key\"", "{from: [\"@.event_key\", \"@.id\"]}")
}

fn three_of_which_one_has_no_key() -> Value {
    json!({ "events": [
        { "event_key": "a", "title": "A" },
        { "id": "b", "title": "B", "occurred_at": "2026-01-01T00:00:00Z" },
        { "event_key": "c", "title": "C" },
    ] })
}

/// A house whose rules are `STRICT`, and the directory where they can be mended.
async fn strict() -> (tempfile::TempDir, House) {
    let rules = tempfile::tempdir().unwrap();
    fs::create_dir(rules.path().join("api-direct")).unwrap();
    fs::write(rules.path().join("api-direct/mapping.yaml"), STRICT).unwrap();
    let house = House::with(&["--rules", rules.path().to_str().unwrap()]).await;
    (rules, house)
}

async fn redriven(house: &House, delivery: &Value) -> Answer {
    let path = format!("/api/v1/deliveries/{}/redrive", delivery.as_str().unwrap());
    house.post(&path, json!({})).await
}

#[actix_web::test]
async fn one_item_of_three_without_a_key_is_kept_until_the_rule_is_mended() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let answer = house.deliver(&hook, &three_of_which_one_has_no_key()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["state"], "partial");
    let items = answer.body["items"].as_array().unwrap();
    let what: Vec<_> = items.iter().map(|item| item["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["opened", "dead", "opened"]);
    assert!(items[1]["why"].as_str().unwrap().contains("event_key"), "{}", items[1]);
    assert_eq!(items[1]["file"], "api-direct/mapping.yaml");
    assert_eq!(items[1]["line"], 6, "{}", items[1]);
    assert_eq!(house.events(json!({ "event_type": "ALERT" })).await.len(), 2);
    let error = house.alerts(json!({ "state": "ERROR" })).await;
    assert_eq!(error.len(), 1);
    assert!(error[0]["description"].as_str().unwrap().contains("mapping.yaml:6"), "{}", error[0]);

    let delivery = &answer.body["receipt_id"];
    let nothing = redriven(&house, delivery).await;
    assert_eq!(nothing.status, 200, "{nothing:?}");
    assert_eq!(nothing.body["items"][1]["what"], "dead", "nothing was mended yet");
    assert_eq!(house.events(json!({ "event_type": "ALERT" })).await.len(), 2);

    fs::write(rules.path().join("api-direct/mapping.yaml"), mended()).unwrap();
    house.later(TimeDelta::hours(5));
    house.reopen().await;
    let done = redriven(&house, delivery).await;
    assert_eq!((done.status, done.body["state"].as_str()), (200, Some("applied")), "{done:?}");
    let events = house.events(json!({ "event_type": "ALERT" })).await;
    let keys: Vec<_> = events.iter().map(|event| event["event_key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    let late = events.iter().find(|event| event["event_key"] == "b").unwrap();
    assert_eq!((&late["created_at"], &late["item"]), (&json!(START), &json!(1)), "when it came");
    assert_eq!(house.alerts(json!({ "event_key": "b" })).await[0]["state"], "TRIGGERED");
    let calmed = house.alerts(json!({ "alert_id": error[0]["alert_id"] })).await;
    assert_eq!(calmed[0]["state"], "RESOLVED", "all that was dead was driven again");
}

#[actix_web::test]
async fn driving_again_twice_changes_nothing() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let answer = house.deliver(&hook, &three_of_which_one_has_no_key()).await;
    fs::write(rules.path().join("api-direct/mapping.yaml"), mended()).unwrap();
    house.reopen().await;
    let first = redriven(&house, &answer.body["receipt_id"]).await;
    let before = (house.events(json!({})).await, house.alerts(json!({})).await);
    house.later(TimeDelta::hours(1));
    let second = redriven(&house, &answer.body["receipt_id"]).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    assert_eq!(before, (house.events(json!({})).await, house.alerts(json!({})).await));
    let kept = house.admin().found("/api/v1/deliveries?state=dead").await;
    assert_eq!(kept["results"], json!([]));
}

#[actix_web::test]
async fn an_event_driven_again_keeps_its_place_in_the_order() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let broken = json!({ "events": [{ "id": "b", "title": "B" }] });
    let answer = house.deliver(&hook, &broken).await;
    house.later(TimeDelta::minutes(1));
    house.understood(&hook, &json!({ "events": [firing("later")] })).await;
    fs::write(rules.path().join("api-direct/mapping.yaml"), mended()).unwrap();
    house.reopen().await;
    redriven(&house, &answer.body["receipt_id"]).await;
    let events = house.events(json!({ "event_type": "ALERT" })).await;
    let keys: Vec<_> = events.iter().map(|event| event["event_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["b", "later"]);
}

#[actix_web::test]
async fn a_delivery_that_no_variant_fitted_becomes_its_items_once_one_does() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let list = json!([{ "event_key": "a", "title": "A" }, { "event_key": "b", "title": "B" }]);
    let mapping = rules.path().join("api-direct/mapping.yaml");
    let picky = STRICT.replace("    each:", "    when:\n      $.events: {type: array}\n    each:");
    fs::write(&mapping, picky).unwrap();
    house.reopen().await;
    let answer = house.deliver(&hook, &list).await;
    assert_eq!((answer.status, answer.body["state"].as_str()), (202, Some("dead")), "{answer:?}");
    assert!(answer.body["items"][0]["index"].is_null());
    assert_eq!(house.alerts(json!({ "state": "ERROR" })).await.len(), 1);

    fs::write(&mapping, STRICT.replace("$.events[*]", "$[*]")).unwrap();
    house.reopen().await;
    let done = redriven(&house, &answer.body["receipt_id"]).await;
    assert_eq!(done.body["state"], "applied", "{done:?}");
    let what: Vec<_> =
        done.body["items"].as_array().unwrap().iter().map(|item| &item["what"]).collect();
    assert_eq!(what, ["opened", "opened"]);
    assert_eq!(house.events(json!({ "event_type": "ALERT" })).await.len(), 2);
    assert_eq!(house.alerts(json!({ "state": "ERROR" })).await.len(), 0);
}

#[actix_web::test]
async fn driving_again_what_is_broken_still_raises_nothing_new() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let answer = house.deliver_bytes(&hook, b"{", &[]).await;
    let before = (house.events(json!({})).await, house.alerts(json!({})).await);
    house.later(TimeDelta::hours(1));
    for _ in 0..2 {
        let again = redriven(&house, &answer.body["receipt_id"]).await;
        assert_eq!((again.status, &again.body), (200, &answer.body));
    }
    assert_eq!(before, (house.events(json!({})).await, house.alerts(json!({})).await));
    let nothing = house.post("/api/v1/deliveries/receipt-0/redrive", json!({})).await;
    assert_eq!((nothing.status, nothing.code()), (404, "ERROR_NOT_FOUND"));
}

#[actix_web::test]
async fn a_firing_driven_again_after_its_recovery_came_ends_at_once() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let firing = json!({ "id": "k", "title": "K", "occurred_at": "2026-01-01T00:00:00Z" });
    let recovery = json!({ "event_key": "k", "event_type": "RECOVERY", "occurred_at": "2026-01-01T00:03:00Z" });
    let answer = house.deliver(&hook, &json!({ "events": [firing] })).await;
    house.later(TimeDelta::minutes(3));
    let receipt = house.understood(&hook, &json!({ "events": [recovery] })).await;
    assert_eq!(receipt["items"][0]["why"], "nothing_to_recover");
    fs::write(rules.path().join("api-direct/mapping.yaml"), mended()).unwrap();
    house.later(TimeDelta::hours(5));
    house.reopen().await;
    let done = redriven(&house, &answer.body["receipt_id"]).await;
    assert_eq!(done.body["items"][0]["why"], "already_recovered", "{done:?}");
    let alerts = house.alerts(json!({ "event_key": "k" })).await;
    assert_eq!((alerts.len(), &alerts[0]["state"]), (1, &json!("RESOLVED")));
    assert_eq!(alerts[0]["event_count"], 2);
}

#[actix_web::test]
async fn what_was_driven_again_ends_the_error_alert_only_when_all_of_it_was() {
    let (rules, mut house) = strict().await;
    let hook = house.webhook("api-direct").await;
    let (one, two) = (json!({ "events": [{ "id": "a" }] }), json!({ "events": [{ "id": "b" }] }));
    let one = house.deliver(&hook, &one).await;
    let two = house.deliver(&hook, &two).await;
    fs::write(rules.path().join("api-direct/mapping.yaml"), mended()).unwrap();
    house.reopen().await;
    redriven(&house, &one.body["receipt_id"]).await;
    assert_eq!(house.alerts(json!({ "state": "ERROR" })).await.len(), 1, "one waits still");
    redriven(&house, &two.body["receipt_id"]).await;
    assert_eq!(house.alerts(json!({ "state": "ERROR" })).await.len(), 0);
}

#[actix_web::test]
async fn a_broken_sender_gives_one_alert_and_its_next_good_delivery_ends_it() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for number in 0..5 {
        let broken = format!("{{\"number\": {number}, oops");
        let answer = house.deliver_bytes(&hook, broken.as_bytes(), &[]).await;
        assert_eq!(
            (answer.status, answer.body["state"].as_str()),
            (202, Some("dead")),
            "{answer:?}"
        );
        assert!(answer.body["items"][0]["index"].is_null());
    }
    house.reopen().await;
    let alerts = house.alerts(json!({})).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0]["state"], &alerts[0]["event_count"]), (&json!("ERROR"), &json!(5)));
    assert!(alerts[0]["title"].as_str().unwrap().starts_with("Webhook Event Parsing Error - "));
    let listed = house.admin().found("/api/v1/deliveries?state=dead").await;
    assert_eq!(listed["results"].as_array().unwrap().len(), 5);

    house.understood(&hook, &firing("k")).await;
    let calmed = house.alerts(json!({ "alert_id": alerts[0]["alert_id"] })).await;
    assert_eq!(calmed[0]["state"], "RESOLVED");
    assert!(calmed[0]["resolved_reason"].as_str().unwrap().contains("understood again"));
}

#[actix_web::test]
async fn an_error_alert_that_someone_took_is_ended_by_the_next_good_delivery_too() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    house.deliver_bytes(&hook, b"{", &[]).await;
    let alert = house.alerts(json!({})).await[0]["alert_id"].clone();
    let taken = json!({ "alert_id": alert, "state": "ACKNOWLEDGED" });
    house.done("/monitoring/v1/alert/update", taken).await;
    house.understood(&hook, &firing("k")).await;
    assert_eq!(house.alerts(json!({ "alert_id": alert })).await[0]["state"], "RESOLVED");
}

#[actix_web::test]
async fn an_error_that_the_sender_itself_tells_is_its_own_to_end() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let told = json!({ "event_key": "exporter", "event_type": "ERROR", "title": "No connection" });
    let repeat = [("Idempotency-Key", "told")];
    let first = house.deliver_bytes(&hook, told.to_string().as_bytes(), &repeat).await;
    assert_eq!(
        (&first.body["items"][0]["what"], &first.body["items"][0]["why"]),
        (&json!("opened"), &json!("new_key"))
    );
    house.reopen().await;
    let again = house.deliver_bytes(&hook, told.to_string().as_bytes(), &repeat).await;
    assert_eq!(first.body, again.body);
    house.understood(&hook, &firing("k")).await;
    let alert = &house.alerts(json!({ "event_key": "exporter" })).await[0];
    assert_eq!((&alert["state"], &alert["event_count"]), (&json!("ERROR"), &json!(1)));
    let recovery = json!({ "event_key": "exporter", "event_type": "RECOVERY" });
    assert_eq!(house.understood(&hook, &recovery).await["items"][0]["what"], "resolved");
}

#[actix_web::test]
async fn a_good_delivery_of_one_webhook_does_not_excuse_another() {
    let house = House::new().await;
    let (broken, good) = (house.webhook("api-direct").await, house.webhook("api-direct").await);
    house.deliver_bytes(&broken, b"{", &[]).await;
    house.understood(&good, &firing("k")).await;
    assert_eq!(house.alerts(json!({ "state": "ERROR" })).await.len(), 1);
}

#[actix_web::test]
async fn what_was_not_understood_is_kept_byte_for_byte() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for (body, shown, encoding) in [
        (&b"not { json \xe2\x82\xac"[..], "not { json \u{20ac}", "text"),
        (&b"\xff\xfe\x00"[..], "//4A", "base64"),
        (&b""[..], "", "text"),
    ] {
        let headers = [("Content-Type", "text/html"), ("X-Trace", "7"), ("Cookie", "secret")];
        let answer = house.deliver_bytes(&hook, body, &headers).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let path = format!("/api/v1/deliveries/{}", answer.body["receipt_id"].as_str().unwrap());
        let kept = house.admin().found(&path).await;
        assert_eq!((&kept["body"], &kept["body_encoding"]), (&json!(shown), &json!(encoding)));
        assert_eq!(kept["headers"]["x-trace"], "7");
        assert!(kept["headers"]["cookie"].is_null(), "credentials are not kept");
        assert_eq!((&kept["state"], &kept["received_at"]), (&json!("dead"), &json!(START)));
        assert_eq!(kept["remote"], "192.0.2.7");
    }
}
