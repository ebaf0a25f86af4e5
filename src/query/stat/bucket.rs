//! Steps of time: quarters of an hour, hours, days, weeks, in whatever zone.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::{
    coarse::Grain,
    zone::{east, grain, instant},
};
use crate::clock::Timestamp;

/// A division of time into steps. Those of more than an hour begin by the clocks of the zone, so a day in which clocks
/// change is longer or shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    /// In seconds.
    step: i64,
    zone: Tz,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

impl Bucket {
    /// The division that a text such as `15m` names. Steps of less than a day must part it evenly.
    pub(super) fn read(text: &str, zone: Tz) -> Option<Self> {
        let unit = text.chars().last()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => HOUR,
            'd' => DAY,
            'w' => 7 * DAY,
            _ => return None,
        };
        let number = text.strip_suffix(unit)?;
        let is_number =
            (1..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        let number: i64 = is_number.then(|| number.parse().ok())??;
        let step = number * seconds;
        let parts_evenly = step > 0 && if step < DAY { DAY % step == 0 } else { step % DAY == 0 };
        (parts_evenly && step <= 3_660 * DAY).then_some(Self { step, zone })
    }

    /// The beginning of the step that a time lies in.
    pub(super) fn start(&self, time: Timestamp) -> Timestamp {
        let east_of_utc = east(self.zone, time);
        let local = time.naive_utc() + east_of_utc;
        if self.step > HOUR {
            return instant(self.zone, self.floor(local));
        }
        let start = (self.floor(local) - east_of_utc).and_utc();
        if self.zone == Tz::UTC {
            return start;
        }
        // A step in which the clocks change by less than its length begins when they do.
        let minutes = (0..60).map(|minutes| start + TimeDelta::minutes(minutes));
        minutes
            .take_while(|at| *at <= time)
            .find(|at| east(self.zone, *at) == east_of_utc)
            .unwrap_or(start)
    }

    /// The beginning of the step after the one that begins at `start`.
    pub(super) fn next(&self, start: Timestamp) -> Option<Timestamp> {
        let step = TimeDelta::try_seconds(self.step)?;
        if self.step <= HOUR {
            let next = start.checked_add_signed(step)?;
            // Where the clocks change, a step may end early.
            return Some(self.start(next).max(start + TimeDelta::seconds(1)));
        }
        let local = start.naive_utc() + east(self.zone, start);
        let next = instant(self.zone, self.floor(local).checked_add_signed(step)?);
        (next > start).then_some(next)
    }

    fn floor(&self, local: NaiveDateTime) -> NaiveDateTime {
        // Weeks begin on a Monday, as 5 January 1970 was.
        let is_weeks = self.step % (7 * DAY) == 0;
        let origin = if is_weeks { 4 * DAY } else { 0 };
        let seconds = local.and_utc().timestamp() - origin;
        let floor = origin + seconds - seconds.rem_euclid(self.step);
        let epoch = NaiveDate::default().and_time(chrono::NaiveTime::MIN);
        TimeDelta::try_seconds(floor)
            .and_then(|since| epoch.checked_add_signed(since))
            .unwrap_or(epoch)
    }

    /// The widest step of the store in which every time has the same [`start`](Self::start).
    pub(super) fn grain(&self) -> Option<Grain> {
        let of_step = if self.step % DAY == 0 {
            Grain::Day
        } else if self.step % HOUR == 0 {
            Grain::Hour
        } else if self.step % 900 == 0 {
            Grain::Quarter
        } else {
            return None;
        };
        Some(of_step.min(grain(self.zone)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{from_millis, rfc3339};

    fn starts(step: &str, zone: Tz, times: &[&str]) -> Vec<String> {
        let bucket = Bucket::read(step, zone).unwrap();
        times.iter().map(|time| rfc3339(bucket.start(time.parse().unwrap()))).collect()
    }

    #[test]
    fn steps_begin_where_they_should() {
        let time = ["2024-05-15T12:34:56.789Z"];
        for (step, start) in [
            ("15m", "2024-05-15T12:30:00.000Z"),
            ("1h", "2024-05-15T12:00:00.000Z"),
            ("6h", "2024-05-15T12:00:00.000Z"),
            ("1d", "2024-05-15T00:00:00.000Z"),
            ("1w", "2024-05-13T00:00:00.000Z"),
        ] {
            assert_eq!(starts(step, Tz::UTC, &time), [start], "{step}");
        }
        assert_eq!(starts("1d", Tz::Asia__Kolkata, &time), ["2024-05-14T18:30:00.000Z"]);
        assert_eq!(starts("1h", Tz::Asia__Kolkata, &time), ["2024-05-15T12:30:00.000Z"]);
    }

    #[test]
    fn days_are_those_of_the_calendar_where_clocks_change() {
        let autumn = ["2024-10-26T23:30:00Z", "2024-10-27T22:59:59Z", "2024-10-27T23:00:00Z"];
        let days = starts("1d", Tz::Europe__Berlin, &autumn);
        let long = "2024-10-26T22:00:00.000Z";
        assert_eq!(days, [long, long, "2024-10-27T23:00:00.000Z"]);
        let bucket = Bucket::read("1d", Tz::Europe__Berlin).unwrap();
        let next = bucket.next(long.parse().unwrap()).unwrap();
        assert_eq!(rfc3339(next), "2024-10-27T23:00:00.000Z");
        // The hour from two to three comes twice and is two steps.
        let twice = ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"];
        let hours = starts("1h", Tz::Europe__Berlin, &twice);
        assert_eq!(hours, ["2024-10-27T00:00:00.000Z", "2024-10-27T01:00:00.000Z"]);
        // In spring a quarter of the day is an hour short.
        let spring = ["2024-03-30T23:30:00Z", "2024-03-31T02:30:00Z", "2024-03-31T04:00:00Z"];
        let quarters = starts("6h", Tz::Europe__Berlin, &spring);
        let first = "2024-03-30T23:00:00.000Z";
        assert_eq!(quarters, [first, first, "2024-03-31T04:00:00.000Z"]);
    }

    #[test]
    fn what_does_not_part_a_day_is_no_step() {
        for step in ["", "m", "7m", "5h", "0m", "36h", "-1h", "1y", "1M", "999999d", "1 h"] {
            assert_eq!(Bucket::read(step, Tz::UTC), None, "{step}");
        }
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_step(
            millis in 0_i64..4_000_000_000_000,
            step in prop::sample::select(vec!["1s", "15m", "1h", "2h", "6h", "1d", "3d", "1w"]),
            zone in prop::sample::select(vec![
                Tz::UTC,
                Tz::Europe__Berlin,
                Tz::America__New_York,
                Tz::America__Sao_Paulo,
                Tz::America__Havana,
                Tz::Asia__Kathmandu,
                Tz::Asia__Tehran,
                Tz::Australia__Lord_Howe,
                Tz::Pacific__Apia,
                Tz::Pacific__Chatham,
            ]),
        ) {
            let bucket = Bucket::read(step, zone).unwrap();
            let time = from_millis(millis);
            let start = bucket.start(time);
            let next = bucket.next(start).unwrap();
            prop_assert!(start <= time && time < next, "{start} {time} {next}");
            prop_assert_eq!(bucket.start(start), start);
        }
    }
}
