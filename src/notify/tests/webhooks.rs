//! Webhooks: what is posted, and whether a receiver can prove it.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;

use super::*;
use crate::digest::hmac_sha256;

/// The secret of the example of Standard Webhooks' own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn hook(url: &str, more: Value) -> ChannelKind {
    let mut settings = json!({ "url": url });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    kind(ChannelType::Webhook, settings)
}

/// Whether a request is signed with `secret`, as a receiver checks it.
fn is_signed(request: &Request, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let (id, sent_at) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    let mut message = format!("{id}.{sent_at}.").into_bytes();
    message.extend_from_slice(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &message)));
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

#[test]
fn the_signature_is_that_of_standard_webhooks() {
    // Published with the libraries of Standard Webhooks.
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let message = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
    let signature = STANDARD.encode(hmac_sha256(&key, message));
    assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn a_webhook_gets_a_signed_cloud_event() {
    let receiver = Receiver::new().await;
    let signed = |url: &str| hook(url, json!({ "headers": { "X-Team": "web" } }));
    let channel = signed(&format!("{}/in?a=b", receiver.url));
    let channel = channel.rotated(SECRET.into(), TimeDelta::zero(), at(0));
    let delivered = sent(&channel, &opened()).await.unwrap();
    assert_eq!(delivered, Delivered { status: Some(200), thread: None, note: None });
    let [request] = receiver.taken().try_into().unwrap();
    assert_eq!(request.line, "POST /in?a=b");
    assert_eq!(request.header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!(request.header("x-team"), "web");
    assert_eq!(request.header("webhook-id"), "message-1");
    assert_eq!(request.header("idempotency-key"), "message-1");
    assert_eq!(request.header("webhook-timestamp"), "1767225605");
    assert!(is_signed(&request, SECRET));
    let event = request.json();
    for (field, value) in [
        ("specversion", "1.0"),
        ("id", "message-1"),
        ("source", "https://alerts.example"),
        ("type", "alertmill.alert.opened"),
        ("subject", "alert-1"),
        ("time", "2026-01-01T00:00:00.000Z"),
        ("datacontenttype", "application/json"),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    let data = &event["data"];
    assert_eq!(
        (&data["occasion"], &data["notification_type"]),
        (&json!("OPENED"), &json!("ERROR"))
    );
    assert_eq!(data["ack_url"], "https://alerts.example/ack/t?a=1&b");
    assert_eq!(data["notices"][0]["alert"]["alert_number"], 42);
    assert_eq!(data["notices"][0]["level"], "LV1");
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign() {
    let receiver = Receiver::new().await;
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    let channel = hook(&receiver.url, json!({}))
        .rotated(SECRET.into(), TimeDelta::zero(), at(0))
        .rotated(other.as_str().into(), TimeDelta::seconds(10), at(0));
    sent(&channel, &opened()).await.unwrap();
    sent(&channel, &Parcel { now: at(11), ..opened() }).await.unwrap();
    let [during, after] = receiver.taken().try_into().unwrap();
    assert!(is_signed(&during, SECRET) && is_signed(&during, &other));
    assert!(!is_signed(&after, SECRET) && is_signed(&after, &other));
    // Only when it was sent differs from try to try.
    assert_eq!(
        (during.body, during.headers["webhook-id"].clone()),
        (after.body, "message-1".into())
    );
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_not_signed() {
    let plain = |url: &str| hook(url, json!({ "body": "JSON" }));
    let [request] = got(plain, (202, "", ""), &storm(3)).await.try_into().unwrap();
    assert!(!request.headers.contains_key("webhook-signature"));
    assert_eq!(request.header("content-type"), "application/json");
    let body = request.json();
    assert_eq!(body["notices"].as_array().unwrap().len(), 3);
    assert_eq!(body["title"], "[Alerting] 3 alerts: Down 1 and 2 more");
}

#[tokio::test]
async fn a_templated_body_is_sent_as_it_comes_out_or_not_at_all() {
    let receiver = Receiver::new().await;
    let settings = json!({ "body": "TEMPLATE", "content_type": "text/plain" });
    let channel = hook(&receiver.url, settings);
    let body = Some("{{ alert.title }} {{ ack_url }}".to_owned());
    let templates = Templates { title: None, body };
    deliver(&outbound(), (&channel, &templates), &opened()).await.unwrap();
    let [request] = receiver.taken().try_into().unwrap();
    assert_eq!(request.header("content-type"), "text/plain");
    let text = "Disk <full> & \"hot\" *now* https://alerts.example/ack/t?a=1&b";
    assert_eq!(String::from_utf8(request.body).unwrap(), text);

    let broken = Templates { title: None, body: Some("{{ alert.title|date }}".to_owned()) };
    let fault = deliver(&outbound(), (&channel, &broken), &opened()).await.unwrap_err();
    assert_eq!((fault.retry, receiver.taken().len()), (Retry::Never, 1));
    assert!(fault.reason.starts_with("the template of the body failed: line 1"), "{fault:?}");
}
