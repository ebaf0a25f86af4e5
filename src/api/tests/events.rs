//! Events, asked for.

use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{delivery, event},
    error::Code,
};

#[tokio::test]
async fn an_event_shows_the_whole_payload_it_came_in() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    let shown = house.read(event::get, json!({ "event_id": "event-1" })).await.unwrap();
    assert_eq!(shown["raw_data"], json!({ "of": "event-1" }));
    assert_eq!(shown["alert_id"], "alert-1");
    assert_eq!(shown["occurred_at"], Value::Null);
    assert_eq!(shown["created_at"], "2026-01-01T12:00:00.000Z");
    let kept = json!({ "delivery_id": shown["delivery_id"] });
    let kept = house.read(delivery::get, kept).await.unwrap();
    assert_eq!(kept["body"], r#"{"of":"event-1"}"#);
    assert_eq!(kept["body_encoding"], "text");
    assert_eq!(kept["outcomes"][0]["event_id"], "event-1");
}

#[tokio::test]
async fn every_parameter_of_the_list_narrows_it() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    for (name, value) in [
        ("event_id", "event-1"),
        ("event_key", "disk"),
        ("event_type", "ALERT"),
        ("severity", "CRITICAL"),
        ("resource", "db-1"),
        ("provider", "aws"),
        ("account", "111"),
        ("alert_id", "alert-1"),
        ("webhook_id", "webhook-1"),
        ("project_id", "default"),
        ("workspace_id", "default"),
        ("domain_id", "default"),
    ] {
        let count = async |value: &str| {
            let found = house.read(event::list, json!({ name: value })).await.unwrap();
            found["total_count"].clone()
        };
        assert_eq!(count(value).await, 1, "{name}");
        let other = match name {
            "event_type" => "RECOVERY",
            "severity" => "INFO",
            _ => "other",
        };
        assert_eq!(count(other).await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_list_shows_as_much_of_each_record_as_was_asked_for() {
    let house = House::new().await;
    house.firing("event-1", "alert-1", "disk").await;
    let list =
        async |query: Value| house.read(event::list, json!({ "query": query })).await.unwrap();
    let only = list(json!({ "only": ["title", "additional_info.region"] })).await;
    let shown = json!({ "event_id": "event-1", "title": "About disk", "additional_info": { "region": "eu" } });
    assert_eq!(only["results"], json!([shown]));
    let minimal = list(json!({ "minimal": true })).await;
    assert_eq!(minimal["results"][0].as_object().unwrap().len(), 6);
    let counted = list(json!({ "count_only": true })).await;
    assert_eq!(counted, json!({ "results": [], "total_count": 1 }));
    let none = list(json!({ "keyword": "nothing like it" })).await;
    assert_eq!(none, json!({ "results": [], "total_count": 0 }));
}

#[tokio::test]
async fn a_mistake_in_a_query_says_where_it_is() {
    let house = House::new().await;
    let query = json!({ "filter": [{ "k": "sevrity", "v": "INFO", "o": "eq" }] });
    let error = house.read(event::list, json!({ "query": query })).await.unwrap_err();
    assert_eq!(
        (error.code, error.mistakes[0].pointer.as_str()),
        (Code::Query, "/query/filter/0/k")
    );
    assert_eq!(error.detail, "unknown field `sevrity`; did you mean `severity`?");
}

#[tokio::test]
async fn a_page_ends_early_before_it_grows_too_large() {
    let house = House::new().await;
    let body = format!(r#"{{"fill":"{}"}}"#, "x".repeat(6 << 20));
    for name in ["a", "b", "c"] {
        house.posted(name, None, name, &body).await;
    }
    let asked = json!({ "query": { "sort": [{ "key": "event_id" }] } });
    let first = house.read(event::list, asked).await.unwrap();
    assert_eq!(first["results"].as_array().unwrap().len(), 2);
    let cursor = &first["next_cursor"];
    let asked =
        json!({ "query": { "sort": [{ "key": "event_id" }], "page": { "cursor": cursor } } });
    let second = house.read(event::list, asked).await.unwrap();
    assert_eq!(second["results"][0]["event_id"], "c");
    assert_eq!(second.get("next_cursor"), None);
}
