//! What happens is told as it happens, once each, to those who may know.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::client::{Door, PATIENCE, Server, eventually};

/// A reader of the stream, over a real connection.
struct Reader {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The body so far, without what says how long its parts are.
    body: String,
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq)]
struct Message {
    kind: String,
    id: String,
    data: Value,
}

fn connect(server: &Server, token: &str, query: &str, last: Option<&str>) -> TcpStream {
    let mut stream = TcpStream::connect_timeout(&server.address(), PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
    let head = format!(
        "GET /api/v1/stream?{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{last}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

impl Reader {
    fn open(server: &Server, token: &str, query: &str, last: Option<&str>) -> Self {
        let stream = connect(server, token, query, last);
        let mut reader = Self { stream, unread: Vec::new(), body: String::new() };
        let head = reader.head().unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.to_lowercase().contains("content-type: text/event-stream"), "{head}");
        reader
    }

    fn more(&mut self) -> io::Result<()> {
        let mut part = [0; 16 * 1024];
        match self.stream.read(&mut part)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.unread.extend_from_slice(&part[..read]);
                Ok(())
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|it| it == end) {
                let line: Vec<u8> = self.unread.drain(..at + end.len()).collect();
                return Ok(String::from_utf8(line).unwrap());
            }
            self.more()?;
        }
    }

    fn head(&mut self) -> io::Result<String> {
        self.until(b"\r\n\r\n")
    }

    /// The next block of lines; `UnexpectedEof` where the stream has ended.
    fn block(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.body.find("\n\n") {
                return Ok(self.body.drain(..at + 2).collect());
            }
            let length = self.until(b"\r\n")?;
            let length = usize::from_str_radix(length.trim(), 16).unwrap();
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            while self.unread.len() < length + 2 {
                self.more()?;
            }
            let part: Vec<u8> = self.unread.drain(..length + 2).collect();
            self.body.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
    }

    /// The next message, but for what Alertmill says of its own disk; those included that have only an id.
    fn next(&mut self) -> io::Result<Message> {
        loop {
            let block = self.block()?;
            let mut message = Message::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("event", kind)) => kind.clone_into(&mut message.kind),
                    Some(("id", id)) => id.clone_into(&mut message.id),
                    Some(("data", data)) => message.data = serde_json::from_str(data).unwrap(),
                    _ => {}
                }
            }
            if !message.id.is_empty() && message.data["project_id"] != "system" {
                return Ok(message);
            }
        }
    }

    /// The next message that says something.
    fn told(&mut self) -> Message {
        loop {
            let message = self.next().unwrap();
            if !message.kind.is_empty() {
                return message;
            }
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

fn post(server: &Server, door: &Door, body: &Value) {
    let answer = server.connect().post(&door.path, body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn event(event_key: &str, event_type: &str, severity: &str) -> Value {
    let title = format!("{event_key} speaks");
    json!({ "event_key": event_key, "event_type": event_type, "severity": severity, "title": title })
}

#[test]
fn what_happens_is_told_as_it_happens_and_a_repeat_is_no_change() {
    let server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let mut reader = Reader::open(&server, server.token(), "", None);
    assert_eq!(reader.next().unwrap().kind, "", "the first message says where the reader stands");
    post(&server, &door, &event("a", "ALERT", "WARNING"));
    post(&server, &door, &event("a", "ALERT", "WARNING"));
    post(&server, &door, &event("a", "ALERT", "CRITICAL"));
    let alert = server.alerts().remove(0);
    let id = text(&alert, "alert_id").to_owned();
    let acknowledge = json!({ "alert_id": id, "state": "ACKNOWLEDGED" });
    server.ask("/monitoring/v1/alert/update", &acknowledge);
    post(&server, &door, &event("a", "RECOVERY", "INFO"));
    server.ask("/monitoring/v1/alert/delete", &json!({ "alert_id": id }));
    let told: Vec<Message> = (0..9).map(|_| reader.told()).collect();
    let kinds: Vec<&str> = told.iter().map(|message| message.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "alert.opened",
            "event",
            "event",
            "alert.changed",
            "event",
            "alert.changed",
            "alert.resolved",
            "event",
            "alert.deleted"
        ]
    );
    assert_eq!(told[1].data["event_key"], "a");
    assert_eq!(told[1].data["raw_data"]["event_key"], "a");
    assert!(
        told.iter()
            .filter(|it| it.kind.starts_with("alert"))
            .all(|it| it.data["alert_id"] == id.as_str())
    );
    let what = &told[6].data["what"];
    assert_eq!(
        (&what["kind"], &what["state_before"], &what["state_after"]),
        (&json!("resolved"), &json!("ACKNOWLEDGED"), &json!("RESOLVED"))
    );
}

#[test]
fn a_filter_lets_through_what_it_means_and_nothing_else() {
    let server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let filter = "resource=event&filter=%5B%7B%22k%22%3A%22severity%22%2C%22v%22%3A%22CRITICAL%22%2C%22o%22%3A%22eq%22%7D%2C%7B%22k%22%3A%22project_id%22%2C%22v%22%3A%22default%22%2C%22o%22%3A%22eq%22%7D%5D";
    let only = format!("{filter}&query=%7B%22only%22%3A%5B%22severity%22%5D%7D");
    let mut reader = Reader::open(&server, server.token(), &only, None);
    for (key, severity) in [("a", "WARNING"), ("b", "CRITICAL"), ("c", "INFO"), ("d", "CRITICAL")] {
        post(&server, &door, &event(key, "ALERT", severity));
    }
    let events = server.events();
    let wanted: Vec<&Value> =
        events.iter().rev().filter(|it| it["event_key"] == "b" || it["event_key"] == "d").collect();
    for event in wanted {
        let told = reader.told();
        let expected = json!({ "event_id": event["event_id"], "severity": "CRITICAL" });
        assert_eq!((told.kind.as_str(), told.data), ("event", expected));
    }
    let answer = server.get("/api/v1/stream?filter=%5B%5D");
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["errors"][0]["pointer"], "/resource");
    assert_eq!(server.get("/api/v1/stream?last_event_id=x").status, 400);
}

/// Reads from wherever it was, and hangs up after so many messages, until it has seen `enough`.
fn read_with_breaks(
    server: &Server,
    start: &str,
    stop: &AtomicBool,
    enough: impl Fn(usize) -> bool,
) -> Vec<Message> {
    let (mut seen, mut last) = (Vec::new(), start.to_owned());
    let mut turn = 7_usize;
    loop {
        let mut reader = Reader::open(server, server.token(), "", Some(&last));
        // Lengths of stays that follow no pattern, the same at each run.
        turn = turn.wrapping_mul(48_271) % 2_147_483_647;
        for _ in 0..turn % 97 {
            let message = reader.next().unwrap();
            assert_ne!(message.kind, "dropped", "{message:?}");
            last.clone_from(&message.id);
            if !message.kind.is_empty() {
                seen.push(message);
            }
            if stop.load(Ordering::Relaxed) && enough(seen.len()) {
                return seen;
            }
        }
    }
}

#[test]
fn a_reader_that_comes_and_goes_loses_nothing_and_reads_nothing_twice() {
    let server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let start = Reader::open(&server, server.token(), "", None).next().unwrap().id;
    let (written, posts) = (AtomicBool::new(false), 120);
    let seen = thread::scope(|threads| {
        let reading = threads.spawn(|| {
            // Each post has 3 events and opens and resolves one alert; each sender opens a second one and leaves it open.
            read_with_breaks(&server, &start, &written, |seen| seen >= 4 * posts * 5)
        });
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (server, door) = (&server, &door);
                threads.spawn(move || {
                    let mut connection = server.connect();
                    for count in 0..posts {
                        let key = format!("{sender}-{count}");
                        let events: Vec<Value> = ["ALERT", "ALERT", "RECOVERY"]
                            .map(|kind| event(&key, kind, "CRITICAL"))
                            .to_vec();
                        let body = json!({ "events": events }).to_string();
                        let answer = connection.post(&door.path, body.as_bytes()).unwrap();
                        assert_eq!(answer.status, 200);
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        written.store(true, Ordering::Relaxed);
        reading.join().unwrap()
    });
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for message in &seen {
        let id =
            message.data["event_id"].as_str().unwrap_or_else(|| text(&message.data, "alert_id"));
        *counts.entry((message.kind.as_str(), id)).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "something was told twice");
    let of = |kind: &str| counts.keys().filter(|(own, _)| *own == kind).count();
    assert_eq!(
        (of("event"), of("alert.opened"), of("alert.resolved")),
        (4 * posts * 3, 4 * posts, 4 * posts)
    );
}

#[test]
fn a_reader_goes_on_where_it_was_once_the_server_is_back() {
    let mut server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let mut reader = Reader::open(&server, server.token(), "resource=event", None);
    post(&server, &door, &event("a", "ALERT", "WARNING"));
    let first = reader.told();
    post(&server, &door, &event("b", "ALERT", "WARNING"));
    server.kill();
    server.restart();
    post(&server, &door, &event("c", "ALERT", "WARNING"));
    let mut reader = Reader::open(&server, server.token(), "resource=event", Some(&first.id));
    let keys =
        [reader.told(), reader.told()].map(|message| text(&message.data, "event_key").to_owned());
    assert_eq!(keys, ["b", "c"]);
    server.terminate();
    let last = reader.told();
    assert_eq!((last.kind.as_str(), text(&last.data, "reason")), ("dropped", "STOPPING"));
    assert!(reader.next().is_err(), "the stream has ended");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_reader_sees_its_own_project_and_no_other() {
    let server = Server::start(&[]);
    for id in ["mine", "yours"] {
        server.ask("/api/v1/project/create", &json!({ "name": id, "project_id": id }));
    }
    let asked = json!({ "name": "m", "role": "WORKSPACE_MEMBER", "projects": ["mine"], "workspace_id": "default" });
    let token = text(&server.ask("/api/v1/token/create", &asked), "token").to_owned();
    let mut reader = Reader::open(&server, &token, "", None);
    let door = |project: &str| {
        let asked = json!({ "provider": "api-direct", "name": project, "project_id": project });
        let made = server.ask("/monitoring/v1/webhook/create", &asked);
        let path = text(&made, "url").splitn(4, '/').nth(3).unwrap().to_owned();
        Door { webhook_id: text(&made, "webhook_id").to_owned(), path: format!("/{path}") }
    };
    let (mine, yours) = (door("mine"), door("yours"));
    for count in 0..20 {
        post(&server, &yours, &event(&format!("y{count}"), "ALERT", "CRITICAL"));
        post(&server, &mine, &event(&format!("m{count}"), "ALERT", "CRITICAL"));
    }
    for _ in 0..40 {
        let message = reader.told();
        assert_eq!(message.data["project_id"], "mine", "{message:?}");
    }
}

#[test]
fn a_token_that_is_taken_back_ends_its_streams() {
    let server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let made = server.ask("/api/v1/token/create", &json!({ "name": "m", "role": "SYSTEM_ADMIN" }));
    let mut reader = Reader::open(&server, text(&made, "token"), "", None);
    server.ask("/api/v1/token/revoke", &json!({ "token_id": made["token_id"] }));
    // Whatever happens next is looked at after the token is.
    post(&server, &door, &event("a", "ALERT", "CRITICAL"));
    let last = reader.told();
    assert_eq!((last.kind.as_str(), text(&last.data, "reason")), ("dropped", "REVOKED"));
}

#[test]
fn a_session_reads_what_its_user_may_see_now() {
    let server = Server::start(&[]);
    for id in ["mine", "yours"] {
        server.ask("/api/v1/project/create", &json!({ "name": id, "project_id": id }));
    }
    let door = |project: &str| {
        let asked = json!({ "provider": "api-direct", "name": project, "project_id": project });
        let made = server.ask("/monitoring/v1/webhook/create", &asked);
        let path = text(&made, "url").splitn(4, '/').nth(3).unwrap().to_owned();
        Door { webhook_id: text(&made, "webhook_id").to_owned(), path: format!("/{path}") }
    };
    let (mine, yours) = (door("mine"), door("yours"));
    let pair = json!({ "name": "ada", "password": "correct horse battery" });
    let mut user = pair.clone();
    user["role"] = json!("SYSTEM_ADMIN");
    let user = server.ask("/api/v1/user/create", &user);
    let session = text(&server.ask("/api/v1/login", &pair), "token").to_owned();
    let mut before = Reader::open(&server, &session, "resource=event", None);
    post(&server, &yours, &event("y1", "ALERT", "CRITICAL"));
    assert_eq!(before.told().data["event_key"], "y1");
    let less = json!({
        "user_id": user["user_id"], "role": "WORKSPACE_MEMBER", "workspace_id": "default",
        "projects": ["mine"],
    });
    server.ask("/api/v1/user/update", &less);
    let mut after = Reader::open(&server, &session, "resource=event", None);
    post(&server, &yours, &event("y2", "ALERT", "CRITICAL"));
    post(&server, &mine, &event("m1", "ALERT", "CRITICAL"));
    for reader in [&mut before, &mut after] {
        assert_eq!(reader.told().data["event_key"], "m1");
    }
    server.ask("/api/v1/user/disable", &json!({ "user_id": user["user_id"] }));
    post(&server, &mine, &event("m2", "ALERT", "CRITICAL"));
    for reader in [&mut before, &mut after] {
        assert_eq!(text(&reader.told().data, "reason"), "REVOKED");
    }
}

#[test]
fn a_reader_too_far_behind_is_told_so_and_goes_on_from_now() {
    let server = Server::start(&["--stream-backlog", "10"]);
    let door = server.webhook("api-direct", "one");
    let start = Reader::open(&server, server.token(), "", None).next().unwrap().id;
    for count in 0..11 {
        post(&server, &door, &event(&format!("k{count}"), "ALERT", "CRITICAL"));
    }
    let mut reader = Reader::open(&server, server.token(), "", Some(&start));
    let last = reader.told();
    assert_eq!((last.kind.as_str(), text(&last.data, "reason")), ("dropped", "TOO_FAR_BEHIND"));
    assert_eq!(last.data["missed"], true);
    let mut reader = Reader::open(&server, server.token(), "resource=event", Some(&last.id));
    post(&server, &door, &event("next", "ALERT", "CRITICAL"));
    assert_eq!(reader.told().data["event_key"], "next");
    let mut reader = Reader::open(&server, server.token(), "", Some("999999-0"));
    assert_eq!(text(&reader.told().data, "reason"), "AHEAD");
}

#[test]
fn a_reader_that_takes_nothing_is_dropped_and_holds_nobody_back() {
    let server =
        Server::start(&["--stream-stall", "300ms", "--streams", "1", "--max-body", "4MiB"]);
    let door = server.webhook("api-direct", "one");
    // Its first message is read, so its stream is open.
    let mut lazy = Reader::open(&server, server.token(), "", None);
    lazy.next().unwrap();
    let mut lazy = lazy.stream;
    let long = "x".repeat(500_000);
    let big = json!({ "event_key": "big", "event_type": "ALERT", "severity": "INFO", "title": "big", "description": long });
    let taken = server.connect().call(server.token(), ("GET", "/api/v1/stream"), None).unwrap();
    assert_eq!(taken.status, 503, "there is room for one");
    // More than all the buffers on the way hold.
    for _ in 0..40 {
        post(&server, &door, &big);
    }
    eventually("its room is free again", || {
        let stream = connect(&server, server.token(), "resource=event", None);
        let mut reader = Reader { stream, unread: Vec::new(), body: String::new() };
        reader.head().unwrap().starts_with("HTTP/1.1 200").then_some(())
    });
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    assert!(metrics.contains("alertmill_streams_dropped_total{kind=\"TOO_SLOW\"} 1"), "{metrics}");
    let ends =
        [server.address(), lazy.local_addr().unwrap()].map(|end| format!(":{:04X}", end.port()));
    eventually("the system ends its connection", || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let is_there = table.lines().any(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns[1].ends_with(&ends[0]) && columns[2].ends_with(&ends[1]) && columns[3] == "01"
        });
        (!is_there).then_some(())
    });
    assert!(server.peak_memory() < 400 << 10, "{} KiB", server.peak_memory());
    // What was on the way is read still, then the connection has ended.
    lazy.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut all = Vec::new();
    let _ = lazy.read_to_end(&mut all);
    assert!(!all.is_empty());
}
