//! When people are at work: what is done to a server at other times may deserve a look.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::clock::Timestamp;

/// How office hours are written.
const WANTED: &str = "expected days, times and a zone, such as `Mon-Fri 08:00-18:00 Europe/Berlin`";

/// Some days of each week, from one time of day to another, on the clocks of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeHours {
    first: Weekday,
    last: Weekday,
    from: NaiveTime,
    to: NaiveTime,
    zone: Tz,
}

impl OfficeHours {
    /// Whether people are at work at `time`.
    pub fn contain(&self, time: Timestamp) -> bool {
        let local = time.with_timezone(&self.zone);
        let (day, clock) = (local.weekday(), local.time());
        let is_day = day.days_since(self.first) <= self.last.days_since(self.first);
        is_day && self.from <= clock && clock < self.to
    }
}

impl FromStr for OfficeHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |detail: String| format!("{detail}; {WANTED}");
        let mut parts = text.split_whitespace();
        let (Some(days), Some(times)) = (parts.next(), parts.next()) else {
            return Err(wrong(format!("`{text}` has no days and times")));
        };
        let zone = parts.next().unwrap_or("UTC");
        if let Some(more) = parts.next() {
            return Err(wrong(format!("`{more}` is too much")));
        }
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let day = |name: &str| {
            name.parse::<Weekday>().map_err(|_| wrong(format!("`{name}` is no day of the week")))
        };
        let (from, to) =
            times.split_once('-').ok_or_else(|| wrong(format!("`{times}` has no end")))?;
        let clock = |text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M")
                .map_err(|_| wrong(format!("`{text}` is no time of day")))
        };
        let (from, to) = (clock(from)?, clock(to)?);
        if to <= from {
            return Err(wrong(format!("`{times}` ends no later than it begins")));
        }
        let zone = zone.parse().map_err(|_| wrong(format!("`{zone}` is no zone")))?;
        Ok(Self { first: day(first)?, last: day(last)?, from, to, zone })
    }
}

impl fmt::Display for OfficeHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, from, to, zone } = self;
        let (from, to) = (from.format("%H:%M"), to.format("%H:%M"));
        write!(f, "{first}-{last} {from}-{to} {zone}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: &str, time: &str) -> bool {
        hours.parse::<OfficeHours>().unwrap().contain(time.parse().unwrap())
    }

    #[test]
    fn the_clock_of_the_zone_counts() {
        // A Thursday.
        assert!(at("Mon-Fri 08:00-18:00 UTC", "2026-01-01T08:00:00Z"));
        assert!(!at("Mon-Fri 08:00-18:00 UTC", "2026-01-01T18:00:00Z"));
        assert!(!at("Mon-Fri 08:00-18:00 Europe/Berlin", "2026-01-01T17:30:00Z"));
        assert!(at("Mon-Fri 08:00-18:00 Asia/Seoul", "2026-01-04T23:30:00Z"));
        assert!(!at("mon-fri 00:00-23:59", "2026-01-03T12:00:00Z"));
    }

    #[test]
    fn days_may_go_over_the_end_of_a_week() {
        assert!(at("Fri-Mon 08:00-18:00", "2026-01-04T12:00:00Z"));
        assert!(!at("Fri-Mon 08:00-18:00", "2026-01-01T12:00:00Z"));
        assert!(at("Sun 08:00-18:00", "2026-01-04T12:00:00Z"));
    }

    #[test]
    fn mistakes_are_told_with_what_was_expected() {
        for (text, expected) in [
            ("", "has no days and times"),
            ("Mon-Fri", "has no days and times"),
            ("Mon-Foo 08:00-18:00", "`Foo` is no day"),
            ("Mon-Fri 08:00", "`08:00` has no end"),
            ("Mon-Fri 8-18", "`8` is no time of day"),
            ("Mon-Fri 18:00-08:00", "ends no later"),
            ("Mon-Fri 08:00-18:00 Mars/Crater", "is no zone"),
            ("Mon-Fri 08:00-18:00 UTC x", "`x` is too much"),
        ] {
            let error = text.parse::<OfficeHours>().unwrap_err();
            assert!(error.contains(expected) && error.contains("Europe/Berlin"), "{text}: {error}");
        }
        let said = "Mon-Fri 08:00-18:00 Europe/Berlin";
        assert_eq!(said.parse::<OfficeHours>().unwrap().to_string(), said);
    }
}
