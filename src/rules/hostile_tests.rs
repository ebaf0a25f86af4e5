//! Payloads made to hurt: whatever comes, reading ends soon, its result is bounded, and nothing panics.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{Input, Mapping, Overrides, Reading, Rulebook, compile::compile};
use crate::{clock::from_millis, domain::words::Cause};

fn apply(mapping: &Mapping, payload: &Value) -> Reading {
    let none = BTreeMap::new();
    let (received_at, zone) = (from_millis(1_767_225_600_000), Tz::UTC);
    let (headers, query, overrides) = (&none, &none, Overrides::NONE);
    mapping.apply_live(&Input { payload, headers, query, received_at, zone, overrides })
}

fn mapping(text: &str) -> Mapping {
    compile("test", "test/mapping.yaml", text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// How many bytes of text a reading holds.
fn size(reading: &Reading) -> usize {
    match reading {
        Reading::Items(items) => items.iter().map(|item| format!("{item:?}").len()).sum(),
        Reading::Ignored(reason) => reason.len(),
        Reading::NoVariant(error) => format!("{error:?}").len(),
    }
}

/// `[[[…]]]` or `{"a":{"a":…}}`, as deep as the decoder lets it be.
fn deep(open: &str, close: &str) -> Value {
    let text = format!("{}1{}", open.repeat(120), close.repeat(120));
    serde_json::from_str(&text).unwrap()
}

fn bodies() -> Vec<(&'static str, Value)> {
    let long = "[".repeat(64 << 10);
    let wide: serde_json::Map<String, Value> =
        (0..4000).map(|number| (format!("k{number}"), json!(number))).collect();
    let empty = vec![json!({}); 20_000];
    let bare = vec![json!({ "fingerprint": "f", "labels": { "a": "b" } }); 2000];
    let places = ["alerts", "events", "results", "evalMatches", "labels", "Message", "records"];
    let everywhere = |value: Value| {
        let fields = places.iter().map(|place| ((*place).to_owned(), value.clone()));
        Value::Object(fields.collect())
    };
    vec![
        ("deep lists", deep("[", "]")),
        ("deep objects", deep("{\"alerts\":", "}")),
        ("deep below what is read", everywhere(deep("{\"labels\":", "}"))),
        ("wide", Value::Object(wide.clone())),
        ("wide below what is read", everywhere(json!([{ "labels": wide, "fingerprint": "f" }]))),
        ("many empty items", everywhere(json!(empty))),
        (
            "little items that share much",
            json!({ "alerts": bare, "commonLabels": { "alertname": long, "severity": long } }),
        ),
        (
            "long texts",
            json!({ "alerts": [{ "labels": { "alertname": long, "severity": long }, "startsAt": long }], "Message": long, "message": long, "title": long }),
        ),
        ("a text of many lists", json!({ "Message": "[".repeat(100_000) })),
    ]
}

#[test]
fn no_payload_makes_a_shipped_mapping_give_more_than_a_bounded_result() {
    let book = Rulebook::embedded().unwrap();
    for (what, body) in bodies() {
        for provider in book.providers() {
            let reading = apply(book.get(provider).unwrap(), &body);
            assert!(size(&reading) < 80 << 20, "{provider}, {what}: {}", size(&reading));
            if let Reading::Items(items) = reading {
                assert!(items.len() <= 10_001, "{provider}, {what}");
            }
        }
    }
}

#[test]
fn what_all_items_share_is_bounded_when_it_is_large() {
    let text = "\
title: T
events:
  - name: a
    each: $.items[*]
    set:
      event_key: '@.id'
      title: $.title
";
    let items = vec![json!({ "id": "a" }); 2000];
    let payload = json!({ "items": items, "title": "x".repeat(100_000) });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    assert!(items[0].is_ok() && items[200].is_ok());
    let error = items[1999].as_ref().unwrap_err();
    assert_eq!((error.item, error.unreadable.cause), (Some(1999), Cause::BadItem));
    assert!(error.unreadable.reason.contains("too costly"), "{error}");
}

#[test]
fn a_path_to_many_values_of_the_payload_is_read_once_for_all_items() {
    let text = "\
title: T
events:
  - name: a
    each: $.items[*]
    set:
      event_key: '@.id'
      title:
        from: '$.list[*].x'
        then: [unique, {index: -1}]
      rule:
        from: '@.parts'
        then:
          - join: {with: '', each: '{{ @ }}{{ $.list[*].none }}'}
      resources:
        case:
          - when: {'$.list[*].x': nobody}
            use: nothing
        else: '@.id'
";
    let list: Vec<Value> = (0..5000).map(|number| json!({ "x": number })).collect();
    let items: Vec<Value> =
        (0..20).map(|number| json!({ "id": number, "parts": [1, 2, 3] })).collect();
    let payload = json!({ "items": items, "list": list });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    assert_eq!(items.len(), 20);
    for item in items {
        let draft = item.unwrap().draft;
        assert_eq!((draft.title.as_deref(), draft.rule.as_deref()), (Some("4999"), Some("123")));
    }
    // The condition is asked for each item. With so many items that would be quadratic, so it ends.
    let items: Vec<Value> = (0..9000).map(|number| json!({ "id": number })).collect();
    let payload = json!({ "items": items, "list": payload["list"] });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    assert!(items.first().unwrap().is_ok() && items.last().unwrap().is_err());
}

#[test]
fn patterns_see_the_first_64_kib_of_a_text_and_names_of_flattened_objects_are_bounded() {
    let text = "\
title: T
events:
  - name: a
    set:
      event_key: k
      title: {from: $.text, then: [{regex: 'end$'}]}
      rule: {from: $.text, then: [{replace: {pattern: x, with: ''}}, {regex: '^x*end'}]}
      additional_info: {object: $.flat}
";
    let payload = json!({ "text": format!("{}end", "x".repeat(64 << 10)) });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    let draft = items.into_iter().next().unwrap().unwrap().draft;
    assert_eq!((draft.title, draft.rule.as_deref()), (None, Some("end")));
    let many: serde_json::Map<String, Value> =
        (0..20_000).map(|number| (number.to_string(), json!(1))).collect();
    let mut flat = serde_json::Map::new();
    flat.insert("n".repeat(100_000), Value::Object(many));
    let Reading::Items(items) = apply(&mapping(text), &json!({ "flat": flat })) else { panic!() };
    assert!(items[0].as_ref().unwrap_err().unreadable.reason.contains("too costly"));
}
