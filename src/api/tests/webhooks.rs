//! Webhooks and their keys.

use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{project, webhook},
    error::Code,
};

#[tokio::test]
async fn a_key_is_shown_once_and_never_again() {
    let house = House::new().await;
    let request = json!({
        "name": "prod", "plugin_info": { "plugin_id": "grafana", "upgrade_mode": "AUTO" },
        "options": { "signing_secrets": ["open sesame"], "time_zone": "Asia/Seoul" },
    });
    let made = house.write(webhook::create, request).await.unwrap();
    let (id, key) = (made["webhook_id"].as_str().unwrap(), made["access_key"].as_str().unwrap());
    let url = format!("http://mill.test/monitoring/v1/webhook/{id}/{key}/events");
    assert_eq!((&made["url"], key.len()), (&json!(url), 64));
    assert_eq!((&made["provider"], &made["project_id"]), (&json!("grafana"), &json!("default")));
    let shown = house.read(webhook::get, json!({ "webhook_id": id })).await.unwrap();
    let listed = house.read(webhook::list, json!({ "name": "prod" })).await.unwrap();
    for text in [shown.to_string(), listed.to_string()] {
        assert!(!text.contains(key) && !text.contains("open sesame"), "{text}");
        assert!(text.contains("********"), "{text}");
    }
    assert_eq!(shown["options"]["signing_secrets"], 1);
    assert_eq!(shown["requests"], json!({ "total": 7, "error": 1 }));
    assert_eq!(shown["refused"], json!([]));
    assert_eq!(listed["total_count"], 1);
}

#[tokio::test]
async fn a_webhook_needs_a_plugin_and_an_alerted_project() {
    let house = House::new().await;
    let quiet = json!({ "project_id": "quiet", "name": "Quiet", "alerting": false });
    house.write(project::create, quiet).await.unwrap();
    for (request, code) in [
        (json!({ "name": "a", "provider": "nagios" }), Code::InvalidParameter),
        (json!({ "name": "a" }), Code::RequiredParameter),
        (json!({ "name": " ", "provider": "grafana" }), Code::RequiredParameter),
        (
            json!({ "name": "a", "provider": "grafana", "plugin_info": { "plugin_id": "x" } }),
            Code::InvalidParameter,
        ),
        (json!({ "name": "a", "provider": "grafana", "project_id": "none" }), Code::NotFound),
        (
            json!({ "name": "a", "provider": "grafana", "project_id": "quiet" }),
            Code::AlertFeatureIsNotActivated,
        ),
        (json!({ "name": "first", "provider": "grafana" }), Code::NotUnique),
    ] {
        let refused = house.write(webhook::create, request.clone()).await.unwrap_err();
        assert_eq!(refused.code, code, "{request}");
    }
}

#[tokio::test]
async fn a_webhook_is_changed_switched_and_deleted() {
    let house = House::new().await;
    let one = || json!({ "webhook_id": "webhook-1" });
    let request =
        json!({ "webhook_id": "webhook-1", "name": "other", "options": { "rate_limit": 5 } });
    let changed = house.write(webhook::update, request).await.unwrap();
    assert_eq!((&changed["name"], &changed["options"]["rate_limit"]), (&json!("other"), &json!(5)));
    assert_eq!(house.write(webhook::disable, one()).await.unwrap()["state"], "DISABLED");
    assert_eq!(house.write(webhook::enable, one()).await.unwrap()["state"], "ENABLED");
    assert_eq!(house.write(webhook::delete, one()).await.unwrap(), json!({}));
    assert_eq!(house.read(webhook::get, one()).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn two_keys_may_be_live_while_senders_change_over() {
    let house = House::new().await;
    let rotate = async |seconds: u32| {
        let request = json!({ "webhook_id": "webhook-1", "expire_old_after": seconds });
        let answer = house.write(webhook::rotate_key, request).await.unwrap();
        let ends = answer["access_keys"].as_array().unwrap().iter();
        ends.map(|key| key["expires_at"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rotate(0).await, [Value::Null]);
    assert_eq!(rotate(3600).await, [json!("2026-01-01T13:00:00.000Z"), Value::Null]);
    assert_eq!(rotate(0).await, [Value::Null]);
}
