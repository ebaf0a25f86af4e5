//! Times as text, in the words of `$dateToString`.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use serde_json::Value;

use super::{
    coarse::Grain,
    zone::{east, grain},
};
use crate::clock::Timestamp;

/// How a time is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Format {
    parts: Parts,
    zone: Tz,
}

#[derive(Clone, Debug, PartialEq)]
enum Parts {
    Year,
    Month,
    Day,
    /// Texts, and letters that stood after a `%`.
    Text(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Specifier(char),
}

/// The letters that may stand after a `%`.
const SPECIFIERS: &str = "YmdHMSLjuUVwGzZ%";

impl Format {
    /// The format that a text names, or what is wrong with it.
    pub(super) fn read(text: &str, zone: Tz) -> Result<Self, String> {
        let parts = match text {
            "year" => Parts::Year,
            "month" => Parts::Month,
            "day" => Parts::Day,
            text => Parts::Text(parts(text)?),
        };
        Ok(Self { parts, zone })
    }

    /// The time, told so.
    pub(super) fn tell(&self, time: Timestamp) -> Value {
        let east = east(self.zone, time);
        let local = time.naive_utc() + east;
        match &self.parts {
            Parts::Year => Value::from(local.year()),
            Parts::Month => Value::from(local.month()),
            Parts::Day => Value::from(local.day()),
            Parts::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        // Writing to a text cannot fail.
                        Part::Specifier(letter) => {
                            let _ = write(*letter, local, east, &mut text);
                        }
                    }
                }
                Value::from(text)
            }
        }
    }

    /// The widest step of the store in which every time is told the same.
    pub(super) fn grain(&self) -> Option<Grain> {
        let has = |letters: &str| match &self.parts {
            Parts::Year | Parts::Month | Parts::Day => false,
            Parts::Text(parts) => parts.iter().any(|part| match part {
                Part::Literal(_) => false,
                Part::Specifier(letter) => letters.contains(*letter),
            }),
        };
        if has("MSL") {
            return None;
        }
        let own = if has("H") { Grain::Hour } else { Grain::Day };
        Some(own.min(grain(self.zone)?))
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    if text.chars().count() > 100 {
        return Err("a format has at most 100 characters".to_owned());
    }
    if !text.contains('%') {
        return Err(format!("`{text}` is no format: year, month, day, or a text such as %Y-%m-%d"));
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            literal.push(letter);
            continue;
        }
        match letters.next() {
            Some(specifier) if SPECIFIERS.contains(specifier) => {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Specifier(specifier));
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                let known = SPECIFIERS.chars().map(|letter| format!("%{letter}"));
                let known: Vec<String> = known.collect();
                return Err(format!("`%{other}` is unknown; there are {}", known.join(" ")));
            }
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn write(
    letter: char,
    local: NaiveDateTime,
    east: TimeDelta,
    text: &mut String,
) -> std::fmt::Result {
    match letter {
        'Y' => write!(text, "{:04}", local.year()),
        'm' => write!(text, "{:02}", local.month()),
        'd' => write!(text, "{:02}", local.day()),
        'H' => write!(text, "{:02}", local.hour()),
        'M' => write!(text, "{:02}", local.minute()),
        'S' => write!(text, "{:02}", local.second()),
        'L' => write!(text, "{:03}", local.and_utc().timestamp_subsec_millis()),
        'j' => write!(text, "{:03}", local.ordinal()),
        'u' => write!(text, "{}", local.weekday().number_from_monday()),
        'w' => write!(text, "{}", local.weekday().number_from_sunday()),
        // Weeks begin on Sundays, and what is before the first Sunday is week 0.
        'U' => {
            write!(
                text,
                "{:02}",
                (local.ordinal() + 6 - local.weekday().num_days_from_sunday()) / 7
            )
        }
        'V' => write!(text, "{:02}", local.iso_week().week()),
        'G' => write!(text, "{:04}", local.iso_week().year()),
        'z' => {
            let minutes = east.num_minutes();
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(text, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        'Z' => write!(text, "{}", east.num_minutes()),
        other => write!(text, "{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: &str, zone: Tz, time: &str) -> Value {
        Format::read(format, zone).unwrap().tell(time.parse().unwrap())
    }

    #[test]
    fn every_letter_says_its_part() {
        let time = "2024-12-30T23:04:05.067Z";
        for (format, expected) in [
            ("%Y-%m-%dT%H:%M:%S.%LZ", "2024-12-30T23:04:05.067Z"),
            ("%j", "365"),
            ("%u %w", "1 2"),
            ("%U %V %G", "52 01 2025"),
            ("100%% at %H o'clock", "100% at 23 o'clock"),
            ("%z %Z", "+0000 0"),
        ] {
            assert_eq!(told(format, Tz::UTC, time), expected, "{format}");
        }
        assert_eq!(told("year", Tz::UTC, time), 2024);
        assert_eq!(told("day", Tz::Europe__Berlin, time), 31);
        assert_eq!(told("%H %z %Z", Tz::Europe__Berlin, time), "00 +0100 60");
        assert_eq!(told("%U", Tz::UTC, "2023-01-01T00:00:00Z"), "01");
        assert_eq!(told("%U", Tz::UTC, "2024-01-01T00:00:00Z"), "00");
    }

    #[test]
    fn an_unknown_letter_is_a_mistake() {
        for format in ["%Q", "%", "%Y-%", "hour", ""] {
            assert!(Format::read(format, Tz::UTC).is_err(), "{format}");
        }
    }
}
