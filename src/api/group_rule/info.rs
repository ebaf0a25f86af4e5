//! What the outside sees of a group rule.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    api::{Moment, event_rule::ConditionInfo},
    domain::{
        group_rule::GroupRule,
        project::{Domain, Project, Workspace},
    },
    id::Id,
    store::Hit,
};

/// What makes one alert of several.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupRuleInfo {
    /// Its identifier.
    pub group_rule_id: Id<GroupRule>,
    /// What people call it.
    pub name: String,
    /// Its place among the rules of its project. The first one that concerns an event decides.
    pub order: u32,
    /// Each of these must hold of an event that it concerns.
    pub conditions: Vec<ConditionInfo>,
    /// The fields whose values the events of a group share.
    pub fields: Vec<String>,
    /// Within how many seconds events reach the threshold, and alerts become parts of another.
    pub window: i64,
    /// How many events of a group open an alert.
    pub threshold: u32,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Its project.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
    /// How many events it concerned that would have opened an alert.
    pub hit_count: u64,
    /// When it last did.
    pub last_hit_at: Option<Moment>,
}

impl GroupRuleInfo {
    pub(in crate::api) fn new(rule: &GroupRule, hits: Hit) -> Self {
        let GroupRule {
            group_rule_id,
            name,
            order,
            conditions,
            fields,
            window,
            threshold,
            home,
            tags,
            created_at,
        } = rule.clone();
        Self {
            group_rule_id,
            name,
            order,
            conditions: conditions.iter().map(ConditionInfo::new).collect(),
            fields: fields.iter().map(|field| field.as_str().to_owned()).collect(),
            window: window.num_seconds(),
            threshold,
            tags: tags.into_iter().collect(),
            project_id: home.project_id,
            workspace_id: home.workspace_id,
            domain_id: home.domain_id,
            created_at: created_at.into(),
            hit_count: hits.count,
            last_hit_at: hits.last_at.map(Moment),
        }
    }
}
