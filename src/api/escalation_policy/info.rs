//! An escalation policy as the outside sees it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    api::{
        Moment,
        place::{Extent, project_shown},
    },
    domain::{
        escalation::{EscalationPolicy, EscalationRule, FinishCondition},
        notice::NotificationLevel,
        people::Target,
        project::{Domain, Project, Workspace},
    },
    id::Id,
};

/// Who is told of an alert, one step after the other, until someone answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EscalationPolicyInfo {
    /// Its identifier.
    pub escalation_policy_id: Id<EscalationPolicy>,
    /// What people call it; unique in its workspace.
    pub name: String,
    /// Whether projects of its workspace have it that choose none.
    pub is_default: bool,
    /// Its steps in order.
    pub rules: Vec<EscalationRuleInfo>,
    /// How often it begins anew after its last step.
    pub repeat_count: u32,
    /// What ends it before its last step.
    pub finish_condition: FinishCondition,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Whether it holds in a whole workspace or in one project.
    pub resource_group: Extent,
    /// The project it holds in; `*` for all of its workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

/// One step of a policy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EscalationRuleInfo {
    /// The channels of which level are told.
    pub notification_level: NotificationLevel,
    /// How many minutes the next step waits for an answer to this one.
    pub escalate_minutes: u32,
    /// Who is told beside them.
    pub targets: Vec<Target>,
}

/// An escalation policy in short.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyBrief {
    /// Its identifier.
    pub escalation_policy_id: Id<EscalationPolicy>,
    /// What people call it.
    pub name: String,
    /// Whether projects of its workspace have it that choose none.
    pub is_default: bool,
    /// The project it holds in; `*` for all of its workspace.
    pub project_id: Id<Project>,
}

impl From<&EscalationPolicy> for PolicyBrief {
    fn from(policy: &EscalationPolicy) -> Self {
        Self {
            escalation_policy_id: policy.escalation_policy_id.clone(),
            name: policy.name.clone(),
            is_default: policy.is_default,
            project_id: project_shown(&policy.place),
        }
    }
}

impl From<EscalationRule> for EscalationRuleInfo {
    fn from(rule: EscalationRule) -> Self {
        let EscalationRule { notification_level, escalate_minutes, targets } = rule;
        Self { notification_level, escalate_minutes, targets }
    }
}

impl From<EscalationPolicy> for EscalationPolicyInfo {
    fn from(policy: EscalationPolicy) -> Self {
        let EscalationPolicy {
            escalation_policy_id,
            name,
            is_default,
            rules,
            repeat_count,
            finish_condition,
            place,
            tags,
            created_at,
        } = policy;
        Self {
            escalation_policy_id,
            name,
            is_default,
            rules: rules.into_iter().map(EscalationRuleInfo::from).collect(),
            repeat_count,
            finish_condition,
            tags: tags.into_iter().collect(),
            resource_group: Extent::of(&place),
            project_id: project_shown(&place),
            workspace_id: place.workspace_id().clone(),
            domain_id: place.domain_id().clone(),
            created_at: created_at.into(),
        }
    }
}
