//! Times as senders write them: RFC 3339 and its many near misses, RFC 2822, and numbers since 1970.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
    format::{Item, StrftimeItems},
};
use chrono_tz::Tz;
use serde_json::Value;

use crate::clock::{Timestamp, from_millis, to_millis};

/// The time that a value stands for, whatever its spelling; a time without a zone is in `zone`. `None` for what cannot
/// be read, and for the zero times by which senders say "not yet": `0001-01-01T00:00:00Z`, `0`, 1970 itself.
pub fn auto(value: &Value, zone: Tz) -> Option<Timestamp> {
    let time = match value {
        Value::Number(number) => epoch_of(&number.to_string()),
        Value::String(text) => read(text.trim(), zone),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }?;
    believable(time)
}

/// The time that a text stands for in a `strftime` format; where the format has no zone, it is in `zone`. A format that
/// says `UTC`, `GMT` or `Z` says the zone.
pub fn formatted(text: &str, format: &str, zone: Tz) -> Option<Timestamp> {
    let zone = if names_utc(format) { Tz::UTC } else { zone };
    let text = text.trim();
    let time = match DateTime::parse_from_str(text, format) {
        Ok(time) => Some(time.with_timezone(&Utc)),
        Err(_) => match NaiveDateTime::parse_from_str(text, format) {
            Ok(local) => in_zone(local, zone),
            Err(_) => in_zone(
                NaiveDate::parse_from_str(text, format).ok()?.and_time(NaiveTime::MIN),
                zone,
            ),
        },
    }?;
    believable(time)
}

fn names_utc(format: &str) -> bool {
    let ends_in_z = format.ends_with('Z') && !format.ends_with("%Z");
    ends_in_z
        || format
            .split(|letter: char| !letter.is_alphanumeric())
            .any(|word| matches!(word, "UTC" | "GMT"))
}

/// What is wrong with a `strftime` format; `None` where it can be read by.
pub fn format_fault(format: &str) -> Option<&'static str> {
    if !format.contains('%') {
        return Some("parts of a time begin with `%`, as in `%Y-%m-%d %H:%M:%S`");
    }
    let is_known = StrftimeItems::new(format).all(|item| !matches!(item, Item::Error));
    (!is_known)
        .then_some("a letter after `%` is none of strftime's, such as `%Y %m %d %H %M %S %z`")
}

/// The time in whole milliseconds, unless it is a zero time or beyond what RFC 3339 can write.
fn believable(time: Timestamp) -> Option<Timestamp> {
    let last = 253_402_300_799_999;
    let millis = time.timestamp_millis();
    (millis > 0 && millis <= last).then(|| to_millis(time))
}

fn read(text: &str, zone: Tz) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() > 64 {
        return None;
    }
    if matches!(bytes.get(4), Some(b'-' | b'/' | b'.')) && bytes[..4].iter().all(u8::is_ascii_digit)
    {
        if let Some(time) = date_first(text, zone) {
            return Some(time);
        }
        return epoch_of(text);
    }
    if let Some((clock, date)) = text.split_once(" on ") {
        return date_first(&format!("{date} {clock}"), zone);
    }
    if let Some(time) = epoch_of(text) {
        return Some(time);
    }
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.with_timezone(&Utc))
}

/// What begins with `YYYY-MM-DD`, with `/` or `.` as well; then a time of day, a fraction, a zone, each if it likes.
fn date_first(text: &str, zone: Tz) -> Option<Timestamp> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    let mark = rest.one_of(b"-/.")?;
    let month = rest.number(2)?;
    rest.one_of(&[mark])?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, rest.number(2)?)?;
    if rest.0.is_empty() {
        return in_zone(date.and_time(NaiveTime::MIN), zone);
    }
    rest.one_of(b"Tt ")?;
    let hour = rest.number(2)?;
    rest.one_of(b":")?;
    let minute = rest.number(2)?;
    let mut nanos = 0;
    let mut second = 0;
    if rest.one_of(b":").is_some() {
        second = rest.number(2)?.min(59);
        if rest.one_of(b".,").is_some() {
            nanos = rest.fraction()?;
        }
    }
    let local = date.and_time(NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?);
    let _ = rest.one_of(b" ");
    match rest.zone()? {
        Zone::Unsaid => in_zone(local, zone),
        Zone::Offset(offset) => {
            Some(offset.from_local_datetime(&local).single()?.with_timezone(&Utc))
        }
    }
}

/// What is left of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// The next byte, if it is one of these.
    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        let mut number = 0;
        for byte in head {
            number = number * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        self.0 = rest;
        Some(number)
    }

    /// The digits after the point, in nanoseconds; what is finer is dropped.
    fn fraction(&mut self) -> Option<u32> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let mut nanos = 0;
        for at in 0..9 {
            nanos = nanos * 10 + digits.get(at).map_or(0, |digit| u32::from(digit - b'0'));
        }
        (length > 0).then_some(nanos)
    }

    /// The zone that the text ends with; `None` where it names one that nobody knows.
    fn zone(&mut self) -> Option<Zone> {
        if self.0.is_empty() {
            return Some(Zone::Unsaid);
        }
        if [&b"Z"[..], b"z", b"UTC", b"GMT"].contains(&self.0) {
            return FixedOffset::east_opt(0).map(Zone::Offset);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = i32::try_from(self.number(2)?).ok()?;
        let _ = self.one_of(b":.");
        let has_minutes = self.0.first().is_some_and(u8::is_ascii_digit);
        let minutes = if has_minutes { i32::try_from(self.number(2)?).ok()? } else { 0 };
        // Go prints the zone a second time: `+0000 UTC`, `+0200 CEST`, and sometimes its monotonic clock.
        if !self.0.is_empty() {
            self.one_of(b" ")?;
        }
        FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)).map(Zone::Offset)
    }
}

/// The zone of a time, as a text says it.
enum Zone {
    /// It names none.
    Unsaid,
    /// So far from UTC.
    Offset(FixedOffset),
}

/// A local time as a point in time: the earlier of two, and an hour later where the clocks skip it.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let skipped = || zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest();
    let time = zone.from_local_datetime(&local).earliest().or_else(skipped)?;
    Some(time.with_timezone(&Utc))
}

/// A number since 1970 by its size: seconds below 1e11, milliseconds below 1e14, microseconds below 1e17, then
/// nanoseconds. Seconds may have a fraction.
fn epoch_of(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+'))
    {
        return None;
    }
    if let Ok(number) = text.parse::<u64>() {
        let millis = match number {
            0..100_000_000_000 => number * 1000,
            100_000_000_000..100_000_000_000_000 => number,
            100_000_000_000_000..100_000_000_000_000_000 => number / 1000,
            _ => number / 1_000_000,
        };
        return i64::try_from(millis).ok().map(from_millis);
    }
    let number: f64 = text.parse().ok()?;
    let millis = match number {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n if n < 2e19 => n / 1e6,
        _ => return None,
    };
    // A fraction of a second in binary is a little off: 1700000000.123 must give .123.
    let whole = ((millis * 1e3).round() / 1e3).floor();
    format!("{whole:.0}").parse().ok().map(from_millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn times_are_read_whatever_their_spelling() {
        let cases = [
            (json!("2023-03-24T17:28:40Z"), "2023-03-24T17:28:40.000Z"),
            (json!("2023-03-24T17:28:40.123456789Z"), "2023-03-24T17:28:40.123Z"),
            (json!("2023-03-24 17:28:40.5+02:00"), "2023-03-24T15:28:40.500Z"),
            (json!("2023-03-24T17:28:40.000+0000"), "2023-03-24T17:28:40.000Z"),
            (json!("2023-03-24T17:28:40+01.00"), "2023-03-24T16:28:40.000Z"),
            (json!("2023-03-24T17:28:40-07"), "2023-03-25T00:28:40.000Z"),
            (json!("2023-03-24 17:28:40 UTC"), "2023-03-24T17:28:40.000Z"),
            (json!("2023-03-24T17:28:40.1234567Z"), "2023-03-24T17:28:40.123Z"),
            (json!("2023-03-24T17:28:40.123456"), "2023-03-24T08:28:40.123Z"),
            (json!("2023-03-24T17:28:40+0900"), "2023-03-24T08:28:40.000Z"),
            (json!("2023-03-24 17:28:40 +0000 UTC"), "2023-03-24T17:28:40.000Z"),
            (json!("2023-03-24 17:28:40.5 +0200 CEST"), "2023-03-24T15:28:40.500Z"),
            (json!("2023-03-24 17:28:40.12 +0000 UTC"), "2023-03-24T17:28:40.120Z"),
            (json!("2023-03-24T17:28"), "2023-03-24T08:28:00.000Z"),
            (json!("2023-03-24 17:28:40,250"), "2023-03-24T08:28:40.250Z"),
            (json!("2023.03.24 17:28:40"), "2023-03-24T08:28:40.000Z"),
            (json!("2023/03/24 17:28:40"), "2023-03-24T08:28:40.000Z"),
            (json!("17:28:40 on 2023.03.24"), "2023-03-24T08:28:40.000Z"),
            (json!("2023-03-24"), "2023-03-23T15:00:00.000Z"),
            (json!("Wed, 6 Apr 2022 06:00:53 GMT"), "2022-04-06T06:00:53.000Z"),
            (json!("Wed, 06 Apr 2022 06:00:53 +0100"), "2022-04-06T05:00:53.000Z"),
            (json!(1_700_000_000), "2023-11-14T22:13:20.000Z"),
            (json!("1700000000"), "2023-11-14T22:13:20.000Z"),
            (json!(1_700_000_000_123_u64), "2023-11-14T22:13:20.123Z"),
            (json!(1_700_000_000_123_456_u64), "2023-11-14T22:13:20.123Z"),
            (json!(1_700_000_000_123_456_789_u64), "2023-11-14T22:13:20.123Z"),
            (json!(1_700_000_000.123), "2023-11-14T22:13:20.123Z"),
            (json!("1700000000.5"), "2023-11-14T22:13:20.500Z"),
            (json!(1.7e12), "2023-11-14T22:13:20.000Z"),
        ];
        for (value, expected) in cases {
            let read = auto(&value, Tz::Asia__Seoul).map(rfc3339);
            assert_eq!(read.as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn zero_times_and_nonsense_are_no_times() {
        let cases = [
            json!("0001-01-01T00:00:00Z"),
            json!(0),
            json!("1970-01-01T00:00:00Z"),
            json!(-5),
            json!(1e300),
            json!(u64::MAX),
            json!("yesterday"),
            json!("2023-13-24T17:28:40Z"),
            // Names of zones mean different ones to different people, so these fall back.
            json!("2023-03-24 17:28:40 AEDT"),
            json!("2023-03-24 17:28:40 PST"),
            json!("2023-03-24 17:28:40 BST"),
            json!("Mar 24 2023 17:28:40 PST"),
            json!("2023-03-24T17"),
            json!("{EVENT.DATE} {EVENT.TIME}"),
            json!(""),
            json!(null),
            json!([1]),
            json!("99999999999999999999999999"),
        ];
        for value in cases {
            let read = auto(&value, Tz::UTC).map(rfc3339);
            let beyond = value == json!(u64::MAX);
            assert!(read.is_none() || beyond, "{value}: {read:?}");
        }
    }

    #[test]
    fn a_sign_where_a_digit_should_be_is_no_time() {
        for text in ["2026-0!-01", "2026-+1-01", "2026-01-01T00:00:0 ", "2026-01-01T00:00:00+!0:00"]
        {
            assert_eq!(auto(&json!(text), Tz::UTC), None, "{text}");
        }
    }

    #[test]
    fn a_format_reads_what_it_says() {
        let format = "%a %b %d %H:%M:%S UTC %Y";
        let read = formatted("Fri Mar 24 17:28:40 UTC 2023", format, Tz::Asia__Seoul).map(rfc3339);
        assert_eq!(read.as_deref(), Some("2023-03-24T17:28:40.000Z"));
        assert_eq!(
            formatted("24.03.2023", "%d.%m.%Y", Tz::UTC).map(rfc3339).as_deref(),
            Some("2023-03-24T00:00:00.000Z")
        );
    }

    #[test]
    fn a_skipped_hour_is_read_as_the_next() {
        let read = auto(&json!("2023-03-26 02:30:00"), Tz::Europe__Berlin).map(rfc3339);
        assert_eq!(read.as_deref(), Some("2023-03-26T01:30:00.000Z"));
    }
}
