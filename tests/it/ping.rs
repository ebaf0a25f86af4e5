//! Alertmill says outside that it is alive only while it does its work.

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    harness::{House, time},
    receivers::Receiver,
};

#[actix_web::test]
async fn what_does_its_work_says_so_and_what_does_not_is_silent() {
    let receiver = Receiver::answering(&[(200, "", ""), (500, "", ""), (200, "", "")]).await;
    let url = format!("{}/ping/1", receiver.url);
    let house = House::new().await;
    house.ping(&url).await.unwrap();
    assert_eq!(receiver.taken()[0].line, "GET /ping/1");
    let failed = house.ping(&url).await.unwrap_err().to_string();
    assert!(failed.contains("`--ping-url` answered 500"), "{failed}");
    let failed = house.ping("http://127.0.0.1:1/secret").await.unwrap_err().to_string();
    assert!(!failed.contains("secret"), "{failed}");

    // A timer that nobody rings shows that nothing is done.
    let hook = house.webhook("api-direct").await;
    let receipt = house.understood(&hook, &json!({ "event_key": "k", "title": "k" })).await;
    let until = time("2026-01-01T00:05:00Z").to_rfc3339();
    let snooze = json!({ "alert_id": receipt["items"][0]["alert_id"], "until": until });
    house.done("/api/v1/alert/snooze", snooze).await;
    house.later(TimeDelta::minutes(7));
    let failed = house.ping(&url).await.unwrap_err().to_string();
    assert!(failed.contains("is not done yet"), "{failed}");
    assert_eq!(receiver.taken().len(), 2);
    house.second().await;
    house.ping(&url).await.unwrap();
}
