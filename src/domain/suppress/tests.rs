//! What mutes an alert, for how long, what is too broad, and what is written down of it.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        calendar::{Calendar, Span},
        scope::Reach,
    },
};

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn area() -> Area {
    Area { domain_id: "d".into(), workspace_id: "w".into(), projects: Reach::one("p".into()) }
}

fn filter(conditions: Value) -> AlertFilter {
    let Value::Array(conditions) = conditions else { panic!("a list") };
    AlertFilter::read(conditions, "/filter", now()).unwrap()
}

fn silence(conditions: Value, hours: (i64, i64)) -> Silence {
    let at = |hours| now() + TimeDelta::hours(hours);
    Silence {
        silence_id: "silence-1".into(),
        reason: "disk swap".to_owned(),
        area: area(),
        filter: filter(conditions),
        span: Span { start: at(hours.0), end: at(hours.1) },
        owner: "ann".to_owned(),
        created_by: "token:token-1".to_owned(),
        created_at: now(),
        updated_at: now(),
        ended_at: None,
    }
}

fn window(hours: (i64, i64), rrule: Option<&str>) -> MaintenanceWindow {
    let at = |hours| now() + TimeDelta::hours(hours);
    let first = Span { start: at(hours.0), end: at(hours.1) };
    MaintenanceWindow {
        maintenance_window_id: "mw-1".into(),
        title: "upgrade".to_owned(),
        area: area(),
        filter: AlertFilter::default(),
        calendar: Calendar::new(chrono_tz::UTC, first, rrule).unwrap(),
        tags: std::collections::BTreeMap::new(),
        created_by: "token:ann".to_owned(),
        created_at: now(),
        updated_at: now(),
        closed_at: None,
    }
}

fn inhibition() -> Inhibition {
    Inhibition {
        inhibition_id: "inhibition-1".into(),
        name: "host down".to_owned(),
        area: area(),
        source: filter(json!([{ "k": "rule", "v": "HostDown", "o": "eq" }])),
        target: filter(json!([{ "k": "severity", "v": "WARNING", "o": "eq" }])),
        equal: EqualField::list(&["additional_info.host".to_owned()], "/equal").unwrap(),
        created_by: "token:ann".to_owned(),
        created_at: now(),
        updated_at: now(),
        closed_at: None,
    }
}

#[test]
fn a_silence_mutes_what_its_filter_means_while_it_lasts_and_says_why_not_else() {
    let disk = json!([{ "k": "rule", "v": "DiskFull", "o": "eq" }]);
    let record = json!({ "rule": "DiskFull", "severity": "CRITICAL" });
    let of = |silence: &Silence, record: &Value| silence.considers(record, now());
    let muting = of(&silence(disk.clone(), (-1, 1)), &record);
    let until = Some(now() + TimeDelta::hours(1));
    assert_eq!(muting.verdict, Verdict::Mutes { until, by_alert: None });
    assert_eq!(
        MuteStep::Considered(muting).sentence(),
        "silence `disk swap` (silence-1) mutes it: `rule eq \"DiskFull\"` until 2026-06-01T13:00:00.000Z, by ann"
    );
    let other = of(&silence(disk.clone(), (-1, 1)), &json!({ "rule": "CpuHot" }));
    assert_eq!(other.verdict, Verdict::Passes);
    assert_eq!(other.because, "`rule eq \"DiskFull\"` does not hold: it is \"CpuHot\"");
    let later = of(&silence(disk.clone(), (1, 2)), &record);
    assert_eq!(later.because, "it begins at 2026-06-01T13:00:00.000Z");
    let over = of(&silence(disk, (-2, 0)), &record);
    assert_eq!((over.verdict, over.because.as_str()), (Verdict::Passes, "it is over"));
}

#[test]
fn what_names_nothing_in_particular_or_lasts_for_ever_is_too_broad() {
    let broad = [
        json!([]),
        json!([{ "k": "severity", "v": "WARNING", "o": "eq" }]),
        json!([{ "k": "project_id", "v": "p", "o": "eq" }]),
        json!([{ "k": "title", "v": "a", "o": "contain" }]),
        json!([{ "k": "rule", "v": null, "o": "eq" }]),
        json!([{ "k": "rule", "v": [], "o": "in" }]),
        json!([{ "k": "additional_info.host", "v": "x", "o": "not" }]),
    ];
    for conditions in broad {
        assert!(silence(conditions.clone(), (0, 1)).too_broad().is_some(), "{conditions}");
    }
    let host = json!([{ "k": "additional_info.host", "v": ["a", "b"], "o": "in" }]);
    assert_eq!(silence(host.clone(), (0, 24 * 31)).too_broad(), None);
    assert!(silence(host, (0, 24 * 32)).too_broad().unwrap().contains("at most 31"));
    assert_eq!(window((0, 24), Some("FREQ=WEEKLY")).too_broad(now()), None);
    assert!(window((0, 24), Some("FREQ=DAILY")).too_broad(now()).is_some(), "no gap between days");
    assert!(window((0, 24 * 40), None).too_broad(now()).is_some());
}

#[test]
fn of_several_that_mute_the_one_that_lasts_longest_is_named() {
    let considered = |by: &str, verdict| Considered {
        by: by.to_owned(),
        name: by.to_owned(),
        verdict,
        because: String::new(),
    };
    let until = |millis| Verdict::Mutes { until: Some(from_millis(millis)), by_alert: None };
    let all =
        [considered("a", Verdict::Passes), considered("b", until(20)), considered("c", until(30))];
    let mute = muted_by(&all, None, from_millis(5)).unwrap();
    assert_eq!(
        (mute.by.as_str(), mute.until, mute.since),
        ("c", Some(from_millis(30)), from_millis(5))
    );
    let again = muted_by(&all, Some(&mute), from_millis(9)).unwrap();
    assert_eq!(again.since, from_millis(5), "it is muted since it was first");
    let endless = considered("d", Verdict::Mutes { until: None, by_alert: None });
    let all = [all.as_slice(), &[endless]].concat();
    assert_eq!(muted_by(&all, None, from_millis(5)).unwrap().by, "d");
    assert_eq!(muted_by(&all[..1], None, from_millis(5)), None);
}

#[test]
fn a_window_turns_when_it_begins_and_once_it_is_over_for_good() {
    let hours = |hours| Some(now() + TimeDelta::hours(hours));
    let once = window((2, 3), None);
    assert_eq!(once.next_turn(now()), hours(2));
    assert_eq!(once.next_turn(now() + TimeDelta::hours(2)), hours(3));
    assert_eq!(once.next_turn(now() + TimeDelta::hours(3)), None);
    assert!(once.is_open(now()) && !once.is_open(now() + TimeDelta::hours(3)));
    let daily = window((2, 3), Some("FREQ=DAILY;COUNT=2"));
    assert_eq!(daily.next_turn(now() + TimeDelta::hours(2)), hours(26));
    assert_eq!(daily.next_turn(now() + TimeDelta::hours(26)), hours(27));
    let closed = MaintenanceWindow { closed_at: Some(now()), ..daily };
    assert_eq!(closed.next_turn(now()), None);
}

#[test]
fn alerts_are_equal_in_fields_that_both_have_and_absent_equals_nothing() {
    let inhibition = inhibition();
    let values = |host: Value| inhibition.values(&json!({ "additional_info": { "host": host } }));
    assert_eq!(values(json!("a")), values(json!("a")));
    assert_ne!(values(json!("a")), values(json!("b")));
    assert_eq!(values(json!(1)), values(json!(1.0)));
    assert_ne!(values(json!(1)), values(json!("1")));
    assert_eq!(values(json!(["a", "b"])), values(json!(["b", "a", "b"])));
    assert_eq!(values(json!(null)).unwrap_err().written, "additional_info.host");
    assert!(inhibition.values(&json!({})).is_err());
}

#[test]
fn an_alert_may_be_on_both_sides_of_an_inhibition() {
    let sides = |rule: &str, severity: &str| {
        let record =
            json!({ "rule": rule, "severity": severity, "additional_info": { "host": "a" } });
        let sides = inhibition().sides(&record);
        sides.into_iter().map(|(side, _)| side).collect::<Vec<_>>()
    };
    assert_eq!(sides("HostDown", "CRITICAL"), [Side::Source]);
    assert_eq!(sides("Slow", "WARNING"), [Side::Target]);
    assert_eq!(sides("HostDown", "WARNING"), [Side::Source, Side::Target]);
    assert_eq!(sides("Slow", "CRITICAL"), []);
}

#[test]
fn what_is_wrong_with_a_filter_is_said_where_it_stands() {
    let wrong = vec![json!({ "k": "sevrity", "v": "x", "o": "eq" })];
    let error = AlertFilter::read(wrong, "/source", now()).unwrap_err();
    assert_eq!(error.mistakes[0].pointer, "/source/0/k");
    let error = EqualField::list(&["title".to_owned(), "hots".to_owned()], "/equal").unwrap_err();
    assert_eq!(error.mistakes[0].pointer, "/equal/1");
    assert!(EqualField::list(&[], "/equal").is_err());
}

#[test]
fn of_many_that_do_not_mute_only_some_are_written_down() {
    let passing = |number: usize| Considered {
        by: format!("silence:{number}"),
        name: String::new(),
        verdict: Verdict::Passes,
        because: String::new(),
    };
    let steps = steps((0..100).map(passing).collect());
    assert_eq!(steps.len(), 41);
    assert_eq!(steps[40], MuteStep::Others { count: 60 });
}
