//! What Alertmill says of itself.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::House;

#[actix_web::test]
async fn deliveries_that_pile_up_raise_one_alert_in_the_system_project() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    let of_system = || json!({ "project_id": "system", "event_key": "alertmill:dead-deliveries" });
    for _ in 0..99 {
        house.deliver_bytes(&hook, b"{", &[]).await;
    }
    house.tick().await;
    assert_eq!(house.alerts(of_system()).await.len(), 0, "a few are no pile");

    house.deliver_bytes(&hook, b"{", &[]).await;
    for _ in 0..3 {
        house.tick().await;
        house.later(TimeDelta::minutes(1));
    }
    let alerts = house.alerts(of_system()).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(
        (&alerts[0]["state"], &alerts[0]["severity"]),
        (&json!("TRIGGERED"), &json!("WARNING"))
    );
    assert_eq!(alerts[0]["event_count"], 1, "what has not changed is not said again");
}
