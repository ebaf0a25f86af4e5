//! What is changed of events before they become alerts.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum RuleStep {}

impl RuleStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match *self {}
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match *self {}
    }
}

/// The event rules that a project's events meet, in order.
#[derive(Clone, Debug, Default)]
pub struct EventRules {}

impl EventRules {
    /// Whether there are none, so that events go their way as they came.
    pub fn is_empty(&self) -> bool {
        true
    }
}

/// What event rules say about the alert of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    /// Who should act.
    pub assignee: Option<String>,
    /// How soon a person must look, instead of what the severity says.
    pub urgency: Option<super::words::Urgency>,
    /// The escalation policy instead of the project's.
    pub escalation_policy_id: Option<crate::id::Id<super::escalation::EscalationPolicy>>,
    /// Whether nobody is to be told.
    pub no_notification: bool,
    /// The rule that drops the event: it is kept and counted, and touches no alert.
    pub drop: Option<String>,
}

/// An event that went through the event rules.
#[derive(Clone, Debug)]
pub struct Routed {
    /// What it says now.
    pub draft: super::event::Draft,
    /// Where it lives now.
    pub home: super::scope::Home,
    /// What is said about its alert.
    pub routing: Routing,
    /// Each rule that was looked at, in order.
    pub steps: Vec<RuleStep>,
    /// What this was decided by.
    pub consulted: Vec<std::sync::Arc<super::setup::Setup>>,
}

/// Finds how a project is looked after.
pub type FindSetup<'a> = dyn Fn(&crate::id::Id<super::project::Project>) -> Option<std::sync::Arc<super::setup::Setup>>
    + 'a;

/// What the event rules make of an event.
pub fn route(
    draft: super::event::Draft,
    webhook: &super::webhook::Webhook,
    find: &FindSetup<'_>,
    now: crate::clock::Timestamp,
) -> Routed {
    let _ = now;
    let home = webhook.home.clone();
    let consulted = find(&home.project_id).into_iter().collect();
    Routed { draft, home, routing: Routing::default(), steps: Vec::new(), consulted }
}
