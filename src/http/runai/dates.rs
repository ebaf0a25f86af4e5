//! Dates as callers of the audit log write them: `2022-1-1`, `2022-01-01T09:45:32`, and what the log itself writes.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};

use crate::clock::{Timestamp, to_millis};

/// What is said where a date is none.
pub(super) const EXPECTED: &str = "a date such as 2022-01-01 or a time such as 2022-01-01T09:45:32, in UTC unless an offset follows";

/// The moment that a text means; of a date alone its beginning. Neither months nor hours need a zero before them.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() || text.len() > 40 {
        return None;
    }
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4..=4)?;
    let (month, day) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 1..=2)?);
    if parts.next().is_some() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let Some(time) = time else { return Some(date.and_time(NaiveTime::MIN).and_utc()) };
    let at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    let local = date.and_time(of_day(clock)?);
    Some(to_millis(offset(zone)?.from_local_datetime(&local).single()?.with_timezone(&Utc)))
}

fn of_day(clock: &str) -> Option<NaiveTime> {
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 1..=2)?;
    let minute = number(parts.next()?, 1..=2)?;
    let (second, nanos) = match parts.next() {
        None => (0, 0),
        Some(second) => match second.split_once('.') {
            None => (number(second, 1..=2)?, 0),
            Some((second, part)) => {
                let digits = number(part, 1..=9)?;
                let finer = 9 - u32::try_from(part.len()).ok()?;
                (number(second, 1..=2)?, digits * 10_u32.pow(finer))
            }
        },
    };
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
}

fn offset(zone: &str) -> Option<FixedOffset> {
    let sign = match zone.bytes().next() {
        None | Some(b'Z' | b'z') if zone.len() < 2 => return FixedOffset::east_opt(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
}

/// A number of so many digits and nothing else.
fn number(digits: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = length.contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn dates_are_read_padded_or_not() {
        for (text, wanted) in [
            ("2022-1-1", "2022-01-01T00:00:00.000Z"),
            ("2022-01-01", "2022-01-01T00:00:00.000Z"),
            ("2022-12-31", "2022-12-31T00:00:00.000Z"),
            ("2022-1-1T9:5:3", "2022-01-01T09:05:03.000Z"),
            ("2022-07-07T09:45:32", "2022-07-07T09:45:32.000Z"),
            ("2022-07-07T09:45", "2022-07-07T09:45:00.000Z"),
            ("2022-07-07T09:45:32.069Z", "2022-07-07T09:45:32.069Z"),
            ("2022-07-07T09:45:32.1", "2022-07-07T09:45:32.100Z"),
            ("2022-07-07T09:45:32+02:00", "2022-07-07T07:45:32.000Z"),
            ("2022-07-07T09:45:32-11:30", "2022-07-07T21:15:32.000Z"),
        ] {
            assert_eq!(read(text).map(rfc3339).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2022",
            "2022-1",
            "22-1-1",
            "2022-13-1",
            "2022-2-30",
            "2022-1-1T",
            "2022-1-1T25:00:00",
            "2022-1-1T9",
            "2022-1-1-1",
            "2022-1-1T9:5:3:1",
            "yesterday",
            "１-1-1",
            "2022-001-1",
            "2022-1-1T9:5:3+25:00",
            "2022-1-1T9:5:3 02:00",
            "2022-1-1T9:5:3Zz",
            "now",
            "2022/1/1",
            "2022-1-1T9:5:3.1234567890",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9TtZz:.+ -]{0,30}|.{0,12}") {
            let _ = read(&text);
        }

        #[test]
        fn what_the_log_writes_reads_back(millis in 0_i64..253_402_300_799_999) {
            let time = crate::clock::from_millis(millis);
            prop_assert_eq!(read(&rfc3339(time)), Some(time));
        }
    }
}
