//! Words that senders use: what they say of severity and of the way a problem goes, and how names are read.

use crate::domain::words::Severity;

/// Which way a problem goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Going {
    /// It is there.
    Alert,
    /// It is over.
    Recovery,
}

const ALERTS: &[&str] = &[
    "firing",
    "alerting",
    "alert",
    "alarm",
    "triggered",
    "trigger",
    "open",
    "opened",
    "problem",
    "active",
    "activated",
    "down",
    "critical",
    "warning",
    "error",
    "failed",
    "failing",
    "failure",
    "fail",
    "new",
    "created",
    "unhealthy",
    "breached",
    "violated",
    "acknowledged",
    "ack",
    "raised",
    "started",
    "start",
    "no_data",
    "nodata",
    "unresolved",
    "degraded",
    "offline",
    "unreachable",
    "in_alarm",
    "incident",
    "investigating",
    "unknown",
    "bad",
    "pending",
    "re-triggered",
    "reopened",
    "escalated",
    "insufficient_data",
    "not_ok",
    "fired",
    "major",
    "minor",
];

const RECOVERIES: &[&str] = &[
    "resolved",
    "resolve",
    "ok",
    "okay",
    "closed",
    "close",
    "recovered",
    "recovery",
    "up",
    "normal",
    "cleared",
    "clear",
    "healthy",
    "inactive",
    "deactivated",
    "success",
    "succeeded",
    "passed",
    "passing",
    "fixed",
    "ended",
    "end",
    "online",
    "solved",
    "completed",
    "no_alert",
    "operational",
    "done",
    "green",
    "in_service",
    "back_to_normal",
];

const CRITICAL: &[&str] = &[
    "critical",
    "crit",
    "fatal",
    "emergency",
    "emerg",
    "disaster",
    "blocker",
    "p0",
    "p1",
    "sev0",
    "sev1",
    "s1",
    "urgent",
    "severe",
    "catastrophic",
    "very high",
    "highest",
    "page",
    "panic",
    "red",
];
const ERROR: &[&str] = &[
    "error", "err", "high", "major", "average", "p2", "sev2", "s2", "failure", "orange", "alert",
    "serious",
];
const WARNING: &[&str] = &[
    "warning", "warn", "medium", "moderate", "minor", "p3", "sev3", "s3", "yellow", "degraded",
    "caution",
];
const INFO: &[&str] = &[
    "info",
    "information",
    "informational",
    "notice",
    "low",
    "p4",
    "p5",
    "sev4",
    "sev5",
    "s4",
    "debug",
    "lowest",
    "trivial",
    "verbose",
    "blue",
];
const NONE: &[&str] =
    &["none", "ok", "okay", "normal", "clear", "cleared", "not classified", "resolved", "green"];
const NOT_AVAILABLE: &[&str] =
    &["unknown", "no_data", "nodata", "not_available", "insufficient_data", "indeterminate"];

/// The way that a word says a problem goes; `None` for any other word.
pub(super) fn going(word: &str) -> Option<Going> {
    let word = plain(word);
    let is_in = |words: &[&str]| words.iter().any(|known| is_same(known, &word));
    match (is_in(ALERTS), is_in(RECOVERIES)) {
        (true, _) => Some(Going::Alert),
        (false, true) => Some(Going::Recovery),
        (false, false) => None,
    }
}

/// The severity that a word stands for; `None` for any other word.
pub(super) fn severity(word: &str) -> Option<Severity> {
    let word = plain(word);
    let known = [
        (CRITICAL, Severity::Critical),
        (ERROR, Severity::Error),
        (WARNING, Severity::Warning),
        (INFO, Severity::Info),
        (NONE, Severity::None),
        (NOT_AVAILABLE, Severity::NotAvailable),
    ];
    known
        .into_iter()
        .find(|(words, _)| words.iter().any(|known| is_same(known, &word)))
        .map(|it| it.1)
}

/// Whether a text says in one of its words which way a problem goes, as `[FIRING:2]` and `ALARM: disk full` do.
pub(super) fn says_going(text: &str) -> bool {
    let loud = |word: &str| word.len() > 1 && word.chars().all(char::is_uppercase);
    let words =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words = words.enumerate();
    words.any(|(at, word)| (at == 0 || loud(word)) && going(word).is_some())
}

/// A word in small letters, without what stands between its parts.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a word of ours, in small letters, is this plain one.
fn is_same(known: &str, plain: &str) -> bool {
    known.chars().filter(|letter| letter.is_alphanumeric()).eq(plain.chars())
}

/// The words of a name: `startsAt`, `starts_at` and `Starts-At` are `starts` and `at`.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let goes_on = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && goes_on)
            });
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// How much names weigh that end in one of the hints, by how much of the name the hint explains.
pub(super) fn weigh(words: &[String], hints: &[(&str, i32)]) -> i32 {
    let mut best = 0;
    let mut end = String::new();
    for (unexplained, word) in
        (0..words.len()).zip(words.iter().rev()).map(|(at, word)| (words.len() - at - 1, word))
    {
        end.insert_str(0, word);
        let lost = i32::try_from(unexplained.min(4)).unwrap_or(4) * 2;
        let found =
            hints.iter().filter(|(hint, _)| *hint == end).map(|(_, weight)| weight - lost).max();
        best = best.max(found.unwrap_or(0));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::draft::names::KEYS;

    #[test]
    fn names_are_split_as_people_read_them() {
        for (name, words) in [
            ("startsAt", "starts at"),
            ("AWSAccountId", "aws account id"),
            ("host.name", "host name"),
            ("alert_id", "alert id"),
            ("p99Latency", "p99 latency"),
            ("URL", "url"),
        ] {
            assert_eq!(words_of(name).join(" "), words);
        }
    }

    #[test]
    fn a_name_weighs_more_the_more_of_it_a_hint_explains() {
        let weigh = |name: &str| weigh(&words_of(name), KEYS);
        assert_eq!(weigh("fingerprint"), 50);
        assert_eq!(weigh("alert.id"), 44);
        assert!(weigh("tenant.id") < weigh("id"));
        assert_eq!(weigh("flavour"), 0);
    }

    #[test]
    fn titles_that_say_which_way_it_goes_are_known() {
        for (title, says) in [
            ("[FIRING:2] Web", true),
            ("ALARM: \"web-1\" in Seoul", true),
            ("Disk is down on web-1", false),
            ("Resolved: disk full", true),
            ("High CPU", false),
        ] {
            assert_eq!(says_going(title), says, "{title}");
        }
    }
}
