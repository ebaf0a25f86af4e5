//! Tests of conditions.

use serde_json::{Value, json};

use super::*;
use crate::clock::from_millis;

fn condition(key: &str, operator: &str, value: Value) -> RuleCondition {
    let written = json!({ "key": key, "value": value, "operator": operator });
    RuleCondition::parse(&written, "", from_millis(0)).unwrap()
}

fn record() -> Value {
    json!({
        "event_key": "k", "event_type": "ALERT", "title": "High CPU", "description": null, "severity": "ERROR",
        "resources": ["db-1", "web-2"], "provider": "", "account": null, "webhook_id": "w",
        "created_at": "2026-01-02T12:00:00.000Z", "occurred_at": "2026-01-02T10:00:00.000Z",
        "additional_info": {"a": {"b": "xVx"}, "n": 81, "on": true, "list": ["One", "two"], "none": null, "empty": []},
    })
}

fn is_met(key: &str, operator: &str, value: Value) -> bool {
    let now = from_millis(1_767_355_200_000); // 2026-01-02T12:00:00Z
    condition(key, operator, value).is_met(&record(), now)
}

#[test]
fn the_four_operators_of_the_original_mean_what_they_meant() {
    assert!(is_met("title", "eq", json!("High CPU")));
    assert!(!is_met("title", "eq", json!("high cpu")));
    assert!(is_met("title", "not", json!("high cpu")));
    assert!(is_met("title", "contain", json!("cpu")));
    assert!(!is_met("title", "not_contain", json!("cpu")));
    assert!(is_met("additional_info.a.b", "contain", json!("v")));
}

#[test]
fn what_is_missing_or_null_meets_only_that_it_is_not_there() {
    for key in ["description", "account", "additional_info.zzz", "additional_info.none"] {
        for (operator, value) in [
            ("eq", json!("x")),
            ("not", json!("x")),
            ("contain", json!("x")),
            ("not_contain", json!("x")),
            ("not_in", json!(["x"])),
            ("not_contain_in", json!(["x"])),
            ("lt", json!(5)),
            ("regex", json!(".*")),
            ("exists", json!(true)),
        ] {
            assert!(!is_met(key, operator, value), "{key} {operator}");
        }
        assert!(is_met(key, "exists", json!(false)), "{key}");
    }
    assert!(is_met("title", "exists", json!(true)));
    assert!(!is_met("title", "exists", json!(false)));
}

#[test]
fn any_field_and_any_operator_may_be_asked() {
    assert!(is_met("additional_info.n", "gte", json!(81)));
    assert!(!is_met("additional_info.n", "gt", json!(81)));
    assert!(is_met("severity", "in", json!(["ERROR", "CRITICAL"])));
    assert!(is_met("event_type", "not", json!("RECOVERY")));
    assert!(is_met("resources", "contain", json!("WEB")));
    assert!(is_met("resource", "eq", json!("db-1")));
    assert!(is_met("resources", "not", json!("db-9")));
    assert!(is_met("title", "regex", json!("^high\\s+c.u$")));
    assert!(is_met("additional_info.list", "not_contain", json!("three")));
    assert!(is_met("additional_info.empty", "not_contain", json!("three")));
}

#[test]
fn what_is_no_text_neither_contains_nor_lacks_one() {
    for key in ["additional_info.n", "additional_info.on", "additional_info.a"] {
        assert!(!is_met(key, "contain", json!("8")), "{key}");
        assert!(!is_met(key, "not_contain", json!("zzz")), "{key}");
    }
}

#[test]
fn times_are_counted_from_the_moment_of_the_event_and_not_from_that_of_saving() {
    assert!(is_met("occurred_at", "timediff_lt", json!("now-1h")));
    assert!(!is_met("occurred_at", "timediff_lt", json!("now-3h")));
    assert!(is_met("occurred_at", "datetime_lt", json!("2026-01-02T11:00:00Z")));
}

#[test]
fn a_mistake_is_refused_with_its_place() {
    let refused = |written: Value| {
        RuleCondition::parse(&written, "/conditions/0", from_millis(0)).unwrap_err().to_string()
    };
    let told = refused(json!({ "key": "titel", "value": "x", "operator": "eq" }));
    assert_eq!(told, "/conditions/0/key: unknown field `titel`; did you mean `title`?");
    let told = refused(json!({ "k": "titel", "v": "x", "o": "regex" }));
    assert_eq!(told, "/conditions/0/k: unknown field `titel`; did you mean `title`?");
    let told = refused(json!({ "key": "title", "value": "x", "operator": "like" }));
    assert!(told.starts_with("/conditions/0/operator: unknown operator `like`"), "{told}");
    let told = refused(json!({ "key": "alert_id", "value": "x", "operator": "eq" }));
    assert!(told.starts_with("/conditions/0/key: `alert_id` is not known yet"), "{told}");
    let told = refused(json!({ "key": "title", "operator": "eq" }));
    assert!(told.starts_with("/conditions/0/value: a condition needs a value"), "{told}");
    let told = refused(json!({ "key": "severity", "value": "HIHG", "operator": "eq" }));
    assert!(told.starts_with("/conditions/0/value: `HIHG` is not one of"), "{told}");
    let told = refused(json!({ "key": "severity", "value": "WARNING", "operator": "gte" }));
    assert!(told.contains("words are not greater or less"), "{told}");
    let told = refused(json!({ "key": "title", "value": "(", "operator": "regex" }));
    assert!(told.starts_with("/conditions/0/value: no regular expression"), "{told}");
    assert!(refused(json!(5)).starts_with("/conditions/0: "));
    assert!(refused(json!({ "operator": "eq", "value": 5 })).starts_with("/conditions/0/k"));
}

#[test]
fn a_condition_that_can_no_longer_be_read_is_met_by_nothing_and_says_so() {
    let kept = RuleCondition::restored(&json!({ "key": "titel", "value": "x", "operator": "eq" }));
    assert!(!kept.is_met(&record(), from_millis(0)));
    assert!(kept.held_against(&record()).contains("it can no longer be read"));
    assert_eq!(kept.written(), json!({ "key": "titel", "value": "x", "operator": "eq" }));
}

#[test]
fn what_a_condition_is_held_against_is_told_and_cut_short() {
    let told = condition("title", "contain", json!("cpu")).held_against(&record());
    assert_eq!(told, "title contain \"cpu\": it is \"High CPU\"");
    let long = json!({ "title": "é".repeat(10_000), "resources": vec!["a"; 1000] });
    let told = condition("title", "eq", json!("x")).held_against(&long);
    assert!(told.ends_with('…') && told.chars().count() < 150, "{told}");
    let told = condition("resources", "eq", json!("x")).held_against(&long);
    assert!(told.ends_with('…') && told.chars().count() < 150, "{told}");
    let told = condition("description", "eq", json!("x")).held_against(&record());
    assert!(told.ends_with("it is not there"), "{told}");
}
