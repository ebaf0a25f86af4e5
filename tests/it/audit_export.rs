//! The audit trail as a file: what is in it, whose it is, and that it does nothing where it is opened.

use std::process::Command;

use serde_json::{Value, json};

use crate::{harness::House, users};

const EXPORT: &str = "/api/v1/audit/export";

/// Names that have hurt someone before.
const NAMES: [&str; 12] = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    " =1+1",
    "a;=HYPERLINK(\"http://192.0.2.1\")",
    "say \"hello\", twice",
    "two\nlines",
    "invoice\u{202e}fdp.exe",
    "\u{2067}turned\u{2069}",
    "\u{feff}=1",
    "👩‍👩‍👧 שלום می‌خواهم",
];

/// A house in which somebody gave projects such names.
async fn named() -> House {
    let house = House::new().await;
    for (number, name) in NAMES.iter().enumerate() {
        let project = json!({ "project_id": format!("p{number:02}"), "name": name, "workspace_id": "default" });
        house.done("/api/v1/project/create", project).await;
    }
    house
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn a_table_with_formulas_quotes_newlines_and_marks_of_direction_opens_safely() {
    let house = named().await;
    let filter = json!([{ "k": "entity_type", "v": "project", "o": "eq" }, { "k": "entity_id", "v": "p", "o": "contain" }]);
    let asked = json!({
        "format": "csv", "columns": "action,outcome,entity_id,entity_name,after",
        "query": { "filter": filter, "sort": [{ "key": "occurred_at" }] },
    });
    let file = house.post(EXPORT, asked).await;
    assert_eq!(file.status, 200, "{file:?}");
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let cells: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(cells.len(), NAMES.len());
    for cell in cells.iter().flatten() {
        // As a spreadsheet of another country reads it, too.
        for part in cell.split([';', '\t', '\r', '\n']) {
            assert!(!part.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
        }
        assert!(!cell.contains(['\u{202e}', '\u{2067}', '\u{2069}', '\u{feff}']), "{cell}");
    }
    let shown: Vec<String> = cells.iter().map(|row| format!("{:?}", &row[3])).collect();
    insta::assert_snapshot!(shown.join("\n"));

    let log = house.get("/v1/k8s/audit?download=true&entity_type=Project").await;
    let mut reader = csv::Reader::from_reader(log.text.as_bytes());
    let names: Vec<String> = reader.records().map(|row| row.unwrap()[6].to_owned()).collect();
    let mut table: Vec<String> = cells.iter().map(|row| row[3].to_owned()).collect();
    table.reverse();
    assert_eq!(&names[..NAMES.len()], table, "every table of the trail is as safe");
}

#[actix_web::test]
async fn records_leave_as_they_are_in_every_other_format() {
    let house = named().await;
    let lines = house.get(EXPORT).await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let records = rows(&lines.text);
    let names: Vec<&str> = records
        .iter()
        .rev()
        .filter(|it| it["action"] == "project.create" && it["entity_type"] == "project")
        .filter_map(|it| it["entity_name"].as_str())
        .collect();
    let given = NAMES.map(str::trim);
    assert!(names.ends_with(&given), "exactly as they were given: {names:?}");
    let whole = house.get(&format!("{EXPORT}?format=json")).await;
    let first = &whole.body["results"][0];
    assert_eq!(first["action"], "audit.export", "the export before is in it, and this one is not");
    assert_eq!(whole.body["results"].as_array().unwrap()[1..], records);
    let listed = house.get("/api/v1/audit?limit=1000").await;
    let listed = listed.body["results"].as_array().unwrap();
    for (record, listed) in records.iter().rev().zip(listed.iter().rev()) {
        for field in ["audit_id", "sequence", "actor", "entity_name", "before", "after", "outcome"]
        {
            assert_eq!(record[field], listed[field], "{field}");
        }
    }
    let failed = json!([{ "k": "is_success", "v": "false", "o": "eq" }]);
    assert_eq!(house.post("/api/v1/project/create", json!({ "name": 5 })).await.status, 400);
    let failed = house.post(EXPORT, json!({ "query": { "filter": failed } })).await;
    assert_eq!(rows(&failed.text).len(), 1);
}

#[actix_web::test]
async fn what_cannot_be_exported_is_told_before_anything_is_sent() {
    let house = House::new().await;
    for (request, pointer) in [
        (json!({ "format": "xml" }), "/format"),
        (json!({ "format": "cadf", "profile": "iso" }), "/profile"),
        (json!({ "format": "csv", "profile": "ibm" }), "/profile"),
        (json!({ "format": "cadf", "columns": "action" }), "/columns"),
        (json!({ "query": { "sort": [{ "key": "action" }] } }), "/query/sort"),
        (
            json!({ "query": { "filter": [{ "k": "colour", "v": 1, "o": "eq" }] } }),
            "/query/filter/0/k",
        ),
        (json!({ "trail": "THEIRS" }), "/trail"),
        (json!({ "domain_id": 7 }), "/domain_id"),
    ] {
        let answer = house.post(EXPORT, request.clone()).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (400, vec![pointer]),
            "{request} {answer:?}"
        );
    }
    assert_eq!(house.post(EXPORT, json!({ "domain_id": "elsewhere" })).await.status, 404);
    let member = house
        .token("WORKSPACE_MEMBER", json!({ "workspace_id": "default", "projects": ["default"] }))
        .await;
    assert_eq!(house.as_token(&member).get(EXPORT).await.status, 403);
    let newest = house.get("/api/v1/audit?limit=1").await.body["results"][0].clone();
    assert_eq!(
        (&newest["action"], &newest["outcome"]),
        (&json!("audit.export"), &json!("ERROR_PERMISSION_DENIED"))
    );
}

#[actix_web::test]
async fn records_of_two_domains_never_share_a_file() {
    let house = House::new().await;
    house.done("/api/v1/domain/create", json!({ "domain_id": "rival", "name": "Rival" })).await;
    let workspace = json!({ "workspace_id": "rival", "name": "Rival", "domain_id": "rival" });
    house.done("/api/v1/workspace/create", workspace).await;
    let project = json!({ "name": "theirs", "workspace_id": "rival" });
    house.done("/api/v1/project/create", project).await;
    let unnamed = house.get(EXPORT).await;
    assert_eq!((unnamed.status, unnamed.pointers()), (400, vec!["/domain_id"]));
    for domain in ["default", "rival"] {
        let file = house.get(&format!("{EXPORT}?domain_id={domain}")).await;
        let records = rows(&file.text);
        assert!(!records.is_empty());
        assert!(records.iter().all(|record| record["domain_id"] == domain));
        let has_project = records.iter().any(|record| record["entity_name"] == "theirs");
        assert_eq!(
            has_project,
            domain == "rival",
            "what the administrator does is where it is done"
        );
        let newest = house.get(&format!("{EXPORT}?domain_id={domain}")).await;
        let newest = &rows(&newest.text)[0];
        assert_eq!(newest["action"], "audit.export", "recorded where the records are");
    }
    let reader = house.token("DOMAIN_ADMIN", json!({ "domain_id": "rival" })).await;
    let own = house.as_token(&reader).get(EXPORT).await;
    assert!(rows(&own.text).iter().all(|record| record["domain_id"] == "rival"));
    let others = house.as_token(&reader).get(&format!("{EXPORT}?domain_id=default")).await;
    assert_eq!(others.status, 404);
}

#[actix_web::test]
async fn a_record_that_was_taken_out_is_explained_as_the_documentation_says() {
    let house = House::new().await;
    users::user(&house, "amy", "WORKSPACE_OWNER").await;
    assert_eq!(users::log_in(&house, "amy", "anything but that").await.status, 401);
    let filter = ["action", "is_success"]
        .into_iter()
        .zip([json!("user.login"), json!(false)])
        .map(|(field, value)| json!({ "k": field, "v": value, "o": "eq" }));
    let query = json!({ "filter": filter.collect::<Vec<_>>(), "page": { "limit": 1 } });
    let file = house.post(EXPORT, json!({ "query": query })).await;
    assert_eq!(file.text.lines().count(), 1, "{file:?}");
    let room = tempfile::tempdir().unwrap();
    let record = room.path().join("record.ndjson");
    std::fs::write(&record, &file.text).unwrap();
    let mut explain = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    explain.args(["rules", "explain", "--provider", "alertmill-audit"]).arg(&record).env_clear();
    let output = explain.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("Logins of amy fail"), "{output:?}");
}

#[actix_web::test]
async fn what_no_export_knows_is_refused_with_all_that_one_takes() {
    let house = House::new().await;
    let refused = house.get(&format!("{EXPORT}?limit=1")).await;
    assert_eq!((refused.status, refused.pointers()), (400, vec!["/limit"]));
    for known in
        ["`trail`", "`query`", "`format`", "`profile`", "`domain_id`", "`columns`", "`gzip`"]
    {
        assert!(refused.text.contains(known), "{known}: {refused:?}");
    }
}
