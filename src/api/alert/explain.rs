//! `alert.explain`: why an alert is as it is, from its first event on: what was decided, by what, in order of time.

use std::{collections::BTreeMap, fmt::Write as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AlertInfo, existing};
use crate::{
    api::{Call, Moment},
    clock::Timestamp,
    domain::{alert::Alert, event::Event, history::Entry, webhook::Webhook, words::Why},
    error::{Error, Result},
    id::Id,
    query::{EVENTS, Query},
    store::Tx,
};

/// How many of the first events of an alert are told, and how many of the last.
const EVENTS_AT_EITHER_END: u32 = 50;

/// At how many instants decisions are told at once.
const INSTANTS: u32 = 500;

/// Asks why an alert is as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Where the last answer ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
}

/// Why an alert is as it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlertExplained {
    /// The alert.
    pub alert: AlertInfo,
    /// How it stands and why, in a sentence or two.
    pub summary: String,
    /// What happened and what was decided, in order of time.
    pub steps: Vec<ExplainedStep>,
    /// How many events between its first and its last ones are not told.
    pub events_left_out: u64,
    /// Where the rest begins; null where this is all.
    pub next_cursor: Option<String>,
}

/// One thing that happened to an alert, or was decided for it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedStep {
    /// When.
    pub at: Moment,
    /// What it is about: `event`, `life`, `rule`, `group`, `mute`, `escalation` or `notice`.
    pub of: &'static str,
    /// What came out, in a word.
    pub verdict: String,
    /// What came out and what decided it, in a sentence.
    pub sentence: String,
    /// Who or what decided, e.g. `webhook:webhook-…`, `timer:escalate`, `token:token-…`.
    pub actor: String,
    /// The event that it was decided on.
    pub event_id: Option<Id<Event>>,
    /// All that is known of it, for programs; null for an event, which stands by itself.
    pub detail: Value,
}

/// Why an alert is as it is.
pub fn explain(tx: &dyn Tx, call: &Call, request: ExplainAlert) -> Result<AlertExplained> {
    let ExplainAlert { alert_id, cursor } = request;
    let alert = existing(tx, call, &alert_id)?;
    let after = cursor.as_deref().map(place).transpose()?;
    let decided = tx.entries(&call.caller.scope, &alert_id, (after.unwrap_or(0), INSTANTS))?;
    let is_rest = u32::try_from(instants(&decided)).is_ok_and(|many| many >= INSTANTS);
    let next_cursor = decided.last().filter(|_| is_rest).map(|(number, _)| number.to_string());
    // With the first page, so that none comes twice.
    let events = if after.is_none() { ends(tx, call, &alert)? } else { Vec::new() };
    let told = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let events_left_out = match after {
        None => alert.standing.event_count.saturating_sub(told),
        Some(_) => 0,
    };
    let names = names(tx, call, &events)?;
    let steps = merged(events.iter().map(|event| told_of(event, &alert, &names)), decided)?;
    let summary = summary(&alert);
    Ok(AlertExplained {
        alert: AlertInfo::from(alert),
        summary,
        steps,
        events_left_out,
        next_cursor,
    })
}

fn place(cursor: &str) -> Result<i64> {
    cursor.parse().map_err(|_| {
        let detail = "this is no cursor of an explanation; expected the `next_cursor` of one";
        Error::at(crate::error::Code::InvalidParameter, "/cursor", detail)
    })
}

fn instants(decided: &[(i64, Entry)]) -> usize {
    decided.chunk_by(|(one, _), (other, _)| one == other).count()
}

/// The first and the last events of an alert, oldest first.
fn ends(tx: &dyn Tx, call: &Call, alert: &Alert) -> Result<Vec<Event>> {
    let page = |sort: Value, limit: u32| {
        let asked = json!({
            "filter": [{ "k": "alert_id", "v": alert.alert_id(), "o": "eq" }],
            "sort": sort,
            "page": { "limit": limit, "total": "none" },
        });
        let query = Query::parse(&asked, &EVENTS, call.now).map_err(Error::internal)?;
        Ok::<_, Error>(tx.events(&call.caller.scope, &query)?.rows)
    };
    let newest = json!([{ "key": "created_at", "desc": true }]);
    let all = 2 * EVENTS_AT_EITHER_END;
    if alert.standing.event_count <= u64::from(all) {
        let mut events = page(newest, all)?;
        events.reverse();
        return Ok(events);
    }
    let mut events = page(json!([{ "key": "created_at" }]), EVENTS_AT_EITHER_END)?;
    let mut last = page(newest, EVENTS_AT_EITHER_END)?;
    last.reverse();
    last.retain(|event| events.iter().all(|other| other.event_id != event.event_id));
    events.extend(last);
    Ok(events)
}

/// What the webhooks are called that the events came through.
fn names(tx: &dyn Tx, call: &Call, events: &[Event]) -> Result<BTreeMap<Id<Webhook>, String>> {
    let mut names = BTreeMap::new();
    for event in events {
        if names.contains_key(&event.webhook_id) {
            continue;
        }
        let webhook = tx.webhook(&call.caller.scope, &event.webhook_id)?;
        let name = webhook.map_or_else(|| event.webhook_id.to_string(), |webhook| webhook.name);
        names.insert(event.webhook_id.clone(), name);
    }
    Ok(names)
}

/// What an event was and did, in a sentence.
fn told_of(event: &Event, alert: &Alert, names: &BTreeMap<Id<Webhook>, String>) -> ExplainedStep {
    let webhook = names.get(&event.webhook_id).map(String::as_str).unwrap_or_default();
    let draft = &event.draft;
    let title = draft.title.as_ref().map(|title| format!(" \"{title}\"")).unwrap_or_default();
    let (verdict, did) = match event.why {
        Why::NewKey | Why::OpensAgain | Why::AlreadyRecovered => ("opened", "opened the alert"),
        Why::Recovers => ("resolved", "resolved it"),
        Why::Unreadable if event.created_at == alert.created_at => ("opened", "opened the alert"),
        Why::SameKey | Why::Worse | Why::ManualRecovery | Why::HeldOpen | Why::Unreadable => {
            ("joined", "joined it")
        }
        Why::NothingToRecover | Why::Late | Why::Dropped | Why::BelowThreshold => {
            ("kept", "was kept")
        }
    };
    let sentence = format!(
        "{}{title} of severity {} came through webhook `{webhook}` with key `{}` and {did}: {}",
        draft.event_type,
        draft.severity,
        draft.event_key,
        lower(event.why.meaning())
    );
    ExplainedStep {
        at: event.created_at.into(),
        of: "event",
        verdict: verdict.to_owned(),
        sentence,
        actor: format!("webhook:{}", event.webhook_id),
        event_id: Some(event.event_id.clone()),
        detail: Value::Null,
    }
}

/// A sentence that goes on after a colon.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Events and decisions in order of time: what was decided on an event comes after it.
fn merged(
    events: impl Iterator<Item = ExplainedStep>,
    decided: Vec<(i64, Entry)>,
) -> Result<Vec<ExplainedStep>> {
    let mut events = events.peekable();
    let mut steps = Vec::new();
    for (_, entry) in decided {
        while let Some(event) = events.next_if(|event| comes_first(event, &entry)) {
            steps.push(event);
        }
        steps.push(ExplainedStep {
            at: entry.at.into(),
            of: entry.step.of(),
            verdict: entry.step.verdict().to_owned(),
            sentence: entry.step.sentence(),
            detail: serde_json::to_value(&entry.step).map_err(Error::internal)?["step"].take(),
            actor: entry.actor,
            event_id: entry.event_id,
        });
    }
    steps.extend(events);
    Ok(steps)
}

/// Whether an event comes before what was decided: it arrived before, or this was decided on it or on one after it.
fn comes_first(event: &ExplainedStep, entry: &Entry) -> bool {
    let at: Timestamp = event.at.0;
    at < entry.at || (at == entry.at && event.event_id <= entry.event_id)
}

/// How an alert stands and why.
fn summary(alert: &Alert) -> String {
    let (standing, care) = (&alert.standing, &alert.care);
    let mut text = format!(
        "Alert #{} is {} with {} event(s), severity {} and urgency {}.",
        alert.alert_number,
        standing.state,
        standing.event_count,
        standing.severity,
        standing.urgency
    );
    if let Some(ending) = &alert.ending {
        let _ = write!(text, " It ended: {}.", ending.reason.trim_end_matches('.'));
    } else if let Some(mute) = &care.mute {
        let _ = write!(text, " `{}` ({}) mutes it.", mute.name, mute.by);
    } else if let Some(snooze) = &care.snooze {
        let _ = write!(text, " {} put it off.", snooze.by);
    } else if care.flapping.is_some() {
        text.push_str(" It opens and recovers too often.");
    }
    if let Some(lead) = &care.merged_into {
        let _ = write!(text, " It is part of {lead}.");
    }
    text
}
