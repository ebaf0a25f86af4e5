//! Whatever is sent gets its answer, takes no more than its share of memory, and the server serves on.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::Path,
    process::Command,
    thread,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::client::{Answer, Connection, Door, Server, eventually, request};

/// How much memory a server may take, in KiB, whatever is sent to it.
const MEMORY: u64 = 200 * 1024;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A server, with a webhook that takes events as they are.
struct Victim {
    server: Server,
    door: Door,
}

impl Victim {
    fn new(flags: &[&str]) -> Self {
        let server = Server::start(flags);
        let door = server.webhook("api-direct", "direct");
        Self { server, door }
    }

    /// Posts a body on a connection of its own.
    fn post(&self, body: &[u8]) -> Answer {
        self.server.connect().post(&self.door.path, body).unwrap()
    }

    /// Posts one event, which must be understood.
    fn opens(&self, event_key: &str) -> Value {
        let answer = self.post(event(event_key).as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Posts a body that is kept, although it is not understood, and asks for it again.
    fn buries(&self, body: &[u8]) -> Value {
        let answer = self.post(body);
        assert_eq!(answer.status, 202, "{answer:?}");
        let receipt = answer.json();
        assert_eq!(receipt["items"][0]["what"], "dead", "{receipt}");
        let receipt_id = receipt["receipt_id"].as_str().unwrap();
        assert!(self.server.deliveries([receipt_id])[0].is_some());
        receipt
    }

    fn events(&self) -> Vec<Value> {
        self.server.events()
    }

    /// It serves on, and did not take more memory than it may.
    fn is_well(&self) {
        let event_key = format!("well-{}", self.server.taken(&self.door));
        self.opens(&event_key);
        assert!(self.events().iter().any(|event| event["event_key"] == event_key.as_str()));
        let peak = self.server.peak_memory();
        assert!(peak < MEMORY, "it took {peak} KiB");
    }
}

/// One event as a body.
fn event(event_key: &str) -> String {
    json!({ "event_key": event_key, "event_type": "ALERT", "title": event_key }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Whether the connection is closed, by the next thing that is heard of it.
fn is_closed(connection: &mut Connection) -> bool {
    let heard = connection.answer();
    heard.is_err_and(|error| {
        let closed = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        closed.contains(&error.kind())
    })
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let victim = Victim::new(&[]);
    let answer = victim.post(&vec![b' '; 2 << 20]);
    assert_eq!(answer.status, 413);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        victim.door.path
    );
    let mut connection = victim.server.connect();
    connection.send(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n", vec![b' '; 0x10000].as_slice(), b"\r\n"].concat();
    for _ in 0..32 {
        connection.send(&chunk).unwrap();
    }
    connection.send(b"0\r\n\r\n").unwrap();
    assert_eq!(connection.answer().unwrap().status, 413);
    assert_eq!(victim.server.taken(&victim.door), 0);
    victim.is_well();
}

#[test]
fn a_body_that_never_ends_is_cut_off() {
    let victim = Victim::new(&["--body-timeout", "1s"]);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000000\r\n\r\n",
        victim.door.path
    );
    let mut connection = victim.server.connect();
    connection.send(head.as_bytes()).unwrap();
    let chunk = vec![b' '; 1 << 16];
    eventually("the connection is closed", || connection.send(&chunk).is_err().then_some(()));
    assert_eq!(victim.server.taken(&victim.door), 0);
    victim.is_well();
}

#[test]
fn what_cannot_be_read_is_kept_as_it_came() {
    let victim = Victim::new(&[]);
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let deep_keys = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
    let huge = format!("{{\"event_key\":{}}}", "9".repeat(400));
    let bodies: [&[u8]; 8] = [
        &deep,
        &deep_keys,
        huge.as_bytes(),
        b"{\"event_key\":\"\xff\xfe\"}",
        b"",
        b"\x00\x01\x02",
        b"{\"event_key\":\"a\"",
        b"\"\\ud800\"",
    ];
    for body in bodies {
        let receipt = victim.buries(body);
        assert_ne!(receipt["items"][0]["why"], "", "{receipt}");
    }
    let taken = victim.server.taken(&victim.door);
    assert_eq!(taken, bodies.len() as u64);
    victim.is_well();
}

#[test]
fn a_broken_sender_gives_one_alert_and_not_a_thousand() {
    let victim = Victim::new(&[]);
    for count in 0..50 {
        victim.buries(format!("{{ broken {count}").as_bytes());
    }
    let alerts = victim.server.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["event_count"], 50);
    victim.is_well();
}

#[test]
fn a_bomb_is_measured_inflated_and_a_broken_stream_is_no_delivery() {
    let victim = Victim::new(&[]);
    // One mebibyte that becomes a gibibyte.
    let bomb = gzip(&vec![b' '; 8 << 20]).repeat(128);
    let post = |encoding: &str, body: &[u8]| {
        let headers = [JSON, ("Content-Encoding", encoding)];
        victim.server.connect().post_with(&victim.door.path, &headers, body).unwrap()
    };
    assert_eq!(post("gzip", &bomb).status, 413);
    assert_eq!(post("gzip", b"this is no gzip").status, 400);
    let mut cut = gzip(event("cut").as_bytes());
    cut.truncate(cut.len() - 10);
    assert_eq!(post("gzip", &cut).status, 400);
    assert_eq!(post("deflate", b"this is no deflate").status, 400);
    assert_eq!(victim.server.taken(&victim.door), 0);
    assert_eq!(post("gzip", &gzip(event("whole").as_bytes())).status, 200);
    // An encoding that we do not know is kept, not understood.
    assert_eq!(post("br", b"\x0b\x02\x80").status, 202);
    victim.is_well();
}

#[test]
fn who_sends_too_slowly_is_let_go() {
    let victim = Victim::new(&["--header-timeout", "500ms", "--body-timeout", "500ms"]);
    let mut slow_head = victim.server.connect();
    slow_head.send(b"POST / HTTP/1.1\r\nHost: a\r\n").unwrap();
    match slow_head.answer() {
        Ok(answer) => assert_eq!(answer.status, 408),
        Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
    }
    let mut slow_body = victim.server.connect();
    let whole = request("POST", &victim.door.path, &[JSON], event("slow").as_bytes());
    slow_body.send(&whole[..whole.len() - 10]).unwrap();
    assert_eq!(slow_body.answer().unwrap().status, 408);
    assert_eq!(victim.server.taken(&victim.door), 0);
    victim.is_well();
}

#[test]
fn a_hundred_slow_senders_keep_nobody_out() {
    let victim = Victim::new(&["--header-timeout", "2s", "--body-timeout", "2s"]);
    let mut slow: Vec<Connection> = (0..100).map(|_| victim.server.connect()).collect();
    for (count, connection) in slow.iter_mut().enumerate() {
        let whole = request("POST", &victim.door.path, &[JSON], event("slow").as_bytes());
        let part = if count % 2 == 0 { 20 } else { whole.len() - 5 };
        connection.send(&whole[..part]).unwrap();
    }
    victim.is_well();
    for connection in &mut slow {
        if let Ok(answer) = connection.answer() {
            assert_eq!(answer.status, 408, "{answer:?}");
        }
    }
    assert!(victim.events().iter().all(|event| event["event_key"] != "slow"));
    victim.is_well();
}

#[test]
fn too_many_connections_wait_and_are_served() {
    let flags = ["--max-connections", "8", "--workers", "1", "--header-timeout", "500ms"];
    let victim = Victim::new(&flags);
    let idle: Vec<Connection> = (0..64).map(|_| victim.server.connect()).collect();
    victim.is_well();
    drop(idle);
    victim.is_well();
}

#[test]
fn the_content_type_does_not_matter() {
    let victim = Victim::new(&[]);
    for content_type in ["text/plain", "image/png", "application/x-www-form-urlencoded", "\u{1}"] {
        let headers = [("Content-Type", content_type)];
        let body = event(&format!("posted as {}", content_type.escape_default()));
        let mut connection = victim.server.connect();
        let answer = connection.post_with(&victim.door.path, &headers, body.as_bytes()).unwrap();
        // A control character in a header is no HTTP.
        let expected = if content_type == "\u{1}" { 400 } else { 200 };
        assert_eq!(answer.status, expected, "{content_type:?} {answer:?}");
    }
    assert_eq!(victim.events().len(), 3);
    victim.is_well();
}

#[test]
fn what_would_move_a_cursor_or_end_a_string_is_kept_and_shown_safely() {
    let victim = Victim::new(&[]);
    let nasty = "a\u{0}b\u{1b}[2Jc\r\nd\u{7}e\u{202e}f\u{9b}2Jg";
    let body =
        json!({ "event_key": nasty, "event_type": "ALERT", "title": nasty, "severity": nasty });
    let answer = victim.post(body.to_string().as_bytes());
    assert!(answer.is_promise(), "{answer:?}");
    let good = json!({ "event_key": nasty, "event_type": "ALERT", "title": nasty,
        "description": nasty, "resources": [nasty], "rule": nasty, "additional_info": { nasty: nasty } });
    assert_eq!(victim.post(good.to_string().as_bytes()).status, 200);
    // What ends strings elsewhere is replaced by what stands for the unreadable.
    let shown = nasty.replace('\0', "\u{fffd}");
    assert!(victim.events().iter().any(|event| event["event_key"] == shown.as_str()));
    for list in ["alert", "event"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
        let shown =
            command.args([list, "list", "--data"]).arg(victim.server.data()).output().unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        let text = String::from_utf8(shown.stdout).unwrap();
        let unsafe_one = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(unsafe_one, None, "{text:?}");
    }
    victim.is_well();
}

#[test]
fn odd_numbers_keys_and_times_harm_nobody() {
    let victim = Victim::new(&[]);
    let bodies = [
        format!("{{\"event_key\":\"n\",\"additional_info\":{{\"n\":{}}}}}", "7".repeat(400)),
        "{\"event_key\":\"n\",\"additional_info\":{\"n\":1e400}}".to_owned(),
        "{\"event_key\":\"n\",\"additional_info\":{\"n\":-0.0,\"m\":1e-400}}".to_owned(),
        "{\"event_key\":\"first\",\"event_key\":\"second\",\"event_type\":\"ALERT\"}".to_owned(),
        "{\"event_key\":\"t\",\"occurred_at\":99999999999999999999}".to_owned(),
        "{\"event_key\":\"t\",\"occurred_at\":-9223372036854775808}".to_owned(),
        "{\"event_key\":\"t\",\"occurred_at\":\"+262143-12-31T23:59:59Z\"}".to_owned(),
        json!({ "ключ": "日本", "event_key": "🔥\u{200d}é\u{301}", "event_type": "ALERT" })
            .to_string(),
        json!({ "event_key": ["a", "b"], "event_type": { "a": 1 } }).to_string(),
        json!({ "event_key": "x".repeat(500_000), "title": "y".repeat(400_000) }).to_string(),
        "[]".to_owned(),
        "null".to_owned(),
        "[null, 1, \"a\", [], {}]".to_owned(),
    ];
    for (taken, body) in (1..).zip(&bodies) {
        let answer = victim.post(body.as_bytes());
        assert!(answer.is_promise(), "{}: {answer:?}", &body[..body.len().min(200)]);
        assert_eq!(victim.server.taken(&victim.door), taken);
    }
    assert!(victim.events().iter().any(|event| event["event_key"] == "🔥\u{200d}é\u{301}"));
    victim.is_well();
}

#[test]
fn ten_thousand_items_in_one_body_are_ten_thousand_events() {
    let victim = Victim::new(&[]);
    let items: Vec<Value> = (0..10_000)
        .map(|item| json!({ "event_key": format!("k{item}"), "event_type": "ALERT" }))
        .collect();
    let body = Value::Array(items).to_string();
    let answer = victim.post(body.as_bytes());
    assert_eq!(answer.status, 200);
    let receipt = answer.json();
    let promised: std::collections::BTreeSet<String> = receipt["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(promised.len(), 10_000);
    let listed = victim.events();
    assert_eq!(listed.len(), 10_000);
    let listed: std::collections::BTreeSet<String> =
        listed.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, promised);
    let receipt_id = receipt["receipt_id"].as_str().unwrap();
    let kept = victim.server.deliveries([receipt_id]).remove(0).unwrap();
    assert_eq!(kept["outcomes"].as_array().unwrap().len(), 10_000);
    victim.is_well();
}

#[test]
fn nothing_is_kept_of_a_transfer_that_was_cut_short() {
    let victim = Victim::new(&[]);
    let whole = request("POST", &victim.door.path, &[JSON], event("cut").as_bytes());
    for part in [1, 30, whole.len() - 30, whole.len() - 1] {
        let mut connection = victim.server.connect();
        connection.send(&whole[..part]).unwrap();
        connection.hang_up();
        if let Ok(answer) = connection.answer() {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        victim.door.path
    );
    for chunks in
        ["zz\r\n{}", "2\r\n{}\r\n-1\r\n\r\n", "ffffffffffffffffff\r\n{}\r\n", "2\r\n{}\r\n"]
    {
        let mut connection = victim.server.connect();
        connection.send(head.as_bytes()).unwrap();
        connection.send(chunks.as_bytes()).unwrap();
        connection.hang_up();
        if let Ok(answer) = connection.answer() {
            assert_eq!(answer.status, 400, "{chunks:?}: {answer:?}");
        }
    }
    assert_eq!(victim.server.taken(&victim.door), 0);
    assert!(victim.events().is_empty());
    victim.is_well();
}

#[test]
fn requests_in_a_row_are_answered_in_order_until_the_garbage() {
    let victim = Victim::new(&[]);
    let mut connection = victim.server.connect();
    let mut bytes: Vec<u8> = (0..20)
        .flat_map(|count| {
            let body = event(&format!("in-a-row-{count}"));
            request("POST", &victim.door.path, &[JSON], body.as_bytes())
        })
        .collect();
    bytes.extend_from_slice(b"\x00\xff\x16\x03\x01 garbage / HTTP/9.9\r\n\r\n");
    connection.send(&bytes).unwrap();
    for count in 0..20 {
        let answer = connection.answer().unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let event_id = answer.json()["items"][0]["event_id"].clone();
        let event = victim.server.ask("/monitoring/v1/event/get", &json!({ "event_id": event_id }));
        assert_eq!(event["event_key"], format!("in-a-row-{count}").as_str());
    }
    match connection.answer() {
        Ok(answer) => {
            assert_eq!(answer.status, 400);
            assert!(is_closed(&mut connection));
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
    }
    victim.is_well();
}

#[test]
fn garbage_of_every_kind_is_let_go() {
    let victim = Victim::new(&["--header-timeout", "2s"]);
    let garbage: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ];
    for bytes in garbage {
        let mut connection = victim.server.connect();
        connection.send(bytes).unwrap();
        if let Ok(answer) = connection.answer() {
            assert!((400..500).contains(&answer.status), "{bytes:?}: {answer:?}");
        }
    }
    victim.is_well();
}

#[test]
fn headers_and_paths_of_any_length_are_answered() {
    let victim = Victim::new(&[]);
    for length in [100 << 10, 1 << 20] {
        let long = "h".repeat(length);
        let mut connection = victim.server.connect();
        // The server may close before it read all.
        let sent =
            connection.send(&request("POST", &victim.door.path, &[JSON, ("X-Long", &long)], b"{}"));
        if let (Ok(()), Ok(answer)) = (sent, connection.answer()) {
            assert!([200, 202, 400, 413, 414, 431].contains(&answer.status), "{}", answer.status);
        }
    }
    let many: Vec<(String, String)> =
        (0..500).map(|count| (format!("X-Header-{count}"), "v".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut connection = victim.server.connect();
    if let Ok(answer) = connection.post_with(&victim.door.path, &many, b"{}") {
        assert!([200, 202, 400, 431].contains(&answer.status), "{}", answer.status);
    }
    let taken = victim.server.taken(&victim.door);
    let long = "x".repeat(10_000);
    let paths = [
        format!("/monitoring/v1/webhook/{long}/{long}/events"),
        format!("/monitoring/v1/webhook/{}/{long}/events", victim.door.webhook_id),
        format!("/monitoring/v1/webhook/{long}/events"),
        "/monitoring/v1/webhook/%00/%ff%fe/events".to_owned(),
    ];
    for path in &paths {
        let answer = victim.server.connect().post(path, event("long").as_bytes()).unwrap();
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    assert_eq!(victim.server.taken(&victim.door), taken);
    assert!(!victim.server.log().contains("xxxxxxxx"), "the log holds a key");
    victim.is_well();
}

#[test]
fn a_full_queue_says_so_and_loses_nothing_that_it_took() {
    let victim = Victim::new(&["--queue", "1"]);
    let (mut taken, mut refused) = (Vec::new(), 0);
    let flood = |sender: usize| {
        let mut connection = victim.server.connect();
        let mut answers = Vec::new();
        for count in 0..30 {
            let body = event(&format!("flood-{sender}-{count}"));
            answers.push(connection.post(&victim.door.path, body.as_bytes()).unwrap());
        }
        answers
    };
    thread::scope(|threads| {
        let floods: Vec<_> = (0..64).map(|sender| threads.spawn(move || flood(sender))).collect();
        for answer in floods.into_iter().flat_map(|flood| flood.join().unwrap()) {
            match answer.status {
                200 => taken.push(answer.json()["items"][0]["event_id"].clone()),
                503 => {
                    assert!(answer.header("retry-after").is_some(), "{answer:?}");
                    refused += 1;
                }
                other => panic!("{other}: {answer:?}"),
            }
        }
    });
    assert_eq!(taken.len() + refused, 64 * 30);
    let events = victim.events();
    assert_eq!(events.len(), taken.len());
    assert!(events.iter().all(|event| taken.contains(&event["event_id"])));
    assert_eq!(victim.server.taken(&victim.door), taken.len() as u64);
    victim.is_well();
}

/// A small disk of our own, given back in the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where we may not mount one.
    fn mounted() -> Option<Self> {
        let room = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(room.path());
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        mounted.then_some(Self(room))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Posts until the answer is no promise any more; gives the receipts and that answer.
fn until_full(server: &Server, door: &Door) -> (Vec<Value>, Answer) {
    let mut connection = server.connect();
    let mut receipts = Vec::new();
    // What cannot be compressed fills a disk soonest.
    let mut state = 1u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    };
    for count in 0..4000 {
        let filler: String = (0..512).map(|_| noise()).collect();
        let body = json!({ "event_key": format!("fill-{count}"), "event_type": "ALERT", "description": filler });
        let answer = connection.post(&door.path, body.to_string().as_bytes()).unwrap();
        if !answer.is_promise() {
            return (receipts, answer);
        }
        receipts.push(answer.json());
    }
    panic!("a disk of 8 MiB took 32 MiB");
}

fn hold_to((server, door): (&Server, &Door), receipts: &[Value]) {
    let ids = receipts.iter().map(|receipt| receipt["receipt_id"].as_str().unwrap());
    assert!(server.deliveries(ids).iter().all(Option::is_some), "a promise was broken");
    // A nearly full disk raises an alert of its own, in a project of its own.
    let is_ours = |row: &Value| row["webhook_id"] == door.webhook_id.as_str();
    let events: Vec<Value> = server.events().into_iter().filter(is_ours).collect();
    let alerts: Vec<Value> = server.alerts().into_iter().filter(is_ours).collect();
    for receipt in receipts {
        let item = &receipt["items"][0];
        assert!(events.iter().any(|event| event["event_id"] == item["event_id"]));
        assert!(alerts.iter().any(|alert| alert["alert_id"] == item["alert_id"]));
    }
    assert_eq!(events.len(), receipts.len(), "something is kept that was refused");
    assert_eq!(alerts.len(), receipts.len());
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it shows nothing where it cannot")]
fn a_full_disk_takes_nothing_loses_nothing_and_takes_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mounted() else {
        eprintln!("skipped: we may not mount a small disk here");
        return;
    };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 3 << 20]).unwrap();
    let mut server = Server::start_in(Some(&disk.path().join("data")), &[]);
    let door = server.webhook("api-direct", "direct");
    let (mut receipts, refusal) = until_full(&server, &door);
    assert_eq!(refusal.status, 503, "{refusal:?}");
    assert!(refusal.header("retry-after").is_some());
    assert!(!receipts.is_empty());
    assert_eq!(server.get("/readyz").status, 200, "it can be asked although it takes nothing");
    hold_to((&server, &door), &receipts);
    fs::remove_file(&ballast).unwrap();
    let after = eventually("it takes deliveries again", || {
        let answer = server.connect().post(&door.path, event("after").as_bytes()).unwrap();
        answer.is_promise().then(|| answer.json())
    });
    receipts.push(after);
    hold_to((&server, &door), &receipts);
    server.kill();
    server.restart();
    hold_to((&server, &door), &receipts);
    assert_eq!(server.taken(&door), receipts.len() as u64);
}
