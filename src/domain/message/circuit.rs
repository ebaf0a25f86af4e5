//! Whether a target is worth trying: one that keeps failing is left in peace for a while, then tried with one message.

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// After so many failures in a row a target is left in peace.
const MOST_FAILURES: u32 = 5;

/// For how long, the first time; twice as long each further time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// What is known of a target since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circuit {
    /// How many attempts failed in a row.
    failures: u32,
    /// How often it was left in peace in a row.
    pauses: u32,
    /// Until when it is left in peace.
    until: Option<Timestamp>,
}

/// How much may be sent to a target now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As much as there is.
    Closed,
    /// One message, to see whether it works again.
    Trying,
    /// Nothing before this time.
    Open(Timestamp),
}

impl Circuit {
    /// How much may be sent now.
    pub fn state(&self, now: Timestamp) -> State {
        match self.until {
            Some(until) if now < until => State::Open(until),
            Some(_) if self.failures > 0 => State::Trying,
            Some(_) | None => State::Closed,
        }
    }

    /// Something arrived.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Something failed in a way that may be the target's.
    pub fn failed(&mut self, now: Timestamp) {
        let was = self.state(now);
        self.failures = self.failures.saturating_add(1);
        match was {
            // Those that were under way when it opened say nothing new.
            State::Open(_) => {}
            State::Closed if self.failures < MOST_FAILURES => {}
            State::Closed | State::Trying => {
                let pause = FIRST_PAUSE * 2_i32.pow(self.pauses.min(10));
                self.pauses = self.pauses.saturating_add(1);
                self.until = Some(now + pause.min(LONGEST_PAUSE));
            }
        }
    }

    /// The target asks for nothing before this time.
    pub fn hold(&mut self, until: Timestamp) {
        self.until = Some(self.until.map_or(until, |before| before.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn at(seconds: i64) -> Timestamp {
        from_millis(seconds * 1000)
    }

    #[test]
    fn a_target_that_fails_five_times_in_a_row_is_left_in_peace_longer_each_time() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            circuit.failed(at(0));
            assert_eq!(circuit.state(at(0)), State::Closed);
        }
        circuit.failed(at(0));
        assert_eq!(circuit.state(at(9)), State::Open(at(10)));
        assert_eq!(circuit.state(at(10)), State::Trying);
        circuit.failed(at(10));
        assert_eq!(circuit.state(at(29)), State::Open(at(30)));
        let mut now = 30;
        for _ in 0..20 {
            circuit.failed(at(now));
            let State::Open(until) = circuit.state(at(now)) else { panic!("closed") };
            assert!(until <= at(now + 300));
            now = until.timestamp();
        }
    }

    #[test]
    fn one_that_works_again_is_trusted_again() {
        let mut circuit = Circuit::default();
        (0..9).for_each(|_| circuit.failed(at(0)));
        circuit.succeeded();
        assert_eq!(circuit.state(at(0)), State::Closed);
        (0..4).for_each(|_| circuit.failed(at(0)));
        assert_eq!(circuit.state(at(0)), State::Closed);
    }

    #[test]
    fn what_was_under_way_when_it_opened_does_not_lengthen_the_pause() {
        let mut circuit = Circuit::default();
        (0..50).for_each(|_| circuit.failed(at(0)));
        assert_eq!(circuit.state(at(0)), State::Open(at(10)));
    }

    #[test]
    fn a_target_that_asks_for_time_gets_it_without_being_suspected() {
        let mut circuit = Circuit::default();
        circuit.hold(at(60));
        assert_eq!(circuit.state(at(59)), State::Open(at(60)));
        assert_eq!(circuit.state(at(60)), State::Closed);
    }
}
