//! Taking everything out, and bringing it into another store.

use std::io::Read;

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, House};

const EVENTS: &str = "/api/v1/events/export";
const ALERTS: &str = "/api/v1/alerts/export";

/// Texts that have hurt someone before.
const NASTY: [&str; 14] = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\ttab",
    "\rcr",
    "two\nlines\r\nand \"quotes\", and a comma",
    "'; DROP TABLE event; --",
    "%_%",
    "\u{0}nul\u{0}",
    "\u{feff}bom \u{202e}turned\u{202c}",
    "👩‍👩‍👧‍👦 ẞ İ ﬃ",
    "{\"error\": \"no\"}",
    "",
];

/// An event that says something hard to carry.
fn nasty(number: usize) -> Value {
    let text = |at: usize| NASTY[at % NASTY.len()];
    let severity = ["CRITICAL", "WARNING", "INFO", "none", "ERROR"][number % 5];
    // Some are not understood, and said to be so by events of our own.
    let severity = if number % 300 == 299 { "odd" } else { severity };
    let provider = ["aws", ""][number % 2];
    json!({
        "event_key": format!("key {} {}", number % 97, text(number)),
        "event_type": if number.is_multiple_of(5) { "RECOVERY" } else { "ALERT" },
        "severity": severity,
        "title": format!("{}{}", text(number + 1), number),
        "description": text(number + 2),
        "rule": text(number + 3),
        "resources": [text(number + 4), format!("host-{number}")],
        "provider": provider,
        "account": text(number + 5),
        "occurred_at": "2025-12-31T23:59:59.123Z",
        "additional_info": {
            "cluster": format!("c{}", number % 3),
            text(number + 6): text(number + 7),
            "float": 0.1 + number_as_float(number) / 3.0,
            "tiny": 5e-324,
            "large": 18_446_744_073_709_551_615_u64,
            "negative": -9_007_199_254_740_993_i64,
            "deep": { "list": [1, [2.5, null, { "x": true }], text(number)] },
        },
    })
}

fn number_as_float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap()) * 1.000_000_1
}

/// A house with so many events in several projects, what was not understood, and alerts that people answered.
pub async fn full(events: usize) -> House {
    let house = House::new().await;
    let made = json!({ "project_id": "p2", "workspace_id": "default", "name": "second" });
    house.done("/api/v1/project/create", made).await;
    let hooks = [
        house.webhook_in("default", "api-direct", json!({})).await,
        house.webhook_in("p2", "api-direct", json!({})).await,
    ];
    let all: Vec<Value> = (0..events).map(nasty).collect();
    for (number, some) in all.chunks(7).enumerate() {
        house.deliver(&hooks[number % 2], &json!(some)).await;
        if number % 3 != 0 {
            house.later(TimeDelta::milliseconds(1));
        }
    }
    house.deliver_bytes(&hooks[0], b"no JSON at all", &[]).await;
    house.deliver_bytes(&hooks[0], b"\xff\xfe\x00", &[]).await;
    house.later(TimeDelta::seconds(1));
    let open = json!({ "query": { "filter": [{ "k": "state", "v": "TRIGGERED", "o": "eq" }] } });
    let open = house.done("/monitoring/v1/alert/list", open).await;
    for (at, alert) in open["results"].as_array().unwrap().iter().take(6).enumerate() {
        let state = ["ACKNOWLEDGED", "RESOLVED"][at % 2];
        let change = json!({ "alert_id": alert["alert_id"], "state": state });
        house.done("/monitoring/v1/alert/update", change).await;
    }
    let by_hand = json!({ "title": "By hand", "project_id": "p2", "assignee": "someone" });
    house.done("/monitoring/v1/alert/create", by_hand).await;
    house
}

/// What is taken out by this request.
pub async fn taken(house: &House, path: &str, request: Value) -> Answer {
    let answer = house.post(path, request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Brings lines in, the last ones first, a chunk at a time, as the command does with what is newest first.
pub async fn bring(house: &House, path: &str, text: &str) -> Vec<Value> {
    let lines: Vec<&str> = text.lines().rev().collect();
    let mut answers = Vec::new();
    for chunk in lines.chunks(700) {
        let request = TestRequest::post().uri(path).set_payload(chunk.join("\n"));
        let answer = house.admin().send(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answers.push(answer.body);
    }
    answers
}

fn sum(answers: &[Value], name: &str) -> u64 {
    answers.iter().map(|answer| answer[name].as_u64().unwrap()).sum()
}

#[actix_web::test]
async fn what_is_taken_out_and_brought_in_elsewhere_is_taken_out_the_same() {
    let house = full(2500).await;
    let alerts = taken(&house, ALERTS, json!({})).await.text;
    let events = taken(&house, EVENTS, json!({})).await.text;
    assert!(events.lines().count() > 2500 && alerts.lines().count() > 100);

    let other = House::new().await;
    let brought = bring(&other, "/api/v1/alert/import", &alerts).await;
    assert_eq!(sum(&brought, "refused"), 0, "{brought:?}");
    assert_eq!(sum(&brought, "imported"), alerts.lines().count() as u64);
    let brought = bring(&other, "/api/v1/event/import", &events).await;
    let told = (sum(&brought, "refused"), sum(&brought, "orphaned"));
    assert_eq!(told, (0, 0), "{:?}", brought[0]["errors"]);
    assert_eq!(sum(&brought, "imported"), events.lines().count() as u64);

    let again = taken(&other, ALERTS, json!({})).await.text;
    same(&alerts, &again);
    let again = taken(&other, EVENTS, json!({})).await.text;
    same(&events, &again);

    let twice = bring(&other, "/api/v1/event/import", &events).await;
    assert_eq!(sum(&twice, "unchanged"), events.lines().count() as u64, "{:?}", twice[0]["errors"]);
    let twice = bring(&other, "/api/v1/alert/import", &alerts).await;
    assert_eq!(sum(&twice, "unchanged"), alerts.lines().count() as u64, "{:?}", twice[0]["errors"]);
    same(&events, &taken(&other, EVENTS, json!({})).await.text);
}

/// Fails at the first line that differs.
fn same(a: &str, b: &str) {
    for (at, (a, b)) in a.lines().zip(b.lines()).enumerate() {
        assert_eq!(a, b, "line {}", at + 1);
    }
    assert_eq!(a.len(), b.len());
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn an_export_holds_what_the_list_holds_in_its_order() {
    let house = full(1500).await;
    let query = json!({
        "filter": [{ "k": "additional_info.cluster", "v": "c1", "o": "eq" }],
        "page": { "limit": 1000 },
    });
    let listed = house.done("/monitoring/v1/event/list", json!({ "query": query })).await;
    let exported = taken(&house, EVENTS, json!({ "query": query })).await;
    let listed = listed["results"].as_array().unwrap();
    assert!(listed.len() > 400);
    assert_eq!(rows(&exported.text), *listed);
    assert_eq!(exported.header("content-type"), Some("application/x-ndjson"));

    let oldest = json!({ "query": { "sort": [{ "key": "created_at" }] }, "severity": "CRITICAL" });
    let oldest = rows(&taken(&house, EVENTS, oldest).await.text);
    let newest = rows(&taken(&house, EVENTS, json!({ "severity": "CRITICAL" })).await.text);
    assert!(newest.len() > 200);
    assert_eq!(oldest.iter().rev().collect::<Vec<_>>(), newest.iter().collect::<Vec<_>>());

    let whole =
        taken(&house, ALERTS, json!({ "format": "json", "query": { "page": { "limit": 1000 } } }))
            .await;
    let listed = house.done("/monitoring/v1/alert/list", json!({})).await;
    assert_eq!(whole.body["results"], listed["results"]);
}

#[actix_web::test]
async fn a_table_has_the_columns_that_were_asked_for_and_no_formulas() {
    let house = full(60).await;
    let asked = "?format=csv&columns=title,additional_info.cluster,item&severity=CRITICAL";
    let table = house.get(&format!("{EVENTS}{asked}")).await;
    assert_eq!(table.status, 200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = table.header("content-disposition").unwrap();
    assert_eq!(name, "attachment; filename=\"alertmill-events-20260101T000001Z.csv\"");
    let mut reader = csv::Reader::from_reader(table.text.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["title", "additional_info.cluster", "item"]);
    let cells: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(cells.len() >= 12);
    let formulas = ['=', '+', '-', '@', '\t', '\r'];
    assert!(cells.iter().all(|row| row.iter().all(|cell| !cell.starts_with(formulas))));
    assert!(cells.iter().any(|row| row[0].starts_with('\'')));

    let by_header = TestRequest::get().uri(ALERTS).insert_header(("Accept", "text/csv"));
    let table = house.admin().send(by_header).await;
    let heading = table.text.lines().next().unwrap();
    assert!(heading.starts_with("alert_number,alert_id,state,severity,"), "{heading}");
    let only = json!({ "format": "csv", "query": { "only": ["title"] } });
    assert!(taken(&house, EVENTS, only).await.text.starts_with("event_id,title\r\n"));
    let shown = json!({ "columns": ["title", "additional_info.cluster"] });
    let row = &rows(&taken(&house, EVENTS, shown).await.text)[1];
    let names: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert!(
        names.iter().all(|name| ["title", "additional_info", "event_id"].contains(&name.as_str()))
    );
}

#[actix_web::test]
async fn a_file_may_come_compressed() {
    let house = full(50).await;
    let plain = house.get(EVENTS).await;
    let packed = house.send_raw(EVENTS, &[("Accept-Encoding", "br, gzip")]).await;
    assert_eq!(packed.0.header("content-encoding"), Some("gzip"));
    assert_eq!(unpacked(&packed.1), plain.text);
    let file = house.send_raw(&format!("{EVENTS}?gzip=true"), &[]).await;
    assert_eq!(file.0.header("content-type"), Some("application/gzip"));
    assert!(file.0.header("content-encoding").is_none());
    assert!(file.0.header("content-disposition").unwrap().ends_with(".ndjson.gz\""));
    assert_eq!(unpacked(&file.1), plain.text);
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[actix_web::test]
async fn mistakes_are_told_before_anything_is_sent() {
    let house = House::new().await;
    for (request, pointer) in [
        (json!({ "query": { "sort": [{ "key": "title" }] } }), "/query/sort"),
        (json!({ "query": { "page": { "start": 5 } } }), "/query/page/start"),
        (json!({ "query": { "page": { "limit": -1 } } }), "/query/page/limit"),
        (json!({ "query": { "count_only": true } }), "/query/count_only"),
        (
            json!({ "query": { "filter": [{ "k": "nope", "v": 1, "o": "eq" }] } }),
            "/query/filter/0/k",
        ),
        (json!({ "format": "xml" }), "/format"),
        (json!({ "gzip": "maybe" }), "/gzip"),
        (json!({ "columns": 5 }), "/columns"),
        (json!({ "columns": "title", "query": { "only": ["title"] } }), "/columns"),
        (json!({ "severity": "LOUD" }), "/severity"),
        (json!({ "nope": 1 }), "/nope"),
    ] {
        let answer = house.post(EVENTS, request.clone()).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (400, vec![pointer]),
            "{request} {answer:?}"
        );
    }
    let answer = house.get(&format!("{EVENTS}?query=%7B")).await;
    assert_eq!((answer.status, answer.pointers()), (400, vec!["/query"]));
    assert_eq!(house.as_token("none").get(EVENTS).await.status, 401);
}

#[actix_web::test]
async fn everyone_takes_out_what_they_see_and_no_more() {
    let house = full(200).await;
    let reach = json!({ "workspace_id": "default", "projects": ["p2"] });
    let token = house.token("WORKSPACE_MEMBER", reach).await;
    for path in [EVENTS, ALERTS] {
        let seen = rows(&house.as_token(&token).get(path).await.text);
        let all = rows(&house.get(path).await.text);
        let ours: Vec<&Value> = all.iter().filter(|row| row["project_id"] == "p2").collect();
        assert!(!ours.is_empty() && ours.len() < all.len());
        assert_eq!(seen.iter().collect::<Vec<_>>(), ours);
    }
}

#[actix_web::test]
async fn a_limit_is_the_most_rows() {
    let house = full(1200).await;
    for most in [1, 999, 1000, 1001] {
        let request = json!({ "query": { "page": { "limit": most } }, "columns": ["title"] });
        assert_eq!(taken(&house, EVENTS, request).await.text.lines().count(), most);
    }
}
