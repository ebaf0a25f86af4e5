//! What happens, line by line: what steps do, and what was decided on their account.

use std::collections::HashMap;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{file::Scenario, house::House, mail::Mailed, outcome::Line, seen::text, span};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        alert::Alert,
        history::Step,
        notice::{NoticeStep, NotificationType},
        scope::Scope,
    },
    error::Result,
    id::Id,
};

/// How many instants are asked for at once.
const AT_ONCE: u32 = 1000;

/// What happened so far.
pub(super) struct Log {
    start: Timestamp,
    zone: Tz,
    /// The number of the last entry that was noted.
    last: i64,
    said: Vec<Said>,
    /// What people were told.
    pub(super) sent: Vec<Value>,
    /// What channels would have got.
    pub(super) messages: Vec<Value>,
}

/// One thing that happened.
struct Said {
    at: Timestamp,
    alert_id: Option<Id<Alert>>,
    of: &'static str,
    verdict: String,
    sentence: String,
    text: String,
}

impl Log {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            start: scenario.start,
            zone: scenario.zone,
            last: 0,
            said: Vec::new(),
            sent: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Says what a step does.
    pub(super) fn say(&mut self, house: &House, verdict: &str, sentence: &str) {
        let (verdict, sentence) = (verdict.to_owned(), sentence.to_owned());
        let (at, text) = (house.now(), String::new());
        self.said.push(Said { at, alert_id: None, of: "step", verdict, sentence, text });
    }

    /// Notes messages.
    pub(super) fn mail(&mut self, mailed: Vec<Mailed>) {
        for Mailed { at, channel, kind, title, body, shown } in mailed {
            self.messages.push(shown);
            self.said.push(Said {
                at,
                alert_id: None,
                of: "message",
                verdict: "sent".to_owned(),
                sentence: format!("to `{channel}` ({kind}): {title}")
                    .trim_end_matches(": ")
                    .to_owned(),
                text: body,
            });
        }
    }

    /// Says that time passes.
    pub(super) fn passes(&mut self, house: &House, end: Timestamp) {
        let by = span::shown(end - house.now());
        self.say(house, "advance", &format!("time passes: {by}"));
    }

    /// Notes what was decided since it last did.
    pub(super) async fn catch_up(&mut self, house: &House) -> Result<()> {
        loop {
            let from = self.last;
            let found = house.read(move |tx| tx.all_entries((from, AT_ONCE))).await?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            self.last = *last;
            for (_, entry) in found {
                if let (Step::Notice(step), Some(id)) = (&entry.step, entry.alert_id.clone()) {
                    let alert = house.read(move |tx| tx.alert(&Scope::EVERYTHING, &id)).await?;
                    let sent = alert.and_then(|alert| notification(step, &alert, entry.at));
                    self.sent.extend(sent);
                }
                self.said.push(Said {
                    at: entry.at,
                    of: entry.step.of(),
                    verdict: entry.step.verdict().to_owned(),
                    sentence: entry.step.sentence(),
                    alert_id: entry.alert_id,
                    text: String::new(),
                });
            }
        }
    }

    /// Leaves out what was decided before the steps began.
    pub(super) async fn forget(&mut self, house: &House) -> Result<()> {
        self.catch_up(house).await?;
        self.said.clear();
        self.sent.clear();
        self.messages.clear();
        Ok(())
    }

    /// All of it, in order; `alerts` say which number each has.
    pub(super) fn lines(&self, alerts: &[Value]) -> Vec<Line> {
        let numbers: HashMap<String, u64> = alerts
            .iter()
            .filter_map(|alert| Some((text(alert, "alert_id"), alert["alert_number"].as_u64()?)))
            .collect();
        let line = |said: &Said| Line {
            at: said
                .at
                .with_timezone(&self.zone)
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            after: span::shown(said.at - self.start),
            alert_number: said.alert_id.as_ref().and_then(|id| numbers.get(id.as_str()).copied()),
            of: said.of,
            verdict: said.verdict.clone(),
            sentence: said.sentence.clone(),
            text: said.text.clone(),
        };
        self.said.iter().map(line).collect()
    }
}

/// What people were told, if they were told anything, with the fields of recorded scenarios.
fn notification(step: &NoticeStep, alert: &Alert, at: Timestamp) -> Option<Value> {
    let NoticeStep::Announced { occasion, level, step, reason, messages, passed } = step else {
        return None;
    };
    let kind = occasion.notification_type();
    let title = alert.title.as_deref().unwrap_or_default();
    let to: Vec<&str> = messages.iter().map(|message| message.name.as_str()).collect();
    let passed: Vec<Value> =
        passed.iter().map(|one| json!({ "name": one.name, "why": one.why.to_string() })).collect();
    Some(json!({
        "sent_at": rfc3339(at),
        "alert_number": alert.alert_number,
        "event_key": alert.event_key,
        "project_id": alert.home.project_id,
        "title": format!("{}{title}", occasion.prefix()),
        "notification_type": kind,
        "notification_level": level,
        // Whoever hears that something is broken is asked to acknowledge it.
        "callbacks": u8::from(kind == NotificationType::Error),
        "occasion": occasion,
        "escalation_step": step,
        "reason": reason,
        "to": to,
        "passed": passed,
    }))
}
