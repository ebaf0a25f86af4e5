//! What requests of a file may say shorter than the API: names of what the file made, numbers of alerts, and moments
//! counted from now.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::Value;

use super::span;
use crate::clock::{Timestamp, rfc3339};

/// Fields that hold the identifier of something, and the list of the file that makes such things.
const REFERENCES: &[(&str, &str)] = &[
    ("webhook_id", "webhooks"),
    ("channel_id", "channels"),
    ("channel", "channels"),
    ("escalation_policy_id", "escalation_policies"),
    ("change_escalation_policy", "escalation_policies"),
    ("on_call_id", "on_calls"),
    ("on_call", "on_calls"),
    ("event_rule_id", "event_rules"),
    ("group_rule_id", "group_rules"),
    ("silence_id", "silences"),
    ("maintenance_window_id", "maintenance_windows"),
    ("inhibition_id", "inhibitions"),
    ("heartbeat_id", "heartbeats"),
];

/// What people call a thing, whatever the field is called.
const CALLED: &[&str] = &["name", "title", "reason"];

/// Fields that hold the identifier of an alert.
const ALERTS: &[&str] = &["alert_id", "into", "alert_ids"];

/// Which identifiers those have that the file made, by list and name.
#[derive(Debug)]
pub(super) struct Refer {
    zone: Tz,
    made: BTreeMap<(&'static str, String), String>,
}

/// How things are at the moment of a request.
pub(super) struct Today<'a> {
    pub(super) now: Timestamp,
    /// The alerts, as they are shown.
    pub(super) alerts: &'a [Value],
}

impl Refer {
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, made: BTreeMap::new() }
    }

    /// Notes what a method made, such as `silence.create`, by what it is called.
    pub(super) fn made_by(&mut self, method: &str, made: &Value) {
        let field = format!("{}_id", method.split('.').next().unwrap_or_default());
        if let Some((_, list)) = REFERENCES.iter().find(|(reference, _)| *reference == field) {
            self.made(list, made);
        }
    }

    /// Notes what was made of an entry of a list, by what it is called.
    pub(super) fn made(&mut self, list: &'static str, made: &Value) {
        let field = REFERENCES.iter().find(|(_, of)| *of == list).map(|(field, _)| *field);
        let id = field.and_then(|field| made[field].as_str());
        let name = CALLED.iter().find_map(|called| made[*called].as_str());
        if let Some((name, id)) = name.zip(id) {
            self.made.insert((list, name.to_owned()), id.to_owned());
        }
    }

    /// Writes a request out as the API wants it.
    pub(super) fn resolve(&self, request: &mut Value, today: &Today<'_>) {
        match request {
            Value::Object(fields) => {
                // What has a zone of its own says times in that.
                let zone = if fields.contains_key("time_zone") { None } else { Some(self.zone) };
                for (field, value) in fields {
                    match self.written_out(field, value, (zone, today)) {
                        Some(text) => *value = text.into(),
                        None if ALERTS.contains(&field.as_str()) => numbered(value, today),
                        None => self.resolve(value, today),
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.resolve(item, today);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The text that stands for a short one in this field; `None` where it stays as it is.
    fn written_out(
        &self,
        field: &str,
        value: &Value,
        (zone, today): (Option<Tz>, &Today<'_>),
    ) -> Option<String> {
        let text = value.as_str()?;
        if let Some((_, list)) = REFERENCES.iter().find(|(reference, _)| *reference == field) {
            return self.made.get(&(*list, text.to_owned())).cloned();
        }
        let is_moment =
            field == "until" || ["_at", "_time", "_until"].iter().any(|end| field.ends_with(end));
        if !is_moment {
            return None;
        }
        let moment = match text.strip_prefix('+') {
            Some(span) => today.now.checked_add_signed(span::span(span).ok()?)?,
            None => span::moment(text, zone?).ok()?,
        };
        Some(rfc3339(moment))
    }
}

/// Puts identifiers where alerts are named by their numbers.
fn numbered(value: &mut Value, today: &Today<'_>) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(|item| numbered(item, today));
    }
    let Some(number) = value.as_u64() else { return };
    let alert = today.alerts.iter().find(|alert| alert["alert_number"] == number);
    if let Some(alert) = alert {
        *value = alert["alert_id"].clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn names_numbers_and_spans_are_written_out() {
        let mut refer = Refer::new(chrono_tz::Europe::Berlin);
        refer.made("channels", &json!({ "name": "ops", "channel_id": "channel-1" }));
        let alerts = [json!({ "alert_number": 1, "alert_id": "alert-1" })];
        let today = Today { now: from_millis(0), alerts: &alerts };
        let mut request = json!({
            "rules": [{ "targets": [{ "channel_id": "ops" }] }],
            "name": "ops",
            "alert_ids": [1, "alert-9"],
            "ends_at": "+1h30m",
            "starts_at": "2026-07-01 12:00",
            "until": "2026-01-01T00:00:00Z",
            "start_time": "22:00",
        });
        refer.resolve(&mut request, &today);
        assert_eq!(
            request,
            json!({
                "rules": [{ "targets": [{ "channel_id": "channel-1" }] }],
                "name": "ops",
                "alert_ids": ["alert-1", "alert-9"],
                "ends_at": "1970-01-01T01:30:00.000Z",
                "starts_at": "2026-07-01T10:00:00.000Z",
                "until": "2026-01-01T00:00:00.000Z",
                "start_time": "22:00",
            })
        );
    }
}
