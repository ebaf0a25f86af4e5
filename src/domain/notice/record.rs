//! An alert as conditions and templates see it: with the fields that its lists show.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::{
    alert::{Alert, Standing},
    care::{Care, Marks},
    scope::Home,
    words::{AlertState, Severity, Urgency},
};
use crate::clock::{Timestamp, rfc3339};

/// An alert with the fields that its lists show.
#[must_use]
pub fn record(alert: &Alert) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    what_it_is(alert, &mut put);
    how_it_stands(alert, &mut put);
    what_is_done(&alert.care, &mut put);
    Value::Object(fields)
}

fn what_it_is(alert: &Alert, put: &mut dyn FnMut(&str, Value)) {
    let name = |name: &String| json!({ "resource_id": null, "resource_type": null, "name": name });
    put("alert_number", json!(alert.alert_number));
    put("alert_number_str", json!(alert.alert_number.to_string()));
    put("alert_id", json!(alert.alert_id()));
    put("event_key", json!(alert.event_key));
    put("title", json!(alert.title));
    put("description", json!(alert.description));
    put("rule", json!(alert.rule));
    put("image_url", json!(alert.image_url));
    put("resources", alert.resources.iter().map(name).collect());
    put("provider", json!(alert.provider));
    put("account", json!(alert.account));
    put("additional_info", json!(alert.additional_info));
    put("triggered_by", json!(alert.triggered_by));
    put("webhook_id", json!(alert.webhook_id));
    put("project_id", json!(alert.home.project_id));
    put("workspace_id", json!(alert.home.workspace_id));
    put("domain_id", json!(alert.home.domain_id));
    put("created_at", time(alert.created_at));
    put("first_event_at", time(alert.created_at));
}

fn how_it_stands(alert: &Alert, put: &mut dyn FnMut(&str, Value)) {
    let Standing {
        alert_id: _,
        state,
        severity,
        urgency,
        event_count,
        last_event_at,
        updated_at,
        marks: _,
    } = &alert.standing;
    put("state", json!(state));
    put("severity", json!(severity));
    put("urgency", json!(urgency));
    put("event_count", json!(event_count));
    put("last_event_at", time(*last_event_at));
    put("updated_at", time(*updated_at));
    put("assignee", json!(alert.assignee));
    put("responder", json!(alert.responder));
    put("acknowledged_at", maybe(alert.acknowledged_at));
    let ending = alert.ending.as_ref();
    let ended_as = if alert.care.expired { "EXPIRED" } else { "RESOLVED" };
    put("resolved_at", maybe(ending.map(|ending| ending.resolved_at)));
    put("resolved_reason", json!(ending.map(|ending| &ending.reason)));
    put("resolved_as", json!(ending.map(|_| ended_as)));
}

fn what_is_done(care: &Care, put: &mut dyn FnMut(&str, Value)) {
    let Care {
        escalation,
        mute,
        snooze,
        acknowledged_until,
        flapping,
        merged_into,
        leads: _,
        held: _,
        expired: _,
    } = care;
    put("escalation_step", json!(escalation.step));
    put("escalation_ttl", json!(escalation.ttl));
    put("escalation_policy_id", json!(escalation.policy_id));
    put("escalated_at", maybe(escalation.escalated_at));
    put("muted_by", json!(mute.as_ref().map(|mute| &mute.by)));
    put("snoozed_until", maybe(snooze.as_ref().map(|snooze| snooze.until)));
    put("acknowledged_until", maybe(*acknowledged_until));
    put("flapping_since", maybe(flapping.as_ref().map(|flapping| flapping.since)));
    put("merged_into", json!(merged_into));
}

fn time(time: Timestamp) -> Value {
    Value::String(rfc3339(time))
}

fn maybe(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

/// A made-up alert with the fields that lists show, for trying channels where there is none.
#[must_use]
pub fn example(home: &Home, now: Timestamp) -> Value {
    let standing = Standing {
        alert_id: "alert-example".into(),
        state: AlertState::Triggered,
        severity: Severity::Info,
        urgency: Urgency::Low,
        event_count: 1,
        last_event_at: now,
        updated_at: now,
        marks: Marks::default(),
    };
    record(&Alert {
        standing,
        alert_number: 1,
        event_key: "example".to_owned(),
        title: Some("This is a test: nothing is wrong".to_owned()),
        description: Some("Somebody tries whether messages arrive here.".to_owned()),
        rule: None,
        image_url: None,
        resources: vec!["example".to_owned()],
        provider: None,
        account: None,
        additional_info: BTreeMap::new(),
        assignee: None,
        responder: None,
        triggered_by: "alertmill".to_owned(),
        webhook_id: None,
        home: home.clone(),
        created_at: now,
        acknowledged_at: None,
        ending: None,
        care: Care::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::from_millis, query::ALERTS};

    #[test]
    fn a_record_has_every_field_that_may_be_asked_about() {
        let home = Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() };
        let record = example(&home, from_millis(0));
        for field in ALERTS.fields {
            assert!(record.get(field.name).is_some(), "{}", field.name);
        }
        assert_eq!(record["severity"], "INFO");
        assert_eq!(record["resources"][0]["name"], "example");
        assert_eq!(record["created_at"], "1970-01-01T00:00:00.000Z");
    }
}
