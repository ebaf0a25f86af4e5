//! The door: who may post, and what a repeat does.

use std::fs;

use actix_web::test::TestRequest;
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
async fn the_server_has_a_limit_for_webhooks_that_have_none() {
    let house = House::with(&["--rate-limit", "2"]).await;
    let (limited, free) = (house.webhook("api-direct").await, json!({ "rate_limit": 100_000 }));
    let free = house.webhook_in("default", "api-direct", free).await;
    let mut refused = (0, 0);
    for _ in 0..30 {
        refused.0 += usize::from(status(&house, &limited).await == 429);
        refused.1 += usize::from(status(&house, &free).await == 429);
    }
    assert!(refused.0 > 0 && refused.1 == 0, "{refused:?}");
}

#[actix_web::test]
async fn forwarded_addresses_count_only_from_trusted_proxies() {
    for (flags, remote) in
        [(vec![], "192.0.2.7"), (vec!["--trusted-proxy", "192.0.2.0/24"], "203.0.113.9")]
    {
        let house = House::with(&flags).await;
        let hook = house.webhook("api-direct").await;
        let forwarded = [("X-Forwarded-For", "198.51.100.1, 203.0.113.9")];
        let body = firing("k").to_string();
        let answer = house.deliver_bytes(&hook, body.as_bytes(), &forwarded).await;
        assert_eq!(answer.status, 200);
        let kept = house.admin().found("/api/v1/deliveries").await;
        assert_eq!(kept["results"][0]["remote"], remote);
    }
}

#[actix_web::test]
async fn the_address_of_a_new_webhook_works_alone() {
    let house = House::with(&["--public-url", "https://alerts.example/"]).await;
    let request = json!({ "name": "prod", "plugin_info": { "plugin_id": "api-direct" } });
    let made = house.done("/monitoring/v1/webhook/create", request.clone()).await;
    assert_eq!(
        (&made["provider"], &made["plugin_info"]["plugin_id"]),
        (&json!("api-direct"), &json!("api-direct"))
    );
    let path =
        made["url"].as_str().unwrap().strip_prefix("https://alerts.example").unwrap().to_owned();
    let request_to = actix_web::test::TestRequest::post().uri(&path).set_json(firing("k"));
    assert_eq!(house.send(request_to).await.status, 200);
    let shown =
        house.done("/monitoring/v1/webhook/get", json!({ "webhook_id": made["webhook_id"] })).await;
    let masked = path.replace(made["access_key"].as_str().unwrap(), "********");
    assert_eq!(shown["webhook_url"], format!("https://alerts.example{masked}"));

    let again = house.post("/monitoring/v1/webhook/create", request).await;
    assert_eq!((again.status, again.code()), (409, "ERROR_NOT_UNIQUE"));
    let unknown = json!({ "name": "other", "provider": "nagios7" });
    let unknown = house.post("/monitoring/v1/webhook/create", unknown).await;
    assert_eq!((unknown.status, unknown.pointers()), (400, vec!["/provider"]));
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
    let answer = house.send(TestRequest::delete().uri(&hook.path())).await;
    assert_eq!((answer.status, answer.code()), (405, "ERROR_METHOD_NOT_ALLOWED"));
    assert_eq!(answer.header("Allow"), Some("POST, PUT, GET, HEAD, OPTIONS"));
    assert!(!answer.text.contains(&hook.access_key));
}

#[actix_web::test]
async fn alertmills_own_webhook_and_project_stay_as_they_are() {
    let house = House::new().await;
    let own = json!({ "webhook_id": "webhook-alertmill" });
    house.done("/monitoring/v1/webhook/get", own.clone()).await;
    for verb in ["disable", "delete", "rotate-key", "update"] {
        let refused = house.post(&format!("/monitoring/v1/webhook/{verb}"), own.clone()).await;
        assert_eq!((refused.status, refused.code()), (403, "ERROR_PERMISSION_DENIED"), "{verb}");
    }
    let off = json!({ "project_id": "system" });
    let refused = house.post("/monitoring/v1/project-alert-config/delete", off).await;
    assert_eq!(refused.status, 403);
}
