//! Fields that a project has its events indexed by, and how queries would be answered.

use serde_json::{Value, json};

use crate::harness::House;

const LIST: &str = "/monitoring/v1/event/list";
const EXPLAIN: &str = "/api/v1/query/explain";

fn of_cluster(value: &Value) -> Value {
    json!({ "filter": [
        { "k": "project_id", "v": "default", "o": "eq" },
        { "k": "additional_info.cluster", "v": value, "o": "eq" },
    ] })
}

/// A house with events of several clusters, whose project declares the field.
async fn declared() -> House {
    let house = House::new().await;
    let update = json!({ "project_id": "default", "indexed_fields": ["additional_info.cluster"] });
    let updated = house.done("/api/v1/project/update", update).await;
    assert_eq!(updated["indexed_fields"], json!(["additional_info.cluster"]));
    let hook = house.webhook("api-direct").await;
    for cluster in
        [json!("eu"), json!("us"), json!(["eu", "us"]), json!(7), json!({ "a": 1 }), json!(null)]
    {
        let event = json!({ "event_key": cluster.to_string(), "title": cluster.to_string(),
            "additional_info": { "cluster": cluster } });
        house.understood(&hook, &event).await;
    }
    house
}

async fn titles(house: &House, query: Value) -> Vec<String> {
    let page = house.done(LIST, json!({ "query": query })).await;
    let rows = page["results"].as_array().unwrap();
    rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn an_indexed_field_serves_its_queries_and_changes_no_answer() {
    let house = declared().await;
    for (value, found) in [
        (json!("eu"), vec!["[\"eu\",\"us\"]", "\"eu\""]),
        (json!(7), vec!["7"]),
        (json!(7.0), vec!["7"]),
        (json!("7"), vec![]),
        (json!(null), vec!["null"]),
        (json!({ "a": 1 }), vec!["{\"a\":1}"]),
    ] {
        assert_eq!(titles(&house, of_cluster(&value)).await, found, "{value}");
    }
    let asked = json!({ "resource": "event", "query": of_cluster(&json!("eu")) });
    let told = house.done(EXPLAIN, asked.clone()).await;
    let index = told["indexes"][0].as_str().unwrap();
    assert!(
        index.starts_with("declared ") && index.ends_with(" additional_info.cluster"),
        "{told}"
    );
    assert_eq!(told["hint"], Value::Null, "{told}");

    let none = json!({ "project_id": "default", "indexed_fields": [] });
    house.done("/api/v1/project/update", none).await;
    let told = house.done(EXPLAIN, asked).await;
    assert_eq!(told["indexes"], json!(["event_of_project"]), "{told}");
    assert!(told["hint"].as_str().unwrap().contains("declare `additional_info.cluster`"), "{told}");
    assert_eq!(titles(&house, of_cluster(&json!("us"))).await, ["[\"eu\",\"us\"]", "\"us\""]);
}

#[actix_web::test]
async fn what_cannot_be_indexed_is_refused_by_its_place() {
    let house = House::new().await;
    let paths = [
        "title",
        "additional_info",
        "additional_info.a\"; DROP TABLE event; --",
        "additional_info.a') OR 1=1; --",
        "additional_info.a b",
        "additional_info.$",
        "additional_info..a",
        "raw_data.a",
    ];
    for path in paths {
        let update =
            json!({ "project_id": "default", "indexed_fields": ["additional_info.fine", path] });
        let refused = house.post("/api/v1/project/update", update).await;
        assert_eq!(refused.status, 400, "{path}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/indexed_fields/1", "{path}");
    }
    let many: Vec<String> = (0..9).map(|at| format!("additional_info.f{at}")).collect();
    let many = json!({ "project_id": "default", "indexed_fields": many });
    assert_eq!(house.post("/api/v1/project/update", many).await.status, 400);
    let project = house.done("/api/v1/project/get", json!({ "project_id": "default" })).await;
    assert_eq!(project["indexed_fields"], json!([]));
    // A project takes its indexes with it.
    let made =
        json!({ "project_id": "p2", "name": "Two", "indexed_fields": ["additional_info.a.b"] });
    let made = house.done("/api/v1/project/create", made).await;
    assert_eq!(made["indexed_fields"], json!(["additional_info.a.b"]));
    house.done("/api/v1/project/delete", json!({ "project_id": "p2" })).await;
    let made = json!({ "project_id": "p3", "name": "Three" });
    assert_eq!(house.done("/api/v1/project/create", made).await["indexed_fields"], json!([]));
}

#[actix_web::test]
async fn a_query_is_explained_in_words() {
    let house = declared().await;
    let told = async |query: Value| {
        house.done(EXPLAIN, json!({ "resource": "event", "query": query })).await
    };
    let newest = told(json!({})).await;
    assert_eq!(
        (&newest["sorts"], &newest["total"]),
        (&json!(false), &json!("tallies")),
        "{newest}"
    );
    assert_eq!(newest["indexes"], json!(["event_by_time"]), "{newest}");
    let sorted = told(json!({ "sort": [{ "key": "title" }], "page": { "total": "none" } })).await;
    assert_eq!((&sorted["sorts"], &sorted["total"]), (&json!(true), &json!("none")), "{sorted}");
    let word = told(json!({ "keyword": "disk" })).await;
    assert_eq!(
        (&word["indexes"], &word["total"]),
        (&json!(["sought"]), &json!("search")),
        "{word}"
    );
    let rule = told(json!({ "filter": [{ "k": "rule", "v": "x", "o": "eq" }] })).await;
    assert!(rule["hint"].as_str().unwrap().contains("narrow the query"), "{rule}");
    assert_eq!(rule["total"], "rows", "{rule}");
    let wrong =
        json!({ "resource": "event", "query": { "filter": [{ "k": "sevrity", "o": "eq" }] } });
    assert_eq!(house.post(EXPLAIN, wrong).await.status, 400);
    assert_eq!(house.post(EXPLAIN, json!({ "resource": "webhook" })).await.status, 400);
    let alert = house.done(EXPLAIN, json!({ "resource": "alert" })).await;
    assert_eq!(alert["indexes"], json!(["alert_by_time"]), "{alert}");
    let group = json!({ "keys": [{ "key": "severity", "name": "severity" }],
        "fields": [{ "name": "n", "operator": "count" }] });
    let stat = json!({ "resource": "event", "stat": { "aggregate": [{ "group": group }] } });
    let stat = house.done(EXPLAIN, stat).await;
    assert_eq!(stat["indexes"], json!(["tallies"]), "{stat}");
}
