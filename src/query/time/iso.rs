//! Times in the forms of ISO 8601, and nothing else.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::{digits, fraction, midnight, offset, within_bounds};
use crate::clock::Timestamp;

/// The instant that `text` names: a date (`2024`, `2024-05`, `2024-05-15`, `20240515`, `2024-W20`, `2024-W20-3`,
/// `2024-136`), and after any one character a time of day (`12`, `12:30`, `12:30:00.5`, `123000`) and an offset (`Z`,
/// `+09:00`, `+0900`, `+09`). What is left out is the least; without an offset it is UTC. `None` where it names none.
pub(in crate::query) fn iso(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = date(text)?;
    let Some(rest) = rest.get(1..) else {
        return rest.is_empty().then(|| within_bounds(midnight(date), TimeDelta::zero()))?;
    };
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    within_bounds(moment(date, time)?, east(zone)?)
}

/// The date that the text begins with, and what follows it. The longest form is meant.
fn date(text: &str) -> Option<(NaiveDate, &str)> {
    let year = i32::try_from(digits(text.get(..4)?)?).ok()?;
    let rest = &text[4..];
    let dashed = rest.strip_prefix('-');
    let inner = dashed.unwrap_or(rest);
    if let Some(week) = inner.strip_prefix('W') {
        return week_date(year, week, dashed.is_some());
    }
    let of_year = |digits_of_day: &str| NaiveDate::from_yo_opt(year, digits(digits_of_day)?);
    let month_and_day =
        |month: &str, day: &str| NaiveDate::from_ymd_opt(year, digits(month)?, digits(day)?);
    match (dashed.is_some(), leading_digits(inner)) {
        (true, 2) => match inner.get(2..3) {
            Some("-") if leading_digits(&inner[3..]) >= 2 => {
                Some((month_and_day(&inner[..2], &inner[3..5])?, &inner[5..]))
            }
            None => Some((month_and_day(&inner[..2], "1")?, "")),
            Some(_) => Some((month_and_day(&inner[..2], "1")?, &inner[2..])),
        },
        (false, 4..) => Some((month_and_day(&inner[..2], &inner[2..4])?, &inner[4..])),
        (_, 3) => Some((of_year(&inner[..3])?, &inner[3..])),
        (false, 0) => Some((month_and_day("1", "1")?, rest)),
        _ => None,
    }
}

/// A date by its week: `20`, `20-3`, `203`.
fn week_date(year: i32, week: &str, is_dashed: bool) -> Option<(NaiveDate, &str)> {
    let number = digits(week.get(..2)?)?;
    let rest = &week[2..];
    let day = if is_dashed { rest.strip_prefix('-') } else { Some(rest) };
    let day = day.filter(|day| leading_digits(day) >= 1);
    let (day, rest) = match day {
        Some(day) => (digits(&day[..1])?, &day[1..]),
        None => (1, rest),
    };
    let day = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
    Some((NaiveDate::from_isoywd_opt(year, number, day)?, rest))
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The moment of this day that a time of day names; 24:00 is the beginning of the next day.
fn moment(date: NaiveDate, time: &str) -> Option<NaiveDateTime> {
    let (whole, nanos) = match time.split_once(['.', ',']) {
        Some((whole, part)) => (whole, Some(fraction(part)?)),
        None => (time, None),
    };
    let parts: Vec<&str> = if whole.contains(':') {
        whole.split(':').collect()
    } else {
        (0..whole.len()).step_by(2).map(|at| whole.get(at..at + 2)).collect::<Option<_>>()?
    };
    if !matches!(parts.len(), 1..=3) || parts.iter().any(|part| part.len() != 2) {
        return None;
    }
    if nanos.is_some() && parts.len() != 3 {
        return None;
    }
    let part = |at: usize| parts.get(at).map_or(Some(0), |part| digits(part));
    let (hour, minute, second, nanos) = (part(0)?, part(1)?, part(2)?, nanos.unwrap_or(0));
    if (hour, minute, second, nanos) == (24, 0, 0, 0) {
        return Some(midnight(date.succ_opt()?));
    }
    Some(date.and_time(NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?))
}

fn east(zone: &str) -> Option<TimeDelta> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(TimeDelta::zero());
    }
    let sign = zone.bytes().next().filter(|sign| matches!(sign, b'+' | b'-'))?;
    let rest = &zone[1..];
    match rest.len() {
        2 => offset(sign, digits(rest)?, 0),
        4 => offset(sign, digits(&rest[..2])?, digits(&rest[2..])?),
        5 if &rest[2..3] == ":" => offset(sign, digits(&rest[..2])?, digits(&rest[3..])?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn times_are_read_in_the_forms_of_the_standard() {
        for (text, expected) in [
            ("2024", "2024-01-01T00:00:00.000Z"),
            ("2024-05", "2024-05-01T00:00:00.000Z"),
            ("2024-05-15", "2024-05-15T00:00:00.000Z"),
            ("20240515", "2024-05-15T00:00:00.000Z"),
            ("2024-W20", "2024-05-13T00:00:00.000Z"),
            ("2024W20", "2024-05-13T00:00:00.000Z"),
            ("2024-W20-3", "2024-05-15T00:00:00.000Z"),
            ("2024W203", "2024-05-15T00:00:00.000Z"),
            ("2024-136", "2024-05-15T00:00:00.000Z"),
            ("2024136", "2024-05-15T00:00:00.000Z"),
            ("2024-05-15T12", "2024-05-15T12:00:00.000Z"),
            ("2024-05-15 12:30", "2024-05-15T12:30:00.000Z"),
            ("2024-05-15_1230", "2024-05-15T12:30:00.000Z"),
            ("20240515T123045.5Z", "2024-05-15T12:30:45.500Z"),
            ("2024-05-15T12:30:45,123456789", "2024-05-15T12:30:45.123Z"),
            ("2024-05-15T21:00:00+09:00", "2024-05-15T12:00:00.000Z"),
            ("2024-05-15T21:00:00+0900", "2024-05-15T12:00:00.000Z"),
            ("2024-05-15T03:00:00-09", "2024-05-15T12:00:00.000Z"),
            ("2024-05-14T24:00", "2024-05-15T00:00:00.000Z"),
            ("2024-05T12:30", "2024-05-01T12:30:00.000Z"),
        ] {
            assert_eq!(iso(text).map(rfc3339).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_in_no_form_of_the_standard_is_no_time() {
        for text in [
            "",
            "24",
            "202405",
            "2024-5-15",
            "2024-13-01",
            "2024-05-32",
            "2024-366x",
            "15 May 2024",
            "2024-05-15T",
            "2024-05-15T25:00",
            "2024-05-15T12:60",
            "2024-05-15T12:30.5",
            "2024-05-15T1:30",
            "2024-05-15T12:30:00+25:00",
            "2024-05-15T12:30:00+1",
            "2024-W54",
            "2024-W20-8",
            "2024-05-15T12:30:00 Z",
            " 2024",
            "2024-05-15T１２:00",
            "now",
            "2023-366",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9WTZ:.,+ -]{0,24}|.{0,12}") {
            let _ = iso(&text);
        }

        #[test]
        fn what_the_api_writes_reads_back(millis in 0_i64..253_402_300_799_999) {
            let time = crate::clock::from_millis(millis);
            prop_assert_eq!(iso(&rfc3339(time)), Some(time));
        }
    }
}
