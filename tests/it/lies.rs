//! Somebody writes into the file what leaves each hash as it is, so that lists lie: `audit verify` names that too.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    harness::House,
    tamper::{broken, file, lived_in, named, newest},
};

#[actix_web::test]
async fn a_column_that_says_the_same_in_another_way_is_a_change() {
    let house = lived_in().await;
    let (at, connection) = (newest(&house).await - 3, file(&house));
    for change in [
        // Nothing, in another way: it would be listed alike, and found by no filter or by a false one.
        "before = 'null'",
        "entity_type = NULL",
        "after = replace(after, '{', '{ ')",
        "after = '{\"name\":\"a lie\",' || substr(after, 2)",
        "details = '{ }'",
        "reason = CAST(x'ff61' AS TEXT)",
        "actor_name = CAST(x'ff61' AS TEXT)",
        "format = 0",
        "format = -7",
        "format = 3",
    ] {
        connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE kept AS SELECT * FROM audit WHERE sequence = {at};
                 UPDATE audit SET {change} WHERE sequence = {at}"
            ))
            .unwrap();
        let broken = broken(&house);
        assert_eq!(named(&broken), ("CHANGED", at), "{change}: {broken:#}");
        // Who asks meanwhile is answered.
        assert_eq!(house.get("/api/v1/audit").await.status, 200, "{change}");
        connection
            .execute_batch(&format!(
                "DELETE FROM audit WHERE sequence = {at}; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept"
            ))
            .unwrap();
    }
    assert_eq!(broken(&house), Value::Null);
}

#[actix_web::test]
async fn a_record_that_stands_elsewhere_in_the_file_is_out_of_place() {
    let house = lived_in().await;
    let last = newest(&house).await;
    file(&house).execute("UPDATE audit SET audit = audit + 1000 WHERE sequence = 5", []).unwrap();
    assert_eq!(named(&broken(&house)), ("OUT_OF_PLACE", 6));
    assert_eq!(newest(&house).await, last);
}

#[actix_web::test]
async fn a_record_before_the_first_is_found() {
    for number in [0, -1, i64::MIN] {
        let house = lived_in().await;
        let sql = "INSERT INTO audit SELECT -7, 'audit-new', chain, ?1, format, posted_id, occurred_at, received_at, actor_type,
                       actor_id, actor_name, 'token.revoke', entity_type, entity_id, entity_name, outcome, reason, before, after,
                       remote, user_agent, request_id, details, previous, hash FROM audit WHERE sequence = 5";
        file(&house).execute(sql, [number]).unwrap();
        assert_eq!(named(&broken(&house)).0, "INSERTED", "{number}");
        assert_eq!(house.get("/api/v1/audit/verify").await.body["ok"], false, "{number}");
    }
}

#[actix_web::test]
async fn retention_does_not_take_away_what_shows_that_somebody_was_here() {
    let house = House::with(&["--audit-retention", "30d"]).await;
    for number in 0..12 {
        house.done("/api/v1/project/create", json!({ "name": format!("project {number}") })).await;
    }
    // Changed, and made to look as if it were old.
    let connection = file(&house);
    connection
        .execute("UPDATE audit SET action = 'project.delete' WHERE sequence = 5", [])
        .unwrap();
    connection.execute("UPDATE audit SET received_at = 1000 WHERE sequence <= 8", []).unwrap();
    house.hour().await;
    assert_eq!(named(&broken(&house)), ("CHANGED", 1));
    // Nor does it when it is old indeed.
    let house = House::with(&["--audit-retention", "30d"]).await;
    house.done("/api/v1/project/create", json!({ "name": "one" })).await;
    file(&house)
        .execute("UPDATE audit SET action = 'project.delete' WHERE sequence = 2", [])
        .unwrap();
    house.later(TimeDelta::days(31));
    house.hour().await;
    assert_eq!(named(&broken(&house)), ("CHANGED", 2));
}

#[actix_web::test]
async fn whatever_somebody_asks_for_leaves_a_record_that_can_be_read_again() {
    let house = House::new().await;
    for levels in [90, 100, 123] {
        let deep = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let query = json!({ "filter": [{ "k": "title", "v": deep, "o": "in" }] });
        let answer = house.post("/api/v1/alerts/export", json!({ "query": query })).await;
        assert_eq!(answer.status, 200, "{levels}: {answer:?}");
        assert_eq!(broken(&house), Value::Null, "{levels}");
    }
}
