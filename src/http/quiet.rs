//! Keeps the log readable while someone hammers the door: one line for each address, error and minute.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::{clock::Timestamp, error::Code};

/// How many lines of one minute are told apart; beyond, nothing more is written that minute.
const TOLD_APART: usize = 1024;

/// What was written in the current minute.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    minute: i64,
    lines: HashSet<(&'static str, String)>,
}

impl Quiet {
    /// Whether this is the first `code` to `remote` in the minute of `now`, so that it is worth a line.
    pub(super) fn is_news(&self, code: Code, remote: &str, now: Timestamp) -> bool {
        let minute = now.timestamp().div_euclid(60);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.minute != minute {
            *said = Said { minute, lines: HashSet::new() };
        }
        said.lines.len() < TOLD_APART && said.lines.insert((code.name(), remote.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn the_same_is_said_once_a_minute() {
        let quiet = Quiet::default();
        let (now, later) = (from_millis(0), from_millis(60_000));
        assert!(quiet.is_news(Code::AuthenticateFailure, "192.0.2.1", now));
        assert!(!quiet.is_news(Code::AuthenticateFailure, "192.0.2.1", now));
        assert!(quiet.is_news(Code::AuthenticateFailure, "192.0.2.2", now));
        assert!(quiet.is_news(Code::Unavailable, "192.0.2.1", now));
        assert!(quiet.is_news(Code::AuthenticateFailure, "192.0.2.1", later));
    }
}
