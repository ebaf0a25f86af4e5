//! The cases of the original, over records in memory; and that no JSON whatever makes the language stumble.

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;

const VECTORS: &str = include_str!("../../tests/data/query_vectors.json");

/// The cases that come out differently here, and why.
const DIFFERENT: &[(&str, &str)] = &[(
    "project_object_to_array",
    "the members of an object have no order of their own; they come by name",
)];

fn now(data: &Value) -> Timestamp {
    data["now"].as_str().unwrap().parse().unwrap()
}

fn catalogue(resource: &Value) -> &'static Catalogue {
    match resource.as_str() {
        Some("Event") => &EVENTS,
        Some("Alert") => &ALERTS,
        other => panic!("{other:?}"),
    }
}

/// The records that the case may see: those of the first tenant.
fn records(data: &Value, resource: &Value) -> Vec<Value> {
    let all = data["datasets"][resource.as_str().unwrap()].as_array().unwrap();
    all.iter().filter(|row| row["domain_id"] == "domain-1").cloned().collect()
}

/// What comes out of a case.
fn outcome(data: &Value, vector: &Value) -> Result<Value, Error> {
    let catalogue = catalogue(&vector["resource"]);
    let records = records(data, &vector["resource"]);
    match vector["method"].as_str() {
        Some("list") => {
            let mut query = Query::parse(&vector["query"], catalogue, now(data))?;
            for (name, value) in vector["params"].as_object().into_iter().flatten() {
                query = query.narrowed(name, value.clone(), catalogue)?;
            }
            let listed = query.list(records, catalogue);
            let ids: Vec<&Value> = listed.rows.iter().map(|row| &row[catalogue.id]).collect();
            Ok(json!({ "ids": ids, "total_count": listed.total }))
        }
        Some("stat") => {
            let stat = Stat::parse(&vector["query"], catalogue, now(data))?;
            let (total, rows) = stat.paged(ran(&stat, records)?);
            Ok(match total {
                Some(total) => json!({ "total_count": total, "results": rows }),
                None => json!({ "results": rows }),
            })
        }
        Some("analyze") => {
            let analysis = Analysis::parse(&vector["query"], catalogue, now(data))?;
            let (rows, more) = analysis.paged(ran(&analysis.stat, records)?);
            Ok(match more {
                Some(more) => json!({ "results": rows, "more": more }),
                None => json!({ "results": rows }),
            })
        }
        other => panic!("{other:?}"),
    }
}

/// What a statistic makes of those records that it asks for, of which it is shown no more than it looks at.
fn ran(stat: &Stat, records: Vec<Value>) -> Result<Vec<Value>, Error> {
    let fields = stat.fields();
    let mut running = stat.start();
    for mut record in records {
        if !stat.filter.matches(&record) {
            continue;
        }
        record.as_object_mut().unwrap().retain(|name, _| fields.contains(name.as_str()));
        if running.take(record, 1)? == Flow::Enough {
            break;
        }
    }
    running.finish()
}

fn is_as_expected(vector: &Value, outcome: Result<Value, Error>) -> Result<(), String> {
    let expected = &vector["result"];
    let outcome = match (outcome, expected["error"]["code"].as_str()) {
        (Ok(outcome), None) => outcome,
        (Err(error), Some(code)) => {
            let is_told = !error.mistakes.is_empty() && error.mistakes[0].pointer.starts_with('/');
            let is_meant = error.code.name() == code && error.code.status() == 400 && is_told;
            return if is_meant { Ok(()) } else { Err(format!("{error:?}")) };
        }
        (outcome, _) => return Err(format!("{outcome:?}, not {expected}")),
    };
    let (mut outcome, mut expected) = (outcome, expected.clone());
    if vector["order"] == "any" {
        for side in [&mut outcome, &mut expected] {
            let rows = side["results"].as_array_mut().unwrap();
            rows.sort_by_key(Value::to_string);
        }
    }
    let is_same = matches::are_equal(&outcome, &expected);
    if is_same { Ok(()) } else { Err(format!("{outcome}, not {expected}")) }
}

#[test]
fn the_cases_of_the_original_hold_but_for_those_that_are_meant_to_differ() {
    let data: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = data["vectors"].as_array().unwrap();
    let mut wrong = Vec::new();
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let different = DIFFERENT.iter().find(|(different, _)| *different == name);
        match (is_as_expected(vector, outcome(&data, vector)), different) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Ok(()), Some((_, why))) => wrong.push(format!("{name} holds after all, though {why}")),
            (Err(what), None) => wrong.push(format!("{name}: {what}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, _) in DIFFERENT {
        assert!(vectors.iter().any(|vector| vector["name"] == *name), "{name}");
    }
}

mod any_json {
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;

    /// JSON that looks like a query from afar.
    fn json() -> impl Strategy<Value = Value> {
        let words = vec![
            "filter",
            "filter_or",
            "keyword",
            "sort",
            "page",
            "only",
            "unwind",
            "aggregate",
            "distinct",
            "fields",
            "k",
            "v",
            "o",
            "key",
            "name",
            "operator",
            "path",
            "group",
            "keys",
            "match",
            "project",
            "count",
            "limit",
            "skip",
            "fill",
            "start",
            "end",
            "group_by",
            "field_group",
            "select",
            "granularity",
            "bucket",
            "date_format",
            "p",
            "conditions",
            "eq",
            "in",
            "regex",
            "regex_in",
            "created_at",
            "resources",
            "additional_info.a",
            "title",
            "timediff_gt",
            "datetime_lt",
            "now-1h",
            "2024",
            "%Y",
            "1h",
            "(((",
            "",
            "İ",
        ];
        let word = prop::sample::select(words);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((word.clone(), inner), 0..5).prop_map(|members| {
                    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                    Value::Object(members.collect::<Map<_, _>>())
                }),
            ]
        })
    }

    fn condition() -> impl Strategy<Value = Value> {
        let words: Vec<&str> = Operator::ALL.iter().map(|operator| operator.word()).collect();
        let keys = vec![
            "title",
            "created_at",
            "resources",
            "additional_info.a",
            "item",
            "raw_data.k.0",
            "x",
        ];
        (prop::sample::select(keys), prop::sample::select(words), json())
            .prop_map(|(k, o, v)| json!({ "k": k, "o": o, "v": v }))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_json_makes_the_parser_panic(asked in json()) {
            let now = Timestamp::UNIX_EPOCH;
            for catalogue in [&EVENTS, &ALERTS, &WEBHOOKS] {
                let _ = Query::parse(&asked, catalogue, now);
                let _ = Stat::parse(&asked, catalogue, now);
                let _ = Analysis::parse(&asked, catalogue, now);
            }
        }

        #[test]
        fn no_record_makes_a_filter_panic(
            asked in prop::collection::vec(condition(), 1..4),
            record in json(),
            inner in json(),
        ) {
            let now = Timestamp::UNIX_EPOCH;
            for condition in asked {
                let asked = json!({ "filter": [condition], "sort": [{ "key": "resources" }], "unwind": { "path": "resources" } });
                let Ok(query) = Query::parse(&asked, &EVENTS, now) else { continue };
                query.filter.matches(&record);
                let wrapped = json!({ "additional_info": inner, "resources": record, "raw_data": inner, "created_at": inner });
                query.list(vec![wrapped], &EVENTS);
                // A test and its parts mean the same.
                let test = &query.filter.all[0].test;
                let (operator, operand) = test.parts();
                prop_assert_eq!(&Test::from_parts(operator.word(), operand).unwrap(), test);
            }
        }
    }
}
