//! What holds of all statistics.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::clock::{from_millis, rfc3339};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..20).prop_map(Value::from),
        (-2.0..100.0).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "INFO",
            "ERROR",
            "aws",
            "web-1",
            "2024-05-15T12:00:00.000Z",
            "ä"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(
                prop::sample::select(vec!["a", "cpu", "k", "v"]),
                inner,
                0..3
            )
            .prop_map(|members| json!(members)),
        ]
    })
}

fn time() -> impl Strategy<Value = Value> {
    // Half a year in which clocks change twice.
    (1_709_000_000_000_i64..1_731_000_000_000)
        .prop_map(|millis| json!(rfc3339(from_millis(millis))))
}

fn record() -> impl Strategy<Value = Value> {
    let names = vec!["severity", "provider", "resources", "additional_info", "item", "title"];
    let free = prop::collection::btree_map(prop::sample::select(names), value(), 0..5);
    (free, prop::option::of(time())).prop_map(|(members, time)| {
        let mut record = json!(members);
        record["created_at"] = time.unwrap_or_default();
        record
    })
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "severity",
        "provider",
        "resources",
        "additional_info",
        "additional_info.cpu",
        "additional_info.a.k",
        "created_at",
        "item",
        "n",
        "t",
        "x",
        "none",
        "resources.0",
        "",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["n", "t", "x", "severity", "provider", "a.b"]).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = Value> {
    let words: Vec<&str> =
        crate::query::Operator::ALL.iter().map(|operator| operator.word()).collect();
    (path(), prop::sample::select(words), value())
        .prop_map(|(k, o, v)| json!({ "k": k, "o": o, "v": v }))
}

fn key() -> impl Strategy<Value = Value> {
    let part = prop::sample::select(vec![
        json!({}),
        json!({ "bucket": "15m" }),
        json!({ "bucket": "1d", "time_zone": "Europe/Berlin" }),
        json!({ "bucket": "1w", "time_zone": "Asia/Kathmandu" }),
        json!({ "date_format": "%Y-%m-%d %H" }),
        json!({ "date_format": "month", "time_zone": "America/New_York" }),
    ]);
    (path(), name(), part).prop_map(|(key, name, part)| {
        let mut members: Map<String, Value> = part.as_object().unwrap().clone();
        members.extend([("key".to_owned(), json!(key)), ("name".to_owned(), json!(name))]);
        Value::Object(members)
    })
}

fn field() -> impl Strategy<Value = Value> {
    let conditions = prop::collection::vec(condition(), 0..2);
    (name(), prop::sample::select(crate::query::GATHERS.to_vec()), path(), conditions).prop_map(
        |(name, operator, key, conditions)| {
            json!({ "name": name, "operator": operator, "key": key, "p": if operator == "percentile" { json!(90) } else { Value::Null },
                    "conditions": conditions })
        },
    )
}

fn stage() -> impl Strategy<Value = Value> {
    let conditions = || prop::collection::vec(condition(), 0..2);
    prop_oneof![
        (path(), conditions()).prop_map(|(path, filter)| json!({ "unwind": { "path": path, "filter": filter } })),
        conditions().prop_map(|filter| json!({ "match": { "filter": filter } })),
        (prop::collection::vec(key(), 0..3), prop::collection::vec(field(), 0..3))
            .prop_map(|(keys, fields)| json!({ "group": { "keys": keys, "fields": fields } })),
        name().prop_map(|key| json!({ "fill": { "key": key } })),
        name().prop_map(|name| json!({ "count": { "name": name } })),
        (path(), any::<bool>()).prop_map(|(key, desc)| json!({ "sort": [{ "key": key, "desc": desc }] })),
        (name(), path(), prop::option::of(prop::sample::select(crate::query::COMPUTES.to_vec()))).prop_map(
            |(name, key, operator)| {
                let fields = json!([key, 2]);
                let reckons = matches!(operator, Some("add" | "subtract" | "multiply" | "divide"));
                json!({ "project": { "fields": [{ "name": name, "key": key, "operator": operator,
                                                  "fields": if reckons { fields } else { Value::Null } }] } })
            }
        ),
        (0_u64..5).prop_map(|rows| json!({ "limit": rows })),
        (0_u64..5).prop_map(|rows| json!({ "skip": rows })),
    ]
}

fn query() -> impl Strategy<Value = Value> {
    prop_oneof![
        9 => prop::collection::vec(stage(), 1..5).prop_map(|stages| json!({ "aggregate": stages })),
        1 => path().prop_map(|path| json!({ "distinct": path })),
    ]
}

/// The outcome; of a failure, that it is one of the caller's.
fn outcome(stat: &Stat, records: Vec<(Value, u64)>) -> Result<Vec<Value>, u16> {
    ran(stat, records).map_err(|error| error.code.status())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_record_with_a_weight_is_so_many_records(
        query in query(),
        records in prop::collection::vec((record(), 1_u64..4), 0..8),
    ) {
        // The elements of lists of equal records come one after the other, or list by list.
        if query.to_string().contains("unwind") {
            return Ok(());
        }
        let Ok(stat) = Stat::parse(&query, &EVENTS, now()) else { return Ok(()) };
        let each = records.iter().flat_map(|(record, weight)| {
            std::iter::repeat_n((record.clone(), 1), usize::try_from(*weight).unwrap())
        });
        let singly = outcome(&stat, each.collect());
        prop_assert_ne!(singly.clone().err(), Some(500));
        // Sums of fractions depend on the order of adding by their last digit.
        let rounded = |rows: Result<Vec<Value>, u16>| rows.map(|rows| rows.iter().map(rounded).collect::<Vec<_>>());
        prop_assert_eq!(rounded(outcome(&stat, records)), rounded(singly));
    }

    #[test]
    fn a_record_needs_no_other_fields_than_those_that_are_looked_at(
        query in query(),
        records in prop::collection::vec(record(), 0..6),
    ) {
        let Ok(stat) = Stat::parse(&query, &EVENTS, now()) else { return Ok(()) };
        let fields = stat.fields();
        let meant = records.into_iter().filter(|record| stat.filter.matches(record));
        let whole: Vec<(Value, u64)> = meant.map(|record| (record, 1)).collect();
        let parts = whole.iter().cloned().map(|(mut record, weight)| {
            record.as_object_mut().unwrap().retain(|name, _| fields.contains(name.as_str()));
            (record, weight)
        });
        let mut free = stat.clone();
        free.filter = crate::query::Filter::default();
        prop_assert_eq!(outcome(&free, parts.collect()), outcome(&free, whole));
    }

    #[test]
    fn groups_count_what_is_counted_by_hand(records in prop::collection::vec(record(), 0..20)) {
        let stages = json!([{ "group": {
            "keys": [{ "key": "severity", "name": "s" }, { "key": "provider", "name": "p" }],
            "fields": [{ "name": "n", "operator": "count" }],
        } }]);
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for record in &records {
            let mut key = Vec::new();
            value::encode(record.get("severity"), &mut key);
            value::encode(record.get("provider"), &mut key);
            *counted.entry(format!("{key:?}")).or_default() += 1;
        }
        let rows = made(stages, records.clone());
        let mut counts: Vec<u64> = rows.iter().map(|row| row["n"].as_u64().unwrap()).collect();
        let mut expected: Vec<u64> = counted.into_values().collect();
        counts.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(counts, expected);
    }

    #[test]
    fn coarse_records_give_what_the_rows_give(
        key in key(),
        condition in (prop::sample::select(vec!["severity", "provider"]), prop::sample::select(vec!["eq", "not", "lt"]), prop::sample::select(vec!["INFO", "aws"])),
        rows in prop::collection::vec((prop::sample::select(vec!["INFO", "ERROR"]), prop::option::of(prop::sample::select(vec!["aws", "azure"])), time()), 0..12),
    ) {
        let (k, o, v) = condition;
        let mut key = key;
        key["key"] = json!("created_at");
        key["name"] = json!("t");
        let query = json!({ "aggregate": [
            { "group": {
                "keys": [key, { "key": "provider", "name": "p" }],
                "fields": [{ "name": "n", "operator": "count", "conditions": [{ "k": k, "o": o, "v": v }] }],
            } },
            { "sort": [{ "key": "t" }, { "key": "p" }] },
        ] });
        let stat = parsed(&query);
        let Some(Coarse { time: Some(grain) }) = stat.coarse() else { return Ok(()) };
        let mut coarse: BTreeMap<String, (Value, u64)> = BTreeMap::new();
        let mut single = Vec::new();
        for (severity, provider, time) in rows {
            let record = json!({ "severity": severity, "provider": provider, "created_at": time });
            single.push((record.clone(), 1));
            let at: Timestamp = time.as_str().unwrap().parse().unwrap();
            let start = at.timestamp_millis().div_euclid(grain.millis()) * grain.millis();
            let mut stands = record;
            stands["created_at"] = json!(rfc3339(from_millis(start)));
            coarse.entry(stands.to_string()).or_insert((stands, 0)).1 += 1;
        }
        prop_assert_eq!(outcome(&stat, coarse.into_values().collect()), outcome(&stat, single));
    }
}

fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.as_i64().is_none() => {
            json!(format!("{:.6}", number.as_f64().unwrap()))
        }
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), rounded(value))).collect()
        }
        other => other.clone(),
    }
}
