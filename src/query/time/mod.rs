//! Times as people write them in a condition.

mod diff;
mod iso;
mod lenient;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

pub(super) use self::{diff::diff, iso::iso, lenient::lenient};
use crate::clock::{Timestamp, to_millis};

/// The instant, in whole milliseconds; `None` beyond the years that are written in four digits.
fn within_bounds(moment: NaiveDateTime, east: TimeDelta) -> Option<Timestamp> {
    let moment = moment.checked_sub_signed(east)?;
    (0..=9999).contains(&moment.year()).then(|| to_millis(moment.and_utc()))
}

/// The instant at which this day begins.
fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

/// So many hours and minutes east of UTC; `None` for what no place on earth has.
fn offset(sign: u8, hours: u32, minutes: u32) -> Option<TimeDelta> {
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = TimeDelta::minutes(i64::from(hours * 60 + minutes));
    Some(if sign == b'-' { -east } else { east })
}

/// A number of nothing but digits.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The digits after the point as nanoseconds; what is finer is dropped.
fn fraction(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')))
}
