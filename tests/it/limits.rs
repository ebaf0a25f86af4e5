//! Queries that take too long, that nobody waits for, and that many ask at once.

use std::time::Duration;

use alertmill::clock::Stopwatch;
use serde_json::{Value, json};

use super::client::{Connection, Server, eventually};

const LIST: &str = "/monitoring/v1/event/list";

/// A server with some thousand events, and a query over them that takes many seconds.
fn server(flags: &[&str]) -> Server {
    let server = Server::start(flags);
    let door = server.webhook("api-direct", "events");
    let mut sender = server.connect();
    for delivery in 0..8 {
        let events: Vec<Value> = (0..500)
            .map(|item| {
                let info = json!({ "text": "x".repeat(400), "list": (0..20).collect::<Vec<i32>>() });
                json!({ "event_key": format!("{delivery}-{item}"), "title": "t", "additional_info": info })
            })
            .collect();
        let body = json!({ "events": events }).to_string();
        assert_eq!(sender.post(&door.path, body.as_bytes()).unwrap().status, 200);
    }
    server
}

fn slow() -> Value {
    let mut asked = sought();
    asked["query"]["only"] = json!(["event_id"]);
    asked
}

/// What no event has, and what takes long to find out.
fn sought() -> Value {
    let never =
        |at: usize| json!({ "k": format!("additional_info.text.{at}"), "v": "y", "o": "contain" });
    json!({ "query": { "filter_or": (0..90).map(never).collect::<Vec<_>>() } })
}

fn metric(server: &Server, name: &str) -> u64 {
    let text = String::from_utf8(server.get("/metrics").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

const RUNNING: &str = "alertmill_queries_running";
const GONE: &str = "alertmill_queries_stopped_total{kind=\"gone\"}";

/// A connection on which the slow query was asked, once it runs.
fn asking(server: &Server) -> Connection {
    let mut connection = server.connect();
    connection.send(&server.request(LIST, &slow())).unwrap();
    connection
}

#[test]
fn a_query_past_its_limit_is_told_so_and_what_to_do() {
    let server = server(&["--query-timeout", "300ms"]);
    let began = Stopwatch::start();
    let mut connection = asking(&server);
    let answer = connection.answer().unwrap();
    let took = began.elapsed();
    assert_eq!(answer.status, 504, "{answer:?}");
    let said = answer.json();
    assert_eq!(said["detail"]["code"], "ERROR_DEADLINE");
    let message = said["detail"]["message"].as_str().unwrap();
    assert!(message.contains("limit of 300 ms; narrow it by project"), "{message}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(metric(&server, "alertmill_queries_stopped_total{kind=\"deadline\"}"), 1);
}

#[test]
fn an_export_that_finds_nothing_for_too_long_is_told_so_too() {
    let server = server(&["--query-timeout", "20ms"]);
    let mut connection = server.connect();
    connection.send(&server.request("/api/v1/events/export", &sought())).unwrap();
    let answer = connection.answer().unwrap();
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.json()["code"], "ERROR_DEADLINE");
}

#[test]
fn a_query_stops_within_a_second_of_its_caller_going_away() {
    let server = server(&["--query-timeout", "10m"]);
    let connection = asking(&server);
    eventually("the query runs", || (metric(&server, RUNNING) == 1).then_some(()));
    drop(connection);
    let began = Stopwatch::start();
    eventually("the query stops", || (metric(&server, GONE) == 1).then_some(()));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(metric(&server, RUNNING), 0);
}

#[test]
fn slow_queries_do_not_hold_up_quick_ones_nor_senders() {
    let server = server(&["--query-timeout", "10m"]);
    let door = server.webhook("api-direct", "more");
    let slow: Vec<Connection> = (0..30).map(|_| asking(&server)).collect();
    eventually("they run", || (metric(&server, RUNNING) >= 20).then_some(()));
    let began = Stopwatch::start();
    let quick = json!({ "query": { "page": { "limit": 3 } } });
    assert_eq!(server.ask(LIST, &quick)["results"].as_array().unwrap().len(), 3);
    let event = json!({ "event_key": "k", "title": "t" }).to_string();
    assert_eq!(server.connect().post(&door.path, event.as_bytes()).unwrap().status, 200);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // Beyond a number that the threads can bear, a slow query is refused rather than kept.
    let crowd = "alertmill_queries_stopped_total{kind=\"crowd\"}";
    eventually("some are refused", || (metric(&server, crowd) == 6).then_some(()));
    drop(slow);
    eventually("all stop", || (metric(&server, RUNNING) == 0).then_some(()));
}
