//! Spans and moments as people write them: `11m`, `1h30m`, `2026-03-29 02:30` in a time zone.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::clock::{Timestamp, to_millis};

/// The longest span of a step, in days: who waits longer has mistyped.
const LONGEST: i64 = 3660;

/// A span such as `90s`, `11m`, `1h30m` or `2d`; why not, where it is none.
pub(super) fn span(text: &str) -> Result<TimeDelta, String> {
    let expected = || {
        format!("`{text}` is no span of time; expected one such as `90s`, `11m`, `1h30m` or `2d`")
    };
    let mut rest = text.trim();
    let mut millis = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(expected)?;
        let number: i64 = rest[..digits].parse().map_err(|_| expected())?;
        rest = &rest[digits..];
        let letters = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match rest[..letters].trim() {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(expected()),
        };
        millis = number
            .checked_mul(unit)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(expected)?;
        rest = rest[letters..].trim_start();
    }
    if text.trim().is_empty() {
        return Err(expected());
    }
    bounded(millis).ok_or_else(|| format!("`{text}` is longer than {LONGEST} days"))
}

/// So many milliseconds, if a step may be that long.
pub(super) fn bounded(millis: i64) -> Option<TimeDelta> {
    TimeDelta::try_milliseconds(millis).filter(|span| *span <= TimeDelta::days(LONGEST))
}

/// A moment with an offset (RFC 3339), or a date and a time of day in `zone`; why not, where it is none. A time of day
/// that a clock that was put back shows twice is the first of the two.
pub(super) fn moment(text: &str, zone: Tz) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(to_millis(moment.to_utc()));
    }
    let plain =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let Some(local) =
        plain.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    else {
        return Err(format!(
            "`{text}` is no moment; expected one such as `2026-03-29T02:30:00Z`, or `2026-03-29 02:30` in the file's `time_zone`"
        ));
    };
    match zone.from_local_datetime(&local).earliest() {
        Some(moment) => Ok(to_millis(moment.to_utc())),
        None => Err(format!(
            "the clocks of {zone} skip `{text}`; say the moment with an offset, such as `Z`"
        )),
    }
}

/// A span as people read it: `+1d 02:03:04`, with what is below a second where there is any.
pub(super) fn shown(span: TimeDelta) -> String {
    let (millis, mut text) = (span.num_milliseconds(), String::from("+"));
    let (seconds, below) = (millis / 1000, millis % 1000);
    let days = seconds / 86_400;
    if days > 0 {
        let _ = write!(text, "{days}d ");
    }
    let _ = write!(text, "{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    if below > 0 {
        let _ = write!(text, ".{below:03}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn spans_are_written_as_people_write_them() {
        let cases = [
            ("11m", 660_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("2d", 172_800_000),
            ("250ms", 250),
            ("90s", 90_000),
        ];
        for (text, millis) in cases {
            assert_eq!(span(text).unwrap().num_milliseconds(), millis, "{text}");
        }
        for text in
            ["", "11", "m", "-5m", "1y", "5 minutes", "99999999999999999999s", "99999d", "1.5h"]
        {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_without_an_offset_is_of_the_zone() {
        let berlin = chrono_tz::Europe::Berlin;
        let at = |text: &str| moment(text, berlin).map(rfc3339);
        assert_eq!(at("2026-03-29 01:59").unwrap(), "2026-03-29T00:59:00.000Z");
        assert_eq!(at("2026-03-29T03:00:00").unwrap(), "2026-03-29T01:00:00.000Z");
        assert!(at("2026-03-29 02:30").unwrap_err().contains("skip"));
        assert_eq!(at("2026-10-25 02:30").unwrap(), "2026-10-25T00:30:00.000Z");
        assert_eq!(at("2026-10-25T02:30:00+01:00").unwrap(), "2026-10-25T01:30:00.000Z");
        assert!(at("tomorrow").is_err());
    }

    #[test]
    fn a_span_is_shown_to_the_second() {
        assert_eq!(shown(TimeDelta::seconds(660)), "+00:11:00");
        assert_eq!(shown(TimeDelta::milliseconds(93_784_005)), "+1d 02:03:04.005");
    }
}
