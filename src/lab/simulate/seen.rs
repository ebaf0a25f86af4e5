//! What came of it so far, with the fields of recorded scenarios among those of the API.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::house::{House, read};
use crate::{api, error::Result};

/// The fields of an event that are shown.
const EVENT: &[&str] = &[
    "event_key",
    "event_type",
    "title",
    "description",
    "severity",
    "rule",
    "resources",
    "provider",
    "account",
    "project_id",
    "webhook_id",
    "additional_info",
    "occurred_at",
    "created_at",
    "why",
];

/// What came of it so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) alerts: Vec<Value>,
    pub(super) events: Vec<Value>,
    pub(super) requests: Value,
}

impl Seen {
    /// Looks at everything, the oldest first.
    pub(super) async fn of(house: &House) -> Result<Self> {
        let mut alerts = house.all(read(api::alert::list), json!({})).await?;
        alerts.reverse();
        let number = |alert: &Value| alert["alert_number"].as_u64().unwrap_or_default();
        alerts.sort_by_key(number);
        let numbers: HashMap<String, Value> = alerts
            .iter()
            .map(|alert| (text(alert, "alert_id"), alert["alert_number"].clone()))
            .collect();
        let only = [EVENT, &["alert_id"]].concat();
        let mut events = house.all(read(api::event::list), json!({ "only": only })).await?;
        events.reverse();
        let requests = house.requests();
        Ok(Self {
            alerts: alerts.into_iter().map(alert).collect(),
            events: events.iter().map(|found| event(found, &numbers)).collect(),
            requests: json!({ "total": requests.total, "error": requests.error }),
        })
    }
}

/// The text in a field; empty where it holds none.
pub(super) fn text(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_default().to_owned()
}

fn alert(mut alert: Value) -> Value {
    alert["resolved"] = (!alert["resolved_at"].is_null()).into();
    alert["escalated"] = (!alert["escalated_at"].is_null()).into();
    alert
}

fn event(found: &Value, numbers: &HashMap<String, Value>) -> Value {
    let mut event: Value = EVENT
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), found.get(*field)?.clone())))
        .collect();
    let number = numbers.get(found["alert_id"].as_str().unwrap_or_default());
    event["alert_number"] = number.cloned().unwrap_or_default();
    event
}
