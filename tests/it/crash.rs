//! What was answered is kept, whenever and however the server ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use super::client::{Answer, Connection, Door, Server, eventually};

const SENDERS: usize = 64;

/// How many keys all senders share.
const SHARED_KEYS: usize = 16;

/// What a sender was promised: the receipt, and the keys of what it posted.
#[derive(Clone, Debug)]
struct Promise {
    receipt: Value,
    event_keys: Vec<String>,
    webhook: usize,
}

/// What a sender posted by a delivery id of its own, and the answer, if there was one.
#[derive(Clone, Debug)]
struct Named {
    delivery_id: String,
    webhook: usize,
    body: Value,
    event_keys: Vec<String>,
    receipt: Option<Value>,
}

/// What many senders saw.
#[derive(Default)]
struct Seen {
    promises: Mutex<Vec<Promise>>,
    named: Mutex<Vec<Named>>,
    answered: AtomicUsize,
}

/// One delivery to be posted.
struct Post {
    webhook: usize,
    delivery_id: Option<String>,
    body: Value,
    event_keys: Vec<String>,
}

fn event(event_key: &str, event_type: &str) -> Value {
    json!({
        "event_key": event_key,
        "event_type": event_type,
        "severity": "CRITICAL",
        "title": format!("{event_key} is not as it should be"),
    })
}

/// The post number `count` of a sender: new and repeated keys, firing and resolving, alone and in batches.
fn post(round: usize, sender: usize, count: usize) -> Post {
    let own = format!("own-{round}-{sender}-{count}");
    let before = format!("own-{round}-{sender}-{}", count.saturating_sub(1));
    let shared = format!("shared-{}", (sender + count) % SHARED_KEYS);
    let (body, event_keys) = match count % 6 {
        1 => (event(&before, "RECOVERY"), vec![before]),
        2 => (event(&shared, "ALERT"), vec![shared]),
        3 => (event(&shared, "RECOVERY"), vec![shared]),
        4 => {
            let keys = vec![own.clone(), shared, own.clone()];
            let types = ["ALERT", "ALERT", "RECOVERY"];
            let events: Vec<Value> =
                keys.iter().zip(types).map(|(key, kind)| event(key, kind)).collect();
            (json!({ "events": events }), keys)
        }
        // 0, and 5 by a delivery id of its own.
        _ => (event(&own, "ALERT"), vec![own.clone()]),
    };
    let delivery_id = (count % 6 == 5).then_some(own);
    Post { webhook: sender % 3, delivery_id, body, event_keys }
}

fn send(connection: &mut Connection, door: &Door, post: &Post) -> std::io::Result<Answer> {
    let body = post.body.to_string();
    let mut headers = vec![("Content-Type", "application/json")];
    if let Some(id) = &post.delivery_id {
        headers.push(("Idempotency-Key", id));
    }
    connection.post_with(&door.path, &headers, body.as_bytes())
}

/// Posts until the server is gone.
fn keep_posting(mut connection: Connection, doors: &[Door], seen: &Seen, at: (usize, usize)) {
    let (round, sender) = at;
    for count in 0.. {
        let post = post(round, sender, count);
        let answer = send(&mut connection, &doors[post.webhook], &post);
        let receipt = match &answer {
            Ok(answer) if answer.is_promise() => Some(answer.json()),
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{answer:?}");
                None
            }
            Err(_) => None,
        };
        if let Some(receipt) = &receipt {
            seen.answered.fetch_add(1, Ordering::Relaxed);
            let event_keys = post.event_keys.clone();
            let promise = Promise { receipt: receipt.clone(), event_keys, webhook: post.webhook };
            seen.promises.lock().unwrap().push(promise);
        }
        if let Some(delivery_id) = post.delivery_id {
            let Post { webhook, body, event_keys, .. } = post;
            let named = Named { delivery_id, webhook, body, event_keys, receipt };
            seen.named.lock().unwrap().push(named);
        }
        if answer.is_err() {
            return;
        }
    }
}

/// Has all senders post until `enough` were answered, then ends the server by `end`.
fn under_load(
    server: &mut Server,
    doors: &[Door],
    (round, enough): (usize, usize),
    end: impl FnOnce(&mut Server),
) -> Seen {
    let seen = Seen::default();
    thread::scope(|threads| {
        for sender in 0..SENDERS {
            let (connection, seen) = (server.connect(), &seen);
            threads.spawn(move || keep_posting(connection, doors, seen, (round, sender)));
        }
        eventually("enough deliveries are answered", || {
            (seen.answered.load(Ordering::Relaxed) >= enough).then_some(())
        });
        end(server);
    });
    seen
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

/// Checks that each promise is kept, once.
fn hold_to(server: &Server, promises: &[Promise]) {
    let events = server.events();
    let by_id: BTreeMap<&str, &Value> =
        events.iter().map(|event| (text(event, "event_id"), event)).collect();
    assert_eq!(by_id.len(), events.len(), "an event is listed twice");
    let receipts =
        server.deliveries(promises.iter().map(|promise| text(&promise.receipt, "receipt_id")));
    let mut kept_ids = BTreeSet::new();
    for (promise, kept) in promises.iter().zip(receipts) {
        let kept = kept.unwrap_or_else(|| panic!("the delivery is gone: {promise:?}"));
        assert_eq!(kept["outcomes"].as_array().unwrap().len(), promise.event_keys.len(), "{kept}");
        let items = promise.receipt["items"].as_array().unwrap();
        assert_eq!(items.len(), promise.event_keys.len());
        for (item, event_key) in items.iter().zip(&promise.event_keys) {
            let event_id = text(item, "event_id");
            let event = by_id.get(event_id).unwrap_or_else(|| panic!("the event is gone: {item}"));
            assert!(kept_ids.insert(event_id.to_owned()), "an event was promised twice: {item}");
            assert_eq!(text(event, "event_key"), event_key);
            // An event that waited for its firing may have found an alert since.
            if !item["alert_id"].is_null() {
                assert_eq!(event["alert_id"], item["alert_id"]);
            }
        }
    }
}

/// Checks that alerts and events agree, whatever was promised.
fn agree_in_themselves(server: &Server, doors: &[Door]) {
    let events = server.events();
    let alerts = server.alerts();
    let mut counts = BTreeMap::<&str, u64>::new();
    for event in &events {
        if let Some(alert_id) = event["alert_id"].as_str() {
            *counts.entry(alert_id).or_default() += 1;
        }
    }
    let (mut numbers, mut open) = (BTreeSet::new(), BTreeSet::new());
    for alert in &alerts {
        let counted = counts.remove(text(alert, "alert_id")).unwrap_or_default();
        assert_eq!(alert["event_count"].as_u64(), Some(counted), "{alert}");
        let number = alert["alert_number"].as_u64().unwrap();
        assert!(numbers.insert(number), "two alerts have the number {number}");
        if text(alert, "state") != "RESOLVED" {
            assert!(open.insert(text(alert, "event_key")), "two alerts are open: {alert}");
        }
    }
    assert!(counts.is_empty(), "events of alerts that are not there: {counts:?}");
    let without_gaps: BTreeSet<u64> = (1..=alerts.len() as u64).collect();
    assert_eq!(numbers, without_gaps);
    count_deliveries(server, doors, &events);
}

/// Checks that each webhook counts the deliveries that are kept, no more and no fewer.
fn count_deliveries(server: &Server, doors: &[Door], events: &[Value]) {
    for door in doors {
        // Every delivery of these tests has events.
        let kept: BTreeSet<&str> = events
            .iter()
            .filter(|event| text(event, "webhook_id") == door.webhook_id)
            .map(|event| text(event, "delivery_id"))
            .collect();
        assert_eq!(server.taken(door), kept.len() as u64, "{}", door.webhook_id);
    }
}

/// Sends again what has a delivery id of its own, as its sender would: what was answered is answered alike, and what
/// was not is kept now, once.
fn retry(server: &Server, doors: &[Door], named: &[Named]) -> Vec<Promise> {
    let mut connection = server.connect();
    let mut answer = |named: &Named| {
        let Named { delivery_id, webhook, body, event_keys, .. } = named.clone();
        let post = Post { webhook, delivery_id: Some(delivery_id), body, event_keys };
        let answer = send(&mut connection, &doors[webhook], &post).unwrap();
        assert!(answer.is_promise(), "{answer:?}");
        answer.json()
    };
    let mut late = Vec::new();
    for named in named {
        let receipt = answer(named);
        assert_eq!(receipt, answer(named), "a retry changed the receipt");
        match &named.receipt {
            Some(first) => assert_eq!(first["receipt_id"], receipt["receipt_id"]),
            None => late.push(Promise {
                receipt,
                event_keys: named.event_keys.clone(),
                webhook: named.webhook,
            }),
        }
    }
    late
}

fn doors(server: &Server) -> Vec<Door> {
    ["one", "two", "three"].map(|name| server.webhook("api-direct", name)).to_vec()
}

#[test]
fn what_was_answered_survives_a_kill() {
    let rounds = std::env::var_os("ALERTMILL_CRASH_ROUNDS")
        .map_or(3, |rounds| rounds.to_str().unwrap().parse().unwrap());
    let mut server = Server::start(&[]);
    let doors = doors(&server);
    let mut promises = Vec::new();
    for round in 0..rounds {
        let enough = 150 + 173 * (round % 5);
        let seen = under_load(&mut server, &doors, (round, enough), Server::kill);
        server.restart();
        let new = seen.promises.into_inner().unwrap();
        hold_to(&server, &new);
        agree_in_themselves(&server, &doors);
        let late = retry(&server, &doors, &seen.named.into_inner().unwrap());
        agree_in_themselves(&server, &doors);
        promises.extend(new.into_iter().chain(late));
    }
    hold_to(&server, &promises);
    let webhooks: BTreeSet<usize> = promises.iter().map(|promise| promise.webhook).collect();
    assert_eq!(webhooks.len(), doors.len());
}

#[test]
fn a_told_stop_answers_what_is_in_flight_and_leaves_no_log_behind() {
    let mut server = Server::start(&[]);
    let doors = doors(&server);
    let mut status = None;
    let seen = under_load(&mut server, &doors, (0, 300), |server| {
        server.terminate();
        status = Some(server.ended());
    });
    assert_eq!(status.unwrap().code(), Some(0), "{}", server.log());
    let log = fs::metadata(server.data().join("alertmill.db-wal"));
    assert_eq!(log.map_or(0, |log| log.len()), 0, "the log was not folded into the file");
    server.restart();
    hold_to(&server, &seen.promises.into_inner().unwrap());
    agree_in_themselves(&server, &doors);
    retry(&server, &doors, &seen.named.into_inner().unwrap());
    agree_in_themselves(&server, &doors);
}

#[test]
fn a_killed_server_forgets_no_number_and_no_count() {
    let mut server = Server::start(&[]);
    let doors = doors(&server);
    let mut connection = server.connect();
    for count in 0..5 {
        let body = event(&format!("key-{count}"), "ALERT").to_string();
        assert_eq!(connection.post(&doors[0].path, body.as_bytes()).unwrap().status, 200);
    }
    for _ in 0..3 {
        server.kill();
        server.restart();
    }
    assert_eq!(server.taken(&doors[0]), 5);
    let body = event("key-5", "ALERT").to_string();
    assert_eq!(server.connect().post(&doors[0].path, body.as_bytes()).unwrap().status, 200);
    let alerts = server.alerts();
    let numbers: BTreeSet<u64> =
        alerts.iter().map(|alert| alert["alert_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=6).collect());
}

#[test]
fn what_another_program_reads_of_the_file_takes_nothing_away() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(Some(data.path()), &[]);
    let door = &doors(&server)[0];
    let post = |server: &Server, key: &str| {
        let body = event(key, "ALERT").to_string();
        assert_eq!(server.connect().post(&door.path, body.as_bytes()).unwrap().status, 200);
    };
    post(&server, "before");
    // Whoever takes itself for the last one folds the log into the file and removes it, under the feet of the server.
    let other = rusqlite::Connection::open(data.path().join("alertmill.db")).unwrap();
    let events = other.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0));
    assert!(events.unwrap() > 0);
    other.close().unwrap();
    assert!(data.path().join("alertmill.db-wal").exists());
    post(&server, "after");
    server.kill();
    server.restart();
    let keys: BTreeSet<String> =
        server.alerts().iter().map(|alert| text(alert, "event_key").to_owned()).collect();
    assert_eq!(keys, ["before", "after"].map(str::to_owned).into());
}
