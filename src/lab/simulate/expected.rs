//! What must be so: partial matches, and where what came differs.

use serde_json::{Value, json};

use super::source::{Reader, Source, Table};
use crate::{
    load_error::{LoadError, did_you_mean},
    rules::{At, Kind, Node},
    value::text::counted,
};

/// What can be expected something of.
const PARTS: &[&str] = &["alerts", "events", "notifications", "requests"];

/// What a table may say of a list in place of the list itself.
const OF_LISTS: &[&str] = &["count", "include", "exclude"];

/// What must be so at some point of a timeline.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Each part that something is said of.
    parts: Vec<(&'static str, Node)>,
}

/// What came, as far as something may be expected of it.
#[derive(Debug)]
pub(super) struct Came<'a> {
    pub(super) alerts: &'a [Value],
    pub(super) events: &'a [Value],
    /// What was sent since it was last looked at.
    pub(super) notifications: &'a [Value],
    pub(super) requests: &'a Value,
}

impl Expected {
    /// Reads `expect`.
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Self> {
        let table = reader.table(node, "`expect`", PARTS)?;
        Self::of(reader, &table)
    }

    /// Reads what stands at the end of a recorded scenario; `None` where nothing does.
    pub(super) fn recorded(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Self> {
        Self::of(reader, table).filter(|expected| !expected.parts.is_empty())
    }

    fn of(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Self> {
        let parts = PARTS.iter().filter_map(|part| Some((*part, table.get(part)?.clone())));
        let parts: Vec<(&'static str, Node)> = parts.collect();
        for (part, node) in parts.iter().filter(|(part, _)| *part != "requests") {
            match &node.kind {
                Kind::List(_) => {}
                Kind::Table(_) => {
                    reader.table(node, &format!("`{part}`"), OF_LISTS)?;
                }
                Kind::Scalar(_) => {
                    return reader
                        .wrong(node.at, format!("`{part}` is a list, not {}", node.describe()));
                }
            }
        }
        Some(Self { parts })
    }

    /// Whether something is expected of what was sent.
    pub(super) fn looks_at_notifications(&self) -> bool {
        self.parts.iter().any(|(part, _)| *part == "notifications")
    }

    /// Where what came differs.
    pub(super) fn differences(&self, source: &Source, came: &Came<'_>) -> Vec<LoadError> {
        let mut found = Differences { source, found: Vec::new() };
        for (part, node) in &self.parts {
            match *part {
                "alerts" => found.list(part, node, came.alerts),
                "events" => found.list(part, node, came.events),
                "notifications" => found.list(part, &notices(node), came.notifications),
                _ => found.value(part, node, Some(came.requests)),
            }
        }
        found.found
    }
}

/// What a step must have brought, in the recorded form.
pub(super) fn trace(source: &Source, node: &Node, came: &Value) -> Vec<LoadError> {
    let mut found = Differences { source, found: Vec::new() };
    let mut node = node.clone();
    if let Kind::Table(entries) = &mut node.kind {
        for (key, below) in entries.iter_mut().filter(|(key, _)| key.text == "notifications") {
            *below = notices(below);
            let sent = came[&key.text].as_array().map(Vec::as_slice).unwrap_or_default();
            found.list("notifications", below, sent);
        }
        entries.retain(|(key, _)| key.text != "notifications");
    }
    found.value("trace", &node, Some(came));
    found.found
}

/// Notifications as tables, where they were recorded as `[title, type, level, callbacks]`.
fn notices(node: &Node) -> Node {
    let fields = ["title", "notification_type", "notification_level", "callbacks"];
    let Kind::List(list) = &node.kind else { return node.clone() };
    let tables = list.iter().map(|one| match &one.kind {
        Kind::List(values) => {
            let named = fields.iter().zip(values).map(|(field, value)| {
                (crate::rules::Key { text: (*field).to_owned(), at: value.at }, value.clone())
            });
            Node { kind: Kind::Table(named.collect()), at: one.at }
        }
        Kind::Scalar(_) | Kind::Table(_) => one.clone(),
    });
    Node { kind: Kind::List(tables.collect()), at: node.at }
}

struct Differences<'s> {
    source: &'s Source,
    found: Vec<LoadError>,
}

impl Differences<'_> {
    fn note(&mut self, at: At, detail: impl Into<String>) {
        let difference = self.source.mistake(at, detail);
        self.found.push(difference);
    }

    /// A list that must hold just these, in this order; or what a table says of it.
    fn list(&mut self, what: &str, node: &Node, came: &[Value]) {
        let items = match &node.kind {
            Kind::List(items) => items,
            Kind::Table(_) | Kind::Scalar(_) => return self.of_list(what, node, came),
        };
        if items.len() != came.len() {
            let number = counted(items.len() as u64, what.trim_end_matches('s'));
            self.note(node.at, format!("expected {number}, got {}", listed(came)));
            return;
        }
        for (at, (item, came)) in items.iter().zip(came).enumerate() {
            self.value(&format!("{what}[{at}]"), item, Some(came));
        }
    }

    fn of_list(&mut self, what: &str, node: &Node, came: &[Value]) {
        if let Some(count) = node.get("count")
            && count.to_json() != json!(came.len())
        {
            self.note(
                count.at,
                format!("expected {} {what}, got {}", count.describe(), listed(came)),
            );
        }
        for item in node.get("include").map(Node::as_list).unwrap_or_default() {
            if !came.iter().any(|came| fits(item, came)) {
                self.note(
                    item.at,
                    format!("none of the {what} is like this; there are {}", listed(came)),
                );
            }
        }
        for item in node.get("exclude").map(Node::as_list).unwrap_or_default() {
            if let Some(found) = came.iter().find(|came| fits(item, came)) {
                self.note(item.at, format!("one of the {what} is like this: {}", brief(found)));
            }
        }
    }

    fn value(&mut self, what: &str, node: &Node, came: Option<&Value>) {
        match (&node.kind, came) {
            (Kind::Table(entries), Some(Value::Object(fields))) => {
                for (key, below) in entries {
                    if !fields.contains_key(&key.text) && !is_null(below) {
                        let hint = did_you_mean(&key.text, fields.keys().map(String::as_str));
                        let shown = below.to_json();
                        self.note(
                            key.at,
                            format!(
                                "{what}.{}: expected {shown}, and there is no such field{hint}",
                                key.text
                            ),
                        );
                        continue;
                    }
                    self.value(&format!("{what}.{}", key.text), below, fields.get(&key.text));
                }
            }
            (Kind::List(items), Some(Value::Array(came))) if items.len() == came.len() => {
                for (at, (item, came)) in items.iter().zip(came).enumerate() {
                    self.value(&format!("{what}[{at}]"), item, Some(came));
                }
            }
            (Kind::Scalar(value), came) if same(value, came.unwrap_or(&Value::Null)) => {}
            (Kind::Scalar(_) | Kind::List(_) | Kind::Table(_), came) => {
                let came = came.map_or_else(|| "nothing".to_owned(), Value::to_string);
                self.note(node.at, format!("{what}: expected {}, got {came}", node.to_json()));
            }
        }
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(Value::Null))
}

/// Whether what came is like `node`, as far as that says anything.
fn fits(node: &Node, came: &Value) -> bool {
    match (&node.kind, came) {
        (Kind::Table(entries), Value::Object(fields)) => entries.iter().all(|(key, below)| {
            fields.get(&key.text).map_or_else(|| is_null(below), |came| fits(below, came))
        }),
        (Kind::List(items), Value::Array(came)) => {
            items.len() == came.len() && items.iter().zip(came).all(|(item, came)| fits(item, came))
        }
        (Kind::Scalar(value), came) => same(value, came),
        (Kind::Table(_) | Kind::List(_), _) => false,
    }
}

/// Whether two scalars are the same; `1` and `1.0` are.
fn same(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (expected, came) => expected == came,
    }
}

/// What there is, in short.
fn listed(came: &[Value]) -> String {
    if came.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = came.iter().take(10).map(brief).collect();
    let rest = came.len().saturating_sub(10);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}: {}{more}", came.len(), shown.join("; "))
}

/// One alert, event or notification, in short.
fn brief(came: &Value) -> String {
    let fields = [
        "alert_number",
        "event_key",
        "title",
        "state",
        "event_type",
        "severity",
        "notification_level",
        "reason",
    ];
    let told = fields.iter().filter_map(|field| match came.get(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if *field == "alert_number" => Some(format!("#{number}")),
        other => Some(other.to_string()),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What differs where this is expected and that came.
    fn differences(expected: &str, came: &Value) -> Vec<String> {
        let (source, node) = Source::read("x.yaml", expected).unwrap();
        let mut reader = Reader::new(&source);
        let expected = Expected::read(&mut reader, &node).unwrap();
        let list = |part: &str| came[part].as_array().cloned().unwrap_or_default();
        let (alerts, events, notifications) =
            (list("alerts"), list("events"), list("notifications"));
        let came = Came {
            alerts: &alerts,
            events: &events,
            notifications: &notifications,
            requests: &came["requests"],
        };
        expected.differences(&source, &came).iter().map(LoadError::sentence).collect()
    }

    #[test]
    fn what_is_not_said_may_be_anything() {
        let came = json!({ "alerts": [{ "alert_number": 1, "state": "TRIGGERED", "additional_info": { "a": 1, "b": [2] } }] });
        assert!(
            differences(
                "alerts: [{state: TRIGGERED, additional_info: {b: [2]}, assignee: null}]",
                &came
            )
            .is_empty()
        );
        assert!(
            differences(
                "alerts: {count: 1, include: [{alert_number: 1.0}], exclude: [{state: RESOLVED}]}",
                &came
            )
            .is_empty()
        );
    }

    #[test]
    fn what_differs_is_told_at_its_place() {
        let came =
            json!({ "alerts": [{ "alert_number": 1, "title": "High CPU", "state": "TRIGGERED" }] });
        let told = |expected| differences(expected, &came);
        insta::assert_debug_snapshot!([
            told("alerts: []"),
            told("alerts:\n  - {state: RESOLVED}"),
            told("alerts: [{sate: RESOLVED}]"),
            told("alerts: {count: 2}"),
            told("alerts: {include: [{title: Disk}]}"),
            told("alerts: {exclude: [{state: TRIGGERED}]}"),
            told("notifications: [['[Alerting] x', ERROR, LV1, 1]]"),
        ]);
    }

    #[test]
    fn a_recorded_notification_is_a_list_of_four() {
        let sent = json!({ "title": "[Alerting] t", "notification_type": "ERROR", "notification_level": "LV1", "callbacks": 1, "at": "x" });
        let came = json!({ "notifications": [sent] });
        assert!(differences("notifications: [['[Alerting] t', ERROR, LV1, 1]]", &came).is_empty());
        let told = differences("notifications: [['[Alerting] t', ERROR, LV2, 1]]", &came);
        assert_eq!(
            told,
            ["x.yaml:1:41: notifications[0].notification_level: expected \"LV2\", got \"LV1\""]
        );
    }
}
