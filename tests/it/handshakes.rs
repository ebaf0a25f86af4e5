//! What senders ask at the door before they send events, and how they show who they are.

use std::fs;

use actix_web::{http::Method, test::TestRequest};
use serde_json::json;

use crate::harness::{Answer, Hook, House};

/// A house whose plugins are ours and one of a sender that asks all there is to ask.
async fn house() -> (House, tempfile::TempDir) {
    let overlay = tempfile::tempdir().unwrap();
    let directory = overlay.path().join("asks");
    fs::create_dir_all(&directory).unwrap();
    let manifest = "\
title: Asks
mapping: api-direct
sender_id: [{header: X-Delivery}]
signatures:
  - hmac:
      header: Authorization
      prefix: 'HMAC '
      encoding: base64
      signed: '{body}'
  - hmac: {body: $.signature, signed: '{$.token}'}
handshakes:
  - method: [GET]
    when: [{query: crc_token, exists: true}]
    reason: a challenge
    reply: {json: {response_token: {hmac: {of: {query: crc_token}, prefix: 'sha256='}}}}
  - when: [{body: $.type, is: url_verification}]
    reason: a challenge
    reply: {echo: $.challenge}
  - when: [{header: X-Confirm, exists: true}]
    reason: it asks to be confirmed
    reply: {text: ok}
    confirm: {header: X-Confirm, host: 'hooks\\.example\\.com'}
";
    fs::write(directory.join("plugin.yaml"), manifest).unwrap();
    let path = overlay.path().to_str().unwrap();
    (House::with(&["--plugins", path]).await, overlay)
}

fn asked(method: Method, path: &str) -> TestRequest {
    TestRequest::default().method(method).uri(path)
}

/// HMAC-SHA256 of `{"event_key":"k"}` under `key`, in base64; self-made.
const OF_BODY: &str = "QeDZRNN0d4tWbIOq6aIeTKIjARzXJu7u3NqavWrQS+I=";
const BODY: &[u8] = br#"{"event_key":"k"}"#;

async fn signed(house: &House, hook: &Hook, body: &[u8], shown: &str) -> Answer {
    house.deliver_bytes(hook, body, &[("Authorization", shown)]).await
}

#[actix_web::test]
async fn a_probe_is_answered_and_leaves_nothing_behind() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("api-direct").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = house.send(asked(method.clone(), &hook.path())).await;
        assert_eq!(answer.status, 200, "{method}");
    }
    for path in [hook.with_key("wrong").path(), hook.bare_path()] {
        let answer = house.send(asked(Method::GET, &path)).await;
        assert_eq!((answer.status, answer.code()), (401, "ERROR_AUTHENTICATE_FAILURE"));
    }
    let kept = house.admin().found("/api/v1/deliveries").await;
    assert_eq!(kept["results"], json!([]));
}

#[actix_web::test]
async fn who_asks_whether_it_may_send_is_told_so() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("api-direct").await;
    let question = asked(Method::OPTIONS, &hook.path());
    let question = question.insert_header(("WebHook-Request-Origin", "events.example.com"));
    let answer = house.send(question).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("WebHook-Allowed-Origin"), Some("events.example.com"));
    assert_eq!(answer.header("WebHook-Allowed-Rate"), Some("*"));
    assert!(answer.header("Allow").unwrap().contains("POST"));
    let answer = house.send(asked(Method::OPTIONS, &hook.with_key("wrong").path())).await;
    assert_eq!(answer.status, 401);
}

#[actix_web::test]
async fn challenges_are_answered_and_are_no_events() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("asks").await;
    let challenge = json!({ "type": "url_verification", "challenge": "3eZbrw" });
    let answer = house.deliver(&hook, &challenge).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "3eZbrw"));
    let confirm = [("X-Confirm", "https://hooks.example.com/1")];
    let answer = house.deliver_bytes(&hook, b"no JSON", &confirm).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));

    let question = format!("{}?crc_token=abc", hook.path());
    let answer = house.send(asked(Method::GET, &question)).await;
    assert_eq!(answer.text, "ok", "without a secret it is a probe like any other");
    let options = json!({ "signing_secrets": ["key"] });
    let update = json!({ "webhook_id": hook.webhook_id, "options": options });
    house.done("/monitoring/v1/webhook/update", update).await;
    let answer = house.send(asked(Method::GET, &question)).await;
    let tag = "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab";
    assert_eq!(answer.body, json!({ "response_token": format!("sha256={tag}") }));
    assert_eq!(house.events(json!({})).await.len(), 0);
}

#[actix_web::test]
async fn a_signature_in_the_authorization_header_fits_and_is_not_kept() {
    let (house, _overlay) = house().await;
    let secrets = json!({ "signing_secrets": ["new key", "key"] });
    let hook = house.webhook_in("default", "asks", secrets).await;
    let shown = format!("HMAC {OF_BODY}");
    let answer = signed(&house, &hook, BODY, &shown).await;
    assert_eq!(answer.status, 200, "signed with the older of two live secrets: {answer:?}");
    let tampered = signed(&house, &hook, br#"{"event_key":"l"}"#, &shown).await;
    assert_eq!((tampered.status, tampered.code()), (401, "ERROR_AUTHENTICATE_FAILURE"));
    let rotated =
        json!({ "webhook_id": hook.webhook_id, "options": { "signing_secrets": ["new key"] } });
    house.done("/monitoring/v1/webhook/update", rotated).await;
    assert_eq!(signed(&house, &hook, BODY, &shown).await.status, 401, "its secret is gone");

    let receipt = answer.body["receipt_id"].as_str().unwrap();
    let kept = house.admin().found(&format!("/api/v1/deliveries/{receipt}")).await;
    assert!(kept["headers"].get("authorization").is_none(), "{kept}");
}

#[actix_web::test]
async fn a_signature_over_fields_of_the_body_fits() {
    let (house, _overlay) = house().await;
    let secrets = json!({ "signing_secrets": ["key"] });
    let hook = house.webhook_in("default", "asks", secrets).await;
    let tag = "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab";
    let posted = |token: &str| json!({ "event_key": "k", "token": token, "signature": tag });
    assert_eq!(house.deliver(&hook, &posted("abc")).await.status, 200);
    assert_eq!(house.deliver(&hook, &posted("abd")).await.status, 401);
    assert_eq!(house.deliver(&hook, &json!({ "event_key": "k" })).await.status, 401);
}

#[actix_web::test]
async fn the_key_may_be_the_password_of_a_user_of_any_name() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("api-direct").await;
    let basic = |key: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(format!("alertmill:{key}")))
    };
    for (shown, status) in [
        (basic(&hook.access_key), 200),
        (basic("wrong"), 401),
        ("Basic !".to_owned(), 401),
        (basic(""), 401),
    ] {
        let request = TestRequest::post()
            .uri(&hook.bare_path())
            .insert_header(("Authorization", shown.as_str()))
            .set_payload(r#"{"event_key":"k"}"#);
        assert_eq!(house.send(request).await.status, status, "{shown}");
    }
}

#[actix_web::test]
async fn what_a_sender_appends_to_the_address_is_a_parameter() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("api-direct").await;
    for path in
        [format!("{}/v2/alerts/a%20b%2Fc%25/close?x=1", hook.path()), format!("{}/", hook.path())]
    {
        let request = TestRequest::put().uri(&path).set_payload(r#"{"event_key":"k"}"#);
        assert_eq!(house.send(request).await.status, 200, "{path}");
    }
    let kept = house.admin().found("/api/v1/deliveries").await;
    let oldest = kept["results"][1]["delivery_id"].as_str().unwrap();
    let kept = house.admin().found(&format!("/api/v1/deliveries/{oldest}")).await;
    assert_eq!(kept["query"], json!({ "path": "v2/alerts/a b/c%/close", "x": "1" }));
}

#[actix_web::test]
async fn a_name_that_was_seen_with_another_body_is_a_replay() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("asks").await;
    let named = [("X-Delivery", "d-1")];
    assert_eq!(house.deliver_bytes(&hook, br#"{"event_key":"a"}"#, &named).await.status, 200);
    assert_eq!(house.deliver_bytes(&hook, br#"{"event_key":"a"}"#, &named).await.status, 200);
    assert_eq!(house.deliver_bytes(&hook, br#"{"event_key":"b"}"#, &named).await.status, 401);
    assert_eq!(house.events(json!({})).await.len(), 1);
}
