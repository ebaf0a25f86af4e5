//! How fast a target is sent messages: so many a minute, a few of them at once.

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// What a target may be sent: a bucket that fills evenly and holds a sixth of a minute's worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    per_minute: u32,
    /// When the bucket is full again.
    full_at: Timestamp,
}

impl Pace {
    /// The pace of a target that takes so many a minute, one at least.
    pub fn new(per_minute: u32, now: Timestamp) -> Self {
        Self { per_minute: per_minute.max(1), full_at: now }
    }

    /// How many a minute.
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    fn each(&self) -> TimeDelta {
        TimeDelta::milliseconds(60_000 / i64::from(self.per_minute).min(60_000))
    }

    fn holds(&self) -> i64 {
        i64::from(self.per_minute / 6).max(1)
    }

    /// How many it may be sent now.
    pub fn left(&self, now: Timestamp) -> u32 {
        let missing = (self.full_at - now).max(TimeDelta::zero()).num_milliseconds();
        let each = self.each().num_milliseconds();
        let used = (missing + each - 1) / each;
        u32::try_from((self.holds() - used).max(0)).unwrap_or(u32::MAX)
    }

    /// When it may be sent one more.
    pub fn next_at(&self, now: Timestamp) -> Timestamp {
        let enough =
            self.full_at - self.each() * i32::try_from(self.holds() - 1).unwrap_or(i32::MAX);
        enough.max(now)
    }

    /// One is sent.
    pub fn spend(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(now) + self.each();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn no_more_than_its_pace_is_sent_over_a_while() {
        for per_minute in [1, 5, 20, 60, 600, 10_000] {
            let mut pace = Pace::new(per_minute, from_millis(0));
            let mut sent: u64 = 0;
            for milli in (0..600_000).step_by(50) {
                let now = from_millis(milli);
                while pace.left(now) > 0 {
                    pace.spend(now);
                    sent += 1;
                }
            }
            let most = u64::from(per_minute) * 10 + u64::from(per_minute / 6).max(1);
            assert!(sent <= most && sent * 10 >= most * 9, "{per_minute}: {sent} of {most}");
        }
    }

    #[test]
    fn it_tells_when_one_more_may_go() {
        let mut pace = Pace::new(6, from_millis(0));
        assert_eq!((pace.left(from_millis(0)), pace.next_at(from_millis(0))), (1, from_millis(0)));
        pace.spend(from_millis(0));
        assert_eq!(pace.left(from_millis(9_999)), 0);
        assert_eq!(pace.next_at(from_millis(5)), from_millis(10_000));
        assert_eq!(pace.left(from_millis(10_000)), 1);
    }
}
