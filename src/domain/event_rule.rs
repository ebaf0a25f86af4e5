//! What is done to events before they touch alerts: rules with conditions, in order, and what they do.
//!
//! A rule belongs to a webhook, a project or a workspace. [`route()`] asks the rules about one event, and remembers what
//! each of them said.

mod actions;
mod condition;
mod loops;
mod route;
mod step;
pub(super) mod subject;
mod template;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

pub use self::{
    actions::{ActionFault, Actions},
    condition::{MOST_CONDITIONS, RuleCondition},
    loops::{Moves, way_back},
    route::{FindSetup, InhibitBy, Routed, Routing, route},
    step::RuleStep,
    template::{Template, TemplateError},
};
pub use super::words::ConditionsPolicy;
use super::{
    project::{Domain, Workspace},
    scope::{Home, Scope},
    webhook::Webhook,
    words::ResourceGroup,
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
};

/// The most rules of one webhook, project or workspace: each is asked about each event.
pub const MOST_RULES: usize = 200;

/// The most conditions with regular expressions of one rule.
pub const MOST_PATTERNS: usize = 20;

/// What is done to the events that meet its conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRule {
    /// Its identifier.
    pub event_rule_id: Id<EventRule>,
    /// What people call it; may be empty.
    pub name: String,
    /// Its place among the rules of its webhook, project or workspace, from one.
    pub order: u32,
    /// How many of its conditions must hold.
    pub policy: ConditionsPolicy,
    /// What it asks.
    pub conditions: Vec<RuleCondition>,
    /// What it does.
    pub actions: Actions,
    /// Whether no further rule is asked once it matched.
    pub stop_processing: bool,
    /// Whose events it is asked about.
    pub place: RulePlace,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose events a rule is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePlace {
    /// Those that come through this webhook, which is in this project.
    Webhook(Home, Id<Webhook>),
    /// Those of this project.
    Project(Home),
    /// Those of all projects of this workspace.
    Workspace(Id<Domain>, Id<Workspace>),
}

/// The rules that are asked about events of one project.
#[derive(Clone, Debug, Default)]
pub struct EventRules {
    /// Those of its webhooks, in order.
    pub webhooks: BTreeMap<Id<Webhook>, Vec<Arc<EventRule>>>,
    /// Its own, in order.
    pub project: Vec<Arc<EventRule>>,
    /// Those of its workspace, in order.
    pub workspace: Vec<Arc<EventRule>>,
}

impl Identified for EventRule {
    const PREFIX: &'static str = "er";
}

impl EventRule {
    /// Its identifier, and what it is called: its name, or its identifier where it has none.
    pub fn named(&self) -> (Id<Self>, String) {
        let id = self.event_rule_id.clone();
        let name = if self.name.is_empty() { id.as_str() } else { &self.name }.to_owned();
        (id, name)
    }
}

impl RulePlace {
    /// Whether a rule there is asked about events of a project.
    pub fn concerns(&self, home: &Home) -> bool {
        match self {
            Self::Webhook(own, _) | Self::Project(own) => own == home,
            Self::Workspace(domain, workspace) => {
                home.domain_id == *domain && home.workspace_id == *workspace
            }
        }
    }

    /// Its domain.
    pub const fn domain_id(&self) -> &Id<Domain> {
        match self {
            Self::Webhook(home, _) | Self::Project(home) => &home.domain_id,
            Self::Workspace(domain, _) => domain,
        }
    }

    /// The word for it.
    pub const fn resource_group(&self) -> ResourceGroup {
        match self {
            Self::Webhook(..) => ResourceGroup::Webhook,
            Self::Project(_) => ResourceGroup::Project,
            Self::Workspace(..) => ResourceGroup::Workspace,
        }
    }

    /// Whether `scope` contains it. What holds for a whole workspace is seen by whoever sees a part of it, as in
    /// Cloudforet monitoring v1.
    pub fn is_in(&self, scope: &Scope) -> bool {
        match self {
            Self::Webhook(home, _) | Self::Project(home) => scope.contains(home),
            Self::Workspace(domain, workspace) => {
                scope.domains.contains(domain) && scope.workspaces.contains(workspace)
            }
        }
    }

    /// Whether whoever has `scope` may change what is there: for a workspace, only who has all of it.
    pub fn is_changeable_in(&self, scope: &Scope) -> bool {
        match self {
            Self::Webhook(home, _) | Self::Project(home) => scope.contains(home),
            Self::Workspace(domain, workspace) => scope.contains_workspace(domain, workspace),
        }
    }
}

impl EventRules {
    /// The rules of a webhook, in order.
    pub fn of_webhook(&self, webhook: &Id<Webhook>) -> &[Arc<EventRule>] {
        self.webhooks.get(webhook).map_or(&[], Vec::as_slice)
    }

    /// Whether there are none, so that events go their way as they came.
    pub fn is_empty(&self) -> bool {
        self.project.is_empty() && self.workspace.is_empty() && self.webhooks.is_empty()
    }

    /// Whether no rule is asked about what comes through this webhook.
    pub fn are_none_for(&self, webhook: &Id<Webhook>) -> bool {
        self.project.is_empty() && self.workspace.is_empty() && self.of_webhook(webhook).is_empty()
    }

    /// The same rules, with this one instead of the one with its identifier, or behind the others of its place.
    #[must_use]
    pub fn with(mut self, rule: &Arc<EventRule>) -> Self {
        let list = match &rule.place {
            RulePlace::Webhook(_, webhook) => self.webhooks.entry(webhook.clone()).or_default(),
            RulePlace::Project(_) => &mut self.project,
            RulePlace::Workspace(..) => &mut self.workspace,
        };
        match list.iter_mut().find(|known| known.event_rule_id == rule.event_rule_id) {
            Some(known) => *known = Arc::clone(rule),
            None => list.push(Arc::clone(rule)),
        }
        self
    }

    /// The same rules without this one.
    #[must_use]
    pub fn without(mut self, rule: &Id<EventRule>) -> Self {
        let lists = self.webhooks.values_mut().chain([&mut self.project, &mut self.workspace]);
        for list in lists {
            list.retain(|known| known.event_rule_id != *rule);
        }
        self
    }

    /// All of them.
    pub fn each(&self) -> impl Iterator<Item = &Arc<EventRule>> {
        self.webhooks.values().flatten().chain(&self.project).chain(&self.workspace)
    }
}
