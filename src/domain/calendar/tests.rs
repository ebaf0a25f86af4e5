//! When windows come, held to what another library says, and to what the clock on the wall shows.

use std::sync::OnceLock;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A window and when it comes, as `tests/data/recurrences.py` had python-dateutil say it.
#[derive(Debug, Deserialize)]
struct Recurrence {
    zone: String,
    start: String,
    end: String,
    rrule: String,
    spans: Vec<String>,
}

fn at(text: &str) -> Timestamp {
    let text = text.replace('Z', ":00Z");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn recurrences() -> &'static [Recurrence] {
    static ALL: OnceLock<Vec<Recurrence>> = OnceLock::new();
    let text = include_str!("../../../tests/data/recurrences.json");
    ALL.get_or_init(|| serde_json::from_str(text).unwrap())
}

fn calendar(zone_name: &str, (start, end): (&str, &str), rrule: &str) -> Calendar {
    let first = Span { start: at(start), end: at(end) };
    Calendar::new(zone(zone_name).unwrap(), first, Some(rrule)).unwrap()
}

fn refused(rrule: &str) -> String {
    let first = Span { start: at("2026-01-01T00:00Z"), end: at("2026-01-01T01:00Z") };
    let error = Calendar::new(Tz::UTC, first, Some(rrule)).unwrap_err();
    assert_eq!(error.field, "rrule");
    error.detail
}

fn shown(spans: &[Span]) -> Vec<String> {
    let time = |time: Timestamp| time.format("%Y-%m-%dT%H:%MZ").to_string();
    spans.iter().map(|span| format!("{}/{}", time(span.start), time(span.end))).collect()
}

#[test]
fn windows_in_eight_zones_begin_and_end_when_another_library_says() {
    let all = recurrences();
    assert!(all.len() > 300);
    for Recurrence { zone, start, end, rrule, spans } in all {
        let found = calendar(zone, (start, end), rrule).occurrences(at(start), spans.len());
        assert_eq!(&shown(&found), spans, "{zone} {start} {rrule}");
    }
}

#[test]
fn a_rule_is_not_followed_from_its_beginning_to_be_known_years_later() {
    for Recurrence { zone, start, end, rrule, spans } in recurrences() {
        let calendar = calendar(zone, (start, end), rrule);
        let all = calendar.occurrences(at(start), spans.len());
        for (index, span) in all.iter().enumerate() {
            let found =
                calendar.between(span.start, span.start + TimeDelta::seconds(1), usize::MAX);
            assert!(found.contains(span), "{zone} {start} {rrule} {index}: {found:?} {span:?}");
        }
    }
}

proptest! {
    #[test]
    fn at_any_time_it_is_known_whether_a_window_is_open(which in 0_usize..1000, minutes in 0_i64..2_000_000) {
        let all = recurrences();
        let Recurrence { zone, start, end, rrule, spans } = &all[which % all.len()];
        let calendar = calendar(zone, (start, end), rrule);
        let known = calendar.occurrences(at(start), spans.len());
        let last = known[known.len() - 1].start;
        let time = at(start) + TimeDelta::minutes(minutes % (last - at(start)).num_minutes().max(1));
        let is_open = known.iter().any(|span| span.contains(time));
        prop_assert_eq!(calendar.at(time).is_some(), is_open, "{} {} {} {}", zone, start, rrule, time);
        let next = known.iter().map(|span| span.start).find(|start| *start > time);
        prop_assert_eq!(calendar.next_start(time), next);
        // Asked again, it answers from what it worked out.
        prop_assert_eq!(calendar.at(time).is_some(), is_open);
    }

    #[test]
    fn no_text_of_a_rule_makes_it_fail_or_take_long(text in "(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY);)?((BYMONTH|BYDAY|BYMONTHDAY|BYWEEKNO|BYSETPOS|BYHOUR|COUNT|INTERVAL|UNTIL)=[-0-9,MOTUSA]{1,6};){0,4}") {
        let first = Span { start: at("2026-01-01T00:00Z"), end: at("2026-01-01T01:00Z") };
        let _ = Calendar::new(Tz::UTC, first, Some(&text));
    }
}

#[test]
fn a_night_is_as_long_as_the_clock_makes_it() {
    let nights =
        calendar("Europe/Berlin", ("2026-03-27T21:00Z", "2026-03-28T05:00Z"), "FREQ=DAILY");
    assert_eq!(
        shown(&nights.occurrences(at("2026-03-28T12:00Z"), 2)),
        ["2026-03-28T21:00Z/2026-03-29T04:00Z", "2026-03-29T20:00Z/2026-03-30T04:00Z"]
    );
    assert_eq!(
        shown(&nights.occurrences(at("2026-10-24T12:00Z"), 2)),
        ["2026-10-24T20:00Z/2026-10-25T05:00Z", "2026-10-25T21:00Z/2026-10-26T05:00Z"]
    );
}

#[test]
fn an_hour_that_the_clock_skips_is_kept_at_its_length() {
    let skipped =
        calendar("America/New_York", ("2026-03-07T07:00Z", "2026-03-07T07:30Z"), "FREQ=DAILY");
    assert_eq!(
        shown(&skipped.occurrences(at("2026-03-08T00:00Z"), 1)),
        ["2026-03-08T07:00Z/2026-03-08T07:30Z"]
    );
}

#[test]
fn windows_that_follow_at_once_are_one_when_asked_about() {
    let twice =
        calendar("UTC", ("2026-01-05T10:00Z", "2026-01-05T12:00Z"), "FREQ=DAILY;BYHOUR=10,12,20");
    let run = twice.at(at("2026-01-06T11:00Z")).unwrap();
    assert_eq!(shown(&[run]), ["2026-01-06T10:00Z/2026-01-06T14:00Z"]);
    assert_eq!(
        twice.longest_run(at("2026-01-05T00:00Z"), at("2026-02-01T00:00Z")),
        TimeDelta::hours(4)
    );
    assert_eq!(twice.at(at("2026-01-06T14:00Z")), None);
}

#[test]
fn once_is_exactly_the_time_that_was_given() {
    let first = Span { start: at("2026-10-25T00:30Z"), end: at("2026-10-25T01:30Z") };
    let once = Calendar::new(zone("Europe/Berlin").unwrap(), first, None).unwrap();
    assert_eq!(once.at(first.start), Some(first));
    assert_eq!(once.at(first.end), None);
    assert_eq!(once.next_start(at("2026-10-01T00:00Z")), Some(first.start));
    assert_eq!(once.next_start(first.start), None);
    assert_eq!(once.occurrences(first.end, 5), []);
}

#[test]
fn what_it_would_have_done_can_be_asked_of_the_time_before_it() {
    let saturdays =
        calendar("UTC", ("2026-06-06T10:00Z", "2026-06-06T12:00Z"), "FREQ=WEEKLY;COUNT=2");
    assert_eq!(saturdays.occurrences(at("2026-01-01T00:00Z"), 9).len(), 2);
    assert_eq!(
        shown(&saturdays.always().occurrences(at("2026-05-20T00:00Z"), 1)),
        ["2026-05-23T10:00Z/2026-05-23T12:00Z"]
    );
}

#[test]
fn until_is_the_last_time_at_which_it_may_begin() {
    let of = |until: &str| {
        let rrule = format!("FREQ=DAILY;UNTIL={until}");
        let days = ("2026-01-01T23:00Z", "2026-01-01T23:30Z");
        calendar("Europe/Berlin", days, &rrule).occurrences(at("2026-01-01T00:00Z"), 99).len()
    };
    assert_eq!(of("20260104"), 3, "the first of them is on 2 January by the clock of Berlin");
    assert_eq!(of("20260104T000000"), 3);
    assert_eq!(of("20260103T230000Z"), 3);
    assert_eq!(of("20260103T225959Z"), 2);
}

#[test]
fn what_is_wrong_with_a_rule_is_said() {
    for (rrule, part) in [
        ("FREQ=HOURLY", "FREQ is DAILY"),
        ("FREQ=SECONDLY", "FREQ is DAILY"),
        ("INTERVAL=2", "FREQ is missing"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=65000", "INTERVAL is 1 to 1000"),
        ("FREQ=DAILY;COUNT=99999999", "COUNT is 1 to 10000"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "give one"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is 20261231"),
        ("FREQ=DAILY;BYDYA=MO", "did you mean `BYDAY`"),
        ("FREQ=DAILY;FREQ=WEEKLY", "twice"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY takes no numbers"),
        ("FREQ=DAILY;BYDAY=XX", "XX"),
        ("FREQ=MONTHLY;BYMONTHDAY=40", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "does not come within 10 years"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "does not come within 10 years"),
        ("FREQ=DAILY;UNTIL=20250101", "does not come"),
        ("DTSTART=20260101;FREQ=DAILY", "`start_time`"),
        ("every day", "without blanks"),
        (
            "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10",
            "at most 96 times a day",
        ),
        ("", "FREQ is missing"),
    ] {
        let detail = refused(rrule);
        assert!(detail.contains(part), "{rrule}: {detail}");
    }
}

#[test]
fn a_window_that_ends_before_it_begins_is_refused() {
    let first = Span { start: at("2026-01-02T00:00Z"), end: at("2026-01-01T00:00Z") };
    assert_eq!(Calendar::new(Tz::UTC, first, None).unwrap_err().field, "end_time");
    assert_eq!(zone("Mars/Olympus").unwrap_err().field, "time_zone");
}
