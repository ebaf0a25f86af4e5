//! What all shipped rules must hold to.

use std::{collections::BTreeSet, sync::LazyLock};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ingest::Interpreted;

fn books() -> &'static Books {
    static BOOKS: LazyLock<Books> =
        LazyLock::new(|| Books::load(None, None).unwrap_or_else(|errors| panic!("{errors:?}")));
    &BOOKS
}

#[test]
fn shipped_samples_become_what_stands_beside_them() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let update = if std::env::var_os("UPDATE_SAMPLES").is_some() {
        Update::Rewrite
    } else {
        Update::Compare
    };
    let results = check_samples(&Shelf::Directory(directory), books(), update).unwrap();
    let results: Vec<SampleResult> =
        results.into_iter().filter(|result| result.checked == Checked::Sample).collect();
    let wrong: Vec<String> =
        results.iter().filter(|result| !result.is_right()).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let providers: BTreeSet<&str> = results.iter().map(|result| result.provider.as_str()).collect();
    for provider in providers {
        let cases = results.iter().filter(|result| result.provider == provider).count();
        assert!(cases >= 6, "{provider} has {cases} samples");
    }
}

fn posted(path: &str) -> Posted {
    let (provider, case) = path.split_once('/').unwrap();
    let sample =
        crate::rules::samples::sample(provider, case).unwrap_or_else(|| panic!("no sample {path}"));
    Posted::sample(provider, sample.body, sample.request).unwrap()
}

/// What a shipped sample becomes, once changed.
fn read(path: &str, change: impl Fn(Value) -> Value) -> Interpreted {
    let mut posted = posted(path);
    if let Ok(payload) = serde_json::from_slice(&posted.body) {
        posted.body = change(payload).to_string().into_bytes();
    }
    posted.read(books())
}

fn keys(path: &str) -> Vec<String> {
    let read = read(path, |payload| payload);
    read.items.into_iter().flatten().map(|mapped| mapped.draft.event_key).collect()
}

#[test]
fn a_problem_keeps_its_key_until_it_recovers_and_shares_it_with_no_other() {
    let results = check_samples(&Shelf::Shipped, books(), Update::Compare).unwrap();
    let problems: Vec<&SampleResult> =
        results.iter().filter(|result| result.checked == Checked::Problem).collect();
    for provider in books().rulebook.providers() {
        assert!(problems.iter().any(|row| row.provider == provider), "{provider} has no problems");
    }
    let wrong = problems.iter().filter(|row| !row.is_right()).map(ToString::to_string);
    assert_eq!(wrong.collect::<Vec<String>>(), Vec::<String>::new());
}

#[test]
fn the_items_of_a_batch_have_keys_of_their_own() {
    for path in crate::rules::samples::names() {
        let all = keys(&path);
        let distinct: BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{path}: {all:?}");
    }
}

/// The same value, written with its fields in the opposite order.
fn reversed(value: Value) -> Value {
    fn write(value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .rev()
                    .map(|(key, value)| format!("{}:{}", json!(key), write(value)))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
            Value::Array(items) => {
                format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(","))
            }
            other => other.to_string(),
        }
    }
    serde_json::from_str(&write(&value)).unwrap()
}

#[test]
fn the_order_of_fields_changes_nothing() {
    for path in crate::rules::samples::names() {
        let (read, turned) = (read(&path, |payload| payload), read(&path, reversed));
        assert_eq!(ReadingInfo::of(&read), ReadingInfo::of(&turned), "{path}");
    }
}

#[test]
fn what_is_asked_with_origins_is_the_same_as_without() {
    for path in crate::rules::samples::names() {
        let posted = posted(&path);
        let (plain, traced) = (posted.read(books()), posted.read_traced(books()));
        let mut without = ReadingInfo::of(&traced);
        for item in &mut without.items {
            let has_key = item.origins.contains_key("event_key");
            assert!(has_key || item.error.is_some(), "{path}");
            item.origins.clear();
        }
        assert_eq!(ReadingInfo::of(&plain), without, "{path}");
    }
}

#[test]
fn a_difference_is_shown_by_its_place() {
    let golden = br#"{"events": [{"title": "a"}], "ignored": null}"#.to_vec();
    let actual = json!({ "events": [{ "title": "b", "rule": "r" }], "ignored": null });
    let result = SampleResult {
        checked: Checked::Sample,
        file: "x/samples/y.json".into(),
        provider: "x".into(),
        case: "y".into(),
        verdict: compare(Some(&golden), &actual),
    };
    insta::assert_snapshot!(result, @r#"
    x/samples/y.json: not as expected
      /events/0/rule: expected nothing, got "r"
      /events/0/title: expected "a", got "b"
    "#);
}

/// Texts that mappings look for.
const WORDS: &str = "firing|resolved|Notification|ALARM|0001-01-01T00:00:00Z|{\"AlarmName\":1}|{EVENT.ID}|\
    2026-01-01T00:00:00Z|\u{0}|12:00:00 on 2026.01.01|[{\"tag\":1}]";

/// Names that mappings look for.
const NAMES: &str = "alerts|labels|annotations|status|fingerprint|startsAt|endsAt|severity|ruleId|ruleName|state|\
    evalMatches|Message|Type|Trigger|Dimensions|Metrics|AlarmName|NewStateValue|event_id|event_key|events|results|\
    tags|resource|resources|value|additional_info|occurred_at|name";

fn one_of(words: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words.split('|').collect::<Vec<_>>())
}

/// Any JSON, with what mappings look for in it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        one_of(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 96, 8, |inner| {
        let fields =
            prop::collection::vec((one_of(NAMES).prop_map(str::to_owned), inner.clone()), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_a_mapping_panic(payload in any_json()) {
        for provider in books().rulebook.providers() {
            let posted = Posted::new(provider, payload.to_string().into_bytes());
            let (plain, traced) = (posted.read(books()), posted.read_traced(books()));
            let of_plain: Vec<_> = plain.items.iter().flatten().map(|item| &item.draft).collect();
            let of_traced: Vec<_> = traced.items.iter().flatten().map(|item| &item.draft).collect();
            prop_assert_eq!(&of_plain, &of_traced);
            for draft in of_plain {
                prop_assert!(!draft.event_key.trim().is_empty());
            }
        }
    }
}
