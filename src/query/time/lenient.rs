//! Times in whatever form a person writes them.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta};

use super::{digits, fraction, iso, offset, within_bounds};
use crate::clock::Timestamp;

/// The longest text that is read as a time.
const LONGEST: usize = 64;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The instant that `text` names: RFC 3339 and its near misses, or a date in figures or with the name of a month, and
/// perhaps a time of day and an offset. What is missing of the date is that of `now`, what is missing of the time is
/// zero, and without an offset it is UTC. `None` where it names none.
pub(in crate::query) fn lenient(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_ascii() || text.is_empty() || text.len() > LONGEST {
        return None;
    }
    if has_whole_date(text)
        && let Some(time) = iso(text).or_else(|| iso(&text.replacen(" +", "+", 1)))
    {
        return Some(time);
    }
    let mut read = Read::default();
    // A `T` between figures parts the date from the time.
    let text = parted(text).to_ascii_lowercase();
    for word in text.split([' ', ',', '\t']).filter(|word| !word.is_empty()) {
        read.word(word)?;
    }
    let Read { date, time, is_afternoon, east, .. } = read;
    let time = time.map_or(Some(NaiveTime::MIN), |time| time.read(is_afternoon))?;
    within_bounds(date.filled(now.date_naive())?.and_time(time), east.unwrap_or_default())
}

/// Whether it begins with `YYYY-MM-DD`: shorter forms are filled from today here, and with the least in ISO's.
fn has_whole_date(text: &str) -> bool {
    let shape = text.bytes().take(10);
    let is_digit = |at: usize| !matches!(at, 4 | 7);
    text.len() >= 10
        && shape.enumerate().all(
            |(at, byte)| {
                if is_digit(at) { byte.is_ascii_digit() } else { byte == b'-' }
            },
        )
}

fn parted(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_figure =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let letter = |(at, letter): (usize, char)| {
        let parts = letter == 'T' && is_figure(at.checked_sub(1)) && is_figure(at.checked_add(1));
        if parts { ' ' } else { letter }
    };
    text.char_indices().map(letter).collect()
}

/// What was read so far.
#[derive(Default)]
struct Read {
    date: Date,
    time: Option<Time>,
    is_afternoon: Option<bool>,
    east: Option<TimeDelta>,
}

impl Read {
    fn word(&mut self, word: &str) -> Option<()> {
        if word.contains(':') && self.time.is_none() {
            return self.time(word);
        }
        if let "am" | "pm" = word {
            // Four alone is no time, four in the afternoon is one.
            if self.time.is_none() {
                let hour = self.date.numbers.pop()?;
                self.time = Some(Time { hour: hour.value, ..Time::default() });
            }
            return set(&mut self.is_afternoon, word == "pm");
        }
        for mark in ["am", "pm"] {
            if let Some(hour) = word.strip_suffix(mark).and_then(digits) {
                set(&mut self.time, Time { hour, ..Time::default() })?;
                return set(&mut self.is_afternoon, mark == "pm");
            }
        }
        if let "z" | "utc" | "gmt" = word {
            return set(&mut self.east, TimeDelta::zero());
        }
        if self.time.is_some() && word.starts_with(['+', '-']) {
            return set(&mut self.east, east(word)?);
        }
        let mut parts = word.split(['-', '/', '.']).filter(|part| !part.is_empty());
        parts.try_for_each(|part| self.date.part(part))
    }

    /// `10:30`, `10:30:00.5pm`, `10:30:00+02:00`.
    fn time(&mut self, word: &str) -> Option<()> {
        let end = word.find(|letter: char| !matches!(letter, '0'..='9' | ':' | '.'));
        let (clock, mut rest) = word.split_at(end.unwrap_or(word.len()));
        let (whole, part) = clock.split_once('.').map_or((clock, None), |(a, b)| (a, Some(b)));
        let mut parts = whole.split(':').map(digits);
        let mut next = || parts.next().unwrap_or(Some(0));
        let (hour, minute, second) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return None;
        }
        let nanos = part.map_or(Some(0), fraction)?;
        self.time = Some(Time { hour, minute, second, nanos });
        for (mark, is_afternoon) in [("am", false), ("pm", true)] {
            if let Some(after) = rest.strip_prefix(mark) {
                self.is_afternoon = Some(is_afternoon);
                rest = after;
            }
        }
        match rest {
            "" => Some(()),
            "z" | "utc" | "gmt" => set(&mut self.east, TimeDelta::zero()),
            rest => set(&mut self.east, east(rest)?),
        }
    }
}

/// Notes what may be said once.
fn set<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

fn east(zone: &str) -> Option<TimeDelta> {
    let sign = zone.bytes().next().filter(|sign| matches!(sign, b'+' | b'-'))?;
    let figures = zone[1..].replace(':', "");
    match figures.len() {
        2 => offset(sign, digits(&figures)?, 0),
        4 => offset(sign, digits(&figures[..2])?, digits(&figures[2..])?),
        _ => None,
    }
}

/// A time of day as it was read.
#[derive(Default)]
struct Time {
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
}

impl Time {
    fn read(self, is_afternoon: Option<bool>) -> Option<NaiveTime> {
        let hour = match (is_afternoon, self.hour) {
            (None, hour) => hour,
            (Some(_), 0 | 13..) => return None,
            (Some(false), 12) => 0,
            (Some(true), 12) => 12,
            (Some(afternoon), hour) => hour + if afternoon { 12 } else { 0 },
        };
        NaiveTime::from_hms_nano_opt(hour, self.minute, self.second, self.nanos)
    }
}

/// A figure of a date, and how many digits it was written with.
struct Figure {
    value: u32,
    digits: usize,
}

/// The parts of a date as they were read.
#[derive(Default)]
struct Date {
    numbers: Vec<Figure>,
    month: Option<u32>,
    names_day: bool,
}

impl Date {
    fn part(&mut self, part: &str) -> Option<()> {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (figures, letters) = part.split_at(end);
        if figures.is_empty() {
            return self.name(letters);
        }
        if !matches!(letters, "" | "st" | "nd" | "rd" | "th") {
            return None;
        }
        if figures.len() == 8 {
            for (from, to) in [(0, 4), (4, 6), (6, 8)] {
                self.part(&figures[from..to])?;
            }
            return Some(());
        }
        let number = Figure { value: digits(figures)?, digits: figures.len() };
        self.numbers.push(number);
        (self.numbers.len() <= 3).then_some(())
    }

    /// The name of a month or of a day of the week, whole or from three letters on.
    fn name(&mut self, name: &str) -> Option<()> {
        let at = |names: &[&str]| {
            names.iter().position(|whole| name.len() >= 3 && whole.starts_with(name))
        };
        if let Some(month) = at(&MONTHS) {
            return set(&mut self.month, u32::try_from(month).ok()? + 1);
        }
        at(&DAYS)?;
        // A day of the week beside a date says what is known; alone it names no day.
        self.names_day = true;
        Some(())
    }

    fn filled(mut self, today: NaiveDate) -> Option<NaiveDate> {
        let is_year = |figure: &Figure| figure.digits >= 3 || figure.value > 31;
        let year_at = self.numbers.iter().position(is_year);
        let mut year = year_at.map(|at| (at, self.numbers.remove(at)));
        if self.numbers.iter().any(is_year) {
            return None;
        }
        let mut rest = self.numbers.into_iter().map(|figure| figure.value);
        let (first, second, third) = (rest.next(), rest.next(), rest.next());
        if let Some(short) = third {
            if year.is_some() {
                return None;
            }
            year = Some((2, Figure { value: short, digits: 2 }));
        }
        let begins_with_year = year.as_ref().is_some_and(|(at, _)| *at == 0);
        let (month, day) = match (self.month, first, second) {
            (Some(month), Some(day), Some(short)) if year.is_none() => {
                year = Some((2, Figure { value: short, digits: 2 }));
                (Some(month), Some(day))
            }
            (Some(month), day, None) => (Some(month), day),
            // As the original has it: the month first, unless it cannot be one.
            (None, Some(day @ 13..), Some(month)) if !begins_with_year => (Some(month), Some(day)),
            (None, Some(month), Some(day)) => (Some(month), Some(day)),
            (None, Some(month), None) if year.is_some() => (Some(month), None),
            (None, day, None) => (None, day),
            (_, _, Some(_)) => return None,
        };
        if year.is_none() && month.is_none() && day.is_none() && self.names_day {
            return None;
        }
        let year = match year {
            Some((_, Figure { value, digits: 2 })) => 2000 + i32::try_from(value).ok()?,
            Some((_, Figure { value, .. })) => i32::try_from(value).ok()?,
            None => today.year(),
        };
        let month = month.unwrap_or(today.month());
        match day {
            Some(day) => NaiveDate::from_ymd_opt(year, month, day),
            // The 31st of a shorter month is its last day.
            None => {
                (1..=today.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::rfc3339;

    fn read(text: &str) -> Option<String> {
        lenient(text, "2024-05-31T12:34:56.789Z".parse().unwrap()).map(rfc3339)
    }

    #[test]
    fn times_are_read_in_the_forms_people_write() {
        let same = [
            "2024-05-15T00:00:00Z",
            "2024-05-15 00:00:00Z",
            "2024-05-15T02:00:00+02:00",
            "2024-05-15 02:00:00 +0200",
            "2024-05-14 19:00:00 -0500",
            "2024-05-15T00:00:00",
            "2024-05-15 00:00",
            "2024-05-15",
            "2024/05/15",
            "20240515",
            " 15 May 2024 ",
            "15-May-2024",
            "May 15, 2024",
            "Wed, 15 May 2024 00:00:00 GMT",
            "15th May 24 12:00 am",
            "5/15/2024",
            "15.05.2024",
            "15 May",
        ];
        for text in same {
            assert_eq!(read(text).as_deref(), Some("2024-05-15T00:00:00.000Z"), "{text}");
        }
    }

    #[test]
    fn what_is_missing_of_a_date_is_todays() {
        for (text, expected) in [
            ("2024", "2024-05-31T00:00:00.000Z"),
            ("2023", "2023-05-31T00:00:00.000Z"),
            ("2024-04", "2024-04-30T00:00:00.000Z"),
            ("February 2023", "2023-02-28T00:00:00.000Z"),
            ("June", "2024-06-30T00:00:00.000Z"),
            ("10:30", "2024-05-31T10:30:00.000Z"),
            ("10:30:15.25 pm", "2024-05-31T22:30:15.250Z"),
            ("4pm", "2024-05-31T16:00:00.000Z"),
            ("3", "2024-05-03T00:00:00.000Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_names_no_time_is_none() {
        for text in [
            "",
            "garbage",
            "2024-13-01",
            "2024-02-30",
            "15 May 2024 2025",
            "25:00",
            "10:61",
            "now",
            "Wednesday",
            "1/2/3/4",
            "12:00 13:00",
            "13 pm",
            "May June",
            "99999",
            "2024-05-15 +",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9:/.,+ TZapm-]{0,24}|.{0,12}") {
            let _ = read(&text);
        }
    }
}
