//! What is told of edited rules.

use std::fmt::Write as _;

use super::{file::read, *};
use crate::{
    lab::posted::Posted,
    rules::{Rulebook, samples as shipped},
};

fn books(rules: &[(&str, &str)]) -> Arc<Books> {
    let texts = rules.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let rulebook = Rulebook::from_texts(texts).unwrap_or_else(|errors| panic!("{errors:#?}"));
    Arc::new(Books { rulebook, ..Books::default() })
}

/// A mapping of the tests' sender, with these lines for key and severity.
fn mapping(key: &str, severity: &str, more: &str) -> String {
    format!(
        "title: T\nevents:\n  - name: a\n    when: {{ $.id: {{ exists: true }} }}\n    set:\n      event_key: {key}\n      \
         event_type: {{ from: $.way, map: {{ up: RECOVERY }}, else: ALERT }}\n      severity: {severity}\n      title: $.title\n{more}"
    )
}

fn posted(items: &[serde_json::Value]) -> Vec<Again> {
    let lines = items.iter().zip(1..).map(|(body, number)| {
        read(&serde_json::json!({ "provider": "t", "body": body }).to_string(), number).unwrap()
    });
    lines.collect()
}

fn item(id: u32, host: &str, way: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "host": host, "way": way, "title": format!("Disk of {host}") })
}

fn compared(old: &str, new: &str, page: &[Again]) -> Comparison {
    let mut differ = Differ::new(books(&[("t", old)]), books(&[("t", new)]));
    page.chunks(3).for_each(|page| differ.add(page));
    differ.finish()
}

#[test]
fn identical_rules_change_nothing_of_any_shipped_sample() {
    let all: Vec<Again> = shipped::names()
        .iter()
        .map(|name| {
            let (provider, case) = name.split_once('/').unwrap();
            let sample = shipped::sample(provider, case).unwrap();
            let posted = Posted::sample(provider, sample.body, sample.request).unwrap();
            Again { webhook: Arc::new(posted.webhook()), delivery: posted.delivery() }
        })
        .collect();
    let load = || Arc::new(Books::load(None, None).unwrap());
    let mut differ = Differ::new(load(), load());
    all.chunks(17).for_each(|page| differ.add(page));
    let comparison = differ.finish();
    assert_eq!(comparison.deliveries, all.len() as u64);
    assert!(comparison.is_empty(), "{:#?}", comparison.providers);
    assert!(comparison.items > 50);
}

#[test]
fn fields_and_severities_are_counted_and_shown() {
    let old = mapping("$.id", "ERROR", "");
    let new = mapping("$.id", "WARNING", "      rule: $.host\n");
    let page = posted(&[item(1, "a", "down"), item(1, "a", "up"), item(2, "b", "down")]);
    let comparison = compared(&old, &new, &page);
    let changes = &comparison.providers["t"];
    let counts: Vec<_> =
        changes.fields.iter().map(|(field, count)| (field.as_str(), *count)).collect();
    assert_eq!(counts, [("rule", 3), ("severity", 3)]);
    let lowered = SeverityChange { old: Severity::Error, new: Severity::Warning, count: 3 };
    assert_eq!(changes.severities, [lowered]);
    assert_eq!(changes.alerts, AlertChanges::default());
    let first = &changes.examples["rule"][0];
    assert_eq!((first.delivery_id.as_str(), &first.new), ("line 1", &serde_json::json!("a")));
    let asked =
        [Objection::AlertsLost, Objection::KeyChanged, Objection::SeverityLowered, Objection::Any];
    assert_eq!(comparison.objections(&asked), [Objection::SeverityLowered, Objection::Any]);
}

#[test]
fn items_are_lost_and_found() {
    let old = mapping("$.id", "ERROR", "");
    let new = "title: T\nevents:\n  - name: q\n    when: { $.host: quiet }\n    ignore: it is quiet\n  - name: a\n    \
               set: { event_key: $.key }\n";
    let key_only = serde_json::json!({ "key": "k" });
    let page = posted(&[item(1, "quiet", "down"), item(2, "b", "down"), key_only]);
    let changes = compared(&old, new, &page).providers.remove("t").unwrap();
    assert_eq!(changes.lost, Lost { dead: 1, ignored: 1, gone: 0 });
    assert_eq!(changes.gained, Gained { readable: 1, heeded: 0, more: 0 });
    assert_eq!((changes.alerts.vanished, changes.alerts.appeared), (2, 1));
    assert_eq!(changes.examples["lost"].len(), 2);
}

#[test]
fn alerts_merge_split_and_are_renamed() {
    let by_id = mapping("$.id", "ERROR", "");
    let by_host = mapping("$.host", "ERROR", "");
    let page = posted(&[
        // Two that become one.
        item(1, "a", "down"),
        item(2, "a", "down"),
        // One that becomes two.
        item(3, "b", "down"),
        item(3, "c", "down"),
        // One with another name.
        item(4, "d", "down"),
        item(4, "d", "up"),
    ]);
    let alerts = compared(&by_id, &by_host, &page).providers["t"].alerts.clone();
    let AlertChanges { vanished, appeared, split, merged, renamed, .. } = alerts;
    assert_eq!((vanished, appeared, split, merged, renamed), (0, 0, 1, 1, 1));
    let merged = &alerts.examples["merged"][0];
    assert_eq!((merged.old.join(","), merged.new.join(",")), ("1,2".to_owned(), "a".to_owned()));
    assert_eq!(alerts.examples["split"][0].new, ["b", "c"]);
    assert_eq!(alerts.examples["renamed"][0].old, ["4"]);
}

#[test]
fn a_recovery_whose_key_parts_from_its_problem_is_told_apart() {
    let by_id = mapping("$.id", "ERROR", "");
    let by_title = mapping("$.title", "ERROR", "");
    let [down, mut up, other] = [item(1, "a", "down"), item(1, "a", "up"), item(2, "b", "up")];
    up["title"] = "All is well".into();
    // The last ends nothing that any delivery shows, so nothing of it can be missed.
    let page = posted(&[down, up.clone(), up, other]);
    let comparison = compared(&by_id, &by_title, &page);
    let alerts = &comparison.providers["t"].alerts;
    assert_eq!((alerts.parted, alerts.renamed, alerts.vanished), (2, 1, 0));
    let AlertExample { old, new, problem, delivery_id, item } = &alerts.examples["parted"][0];
    assert_eq!((old[0].as_str(), new[0].as_str()), ("1", "All is well"));
    assert_eq!((problem[0].as_str(), delivery_id.as_str(), *item), ("Disk of a", "line 2", 0));
    let asked = [Objection::RecoveriesParted, Objection::AlertsLost];
    assert_eq!(comparison.objections(&asked), [Objection::RecoveriesParted]);
}

#[test]
fn a_recovery_that_moves_with_its_problem_is_not_parted() {
    let by_id = mapping("$.id", "ERROR", "");
    let by_host = mapping("$.host", "ERROR", "");
    let page = posted(&[item(1, "a", "down"), item(2, "b", "down"), item(1, "a", "up")]);
    assert_eq!(compared(&by_id, &by_host, &page).providers["t"].alerts.parted, 0);
}

#[test]
fn a_recovery_is_parted_where_only_its_problem_moves_or_it_is_none_any_more() {
    let by_id = mapping("$.id", "ERROR", "");
    let apart =
        mapping("{ case: [{ when: { $.way: up }, use: $.id }], else: $.host }", "ERROR", "");
    let blind = by_id.replace("up: RECOVERY", "over: RECOVERY");
    let page = posted(&[item(1, "a", "down"), item(1, "a", "up")]);
    for (edited, new) in [(apart, vec!["1".to_owned()]), (blind, vec![])] {
        let alerts = compared(&by_id, &edited, &page).providers["t"].alerts.clone();
        assert_eq!((alerts.parted, &alerts.examples["parted"][0].new), (1, &new));
    }
}

#[test]
fn what_stays_and_what_joins_it_are_a_merge() {
    let old = mapping("$.id", "ERROR", "");
    let new = mapping("{ from: $.id, map: { 2: 1 }, else: $.id }", "ERROR", "");
    let page = posted(&[item(1, "a", "down"), item(2, "a", "down"), item(3, "a", "down")]);
    let alerts = compared(&old, &new, &page).providers["t"].alerts.clone();
    assert_eq!((alerts.merged, alerts.renamed, alerts.vanished), (1, 0, 0));
    assert_eq!(alerts.examples["merged"][0].old, ["1", "2"]);
}

#[test]
fn the_same_comes_out_however_the_work_is_shared_out() {
    let (old, new) = (mapping("$.id", "ERROR", ""), mapping("$.host", "INFO", ""));
    let hosts = ["a", "b", "c", "d"];
    let items: Vec<_> = (0..200).map(|id| item(id % 17, hosts[id as usize % 4], "down")).collect();
    let page = posted(&items);
    let whole = compared(&old, &new, &page);
    let mut alone =
        Differ { threads: 1, ..Differ::new(books(&[("t", &old)]), books(&[("t", &new)])) };
    alone.add(&page);
    assert_eq!(alone.finish(), whole);
}

#[test]
fn a_line_of_a_file_says_what_is_wrong_with_it() {
    let mut said = String::new();
    for line in [
        "{}",
        r#"{"provider": "t"}"#,
        r#"{"provider": "t", "body": "x", "body_base64": "eA=="}"#,
        r#"{"provider": "t", "body_base64": "%"}"#,
        r#"{"provider": "t", "body": "x", "received_at": "now"}"#,
    ] {
        writeln!(said, "{}", read(line, 1).unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(said, @r"
    missing field `provider` at line 1 column 2
    expected `body` or `body_base64`, and not both
    expected `body` or `body_base64`, and not both
    `body_base64`: Invalid symbol 37, offset 0.
    received_at: `now`: premature end of input
    ");
}
