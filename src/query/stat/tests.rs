//! Statistics in detail, and what holds of all of them.

mod properties;

use serde_json::json;

use super::*;
use crate::{
    error::{Error, Result},
    query::{ALERTS, EVENTS},
};

fn now() -> Timestamp {
    "2024-05-15T12:34:56.789Z".parse().unwrap()
}

fn parsed(query: &Value) -> Stat {
    Stat::parse(query, &EVENTS, now()).unwrap_or_else(|error| panic!("{error}: {query}"))
}

fn ran(stat: &Stat, records: Vec<(Value, u64)>) -> Result<Vec<Value>> {
    let mut running = stat.start();
    for (record, weight) in records {
        if stat.filter.matches(&record) && running.take(record, weight)? == Flow::Enough {
            break;
        }
    }
    running.finish()
}

/// What stages make of records.
fn made(stages: Value, records: Vec<Value>) -> Vec<Value> {
    let stat = parsed(&json!({ "aggregate": stages }));
    ran(&stat, records.into_iter().map(|record| (record, 1)).collect()).unwrap()
}

fn mistake(query: Value) -> (String, String) {
    let error = Stat::parse(&query, &EVENTS, now()).map(|_| ()).unwrap_err();
    let error = Error::from(error);
    (error.code.name().to_owned(), error.mistakes[0].pointer.clone())
}

fn at(times: &[&str]) -> Vec<Value> {
    times
        .iter()
        .map(|time| json!({ "created_at": format!("{time}.000Z"), "severity": "INFO" }))
        .collect()
}

#[test]
fn empty_steps_of_time_are_filled_from_the_first_to_the_last() {
    let records = at(&["2024-05-15T01:10:00", "2024-05-15T01:50:00", "2024-05-15T04:00:00"]);
    let group = json!({ "group": {
        "keys": [{ "key": "created_at", "name": "hour", "bucket": "1h" }],
        "fields": [
            { "name": "n", "operator": "count" },
            { "name": "worst", "operator": "max", "key": "severity" },
        ],
    } });
    let rows = made(json!([group, { "fill": { "key": "hour" } }]), records.clone());
    let said = rows.iter().map(|row| (row["hour"].as_str().unwrap(), row["n"].as_u64().unwrap()));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            ("2024-05-15T01:00:00.000Z", 2),
            ("2024-05-15T02:00:00.000Z", 0),
            ("2024-05-15T03:00:00.000Z", 0),
            ("2024-05-15T04:00:00.000Z", 1),
        ]
    );
    assert_eq!(rows[1]["worst"], Value::Null);
    let bounds =
        json!({ "fill": { "key": "hour", "from": "now/d", "to": "2024-05-15T03:00:00Z" } });
    let rows = made(json!([group, bounds]), records);
    let hours: Vec<&str> = rows.iter().map(|row| &row["hour"].as_str().unwrap()[11..13]).collect();
    assert_eq!(hours, ["00", "01", "02", "04"]);
    assert_eq!(made(json!([group, bounds]), Vec::new()).len(), 3);
}

#[test]
fn each_series_is_filled_by_itself() {
    let records = vec![
        json!({ "created_at": "2024-05-14T01:00:00.000Z", "severity": "INFO" }),
        json!({ "created_at": "2024-05-16T01:00:00.000Z", "severity": "ERROR" }),
    ];
    let stages = json!([
        { "group": {
            "keys": [
                { "key": "created_at", "name": "day", "bucket": "1d", "time_zone": "Europe/Berlin" },
                { "key": "severity", "name": "severity" },
            ],
            "fields": [{ "name": "n", "operator": "count" }],
        } },
        { "fill": { "key": "day" } },
    ]);
    let rows = made(stages, records);
    let said: Vec<Value> =
        rows.iter().map(|row| json!([row["day"], row["severity"], row["n"]])).collect();
    assert_eq!(
        json!(said),
        json!([
            ["2024-05-13T22:00:00.000Z", "INFO", 1],
            ["2024-05-13T22:00:00.000Z", "ERROR", 0],
            ["2024-05-14T22:00:00.000Z", "INFO", 0],
            ["2024-05-14T22:00:00.000Z", "ERROR", 0],
            ["2024-05-15T22:00:00.000Z", "INFO", 0],
            ["2024-05-15T22:00:00.000Z", "ERROR", 1],
        ])
    );
}

#[test]
fn a_percentile_is_one_of_the_values() {
    let records: Vec<Value> =
        (1..=200).map(|n| json!({ "additional_info": { "ms": n } })).collect();
    let field = |name: &str, p: f64| json!({ "name": name, "operator": "percentile", "key": "additional_info.ms", "p": p });
    let stages = json!([{ "group": { "keys": [], "fields": [field("p50", 50.0), field("p95", 95.0), field("p100", 100.0), field("p0", 0.0)] } }]);
    let rows = made(stages.clone(), records);
    assert_eq!(rows, [json!({ "p50": 100, "p95": 190, "p100": 200, "p0": 1 })]);
    let rows = made(stages, vec![json!({ "severity": "INFO" })]);
    assert_eq!(rows[0]["p95"], Value::Null);
}

#[test]
fn a_mean_is_of_the_rows_that_meet_its_conditions() {
    let records = vec![
        json!({ "additional_info": { "cpu": 10 }, "severity": "INFO" }),
        json!({ "additional_info": { "cpu": 60 }, "severity": "ERROR" }),
        json!({ "additional_info": { "cpu": 80 }, "severity": "ERROR" }),
        json!({ "additional_info": {}, "severity": "ERROR" }),
    ];
    let stages = json!([{ "group": { "keys": [], "fields": [
        { "name": "a", "operator": "average", "key": "additional_info.cpu", "conditions": [{ "k": "severity", "v": "INFO", "o": "not" }] },
        { "name": "n", "operator": "count", "conditions": [{ "k": "additional_info.cpu", "v": 50, "o": "lt" }] },
    ] } }]);
    assert_eq!(made(stages, records), [json!({ "a": 70.0, "n": 2 })]);
}

#[test]
fn a_time_is_held_against_a_time() {
    let records = at(&["2024-05-14T23:00:00", "2024-05-15T01:00:00"]);
    let stages = json!([{ "group": { "keys": [], "fields": [
        { "name": "n", "operator": "count", "conditions": [{ "k": "created_at", "v": "2024-05-15", "o": "gte" }] },
    ] } }]);
    assert_eq!(made(stages, records), [json!({ "n": 1 })]);
}

#[test]
fn every_mistake_has_its_code_and_its_place() {
    let stage = |stage: Value| json!({ "aggregate": [{ "limit": 1 }, stage] });
    let group = |field: Value| stage(json!({ "group": { "keys": [], "fields": [field] } }));
    let key = |key: Value| stage(json!({ "group": { "keys": [key], "fields": [] } }));
    let project = |field: Value| stage(json!({ "project": { "fields": [field] } }));
    for (query, code, pointer) in [
        (json!([]), "ERROR_DB_QUERY", "/query"),
        (json!(null), "ERROR_REQUIRED_PARAMETER", "/query/aggregate"),
        (json!({ "aggregate": [] }), "ERROR_REQUIRED_PARAMETER", "/query/aggregate"),
        (json!({ "aggregate": {} }), "ERROR_DB_QUERY", "/query/aggregate"),
        (json!({ "distinct": 1 }), "ERROR_DB_QUERY", "/query/distinct"),
        (
            json!({ "distinct": "severity", "page": { "cursor": "x" } }),
            "ERROR_DB_QUERY",
            "/query/page/cursor",
        ),
        (stage(json!({})), "ERROR_DB_QUERY", "/query/aggregate/1"),
        (stage(json!({ "limit": 1, "skip": 1 })), "ERROR_DB_QUERY", "/query/aggregate/1"),
        (stage(json!({ "lookup": {} })), "ERROR_DB_QUERY", "/query/aggregate/1/lookup"),
        (stage(json!({ "limit": -1 })), "ERROR_DB_QUERY", "/query/aggregate/1/limit"),
        (
            stage(json!({ "sort": [{ "key": 1 }] })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/sort/0/key",
        ),
        (stage(json!({ "unwind": {} })), "ERROR_DB_QUERY", "/query/aggregate/1/unwind/path"),
        (
            stage(json!({ "match": { "filter": [{ "k": "x", "o": "is" }] } })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/match/filter/0/o",
        ),
        (
            stage(json!({ "match": { "filter": [{ "k": "x", "o": "in", "v": 1 }] } })),
            "ERROR_OPERATOR_LIST_VALUE_TYPE",
            "/query/aggregate/1/match/filter/0/v",
        ),
        (
            group(json!({ "operator": "count" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/n",
        ),
        (
            group(json!({ "name": "a.b", "operator": "count" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/name",
        ),
        (
            group(json!({ "name": "a", "operator": "sum" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/k",
        ),
        (
            group(json!({ "name": "a", "o": "average_" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/o",
        ),
        (
            group(json!({ "name": "a", "o": "percentile", "k": "x", "p": 101 })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/p",
        ),
        (
            group(json!({ "name": "a", "o": "count", "conditions": [{ "k": "x", "o": "eq" }] })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/fields/0/conditions/0/v",
        ),
        (
            key(json!({ "key": "created_at", "name": "d", "date_format": "%Q" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/keys/0/date_format",
        ),
        (
            key(json!({ "key": "created_at", "name": "d", "bucket": "7m" })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/keys/0/bucket",
        ),
        (
            key(
                json!({ "key": "created_at", "name": "d", "bucket": "1d", "time_zone": "Mars/Base" }),
            ),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/group/keys/0/time_zone",
        ),
        (stage(json!({ "fill": { "key": "d" } })), "ERROR_DB_QUERY", "/query/aggregate/1/fill"),
        (
            project(json!({ "name": "x", "operator": "divide", "fields": ["a", "b", "c"] })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/project/fields/0/fields",
        ),
        (
            project(json!({ "name": "x", "operator": "add", "fields": [{ "operator": "mod" }] })),
            "ERROR_DB_QUERY",
            "/query/aggregate/1/project/fields/0/fields/0/operator",
        ),
    ] {
        let (told, place) = mistake(query.clone());
        assert_eq!((told.as_str(), place.as_str()), (code, pointer), "{query}");
    }
}

#[test]
fn what_turns_out_to_be_wrong_on_the_way_says_where() {
    let size = json!({ "aggregate": [{ "project": { "fields": [{ "name": "n", "key": "severity", "operator": "size" }] } }] });
    let error = ran(&parsed(&size), vec![(json!({ "severity": "INFO" }), 1)]).unwrap_err();
    assert_eq!(
        (error.code.status(), error.mistakes[0].pointer.as_str()),
        (400, "/query/aggregate/0/project/fields/0")
    );
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let groups = json!({ "aggregate": [{ "group": { "keys": [{ "key": "event_id", "name": "id" }], "fields": [] } }] });
    let many = (0..100_001).map(|n| (json!({ "event_id": n }), 1)).collect();
    let error = ran(&parsed(&groups), many).unwrap_err();
    assert_eq!(
        (error.code.status(), error.mistakes[0].pointer.as_str()),
        (400, "/query/aggregate/0/group")
    );
    let pushed = json!({ "aggregate": [{ "group": { "keys": [], "fields": [{ "name": "all", "operator": "push", "key": "title" }] } }] });
    let error =
        ran(&parsed(&pushed), vec![(json!({ "title": "x".repeat(1 << 20) }), 100)]).unwrap_err();
    assert!(error.detail.contains("64 MiB"), "{error}");
    // The first ten of many take the room of ten.
    let top = json!({ "aggregate": [{ "sort": [{ "key": "event_id", "desc": true }] }, { "skip": 2 }, { "limit": 3 }, { "project": { "fields": [{ "name": "event_id" }] } }] });
    let many = (0..150_000).map(|n| (json!({ "event_id": n }), 1)).collect();
    let ids: Vec<Value> =
        ran(&parsed(&top), many).unwrap().iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(ids, [149_997, 149_996, 149_995]);
}

#[test]
fn only_the_fields_are_read_that_are_looked_at() {
    let fields = |query: Value| parsed(&query).fields().into_iter().collect::<Vec<_>>();
    assert_eq!(fields(json!({ "distinct": "additional_info.region" })), ["additional_info"]);
    assert!(fields(json!({ "aggregate": [{ "count": { "name": "n" } }] })).is_empty());
    let stages = json!([
        { "unwind": { "path": "resources", "filter": [{ "k": "severity", "v": "INFO", "o": "eq" }] } },
        { "group": { "keys": [{ "k": "provider", "n": "p" }], "fields": [
            { "n": "n", "o": "count", "conditions": [{ "k": "rule", "v": "x", "o": "eq" }] },
            { "n": "t", "o": "push", "fields": [{ "k": "title", "n": "t" }] },
        ] } },
        { "sort": [{ "key": "account" }] },
    ]);
    assert_eq!(
        fields(json!({ "aggregate": stages })),
        ["provider", "resources", "rule", "severity", "title"]
    );
    let whole = fields(json!({ "aggregate": [{ "limit": 1 }] }));
    assert!(whole.contains(&"title") && !whole.contains(&"raw_data"));
}

#[test]
fn what_is_matched_before_all_else_is_part_of_the_filter() {
    let condition = json!({ "k": "severity", "v": "INFO", "o": "eq" });
    let stages = json!([{ "match": { "filter": [condition] } }, { "count": { "name": "n" } }]);
    let stat = parsed(&json!({ "aggregate": stages }));
    assert_eq!(stat.filter.all.len(), 1);
    assert_eq!(stat.coarse(), Some(Coarse { time: None }));
}

#[test]
fn coarse_counts_are_enough_where_only_dimensions_are_counted() {
    let coarse = |keys: Value, fields: Value| {
        parsed(&json!({ "aggregate": [{ "group": { "keys": keys, "fields": fields } }] })).coarse()
    };
    let count = json!([{ "name": "n", "operator": "count", "conditions": [{ "k": "severity", "v": "ERROR", "o": "eq" }] }]);
    let by = |part: Value| {
        let mut key = json!({ "key": "created_at", "name": "t" });
        key.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        coarse(json!([{ "key": "provider", "name": "p" }, key]), count.clone())
            .map(|coarse| coarse.time)
    };
    assert_eq!(by(json!({ "bucket": "15m" })), Some(Some(Grain::Quarter)));
    assert_eq!(by(json!({ "bucket": "6h" })), Some(Some(Grain::Hour)));
    assert_eq!(by(json!({ "bucket": "1w" })), Some(Some(Grain::Day)));
    assert_eq!(
        by(json!({ "bucket": "1d", "time_zone": "Europe/Berlin" })),
        Some(Some(Grain::Hour))
    );
    assert_eq!(
        by(json!({ "bucket": "1d", "time_zone": "Asia/Kolkata" })),
        Some(Some(Grain::Quarter))
    );
    assert_eq!(by(json!({ "date_format": "%Y-%m-%d" })), Some(Some(Grain::Day)));
    assert_eq!(by(json!({ "date_format": "%H" })), Some(Some(Grain::Hour)));
    assert_eq!(by(json!({ "date_format": "%H:%M" })), None);
    assert_eq!(by(json!({ "bucket": "5m" })), None);
    assert_eq!(by(json!({})), None);
    assert_eq!(coarse(json!([{ "key": "rule", "name": "r" }]), count.clone()), None);
    let sum = json!([{ "name": "n", "operator": "sum", "key": "item" }]);
    assert_eq!(coarse(json!([{ "key": "provider", "name": "p" }]), sum), None);
    assert_eq!(parsed(&json!({ "distinct": "severity" })).coarse(), Some(Coarse { time: None }));
    assert_eq!(parsed(&json!({ "distinct": "title" })).coarse(), None);
}

#[test]
fn a_metric_becomes_a_list_with_its_total() {
    let alerts = [("p1", "TRIGGERED"), ("p1", "RESOLVED"), ("p1", "TRIGGERED"), ("p2", "RESOLVED")];
    let query = json!({
        "fields": { "count": { "operator": "count" } },
        "group_by": ["project_id", "state"],
        "field_group": ["state"],
        "sort": [{ "key": "count" }],
    });
    let analysis = Analysis::parse(&query, &ALERTS, now()).unwrap();
    let records =
        alerts.map(|(project, state)| (json!({ "project_id": project, "state": state }), 1));
    let rows = ran(&analysis.stat, records.into()).unwrap();
    assert_eq!(
        json!(rows),
        json!([
            { "project_id": "p2", "_total_count": 1, "count": [{ "value": 1, "state": "RESOLVED" }] },
            { "project_id": "p1", "_total_count": 3, "count": [{ "value": 1, "state": "RESOLVED" }, { "value": 2, "state": "TRIGGERED" }] },
        ])
    );
}

#[test]
fn an_analysis_by_days_has_days() {
    let query = json!({
        "fields": { "n": { "operator": "count" } },
        "granularity": "DAILY", "start": "2024-05-14", "end": "2024-05-15", "time_zone": "Europe/Berlin",
        "sort": [{ "key": "date" }],
    });
    let analysis = Analysis::parse(&query, &EVENTS, now()).unwrap();
    let times = [
        "2024-05-13T21:59:59",
        "2024-05-13T22:00:00",
        "2024-05-15T21:59:59",
        "2024-05-15T22:00:00",
    ];
    let rows =
        ran(&analysis.stat, at(&times).into_iter().map(|record| (record, 1)).collect()).unwrap();
    assert_eq!(
        json!(rows),
        json!([{ "date": "2024-05-14", "n": 1 }, { "date": "2024-05-15", "n": 1 }])
    );
    assert_eq!(analysis.stat.coarse(), Some(Coarse { time: Some(Grain::Hour) }));
}

#[test]
fn mistakes_in_an_analysis_say_where() {
    let count = json!({ "n": { "operator": "count" } });
    for (query, code, pointer) in [
        (json!({}), "ERROR_REQUIRED_PARAMETER", "/query/fields"),
        (json!({ "fields": [] }), "ERROR_DB_QUERY", "/query/fields"),
        (
            json!({ "fields": { "n": { "operator": "all" } } }),
            "ERROR_DB_QUERY",
            "/query/fields/n/operator",
        ),
        (
            json!({ "fields": count, "granularity": "HOURLY" }),
            "ERROR_DB_QUERY",
            "/query/granularity",
        ),
        (json!({ "fields": count, "start": "May" }), "ERROR_DB_QUERY", "/query/start"),
        (
            json!({ "fields": count, "start": "2024-05", "end": "2024-04" }),
            "ERROR_DB_QUERY",
            "/query/end",
        ),
        (json!({ "fields": count, "date_field": "title" }), "ERROR_DB_QUERY", "/query/date_field"),
        (
            json!({ "fields": count, "field_group": ["state"] }),
            "ERROR_DB_QUERY",
            "/query/field_group/0",
        ),
        (json!({ "fields": count, "select": { "x": 1 } }), "ERROR_DB_QUERY", "/query/select/x"),
        (
            json!({ "fields": count, "group_by": [{ "key": "x" }] }),
            "ERROR_DB_QUERY",
            "/query/group_by/0/n",
        ),
    ] {
        let error = Error::from(Analysis::parse(&query, &ALERTS, now()).map(|_| ()).unwrap_err());
        let told = (error.code.name(), error.mistakes[0].pointer.as_str());
        assert_eq!(told, (code, pointer), "{query}");
    }
}
