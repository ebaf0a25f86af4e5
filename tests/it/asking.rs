//! What is asked of events and alerts, and what is answered.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Hook, House};

const EVENTS: &str = "/monitoring/v1/event/list";
const ALERTS: &str = "/monitoring/v1/alert/list";

/// A house in which five things happened, a minute apart.
async fn lively() -> (House, Hook) {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for event in [
        json!({ "event_key": "cpu", "title": "CPU high", "severity": "CRITICAL", "provider": "aws", "account": "111",
                "resources": ["web-1", "web-2"], "additional_info": { "region": "eu-west-1", "cpu": 93.5 } }),
        json!({ "event_key": "disk", "title": "Disk full", "severity": "WARNING", "provider": "azure",
                "resources": ["db-1"], "additional_info": { "region": "us-east-1", "cpu": 10 }, "rule": "disk>90" }),
        json!({ "event_key": "mem", "title": "Memory 100% [prod]", "severity": "ERROR", "account": "222" }),
        json!({ "event_key": "cpu", "event_type": "RECOVERY", "title": "CPU fine", "severity": "INFO" }),
        json!({ "event_key": "disk", "title": "Disk still full", "severity": "WARNING", "resources": ["db-1"] }),
    ] {
        house.understood(&hook, &event).await;
        house.later(TimeDelta::minutes(1));
    }
    (house, hook)
}

fn titles(page: &Value) -> Vec<&str> {
    let rows = page["results"].as_array().expect("results are always there");
    rows.iter().map(|row| row["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn the_events_of_an_alert_that_moved_away_are_found_where_they_are() {
    let (house, _) = lively().await;
    let other = json!({ "project_id": "other", "name": "Other", "workspace_id": "default" });
    house.done("/api/v1/project/create", other).await;
    let alert_id = house.alerts(json!({ "event_key": "disk" })).await[0]["alert_id"].clone();
    let moved = json!({ "alert_id": alert_id, "project_id": "other" });
    house.done("/monitoring/v1/alert/update", moved).await;
    for (project, events, alerts) in [("default", 2, 0), ("other", 0, 1)] {
        let asked = json!({ "event_key": "disk", "project_id": project });
        assert_eq!(house.events(asked.clone()).await.len(), events, "{project}");
        assert_eq!(house.alerts(asked).await.len(), alerts, "{project}");
        let asked = json!({ "alert_id": alert_id, "project_id": project });
        assert_eq!(house.events(asked).await.len(), events, "{project}");
    }
}

fn filter(k: &str, o: &str, v: Value) -> Value {
    json!({ "query": { "filter": [{ "k": k, "v": v, "o": o }] } })
}

#[actix_web::test]
async fn an_empty_list_says_so() {
    let house = House::new().await;
    for path in [EVENTS, ALERTS, "/monitoring/v1/webhook/list"] {
        let ours = json!({ "project_id": "default" });
        let page = house.done(path, ours).await;
        assert_eq!((&page["results"], &page["total_count"]), (&json!([]), &json!(0)), "{path}");
        let counted = json!({ "project_id": "default", "query": { "count_only": true } });
        let page = house.done(path, counted).await;
        assert_eq!(page["total_count"], 0, "{path}");
    }
}

#[actix_web::test]
async fn lists_come_newest_first() {
    let (house, _) = lively().await;
    let page = house.done(EVENTS, json!({})).await;
    let all = ["Disk still full", "CPU fine", "Memory 100% [prod]", "Disk full", "CPU high"];
    assert_eq!(titles(&page), all);
    let page = house.done(ALERTS, json!({})).await;
    assert_eq!(titles(&page), ["Memory 100% [prod]", "Disk full", "CPU high"]);
}

#[actix_web::test]
async fn every_parameter_of_the_event_list_narrows_it() {
    let (house, hook) = lively().await;
    let events = house.events(json!({})).await;
    let first = &events[0];
    for (parameter, value, count) in [
        ("event_id", first["event_id"].clone(), 1),
        ("event_key", json!("disk"), 2),
        ("event_type", json!("RECOVERY"), 1),
        ("severity", json!("WARNING"), 2),
        ("resource", json!("web-2"), 1),
        ("provider", json!("azure"), 1),
        ("account", json!("222"), 1),
        ("alert_id", first["alert_id"].clone(), 2),
        ("webhook_id", json!(hook.webhook_id), 5),
        ("project_id", json!("default"), 5),
        ("workspace_id", json!("default"), 5),
        ("domain_id", json!("default"), 5),
    ] {
        assert_eq!(house.events(json!({ parameter: value })).await.len(), count, "{parameter}");
        if !matches!(parameter, "event_type" | "severity") {
            assert_eq!(house.events(json!({ parameter: "none" })).await.len(), 0, "{parameter}");
        }
        assert_eq!(house.events(json!({ parameter: "" })).await.len(), 5, "empty is absent");
    }
}

#[actix_web::test]
async fn every_parameter_of_the_alert_list_narrows_it() {
    let (house, hook) = lively().await;
    let alerts = house.alerts(json!({})).await;
    let id = json!({ "alert_id": alerts[1]["alert_id"], "assignee": "amy" });
    house.done("/monitoring/v1/alert/assign-user", id).await;
    let taken = json!({ "alert_id": alerts[2]["alert_id"], "state": "ACKNOWLEDGED" });
    let taken = house.done("/monitoring/v1/alert/update", taken).await;
    for (parameter, value, count) in [
        ("alert_number", json!(2), 1),
        ("alert_id", alerts[1]["alert_id"].clone(), 1),
        ("title", json!("Disk full"), 1),
        ("state", json!("RESOLVED"), 1),
        ("assignee", json!("amy"), 1),
        ("responder", taken["responder"].clone(), 1),
        ("urgency", json!("HIGH"), 2),
        ("severity", json!("CRITICAL"), 1),
        ("resource", json!("web-1"), 1),
        ("provider", json!("aws"), 1),
        ("account", json!("111"), 1),
        ("triggered_by", json!(hook.webhook_id), 3),
        ("event_key", json!("cpu"), 1),
        ("webhook_id", json!(hook.webhook_id), 3),
        ("project_id", json!("default"), 3),
        ("workspace_id", json!("default"), 3),
        ("domain_id", json!("default"), 3),
    ] {
        assert_eq!(house.alerts(json!({ parameter: value })).await.len(), count, "{parameter}");
    }
    assert_eq!(house.alerts(json!({ "project_id": "none" })).await.len(), 0);
    assert_eq!(house.alerts(json!({ "alert_number": 99 })).await.len(), 0);
}

#[actix_web::test]
async fn conditions_hold_as_they_are_documented() {
    let (house, _) = lively().await;
    let start = "2026-01-01T00:02:00Z";
    for (k, o, v, count) in [
        ("severity", "eq", json!("WARNING"), 2),
        ("severity", "not", json!("WARNING"), 3),
        ("severity", "in", json!(["ERROR", "INFO"]), 2),
        ("severity", "not_in", json!(["ERROR", "INFO"]), 3),
        ("title", "contain", json!("disk"), 2),
        ("title", "contain", json!("100% [prod]"), 1),
        ("resources", "eq", json!("web-1"), 1),
        ("resources", "contain", json!("WEB"), 1),
        ("additional_info.cpu", "gt", json!(10), 1),
        ("additional_info.cpu", "gte", json!(10), 2),
        ("additional_info.cpu", "lt", json!(93.5), 1),
        ("additional_info.cpu", "lte", json!(93.5), 2),
        ("additional_info.region", "exists", json!(true), 2),
        ("additional_info.region", "exists", json!(false), 3),
        ("created_at", "gte", json!(start), 3),
        ("created_at", "lt", json!(start), 2),
        ("rule", "eq", json!(null), 4),
    ] {
        let page = house.done(EVENTS, filter(k, o, v.clone())).await;
        assert_eq!(page["total_count"], count, "{k} {o} {v}: {page:#}");
    }
    let both = json!({ "query": {
        "filter": [{ "key": "severity", "value": "WARNING", "operator": "eq" }],
        "filter_or": [{ "k": "title", "v": "Disk full", "o": "eq" }, { "k": "title", "v": "CPU high", "o": "eq" }],
    } });
    assert_eq!(titles(&house.done(EVENTS, both).await), ["Disk full"]);
}

#[actix_web::test]
async fn words_of_a_keyword_are_alternatives() {
    let (house, _) = lively().await;
    for (keyword, count) in [("cpu", 2), ("cpu disk", 4), ("100%", 1), ("nothing", 0), ("", 5)] {
        let page = house.done(EVENTS, json!({ "query": { "keyword": keyword } })).await;
        assert_eq!(page["total_count"], count, "{keyword}");
    }
}

#[actix_web::test]
async fn a_list_shows_as_much_as_was_asked_for() {
    let (house, _) = lively().await;
    let fields = |page: &Value| -> Vec<String> {
        page["results"][0].as_object().unwrap().keys().cloned().collect()
    };
    let minimal = house.done(EVENTS, json!({ "query": { "minimal": true } })).await;
    assert_eq!(
        fields(&minimal),
        ["alert_id", "event_id", "event_key", "event_type", "severity", "title"]
    );
    let only = house.done(EVENTS, json!({ "query": { "only": ["title", "created_at"] } })).await;
    assert_eq!(fields(&only), ["created_at", "event_id", "title"]);
    let counted = house.done(EVENTS, json!({ "query": { "count_only": true } })).await;
    assert_eq!((&counted["results"], &counted["total_count"]), (&json!([]), &json!(5)));
    let sorted =
        json!({ "query": { "sort": [{ "key": "title" }], "page": { "start": 2, "limit": 2 } } });
    let sorted = house.done(EVENTS, sorted).await;
    assert_eq!(titles(&sorted), ["CPU high", "Disk full"]);
    assert_eq!(sorted["total_count"], 5);
}

#[actix_web::test]
async fn names_may_be_written_in_camel_case() {
    let (house, _) = lively().await;
    let camel = json!({ "eventKey": "disk", "query": { "countOnly": true } });
    assert_eq!(house.done(EVENTS, camel).await["total_count"], 2);
    let event = house.events(json!({ "event_key": "mem" })).await.remove(0);
    let camel =
        house.done("/monitoring/v1/event/get", json!({ "eventId": event["event_id"] })).await;
    assert_eq!(camel["title"], event["title"]);
}

#[actix_web::test]
async fn cursors_walk_to_the_end_without_gap_or_repeat_while_more_arrives() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for batch in 0..5 {
        let events: Vec<_> =
            (0..5).map(|item| json!({ "event_key": format!("{batch}-{item}") })).collect();
        house.understood(&hook, &json!(events)).await;
    }
    for path in [EVENTS, ALERTS] {
        let whole = house.done(path, json!({})).await;
        let id = if path == EVENTS { "event_id" } else { "alert_id" };
        let ids = |page: &Value| -> Vec<String> {
            let rows = page["results"].as_array().unwrap().iter();
            rows.map(|row| row[id].as_str().unwrap().to_owned()).collect()
        };
        let (mut walked, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let mut page = json!({ "limit": 4 });
            if !cursor.is_null() {
                page["cursor"] = cursor;
            }
            let found = house.done(path, json!({ "query": { "page": page } })).await;
            walked.extend(ids(&found));
            cursor = found["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
            let late = json!({ "event_key": format!("{path}-{}", walked.len()) });
            house.understood(&hook, &late).await;
        }
        assert_eq!(walked, ids(&whole), "{path}");
        assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), walked.len());
    }
}

#[actix_web::test]
async fn a_mistake_says_where_it_is_and_what_was_expected() {
    let house = House::new().await;
    for (path, request, status, code, pointer) in [
        (EVENTS, filter("sevrity", "eq", json!(1)), 400, "ERROR_DB_QUERY", "/query/filter/0/k"),
        (EVENTS, filter("title", "like", json!(1)), 400, "ERROR_DB_QUERY", "/query/filter/0/o"),
        (
            EVENTS,
            filter("title", "in", json!("a")),
            400,
            "ERROR_OPERATOR_LIST_VALUE_TYPE",
            "/query/filter/0/v",
        ),
        (EVENTS, json!({ "query": { "nonsense": 1 } }), 400, "ERROR_DB_QUERY", "/query/nonsense"),
        (
            EVENTS,
            json!({ "query": { "page": { "cursor": "?" } } }),
            400,
            "ERROR_DB_QUERY",
            "/query/page/cursor",
        ),
        (ALERTS, json!({ "state": "OPEN" }), 400, "ERROR_INVALID_PARAMETER", "/state"),
    ] {
        let answer = house.post(path, request.clone()).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{request}: {answer:?}");
        assert_eq!(answer.pointers(), [pointer], "{request}: {answer:?}");
        assert!(!answer.body["detail"]["message"].as_str().unwrap().is_empty());
    }
}

#[actix_web::test]
async fn every_refusal_wears_the_clothes_of_its_api() {
    let house = House::new().await;
    for (path, request, status, code) in [
        ("/monitoring/v1/event/get", json!({}), 400, "ERROR_REQUIRED_PARAMETER"),
        ("/monitoring/v1/event/get", json!({ "event_id": "event-0" }), 404, "ERROR_NOT_FOUND"),
        (
            "/monitoring/v1/event/get",
            json!({ "event_id": "e", "x": 1 }),
            400,
            "ERROR_INVALID_PARAMETER",
        ),
        ("/monitoring/v1/alert/get", json!({ "alert_id": 5 }), 400, "ERROR_INVALID_PARAMETER_TYPE"),
        ("/monitoring/v1/nothing/here", json!({}), 404, "ERROR_NOT_FOUND"),
        ("/api/v1/project/get", json!({ "project_id": "none" }), 404, "ERROR_NOT_FOUND"),
        ("/api/v1/nothing", json!({}), 404, "ERROR_NOT_FOUND"),
    ] {
        let answer = house.post(path, request).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}: {answer:?}");
        let kind = answer.header("Content-Type").unwrap();
        if path.starts_with("/api/") {
            assert_eq!(
                (kind, &answer.body["status"]),
                ("application/problem+json", &json!(status))
            );
            let request_id = answer.header("X-Request-Id").unwrap();
            assert_eq!(answer.body["request_id"], request_id);
        } else {
            assert_eq!(kind, "application/json");
        }
    }
}

#[actix_web::test]
async fn an_alert_that_was_deleted_is_gone_and_its_events_stay() {
    let (house, hook) = lively().await;
    let disk = house.alerts(json!({ "event_key": "disk" })).await.remove(0);
    let id = json!({ "alert_id": disk["alert_id"] });
    assert_eq!(house.done("/monitoring/v1/alert/delete", id.clone()).await, json!({}));
    assert_eq!(house.post("/monitoring/v1/alert/get", id).await.status, 404);
    assert_eq!(house.alerts(json!({})).await.len(), 2);
    assert_eq!(house.events(json!({ "event_key": "disk" })).await.len(), 2);
    let receipt = house.understood(&hook, &json!({ "event_key": "disk" })).await;
    assert_eq!(receipt["items"][0]["what"], "opened");
}

#[actix_web::test]
async fn deliveries_are_listed_newest_first_and_by_page() {
    let (house, hook) = lively().await;
    let all = house.admin().found("/api/v1/deliveries").await;
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row["delivery_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&all).len(), 5);
    let (mut walked, mut path) = (Vec::new(), "/api/v1/deliveries?limit=2".to_owned());
    loop {
        let page = house.admin().found(&path).await;
        walked.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/deliveries?limit=2&cursor={cursor}");
    }
    assert_eq!(walked, ids(&all));
    let other = house.webhook("api-direct").await;
    let of = |hook: &Hook| format!("/api/v1/deliveries?webhook_id={}", hook.webhook_id);
    assert_eq!(ids(&house.admin().found(&of(&hook)).await).len(), 5);
    assert_eq!(ids(&house.admin().found(&of(&other)).await).len(), 0);
}

#[actix_web::test]
async fn what_the_server_says_of_itself_needs_no_token() {
    let (house, hook) = lively().await;
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"] {
        let answer = house.send(actix_web::test::TestRequest::get().uri(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains(&hook.access_key));
    }
    let metrics = house.get("/metrics").await.text;
    let deliveries = metrics.lines().find(|line| {
        line.contains("deliveries") && line.contains(&hook.webhook_id) && line.contains("applied")
    });
    assert!(deliveries.unwrap().ends_with(" 5"), "{metrics}");
}
