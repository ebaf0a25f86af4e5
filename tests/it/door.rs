//! The door: who may post, what a repeat does, and what becomes of what was not understood.

use std::fs;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House, START};

const UPDATE: &str = "/monitoring/v1/webhook/update";

fn firing(key: &str) -> Value {
    json!({ "event_key": key, "title": "Disk full", "severity": "ERROR" })
}

/// What both senders of a wrong key and of a wrong address see.
fn without_ids(answer: &Answer) -> (u16, Value, Vec<&str>) {
    let names = answer.headers.iter().map(|(name, _)| name.as_str());
    (answer.status, answer.body.clone(), names.collect())
}

async fn rotated(house: &House, hook: &Hook, expire_old_after: Option<u32>) -> Hook {
    let mut request = json!({ "webhook_id": hook.webhook_id });
    if let Some(seconds) = expire_old_after {
        request["expire_old_after"] = json!(seconds);
    }
    Hook::from(&house.done("/monitoring/v1/webhook/rotate-key", request).await)
}

async fn status(house: &House, hook: &Hook) -> u16 {
    house.deliver(hook, &firing("k")).await.status
}

#[actix_web::test]
async fn a_wrong_key_and_an_unknown_webhook_look_alike() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let wrong_key = house.deliver(&hook.with_key("wrong"), &firing("k")).await;
    let nobody = Hook { webhook_id: "webhook-0".to_owned(), ..hook.clone() };
    let unknown = house.deliver(&nobody, &firing("k")).await;
    assert_eq!(wrong_key.status, 401);
    assert_eq!(wrong_key.code(), "ERROR_AUTHENTICATE_FAILURE");
    assert_eq!(without_ids(&wrong_key), without_ids(&unknown));
    assert_eq!(house.events(json!({})).await.len(), 0, "the wrong key opens nothing");

    let disabled = house.webhook("api-direct").await;
    house
        .done("/monitoring/v1/webhook/disable", json!({ "webhook_id": disabled.webhook_id }))
        .await;
    let disabled = house.deliver(&disabled.with_key("wrong"), &firing("k")).await;
    assert_eq!(without_ids(&disabled), without_ids(&unknown), "it tells nothing of its state");
}

#[actix_web::test]
async fn a_key_may_stand_in_the_path_or_in_a_header() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let bearer = format!("Bearer {}", hook.access_key);
    for (headers, status) in [
        (vec![("Authorization", bearer.as_str())], 200),
        (vec![("X-Access-Key", hook.access_key.as_str())], 200),
        (vec![("X-Access-Key", "wrong")], 401),
        (vec![("Authorization", "Bearer wrong"), ("X-Access-Key", "wrong")], 401),
        (vec![], 401),
    ] {
        let body = firing("k").to_string();
        let request = hook.delivery(body.as_bytes(), &headers).uri(&hook.bare_path());
        assert_eq!(house.send(request).await.status, status, "{headers:?}");
    }
    assert_eq!(status(&house, &hook).await, 200);
}

#[actix_web::test]
async fn a_token_of_the_api_opens_no_webhook() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    assert_eq!(status(&house, &hook.with_key(house.admin_token())).await, 401);
}

#[actix_web::test]
async fn a_new_key_replaces_the_old_one_at_once() {
    let house = House::new().await;
    let old = house.webhook("api-direct").await;
    let new = rotated(&house, &old, None).await;
    assert_eq!((status(&house, &old).await, status(&house, &new).await), (401, 200));
}

#[actix_web::test]
async fn with_grace_both_keys_open_until_the_old_one_expires() {
    let mut house = House::new().await;
    let first = house.webhook("api-direct").await;
    let second = rotated(&house, &first, Some(60)).await;
    assert_eq!((status(&house, &first).await, status(&house, &second).await), (200, 200));
    house.reopen().await;
    house.later(TimeDelta::seconds(59));
    assert_eq!((status(&house, &first).await, status(&house, &second).await), (200, 200));
    house.later(TimeDelta::seconds(1));
    assert_eq!((status(&house, &first).await, status(&house, &second).await), (401, 200));
}

#[actix_web::test]
async fn no_more_than_two_keys_are_live() {
    let house = House::new().await;
    let first = house.webhook("api-direct").await;
    let second = rotated(&house, &first, Some(600)).await;
    let third = rotated(&house, &second, Some(600)).await;
    let statuses =
        [status(&house, &first).await, status(&house, &second).await, status(&house, &third).await];
    assert_eq!(statuses, [401, 200, 200]);
}

#[actix_web::test]
async fn no_key_is_shown_twice() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let id = json!({ "webhook_id": hook.webhook_id });
    for (path, request) in [
        ("/monitoring/v1/webhook/get", id.clone()),
        ("/monitoring/v1/webhook/list", json!({})),
        ("/monitoring/v1/webhook/disable", id.clone()),
        ("/monitoring/v1/webhook/enable", id),
    ] {
        let answer = house.post(path, request).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(&hook.access_key), "{path}: {}", answer.text);
    }
    let receipt = house.deliver(&hook, &firing("k")).await;
    assert!(!receipt.text.contains(&hook.access_key));
    let kept = format!("/api/v1/deliveries/{}", receipt.body["receipt_id"].as_str().unwrap());
    let kept = house.get(&kept).await;
    assert_eq!(kept.status, 200);
    assert!(!kept.text.contains(&hook.access_key), "{}", kept.text);
}

#[actix_web::test]
async fn switching_off_on_and_deleting_act_on_the_very_next_request() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let id = json!({ "webhook_id": hook.webhook_id });
    assert_eq!(status(&house, &hook).await, 200);
    house.done("/monitoring/v1/webhook/disable", id.clone()).await;
    let refused = house.deliver(&hook, &firing("k")).await;
    assert_eq!((refused.status, refused.code()), (403, "ERROR_WEBHOOK_STATE_DISABLED"));
    house.done("/monitoring/v1/webhook/enable", id.clone()).await;
    assert_eq!(status(&house, &hook).await, 200);
    house.done("/monitoring/v1/webhook/delete", id.clone()).await;
    assert_eq!(status(&house, &hook).await, 401);
    assert_eq!(house.post("/monitoring/v1/webhook/get", id).await.status, 404);
    assert_eq!(house.events(json!({})).await.len(), 2, "its events stay");
    assert_eq!(house.alerts(json!({})).await[0]["event_count"], 2);
}

#[actix_web::test]
async fn a_repeat_gets_the_first_receipt_and_changes_nothing() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let body = firing("k").to_string();
    let repeat = [("Idempotency-Key", "delivery-7")];
    let first = house.deliver_bytes(&hook, body.as_bytes(), &repeat).await;
    house.later(TimeDelta::minutes(3));
    house.reopen().await;
    let again = house.deliver_bytes(&hook, body.as_bytes(), &repeat).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(house.alerts(json!({})).await[0]["event_count"], 1);

    let other = house.deliver_bytes(&hook, firing("k2").to_string().as_bytes(), &repeat).await;
    assert_eq!(other.status, 401, "another body under the same name");
    assert_eq!(house.events(json!({})).await.len(), 1);
    let elsewhere = house.webhook("api-direct").await;
    let elsewhere = house.deliver_bytes(&elsewhere, body.as_bytes(), &repeat).await;
    assert_eq!(elsewhere.status, 200, "names are each webhook's own");
    assert_ne!(elsewhere.body["receipt_id"], first.body["receipt_id"]);
}

#[actix_web::test]
async fn the_senders_own_name_of_a_delivery_makes_it_a_repeat_too() {
    let house = House::new().await;
    let hook = house.webhook("aws-sns").await;
    let body = fs::read("rules/aws-sns/samples/alarm.json").unwrap();
    let first = house.deliver_bytes(&hook, &body, &[("Content-Type", "text/plain")]).await;
    let again = house.deliver_bytes(&hook, &body, &[("Content-Type", "text/plain")]).await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(house.events(json!({})).await.len(), 1);
}

#[actix_web::test]
async fn a_repeat_of_what_was_not_understood_gets_its_receipt_as_it_was() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let repeat = [("Idempotency-Key", "broken")];
    let first = house.deliver_bytes(&hook, b"{", &repeat).await;
    let again = house.deliver_bytes(&hook, b"{", &repeat).await;
    assert_eq!(first.status, 202);
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(house.events(json!({})).await.len(), 1);
}

/// Signatures that Grafana makes under `open sesame`, of the body, and of `1767225600:` and the body.
const SIGNED: &[u8] = br#"{"status":"firing","alerts":[]}"#;
const OF_BODY: &str = "2b939ed2cb9930b5c5f4f1b4562de57bab9e6b8d0e578806206b250f59cc0c91";
const OF_TIME_AND_BODY: &str = "e233f928c07e850889054da1052e59ebf47d69d259d34d5f11de0f53eb99f1d4";

#[actix_web::test]
async fn a_signature_must_fit_the_body_and_the_time() {
    let house = House::new().await;
    let secrets = json!({ "signing_secrets": ["open sesame"] });
    let hook = house.webhook_in("default", "grafana", secrets).await;
    let (name, time) = ("X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Signature-Timestamp");
    for (told, body, headers, status) in [
        ("signed", SIGNED, vec![(name, OF_BODY)], 200),
        ("unsigned", SIGNED, vec![], 401),
        ("another body", b"{}", vec![(name, OF_BODY)], 401),
        ("signed with its time", SIGNED, vec![(name, OF_TIME_AND_BODY), (time, "1767225600")], 200),
        ("another time", SIGNED, vec![(name, OF_TIME_AND_BODY), (time, "1767225601")], 401),
        ("without its time", SIGNED, vec![(name, OF_TIME_AND_BODY)], 401),
    ] {
        let answer = house.deliver_bytes(&hook, body, &headers).await;
        assert_eq!(answer.status, status, "{told}: {answer:?}");
    }
    house.later(TimeDelta::minutes(6));
    let old = [(name, OF_TIME_AND_BODY), (time, "1767225600")];
    assert_eq!(house.deliver_bytes(&hook, SIGNED, &old).await.status, 401, "signed too long ago");
}

#[actix_web::test]
async fn a_signing_secret_that_is_changed_counts_at_once() {
    let house = House::new().await;
    let hook = house.webhook("grafana").await;
    let signed = [("X-Grafana-Alerting-Signature", OF_BODY)];
    for (secrets, status) in
        [(json!(["other"]), 401), (json!(["other", "open sesame"]), 200), (json!([]), 200)]
    {
        let options = json!({ "signing_secrets": secrets });
        house.done(UPDATE, json!({ "webhook_id": hook.webhook_id, "options": options })).await;
        assert_eq!(house.deliver_bytes(&hook, SIGNED, &signed).await.status, status, "{secrets}");
    }
}

#[actix_web::test]
async fn a_subscription_is_answered_and_is_no_event() {
    let house = House::new().await;
    let hook = house.webhook("aws-sns").await;
    let body = fs::read("rules/aws-sns/samples/subscription-confirmation.json").unwrap();
    let plain = [("Content-Type", "text/plain; charset=UTF-8")];
    let answer = house.deliver_bytes(&hook, &body, &plain).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
    assert_eq!(house.events(json!({})).await.len(), 0);
    let kept = house.admin().found("/api/v1/deliveries").await;
    assert_eq!(kept["results"][0]["state"], "ignored");
    assert!(kept["results"][0]["ignored"].as_str().unwrap().contains("confirm"));
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

#[actix_web::test]
async fn what_was_refused_leaves_a_trace() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    assert_eq!(status(&house, &hook.with_key("wrong")).await, 401);
    house.done("/monitoring/v1/webhook/disable", json!({ "webhook_id": hook.webhook_id })).await;
    assert_eq!(status(&house, &hook).await, 403);
    let nobody = Hook { webhook_id: "webhook-0".to_owned(), ..hook.clone() };
    assert_eq!(status(&house, &nobody).await, 401);

    let shown =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": hook.webhook_id })).await;
    assert_eq!(shown["refused"].as_array().unwrap().len(), 2, "{shown:#}");
    let path = format!("/api/v1/deliveries?state=refused&webhook_id={}", hook.webhook_id);
    let listed = house.admin().found(&path).await;
    assert_eq!(listed["results"], shown["refused"]);
    for refused in listed["results"].as_array().unwrap() {
        assert_eq!(
            (&refused["remote"], &refused["refused_at"]),
            (&json!("192.0.2.7"), &json!(START))
        );
        assert!(!refused["reason"].as_str().unwrap().is_empty());
    }
    let strangers = house.admin().found("/api/v1/deliveries?state=refused").await;
    assert_eq!(strangers["results"].as_array().unwrap().len(), 1, "{strangers:#}");
    assert_eq!(strangers["results"][0]["webhook_id"], "webhook-0");
}

#[actix_web::test]
async fn who_posts_faster_than_the_limit_is_told_when_to_go_on() {
    let house = House::new().await;
    let hook = house.webhook_in("default", "api-direct", json!({ "rate_limit": 3 })).await;
    let mut refused = None;
    for _ in 0..60 {
        let answer = house.deliver(&hook, &firing("k")).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit of three a second stops sixty");
    assert_eq!((refused.status, refused.code()), (429, "ERROR_TOO_MANY_REQUESTS"));
    let seconds: u32 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!(seconds >= 1);
    let other = house.webhook("api-direct").await;
    assert_eq!(status(&house, &other).await, 200, "each webhook has its own limit");
    let shown =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": hook.webhook_id })).await;
    assert!(!shown["refused"].as_array().unwrap().is_empty());
    let lifted = json!({ "webhook_id": hook.webhook_id, "options": { "rate_limit": 0 } });
    house.done(UPDATE, lifted).await;
    assert_eq!(status(&house, &hook).await, 200, "lifting it counts at once");
}

#[actix_web::test]
async fn a_project_where_alerting_is_off_takes_no_deliveries() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    house
        .done("/monitoring/v1/project-alert-config/delete", json!({ "project_id": "default" }))
        .await;
    let refused = house.deliver(&hook, &firing("k")).await;
    assert_eq!((refused.status, refused.code()), (400, "ERROR_ALERT_FEATURE_IS_NOT_ACTIVATED"));
    house
        .done("/monitoring/v1/project-alert-config/create", json!({ "project_id": "default" }))
        .await;
    assert_eq!(status(&house, &hook).await, 200);
    let recovery = json!({ "event_key": "k", "event_type": "RECOVERY" });
    let receipt = house.understood(&hook, &recovery).await;
    assert_eq!(receipt["items"][0]["why"], "manual_recovery", "MANUAL where nothing is said");
}

#[actix_web::test]
async fn other_methods_at_the_door_are_told_what_is_allowed() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let answer = house.get(&hook.path()).await;
    assert_eq!((answer.status, answer.code()), (405, "ERROR_METHOD_NOT_ALLOWED"));
    assert_eq!(answer.header("Allow"), Some("POST"));
    assert!(!answer.text.contains(&hook.access_key));
}
