//! The text of a recurrence rule, as far as we read it ourselves: its parts, and how long it holds.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::{clock::Timestamp, load_error::did_you_mean};

/// The longest rule, in bytes.
const LONGEST: usize = 500;

/// The parts that a rule may have.
const PARTS: &[&str] = &[
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSETPOS",
];

/// A rule, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// It, without `UNTIL`.
    pub(super) rule: String,
    /// It, without `UNTIL` and `COUNT`.
    pub(super) endless: String,
    /// The last time at which it may come.
    pub(super) until: Option<Until>,
}

/// The last time at which something may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// By the wall clock.
    Wall(NaiveDateTime),
    /// Everywhere.
    Instant(Timestamp),
}

impl Written {
    /// Takes `text` apart, or says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!("a rule has at most {LONGEST} characters"));
        }
        if !text.is_ascii() || text.contains(char::is_whitespace) {
            let example = "FREQ=WEEKLY;BYDAY=SA,SU";
            return Err(format!("expected one line without blanks, such as {example}"));
        }
        let text = text.to_ascii_uppercase();
        let parts = text.strip_prefix("RRULE:").unwrap_or(&text);
        let (mut kept, mut seen, mut until) = (Vec::new(), Vec::new(), None);
        for part in parts.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            check(name, value)?;
            if seen.contains(&name) {
                return Err(format!("{name} is there twice"));
            }
            seen.push(name);
            if name == "UNTIL" {
                until = Some(Until::read(value)?);
            } else {
                kept.push(part);
            }
        }
        match (seen.contains(&"FREQ"), until.is_some() && seen.contains(&"COUNT")) {
            (false, _) => {
                return Err("FREQ is missing: DAILY, WEEKLY, MONTHLY or YEARLY".to_owned());
            }
            (true, true) => return Err("COUNT and UNTIL say the same: give one".to_owned()),
            (true, false) => {}
        }
        let rule = kept.join(";");
        kept.retain(|part| !part.starts_with("COUNT="));
        Ok(Self { rule, endless: kept.join(";"), until })
    }
}

fn check(name: &str, value: &str) -> Result<(), String> {
    match name {
        "DTSTART" | "DTEND" | "DURATION" => {
            Err(format!("{name} is no part of a rule: give `start_time` and `end_time`"))
        }
        "BYSECOND" => Err("BYSECOND is not taken: the second is that of `start_time`".to_owned()),
        _ if !PARTS.contains(&name) => {
            let near = did_you_mean(name, PARTS.iter().copied());
            Err(format!("there is no part `{name}` in a rule{near}"))
        }
        _ if value.is_empty() => Err(format!("{name} has no value")),
        _ => Ok(()),
    }
}

impl Until {
    /// A date, which is meant to its end, or a time with or without `Z`.
    fn read(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("UNTIL is 20261231, 20261231T220000 or 20261231T220000Z, not `{text}`");
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y%m%d") {
            let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
            return Ok(Self::Wall(date.and_time(last)));
        }
        let (time, is_utc) = match text.strip_suffix('Z') {
            Some(time) => (time, true),
            None => (text, false),
        };
        let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S").map_err(|_| wrong())?;
        Ok(if is_utc { Self::Instant(time.and_utc()) } else { Self::Wall(time) })
    }
}
