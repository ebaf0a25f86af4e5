//! `escalation_policy.*`: who is told, in which steps.

mod form;
mod info;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::form::{bounded_repeats, bounded_steps, rules};
pub use self::{
    form::RuleRequest,
    info::{EscalationPolicyInfo, EscalationRuleInfo, PolicyBrief},
};
use super::{
    Call, Done, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    place::{self, Extent, may_change},
};
use crate::{
    domain::{
        channel::Place,
        escalation::{EscalationPolicy, FinishCondition},
        project::{Domain, Project, Workspace},
        scope::{Reach, Scope},
        setup::Held,
    },
    error::{Code, Error, Result},
    id::Id,
    query::ESCALATION_POLICIES,
    store::Tx,
};

/// Asks for a new escalation policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEscalationPolicy {
    /// What people call it; unique in its workspace.
    name: String,
    /// Its steps in order, at least one.
    rules: Vec<RuleRequest>,
    /// How often it begins anew after its last step; 0 where absent.
    #[serde(default)]
    repeat_count: u32,
    /// What ends it before its last step; ACKNOWLEDGED where absent.
    finish_condition: Option<FinishCondition>,
    /// Whether it holds in a whole workspace or in one project; in the project where one is named.
    resource_group: Option<Extent>,
    /// The project that it holds in.
    project_id: Option<Id<Project>>,
    /// The workspace that it holds in; the caller's, or `default`, where absent.
    workspace_id: Option<Id<Workspace>>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// Makes an escalation policy.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    request: CreateEscalationPolicy,
) -> Result<EscalationPolicyInfo> {
    let CreateEscalationPolicy {
        name,
        rules: asked,
        repeat_count,
        finish_condition,
        resource_group,
        project_id,
        workspace_id,
        tags,
    } = request;
    let place = place::asked(tx, call, resource_group, (project_id, workspace_id))?;
    let policy = EscalationPolicy {
        escalation_policy_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        is_default: false,
        rules: rules(tx, call, &place, asked)?,
        repeat_count: bounded_repeats(repeat_count)?,
        finish_condition: finish_condition.unwrap_or(FinishCondition::Acknowledged),
        place,
        tags: tags.into_iter().collect(),
        created_at: call.now,
    };
    place::has_room(tx, Held::EscalationPolicies, &policy.place)?;
    call.touches("escalation_policy", &policy.escalation_policy_id);
    keep(tx, call, (None, policy))
}

/// Asks to change an escalation policy; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateEscalationPolicy {
    /// Its identifier.
    escalation_policy_id: Id<EscalationPolicy>,
    /// What people call it; unique in its workspace.
    name: Option<String>,
    /// Its steps, all of them. Alerts that it escalates at this moment go on by them.
    rules: Option<Vec<RuleRequest>>,
    /// How often it begins anew after its last step.
    repeat_count: Option<u32>,
    /// What ends it before its last step.
    finish_condition: Option<FinishCondition>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes an escalation policy.
pub fn update(
    tx: &mut dyn Tx,
    call: &Call,
    request: UpdateEscalationPolicy,
) -> Result<EscalationPolicyInfo> {
    let UpdateEscalationPolicy {
        escalation_policy_id,
        name,
        rules: asked,
        repeat_count,
        finish_condition,
        tags,
    } = request;
    let before = changeable(tx, call, &escalation_policy_id)?;
    let mut after = before.clone();
    if let Some(name) = asked::text(name) {
        after.name = asked::name("name", &name)?;
    }
    if let Some(asked) = asked {
        after.rules = rules(tx, call, &before.place, asked)?;
    }
    if let Some(repeat_count) = repeat_count {
        after.repeat_count = bounded_repeats(repeat_count)?;
    }
    bounded_steps(after.rules.len(), after.repeat_count)?;
    after.finish_condition = finish_condition.unwrap_or(after.finish_condition);
    if let Some(tags) = tags {
        after.tags = tags.into_iter().collect();
    }
    keep(tx, call, (Some(before), after))
}

/// Names one escalation policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneEscalationPolicy {
    /// Its identifier.
    escalation_policy_id: Id<EscalationPolicy>,
}

/// Makes a policy of a workspace the one that its projects have where they choose none.
pub fn set_default(
    tx: &mut dyn Tx,
    call: &Call,
    request: OneEscalationPolicy,
) -> Result<EscalationPolicyInfo> {
    let before = changeable(tx, call, &request.escalation_policy_id)?;
    if let Place::Project(home) = &before.place {
        let detail = format!(
            "this policy belongs to project `{}`; only one of the workspace can be its default",
            home.project_id
        );
        return Err(Error::at(Code::InvalidEscalationPolicyScope, "/escalation_policy_id", detail));
    }
    let after = EscalationPolicy { is_default: true, ..before.clone() };
    let former = former_default(tx, &before)?;
    let after = keep(tx, call, (Some(before), after))?;
    if let Some(former) = former {
        let (was, id) = (former.clone(), former.escalation_policy_id.clone());
        let is = EscalationPolicyInfo::from(EscalationPolicy { is_default: false, ..former });
        let was = EscalationPolicyInfo::from(was);
        call.touched("escalation_policy", id, seen(&was), seen(&is));
    }
    Ok(after)
}

/// The policy whose place another one takes as the default of its workspace.
fn former_default(tx: &dyn Tx, policy: &EscalationPolicy) -> Result<Option<EscalationPolicy>> {
    let workspace = Reach::one(policy.place.workspace_id().clone());
    let policies = tx.escalation_policies(&Scope { workspaces: workspace, ..Scope::EVERYTHING })?;
    let is_former = |it: &EscalationPolicy| {
        it.is_default
            && it.place.workspace_id() == policy.place.workspace_id()
            && it.escalation_policy_id != policy.escalation_policy_id
    };
    Ok(policies.into_iter().find(is_former))
}

/// Deletes an escalation policy. Alerts that it escalates at this moment go on by their project's.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneEscalationPolicy) -> Result<Done> {
    let policy = changeable(tx, call, &request.escalation_policy_id)?;
    if policy.is_default {
        let detail = "the default policy of a workspace stays; make another one the default first";
        return Err(Error::new(Code::DefaultEscalationPolicyNotAllowDeletion, detail));
    }
    tx.delete_escalation_policy(&policy.escalation_policy_id)?;
    let id = policy.escalation_policy_id.clone();
    call.touched("escalation_policy", &id, seen(&EscalationPolicyInfo::from(policy)), None);
    Ok(Done {})
}

/// One escalation policy.
pub fn get(tx: &dyn Tx, call: &Call, request: OneEscalationPolicy) -> Result<EscalationPolicyInfo> {
    existing(tx, call, &request.escalation_policy_id).map(EscalationPolicyInfo::from)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<EscalationPolicy>) -> Result<EscalationPolicy> {
    call.touches("escalation_policy", id);
    let policy = tx.escalation_policy(&call.caller.scope, id)?;
    policy.ok_or_else(|| Error::not_found("escalation policy", id))
}

/// A policy that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<EscalationPolicy>) -> Result<EscalationPolicy> {
    let policy = existing(tx, call, id)?;
    may_change(&policy.place, call)?;
    Ok(policy)
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    (before, after): (Option<EscalationPolicy>, EscalationPolicy),
) -> Result<EscalationPolicyInfo> {
    tx.put_escalation_policy(&after)?;
    let before = before.map(EscalationPolicyInfo::from);
    let after = EscalationPolicyInfo::from(after);
    let before = before.as_ref().and_then(seen);
    call.touched("escalation_policy", &after.escalation_policy_id, before, seen(&after));
    Ok(after)
}

list_request! {
    /// Asks for escalation policies.
    ListEscalationPolicies: Asked,
    /// Asks for statistics of escalation policies.
    StatEscalationPolicies: AskedStat
    of ESCALATION_POLICIES {
        /// Only the one with this identifier.
        escalation_policy_id: Id<EscalationPolicy>,
        /// Only those of exactly this name.
        name: String,
        /// Only those with this end.
        finish_condition: FinishCondition,
        /// Only those of workspaces, or only those of projects.
        resource_group: Extent,
        /// Only those of this project; `*` for those of workspaces.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Escalation policies, by name where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListEscalationPolicies,
) -> Result<Page<Shown<EscalationPolicyInfo>>> {
    let query = request.checked(call.now)?;
    let policies = tx.escalation_policies(&call.caller.scope)?;
    let views = policies.into_iter().map(EscalationPolicyInfo::from);
    Page::listed(views, &query, &ESCALATION_POLICIES)
}

/// Statistics of escalation policies.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatEscalationPolicies) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let policies = tx.escalation_policies(&call.caller.scope)?;
    StatInfo::of(policies.into_iter().map(EscalationPolicyInfo::from), &stat)
}
