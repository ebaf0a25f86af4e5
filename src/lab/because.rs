//! Why an event did to alerts what it did, in a sentence that names what it was decided by.

use serde_json::json;

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{alert::Alert, event::Event, scope::Scope, words::Why},
    error::{Code, Error, Result},
    query::{ALERTS, Query},
    store::Tx,
};

/// How many of the last alerts of a key are looked at for the one that an event came after.
const LATELY: u32 = 100;

/// Why `event` did to alerts what it did.
pub(super) fn because(tx: &dyn Tx, scope: &Scope, event: &Event) -> Result<String> {
    let key = &event.draft.event_key;
    let alert = match &event.alert_id {
        Some(id) => tx.alert(scope, id)?,
        None => None,
    };
    let named = match (&alert, &event.alert_id) {
        (Some(alert), _) => format!("{} (#{})", alert.alert_id(), alert.alert_number),
        (None, Some(id)) => format!("{id}, which is deleted,"),
        (None, None) => "no alert".to_owned(),
    };
    Ok(match event.why {
        Why::NewKey => format!("It opened alert {named}: no alert of key `{key}` was open."),
        Why::OpensAgain => {
            let last = last_over(tx, scope, event)?;
            let last = last.map(|last| format!(" ({})", over(&last))).unwrap_or_default();
            format!(
                "It opened alert {named}: the last alert of key `{key}` was over{last}, and this occurred later."
            )
        }
        Why::SameKey => format!("It joined alert {named}, which was open with its key `{key}`."),
        Why::Worse => format!(
            "It joined alert {named}, which was open with its key `{key}`, and raised it to {}.",
            event.draft.severity
        ),
        Why::Recovers => {
            format!("It resolved alert {named}, which was open with its key `{key}`.")
        }
        Why::ManualRecovery => format!(
            "It is the recovery of alert {named}, and joined it: the project's recovery mode was MANUAL, so a person resolves it."
        ),
        Why::NothingToRecover => nothing_to_recover(event, &named),
        Why::Late => late(tx, scope, event)?,
        Why::AlreadyRecovered => {
            let reason = alert.and_then(|alert| alert.ending).map(|ending| ending.reason);
            let reason = reason.unwrap_or_else(|| "its recovery had arrived before it".to_owned());
            format!("It opened alert {named}, which was resolved at once: {reason}.")
        }
        Why::Dropped => {
            "An event rule dropped it: it is kept and counted, and touches no alert.".to_owned()
        }
        Why::BelowThreshold => {
            "It opened no alert: a group rule wants more events of its group first.".to_owned()
        }
        Why::HeldOpen => format!(
            "It is the recovery of alert {named}, which stays open: it opened and recovered too often lately, or alerts that are part of it are open still."
        ),
        Why::Unreadable => format!(
            "It belongs to alert {named}: what was posted to webhook {} could not be read, and each cause has one alert.",
            event.webhook_id
        ),
    })
}

fn nothing_to_recover(event: &Event, alert: &str) -> String {
    let key = &event.draft.event_key;
    if event.alert_id.is_some() {
        return format!(
            "It is a recovery, and no alert of key `{key}` was open when it arrived. Its firing arrived after it, so it belongs to alert {alert}."
        );
    }
    format!("It is a recovery and changed nothing: no alert of key `{key}` was open.")
}

fn late(tx: &dyn Tx, scope: &Scope, event: &Event) -> Result<String> {
    let occurred = event.draft.occurred_at.map(rfc3339).unwrap_or_default();
    let past = last_over(tx, scope, event)?;
    let recovered_at = past.as_ref().and_then(|alert| alert.ending.as_ref()?.recovered_at);
    let recovered = recovered_at.map(|time| format!(" at {}", rfc3339(time))).unwrap_or_default();
    let of = past.map(|alert| format!(" {}", alert.alert_id())).unwrap_or_default();
    Ok(format!(
        "It is late and changed nothing: it occurred at {occurred}, before the recovery{recovered} that resolved the last \
         alert{of} of its key `{}`.",
        event.draft.event_key
    ))
}

/// The alert of the event's key that was over last when the event arrived.
fn last_over(tx: &dyn Tx, scope: &Scope, event: &Event) -> Result<Option<Alert>> {
    let asked = json!({
        "filter": [
            { "k": "event_key", "v": event.draft.event_key, "o": "eq" },
            { "k": "project_id", "v": event.home.project_id, "o": "eq" },
        ],
        "page": { "limit": LATELY },
    });
    let query = Query::parse(&asked, &ALERTS, event.created_at)
        .map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    let found = tx.alerts(scope, &query.uncounted())?.rows;
    let over_by_then = found.into_iter().filter(|alert| {
        Some(alert.alert_id()) != event.alert_id.as_ref()
            && resolved_at(alert).is_some_and(|time| time <= event.created_at)
    });
    Ok(over_by_then.max_by_key(resolved_at))
}

fn resolved_at(alert: &Alert) -> Option<Timestamp> {
    alert.ending.as_ref().map(|ending| ending.resolved_at)
}

fn over(alert: &Alert) -> String {
    let resolved = resolved_at(alert).map(rfc3339).unwrap_or_default();
    format!("{}, resolved at {resolved}", alert.alert_id())
}
