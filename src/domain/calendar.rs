//! Spans of time that come again: from a wall clock's time to another, in a time zone, by a recurrence rule.
//!
//! A rule is followed on the wall clock, where each day has 24 hours, and only then are its times looked up in the
//! zone. So a window "from 22:00 to 06:00" begins and ends at those times on every day of the year, and is 7 or 9 hours
//! long in the nights in which the clock is changed. A wall clock's time that does not come on a day is as much later as
//! the clock was put forward; one that comes twice is meant the first time (RFC 5545, 3.3.5).

#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Unvalidated};

use self::text::{Until, Written};
use crate::clock::Timestamp;

/// How far ahead spans are worked out at once, in days.
const STRETCH_DAYS: u64 = 32;

/// The years in which a span may begin first.
const YEARS: std::ops::Range<i32> = 2000..2200;

/// How far ahead the next span is looked for, in years.
const COMES_WITHIN: u32 = 10;

/// How many times a day a rule may name.
const TIMES_A_DAY: usize = 96;

/// The most times that a rule with `COUNT` comes.
const MOST_TIMES: u32 = 10_000;

/// The most periods from one time to the next.
const LONGEST_INTERVAL: u16 = 1000;

/// From one point in time to another, the latter not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// When it begins.
    pub start: Timestamp,
    /// When it is over.
    pub end: Timestamp,
}

/// Why a span cannot come again so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct CalendarError {
    /// Which part is wrong: `start_time`, `end_time`, `time_zone` or `rrule`.
    pub field: &'static str,
    /// What is wrong with it, and what was expected.
    pub detail: String,
}

/// A span of time, once or again and again.
#[derive(Debug)]
pub struct Calendar {
    zone: Tz,
    first: Span,
    rule: Option<Rule>,
    /// The spans that were worked out last, since the same stretch of time is asked about again and again.
    worked_out: Mutex<Arc<Stretch>>,
}

/// How a span comes again.
#[derive(Clone, Debug)]
struct Rule {
    /// As it was written.
    text: String,
    /// As the library has it.
    recurs: RRule,
    until: Option<Until>,
    /// When the first one begins, and how long it is, on the wall clock.
    start: NaiveDateTime,
    length: TimeDelta,
    reach: Reach,
}

/// From when on a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    FromStart,
    /// Also before that; for asking what it would have done.
    Always,
}

/// All spans that end after `from` and begin before `to`.
#[derive(Debug)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    spans: Vec<Span>,
}

impl Span {
    /// Whether `time` is in it.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }

    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }
}

impl CalendarError {
    fn new(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field, detail: detail.into() }
    }
}

impl Clone for Calendar {
    fn clone(&self) -> Self {
        Self::with(self.zone, self.first, self.rule.clone())
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone && self.first == other.first && self.rrule() == other.rrule()
    }
}

/// The zone of this name in the IANA list.
pub fn zone(name: &str) -> Result<Tz, CalendarError> {
    name.parse().map_err(|_| {
        let detail = format!("`{name}` is no time zone of the IANA list, such as Europe/Berlin");
        CalendarError::new("time_zone", detail)
    })
}

impl Calendar {
    /// The span `first`, once, or again and again as `rrule` has it: the value of an RRULE of RFC 5545.
    pub fn new(zone: Tz, first: Span, rrule: Option<&str>) -> Result<Self, CalendarError> {
        if first.end <= first.start {
            return Err(CalendarError::new("end_time", "it ends no later than it begins"));
        }
        for (field, time) in [("start_time", first.start), ("end_time", first.end)] {
            if !YEARS.contains(&time.year()) {
                let detail = format!("expected a time from {} to {}", YEARS.start, YEARS.end - 1);
                return Err(CalendarError::new(field, detail));
            }
        }
        let comes = rrule.map(|text| Rule::read(zone, first, text)).transpose()?;
        let calendar = Self::with(zone, first, comes);
        if calendar.occurrences(first.start, 1).is_empty() {
            let detail = format!("it does not come within {COMES_WITHIN} years of `start_time`");
            return Err(CalendarError::new("rrule", detail));
        }
        Ok(calendar)
    }

    fn with(zone: Tz, first: Span, rule: Option<Rule>) -> Self {
        let nothing = Stretch { from: first.start, to: first.start, spans: Vec::new() };
        Self { zone, first, rule, worked_out: Mutex::new(Arc::new(nothing)) }
    }

    /// The zone whose clock it goes by.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first span as it was given; a rule that does not name its day comes later first.
    pub fn first(&self) -> Span {
        self.first
    }

    /// How it comes again, as it was written; `None` where it comes once.
    pub fn rrule(&self) -> Option<&str> {
        self.rule.as_ref().map(|rule| rule.text.as_str())
    }

    /// The same as if it had begun long ago and had no end, for asking what it would have done.
    #[must_use]
    pub fn always(&self) -> Self {
        Self::with(self.zone, self.first, self.rule.as_ref().map(Rule::always))
    }

    /// The span that `time` is in, to the end of all that overlap it or follow at once.
    pub fn at(&self, time: Timestamp) -> Option<Span> {
        runs(&self.stretch(time).spans).find(|run| run.contains(time))
    }

    /// When the next span begins after `time`; `None` where none comes within ten years.
    pub fn next_start(&self, time: Timestamp) -> Option<Timestamp> {
        let next = |spans: &[Span]| spans.iter().map(|span| span.start).find(|at| *at > time);
        let stretch = self.stretch(time);
        // Beyond a stretch there is at most one more span that began before its end.
        next(&stretch.spans).or_else(|| next(&self.occurrences(stretch.to, 2)))
    }

    /// The next spans that are not over at `time`, at most so many.
    pub fn occurrences(&self, time: Timestamp, most: usize) -> Vec<Span> {
        let horizon = time.checked_add_months(Months::new(12 * COMES_WITHIN)).unwrap_or(time);
        self.between(time, horizon, most)
    }

    /// The spans that are not over at `from` and begin before `to`, in order, at most so many.
    pub fn between(&self, from: Timestamp, to: Timestamp, most: usize) -> Vec<Span> {
        let is_meant = |span: &Span| span.end > from && span.start < to;
        let Some(rule) = &self.rule else {
            return Some(self.first).filter(is_meant).into_iter().take(most).collect();
        };
        // Where the clock is put forward, times of one day may change places, or become the same.
        let found = rule.spans(self.zone, from, to).filter(is_meant);
        let mut spans: Vec<Span> = found.take(most.saturating_add(TIMES_A_DAY)).collect();
        spans.sort_unstable();
        spans.dedup();
        spans.truncate(most);
        spans
    }

    /// The longest time without a gap from `from` to `to`.
    pub fn longest_run(&self, from: Timestamp, to: Timestamp) -> TimeDelta {
        let spans = self.between(from, to, usize::MAX);
        runs(&spans).map(|run| run.length()).max().unwrap_or_default()
    }

    /// What was worked out for a stretch of time that `time` is in.
    fn stretch(&self, time: Timestamp) -> Arc<Stretch> {
        let known = Arc::clone(&self.worked_out.lock().unwrap_or_else(PoisonError::into_inner));
        if known.from <= time && time < known.to {
            return known;
        }
        let to = time.checked_add_days(Days::new(STRETCH_DAYS)).unwrap_or(time);
        let new = Arc::new(Stretch { from: time, to, spans: self.between(time, to, usize::MAX) });
        *self.worked_out.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        new
    }
}

/// `spans`, which are in order, with those joined that overlap or follow at once.
fn runs(spans: &[Span]) -> impl Iterator<Item = Span> + '_ {
    let mut spans = spans.iter().copied().peekable();
    std::iter::from_fn(move || {
        let mut run = spans.next()?;
        while let Some(span) = spans.next_if(|span| span.start <= run.end) {
            run.end = run.end.max(span.end);
        }
        Some(run)
    })
}

impl Rule {
    fn read(zone: Tz, first: Span, text: &str) -> Result<Self, CalendarError> {
        let wrong = |detail: String| CalendarError::new("rrule", detail);
        let wall = [first.start, first.end].map(|time| time.with_timezone(&zone).naive_local());
        let length = wall[1] - wall[0];
        if length <= TimeDelta::zero() {
            let detail = "by the wall clock it ends no later than it begins";
            return Err(CalendarError::new("end_time", detail));
        }
        let Written { rule, until, .. } = Written::read(text).map_err(wrong)?;
        let rule = compiled(&rule, wall[0]).map_err(wrong)?;
        let text = text.trim().to_owned();
        Ok(Self { text, recurs: rule, until, start: wall[0], length, reach: Reach::FromStart })
    }

    /// The same without a beginning or an end.
    fn always(&self) -> Self {
        let endless = Written::read(&self.text).ok();
        let rule = endless.and_then(|written| compiled(&written.endless, self.start).ok());
        let recurs = rule.unwrap_or_else(|| self.recurs.clone());
        Self { recurs, until: None, reach: Reach::Always, ..self.clone() }
    }

    /// All spans that begin before `to`, from some time before `from` on; in order, but for those within a day.
    fn spans(&self, zone: Tz, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Span> + '_ {
        // A day more than it is long, whatever the clock did meanwhile.
        let day = TimeDelta::days(1);
        let from = from.with_timezone(&zone).naive_local() - self.length - day;
        let last = to.with_timezone(&zone).naive_local() + day;
        let begins = floating(self.begins(from));
        let rule = RRuleSet::new(begins).rrule(self.recurs.clone()).limit();
        let starts = (&rule).into_iter().map(|start| start.naive_utc());
        starts
            .take_while(move |start| *start <= last)
            .filter_map(move |start| self.span(zone, start))
    }

    /// The span that begins at this time of the wall clock, if that is before its end.
    fn span(&self, zone: Tz, wall: NaiveDateTime) -> Option<Span> {
        let start = instant(zone, wall);
        let is_meant = match self.until {
            None => true,
            Some(Until::Wall(last)) => wall <= last,
            Some(Until::Instant(last)) => start <= last,
        };
        let end = instant(zone, wall + self.length);
        // Where the clock skips all of it, it is as long as it would have been.
        let end = if end > start { end } else { start + self.length };
        is_meant.then_some(Span { start, end })
    }

    /// When to begin following the rule so that all from `from` on is found: some whole periods after the first time, so
    /// that it need not be followed from its beginning.
    fn begins(&self, from: NaiveDateTime) -> NaiveDateTime {
        if self.recurs.get_count().is_some() {
            return self.start;
        }
        let interval = i64::from(self.recurs.get_interval());
        let moved = match self.recurs.get_freq() {
            Frequency::Weekly => days_later(self.start, from, 7 * interval),
            Frequency::Monthly => months_later(self.start, from, interval),
            Frequency::Yearly => months_later(self.start, from, 12 * interval),
            _ => days_later(self.start, from, interval),
        };
        match (moved, self.reach) {
            (None, _) => self.start,
            (Some(moved), Reach::Always) => moved,
            (Some(moved), Reach::FromStart) => moved.max(self.start),
        }
    }
}

/// The rule that `text` is, with all that it leaves to its first time.
fn compiled(text: &str, start: NaiveDateTime) -> Result<RRule, String> {
    let rule: RRule<Unvalidated> = text.parse().map_err(said)?;
    let rule = rule.validate(floating(start)).map_err(said)?;
    let (freq, interval) = (rule.get_freq(), rule.get_interval());
    let has_ordinals = rule.get_by_weekday().iter().any(|day| matches!(day, NWeekday::Nth(..)));
    let times = rule.get_by_hour().len().max(1)
        * rule.get_by_minute().len().max(1)
        * rule.get_by_second().len().max(1);
    let wrong = match freq {
        Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
            "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY; several times a day are said by BYHOUR and BYMINUTE"
                .to_owned()
        }
        Frequency::Daily | Frequency::Weekly if has_ordinals => {
            format!("BYDAY takes no numbers where FREQ is {freq}")
        }
        Frequency::Yearly if has_ordinals && !rule.get_by_week_no().is_empty() => {
            "BYDAY takes no numbers beside BYWEEKNO".to_owned()
        }
        _ if interval == 0 || interval > LONGEST_INTERVAL => {
            format!("INTERVAL is 1 to {LONGEST_INTERVAL}, not {interval}")
        }
        _ if rule.get_count().is_some_and(|count| count == 0 || count > MOST_TIMES) => {
            format!("COUNT is 1 to {MOST_TIMES}")
        }
        _ if times > TIMES_A_DAY => format!("at most {TIMES_A_DAY} times a day, not {times}"),
        _ => return Ok(rule),
    };
    Err(wrong)
}

/// What the library says of a mistake, without its preamble.
fn said(error: rrule::RRuleError) -> String {
    match error {
        rrule::RRuleError::ParserError(error) => error.to_string(),
        rrule::RRuleError::ValidationError(error) => error.to_string(),
        rrule::RRuleError::IterError(error) => error,
    }
}

/// A time of the wall clock as the library follows it: in a zone where every day has 24 hours.
fn floating(wall: NaiveDateTime) -> chrono::DateTime<rrule::Tz> {
    rrule::Tz::UTC.from_utc_datetime(&wall)
}

/// The time at which the clock of `zone` shows `wall`: the first of two, and where there is none, as much later as the
/// clock was put forward.
pub fn instant(zone: Tz, wall: NaiveDateTime) -> Timestamp {
    if let Some(first) = zone.from_local_datetime(&wall).earliest() {
        return first.to_utc();
    }
    // It was put forward over it: the time that it would have been without that.
    let before = wall - TimeDelta::days(1);
    let shown = zone.from_local_datetime(&before).earliest();
    shown.map_or_else(|| wall.and_utc(), |before| before.to_utc() + TimeDelta::days(1))
}

/// `start`, so many times `step` days later that it is a step before `from`.
fn days_later(start: NaiveDateTime, from: NaiveDateTime, step: i64) -> Option<NaiveDateTime> {
    let steps = (from - start).num_days().div_euclid(step) - 1;
    start.checked_add_signed(TimeDelta::days(steps * step))
}

/// The first day of the month of `start`, so many times `step` months later that it is a step before `from`.
fn months_later(start: NaiveDateTime, from: NaiveDateTime, step: i64) -> Option<NaiveDateTime> {
    let month = |time: NaiveDateTime| 12 * i64::from(time.year()) + i64::from(time.month0());
    let steps = (month(from) - month(start)).div_euclid(step) - 1;
    let month = month(start) + steps * step;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12)).ok()? + 1;
    Some(NaiveDate::from_ymd_opt(year, month, 1)?.and_time(start.time()))
}
