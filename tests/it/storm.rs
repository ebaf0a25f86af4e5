//! A storm of alerts, flaky receivers and a server that is killed again and again: what is due arrives all the same.
//!
//! A small storm by default; `ALERTMILL_STORM=10000 cargo test --test it storm:: -- --nocapture` makes a big one and
//! tells its figures.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};

use super::{
    client::{Door, Server, eventually},
    receiver::{Received, Receiver, Reply},
};

/// How many channels share the storm.
const CHANNELS: usize = 20;

/// How many senders post it.
const SENDERS: usize = 8;

/// Its address is another one after each restart, but what it sends must not be.
const FLAGS: [&str; 5] = [
    "--allow-private-outbound",
    "--durability",
    "normal",
    "--public-url",
    "https://alerts.example.org",
];

/// A number below `end`.
fn random(end: usize) -> usize {
    let number = RandomState::new().hash_one(0_u8) % u64::try_from(end.max(1)).unwrap();
    usize::try_from(number).unwrap()
}

/// How often one message fails at most, so that none waits longer than the test does.
const MOST_FAILURES: usize = 3;

/// One that answers 10 % with an error and 5 % not at all.
fn flaky() -> Receiver {
    let mut failed = BTreeMap::<String, usize>::new();
    Receiver::answering(move |received| {
        let reply = match random(100) {
            0..10 => Reply::Status(500),
            10..15 => Reply::Silence,
            _ => return Reply::Status(200),
        };
        let count = failed.entry(received.key()).or_default();
        *count += 1;
        if *count <= MOST_FAILURES { reply } else { Reply::Status(200) }
    })
}

/// The storm: a firing of each key, then its recovery, and how many of them were answered.
struct Storm {
    size: usize,
    door: Door,
    next: AtomicUsize,
}

impl Storm {
    fn is_over(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= 2 * self.size
    }

    /// Posts what nobody posted yet, until the server is gone or all of it is answered. What had no answer is posted
    /// again by its name.
    fn post(&self, server: &Server, unanswered: &mut Vec<usize>) {
        // It may have been killed before this one came to its turn.
        let Ok(mut connection) = server.try_connect() else { return };
        loop {
            let number = match unanswered.pop() {
                Some(number) => number,
                None => self.next.fetch_add(1, Ordering::Relaxed),
            };
            if number >= 2 * self.size {
                return;
            }
            let name = format!("storm-{number}");
            let key = number % self.size;
            let event = json!({
                "event_key": format!("key-{key}"),
                "event_type": if number < self.size { "ALERT" } else { "RECOVERY" },
                "severity": "CRITICAL",
                "title": format!("alert {key}"),
                "additional_info": { "shard": key % CHANNELS },
            });
            let headers = [("Content-Type", "application/json"), ("Idempotency-Key", &*name)];
            let body = event.to_string();
            match connection.post_with(&self.door.path, &headers, body.as_bytes()) {
                Ok(answer) if answer.is_promise() => {}
                Ok(answer) if answer.status == 503 => unanswered.push(number),
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => {
                    unanswered.push(number);
                    return;
                }
            }
        }
    }
}

fn channels(server: &Server, receiver: &Receiver) {
    for shard in 0..CHANNELS {
        let filter = json!([{ "k": "additional_info.shard", "v": shard, "o": "eq" }]);
        let asked = json!({ "name": format!("shard {shard}"), "kind": "WEBHOOK", "filter": filter,
            "settings": { "url": receiver.url() }, "project_id": "default" });
        server.ask("/api/v1/channel/create", &asked);
    }
}

/// Posts the storm and lets it be sent, with the server killed each time that some more messages arrived.
fn rage(server: &mut Server, storm: &Storm, receiver: &Receiver, kills: usize) {
    let mut unanswered: Vec<Vec<usize>> = vec![Vec::new(); SENDERS];
    for _ in 0..kills {
        let enough = receiver.count() + 1 + random(4 * storm.size / kills.max(1) / 2);
        thread::scope(|threads| {
            let server = &*server;
            for own in &mut unanswered {
                threads.spawn(move || storm.post(server, own));
            }
            // The end of a storm has fewer messages left than that.
            let is_done = || storm.is_over() && waiting(server).is_empty();
            eventually("some messages arrive", || {
                (receiver.count() >= enough || is_done()).then_some(())
            });
            server.signal("KILL");
        });
        server.kill();
        server.restart();
    }
    thread::scope(|threads| {
        for own in &mut unanswered {
            let server = &*server;
            threads.spawn(move || storm.post(server, own));
        }
    });
}

/// The messages that are not done.
fn waiting(server: &Server) -> Vec<Value> {
    messages(server, &json!({ "state": "WAITING" }))
}

/// Every message, page by page.
fn messages(server: &Server, asked: &Value) -> Vec<Value> {
    let (mut rows, mut asked) = (Vec::new(), asked.clone());
    loop {
        let mut page = server.ask("/api/v1/message/list", &asked);
        rows.extend(page["results"].as_array().unwrap().iter().cloned());
        if page["next_cursor"].is_null() {
            return rows;
        }
        asked["cursor"] = page["next_cursor"].take();
    }
}

/// What a received message says: the alert, and whether it is over.
fn says(received: &Received) -> (String, String) {
    let data = &received.json()["data"];
    let alert = data["notices"][0]["alert"]["alert_id"].as_str().unwrap().to_owned();
    (alert, data["occasion"].as_str().unwrap().to_owned())
}

/// Holds what arrived to what was due.
fn hold(server: &Server, storm: &Storm, got: &[Received]) {
    // Not those of Alertmill itself, which may say that a disk is nearly full.
    let own = json!({ "filter": [{ "k": "project_id", "v": "default", "o": "eq" }] });
    let alerts = server.all("/monitoring/v1/alert/list", &own);
    assert_eq!(alerts.len(), storm.size, "each key makes one alert");
    let kept: BTreeSet<String> = messages(server, &json!({}))
        .iter()
        .map(|message| {
            assert_eq!(message["state"], "SENT", "{message}");
            message["message_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kept.len(), 2 * storm.size, "one message for each opening and each end");
    let mut bodies = BTreeMap::<String, Value>::new();
    let mut keys = BTreeMap::<(String, String), BTreeSet<String>>::new();
    let mut over = BTreeSet::new();
    let mut arrived = BTreeSet::new();
    for received in got {
        let (key, (alert, occasion)) = (received.key(), says(received));
        assert!(kept.contains(&key), "`{key}` was sent before its commit, which was lost");
        let same = bodies.entry(key.clone()).or_insert_with(|| received.json());
        assert_eq!(*same, received.json(), "a repeat says something else");
        keys.entry((alert.clone(), occasion.clone())).or_default().insert(key.clone());
        match occasion.as_str() {
            "OPENED" => assert!(!over.contains(&alert), "{alert} opened after it was over"),
            "RESOLVED" => drop(over.insert(alert)),
            other => panic!("{other}"),
        }
        if received.reply == Reply::Status(200) {
            arrived.insert(key);
        }
    }
    assert_eq!(arrived, kept, "each message arrived");
    assert!(keys.values().all(|keys| keys.len() == 1), "a repeat has another key");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how large the storm is")]
#[expect(clippy::print_stderr, reason = "says how much was repeated")]
fn what_is_due_arrives_through_kills_and_flaky_receivers() {
    let size = std::env::var("ALERTMILL_STORM").map_or(60, |size| size.parse().unwrap());
    let kills = if size > 1000 { 20 } else { 4 };
    let receiver = flaky();
    let mut server = Server::start(&FLAGS);
    channels(&server, &receiver);
    let door = server.webhook("api-direct", "storm");
    let storm = Storm { size, door, next: AtomicUsize::new(0) };
    rage(&mut server, &storm, &receiver, kills);
    let mut left = waiting(&server).len();
    while left > 0 {
        left = eventually("fewer messages wait", || {
            Some(waiting(&server).len()).filter(|now| *now < left)
        });
    }
    let got = receiver.got();
    hold(&server, &storm, &got);
    let failed = got.iter().filter(|it| it.reply != Reply::Status(200)).count();
    let repeats = got.len() - failed - 2 * size;
    eprintln!(
        "{size} alerts, {kills} kills: {} requests, {failed} of them failed, {repeats} arrived once more",
        got.len()
    );
}
