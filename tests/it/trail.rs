//! The audit trail as it is asked: all trails in the filter language, to the end while records arrive, and for as long as
//! they are kept.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::House;

const LIST: &str = "/api/v1/audit/list";

async fn project(house: &House, name: &str) -> Value {
    house.done("/api/v1/project/create", json!({ "name": name })).await
}

fn is(field: &str, value: &str) -> Value {
    json!({ "k": field, "v": value, "o": "eq" })
}

async fn found(house: &House, filter: Value) -> Vec<Value> {
    let page = house.done(LIST, json!({ "query": { "filter": filter } })).await;
    let Value::Array(rows) = page["results"].clone() else { panic!("{page}") };
    assert_eq!(page["total_count"], rows.len(), "{page}");
    rows
}

#[actix_web::test]
async fn records_are_found_by_whatever_they_name() {
    let house = House::new().await;
    let made = project(&house, "billing").await;
    house.post("/api/v1/project/create", json!({ "name": "" })).await;
    house.post("/monitoring/v1/alert/delete", json!({ "alert_id": "alert-0" })).await;
    let record = found(&house, json!([is("entity_name", "billing")])).await.remove(0);
    assert_eq!(record["entity_id"], made["project_id"]);
    let id = record["audit_id"].as_str().unwrap();
    for field in [
        "audit_id",
        "action",
        "actor",
        "actor_type",
        "actor_id",
        "actor_name",
        "entity_id",
        "remote",
        "request_id",
    ] {
        let rows = found(&house, json!([is(field, record[field].as_str().unwrap())])).await;
        assert!(rows.iter().any(|row| row["audit_id"] == id), "{field}: {rows:#?}");
        assert!(rows.iter().all(|row| row[field] == record[field]), "{field}: {rows:#?}");
    }
    let failed = found(&house, json!([is("is_success", "false")])).await;
    assert!(failed.len() >= 2, "{failed:#?}");
    assert!(failed.iter().all(|row| row["outcome"] != "SUCCESS"));
    let truth = json!([{ "k": "is_success", "v": false, "o": "eq" }]);
    assert_eq!(found(&house, truth).await, failed, "a truth is as good as the word for it");
    let among = json!([{ "k": "is_success", "v": [false], "o": "in" }]);
    assert_eq!(found(&house, among).await, failed);
    let got = house.done("/api/v1/audit/get", json!({ "audit_id": id })).await;
    assert_eq!(got, record);
    let absent = house.post("/api/v1/audit/get", json!({ "audit_id": "audit-0" })).await;
    assert_eq!((absent.status, absent.code()), (404, "ERROR_NOT_FOUND"));
}

#[actix_web::test]
async fn the_trail_is_for_those_who_reach_a_whole_domain() {
    let house = House::new().await;
    let owner = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let owner = house.as_token(owner);
    for path in [LIST, "/api/v1/audit/get", "/api/v1/audit/verify"] {
        let refused = owner.post(path, json!({ "audit_id": "audit-0" })).await;
        let expected = if path == "/api/v1/audit/get" { 403 } else { 400 };
        assert_eq!(refused.status, expected, "{path}: {refused:?}");
        let body = if path == "/api/v1/audit/get" { json!({ "audit_id": "a" }) } else { json!({}) };
        assert_eq!(owner.post(path, body).await.status, 403, "{path}");
    }
    for path in ["/api/v1/audit", "/api/v1/audit/head", "/api/v1/audit/verify"] {
        assert_eq!(owner.get(path).await.status, 403, "{path}");
    }
    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let rival = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    let rival = house.as_token(rival);
    let seen = rival.done(LIST, json!({})).await;
    let what =
        (&seen["total_count"], &seen["results"][0]["action"], &seen["results"][0]["domain_id"]);
    assert_eq!(what, (&json!(1), &json!("token.create"), &json!("rival")), "{seen:#}");
    let verified = rival.found("/api/v1/audit/verify").await;
    let chains: Vec<&Value> =
        verified["chains"].as_array().unwrap().iter().map(|chain| &chain["domain_id"]).collect();
    assert_eq!((&verified["ok"], chains), (&json!(true), vec![&json!("rival")]), "{verified:#}");
}

#[actix_web::test]
async fn paging_through_while_records_arrive_yields_each_once() {
    let house = House::new().await;
    for number in 0..60 {
        project(&house, &format!("before {number}")).await;
        house.later(TimeDelta::milliseconds(1));
    }
    let all = house.done(LIST, json!({ "query": { "page": { "limit": 1000 } } })).await;
    let all: BTreeSet<String> =
        all["results"].as_array().unwrap().iter().map(|row| row["audit_id"].to_string()).collect();
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for number in 0.. {
        let page = json!({ "limit": 7, "cursor": cursor, "total": "none" });
        let page = house.done(LIST, json!({ "query": { "page": page } })).await;
        let rows = page["results"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["audit_id"].to_string()));
        for late in 0..3 {
            project(&house, &format!("meanwhile {number} {late}")).await;
        }
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let once: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "none twice");
    assert_eq!(once, all, "all that was there, and nothing that came later");
}

#[actix_web::test]
async fn what_is_old_goes_up_to_a_checkpoint_and_the_rest_is_still_whole() {
    let mut house = House::with(&["--audit-retention", "30d"]).await;
    for number in 0..20 {
        project(&house, &format!("old {number}")).await;
    }
    let newest =
        house.get("/api/v1/audit/head").await.body["heads"][0]["sequence"].as_u64().unwrap();
    house.later(TimeDelta::days(29));
    house.hour().await;
    assert!(found(&house, json!([is("action", "audit.retain")])).await.is_empty());
    project(&house, "young").await;
    house.later(TimeDelta::days(2));
    house.hour().await;
    let cut = found(&house, json!([is("action", "audit.retain")])).await.remove(0);
    assert_eq!(cut["after"]["audit_records"], newest, "{cut:#}");
    assert_eq!((&cut["actor"], &cut["entity_id"]), (&json!("timer:retention"), &json!("default")));
    let rows = found(&house, json!([])).await;
    let sequences: Vec<u64> = rows.iter().map(|row| row["sequence"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (newest + 1..newest + 1 + sequences.len() as u64).rev().collect();
    assert_eq!(sequences, expected, "no gap, and no number comes back");
    for _ in 0..2 {
        let verified = house.get("/api/v1/audit/verify").await.body;
        assert_eq!(verified["ok"], true, "{verified:#}");
        assert_eq!(verified["chains"][0]["removed_up_to"], newest, "{verified:#}");
        house.reopen().await;
    }
    // Again and again nothing is old; the record of the cut is not cut by itself.
    house.hour().await;
    assert_eq!(found(&house, json!([is("action", "audit.retain")])).await.len(), 1);
}

#[actix_web::test]
async fn ninety_days_are_kept_where_nothing_is_said() {
    let house = House::new().await;
    project(&house, "old").await;
    let cuts = json!([is("action", "audit.retain")]);
    house.later(TimeDelta::days(89));
    project(&house, "young").await;
    house.hour().await;
    assert!(found(&house, cuts.clone()).await.is_empty());
    house.later(TimeDelta::days(2));
    house.hour().await;
    assert_eq!(found(&house, cuts).await.len(), 1);
    assert!(found(&house, json!([is("entity_name", "old")])).await.is_empty());
}

#[actix_web::test]
async fn a_trail_that_is_kept_for_ever_is_never_cut() {
    let house = House::with(&["--audit-retention", "0s"]).await;
    project(&house, "old").await;
    let before = found(&house, json!([is("entity_name", "old")])).await;
    house.later(TimeDelta::days(3000));
    house.hour().await;
    assert_eq!(found(&house, json!([is("entity_name", "old")])).await, before);
}

#[actix_web::test]
async fn the_server_holds_the_trail_against_heads_taken_out_before() {
    let house = House::new().await;
    project(&house, "one").await;
    let mut heads = house.get("/api/v1/audit/head").await.body;
    project(&house, "two").await;
    let verified = house.done("/api/v1/audit/verify", heads.clone()).await;
    assert_eq!(verified["ok"], true, "{verified:#}");
    heads["heads"][0]["hash"] = json!("0".repeat(64));
    let verified = house.done("/api/v1/audit/verify", heads.clone()).await;
    assert_eq!(verified["chains"][0]["broken"]["fault"], "REWRITTEN", "{verified:#}");
    heads["heads"][0]["hash"] = json!("short");
    let refused = house.post("/api/v1/audit/verify", heads.clone()).await;
    assert_eq!((refused.status, refused.pointers()), (400, vec!["/heads/0/hash"]));
    heads["heads"][0]["hash"] = json!("0".repeat(64));
    heads["heads"][0]["trail"] = json!("POSTED");
    let verified = house.done("/api/v1/audit/verify", heads).await;
    assert_eq!(verified["ok"], false);
    assert!(verified["wrong"][0].as_str().unwrap().contains("is gone"), "{verified:#}");
}

#[actix_web::test]
async fn each_head_that_is_given_is_compared_or_said_not_to_be() {
    let house = House::new().await;
    project(&house, "one").await;
    let early = house.get("/api/v1/audit/head").await.body["heads"][0].clone();
    project(&house, "two").await;
    let late = house.get("/api/v1/audit/head").await.body["heads"][0].clone();
    let verify =
        async |heads: Value| house.post("/api/v1/audit/verify", json!({ "heads": heads })).await;
    let both = verify(json!([early, late])).await.body;
    assert_eq!((&both["ok"], &both["heads_compared"]), (&json!(true), &json!(2)), "{both:#}");
    for made_up in [0, 1] {
        let mut heads = json!([early, late]);
        heads[made_up]["hash"] = json!("0".repeat(64));
        let found = verify(heads).await.body;
        assert_eq!(found["chains"][0]["broken"]["fault"], "REWRITTEN", "{made_up}: {found:#}");
    }
    let none = verify(json!([])).await;
    assert_eq!((none.status, none.pointers()), (400, vec!["/heads"]));

    house.done("/api/v1/domain/create", json!({ "domain_id": "acme", "name": "acme" })).await;
    let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": "acme" })).await;
    let asked = json!({ "heads": [early] });
    let found = house.as_token(&reader).done("/api/v1/audit/verify", asked).await;
    assert_eq!((&found["ok"], &found["heads_compared"]), (&json!(false), &json!(0)), "{found:#}");
    assert!(found["wrong"][0].as_str().unwrap().contains("not compared"), "{found:#}");
}

#[actix_web::test]
async fn records_stand_in_the_order_in_which_they_were_written_though_many_write_at_once() {
    let house = House::new().await;
    let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    futures_util::future::join_all(names.iter().map(|name| project(&house, name))).await;
    let rows = found(&house, json!([is("trail", "OWN")])).await;
    let sequences: Vec<u64> = rows.iter().map(|row| row["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] == pair[1] + 1), "{sequences:?}");
}
