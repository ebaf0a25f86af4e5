//! What real payloads ask of the mapping language, counted over 226 of them: one test for each row of that count.
//!
//! docs/rules-needs.md lists the rows with these tests.

use std::collections::BTreeMap;

use alertmill::{
    clock::{from_millis, rfc3339},
    domain::event::Draft,
    plugins::PluginBook,
    rules::{Input, Mapping, Overrides, Reading, Rulebook, check::check},
};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// `2026-01-01T00:00:00Z`, when every payload here arrives.
const NOW: i64 = 1_767_225_600_000;

fn mapping(text: &str) -> Mapping {
    let book = Rulebook::from_texts([("t".to_owned(), text.to_owned())]);
    let book = book.unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    book.get("t").unwrap().as_ref().clone()
}

fn read(text: &str, payload: &Value) -> Reading {
    let headers = BTreeMap::from([("x-github-event".to_owned(), "check_run".to_owned())]);
    let query = BTreeMap::from([("environment".to_owned(), "prod".to_owned())]);
    let (headers, query, overrides) = (&headers, &query, Overrides::NONE);
    let (received_at, zone) = (from_millis(NOW), Tz::Asia__Seoul);
    mapping(text).apply(&Input { payload, headers, query, received_at, zone, overrides })
}

fn drafts(text: &str, payload: &Value) -> Vec<Draft> {
    match read(text, payload) {
        Reading::Items(items) => items.into_iter().map(|item| item.unwrap().draft).collect(),
        other => panic!("{other:?}\n{text}"),
    }
}

/// What a value, in YAML, gives for a payload; `null` where it gives nothing.
fn value(yaml: &str, payload: &Value) -> Value {
    let indented = yaml.replace('\n', "\n            ");
    let text = format!(
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: k\n      additional_info:\n        fields:\n          v:\n            {indented}\n"
    );
    drafts(&text, payload)[0].additional_info.get("v").cloned().unwrap_or_default()
}

/// When a value says that it happened; `None` where that is the time of receipt.
fn occurred(yaml: &str, payload: &Value) -> Option<String> {
    let indented = yaml.replace('\n', "\n        ");
    let text = format!(
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: k\n      occurred_at:\n        {indented}\n"
    );
    let at = drafts(&text, payload)[0].occurred_at.unwrap();
    (at != from_millis(NOW)).then(|| rfc3339(at))
}

#[test]
fn need_01_value_map_with_default() {
    let yaml = "from: $.s\nmap: {1: ONE, 'true': YES, 심각: CRITICAL, Sev2: ERROR}\nelse:\n  from: $.fallback\n  then: [upper]";
    for (given, expected) in [
        (json!(1), "ONE"),
        (json!(1.0), "ONE"),
        (json!("1"), "ONE"),
        (json!("1.0"), "ONE"),
        (json!(true), "YES"),
        (json!("심각"), "CRITICAL"),
        (json!("SEV2"), "ERROR"),
        (json!("other"), "DEFAULT"),
        (json!(null), "DEFAULT"),
    ] {
        assert_eq!(value(yaml, &json!({ "s": given, "fallback": "default" })), json!(expected));
    }
}

#[test]
fn need_02_coalesce() {
    let payload = json!({ "null": null, "empty": "", "none": [], "found": "x" });
    let yaml = "from:\n  - $.missing\n  - $.null\n  - $.empty\n  - $.none\n  - $.found";
    assert_eq!(value(yaml, &payload), json!("x"));
}

#[test]
fn need_03_variants_with_every_test() {
    let text = "title: T\nevents:\n  - {name: exists, when: {'$.a': {exists: true}}, set: {event_key: exists}}\n  \
        - {name: equals, when: {'$.b': x}, set: {event_key: equals}}\n  \
        - {name: in, when: {'$.b': [y, z]}, set: {event_key: in}}\n  \
        - {name: type, when: {'$.c': {type: array}}, set: {event_key: type}}\n  \
        - {name: regex, when: {'$.c': {regex: '^disk'}}, set: {event_key: regex}}\n  \
        - {name: any, when: [{'$.d': 1}, {'$.d': 2, '$.e': {not: 3}}], set: {event_key: any}}\n";
    for (payload, expected) in [
        (json!({ "a": 0, "b": "x" }), "exists"),
        (json!({ "b": "X" }), "equals"),
        (json!({ "b": "z" }), "in"),
        (json!({ "c": [] }), "type"),
        (json!({ "c": "disk full" }), "regex"),
        (json!({ "d": 2, "e": 4 }), "any"),
    ] {
        assert_eq!(drafts(text, &payload)[0].event_key, expected);
    }
    assert!(matches!(read(text, &json!({ "d": 2, "e": 3 })), Reading::NoVariant(_)));
}

#[test]
fn need_04_timestamps() {
    // Every spelling of the count is in the table of `value/time.rs`; here is how a mapping says the odd ones.
    let custom = "from: $.t\nthen:\n  - time: '%a %b %d %H:%M:%S UTC %Y'";
    let at = occurred(custom, &json!({ "t": "Fri Mar 24 17:28:40 UTC 2023" }));
    assert_eq!(at.as_deref(), Some("2023-03-24T17:28:40.000Z"));
    let two_fields = json!({ "date": "2023-03-24 17:28:40.123", "offset": "+02:00" });
    let at = occurred("'{{ $.date }}{{ $.offset }}'", &two_fields);
    assert_eq!(at.as_deref(), Some("2023-03-24T15:28:40.123Z"));
    let seoul = occurred("$.t", &json!({ "t": "2023-03-24 17:28:40" }));
    assert_eq!(seoul.as_deref(), Some("2023-03-24T08:28:40.000Z"), "the webhook's zone");
    for zone in ["PST", "AEDT", "BST", "CET"] {
        let named = json!({ "t": format!("2023-03-24 17:28:40 {zone}") });
        assert_eq!(occurred("$.t", &named), None, "{zone} means several zones");
    }
    assert_eq!(occurred("$.t", &json!({ "t": "0001-01-01T00:00:00Z" })), None);
}

#[test]
fn need_05_templates() {
    let payload = json!({ "host": " db-1 ", "null": null, "state": "down" });
    let yaml = "'{{ $.host | trim | upper }} is {{ $.state }}{{ $.null }}{{ $.missing }}'";
    assert_eq!(value(yaml, &payload), json!("DB-1 is down"));
}

#[test]
fn need_06_conditional_value() {
    let yaml = "case:\n  - when:\n      $.state: resolved\n    use: $.ends\nelse: $.starts";
    assert_eq!(
        value(yaml, &json!({ "state": "resolved", "ends": "e", "starts": "s" })),
        json!("e")
    );
    assert_eq!(value(yaml, &json!({ "state": "firing", "ends": "e", "starts": "s" })), json!("s"));
}

#[test]
fn need_07_letter_case_is_ignored() {
    let map = "from: $.s\nmap: {open: A, Problem: B, sev2: C, UP: D}";
    let case = "case:\n  - when: {'$.s': [open, Problem, sev2, UP]}\n    use: hit\nelse: miss";
    for (given, mapped) in [("OPEN", "A"), ("PROBLEM", "B"), ("Sev2", "C"), ("Up", "D")] {
        assert_eq!(value(map, &json!({ "s": given })), json!(mapped));
        assert_eq!(value(case, &json!({ "s": given })), json!("hit"));
    }
}

#[test]
fn need_08_numbers_without_noise() {
    let payload = json!({ "n": 57.0, "big": 9_007_199_254_740_993_u64, "x": 0.1 });
    assert_eq!(
        value("'{{ $.n }} {{ $.big }} {{ $.x }}'", &payload),
        json!("57 9007199254740993 0.1")
    );
    let text = "title: T\nevents:\n  - name: a\n    set: {event_key: '$.big'}\n";
    assert_eq!(drafts(text, &payload)[0].event_key, "9007199254740993");
}

#[test]
fn need_09_join_with_a_template_for_each() {
    let yaml = "from: $.dimensions\nthen:\n  - join:\n      with: ', '\n      each: '{{ @.name }}={{ @.value }}'";
    let payload =
        json!({ "dimensions": [{ "name": "Id", "value": 1.0 }, { "name": "Zone", "value": "a" }] });
    assert_eq!(value(yaml, &payload), json!("Id=1, Zone=a"));
}

#[test]
fn need_10_regular_expressions() {
    let payload =
        json!({ "t": "[Alerting] CPU on db-1", "arm": "/subscriptions/s1/resourceGroups/g1/x" });
    let strip = "from: $.t\nthen:\n  - replace: {pattern: '^\\[\\w+\\] ', with: ''}";
    assert_eq!(value(strip, &payload), json!("CPU on db-1"));
    let part =
        "from: $.arm\nthen:\n  - regex: {pattern: '/resourceGroups/(?<group>[^/]+)', group: group}";
    assert_eq!(value(part, &payload), json!("g1"));
    let condition =
        "case:\n  - when: {'$.t': {regex: '^\\[Alerting\\]'}}\n    use: ALERT\nelse: RECOVERY";
    assert_eq!(value(condition, &payload), json!("ALERT"));
}

#[test]
fn need_11_a_hash_as_the_key() {
    let text = "title: T\nevents:\n  - name: a\n    set:\n      event_key:\n        hash: ['$.name', '$.labels']\n";
    let key =
        |payload: &str| drafts(text, &serde_json::from_str(payload).unwrap())[0].event_key.clone();
    let one = key(r#"{"name": "x", "labels": {"a": 1, "b": 2.0}}"#);
    assert_eq!(one, key(r#"{"labels": {"b": 2, "a": 1}, "name": "x"}"#));
    assert_ne!(one, key(r#"{"name": "x", "labels": {"a": 1}}"#));
    assert_ne!(key(r#"{"name": "ab"}"#), key(r#"{"labels": "ab"}"#));
    assert_eq!(one.len(), 32);
}

#[test]
fn need_12_items_that_see_the_whole_payload() {
    let text = "title: T\nevents:\n  - name: a\n    each: $.alerts[*]\n    set:\n      event_key: '@.id'\n      title: '{{ $.common.name }} {{ @.host }}'\n      event_type:\n        from: ['@.status', $.status]\n        map: {firing: ALERT, resolved: RECOVERY}\n        else: ALERT\n";
    let payload = json!({ "status": "resolved", "common": { "name": "Disk" }, "alerts": [{ "id": 1, "host": "a", "status": "firing" }, { "id": 2, "host": "b" }] });
    let events = drafts(text, &payload);
    let said: Vec<String> = events
        .iter()
        .map(|e| format!("{} {} {}", e.event_key, e.title.as_deref().unwrap(), e.event_type))
        .collect();
    assert_eq!(said, ["1 Disk a ALERT", "2 Disk b RECOVERY"]);
    assert_eq!(drafts(text, &json!({ "alerts": [] })), [], "no items are no events, and no error");
}

#[test]
fn need_13_indexes_from_either_end() {
    let payload = json!({ "a": [{ "x": 1 }, { "x": 2 }, { "x": 3 }], "path": "a/b/c" });
    assert_eq!(value("$.a[0].x", &payload), json!(1));
    assert_eq!(value("$.a[-1].x", &payload), json!(3));
    assert_eq!(value("from: $.path\nthen:\n  - split: /\n  - index: -2", &payload), json!("b"));
}

#[test]
fn need_14_json_inside_a_text() {
    let text = "title: T\nlet:\n  msg:\n    json: $.Message\nevents:\n  - name: a\n    set:\n      event_key: k\n      title:\n        from: [$msg.AlarmName, $msg]\n";
    let title =
        |message: &str| drafts(text, &json!({ "Message": message }))[0].title.clone().unwrap();
    assert_eq!(title(r#"{"AlarmName": "CPU"}"#), "CPU");
    assert_eq!(title("plain {words"), "plain {words", "what is no JSON stays a text");
}

#[test]
fn need_15_pairs_in_every_shape() {
    let expected = json!({ "a": "1", "b": "2" });
    for given in [
        json!([["a", "1"], ["b", "2"]]),
        json!([{ "key": "a", "value": "1" }, { "key": "b", "value": "2" }]),
        json!([{ "Name": "a", "Value": "1" }, { "name": "b", "value": "2" }]),
        json!([{ "tag": "a", "value": "1" }, { "tag": "b", "value": "2" }]),
        json!([{ "key": "a", "value": { "stringValue": "1" } }, { "key": "b", "value": { "stringValue": "2" } }]),
        json!(["a:1", "b:2"]),
        json!("a:1, b=2"),
        json!({ "a": "1", "b": "2" }),
    ] {
        assert_eq!(value("pairs: $.p", &json!({ "p": given })), expected, "{given}");
    }
}

#[test]
fn need_16_an_object_of_texts() {
    let payload = json!({ "o": { "a": { "b": 1.0, "c": [1, 2] }, "d": true, "e": null } });
    let expected = json!({ "a.b": "1", "a.c": "[1,2]", "d": "true" });
    assert_eq!(value("object: $.o", &payload), expected);
}

#[test]
fn need_17_split_takes_texts_and_lists() {
    let yaml = "from: $.tags\nthen:\n  - split: ','";
    for (given, expected) in [
        (json!("a, b"), json!(["a", "b"])),
        (json!(["a", "b"]), json!(["a", "b"])),
        (json!(7), json!(["7"])),
    ] {
        assert_eq!(value(yaml, &json!({ "tags": given })), expected);
    }
    // So do the other steps: none of them minds what it is given.
    let first = "from: $.x\nthen:\n  - index: 0";
    assert_eq!(value(first, &json!({ "x": "alone" })), json!("alone"));
    assert_eq!(value(first, &json!({ "x": ["a", "b"] })), json!("a"));
    let number = "from: $.x\nthen:\n  - number";
    for given in [json!("12"), json!(12), json!(12.0), json!({ "intValue": "12" })] {
        assert_eq!(value(number, &json!({ "x": given })), json!(12), "{given}");
    }
    assert_eq!(value(number, &json!({ "x": ["12", "x", 3.5] })), json!([12, 3.5]));
    let join = "from: $.x\nthen:\n  - join: /";
    assert_eq!(value(join, &json!({ "x": ["a", 1.0, null] })), json!("a/1"));
    assert_eq!(value(join, &json!({ "x": "a" })), json!("a"));
}

#[test]
fn need_18_names_that_need_quotes() {
    let payload = json!({ "host.name": 1, "detail-type": 2, "active plays": 3, "stripped-text": 4, "sentry.interfaces.Http": { "url": 5 } });
    for (path, expected) in [
        ("$['host.name']", 1),
        ("$.detail-type", 2),
        ("$['active plays']", 3),
        ("$.stripped-text", 4),
        ("$['sentry.interfaces.Http'].url", 5),
    ] {
        assert_eq!(value(path, &payload), json!(expected), "{path}");
    }
}

#[test]
fn need_19_headers() {
    assert_eq!(value("header: X-GitHub-Event", &json!({})), json!("check_run"));
    let text = "title: T\nevents:\n  - name: a\n    when: {header.X-GitHub-Event: check_run}\n    set: {event_key: k}\n";
    assert_eq!(drafts(text, &json!({})).len(), 1);
}

#[test]
fn need_20_query_parameters() {
    assert_eq!(value("query: environment", &json!({})), json!("prod"));
    let text = "title: T\nevents:\n  - name: a\n    when: {query.environment: prod}\n    set: {event_key: k}\n";
    assert_eq!(drafts(text, &json!({})).len(), 1);
}

#[test]
fn need_21_what_is_no_event() {
    let text = "title: T\nevents:\n  - name: callback\n    when: {'$.type': block_actions}\n    ignore: a button of a chat\n  - name: a\n    each: $.alerts[*]\n    set: {event_key: '@.id'}\n";
    let ignored = Reading::Ignored("a button of a chat".to_owned());
    assert_eq!(read(text, &json!({ "type": "block_actions" })), ignored);
    assert_eq!(read(text, &json!({ "alerts": [] })), Reading::Items(Vec::new()));
}

#[test]
fn need_22_bodies_that_are_no_object() {
    // Plugins say how a body is encoded; a mapping sees what came of it.
    assert!(PluginBook::embedded().unwrap().names().count() > 0);
    let lines = "title: T\nevents:\n  - name: text\n    let:\n      said:\n        from: $.text\n        then:\n          - split: \"\\n\"\n          - pairs\n    set:\n      event_key: $said.Host\n      title: $said['Service State']\n";
    let payload = json!({ "text": "Host: web-1\nService State: CRITICAL: disk\n\n" });
    let event = &drafts(lines, &payload)[0];
    assert_eq!(
        (event.event_key.as_str(), event.title.as_deref()),
        ("web-1", Some("CRITICAL: disk"))
    );
    let list = "title: T\nevents:\n  - name: list\n    when: {'$': {type: array}}\n    each: $[*]\n    set: {event_key: '@'}\n";
    assert_eq!(drafts(list, &json!(["a", 1.0]))[1].event_key, "1");
}

#[test]
fn need_23_constants() {
    assert_eq!(value("plain words", &json!({})), json!("plain words"));
    assert_eq!(value("7", &json!({})), json!(7));
    assert_eq!(value("true", &json!({})), json!(true));
}

#[test]
fn need_24_the_time_of_receipt_stands_in() {
    let bodies = [json!({}), json!({ "t": null }), json!({ "t": "soon" }), json!({ "t": 0 })];
    for body in bodies {
        assert_eq!(occurred("$.t", &body), None, "{body}");
    }
    assert_eq!(value("received: at", &json!({})), json!("2026-01-01T00:00:00.000Z"));
}

#[test]
fn caveat_lines_of_key_and_value_in_a_field_are_read_as_pairs() {
    let yaml = "from: $.text\nthen:\n  - split: \"\\n\"\n  - pairs";
    let payload = json!({ "text": "alert: Link down\nnode: leaf-1" });
    assert_eq!(value(yaml, &payload), json!({ "alert": "Link down", "node": "leaf-1" }));
}

#[test]
fn caveat_a_recovery_that_names_no_series_meets_its_problem_by_the_rules_key() {
    let book = Rulebook::embedded().unwrap();
    let legacy = |case: &str| {
        let sample = alertmill::rules::samples::sample("grafana", case).unwrap();
        let payload: Value = serde_json::from_slice(&sample.body).unwrap();
        let none = BTreeMap::new();
        let (headers, query, overrides) = (&none, &none, Overrides::NONE);
        let (received_at, zone) = (from_millis(NOW), Tz::UTC);
        let input = Input { payload: &payload, headers, query, received_at, zone, overrides };
        match book.get("grafana").unwrap().apply(&input) {
            Reading::Items(items) => items[0].as_ref().unwrap().draft.event_key.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(legacy("legacy-alerting"), legacy("legacy-ok"));
}

#[test]
fn caveat_data_is_never_read_as_a_template_or_a_path() {
    let payload = json!({ "a": "{{ $.secret }}", "b": "$.secret", "secret": "s" });
    assert_eq!(value("$.a", &payload), json!("{{ $.secret }}"));
    assert_eq!(value("'{{ $.a }} {{ $.b }}'", &payload), json!("{{ $.secret }} $.secret"));
    assert_eq!(value("from: $.b\nthen:\n  - json\n  - trim", &payload), json!("$.secret"));
}

#[test]
fn caveat_no_clock_and_nothing_random_gets_into_a_key() {
    for key in ["{received: at}", "{hash: [$.name, {received: at}]}", "'{{ $now }}'"] {
        let text = format!(
            "title: T\nlet:\n  now:\n    received: at\nevents:\n  - name: a\n    set:\n      event_key: {key}\n"
        );
        let errors = check("t", "t.yaml", &text).unwrap_err();
        assert!(errors[0].detail.starts_with("a clock in `event_key`"), "{}", errors[0]);
    }
}

#[test]
fn caveat_a_clean_up_over_several_lines_is_a_replacement() {
    let yaml = "from: $.m\nthen:\n  - replace: {pattern: '(?m)^\\s*(Silence|Dashboard): .*\\n?', with: ''}\n  - trim";
    let payload = json!({ "m": "CPU is high\nSilence: https://x\nDashboard: https://y\n" });
    assert_eq!(value(yaml, &payload), json!("CPU is high"));
}

#[test]
fn caveat_lines_of_json_in_one_text_become_items() {
    let text = "title: T\nlet:\n  rows:\n    from: $.rows\n    then:\n      - split: \"\\n\"\n      - each:\n          json: '@'\nevents:\n  - name: rows\n    each: $rows[*]\n    set: {event_key: '@.id'}\n";
    let payload = json!({ "rows": "{\"id\": 1}\n{\"id\": 2}\n" });
    let keys: Vec<String> =
        drafts(text, &payload).into_iter().map(|event| event.event_key).collect();
    assert_eq!(keys, ["1", "2"]);
}

#[test]
fn caveat_the_first_of_several_may_be_an_object() {
    let yaml = "from:\n  - case:\n      - when: {'$.pod': {exists: true}}\n        use:\n          fields: {type: pod, name: $.pod}\n  - fields: {type: host, name: $.host}".replace("$.pod}", "'$.pod'}").replace("$.host}", "'$.host'}");
    assert_eq!(
        value(&yaml, &json!({ "pod": "p", "host": "h" })),
        json!({ "type": "pod", "name": "p" })
    );
    assert_eq!(value(&yaml, &json!({ "host": "h" })), json!({ "type": "host", "name": "h" }));
}

#[test]
fn the_page_of_needs_lists_these_tests() {
    let page = std::fs::read_to_string("docs/rules-needs.md").unwrap();
    let source = include_str!("needs.rs");
    let tests: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("() {"))
        .filter(|name| name.starts_with("need_") || name.starts_with("caveat_"))
        .collect();
    assert!(tests.len() >= 24);
    for test in &tests {
        assert!(page.contains(&format!("`{test}`")), "docs/rules-needs.md lacks {test}");
    }
    let listed =
        page.split('`').filter(|word| word.starts_with("need_") || word.starts_with("caveat_"));
    for name in listed {
        assert!(tests.contains(&name), "docs/rules-needs.md names {name}, which is no test");
    }
}

/// The blocks of YAML in the page for authors.
fn examples() -> Vec<String> {
    let page = std::fs::read_to_string("rules/README.md").unwrap();
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split("```").next()?.to_owned()))
        .collect()
}

#[test]
fn the_examples_for_authors_are_right_and_raise_no_warning() {
    let examples = examples();
    assert_eq!(examples.len(), 2, "the example and the one that extends");
    let warnings = check("example", "example/mapping.yaml", &examples[0]);
    assert_eq!(warnings.map(|all| all.len()), Ok(0));
    let extended = Rulebook::embedded().unwrap().with_text("mine", &examples[1]);
    let book = extended.unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_eq!(book.get("mine").unwrap().variants().next(), Some("ours"));
}
