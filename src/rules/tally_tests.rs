//! What is counted of a mapping, and what a webhook says over it.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{Coverage, Drift, Input, Mapping, Overrides, Reading, compile::compile};
use crate::{
    clock::from_millis,
    domain::{event::Mapped, words::Severity},
};

const TEXT: &str = "\
title: T
events:
  - name: list
    when:
      $.alerts: {type: array}
    each: $.alerts[*]
    set:
      event_key: '@.id'
      severity:
        from: '@.level'
        map:
          high: ERROR
          low: INFO
        else: WARNING
      title:
        case:
          - when: {'@.state': open}
            use: opened
          - when: {'@.state': closed}
            use: closed
        else: $.title
      additional_info: {fields: {all: '$.alerts[*].id', a: '@.a'}}
  - name: one
    set:
      event_key: $.id
";

fn mapping(text: &str) -> Mapping {
    compile("test", "test/mapping.yaml", text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// An input around a payload that arrived so many seconds after 2026 began.
fn with_input<T>(
    (payload, seconds): (&Value, i64),
    overrides: &Overrides,
    run: impl FnOnce(&Input<'_>) -> T,
) -> T {
    let none = BTreeMap::new();
    let received_at = from_millis(1_767_225_600_000 + seconds * 1000);
    let (headers, query, zone) = (&none, &none, Tz::UTC);
    run(&Input { payload, headers, query, received_at, zone, overrides })
}

fn tallied(text: &str, payloads: &[Value]) -> Coverage {
    let mapping = mapping(text);
    let tally = mapping.tally();
    for (payload, seconds) in payloads.iter().zip(0..) {
        with_input((payload, seconds), Overrides::NONE, |input| {
            mapping.apply_tallied(input, &tally)
        });
    }
    tally.report(&mapping)
}

fn items(reading: Reading) -> Vec<Mapped> {
    match reading {
        Reading::Items(items) => items.into_iter().map(Result::unwrap).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_variant_case_word_and_default_is_counted_where_it_stands() {
    let coverage = tallied(
        TEXT,
        &[
            json!({ "alerts": [
                { "id": "a", "level": "HIGH", "state": "open" },
                { "id": "b", "level": "odd", "state": "gone" },
            ] }),
            json!({ "id": "c" }),
            json!({}),
        ],
    );
    assert_eq!((coverage.payloads, coverage.items), (3, 4));
    let variants: Vec<_> =
        coverage.variants.iter().map(|one| (one.name.as_str(), one.line, one.hits)).collect();
    assert_eq!(variants, [("list", 3, 1), ("one", 23, 2)]);
    let rows: Vec<_> =
        coverage.rows.iter().map(|one| (one.word.as_str(), one.line, one.hits)).collect();
    assert_eq!(rows, [("high", 12, 1), ("low", 13, 0)]);
    let arms: Vec<_> = coverage.arms.iter().map(|one| (one.line, one.hits)).collect();
    assert_eq!(arms, [(17, 1), (19, 0)]);
    let defaults: Vec<_> =
        coverage.defaults.iter().map(|one| (one.field.as_str(), one.hits)).collect();
    assert_eq!(defaults, [("severity", 1), ("title", 1)]);
    let [unknown] = &coverage.unknown[..] else { panic!("{:?}", coverage.unknown) };
    assert_eq!((unknown.value.as_str(), unknown.line, unknown.count), ("odd", 12, 1));
    let paths: Vec<_> =
        coverage.paths.iter().map(|one| (one.path.as_str(), one.present, one.absent)).collect();
    assert!(paths.contains(&("@.level", 2, 0)), "{paths:?}");
    assert!(paths.contains(&("$.title", 0, 1)), "{paths:?}");
    assert!(paths.contains(&("$.id", 1, 1)), "{paths:?}");
}

#[test]
fn the_words_that_nobody_knows_are_bounded() {
    let alert = |number: usize| json!({ "id": "a", "level": format!("{number:0>200}") });
    let alerts: Vec<Value> = (0..150).map(alert).collect();
    let coverage = tallied(TEXT, &[json!({ "alerts": alerts })]);
    // All of these are the same once they are cut.
    assert_eq!(coverage.unknown.len(), 1);
    assert_eq!(coverage.unknown[0].value.len(), 100);
    let alerts: Vec<Value> = (0..150).map(|number| json!({ "id": "a", "level": number })).collect();
    let coverage = tallied(TEXT, &[json!({ "alerts": alerts })]);
    assert_eq!((coverage.unknown.len(), coverage.unknown_others), (100, 50));
}

#[test]
fn a_live_tally_counts_everything_but_looks_for_paths_once_a_second() {
    let mapping = mapping(TEXT);
    let payload = json!({ "id": "a" });
    for seconds in [0, 0, 0, 5] {
        with_input((&payload, seconds), Overrides::NONE, |input| mapping.apply_live(input));
    }
    let coverage = mapping.live().report(&mapping);
    assert_eq!((coverage.payloads, coverage.looked), (4, 2));
    assert_eq!(mapping.live().unknown(), 0);
}

#[test]
fn a_path_that_was_there_and_is_not_any_more_drifts_and_one_that_comes_and_goes_does_not() {
    let with = json!({ "alerts": [{ "id": "a", "level": "high", "state": "open" }] });
    let without = json!({ "alerts": [{ "id": "a", "state": "open" }] });
    let drift = |payloads: &[Value]| {
        let coverage = tallied(TEXT, payloads);
        let path = coverage.paths.into_iter().find(|path| path.path == "@.level").unwrap();
        (path.drift(), path.run_since.map(|since| since.timestamp() % 1000))
    };
    let run = |payload: &Value, times| vec![payload.clone(); times];
    assert_eq!(drift(&[run(&with, 30), run(&without, 19)].concat()).0, None);
    let (gone, since) = drift(&[run(&with, 30), run(&without, 20)].concat());
    assert_eq!((gone, since), (Some(Drift::Gone), Some((1_767_225_600 + 30) % 1000)));
    assert_eq!(drift(&[run(&without, 30), run(&with, 20)].concat()).0, Some(Drift::Come));
    let sometimes = vec![[run(&with, 2), run(&without, 9)].concat(); 6].concat();
    assert_eq!(drift(&[sometimes, run(&without, 25)].concat()).0, None);
}

fn severity(level: &str, own: &[(&str, Severity)]) -> (Severity, Vec<String>) {
    let overrides = Overrides {
        severity_map: own.iter().map(|(word, means)| ((*word).to_owned(), *means)).collect(),
        additional_info: BTreeMap::new(),
    };
    let payload = json!({ "alerts": [{ "id": "a", "level": level }] });
    let mapping = mapping(TEXT);
    with_input((&payload, 0), &overrides, |input| {
        let plain = items(mapping.apply(input)).remove(0);
        let mut traced = items(mapping.apply_traced(input)).remove(0);
        assert_eq!(plain.draft, traced.draft);
        (plain.draft.severity, traced.origins.remove("severity").unwrap().steps)
    })
}

#[test]
fn a_webhooks_own_words_for_how_bad_it_is_come_first() {
    let own = [("high", Severity::Critical), ("p9", Severity::Info), ("critical", Severity::None)];
    let step = |word: &str, means: &str| vec![format!("webhook's severity map {word} to {means}")];
    // What the webhook said is not asked for again.
    assert_eq!(severity("High", &own), (Severity::Critical, step("High", "CRITICAL")));
    assert_eq!(severity("P9", &own), (Severity::Info, step("P9", "INFO")));
    let (low, steps) = severity("low", &[("info", Severity::NotAvailable)]);
    assert_eq!(low, Severity::NotAvailable);
    assert_eq!(steps, ["map low to INFO", "webhook's severity map INFO to NOT_AVAILABLE"]);
    assert_eq!(severity("odd", &own).0, Severity::Warning);
}

#[test]
fn a_webhooks_own_fields_stand_over_those_of_the_mapping() {
    let own = BTreeMap::from([("a".to_owned(), json!(2)), ("team".to_owned(), json!("web"))]);
    let overrides = Overrides { severity_map: BTreeMap::new(), additional_info: own };
    let payload = json!({ "alerts": [{ "id": "a", "a": 1 }] });
    let mapping = mapping(TEXT);
    with_input((&payload, 0), &overrides, |input| {
        let plain = items(mapping.apply(input)).remove(0);
        assert_eq!(
            json!(plain.draft.additional_info),
            json!({ "a": 2, "all": ["a"], "team": "web" })
        );
        let traced = items(mapping.apply_traced(input)).remove(0);
        assert_eq!(plain.draft, traced.draft);
        let steps = &traced.origins["additional_info"].steps;
        assert_eq!(steps.last().unwrap(), "webhook's additional_info: a, team");
    });
}
