//! Words that senders use: what they say of severity and of the way a problem goes, and how fields are called.

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

/// Names of what tells one problem from another.
pub(super) const KEYS: &[(&str, i32)] = &[
    ("fingerprint", 50),
    ("dedupkey", 50),
    ("dedupekey", 50),
    ("deduplicationkey", 50),
    ("eventkey", 50),
    ("alertkey", 48),
    ("incidentkey", 48),
    ("problemkey", 48),
    ("alarmarn", 46),
    ("alertarn", 46),
    ("alertid", 44),
    ("alarmid", 44),
    ("incidentid", 44),
    ("problemid", 44),
    ("alertuid", 44),
    ("alerthash", 44),
    ("issueid", 40),
    ("incidentnumber", 36),
    ("alias", 36),
    ("caseid", 34),
    ("monitorid", 34),
    ("checkid", 34),
    ("triggerid", 32),
    ("incident", 26),
    ("ruleid", 30),
    ("ruleuid", 30),
    ("ticketid", 30),
    ("hash", 30),
    ("arn", 28),
    ("uid", 28),
    ("id", 28),
    ("key", 28),
    ("eventid", 26),
    ("guid", 24),
    ("uuid", 22),
    ("alarmname", 20),
    ("ref", 20),
    ("number", 18),
    ("code", 12),
];

/// Names of what each send has anew, or what is the same for all problems.
pub(super) const NOT_KEYS: &[(&str, i32)] = &[
    ("messageid", 60),
    ("deliveryid", 60),
    ("requestid", 60),
    ("notificationid", 50),
    ("traceid", 60),
    ("nonce", 60),
    ("signature", 80),
    ("token", 80),
    ("secret", 80),
    ("sequence", 50),
    ("executionid", 50),
    ("sendid", 60),
    ("transactionid", 40),
    ("version", 60),
    ("signatureversion", 60),
    ("orgid", 50),
    ("organizationid", 50),
    ("accountid", 50),
    ("account", 50),
    ("projectid", 40),
    ("tenantid", 50),
    ("tenant", 50),
    ("userid", 50),
    ("user", 50),
    ("groupkey", 20),
    ("value", 40),
    ("status", 60),
    ("state", 60),
    ("count", 50),
    ("duration", 60),
    ("threshold", 40),
    ("requesturl", 40),
    ("callbackid", 40),
    ("correlationid", 16),
    ("port", 30),
    ("statuscode", 60),
    ("errorcode", 40),
    ("statusid", 60),
    ("typeid", 40),
    ("teamid", 40),
    ("regionid", 40),
    ("region", 40),
    ("receiver", 40),
];

/// Names of what says which way a problem goes.
pub(super) const STATUSES: &[(&str, i32)] = &[
    ("alertstatus", 36),
    ("alertstate", 36),
    ("newstatevalue", 36),
    ("newstate", 34),
    ("currentstate", 34),
    ("status", 30),
    ("state", 30),
    ("incidentstatus", 34),
    ("transition", 28),
    ("alerttransition", 34),
    ("eventstatus", 34),
    ("eventaction", 28),
    ("alerttype", 26),
    ("eventtype", 26),
    ("action", 22),
    ("event", 16),
    ("type", 14),
    ("result", 12),
    ("condition", 12),
    ("kind", 12),
    ("health", 14),
    ("statevalue", 24),
    ("monitorstatus", 34),
    ("monitorstate", 34),
];

/// Names of truths that say that a problem is over.
pub(super) const OVER: &[&str] =
    &["resolved", "recovered", "closed", "cleared", "ok", "fixed", "healthy", "up"];

/// Names of truths that say that a problem is there.
pub(super) const THERE: &[&str] =
    &["firing", "active", "open", "triggered", "alerting", "down", "failing", "breached"];

/// Names of what says how bad a problem is.
pub(super) const SEVERITIES: &[(&str, i32)] = &[
    ("severity", 42),
    ("severitylevel", 42),
    ("alertseverity", 44),
    ("sev", 36),
    ("alertlevel", 36),
    ("criticality", 36),
    ("criticity", 36),
    ("priority", 32),
    ("level", 26),
    ("urgency", 26),
    ("importance", 26),
    ("loglevel", 22),
    ("impact", 16),
    ("grade", 16),
    ("class", 8),
    ("status", 8),
    ("state", 8),
    ("type", 4),
];

/// Names of the time at which a problem began.
pub(super) const STARTS: &[(&str, i32)] = &[
    ("startsat", 40),
    ("occurredat", 40),
    ("occuredat", 40),
    ("startedat", 40),
    ("starttime", 38),
    ("triggeredat", 38),
    ("triggertime", 36),
    ("triggeredtime", 36),
    ("firedat", 38),
    ("firedtime", 38),
    ("eventtime", 36),
    ("openedat", 34),
    ("opentime", 34),
    ("statechangetime", 36),
    ("eventdate", 32),
    ("alerttime", 34),
    ("timestamp", 30),
    ("datetime", 28),
    ("time", 26),
    ("date", 22),
    ("createdat", 24),
    ("created", 22),
    ("ts", 24),
    ("start", 30),
    ("at", 16),
    ("since", 24),
    ("when", 24),
    ("firstseen", 20),
    ("lastseen", 18),
    ("detectedat", 34),
    ("updatedat", 14),
    ("lastupdated", 12),
    ("clock", 18),
    ("sentat", 10),
    ("publishtime", 10),
    ("ms", 18),
    ("epoch", 22),
];

/// Names of the time at which a problem ended.
pub(super) const ENDS: &[(&str, i32)] = &[
    ("endsat", 40),
    ("endedat", 40),
    ("resolvedat", 40),
    ("resolvedtime", 40),
    ("closedat", 38),
    ("closetime", 36),
    ("recoveredat", 40),
    ("recoverytime", 40),
    ("recoverydate", 36),
    ("endtime", 38),
    ("clearedat", 38),
    ("cleartime", 36),
    ("resolutiontime", 34),
    ("enddate", 34),
    ("end", 26),
    ("resolved", 20),
    ("closed", 18),
];

/// What names of times contain.
pub(super) const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "date",
    "at",
    "ts",
    "epoch",
    "clock",
    "when",
    "created",
    "updated",
    "started",
    "start",
    "ended",
    "end",
    "since",
    "until",
    "seen",
    "occurred",
    "datetime",
    "ms",
    "startsat",
    "endsat",
    "triggered",
    "resolved",
];

/// Names of what a person reads first.
pub(super) const TITLES: &[(&str, i32)] = &[
    ("title", 44),
    ("alerttitle", 46),
    ("subject", 40),
    ("headline", 40),
    ("alertname", 38),
    ("alarmname", 38),
    ("summary", 36),
    ("monitorname", 36),
    ("checkname", 36),
    ("eventtitle", 44),
    ("triggername", 36),
    ("rulename", 34),
    ("conditionname", 30),
    ("incidenttitle", 44),
    ("problemtitle", 44),
    ("name", 22),
    ("problem", 20),
    ("shortdescription", 34),
    ("message", 20),
    ("text", 16),
    ("msg", 20),
    ("description", 14),
    ("event", 8),
    ("alert", 20),
    ("reason", 12),
];

/// Names of what a person reads next.
pub(super) const DESCRIPTIONS: &[(&str, i32)] = &[
    ("description", 44),
    ("alertdescription", 46),
    ("alarmdescription", 46),
    ("message", 38),
    ("msg", 36),
    ("body", 32),
    ("details", 36),
    ("detail", 34),
    ("text", 34),
    ("alertmessage", 40),
    ("reason", 30),
    ("newstatereason", 36),
    ("output", 32),
    ("summary", 28),
    ("content", 30),
    ("info", 18),
    ("comment", 16),
    ("longoutput", 34),
    ("error", 18),
    ("errormessage", 34),
    ("note", 14),
];

/// Names of the sender's rule or check.
pub(super) const RULES: &[(&str, i32)] = &[
    ("rulename", 44),
    ("alertname", 42),
    ("alarmname", 42),
    ("rule", 36),
    ("checkname", 40),
    ("monitorname", 40),
    ("policyname", 38),
    ("triggername", 40),
    ("conditionname", 36),
    ("check", 28),
    ("monitor", 26),
    ("policy", 26),
    ("trigger", 20),
    ("definitionname", 30),
    ("query", 8),
];

/// Names of what a problem is about.
pub(super) const RESOURCES: &[(&str, i32)] = &[
    ("host", 44),
    ("hostname", 46),
    ("instance", 42),
    ("instanceid", 42),
    ("node", 38),
    ("nodename", 40),
    ("server", 38),
    ("servername", 40),
    ("pod", 38),
    ("podname", 40),
    ("resource", 42),
    ("resourceid", 40),
    ("resourcename", 44),
    ("service", 34),
    ("servicename", 36),
    ("device", 38),
    ("devicename", 40),
    ("target", 34),
    ("entity", 34),
    ("entityname", 38),
    ("container", 28),
    ("cluster", 20),
    ("clustername", 22),
    ("namespace", 14),
    ("ip", 22),
    ("ipaddress", 26),
    ("hostip", 26),
    ("machine", 36),
    ("vm", 34),
    ("vmname", 36),
    ("database", 26),
    ("component", 24),
    ("job", 18),
    ("site", 22),
    ("website", 28),
    ("resources", 38),
    ("hosts", 40),
    ("app", 20),
    ("application", 22),
    ("queue", 20),
    ("endpoint", 24),
    ("topic", 14),
    ("interface", 16),
    ("fqdn", 38),
    ("scope", 10),
];

/// Names of the account that resources belong to.
pub(super) const ACCOUNTS: &[(&str, i32)] = &[
    ("accountid", 44),
    ("account", 36),
    ("accountname", 30),
    ("subscriptionid", 40),
    ("tenantid", 28),
    ("organizationid", 20),
    ("orgid", 18),
    ("workspaceid", 18),
];

/// Names of lists whose elements are events.
pub(super) const LISTS: &[(&str, i32)] = &[
    ("alerts", 6),
    ("events", 6),
    ("incidents", 6),
    ("problems", 6),
    ("alarms", 6),
    ("notifications", 5),
    ("items", 5),
    ("issues", 5),
    ("records", 5),
    ("messages", 4),
    ("entries", 4),
    ("results", 3),
    ("data", 3),
    ("hits", 3),
    ("monitors", 3),
    ("checks", 3),
    ("firing", 4),
    ("signals", 4),
    ("findings", 5),
    ("tickets", 4),
];

/// Names of objects that describe a problem by their fields.
pub(super) const LABELS: &[&str] =
    &["labels", "tags", "dimensions", "attributes", "commonlabels", "annotations"];

#[cfg(test)]
mod tests {
    use super::*;

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
