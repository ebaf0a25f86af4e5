//! How long a message is tried: at once, then less and less often for about a day.

use chrono::TimeDelta;

use crate::{clock::Timestamp, digest::sha256};

/// After so many attempts a message is given up: about a day after the first one.
pub const MOST_ATTEMPTS: u32 = 32;

/// How long is waited after the first attempt, about.
const FIRST: TimeDelta = TimeDelta::seconds(5);

/// How long is waited between attempts at most, about.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// The longest wait that a receiver may ask for.
pub const LONGEST_ASKED: TimeDelta = TimeDelta::hours(6);

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It arrived.
    Arrived,
    /// Another attempt may succeed, after this time if the receiver said so.
    Failed(Option<TimeDelta>),
    /// No further attempt will succeed.
    Refused,
}

/// What becomes of a message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Done,
    /// It is tried again, not before this time.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// What becomes of a message, of which `attempts` were made by now, the last of which ended like this. Where it is tried
/// again depends on `key` too, so that many messages that failed at once are not all tried again at once.
pub fn after(attempts: u32, sending: Sending, key: &str, now: Timestamp) -> Next {
    match sending {
        Sending::Arrived => Next::Done,
        Sending::Refused => Next::GivenUp,
        Sending::Failed(_) if attempts >= MOST_ATTEMPTS => Next::GivenUp,
        Sending::Failed(asked) => {
            let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
            Next::Again(now + wait(attempts, key).max(asked))
        }
    }
}

/// How long is waited after so many attempts: twice as long each time, of which the second half is left to chance. The
/// chance is drawn from `key`, so that a replay waits as long.
pub fn wait(attempts: u32, key: &str) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(20);
    let full = (FIRST * 2_i32.pow(doublings)).min(LONGEST).num_milliseconds();
    let digest = sha256(format!("{key}/{attempts}").as_bytes());
    let chance = i64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]));
    let half = full / 2;
    TimeDelta::milliseconds(half + half * chance / i64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn waits_double_up_to_an_hour_and_half_of_each_is_chance() {
        for (attempts, seconds) in [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (31, 3600)] {
            let all: Vec<i64> =
                (0..200).map(|key| wait(attempts, &format!("m{key}")).num_milliseconds()).collect();
            let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
            assert!(*least >= seconds * 500 && *least < seconds * 600, "{attempts}: {least}");
            assert!(*most <= seconds * 1000 && *most > seconds * 900, "{attempts}: {most}");
        }
    }

    #[test]
    fn a_replay_waits_as_long() {
        assert_eq!(wait(3, "message-1"), wait(3, "message-1"));
        assert_ne!(wait(3, "message-1"), wait(3, "message-2"));
    }

    #[test]
    fn all_attempts_together_take_about_a_day() {
        let all: i64 = (1..MOST_ATTEMPTS).map(|at| wait(at, "message").num_minutes()).sum();
        assert!((12 * 60..25 * 60).contains(&all), "{all} minutes");
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_but_not_for_ever() {
        let now = from_millis(0);
        let asked = |seconds| Sending::Failed(Some(TimeDelta::seconds(seconds)));
        assert_eq!(after(1, asked(90), "m", now), Next::Again(now + TimeDelta::seconds(90)));
        assert_eq!(after(1, asked(1_000_000), "m", now), Next::Again(now + LONGEST_ASKED));
        let Next::Again(at) = after(1, asked(0), "m", now) else { panic!("given up") };
        assert!(at >= now + TimeDelta::milliseconds(2500));
    }

    #[test]
    fn what_is_refused_is_not_tried_again_and_nothing_is_tried_for_ever() {
        let now = from_millis(0);
        assert_eq!(after(1, Sending::Refused, "m", now), Next::GivenUp);
        assert_eq!(after(MOST_ATTEMPTS, Sending::Failed(None), "m", now), Next::GivenUp);
        assert_eq!(after(MOST_ATTEMPTS, Sending::Arrived, "m", now), Next::Done);
    }
}
