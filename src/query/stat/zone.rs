//! Time zones, and the times that rows hold.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde_json::Value;

use super::coarse::Grain;
use crate::{
    clock::{Timestamp, from_millis, to_millis},
    query::{QueryError, parse::Members},
};

/// The zone that a `time_zone` names; UTC where there is none.
pub(super) fn zone(members: &Members<'_>) -> Result<Tz, QueryError> {
    let Some(name) = members.text("time_zone")? else { return Ok(Tz::UTC) };
    name.parse().map_err(|_| {
        let detail = format!("`{name}` is no time zone of the IANA list, such as Europe/Berlin");
        members.mistake("time_zone", detail)
    })
}

/// The time that a value of a row is, if it is one.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    if let Some(time) = plain(text.as_bytes()) {
        return Some(time);
    }
    // The shortest has a date, a time of day and a zone.
    let is_likely = text.len() >= 20 && text.as_bytes()[0].is_ascii_digit();
    is_likely
        .then(|| DateTime::parse_from_rfc3339(text).ok())
        .flatten()
        .map(|t| to_millis(t.to_utc()))
}

/// Reads the form in which views write times, `2026-01-02T03:04:05.678Z`, quickly.
fn plain(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let marks = [text[4], text[7], text[10], text[13], text[16], text[19], text[23]];
    if &marks != b"--T::.Z" {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_i64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    if day > 28
        && chrono::NaiveDate::from_ymd_opt(
            year.try_into().ok()?,
            month.try_into().ok()?,
            day.try_into().ok()?,
        )
        .is_none()
    {
        return None;
    }
    // Days since 1970 in a calendar whose years begin in March, so that the leap day is the last.
    let of_march = if month > 2 { month - 3 } else { month + 9 };
    let year = if month > 2 { year } else { year - 1 };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leaps + (of_march * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(from_millis(seconds * 1_000 + number(20, 23)?))
}

/// How far from UTC a zone is at a time.
pub(super) fn east(zone: Tz, time: Timestamp) -> TimeDelta {
    if zone == Tz::UTC {
        return TimeDelta::zero();
    }
    let seconds = zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc();
    TimeDelta::seconds(seconds.into())
}

/// The instant of a local time: the earlier of two, and where the clocks skip it, when they do.
pub(super) fn instant(zone: Tz, local: NaiveDateTime) -> Timestamp {
    if zone == Tz::UTC {
        return local.and_utc();
    }
    // No zone skips more than a day, and those that do, do so in quarters of an hour.
    let later = (0..=96).filter_map(|quarters| {
        let local = local.checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        zone.from_local_datetime(&local).earliest()
    });
    later.map(|time| time.to_utc()).next().unwrap_or_else(|| local.and_utc())
}

/// The widest step at whose ends alone the clocks of a zone change, and to whose multiples they are set; `None` if it is
/// less than a quarter of an hour.
pub(super) fn grain(zone: Tz) -> Option<Grain> {
    if zone == Tz::UTC {
        return Some(Grain::Day);
    }
    // From 1970 to 2037 by months: no zone changes its clocks for less than one.
    let offsets = (0..820).map(|month| {
        let time = from_millis(month * 30 * 86_400_000);
        east(zone, time).num_seconds()
    });
    offsets.fold(Some(Grain::Hour), |grain, offset| match (grain, offset) {
        (Some(Grain::Hour), offset) if offset % 3_600 == 0 => Some(Grain::Hour),
        (Some(_), offset) if offset % 900 == 0 => Some(Grain::Quarter),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::clock::rfc3339;

    proptest! {
        #[test]
        fn times_are_read_quickly_and_rightly(millis in 0_i64..253_402_300_799_999) {
            let time = from_millis(millis);
            prop_assert_eq!(plain(rfc3339(time).as_bytes()), Some(time));
        }

        #[test]
        fn what_is_no_time_is_none(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9].[0-9]{3}Z") {
            let slow = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
            prop_assert_eq!(time(&json!(text)), slow);
        }
    }

    #[test]
    fn a_zone_has_the_grain_of_its_clocks() {
        assert_eq!(grain(Tz::UTC), Some(Grain::Day));
        assert_eq!(grain(Tz::Europe__Berlin), Some(Grain::Hour));
        assert_eq!(grain(Tz::Asia__Kolkata), Some(Grain::Quarter));
        assert_eq!(grain(Tz::Asia__Kathmandu), Some(Grain::Quarter));
    }
}
