//! What happened to an alert, and why, in the order in which it did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::existing;
use crate::{
    api::{Call, Moment},
    domain::{alert::Alert, event::Event, history::Entry},
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// How many instants a page has where nothing is said, and at most.
const PAGE: u32 = 1000;

/// Asks what happened to an alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertHistory {
    /// Its identifier.
    alert_id: Id<Alert>,
    /// Where the page begins: what the page before said in `next_cursor`.
    cursor: Option<String>,
    /// How many instants at most, each with all that was decided then; 1000 where absent.
    limit: Option<u32>,
}

/// What happened to an alert.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HistoryPage {
    /// What happened, oldest first.
    pub results: Vec<HistoryInfo>,
    /// What to give as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// One thing that happened to an alert, or that was decided for it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HistoryInfo {
    /// When.
    pub at: Moment,
    /// Who or what did it, e.g. `token:…`, `webhook:…`, `timer:snooze`.
    pub actor: String,
    /// The event on whose account, if there was one.
    pub event_id: Option<Id<Event>>,
    /// Which part decided: life, rule, group, mute, escalation or notice.
    pub of: &'static str,
    /// What came out, in a word.
    pub verdict: &'static str,
    /// What came out and why, in a sentence.
    pub sentence: String,
    /// The same for programs.
    pub step: Value,
}

impl HistoryInfo {
    fn new(entry: Entry) -> Result<Self> {
        let Entry { alert_id: _, event_id, at, actor, step } = entry;
        let kept = serde_json::to_value(&step).map_err(Error::internal)?;
        Ok(Self {
            at: at.into(),
            actor,
            event_id,
            of: step.of(),
            verdict: step.verdict(),
            sentence: step.sentence(),
            step: kept.get("step").cloned().unwrap_or_default(),
        })
    }
}

/// What happened to an alert, oldest first.
pub fn history(tx: &dyn Tx, call: &Call, request: AlertHistory) -> Result<HistoryPage> {
    let AlertHistory { alert_id, cursor, limit } = request;
    existing(tx, call, &alert_id)?;
    let wrong = |detail: &str| Error::at(Code::InvalidParameter, "/cursor", detail);
    let after = match cursor.filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => {
            cursor.parse::<i64>().map_err(|_| wrong("expected what `next_cursor` said"))?
        }
    };
    let limit = match limit {
        None => PAGE,
        Some(rows @ 1..=PAGE) => rows,
        Some(_) => {
            let detail = format!("a page has 1 to {PAGE} instants");
            return Err(Error::at(Code::InvalidParameter, "/limit", detail));
        }
    };
    let entries = tx.entries(&call.caller.scope, &alert_id, (after, limit))?;
    let mut numbers: Vec<i64> = entries.iter().map(|(number, _)| *number).collect();
    numbers.dedup();
    let is_full = numbers.len() >= limit as usize;
    let last = numbers.last().filter(|_| is_full).map(ToString::to_string);
    let results = entries.into_iter().map(|(_, entry)| HistoryInfo::new(entry));
    Ok(HistoryPage { results: results.collect::<Result<_>>()?, next_cursor: last })
}
