//! Somebody changes the audit trail in the file: `audit verify` names the first record that is not as it was written.

use std::{path::Path, process::Command};

use alertmill::digest::unhex;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{audit::hash_of, harness::House};

/// A house whose trail has some records.
pub(crate) async fn lived_in() -> House {
    let house = House::new().await;
    for number in 0..12 {
        let project = json!({ "name": format!("project {number}") });
        house.done("/api/v1/project/create", project).await;
    }
    house
}

pub(crate) fn file(house: &House) -> Connection {
    let connection = Connection::open(house.data().join("alertmill.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    // Whoever means harm does not mind references.
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
}

/// What the command says beside a running server, and whether it ended well.
fn command(data: &Path, arguments: &[&str]) -> (Value, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    command.arg("audit").args(arguments).arg("--data").arg(data).arg("--json").env_clear();
    let output = command.output().unwrap();
    let said = serde_json::from_slice(&output.stdout);
    (said.unwrap_or_else(|_| panic!("{output:?}")), output.status.success())
}

/// What is wrong with the one chain there is.
pub(crate) fn broken(house: &House) -> Value {
    let (verified, is_well) = command(&house.data(), &["verify"]);
    assert_eq!(verified["ok"].as_bool(), Some(is_well), "{verified:#}");
    assert_eq!(verified["chains"].as_array().unwrap().len(), 1, "{verified:#}");
    verified["chains"][0]["broken"].clone()
}

pub(crate) fn named(broken: &Value) -> (&str, i64) {
    (broken["fault"].as_str().unwrap_or("nothing"), broken["sequence"].as_i64().unwrap_or(0))
}

pub(crate) async fn newest(house: &House) -> i64 {
    house.get("/api/v1/audit/head").await.body["heads"][0]["sequence"].as_i64().unwrap()
}

async fn record(house: &House, sequence: i64) -> Value {
    let asked = json!({ "query": { "filter": [{ "k": "sequence", "v": sequence, "o": "eq" }] } });
    house.done("/api/v1/audit/list", asked).await["results"][0].clone()
}

#[actix_web::test]
async fn what_nobody_touched_is_whole() {
    let mut house = lived_in().await;
    assert_eq!(broken(&house), Value::Null);
    assert_eq!(command(&house.data(), &["verify"]).0, house.get("/api/v1/audit/verify").await.body);
    house.reopen().await;
    house.done("/api/v1/project/create", json!({ "name": "one more" })).await;
    assert_eq!(broken(&house), Value::Null);
}

#[actix_web::test]
async fn whatever_is_changed_in_a_record_names_it() {
    let house = lived_in().await;
    let (at, connection) = (newest(&house).await - 3, file(&house));
    for change in [
        "audit_id = 'audit-other'",
        "format = 1",
        "posted_id = 'other'",
        "occurred_at = occurred_at + 1",
        "received_at = received_at - 1",
        "actor_type = 'user'",
        "actor_type = 'nonsense'",
        "actor_id = 'other'",
        "actor_name = 'other'",
        "action = 'project.delete'",
        "entity_type = 'token'",
        "entity_id = 'other'",
        "entity_name = 'other'",
        "entity_type = NULL, entity_id = NULL, entity_name = NULL",
        "outcome = 'ERROR_PERMISSION_DENIED'",
        "reason = 'because'",
        "before = '{}'",
        "after = NULL",
        "after = 'not JSON'",
        "remote = '203.0.113.9'",
        "user_agent = 'other'",
        "request_id = 'other'",
        "details = '[]'",
        "previous = x'00'",
        "hash = x''",
    ] {
        connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE kept AS SELECT * FROM audit WHERE sequence = {at}"
            ))
            .unwrap();
        connection
            .execute(&format!("UPDATE audit SET {change} WHERE sequence = {at}"), [])
            .unwrap();
        let broken = broken(&house);
        assert_eq!(named(&broken), ("CHANGED", at), "{change}: {broken:#}");
        connection
            .execute_batch(&format!("DELETE FROM audit WHERE sequence = {at}; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept"))
            .unwrap();
    }
    assert_eq!(broken(&house), Value::Null);
}

#[actix_web::test]
async fn a_record_changed_with_its_hash_is_found_at_the_next_one() {
    let house = lived_in().await;
    let mut fifth = record(&house, 5).await;
    fifth["action"] = json!("project.delete");
    let hash = unhex(&hash_of(&fifth)).unwrap();
    let sql = "UPDATE audit SET action = 'project.delete', hash = ?1 WHERE sequence = 5";
    file(&house).execute(sql, [hash]).unwrap();
    let broken = broken(&house);
    assert_eq!(named(&broken), ("OUT_OF_PLACE", 6), "{broken:#}");
}

#[actix_web::test]
async fn a_record_that_is_taken_out_is_missed_wherever_it_stood() {
    let house = lived_in().await;
    let newest = newest(&house).await;
    let connection = file(&house);
    for (what, first) in [
        ("sequence > 7 AND sequence < 10".to_owned(), 8),
        (format!("sequence > {}", newest - 3), 8),
        ("sequence = 1".to_owned(), 1),
    ] {
        connection.execute(&format!("DELETE FROM audit WHERE {what}"), []).unwrap();
        let broken = broken(&house);
        assert_eq!(named(&broken), ("MISSING", first), "{what}: {broken:#}");
    }
    // Newest records alone leave no gap; how the chain stood is signed.
    let house = lived_in().await;
    file(&house).execute("DELETE FROM audit WHERE sequence > ?1", [newest - 2]).unwrap();
    let broken = broken(&house);
    assert_eq!(named(&broken), ("MISSING", newest - 1), "{broken:#}");
}

#[actix_web::test]
async fn who_takes_the_newest_out_and_says_so_nowhere_is_told_of_for_ever() {
    let mut house = lived_in().await;
    let last = newest(&house).await - 2;
    let connection = file(&house);
    connection.execute("DELETE FROM audit WHERE sequence > ?1", [last]).unwrap();
    let set_back =
        "UPDATE audit_chain SET sequence = ?1, hash = (SELECT hash FROM audit WHERE sequence = ?1)";
    connection.execute(set_back, [last]).unwrap();
    let broken_now = broken(&house);
    assert_eq!(named(&broken_now), ("UNPROVEN", last), "{broken_now:#}");
    // What is written from now on does not prove what was before.
    house.done("/api/v1/project/create", json!({ "name": "one more" })).await;
    house.reopen().await;
    let broken_later = broken(&house);
    assert_eq!(named(&broken_later), ("UNPROVEN", last + 1), "{broken_later:#}");
}

#[actix_web::test]
async fn the_server_finds_the_same_and_goes_on_writing() {
    let house = lived_in().await;
    let newest = newest(&house).await;
    let sql = "INSERT INTO audit SELECT NULL, 'audit-new', chain, sequence + 1, format, posted_id, occurred_at, received_at,
                   actor_type, actor_id, actor_name, action, entity_type, entity_id, entity_name, outcome, reason, before,
                   after, remote, user_agent, request_id, details, previous, hash FROM audit WHERE sequence = ?1";
    file(&house).execute(sql, [newest]).unwrap();
    let found = house.get("/api/v1/audit/verify").await.body;
    assert_eq!(named(&found["chains"][0]["broken"]), ("CHANGED", newest + 1), "{found:#}");
    house.done("/api/v1/project/create", json!({ "name": "one more" })).await;
    assert_eq!(named(&broken(&house)), ("CHANGED", newest + 1));
}

#[actix_web::test]
async fn a_record_that_was_put_in_is_found() {
    let house = lived_in().await;
    let newest = newest(&house).await;
    let copy = |connection: &Connection, from: i64, to: i64| {
        connection.execute_batch("CREATE TEMP TABLE copied AS SELECT * FROM audit").unwrap();
        let sql = "UPDATE copied SET audit = NULL, audit_id = 'audit-new', sequence = ?2,
                   previous = (SELECT hash FROM audit WHERE sequence = ?2 - 1) WHERE sequence = ?1";
        connection.execute(sql, params![from, to]).unwrap();
        let sql = "INSERT INTO audit SELECT * FROM copied WHERE audit_id = 'audit-new'";
        connection.execute(sql, []).unwrap();
        connection.execute_batch("DROP TABLE copied").unwrap();
    };
    let seal = |connection: &Connection, record: &Value| {
        let hash = unhex(&hash_of(record)).unwrap();
        let sql = "UPDATE audit SET hash = ?1 WHERE audit_id = 'audit-new'";
        connection.execute(sql, [hash]).unwrap();
    };
    // Behind the newest one, first as a mere copy, then with a hash that fits.
    let connection = file(&house);
    copy(&connection, 5, newest + 1);
    let broken_copy = broken(&house);
    assert_eq!(named(&broken_copy), ("CHANGED", newest + 1), "{broken_copy:#}");
    seal(&connection, &record(&house, newest + 1).await);
    let broken_behind = broken(&house);
    assert_eq!(named(&broken_behind), ("INSERTED", newest + 1), "{broken_behind:#}");
    connection.execute("DELETE FROM audit WHERE sequence > ?1", [newest]).unwrap();
    assert_eq!(broken(&house), Value::Null);

    // Between two others: whatever fits before it, what comes after has moved.
    connection
        .execute_batch(
            "UPDATE audit SET sequence = -sequence - 1 WHERE sequence > 4;
             UPDATE audit SET sequence = -sequence WHERE sequence < 0",
        )
        .unwrap();
    copy(&connection, 4, 5);
    assert_eq!(named(&broken(&house)), ("CHANGED", 5));
    seal(&connection, &record(&house, 5).await);
    let broken_between = broken(&house);
    assert_eq!(named(&broken_between), ("CHANGED", 6), "{broken_between:#}");
}

#[actix_web::test]
async fn records_that_changed_places_are_found() {
    let house = lived_in().await;
    file(&house)
        .execute_batch(
            "UPDATE audit SET sequence = -6 WHERE sequence = 5;
             UPDATE audit SET sequence = 5 WHERE sequence = 6;
             UPDATE audit SET sequence = 6 WHERE sequence = -6",
        )
        .unwrap();
    let broken = broken(&house);
    assert_eq!(named(&broken), ("CHANGED", 5), "{broken:#}");
}

#[actix_web::test]
async fn a_whole_chain_that_is_gone_is_missed() {
    let house = lived_in().await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let admin = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    let refused =
        house.as_token(admin).post("/api/v1/domain/delete", json!({ "domain_id": "rival" })).await;
    assert_eq!(refused.status, 403);
    let connection = file(&house);
    let of_rival = "(SELECT c.chain FROM audit_chain c JOIN domain d USING (domain) WHERE domain_id = 'rival')";
    connection.execute(&format!("DELETE FROM audit_chain WHERE chain = {of_rival}"), []).unwrap();
    let (verified, is_well) = command(&house.data(), &["verify"]);
    assert!(!is_well);
    let wrong = verified["wrong"].to_string();
    assert!(wrong.contains("chain 2 of the trail is gone"), "{wrong}");
    assert!(wrong.contains("2 records belong to no chain"), "{wrong}");
    connection.execute("DELETE FROM audit WHERE chain = 2", []).unwrap();
    connection.execute("UPDATE audit_register SET chains = 1", []).unwrap();
    let (verified, is_well) = command(&house.data(), &["verify"]);
    assert!(!is_well && verified["wrong"].to_string().contains("how many chains"), "{verified:#}");
}

#[actix_web::test]
async fn a_head_kept_elsewhere_counts_against_who_has_the_key() {
    let (house, other) = (lived_in().await, House::new().await);
    let room = tempfile::tempdir().unwrap();
    let kept = room.path().join("head.json");
    let kept = kept.to_str().unwrap();
    let mut head = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    head.args(["audit", "head", "--out", kept, "--data"]).arg(house.data()).env_clear();
    assert!(head.status().unwrap().success());
    assert!(!head.status().unwrap().success(), "a file that exists is left alone");
    house.done("/api/v1/project/create", json!({ "name": "one more" })).await;
    let (verified, is_well) = command(&house.data(), &["verify", "--head", kept]);
    assert!(is_well, "{verified:#}");
    assert_eq!(verified["heads_compared"], 1);
    for nothing in ["{}", "{\"heads\":[]}", "[]"] {
        let empty = room.path().join("empty.json");
        std::fs::write(&empty, nothing).unwrap();
        let mut verify = Command::new(env!("CARGO_BIN_EXE_alertmill"));
        verify.args(["audit", "verify", "--head"]).arg(empty).arg("--data").arg(house.data());
        let output = verify.env_clear().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{nothing}: {output:?}");
    }

    // Whoever has the key can write another trail, which is whole by itself.
    for number in 0..20 {
        other.done("/api/v1/project/create", json!({ "name": format!("other {number}") })).await;
    }
    assert!(command(&other.data(), &["verify"]).1);
    let (verified, is_well) = command(&other.data(), &["verify", "--head", kept]);
    assert!(!is_well);
    assert_eq!(verified["chains"][0]["broken"]["fault"], "REWRITTEN", "{verified:#}");
    let short = House::new().await;
    let (verified, _) = command(&short.data(), &["verify", "--head", kept]);
    assert_eq!(verified["chains"][0]["broken"]["fault"], "MISSING", "{verified:#}");
}

#[actix_web::test]
async fn without_the_key_only_the_chains_are_checked_and_only_if_asked() {
    let house = lived_in().await;
    std::fs::remove_file(house.data().join("audit.key")).unwrap();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    verify.args(["audit", "verify", "--data"]).arg(house.data()).env_clear();
    let output = verify.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(command(&house.data(), &["verify", "--without-key"]).1);
}

async fn alerts_of_system(house: &House) -> Vec<Value> {
    house.alerts(json!({ "project_id": "system" })).await
}

#[actix_web::test]
async fn what_is_changed_in_the_file_pages_somebody_until_it_is_as_it_was() {
    let house = lived_in().await;
    house.day().await;
    house.second().await;
    assert_eq!(alerts_of_system(&house).await, Vec::<Value>::new());

    let connection = file(&house);
    let as_it_was = record(&house, 5).await["action"].as_str().unwrap().to_owned();
    let change = "UPDATE audit SET action = ?1 WHERE sequence = 5";
    connection.execute(change, ["project.delete"]).unwrap();
    house.day().await;
    house.second().await;
    let alerts = alerts_of_system(&house).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(
        (&alerts[0]["severity"], &alerts[0]["state"]),
        (&json!("CRITICAL"), &json!("TRIGGERED"))
    );
    assert!(alerts[0]["description"].as_str().unwrap().contains("record 5"), "{alerts:?}");
    let record = record(&house, newest(&house).await).await;
    assert_eq!(record["outcome"], "ERROR_AUDIT_TRAIL_BROKEN", "{record:#}");
    assert_eq!(record["actor"], "timer:verification");
    // Who asks is told as well, and it is the same alert.
    assert_eq!(house.get("/api/v1/audit/verify").await.body["ok"], false);
    house.second().await;
    assert_eq!(alerts_of_system(&house).await[0]["event_count"], 2);

    connection.execute(change, [as_it_was]).unwrap();
    house.day().await;
    let alerts = alerts_of_system(&house).await;
    assert_eq!((alerts.len(), &alerts[0]["state"]), (1, &json!("RESOLVED")));
}

#[actix_web::test]
async fn a_store_restored_without_its_key_is_proven_again_once_somebody_answers_for_it() {
    let mut house = lived_in().await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let admin = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    std::fs::remove_file(house.data().join("audit.key")).unwrap();
    house.reopen().await;
    house.done("/api/v1/project/create", json!({ "name": "one more" })).await;
    let (verified, is_well) = command(&house.data(), &["verify"]);
    assert!(!is_well && verified["wrong"].to_string().contains("how many chains"), "{verified:#}");
    assert_eq!(verified["chains"][0]["broken"]["fault"], "UNPROVEN", "{verified:#}");
    house.day().await;
    house.second().await;
    assert_eq!(alerts_of_system(&house).await.len(), 1);

    let path = "/api/v1/audit/accept";
    let why = json!({ "reason": "restored from a backup without its key" });
    assert_eq!(house.post(path, json!({ "reason": "  " })).await.status, 400);
    assert_eq!(house.as_token(admin).post(path, why.clone()).await.status, 403);
    let accepted = house.done(path, why).await;
    assert_eq!(
        (&accepted["chains"][0]["trail"], &accepted["count"]),
        (&json!("OWN"), &json!(true))
    );
    let record = record(&house, newest(&house).await).await;
    assert_eq!(record["action"], "audit.accept");
    assert_eq!(record["details"]["reason"], "restored from a backup without its key");
    assert_eq!(record["before"]["unproven"]["chains"][0], accepted["chains"][0]);
    let (verified, is_well) = command(&house.data(), &["verify"]);
    assert!(is_well, "{verified:#}");
    house.day().await;
    assert_eq!(alerts_of_system(&house).await[0]["state"], "RESOLVED");
    let again = house.done(path, json!({ "reason": "once more" })).await;
    assert_eq!(again, json!({ "chains": [], "count": false }));

    // What was changed is not mended by anybody's word.
    let change = "UPDATE audit SET action = 'project.delete' WHERE sequence = 5";
    file(&house).execute(change, []).unwrap();
    house.done(path, json!({ "reason": "never mind" })).await;
    let (verified, _) = command(&house.data(), &["verify"]);
    assert_eq!(named(&verified["chains"][0]["broken"]), ("CHANGED", 5), "{verified:#}");
}
