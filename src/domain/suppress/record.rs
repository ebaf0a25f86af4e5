//! An alert as filters look at it.

use serde_json::{Map, Value, json};

use crate::{clock::rfc3339, domain::alert::Alert};

/// An alert with the fields that filters of alerts may name, as its view shows them. What is not known before it is kept
/// (its number) is as it will never be.
pub fn record(alert: &Alert) -> Value {
    let standing = &alert.standing;
    let escalation = &alert.care.escalation;
    let resource = |name: &String| json!({ "name": name });
    let info: Map<String, Value> =
        alert.additional_info.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    json!({
        "alert_number": alert.alert_number,
        "alert_number_str": alert.alert_number.to_string(),
        "alert_id": standing.alert_id,
        "title": alert.title,
        "state": standing.state.as_str(),
        "description": alert.description,
        "assignee": alert.assignee,
        "responder": alert.responder,
        "urgency": standing.urgency.as_str(),
        "severity": standing.severity.as_str(),
        "rule": alert.rule,
        "image_url": alert.image_url,
        "resources": alert.resources.iter().map(resource).collect::<Vec<_>>(),
        "provider": alert.provider,
        "account": alert.account,
        "additional_info": info,
        "escalation_step": escalation.step,
        "escalation_ttl": escalation.ttl,
        "triggered_by": alert.triggered_by,
        "webhook_id": alert.webhook_id,
        "escalation_policy_id": escalation.policy_id,
        "project_id": alert.home.project_id,
        "workspace_id": alert.home.workspace_id,
        "domain_id": alert.home.domain_id,
        "created_at": rfc3339(alert.created_at),
        "updated_at": rfc3339(standing.updated_at),
        "acknowledged_at": alert.acknowledged_at.map(rfc3339),
        "resolved_at": alert.ending.as_ref().map(|ending| rfc3339(ending.resolved_at)),
        "escalated_at": escalation.escalated_at.map(rfc3339),
        "event_key": alert.event_key,
        "event_count": standing.event_count,
        "first_event_at": rfc3339(alert.created_at),
        "last_event_at": rfc3339(standing.last_event_at),
        "resolved_reason": alert.ending.as_ref().map(|ending| ending.reason.as_str()),
    })
}

/// The values that `path` leads to in a record, with the elements of lists each by itself; null is no value.
pub(super) fn values<'a>(record: &'a Value, path: &[String]) -> Vec<&'a Value> {
    let mut found = Vec::new();
    follow(record, path, &mut found);
    found
}

fn follow<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    match (value, path.split_first()) {
        (Value::Null, _) | (Value::Bool(_) | Value::Number(_) | Value::String(_), Some(_)) => {}
        (Value::Array(items), _) => {
            for item in items {
                follow(item, path, found);
            }
        }
        (value, None) => found.push(value),
        (Value::Object(members), Some((step, rest))) => {
            if let Some(member) = members.get(step) {
                follow(member, rest, found);
            }
        }
    }
}
