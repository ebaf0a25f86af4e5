//! The cases of the original's query language, and that a filter means the same in memory and in the store.

mod agree;
mod declared;
mod plans;
mod random;

use std::collections::BTreeSet;

use proptest::prelude::*;
use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Value, json};

use super::{ALERTS, Composed, EVENTS, Table, compose, found, register};
use crate::{
    clock::Timestamp,
    domain::scope::{Reach, Scope},
    error::Error,
    query::{self, Catalogue, Keyset, Query},
    store::{Found, Total},
};

const MIGRATION: &str = concat!(
    include_str!("../migrations/0001_foundation.sql"),
    include_str!("../migrations/0003_seeking.sql")
);
const VECTORS: &str = include_str!("../../../../tests/data/query_vectors.json");

/// Cases that hinge on a column being absent, which a table cannot express: there it is null.
const ONLY_IN_MEMORY: [&str; 2] = ["exists_true", "match_embedded"];

fn data() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn empty_store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    // The original leaves null what our own rows always have.
    let mut schema = MIGRATION.to_owned();
    for column in ["provider", "account", "resources", "additional_info"] {
        for spaces in 1..16 {
            let strict = format!("    {column}{}TEXT NOT NULL", " ".repeat(spaces));
            schema = schema.replace(&strict, &format!("    {column} TEXT"));
        }
    }
    connection.execute_batch(&schema).unwrap();
    connection
        .execute_batch(
            "INSERT INTO domain VALUES (1, 'domain-1', 'one', 0), (2, 'domain-2', 'two', 0);
             INSERT INTO workspace VALUES (1, 'ws-1', 1, 'one', 0, 0), (9, 'ws-9', 2, 'nine', 0, 0);
             INSERT INTO project (project, project_id, workspace, name, created_at) VALUES
               (1, 'project-1', 1, '1', 0), (2, 'project-2', 1, '2', 0), (3, 'project-3', 1, '3', 0),
               (9, 'project-9', 9, '9', 0);
             INSERT INTO webhook (webhook, webhook_id, project, name, state, plugin, created_at) VALUES
               (1, 'webhook-1', 1, '1', 'ENABLED', 'x', 0), (2, 'webhook-2', 1, '2', 'ENABLED', 'x', 0);
             INSERT INTO delivery (delivery, delivery_id, webhook, state, items, dead, first_event, events, remote, received_at)
               VALUES (1, 'receipt-1', 1, 'applied', 3, 0, 1, 3, '', 0);",
        )
        .unwrap();
    register(&connection).unwrap();
    connection
}

fn store() -> Connection {
    let connection = empty_store();
    let data = data();
    for alert in data["datasets"]["Alert"].as_array().unwrap() {
        add_alert(&connection, alert);
    }
    for event in data["datasets"]["Event"].as_array().unwrap() {
        add_event(&connection, event);
    }
    connection
}

fn millis(value: &Value) -> Option<i64> {
    value.as_str().map(|time| time.parse::<Timestamp>().unwrap().timestamp_millis())
}

fn json_text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn add_alert(connection: &Connection, alert: &Value) {
    let names: Value =
        alert["resources"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    let webhook = alert["webhook_id"].as_str();
    let values = params![
        alert["alert_id"].as_str(),
        alert["alert_number"].as_i64(),
        alert["project_id"].as_str(),
        alert["state"].as_str(),
        alert["title"].as_str(),
        names.to_string(),
        alert["provider"].as_str(),
        alert["account"].as_str(),
        alert["assignee"].as_str(),
        alert["responder"].as_str(),
        alert["triggered_by"].as_str(),
        webhook,
        millis(&alert["created_at"]),
        millis(&alert["acknowledged_at"]),
        millis(&alert["resolved_at"]),
    ];
    let sql = "INSERT INTO alert (alert_id, alert_number, project, workspace, event_key, state, title, resources, \
               provider, account, additional_info, assignee, responder, triggered_by, webhook, created_at, \
               acknowledged_at, resolved_at) \
               SELECT ?1, ?2, p.project, p.workspace, 'key-of-' || ?1, ?4, ?5, ?6, ?7, ?8, '{}', ?9, ?10, ?11, \
               (SELECT webhook FROM webhook WHERE webhook_id = ?12), ?13, ?14, ?15 \
               FROM project p WHERE p.project_id = ?3";
    assert_eq!(connection.execute(sql, values).unwrap(), 1);
    let sql = "INSERT INTO standing (alert, severity, urgency, event_count, last_event_at, updated_at) \
               SELECT alert, ?2, ?3, 3, created_at, ?4 FROM alert WHERE alert_id = ?1";
    let standing = params![
        alert["alert_id"].as_str(),
        alert["severity"].as_str(),
        alert["urgency"].as_str(),
        millis(&alert["updated_at"])
    ];
    assert_eq!(connection.execute(sql, standing).unwrap(), 1);
}

fn add_event(connection: &Connection, event: &Value) {
    let values = params![
        event["event_id"].as_str(),
        event["alert_id"].as_str(),
        event["webhook_id"].as_str(),
        event["project_id"].as_str(),
        event["event_key"].as_str(),
        event["event_type"].as_str(),
        event["severity"].as_str(),
        event["title"].as_str(),
        event["description"].as_str(),
        event["rule"].as_str(),
        json_text(&event["resources"]),
        event["provider"].as_str(),
        event["account"].as_str(),
        json_text(&event["additional_info"]),
        millis(&event["created_at"]),
        millis(&event["occurred_at"]),
    ];
    let sql = "INSERT INTO event (event_id, alert, webhook, project, delivery, item, event_key, event_type, severity, \
               title, description, rule, resources, provider, account, additional_info, created_at, occurred_at, why) \
               SELECT ?1, (SELECT alert FROM alert WHERE alert_id = ?2), w.webhook, p.project, 1, 0, ?5, ?6, ?7, ?8, \
               ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 'new_key' \
               FROM project p, webhook w WHERE p.project_id = ?4 AND w.webhook_id = ?3";
    assert_eq!(connection.execute(sql, values).unwrap(), 1);
    if let Some(alert) = event["alert_id"].as_str() {
        // A recovery of the same alert has its key, as the correlation makes sure of.
        let sql = "UPDATE OR IGNORE alert SET event_key = ?1 WHERE alert_id = ?2 AND event_key LIKE 'key-of-%'";
        connection.execute(sql, params![event["event_key"].as_str(), alert]).unwrap();
    }
}

fn of(resource: &str) -> (&'static Table, &'static Catalogue) {
    match resource {
        "Event" => (&EVENTS, &query::EVENTS),
        "Alert" => (&ALERTS, &query::ALERTS),
        other => panic!("{other}"),
    }
}

fn now() -> Timestamp {
    "2024-05-15T12:34:56.789Z".parse().unwrap()
}

fn domain_one() -> Scope {
    Scope { domains: Reach::one("domain-1".into()), ..Scope::EVERYTHING }
}

fn ask(vector: &Value, catalogue: &'static Catalogue) -> Result<Query, Error> {
    let mut query = Query::parse(&vector["query"], catalogue, now())?;
    for (name, value) in vector["params"].as_object().into_iter().flatten() {
        query = query.narrowed(name, value.clone(), catalogue)?;
    }
    Ok(query)
}

fn run(
    connection: &Connection,
    query: &Query,
    scope: &Scope,
    resource: &str,
) -> (Found<String>, String) {
    let (table, catalogue) = of(resource);
    let composed: Composed = compose(query, scope, table);
    let alias = &table.row[..2];
    let columns = format!("{alias}{}, {}, {}", catalogue.id, table.created_at, table.row);
    let (sql, values) = composed.select(&columns, "");
    let mut statement = connection.prepare(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let rows = statement
        .query_map(params_from_iter(values), |row| {
            Ok((Keyset { created_at: row.get(1)?, row: row.get(2)? }, row.get::<_, String>(0)?))
        })
        .unwrap();
    let rows = rows.collect::<Result<Vec<_>, _>>().unwrap();
    let counted = composed.count().map(|(sql, values)| {
        connection.query_row(&sql, params_from_iter(values), |row| row.get(0)).unwrap()
    });
    (found(query, rows, composed.total(counted)), sql)
}

fn ids(rows: &[Value], catalogue: &Catalogue) -> Vec<String> {
    rows.iter().map(|row| row[catalogue.id].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_cases_of_the_original_hold() {
    let data = data();
    let connection = store();
    for vector in data["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let resource = vector["resource"].as_str().unwrap();
        if vector["method"] != "list" || !vector["query"]["unwind"].is_null() {
            continue;
        }
        let (_, catalogue) = of(resource);
        let expected = &vector["result"];
        let query = match (ask(vector, catalogue), expected["error"]["code"].as_str()) {
            (Err(error), Some(code)) => {
                assert_eq!((error.code.name(), error.code.status()), (code, 400), "{name}");
                assert!(!error.mistakes.is_empty(), "{name}");
                continue;
            }
            (Err(error), None) => panic!("{name}: {error:?}"),
            (Ok(_), Some(code)) => panic!("{name}: expected {code}"),
            (Ok(query), None) => query,
        };
        let records = data["datasets"][resource].as_array().unwrap().iter();
        let records = records.filter(|row| row["domain_id"] == "domain-1").cloned().collect();
        let listed = query.list(records, catalogue);
        let total = expected["total_count"].as_u64().unwrap();
        assert_eq!(json!(ids(&listed.rows, catalogue)), expected["ids"], "{name} in memory");
        assert_eq!(listed.total, total, "{name} in memory");
        if ONLY_IN_MEMORY.contains(&name) {
            continue;
        }
        let (found, sql) = run(&connection, &query, &domain_one(), resource);
        assert_eq!(json!(found.rows), expected["ids"], "{name}: {sql}");
        assert_eq!(found.total, Total::Exact(total), "{name}: {sql}");
    }
}

#[test]
fn pages_by_cursor_show_every_row_once_though_rows_come_in_between() {
    let connection = store();
    let mut shown = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let asked = json!({ "page": { "limit": 2, "cursor": cursor } });
        let query = Query::parse(&asked, &query::EVENTS, now()).unwrap();
        let (found, _) = run(&connection, &query, &domain_one(), "Event");
        shown.extend(found.rows);
        let mut late = data()["datasets"]["Event"][0].clone();
        late["event_id"] = json!(format!("late-{}", shown.len()));
        late["created_at"] = json!("2025-01-01T00:00:00Z");
        add_event(&connection, &late);
        match found.next_cursor {
            Some(next) => cursor = json!(next),
            None => break,
        }
    }
    assert_eq!(shown.len(), 11, "{shown:?}");
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), 11);
    assert_eq!(shown[..2], ["event-10", "event-01"]);
}

#[test]
fn a_number_is_no_key_though_it_looks_like_one() {
    let connection = store();
    let mut event = data()["datasets"]["Event"][0].clone();
    (event["event_id"], event["event_key"]) = (json!("five"), json!("5"));
    event["alert_id"] = Value::Null;
    add_event(&connection, &event);
    for (value, rows) in [(json!("5"), 1), (json!(5), 0), (json!("5\u{0}x"), 0)] {
        for asked in [("eq", value.clone()), ("in", json!([value, "none"]))] {
            let filter = json!([{ "k": "event_key", "o": asked.0, "v": asked.1 }]);
            let query = Query::parse(&json!({ "filter": filter }), &query::EVENTS, now()).unwrap();
            let (found, sql) = run(&connection, &query, &domain_one(), "Event");
            assert_eq!(found.rows.len(), rows, "{value}: {sql}");
        }
    }
}

#[test]
fn totals_stop_at_the_bound_unless_more_is_asked_for() {
    let connection = store();
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10100) \
               INSERT INTO event (event_id, webhook, project, delivery, item, event_key, event_type, severity, \
               resources, provider, account, additional_info, created_at, why) \
               SELECT 'many-' || n, 1, 1, 1, 0, 'k', 'ALERT', 'INFO', '[]', '', '', '{}', n, 'late' FROM n";
    connection.execute(sql, []).unwrap();
    let total = |page: Value| {
        let query = Query::parse(&json!({ "page": page }), &query::EVENTS, now()).unwrap();
        run(&connection, &query, &domain_one(), "Event").0.total
    };
    assert_eq!(total(json!({})), Total::AtLeast(10_000));
    assert_eq!(total(json!({ "total": "exact" })), Total::Exact(10_111));
    assert_eq!(total(json!({ "total": "none" })), Total::Unknown);
}

#[test]
fn a_scope_without_projects_shows_nothing_and_each_level_narrows() {
    let connection = store();
    let count = |scope: &Scope| {
        let query = Query::parse(&Value::Null, &query::EVENTS, now()).unwrap();
        run(&connection, &query, scope, "Event").0.rows.len()
    };
    let projects = |ids: &[&str]| {
        let ids = ids.iter().map(|&id| id.into()).collect();
        Scope { projects: Reach::Only(ids), ..Scope::EVERYTHING }
    };
    assert_eq!(count(&Scope::EVERYTHING), 12);
    assert_eq!(count(&projects(&[])), 0);
    assert_eq!(count(&projects(&["project-2"])), 3);
    assert_eq!(count(&projects(&["project-2", "project-9"])), 4);
    let elsewhere = Scope { workspaces: Reach::one("ws-1".into()), ..projects(&["project-9"]) };
    assert_eq!(count(&elsewhere), 0);
}

#[test]
fn every_field_is_in_the_tables() {
    for resource in ["Event", "Alert"] {
        let (table, catalogue) = of(resource);
        let asked: BTreeSet<_> = catalogue.fields.iter().map(|field| field.name).collect();
        assert_eq!(asked, table.fields().collect(), "{resource}");
    }
}
