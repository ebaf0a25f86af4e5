//! What a person who asks wrongly is told: mistaken queries, and every word of the answers, in one snapshot.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::{Answer, House};

const EVENTS: &str = "/monitoring/v1/event/list";
const ALERTS: &str = "/monitoring/v1/alert/list";
const EVENT_STAT: &str = "/monitoring/v1/event/stat";
const ALERT_STAT: &str = "/monitoring/v1/alert/stat";
const ANALYZE: &str = "/api/v1/alert/analyze";

/// A text that would do harm in a statement.
const SQL: &str = "x' OR 1=1; DROP TABLE event; --";

/// One condition.
fn when(k: &str, o: &str, v: Value) -> Value {
    json!({ "filter": [{ "k": k, "o": o, "v": v }] })
}

/// One stage.
fn stage(stage: Value) -> Value {
    json!({ "aggregate": [stage] })
}

/// A group with one field.
fn grouped(field: Value) -> Value {
    stage(
        json!({ "group": { "keys": [{ "key": "severity", "name": "severity" }], "fields": [field] } }),
    )
}

/// Mistakes in the conditions of a list.
#[expect(clippy::too_many_lines, reason = "a list")]
fn mistaken_conditions() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("an unknown field", EVENTS, when("sevrity", "eq", json!("ERROR"))),
        ("a field of something else", EVENTS, when("state", "eq", json!("TRIGGERED"))),
        ("an empty key", EVENTS, when("", "eq", json!(1))),
        ("no key", EVENTS, json!({ "filter": [{ "o": "eq", "v": 1 }] })),
        ("a key that is no text", EVENTS, json!({ "filter": [{ "k": 1, "o": "eq", "v": 1 }] })),
        ("no operator", EVENTS, json!({ "filter": [{ "k": "title", "v": "x" }] })),
        ("an unknown operator", EVENTS, when("title", "equals", json!("x"))),
        (
            "two keys in a condition",
            EVENTS,
            json!({ "filter": [{ "k": "title", "key": "title", "o": "eq", "v": "x" }] }),
        ),
        (
            "an unknown member of a condition",
            EVENTS,
            json!({ "filter": [{ "k": "title", "o": "eq", "value_": "x" }] }),
        ),
        ("a condition that is no object", EVENTS, json!({ "filter": ["title = x"] })),
        (
            "a filter that is no list",
            EVENTS,
            json!({ "filter": { "k": "title", "o": "eq", "v": "x" } }),
        ),
        ("a list for one value", EVENTS, when("severity", "eq", json!(["ERROR"]))),
        ("one value for a list", EVENTS, when("severity", "in", json!("ERROR"))),
        ("one value for a list of parts", EVENTS, when("title", "contain_in", json!("x"))),
        ("a number contained in a text", EVENTS, when("title", "contain", json!(5))),
        ("words for a whole number", ALERTS, when("alert_number", "eq", json!("abc"))),
        ("a word for true or false", EVENTS, when("provider", "exists", json!("true"))),
        ("a text where members are matched", ALERTS, when("resources", "match", json!("web-1"))),
        ("an expression that does not end", EVENTS, when("title", "regex", json!("(["))),
        ("an expression that looks back", EVENTS, when("title", "regex", json!("(a)\\1"))),
        (
            "an expression that explodes",
            EVENTS,
            when("title", "regex", json!("(a{1000}){1000}{1000}")),
        ),
        (
            "an expression without an end in sight",
            EVENTS,
            when("title", "regex", json!("a".repeat(5_000))),
        ),
        ("an expression that is a number", EVENTS, when("title", "regex", json!(5))),
        (
            "a broken expression among others",
            EVENTS,
            when("title", "regex_in", json!(["ok", "(["])),
        ),
        ("a day that is none", EVENTS, when("created_at", "datetime_gte", json!("2024-02-31"))),
        ("yesterday", EVENTS, when("created_at", "datetime_gte", json!("yesterday"))),
        ("a year before now", EVENTS, when("created_at", "timediff_gte", json!("now-1y"))),
        ("two steps at once", EVENTS, when("created_at", "timediff_gt", json!("now-1h30m"))),
        (
            "an endless way back",
            EVENTS,
            when("created_at", "timediff_gt", json!("now-99999999999999999999d")),
        ),
        ("harm in a key", EVENTS, when(SQL, "eq", json!("x"))),
        ("harm in an operator", EVENTS, when("title", SQL, json!("x"))),
        (
            "ten thousand conditions",
            EVENTS,
            json!({ "filter": vec![json!({ "k": "title", "o": "eq", "v": "x" }); 10_000] }),
        ),
        (
            "ten thousand conditions of which one must hold",
            ALERTS,
            json!({ "filter_or": vec![json!({ "k": "title", "o": "eq", "v": "x" }); 10_000] }),
        ),
        ("a thousand words", EVENTS, json!({ "keyword": "a ".repeat(1_000) })),
        ("a keyword that is a list", EVENTS, json!({ "keyword": ["a"] })),
    ]
}

/// Mistakes in the rest of a list.
fn mistaken_lists() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("an unknown member", EVENTS, json!({ "filters": [] })),
        ("a query that is a text", EVENTS, json!("severity = ERROR")),
        ("a negative page", EVENTS, json!({ "page": { "start": -1, "limit": 10 } })),
        ("half a page", EVENTS, json!({ "page": { "limit": 1.5 } })),
        ("a page in words", EVENTS, json!({ "page": { "limit": "ten" } })),
        ("a cursor of somebody's own", EVENTS, json!({ "page": { "cursor": SQL } })),
        ("an unknown total", EVENTS, json!({ "page": { "total": "all" } })),
        ("harm in an order", EVENTS, json!({ "sort": [{ "key": "title", "desc": SQL }] })),
        ("an order without a key", EVENTS, json!({ "sort": [{ "desc": true }] })),
        ("an unknown field to show", EVENTS, json!({ "only": ["titel"] })),
        ("harm in a field to show", EVENTS, json!({ "only": [SQL] })),
        ("an unwind without a path", EVENTS, json!({ "unwind": { "x": 1 }, "only": ["event_id"] })),
        ("a count that is a word", EVENTS, json!({ "count_only": "yes" })),
    ]
}

/// Mistakes in what is counted.
#[expect(clippy::too_many_lines, reason = "a list")]
fn mistaken_counts() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("nothing to count", EVENT_STAT, json!({})),
        ("an unknown stage", EVENT_STAT, stage(json!({ "grop": {} }))),
        ("two stages in one", EVENT_STAT, stage(json!({ "limit": 1, "skip": 1 }))),
        (
            "an unknown operator of a group",
            EVENT_STAT,
            grouped(json!({ "name": "n", "operator": "median", "key": "item" })),
        ),
        ("a group's field without a name", EVENT_STAT, grouped(json!({ "operator": "count" }))),
        ("a sum of nothing", EVENT_STAT, grouped(json!({ "name": "n", "operator": "sum" }))),
        ("an empty group", EVENT_STAT, stage(json!({ "group": { "keys": [], "fields": [] } }))),
        ("a limit of nothing", EVENT_STAT, stage(json!({ "limit": 0 }))),
        ("a skip backwards", EVENT_STAT, stage(json!({ "skip": -1 }))),
        ("an order that is no list", ALERT_STAT, stage(json!({ "sort": { "key": "x" } }))),
        (
            "a bucket of no length",
            EVENT_STAT,
            stage(
                json!({ "group": { "keys": [{ "key": "created_at", "name": "t", "bucket": "0m" }], "fields": [{ "name": "n", "operator": "count" }] } }),
            ),
        ),
        (
            "a time zone on no map",
            EVENT_STAT,
            stage(
                json!({ "group": { "keys": [{ "key": "created_at", "name": "t", "bucket": "1d", "time_zone": "Mars/Olympus" }], "fields": [{ "name": "n", "operator": "count" }] } }),
            ),
        ),
        (
            "a date in no known form",
            EVENT_STAT,
            stage(
                json!({ "group": { "keys": [{ "key": "created_at", "name": "t", "date_format": "%Q" }], "fields": [{ "name": "n", "operator": "count" }] } }),
            ),
        ),
        (
            "an unwind that filters by nothing",
            EVENT_STAT,
            stage(json!({ "unwind": { "path": "" } })),
        ),
        (
            "a share of two hundred in a hundred",
            ALERT_STAT,
            grouped(
                json!({ "name": "p", "operator": "percentile", "key": "event_count", "p": 200 }),
            ),
        ),
        (
            "harm in a filter of a count",
            EVENT_STAT,
            json!({ "filter": [{ "k": SQL, "o": "eq", "v": 1 }], "distinct": "severity" }),
        ),
        ("an analysis of no fields", ANALYZE, json!({ "group_by": ["state"] })),
        (
            "an analysis with an unknown operator",
            ANALYZE,
            json!({ "fields": { "n": { "operator": "mod" } }, "group_by": ["state"] }),
        ),
        (
            "an analysis of an unknown step",
            ANALYZE,
            json!({ "fields": { "n": { "operator": "count" } }, "granularity": "HOURLY", "date_field": "created_at" }),
        ),
    ]
}

fn all() -> Vec<(&'static str, &'static str, Value)> {
    let mut all = mistaken_conditions();
    all.extend(mistaken_lists());
    all.extend(mistaken_counts());
    all
}

/// Two tenants in one file, and what one of them may call with.
async fn neighbours() -> (House, String) {
    let house = House::new().await;
    for id in ["ours", "rival"] {
        house.done("/api/v1/domain/create", json!({ "domain_id": id, "name": id })).await;
        let workspace = json!({ "workspace_id": id, "name": id, "domain_id": id });
        house.done("/api/v1/workspace/create", workspace).await;
        let project = json!({ "project_id": id, "name": id, "workspace_id": id });
        house.done("/api/v1/project/create", project).await;
        let hook = house.webhook_in(id, "api-direct", json!({})).await;
        let said = json!({ "event_key": id, "title": format!("{id} 100% \"down\""), "resources": [id],
                           "additional_info": { "secret": id } });
        house.understood(&hook, &said).await;
    }
    let reach = json!({ "domain_id": "ours", "workspace_id": "ours" });
    let token = house.token("WORKSPACE_OWNER", reach).await;
    (house, token)
}

/// What an answer says, without what differs from call to call.
fn told(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    format!("{} {body}", answer.status)
}

#[actix_web::test]
async fn every_mistaken_query_is_answered_with_its_place_and_what_was_meant() {
    let (house, token) = neighbours().await;
    let caller = house.as_token(token);
    let mut page = String::new();
    let mistakes = all();
    assert!(mistakes.len() >= 50, "{}", mistakes.len());
    for (what, path, query) in mistakes {
        let answer = caller.post(path, json!({ "query": query })).await;
        let _ = writeln!(page, "# {what}\n{}\n", told(&answer));
        assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
        assert!(!answer.text.contains("rival"), "{what}: {}", answer.text);
        assert!(answer.text.len() < 4_000, "{what}: an answer of {} bytes", answer.text.len());
    }
    insta::assert_snapshot!(page);
    let left = house.events(json!({})).await;
    assert_eq!(left.len(), 2, "nothing was changed by asking");
}

#[actix_web::test]
async fn a_query_that_is_nested_a_thousand_deep_is_refused() {
    let (house, token) = neighbours().await;
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    let body = format!(r#"{{"query":{{"filter":[{{"k":"title","o":"eq","v":{deep}}}]}}}}"#);
    let request = actix_web::test::TestRequest::post()
        .uri(EVENTS)
        .insert_header(("Content-Type", "application/json"))
        .set_payload(body);
    let answer = house.as_token(token).send(request).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[actix_web::test]
async fn no_text_in_a_query_is_more_than_a_text() {
    let (house, token) = neighbours().await;
    let caller = house.as_token(token);
    let texts = [
        "%",
        "_",
        "100%",
        "\"",
        "'",
        "''",
        "\\",
        "*",
        "[a-z]",
        ".*",
        "$.a",
        "\0",
        "rival",
        SQL,
        "%' OR '1'='1",
        "\") OR 1=1 --",
        "x\" UNION SELECT * FROM token --",
        "${jndi:ldap://x}",
        "{{7*7}}",
    ];
    for text in texts {
        for key in [
            "title",
            "event_key",
            "resources",
            "additional_info.secret",
            "raw_data.title",
            "webhook_id",
        ] {
            for operator in ["eq", "contain", "gt", "lte"] {
                let page =
                    caller.post(EVENTS, json!({ "query": when(key, operator, json!(text)) })).await;
                assert_eq!(page.status, 200, "{key} {operator} {text:?}: {page:?}");
                assert!(!page.text.contains("\"rival\""), "{key} {operator} {text:?}: {page:?}");
            }
            for operator in ["in", "not_in", "contain_in", "not_contain_in"] {
                let page = caller
                    .post(EVENTS, json!({ "query": when(key, operator, json!([text])) }))
                    .await;
                assert_eq!(page.status, 200, "{key} {operator} {text:?}: {page:?}");
                assert!(!page.text.contains("\"rival\""), "{key} {operator} {text:?}: {page:?}");
            }
        }
        let below = format!("additional_info.{text}");
        for query in [
            when(&below, "eq", json!(1)),
            when(&below, "regex", json!("a")),
            json!({ "keyword": text }),
            json!({ "sort": [{ "key": text }] }),
            json!({ "sort": [{ "key": below }] }),
            json!({ "only": [below] }),
        ] {
            let page = caller.post(EVENTS, json!({ "query": query })).await;
            assert_eq!(page.status, 200, "{query}: {page:?}");
            assert!(!page.text.contains("\"rival\""), "{query}: {page:?}");
        }
        let stat = json!({ "aggregate": [{ "group": {
            "keys": [{ "key": below, "name": text }], "fields": [{ "name": "n", "operator": "count" }] } }] });
        let rows = caller.post(EVENT_STAT, json!({ "query": stat })).await;
        assert!(!rows.text.contains("rival\""), "{stat}: {rows:?}");
    }
    let everything = json!({ "filter_or": [{ "k": "domain_id", "o": "exists", "v": true }, { "k": "project_id", "o": "eq", "v": "rival" }] });
    let page = caller.post(EVENTS, json!({ "query": everything })).await;
    assert_eq!(page.body["total_count"], 1, "{page:?}");
    let projects = caller.post(EVENT_STAT, json!({ "query": { "distinct": "project_id" } })).await;
    assert_eq!(projects.body["results"], json!(["ours"]), "{projects:?}");
}
