//! The language, line by line: each operator, step and test with an example. Mistakes are in `tests/it/mistakes.rs`.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{Input, Mapping, Overrides, Reading, compile::compile};
use crate::{clock::from_millis, domain::words::Cause};

fn mapping(text: &str) -> Mapping {
    compile("test", "test/mapping.yaml", text)
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
}

fn apply(mapping: &Mapping, payload: &Value) -> Reading {
    let headers = BTreeMap::from([("x-event-key".to_owned(), "diagnostics".to_owned())]);
    let query = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    let received_at = from_millis(1_767_225_600_000);
    mapping.apply(&Input {
        payload,
        headers: &headers,
        query: &query,
        received_at,
        zone: Tz::Asia__Seoul,
        overrides: Overrides::NONE,
    })
}

/// What a value, in YAML at the right indentation, gives for a payload; `null` where it gives nothing.
fn value(yaml: &str, payload: &Value) -> Value {
    let indented = yaml.replace('\n', "\n            ");
    let text = format!(
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: k\n      additional_info:\n        fields:\n          v:\n            {indented}\n"
    );
    match apply(&mapping(&text), payload) {
        Reading::Items(items) => {
            let draft = items.into_iter().next().unwrap().unwrap().draft;
            draft.additional_info.get("v").cloned().unwrap_or_default()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_operator_gives_what_its_sentence_says() {
    let payload = json!({
        "a": "Disk", "n": 57.0, "empty": "", "none": null, "no": [], "state": "OK", "big": 9_007_199_254_740_993_u64,
        "labels": { "b": "2", "a": 1 }, "deep": { "x": { "y": 1.0 }, "z": [1] }, "text": "{\"k\": [1]}",
        "pairs": [["a", 1]], "named": [{ "Name": "n", "Value": "v" }], "tags": "env:prod, team=web",
        "hosts": ["h1", "", "h2"], "otel": [{ "key": "k", "value": { "stringValue": "v" } }],
        "list": [{ "x": null }, { "x": "" }, { "x": "found" }],
    });
    let cases = [
        ("$.a", json!("Disk")),
        ("$.n", json!(57.0)),
        ("$.empty", json!(null)),
        ("plain words", json!("plain words")),
        ("'{{ $.a | upper }} at {{ $.n }}{{ $.none }}'", json!("DISK at 57")),
        ("'{{ $.none }} - {{ $.empty }}'", json!(null)),
        ("'{{ $.big }}'", json!("9007199254740993")),
        ("from: [$.none, $.empty, $.no, $.a]", json!("Disk")),
        ("from: $.none\nelse: $.a", json!("Disk")),
        ("from: $.state\nmap: {ok: GOOD}", json!("GOOD")),
        ("from: $.n\nmap: {57: FIFTY}", json!("FIFTY")),
        ("from: $.a\nmap: {ok: GOOD}\nelse: '{{ $.a }}?'", json!("Disk?")),
        ("case:\n  - when: {$.state: [bad, ok]}\n    use: $.a\nelse: none", json!("Disk")),
        ("case:\n  - when: {$.state: bad}\n    use: $.a\nelse: none", json!("none")),
        ("header: X-Event-Key", json!("diagnostics")),
        ("query: env", json!("prod")),
        ("received: at", json!("2026-01-01T00:00:00.000Z")),
        ("json: $.text", json!({ "k": [1] })),
        ("json: $.a", json!("Disk")),
        ("object: $.deep", json!({ "x.y": "1", "z": "[1]" })),
        ("pairs: $.pairs", json!({ "a": 1 })),
        ("pairs: $.named", json!({ "n": "v" })),
        ("pairs: $.tags", json!({ "env": "prod", "team": "web" })),
        ("pairs: $.otel[*]", json!({ "k": "v" })),
        ("list: [$.hosts, $.a, $.none]", json!(["h1", "h2", "Disk"])),
        ("fields: {one: $.a, two: $.none}", json!({ "one": "Disk" })),
        ("merge: [$.labels, {fields: {a: $.a}}]", json!({ "a": "Disk", "b": "2" })),
        ("from: $.list[*].x", json!(["found"])),
        ("'{{ $.list[*].x }}'", json!("found")),
        ("$.list[-1].x", json!("found")),
        ("hash: $.none", json!(null)),
    ];
    for (yaml, expected) in cases {
        let yaml = quoted(yaml);
        assert_eq!(value(&yaml, &payload), expected, "{yaml}");
    }
}

/// Paths in flow style need quotes; the examples are easier to read without.
fn quoted(yaml: &str) -> String {
    let mut out = String::new();
    let mut rest = yaml;
    while let Some(at) = rest.find('$') {
        let (before, path) = rest.split_at(at);
        let end = path.find([',', ' ', '}', '\n', '\'']).unwrap_or(path.len());
        let is_open = before.ends_with(['[', '{', ' ']) && !before.ends_with("{{ ");
        let mut path = &path[..end];
        let opened = path.matches('[').count();
        while path.matches(']').count() > opened {
            path = &path[..path.len() - 1];
        }
        let bare = path.trim_end_matches(':');
        out.push_str(before);
        let shown =
            if is_open { format!("'{bare}'{}", &path[bare.len()..]) } else { path.to_owned() };
        out.push_str(&shown);
        rest = &rest[at + path.len()..];
    }
    out + rest
}

#[test]
fn every_step_gives_what_its_sentence_says() {
    let dimensions = json!([{ "name": "A", "value": 1.0 }, { "name": "B", "value": "x" }]);
    let cases = [
        ("- lower", json!("OPEN"), json!("open")),
        ("- upper", json!("open"), json!("OPEN")),
        ("- trim", json!(" a "), json!("a")),
        ("- upper", json!(["a", "b"]), json!(["A", "B"])),
        ("- regex: '^\\[(\\w+)\\]'", json!("[Alerting] CPU"), json!("Alerting")),
        ("- regex: {pattern: '(?<a>.)(?<b>.)', group: b}", json!("xy"), json!("y")),
        ("- regex: '^x'", json!("abc"), json!(null)),
        ("- replace: {pattern: '^\\[\\w+\\] ', with: ''}", json!("[Alerting] CPU"), json!("CPU")),
        ("- split: ','", json!("a, b,,c"), json!(["a", "b", "c"])),
        ("- split: ','", json!(["a"]), json!(["a"])),
        ("- join: '/'", json!(["a", "", 2.0]), json!("a/2")),
        (
            "- join:\n    with: ', '\n    each: '{{ @.name }}={{ @.value }}'",
            dimensions.clone(),
            json!("A=1, B=x"),
        ),
        ("- each: '@.name'", dimensions.clone(), json!(["A", "B"])),
        ("- index: -1", json!([1, 2]), json!(2)),
        ("- index: 7\n- default: none", json!([1, 2]), json!("none")),
        ("- unique", json!(["a", "b", "a"]), json!(["a", "b"])),
        ("- number", json!(" 12.5 "), json!(12.5)),
        ("- number", json!("twelve"), json!(null)),
        ("- time: auto", json!("2026-01-01 09:00:00"), json!("2026-01-01T00:00:00.000Z")),
        ("- time: '%d/%m/%Y %H:%M'", json!("01/01/2026 09:00"), json!("2026-01-01T00:00:00.000Z")),
        ("- json", json!("[1]"), json!([1])),
        ("- pairs", dimensions, json!({ "A": 1.0, "B": "x" })),
    ];
    for (step, given, expected) in cases {
        let yaml = format!("from: $.x\nthen:\n  {}", step.replace('\n', "\n  "));
        assert_eq!(value(&yaml, &json!({ "x": given })), expected, "{step}");
    }
}

#[test]
fn every_test_holds_where_its_sentence_says() {
    let payload = json!({ "a": "Open", "one": 1.0, "list": [], "null": null, "empty": "", "many": [{ "s": "x" }, { "s": "y" }] });
    let cases = [
        ("$.a: open", true),
        ("$.a: [closed, OPEN]", true),
        ("$.one: 1", true),
        ("$.one: '1.0'", true),
        ("$.missing: ''", false),
        ("$.a: {exists: true}", true),
        ("$.list: {exists: true}", true),
        ("$.null: {exists: true}", false),
        ("$.empty: {exists: false}", true),
        ("$.missing: {exists: false}", true),
        ("$.a: {regex: '^O'}", true),
        ("$.list: {type: array}", true),
        ("$.null: {type: null}", true),
        ("$.null: {type: 'null'}", true),
        ("$.a: {type: string, regex: n$}", true),
        ("$.a: {not: [open, closed]}", false),
        ("'$.many[*].s': y", true),
        ("header.X-Event-Key: diagnostics", true),
        ("query.env: {not: prod}", false),
        ("$.a: open\n        $.one: 2", false),
    ];
    for (when, holds) in cases {
        let text = format!(
            "title: T\nevents:\n  - name: a\n    when:\n        {when}\n    set: {{event_key: k}}\n"
        );
        let mapping = mapping(&text);
        assert_eq!(matches!(apply(&mapping, &payload), Reading::Items(_)), holds, "{when}");
    }
}

#[test]
fn variables_belong_to_the_payload_or_to_an_item() {
    let text = "\
title: T
let:
  msg: {json: $.Message}
events:
  - name: items
    when:
      $msg.items: {type: array}
    each: $msg.items[*]
    let:
      total: $msg.total
      both: '{{ @.id }}/{{ $total }}'
    set:
      event_key: $both
";
    let payload =
        json!({ "Message": "{\"total\": 2, \"items\": [{\"id\": \"a\"}, {\"id\": \"b\"}]}" });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    let keys: Vec<String> = items.into_iter().map(|item| item.unwrap().draft.event_key).collect();
    assert_eq!(keys, ["a/2", "b/2"]);
}

#[test]
fn a_hash_depends_on_values_and_not_on_the_order_of_fields() {
    let one: Value = serde_json::from_str(r#"{"l": {"a": "1", "b": "2"}}"#).unwrap();
    let two: Value = serde_json::from_str(r#"{"l": {"b": "2", "a": "1"}}"#).unwrap();
    let hash = "hash: $.l";
    assert_eq!(value(hash, &one), value(hash, &two));
    let parts = "hash: [$.a, $.b]".replace('$', "'$").replace(".a", ".a'").replace(".b", ".b'");
    assert_ne!(
        value(&parts, &json!({ "a": "xy", "b": "" })),
        value(&parts, &json!({ "a": "x", "b": "y" }))
    );
}

#[test]
fn an_item_without_a_key_fails_alone_and_a_wrong_word_says_what_it_is() {
    let text = "\
title: T
events:
  - name: a
    each: $.i[*]
    set:
      event_key: '@.k'
      severity: '@.s'
";
    let payload = json!({ "i": [{ "k": "a" }, {}, { "k": "b", "s": "URGENT" }, { "k": "c", "s": "warning" }] });
    let Reading::Items(items) = apply(&mapping(text), &payload) else { panic!() };
    assert!(items[0].is_ok() && items[3].is_ok());
    let missing = items[1].as_ref().unwrap_err();
    assert_eq!(
        (missing.item, missing.unreadable.cause, missing.unreadable.line),
        (Some(1), Cause::NoKey, Some(6))
    );
    assert_eq!(missing.unreadable.path.as_deref(), Some("$.i[1].k"));
    let wrong = items[2].as_ref().unwrap_err();
    assert_eq!(
        (wrong.item, wrong.unreadable.cause, wrong.unreadable.line),
        (Some(2), Cause::BadItem, Some(7))
    );
    assert_eq!(wrong.unreadable.path.as_deref(), Some("$.i[2].s"));
    assert!(wrong.unreadable.reason.starts_with("`severity` is `URGENT`"), "{wrong}");
}

#[test]
fn an_origin_names_the_place_and_the_steps() {
    let text = "\
title: T
events:
  - name: a
    each: $.i[*]
    set:
      event_key: '@.k'
      event_type:
        from: ['@.none', '@.s']
        map: {good: RECOVERY}
      title:
        from: '@.none'
        else: nothing
      occurred_at: '@.t'
";
    let payload = json!({ "i": [{}, { "k": "a", "s": "GOOD", "t": "0001-01-01T00:00:00Z" }] });
    let none = BTreeMap::new();
    let received_at = from_millis(1_767_225_600_000);
    let input = Input {
        payload: &payload,
        headers: &none,
        query: &none,
        received_at,
        zone: Tz::UTC,
        overrides: Overrides::NONE,
    };
    let Reading::Items(items) = mapping(text).apply_traced(&input) else { panic!() };
    let mapped = items[1].as_ref().unwrap();
    let origin = &mapped.origins["event_type"];
    assert_eq!(
        (origin.file.as_str(), origin.line, origin.defaulted),
        ("test/mapping.yaml", 7, false)
    );
    assert_eq!(origin.path.as_deref(), Some("$.i[1].s"));
    assert_eq!(origin.steps, ["map GOOD to RECOVERY"]);
    assert!(mapped.origins["title"].defaulted && mapped.origins["severity"].defaulted);
    assert!(mapped.origins["occurred_at"].defaulted);
    assert_eq!(mapped.draft.occurred_at, Some(received_at));
}

#[test]
fn what_comes_through_a_variable_knows_its_place_in_the_payload() {
    let text = "\
title: T
let:
  msg: { json: '$.Message' }
  host: { from: '$.host', then: [upper] }
events:
  - name: a
    each: $msg.alarms[*]
    let:
      alarm: '@.alarm'
    set:
      event_key: $alarm.id
      title: $host
      rule: $msg.rule
";
    let payload =
        json!({ "Message": r#"{"rule": "r", "alarms": [{}, {"alarm": {"id": 7}}]}"#, "host": "a" });
    let none = BTreeMap::new();
    let received_at = from_millis(1_767_225_600_000);
    let (headers, query, overrides) = (&none, &none, Overrides::NONE);
    let input = Input { payload: &payload, headers, query, received_at, zone: Tz::UTC, overrides };
    let Reading::Items(items) = mapping(text).apply_traced(&input) else { panic!() };
    let mapped = items[1].as_ref().unwrap();
    let came_from = |field: &str| mapped.origins[field].path.as_deref().unwrap();
    assert_eq!(came_from("rule"), "$.Message.rule");
    assert_eq!(came_from("title"), "($.host as $host)");
    assert_eq!(came_from("event_key"), "$msg.alarms[1].alarm.id");
    assert!(mapped.origins["event_key"].steps.is_empty());
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "title: T\nevents:\n  - name: a\n    set:\n      event_key: $.\n      titel: x\n      severity: BAD\n";
    let errors = compile("test", "t.yaml", text).expect_err("three mistakes");
    let lines: Vec<u32> = errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [5, 6, 7]);
}

#[test]
fn what_is_nested_too_deep_to_be_read_again_is_kept_as_text() {
    let deep = (0..120).fold(json!("end"), |inner, _| json!({ "a": [inner] }));
    let kept = value("$", &deep);
    let text = kept.to_string();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), kept);
    // Its upper levels are as they were, and nothing of the rest is lost.
    assert!(kept["a"][0]["a"][0]["a"].is_array());
    assert!(text.contains("end"));
}
