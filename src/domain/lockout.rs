//! How long a user who was tried in vain is closed: longer with each try, and open again at once after the right password.

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// How many wrong passwords in a row cost nothing; from this one on each closes the user for a while.
pub const FREE: u32 = 5;

/// How long the first one closes it. Each further one doubles that.
const FIRST: TimeDelta = TimeDelta::seconds(30);

/// The longest that it is closed: long enough to make guessing hopeless, short enough to be waited for.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// After how long without a wrong password those before are forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);

/// How often a user was tried in vain since it was let in last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many wrong passwords in a row there were.
    pub failures: u32,
    /// When the last of them came.
    pub last_failed_at: Option<Timestamp>,
}

impl Attempts {
    /// With one more wrong password.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        let failures = self.at(now).failures.saturating_add(1);
        // Tries overtake each other.
        Self { failures, last_failed_at: self.last_failed_at.max(Some(now)) }
    }

    /// Until when no password is looked at, if that is later than `now`.
    pub fn locked_until(self, now: Timestamp) -> Option<Timestamp> {
        let beyond = self.at(now).failures.checked_sub(FREE)?;
        let doubled = 1_i32.checked_shl(beyond).filter(|times| *times > 0);
        let span = doubled.and_then(|times| FIRST.checked_mul(times));
        let until = self.last_failed_at? + span.map_or(LONGEST, |span| span.min(LONGEST));
        (now < until).then_some(until)
    }

    /// How many passwords may be looked at side by side, so that as many as are sent at once are not more than as many one
    /// after the other.
    pub fn allowance(self, now: Timestamp) -> u32 {
        if self.locked_until(now).is_some() {
            return 0;
        }
        FREE.saturating_sub(self.at(now).failures).max(1)
    }

    /// As they count at `now`.
    fn at(self, now: Timestamp) -> Self {
        let is_old = self.last_failed_at.is_none_or(|last| now - last >= FORGOTTEN);
        if is_old { Self::default() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    /// Wrong passwords as soon as each may be tried; how many seconds the user was closed after each.
    fn closed_for(tries: u32) -> Vec<i64> {
        let (mut attempts, mut now) = (Attempts::default(), from_millis(0));
        let mut closed = Vec::new();
        for _ in 0..tries {
            attempts = attempts.failed(now);
            let until = attempts.locked_until(now).unwrap_or(now);
            closed.push((until - now).num_seconds());
            now = until;
        }
        closed
    }

    #[test]
    fn four_slips_cost_nothing_and_then_it_takes_longer_each_time() {
        assert_eq!(closed_for(12), [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn it_is_open_again_to_the_moment() {
        let start = from_millis(1_000);
        let attempts = Attempts { failures: FREE, last_failed_at: Some(start) };
        let until = start + TimeDelta::seconds(30);
        assert_eq!(attempts.locked_until(until - TimeDelta::milliseconds(1)), Some(until));
        assert_eq!(attempts.locked_until(until), None);
        assert_eq!(attempts.allowance(until), 1);
    }

    #[test]
    fn a_day_without_a_slip_forgets_those_before() {
        let start = from_millis(1_000);
        let attempts = Attempts { failures: 40, last_failed_at: Some(start) };
        let next_day = start + TimeDelta::days(1);
        assert_eq!(attempts.failed(next_day), Attempts::default().failed(next_day));
        assert_eq!(attempts.allowance(next_day), FREE);
    }

    #[test]
    fn no_more_are_looked_at_side_by_side_than_one_after_the_other() {
        let (mut attempts, now) = (Attempts::default(), from_millis(0));
        let mut allowed = Vec::new();
        for _ in 0..6 {
            allowed.push(attempts.allowance(now));
            attempts = attempts.failed(now);
        }
        assert_eq!(allowed, [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn a_try_that_comes_late_opens_nothing_earlier() {
        let (begun, ended) = (from_millis(1_000), from_millis(31_000));
        let mut attempts = Attempts::default();
        for _ in 1..FREE {
            attempts = attempts.failed(ended);
        }
        assert_eq!(attempts.failed(begun).locked_until(ended), Some(ended + FIRST));
    }

    #[test]
    fn however_many_there_are_it_is_closed_for_a_while_and_no_longer() {
        let now = from_millis(0);
        let attempts = Attempts { failures: u32::MAX, last_failed_at: Some(now) };
        assert_eq!(attempts.locked_until(now), Some(now + LONGEST));
        assert_eq!(attempts.failed(now).failures, u32::MAX);
    }
}
