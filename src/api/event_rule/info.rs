//! What the outside sees of an event rule.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    api::Moment,
    domain::{
        event_rule::{Actions, EventRule, RuleCondition, RulePlace},
        project::{Domain, Project, Workspace},
        webhook::Webhook,
        words::{ConditionsPolicy, ResourceGroup},
    },
    id::Id,
    store::Hit,
};

/// What is done to the events that meet its conditions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventRuleInfo {
    /// Its identifier.
    pub event_rule_id: Id<EventRule>,
    /// What people call it.
    pub name: String,
    /// Its place among the rules of its webhook, project or workspace, from one.
    pub order: u32,
    /// What it asks.
    pub conditions: Vec<ConditionInfo>,
    /// How many of the conditions must hold.
    pub conditions_policy: ConditionsPolicy,
    /// What it does.
    pub actions: Actions,
    /// How it is followed.
    pub options: RuleOptionsInfo,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Whose events it is asked about.
    pub resource_group: ResourceGroup,
    /// Its webhook, of a rule of one webhook.
    pub webhook_id: Option<Id<Webhook>>,
    /// Its project; `*` of a rule of a whole workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
    /// How many events it matched.
    pub hit_count: u64,
    /// When it matched last.
    pub last_hit_at: Option<Moment>,
}

/// What a rule asks of an event: a condition of the filter language, on any field that an event has when it comes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConditionInfo {
    /// The field, and the way on below it: `additional_info.region`. Also `k`.
    pub key: String,
    /// What it is held against. Also `v`.
    pub value: Value,
    /// How, as in the conditions of a query. Also `o`.
    pub operator: String,
}

/// How a rule is followed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleOptionsInfo {
    /// Whether no further rule is asked once it matched.
    pub stop_processing: bool,
}

impl ConditionInfo {
    pub(in crate::api) fn new(condition: &RuleCondition) -> Self {
        let (key, value, operator) = condition.parts();
        Self { key: key.to_owned(), value: value.clone(), operator: operator.to_owned() }
    }
}

impl EventRuleInfo {
    pub(in crate::api) fn new(rule: &EventRule, hits: Hit) -> Self {
        let EventRule {
            event_rule_id,
            name,
            order,
            policy,
            conditions,
            actions,
            stop_processing,
            place,
            tags,
            created_at,
        } = rule.clone();
        let resource_group = place.resource_group();
        let (webhook_id, project_id, workspace_id, domain_id) = match place {
            RulePlace::Webhook(home, webhook) => {
                (Some(webhook), home.project_id, home.workspace_id, home.domain_id)
            }
            RulePlace::Project(home) => (None, home.project_id, home.workspace_id, home.domain_id),
            RulePlace::Workspace(domain, workspace) => (None, "*".into(), workspace, domain),
        };
        Self {
            event_rule_id,
            name,
            order,
            conditions: conditions.iter().map(ConditionInfo::new).collect(),
            conditions_policy: policy,
            actions,
            options: RuleOptionsInfo { stop_processing },
            tags: tags.into_iter().collect(),
            resource_group,
            webhook_id,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
            hit_count: hits.count,
            last_hit_at: hits.last_at.map(Moment),
        }
    }
}
