//! What conditions and templates look at: an event on its way, as a record with the fields of its view.

use serde_json::{Map, Value};

use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        event::{Draft, Event},
        scope::Home,
        webhook::Webhook,
    },
    id::Id,
    value::text::{is_blank, text},
};

/// The fields of an event that are known when rules are asked.
pub(in crate::domain) const KNOWN: &[&str] = &[
    "event_key",
    "event_type",
    "title",
    "description",
    "severity",
    "rule",
    "image_url",
    "resources",
    "provider",
    "account",
    "additional_info",
    "webhook_id",
    "project_id",
    "workspace_id",
    "domain_id",
    "created_at",
    "occurred_at",
];

/// An event on its way through the rules.
pub(super) struct Subject {
    /// What it says so far; its `additional_info` is in the record until [`parted`](Self::parted).
    pub(super) draft: Draft,
    /// Where it goes so far.
    pub(super) home: Home,
    record: Value,
}

impl Subject {
    /// An event that came through this webhook at `now`.
    pub(super) fn new(mut draft: Draft, webhook: &Webhook, now: Timestamp) -> Self {
        let info = std::mem::take(&mut draft.additional_info);
        let home = webhook.home.clone();
        let record = record(&draft, info.into_iter().collect(), (&home, &webhook.webhook_id, now));
        Self { draft, home, record }
    }

    /// It, as its view shows it.
    pub(super) fn record(&self) -> &Value {
        &self.record
    }

    /// Says of it what else is known.
    pub(super) fn add_info(&mut self, info: &Map<String, Value>) {
        if let Some(Value::Object(known)) = self.record.get_mut("additional_info") {
            known.extend(info.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    /// Sends it elsewhere.
    pub(super) fn moved_to(&mut self, home: Home) {
        self.say("domain_id", home.domain_id.as_str());
        self.say("workspace_id", home.workspace_id.as_str());
        self.say("project_id", home.project_id.as_str());
        self.home = home;
    }

    /// Puts a text into its record; the draft is changed by the caller.
    pub(super) fn say(&mut self, field: &str, text: &str) {
        if let Value::Object(members) = &mut self.record {
            members.insert(field.to_owned(), Value::from(text));
        }
    }

    /// What it says, and where it goes.
    pub(super) fn parted(self) -> (Draft, Home) {
        let Self { mut draft, home, mut record } = self;
        if let Some(Value::Object(info)) = record.get_mut("additional_info").map(Value::take) {
            draft.additional_info = info.into_iter().collect();
        }
        (draft, home)
    }
}

/// An event as a record, for what is asked once it is one.
pub(in crate::domain) fn record_of(event: &Event) -> Value {
    let Event { draft, home, webhook_id, created_at, .. } = event;
    let info = draft.additional_info.iter();
    let info = info.map(|(name, value)| (name.clone(), value.clone())).collect();
    record(draft, info, (home, webhook_id, *created_at))
}

fn record(
    draft: &Draft,
    info: Map<String, Value>,
    (home, webhook_id, now): (&Home, &Id<Webhook>, Timestamp),
) -> Value {
    let maybe = |text: &Option<String>| Value::from(text.clone());
    let mut record = Map::new();
    let mut say = |name: &str, value: Value| record.insert(name.to_owned(), value);
    say("event_key", draft.event_key.as_str().into());
    say("event_type", draft.event_type.as_str().into());
    say("title", maybe(&draft.title));
    say("description", maybe(&draft.description));
    say("severity", draft.severity.as_str().into());
    say("rule", maybe(&draft.rule));
    say("image_url", maybe(&draft.image_url));
    say("resources", draft.resources.iter().map(String::as_str).collect());
    say("provider", maybe(&draft.provider));
    say("account", maybe(&draft.account));
    say("additional_info", Value::Object(info));
    say("webhook_id", webhook_id.as_str().into());
    say("project_id", home.project_id.as_str().into());
    say("workspace_id", home.workspace_id.as_str().into());
    say("domain_id", home.domain_id.as_str().into());
    say("created_at", rfc3339(now).into());
    say("occurred_at", draft.occurred_at.map(rfc3339).into());
    Value::Object(record)
}

/// The values that `path` leads to in `record`, in order; lists on the way fan out, as in conditions.
pub(in crate::domain) fn at<'a>(record: &'a Value, path: &[String]) -> Vec<&'a Value> {
    let mut found = Vec::new();
    follow(record, path, &mut found);
    found
}

fn follow<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(members) => {
            if let Some(member) = members.get(step) {
                follow(member, rest, found);
            }
        }
        Value::Array(items) => match step.parse::<usize>().ok().and_then(|at| items.get(at)) {
            Some(item) => follow(item, rest, found),
            None => items
                .iter()
                .filter(|item| item.is_object())
                .for_each(|item| follow(item, path, found)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What `path` leads to, as people write it: lists by their elements. `None` where it leads to nothing that says anything.
pub(in crate::domain) fn said(record: &Value, path: &[String]) -> Option<String> {
    let values = at(record, path);
    let parts = values.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    });
    let parts: Vec<_> = parts.filter(|part| !is_blank(part)).map(text).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
