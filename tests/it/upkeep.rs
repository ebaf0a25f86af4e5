//! Backups, and whether the store is well.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use super::client::{Door, Server, eventually};

fn admin(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    command.arg("admin").args(arguments).arg("--data").arg(data).arg("--json").env_clear();
    command.output().unwrap()
}

fn done(data: &Path, arguments: &[&str]) -> Value {
    let output = admin(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = admin(data, arguments);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn post(server: &Server, door: &Door, key: &str) {
    let body = json!({ "event_key": key, "event_type": "ALERT", "severity": "INFO", "title": key });
    let answer = server.connect().post(&door.path, body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_of_a_busy_server_is_whole_and_can_be_put_back() {
    let mut server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("backup.db");
    let data = server.data().to_owned();
    for count in 0..50 {
        post(&server, &door, &format!("before-{count}"));
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            for count in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                post(&server, &door, &format!("meanwhile-{count}"));
            }
        });
        let made = done(&data, &["backup", text(&file)]);
        assert!(made["rows"]["event"].as_u64().unwrap() >= 50, "{made}");
        let well = done(&data, &["verify", "--thorough"]);
        assert_eq!(well["ok"], true, "{well}");
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1, "nothing unfinished is left");
    let again = refused(&data, &["backup", text(&file)]);
    assert!(again.contains("exists"), "{again}");
    let busy = refused(&data, &["restore", text(&file), "--force"]);
    assert!(busy.contains("another Alertmill server"), "{busy}");
    assert!(refused(&data, &["vacuum"]).contains("another Alertmill server"));

    server.terminate();
    server.ended();
    let guarded = refused(&data, &["restore", text(&file)]);
    assert!(guarded.contains("--force"), "{guarded}");
    let restored = done(&data, &["restore", text(&file), "--force"]);
    let kept =
        fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.filter(|name| name.starts_with("alertmill.db.before-")).count(), 1);
    assert_eq!(done(&data, &["verify"])["ok"], true);
    let gained = done(&data, &["vacuum"]);
    assert!(gained["bytes_before"].as_u64() >= gained["bytes"].as_u64(), "{gained}");
    server.restart();
    // Numbers of the trail come back with an older store: how far the one before went is told.
    assert!(restored["replaced"]["heads"][0]["sequence"].as_u64() > Some(5), "{restored}");
    let audit = server.get("/api/v1/audit?action=store.restore").json();
    assert_eq!(audit["results"][0]["before"], restored["replaced"], "{audit:#}");
    let events = server.all("/monitoring/v1/event/list", &json!({ "only": ["event_id"] }));
    assert_eq!(events.len() as u64, restored["rows"]["event"].as_u64().unwrap());
    post(&server, &door, "after");
    assert_eq!(done(&data, &["verify", "--thorough"])["ok"], true);
}

#[test]
fn a_store_that_is_not_well_is_told_so_and_what_is_none_is_not_put_back() {
    let mut server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    post(&server, &door, "a");
    let data = server.data().to_owned();
    server.kill();
    assert_eq!(done(&data, &["verify"])["ok"], true, "a killed server leaves a store that is well");
    let room = tempfile::tempdir().unwrap();
    let no_backup = room.path().join("no.db");
    fs::write(&no_backup, "certainly not").unwrap();
    let said = refused(&data, &["restore", text(&no_backup), "--force"]);
    assert!(said.contains("not an Alertmill store"), "{said}");
    assert_eq!(done(&data, &["verify"])["ok"], true, "what was there is there still");
    // The page with what was posted holds something else.
    let file = data.join("alertmill.db");
    done(&data, &["vacuum"]);
    let mut bytes = fs::read(&file).unwrap();
    let posted = b"\"event_key\"";
    let at = bytes.windows(posted.len()).rposition(|part| part == posted).unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let output = admin(&data, &["verify", "--thorough"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let target = room.path().join("b.db");
    refused(&data, &["backup", text(&target)]);
    assert!(!target.exists());
}

#[test]
fn without_the_key_of_the_trail_nothing_is_said_to_be_well_and_the_server_says_what_to_do() {
    let mut server = Server::start(&[]);
    server.webhook("api-direct", "one");
    let data = server.data().to_owned();
    server.terminate();
    server.ended();
    let key = data.join("audit.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let verify = |code| {
        let output = admin(&data, &["verify"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let unknown = verify(1);
    assert!(unknown.to_string().contains("nothing tells whether newest records are gone"));
    assert!(unknown["said"].as_str().unwrap().contains("alertmill audit accept"), "{unknown:#}");
    server.restart();
    let log = eventually("the server warns", || {
        let log = server.log();
        log.contains("put the audit.key of the backed up server there").then_some(log)
    });
    assert!(log.contains("OWN of domain default"), "{log}");
    server.terminate();
    server.ended();
    let unproven = verify(1);
    assert!(unproven["said"].as_str().unwrap().contains("Put the `audit.key`"), "{unproven:#}");
    // What is wrong beside that is not mended by a key.
    let store = rusqlite::Connection::open(data.join("alertmill.db")).unwrap();
    store.execute("UPDATE audit SET action = 'x.y' WHERE sequence = 2", []).unwrap();
    drop(store);
    assert!(verify(1)["said"].as_str().unwrap().starts_with("Restore a backup"));
    fs::write(&key, kept).unwrap();
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name() {
    let server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    for count in 0..200 {
        post(&server, &door, &format!("k{count}"));
    }
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("b.db");
    let mut child = Command::new(env!("CARGO_BIN_EXE_alertmill"))
        .args(["admin", "backup", text(&file), "--data", text(server.data())])
        .spawn()
        .unwrap();
    // As soon as it has begun to write.
    let _ = eventually("it begins", || fs::read_dir(room.path()).unwrap().next());
    child.kill().unwrap();
    child.wait().unwrap();
    if file.exists() {
        // It was faster than we are, so it must be whole.
        let other = room.path().join("data");
        done(&other, &["restore", text(&file)]);
    }
    assert_eq!(done(server.data(), &["verify"])["ok"], true);
}

#[test]
fn tail_shows_what_happens_and_comes_back_by_itself() {
    use std::io::{BufRead, BufReader};

    let mut server = Server::start(&[]);
    let door = server.webhook("api-direct", "one");
    let mut tail = Command::new(env!("CARGO_BIN_EXE_alertmill"))
        .args([
            "tail",
            "events",
            "--filter",
            "project_id=default",
            "--after",
            "0-0",
            "--json",
            "--data",
        ])
        .arg(server.data())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut key = || {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["data"]["event_key"].as_str().unwrap().to_owned()
    };
    post(&server, &door, "a");
    assert_eq!(key(), "a");
    // The same address again, which a tail that comes back needs.
    let address = server.address().to_string();
    server.terminate();
    server.ended();
    server.restart_at(&address);
    post(&server, &door, "b");
    assert_eq!(key(), "b");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn what_commands_do_to_the_files_is_recorded_whether_a_server_runs_or_not() {
    let mut server = Server::start(&[]);
    let (data, room) = (server.data().to_owned(), tempfile::tempdir().unwrap());
    let file = room.path().join("backup.db");
    let made = done(&data, &["backup", text(&file)]);
    assert_eq!(
        made["recorded"],
        "The server writes it into the audit trail: within a minute if it runs, else at its next start."
    );
    refused(&data, &["backup", text(&file)]);
    server.terminate();
    server.ended();
    for command in ["verify", "vacuum"] {
        assert_eq!(done(&data, &[command])["recorded"], "It is in the audit trail.", "{command}");
    }
    server.restart();
    let recorded = || {
        let page = server.get("/api/v1/audit?limit=100");
        let page: Value = serde_json::from_slice(&page.body).unwrap();
        let of_store = page["results"].as_array().unwrap().iter();
        let of_store: Vec<Value> =
            of_store.filter(|record| record["entity_type"] == "store").cloned().collect();
        (of_store.len() == 4).then_some(of_store)
    };
    let records = eventually("what the commands did is in the trail", recorded);
    let count = |action: &str, outcome: &str| {
        let is_it = |record: &&Value| record["action"] == action && record["outcome"] == outcome;
        records.iter().filter(is_it).count()
    };
    assert_eq!(count("store.backup", "SUCCESS"), 1, "{records:#?}");
    assert_eq!(count("store.backup", "ERROR_INVALID_PARAMETER"), 1, "{records:#?}");
    assert_eq!((count("store.verify", "SUCCESS"), count("store.vacuum", "SUCCESS")), (1, 1));
    for record in &records {
        assert_eq!(record["actor_type"], "command");
        assert!(record["actor_name"].as_str().unwrap().starts_with("uid "), "{record:#}");
    }
    assert_eq!(done(&data, &["verify"])["ok"], true, "the chain is whole");
}
