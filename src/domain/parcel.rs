//! What is handed to a channel: one or more notices, and what makes a message of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    alert::Alert,
    notice::Occasion,
    project::{Domain, Project, Workspace},
    scope::Home,
    webhook::Webhook,
    words::{AlertState, Severity, Urgency},
};
use crate::{clock::Timestamp, id::Id};

/// One message to one target.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The message's identifier.
    pub message_id: String,
    /// What the target knows the message by, the same at each try.
    pub idempotency_key: String,
    /// Its notices: one, or all of a storm. There is at least one.
    pub notices: Vec<NoticeView>,
    /// The page that asks whether the alert is to be acknowledged; `None` where there is nothing to acknowledge.
    pub ack_url: Option<String>,
    /// What the target called the first message of this alert, where it was told.
    pub thread: Option<String>,
    /// What addresses that are shown begin with, e.g. `https://alerts.example.org`.
    pub base_url: String,
    /// When this try is made.
    pub now: Timestamp,
}

/// What was so when people had to be told: all that a message may say. It is kept with the message, so that each try
/// says the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeView {
    /// On what occasion.
    pub occasion: Occasion,
    /// Why, where the occasion does not say it all.
    pub reason: Option<String>,
    /// The step of the escalation, from one.
    pub step: u32,
    /// When.
    pub noticed_at: Timestamp,
    /// The alert.
    pub alert_id: Id<Alert>,
    /// Its number in its workspace.
    pub alert_number: u64,
    /// What its events have in common.
    pub event_key: String,
    /// Where it stands.
    pub state: AlertState,
    /// The worst severity of its events.
    pub severity: Severity,
    /// How soon a person must look.
    pub urgency: Urgency,
    /// What a person reads first.
    pub title: String,
    /// What a person reads next.
    pub description: Option<String>,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about.
    pub resources: Vec<String>,
    /// Whose resources they are.
    pub provider: Option<String>,
    /// Which account of that provider.
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
    /// How many events it has.
    pub event_count: u64,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its project.
    pub project_id: Id<Project>,
    /// When its first event arrived.
    pub created_at: Timestamp,
    /// When someone acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// Why it was resolved.
    pub resolution: Option<String>,
}

impl NoticeView {
    /// What is so of `alert` at `now`.
    pub fn of(
        alert: &Alert,
        (occasion, step): (Occasion, u32),
        reason: Option<String>,
        now: Timestamp,
    ) -> Self {
        let Home { domain_id, workspace_id, project_id } = alert.home.clone();
        let standing = &alert.standing;
        let title = alert.title.clone().filter(|title| !title.trim().is_empty());
        Self {
            occasion,
            reason,
            step,
            noticed_at: now,
            alert_id: alert.alert_id().clone(),
            alert_number: alert.alert_number,
            event_key: alert.event_key.clone(),
            state: standing.state,
            severity: standing.severity,
            urgency: standing.urgency,
            title: title.unwrap_or_else(|| alert.event_key.clone()),
            description: alert.description.clone(),
            rule: alert.rule.clone(),
            image_url: alert.image_url.clone(),
            resources: alert.resources.clone(),
            provider: alert.provider.clone(),
            account: alert.account.clone(),
            additional_info: alert.additional_info.clone(),
            assignee: alert.assignee.clone(),
            responder: alert.responder.clone(),
            triggered_by: alert.triggered_by.clone(),
            webhook_id: alert.webhook_id.clone(),
            event_count: standing.event_count,
            domain_id,
            workspace_id,
            project_id,
            created_at: alert.created_at,
            acknowledged_at: alert.acknowledged_at,
            resolved_at: alert.ending.as_ref().map(|ending| ending.resolved_at),
            resolution: alert.ending.as_ref().map(|ending| ending.reason.clone()),
        }
    }
}
