//! How many of something there may be, and how much is done at once.

use serde_json::json;

use crate::harness::House;

#[actix_web::test]
async fn a_workspace_has_no_more_channels_than_are_read_for_each_setup() {
    let house = House::new().await;
    let channel = |number: usize| {
        json!({
            "name": format!("channel {number}"), "kind": "WEBHOOK",
            "settings": { "url": "https://example.com/hook" }, "resource_group": "WORKSPACE",
        })
    };
    for number in 0..200 {
        house.done("/api/v1/channel/create", channel(number)).await;
    }
    let refused = house.post("/api/v1/channel/create", channel(200)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("workspace `default` has 200 channels"), "{}", refused.text);
    let mut of_project = channel(201);
    of_project["resource_group"] = json!("PROJECT");
    of_project["project_id"] = json!("default");
    house.done("/api/v1/channel/create", of_project).await;
}

#[actix_web::test]
async fn what_waits_for_a_disabled_channel_is_dropped_a_part_at_a_time() {
    let house = House::new().await;
    let channel = json!({
        "name": "ops", "kind": "WEBHOOK", "settings": { "url": "https://example.com/hook" }, "project_id": "default",
    });
    let made = house.done("/api/v1/channel/create", channel).await;
    let hook = house.webhook("api-direct").await;
    for number in 0..210 {
        house.understood(&hook, &json!({ "event_key": number.to_string(), "title": "t" })).await;
    }
    house.done("/api/v1/channel/disable", json!({ "channel_id": made["channel_id"] })).await;
    let waiting = async || {
        let asked = json!({ "state": "WAITING" });
        let found = house.done("/api/v1/message/list", asked).await;
        found["results"].as_array().unwrap().len()
    };
    assert_eq!(waiting().await, 10);
    house.sends().await;
    assert_eq!(waiting().await, 0);
}
