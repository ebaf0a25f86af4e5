//! Alerts, as people handle them.

use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{alert, project, project_alert_config, workspace},
    error::Code,
};

#[tokio::test]
async fn an_alert_is_acknowledged_resolved_and_opened_again() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    let update = async |state: &str| {
        let request = json!({ "alert_id": "alert-1", "state": state });
        house.write(alert::update, request).await
    };
    let acked = update("ACKNOWLEDGED").await.unwrap();
    assert_eq!(
        (&acked["state"], &acked["responder"]),
        (&json!("ACKNOWLEDGED"), &json!("token:token-1"))
    );
    let over = update("RESOLVED").await.unwrap();
    assert_eq!(over["resolved_reason"], "resolved by token:token-1");
    assert_eq!(house.read(alert::get, json!({ "alert_id": "alert-1" })).await.unwrap(), over);

    house.firing("event-2", "alert-2", "disk").await;
    let refused = update("TRIGGERED").await.unwrap_err();
    assert_eq!(refused.code, Code::NotUnique);
    house.write(alert::delete, json!({ "alert_id": "alert-2" })).await.unwrap();
    let open = update("TRIGGERED").await.unwrap();
    assert_eq!(open["resolved_at"], Value::Null);
    let listed = house.read(alert::list, json!({ "state": "TRIGGERED" })).await.unwrap();
    assert_eq!(listed["total_count"], 1);
}

#[tokio::test]
async fn an_alert_is_raised_by_hand_and_given_to_someone() {
    let house = House::new().await;
    let request = json!({ "title": " Call back ", "project_id": "default", "urgency": "LOW" });
    let made = house.write(alert::create, request).await.unwrap();
    assert_eq!(made["title"], "Call back");
    assert_eq!((&made["alert_number"], &made["event_count"]), (&json!(1), &json!(0)));
    assert_eq!(made["event_key"], made["alert_id"]);
    let request = json!({ "alert_id": made["alert_id"], "assignee": "amy" });
    let given = house.write(alert::assign_user, request).await.unwrap();
    assert_eq!(given["assignee"], "amy");
    let listed = house.read(alert::list, json!({ "assignee": "amy" })).await.unwrap();
    assert_eq!(listed["results"], json!([given]));

    house.write(project_alert_config::delete, json!({ "project_id": "default" })).await.unwrap();
    let request = json!({ "title": "Again", "project_id": "default" });
    let refused = house.write(alert::create, request).await.unwrap_err();
    assert_eq!(refused.code, Code::AlertFeatureIsNotActivated);
    let nowhere = json!({ "title": "Again", "project_id": "nowhere" });
    assert_eq!(house.write(alert::create, nowhere).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn every_parameter_of_the_list_narrows_it() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    house
        .write(alert::assign_user, json!({ "alert_id": "alert-1", "assignee": "amy" }))
        .await
        .unwrap();
    let acked = json!({ "alert_id": "alert-1", "state": "ACKNOWLEDGED" });
    house.write(alert::update, acked).await.unwrap();
    for (name, value, other) in [
        ("alert_number", json!(1), json!(2)),
        ("alert_id", json!("alert-1"), json!("x")),
        ("title", json!("About disk"), json!("About")),
        ("state", json!("ACKNOWLEDGED"), json!("RESOLVED")),
        ("assignee", json!("amy"), json!("x")),
        ("responder", json!("token:token-1"), json!("x")),
        ("urgency", json!("HIGH"), json!("LOW")),
        ("severity", json!("CRITICAL"), json!("INFO")),
        ("resource", json!("db-1"), json!("db")),
        ("provider", json!("aws"), json!("x")),
        ("account", json!("111"), json!("11")),
        ("triggered_by", json!("webhook-1"), json!("x")),
        ("event_key", json!("disk"), json!("x")),
        ("webhook_id", json!("webhook-1"), json!("x")),
        ("project_id", json!("default"), json!("x")),
        ("workspace_id", json!("default"), json!("x")),
        ("domain_id", json!("default"), json!("x")),
    ] {
        let count = async |value: &Value| {
            let found = house.read(alert::list, json!({ name: value })).await.unwrap();
            found["total_count"].clone()
        };
        assert_eq!(count(&value).await, 1, "{name}");
        assert_eq!(count(&other).await, 0, "{name}");
    }
}

#[tokio::test]
async fn an_alert_moves_only_to_an_alerted_project_of_its_workspace() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    house.write(project::create, json!({ "project_id": "p2", "name": "Two" })).await.unwrap();
    let quiet = json!({ "project_id": "p3", "name": "Three", "alerting": false });
    house.write(project::create, quiet).await.unwrap();
    house.write(workspace::create, json!({ "workspace_id": "w2", "name": "W" })).await.unwrap();
    let far = json!({ "project_id": "p4", "name": "Four", "workspace_id": "w2" });
    house.write(project::create, far).await.unwrap();
    for (project, expected) in [
        ("p3", Code::AlertFeatureIsNotActivated),
        ("p4", Code::InvalidParameter),
        ("p5", Code::NotFound),
    ] {
        let request = json!({ "alert_id": "alert-1", "project_id": project });
        assert_eq!(house.write(alert::update, request).await.unwrap_err().code, expected);
    }
    let request = json!({ "alert_id": "alert-1", "project_id": "p2" });
    assert_eq!(house.write(alert::update, request).await.unwrap()["project_id"], "p2");
    let listed = house.read(alert::list, json!({ "project_id": "p2" })).await.unwrap();
    assert_eq!(listed["total_count"], 1);
}
