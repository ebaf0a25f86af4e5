//! What needs attention: the events that share a key, from first to recovery.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    care::{Care, Marks},
    event::Event,
    scope::Home,
    webhook::Webhook,
    words::{AlertState, EventType, Severity, Urgency},
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified, Mint},
};

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What decisions look at, and what each of its events may change.
    pub standing: Standing,
    /// Its number in its workspace, from one; zero until the store has given it one.
    pub alert_number: u64,
    /// What its events have in common.
    pub event_key: String,
    /// What a person reads first: the title of its first event.
    pub title: Option<String>,
    /// What a person reads next: the description of its newest event that has one.
    pub description: Option<String>,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about.
    pub resources: Vec<String>,
    /// Whose resources they are; always there unless it was imported.
    pub provider: Option<String>,
    /// Which account of that provider; always there unless it was imported.
    pub account: Option<String>,
    /// Whatever else its first event said.
    pub additional_info: BTreeMap<String, Value>,
    /// Who should act.
    pub assignee: Option<String>,
    /// Who acknowledged it.
    pub responder: Option<String>,
    /// Who made it: a webhook, or a person.
    pub triggered_by: String,
    /// The webhook its first event came through.
    pub webhook_id: Option<Id<Webhook>>,
    /// Where it lives.
    pub home: Home,
    /// When its first event arrived.
    pub created_at: Timestamp,
    /// When someone acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// How it ended, if it has.
    pub ending: Option<Ending>,
    /// What is being done for it.
    pub care: Care,
}

/// What decisions look at, and what each event of an alert may change. Small, since every open alert's is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The alert it is of.
    pub alert_id: Id<Alert>,
    /// Where the alert stands.
    pub state: AlertState,
    /// The worst severity of its events while it is open.
    pub severity: Severity,
    /// The highest urgency that was due while it is open.
    pub urgency: Urgency,
    /// How many events it has.
    pub event_count: u64,
    /// When its newest event arrived.
    pub last_event_at: Timestamp,
    /// When anything of it changed.
    pub updated_at: Timestamp,
    /// What is special about it.
    pub marks: Marks,
}

/// How an alert ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When it was resolved.
    pub resolved_at: Timestamp,
    /// When the recovery that resolved it occurred, by the sender's clock; `None` where a person or a timer resolved
    /// it, after which a firing event always opens a new alert.
    pub recovered_at: Option<Timestamp>,
    /// Why it was resolved, in a sentence.
    pub reason: String,
}

impl Identified for Alert {
    const PREFIX: &'static str = "alert";
}

impl Alert {
    /// The alert that `event` opens.
    pub fn opened_by(event: &Event, mint: &Mint) -> Self {
        let draft = &event.draft;
        let state = match draft.event_type {
            EventType::Alert | EventType::Recovery => AlertState::Triggered,
            EventType::Error => AlertState::Error,
        };
        Self {
            standing: Standing {
                alert_id: mint.id(event.created_at),
                state,
                severity: draft.severity,
                urgency: draft.severity.urgency(),
                event_count: 1,
                last_event_at: event.created_at,
                updated_at: event.created_at,
                marks: Marks::default(),
            },
            alert_number: 0,
            event_key: draft.event_key.clone(),
            title: draft.title.clone(),
            description: draft.description.clone(),
            rule: draft.rule.clone(),
            image_url: draft.image_url.clone(),
            resources: draft.resources.clone(),
            provider: draft.provider.clone(),
            account: draft.account.clone(),
            additional_info: draft.additional_info.clone(),
            assignee: None,
            responder: None,
            triggered_by: event.webhook_id.as_str().to_owned(),
            webhook_id: Some(event.webhook_id.clone()),
            home: event.home.clone(),
            created_at: event.created_at,
            acknowledged_at: None,
            ending: None,
            care: Care::default(),
        }
    }

    /// This alert, cared for so.
    #[must_use]
    pub fn cared_for(mut self, care: Care) -> Self {
        self.standing.marks = care.marks();
        self.care = care;
        self
    }

    /// Its identifier.
    pub fn alert_id(&self) -> &Id<Alert> {
        &self.standing.alert_id
    }

    /// This alert, over.
    #[must_use]
    pub fn ended(mut self, ending: Ending, now: Timestamp) -> Self {
        self.standing = self.standing.resolved(now);
        self.ending = Some(ending);
        self
    }
}

impl Standing {
    /// How the alert stands with one more event. Severity and urgency only rise.
    #[must_use]
    pub fn joined_by(mut self, event: &Event, now: Timestamp) -> Self {
        // What a rule or a person said of its urgency holds until it becomes worse.
        if event.draft.event_type != EventType::Recovery && event.draft.severity > self.severity {
            self.severity = event.draft.severity;
            self.urgency = self.urgency.max(event.draft.severity.urgency());
        }
        self.event_count += 1;
        self.last_event_at = self.last_event_at.max(event.created_at);
        self.updated_at = now;
        self
    }

    /// How the alert stands once it is over.
    #[must_use]
    pub fn resolved(mut self, now: Timestamp) -> Self {
        self.state = AlertState::Resolved;
        self.updated_at = now;
        self
    }
}
