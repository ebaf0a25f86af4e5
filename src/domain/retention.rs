//! How long a project keeps what. What nobody set an age for is kept for ever.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;

/// The least age: what is younger may still be needed to decide what an event does.
const LEAST: TimeDelta = TimeDelta::hours(1);

/// The most days an age has: a hundred years.
const MOST_DAYS: i64 = 36_500;

/// From which age on something is removed: `90d`, `36h`, `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(TimeDelta);

/// How long a project keeps what; `None` for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events, counted from their arrival.
    pub events: Option<Age>,
    /// The raw bodies of deliveries, counted from their arrival.
    pub payloads: Option<Age>,
    /// Resolved and deleted alerts, counted from when they were.
    pub resolved_alerts: Option<Age>,
}

/// A text that is no age.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no age; expected at least an hour, such as 36h, 90d or 2w")]
pub struct BadAge(String);

impl Age {
    /// The age as a length of time.
    pub fn span(self) -> TimeDelta {
        self.0
    }

    /// An age of so many milliseconds, as it was kept.
    pub fn from_millis(millis: i64) -> Self {
        Self(TimeDelta::milliseconds(millis))
    }
}

impl FromStr for Age {
    type Err = BadAge;

    fn from_str(text: &str) -> Result<Self, BadAge> {
        let wrong = || BadAge(text.to_owned());
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = text[..end].parse().map_err(|_| wrong())?;
        let span = match &text[end..] {
            "h" => TimeDelta::try_hours(number),
            "d" => TimeDelta::try_days(number),
            "w" => TimeDelta::try_weeks(number),
            _ => None,
        };
        let is_sane = |span: &TimeDelta| *span >= LEAST && span.num_days() <= MOST_DAYS;
        span.filter(is_sane).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.num_hours() {
            hours if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_units() {
        for (text, shown) in [("90d", "90d"), ("36h", "36h"), ("2w", "14d"), ("48h", "2d")] {
            assert_eq!(text.parse::<Age>().unwrap().to_string(), shown);
        }
        for wrong in ["", "d", "90", "0d", "-1d", "1y", "99999999999d", "36501d", "1.5d", "90 d"] {
            assert!(wrong.parse::<Age>().is_err(), "{wrong}");
        }
    }
}
