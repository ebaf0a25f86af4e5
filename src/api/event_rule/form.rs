//! From what a person asked for to a rule that holds, or to what is wrong with it.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{CreateEventRule, UpdateEventRule, name};
use crate::{
    api::Call,
    domain::{
        event_rule::{
            Actions, EventRule, MOST_CONDITIONS, MOST_PATTERNS, Moves, RuleCondition, RulePlace,
            way_back,
        },
        project::{Project, Workspace},
        scope::{Home, Reach, Scope},
        words::{ConditionsPolicy, ResourceGroup},
    },
    error::{Code, Error, Mistake, Result},
    id::Id,
    store::Tx,
};

/// The workspace that is meant where none is named and the caller has several.
const DEFAULT_WORKSPACE: &str = "default";

/// The rule that a request asks for, in no order yet.
pub(super) fn made(tx: &dyn Tx, call: &Call, request: CreateEventRule) -> Result<EventRule> {
    let place = place(tx, call, &request)?;
    let CreateEventRule { conditions, conditions_policy, actions, options, .. } = request;
    let stop_processing = request.stop_processing.or(options.stop_processing).unwrap_or(false);
    let rule = EventRule {
        event_rule_id: call.mint.id(call.now),
        name: name(&request.name)?,
        order: 1,
        policy: conditions_policy,
        conditions: self::conditions(&conditions, call)?,
        actions,
        stop_processing,
        place,
        tags: request.tags.into_iter().collect(),
        created_at: call.now,
    };
    checked(tx, call, rule)
}

/// A rule as a request wants it.
pub(super) fn changed(
    tx: &dyn Tx,
    call: &Call,
    (before, request): (EventRule, UpdateEventRule),
) -> Result<EventRule> {
    let mut rule = before;
    if let Some(text) = request.name {
        rule.name = name(&text)?;
    }
    if let Some(conditions) = request.conditions {
        rule.conditions = self::conditions(&conditions, call)?;
    }
    rule.policy = request.conditions_policy.unwrap_or(rule.policy);
    rule.actions = request.actions.unwrap_or(rule.actions);
    let stop_processing = request.stop_processing.or(request.options.stop_processing);
    rule.stop_processing = stop_processing.unwrap_or(rule.stop_processing);
    if let Some(tags) = request.tags {
        rule.tags = tags.into_iter().collect();
    }
    checked(tx, call, rule)
}

/// What a rule asks.
pub(in crate::api) fn conditions(written: &[Value], call: &Call) -> Result<Vec<RuleCondition>> {
    if written.len() > MOST_CONDITIONS {
        let detail = format!("a rule has at most {MOST_CONDITIONS} conditions");
        return Err(Error::at(Code::InvalidParameter, "/conditions", detail));
    }
    let each = written.iter().enumerate();
    let read = each.map(|(at, written)| {
        RuleCondition::parse(written, &format!("/conditions/{at}"), call.now).map_err(Error::from)
    });
    let read: Vec<RuleCondition> = read.collect::<Result<_>>()?;
    if read.iter().filter(|condition| condition.takes_patterns()).count() > MOST_PATTERNS {
        let detail = format!("at most {MOST_PATTERNS} conditions with regular expressions");
        return Err(Error::at(Code::InvalidParameter, "/conditions", detail));
    }
    Ok(read)
}

/// Whose events a new rule is asked about.
fn place(tx: &dyn Tx, call: &Call, request: &CreateEventRule) -> Result<RulePlace> {
    let CreateEventRule { resource_group, workspace_id, project_id, webhook_id, .. } = request;
    let only = |name: &str, given: bool, wanted: ResourceGroup| {
        if !given || *resource_group == wanted {
            return Ok(());
        }
        let detail = format!("`{name}` is for a rule with `resource_group` {wanted}");
        Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail))
    };
    only("webhook_id", webhook_id.is_some(), ResourceGroup::Webhook)?;
    only("project_id", project_id.is_some(), ResourceGroup::Project)?;
    only("workspace_id", workspace_id.is_some(), ResourceGroup::Workspace)?;
    let scope = &call.caller.scope;
    let place = match resource_group {
        ResourceGroup::Webhook => {
            let id = webhook_id.as_ref().ok_or_else(|| Error::required("webhook_id"))?;
            let webhook = tx.webhook(scope, id)?;
            let webhook = webhook.ok_or_else(|| Error::not_found("webhook", id))?;
            RulePlace::Webhook(webhook.home, webhook.webhook_id)
        }
        ResourceGroup::Project => {
            let id = project_id.as_ref().ok_or_else(|| Error::required("project_id"))?;
            let project = tx.project(scope, id)?;
            RulePlace::Project(project.ok_or_else(|| Error::not_found("project", id))?.home)
        }
        ResourceGroup::Workspace => {
            let workspace = workspace(tx, scope, workspace_id.as_ref())?;
            RulePlace::Workspace(workspace.domain_id, workspace.workspace_id)
        }
    };
    may_change(call, &place)?;
    Ok(place)
}

/// The workspace that is meant: the one that is named, the only one of the caller, or the default one.
fn workspace(tx: &dyn Tx, scope: &Scope, named: Option<&Id<Workspace>>) -> Result<Workspace> {
    let mut workspaces = tx.workspaces(scope)?;
    let id = match (named, &scope.workspaces) {
        (Some(id), _) => id.clone(),
        (None, Reach::Only(some)) if some.len() == 1 => {
            some.first().cloned().unwrap_or_else(|| DEFAULT_WORKSPACE.into())
        }
        (None, _) => DEFAULT_WORKSPACE.into(),
    };
    workspaces.retain(|workspace| workspace.workspace_id == id);
    workspaces.pop().ok_or_else(|| Error::not_found("workspace", &id))
}

/// Refuses to let a caller with a part of a workspace change what holds for all of it.
pub(super) fn may_change(call: &Call, place: &RulePlace) -> Result<()> {
    if place.is_changeable_in(&call.caller.scope) {
        return Ok(());
    }
    let detail = "this rule is for a whole workspace, and you have a part of it";
    Err(Error::new(Code::PermissionDenied, detail))
}

/// The rule, if it holds.
fn checked(tx: &dyn Tx, call: &Call, rule: EventRule) -> Result<EventRule> {
    if rule.conditions.is_empty() && rule.policy != ConditionsPolicy::Always {
        let detail = "conditions are missing; a rule for all events has `conditions_policy` ALWAYS";
        return Err(Error::at(Code::RequiredParameter, "/conditions", detail));
    }
    if rule.actions.is_nothing() && !rule.stop_processing {
        let detail = "the rule does nothing: give it an action, or let it stop";
        return Err(Error::at(Code::RequiredParameter, "/actions", detail));
    }
    let faults = rule.actions.faults().into_iter();
    let mistakes: Vec<Mistake> = faults
        .map(|(action, detail)| Mistake { pointer: format!("/actions/{action}"), detail })
        .collect();
    if let Some(first) = mistakes.first() {
        let detail = first.detail.clone();
        return Err(Error { mistakes, ..Error::new(Code::InvalidParameter, detail) });
    }
    if let Some(policy) = &rule.actions.change_escalation_policy
        && tx.escalation_policy(&call.caller.scope, policy)?.is_none()
    {
        let detail = format!("no escalation policy `{policy}`");
        return Err(Error::at(Code::InvalidParameter, "/actions/change_escalation_policy", detail));
    }
    if let Some(target) = &rule.actions.change_project {
        may_send(tx, call, (&rule, target))?;
    }
    Ok(rule)
}

/// Refuses a rule that sends events where they cannot go, or round in circles.
fn may_send(tx: &dyn Tx, call: &Call, (rule, target): (&EventRule, &Id<Project>)) -> Result<()> {
    let refused =
        |detail: String| Err(Error::at(Code::InvalidParameter, "/actions/change_project", detail));
    let scope = &call.caller.scope;
    let Some(project) = tx.project(scope, target)? else {
        return refused(format!("no project `{target}`"));
    };
    let Home { domain_id, workspace_id, .. } = &project.home;
    let (domain, workspace) = match &rule.place {
        RulePlace::Webhook(home, _) | RulePlace::Project(home) => {
            (&home.domain_id, &home.workspace_id)
        }
        RulePlace::Workspace(domain, workspace) => (domain, workspace),
    };
    if (domain_id, workspace_id) != (domain, workspace) {
        return refused(format!("project `{target}` is in another workspace"));
    }
    if tx.alert_config(scope, target)?.is_none() {
        return refused(format!("alerting is not switched on in project `{target}`"));
    }
    let RulePlace::Project(home) = &rule.place else { return Ok(()) };
    let from = &home.project_id;
    let Some(way) = way_back(&moves(tx, rule)?, from, target) else { return Ok(()) };
    // What the caller may not see is not named.
    let mut names = vec![from.to_string()];
    for step in way {
        let is_seen = tx.project(scope, &step)?.is_some();
        names.push(if is_seen { step.to_string() } else { "another project".to_owned() });
    }
    refused(format!("events would go round in a loop: {}", names.join(" → ")))
}

/// Where the rules of each project send events, without those of the rule that is about to change.
fn moves(tx: &dyn Tx, rule: &EventRule) -> Result<Moves> {
    let mut moves = Moves::new();
    for other in tx.event_rules(&Scope::EVERYTHING)? {
        let (RulePlace::Project(home), Some(to)) = (&other.place, &other.actions.change_project)
        else {
            continue;
        };
        if other.event_rule_id != rule.event_rule_id {
            moves.entry(home.project_id.clone()).or_default().insert(to.clone());
        }
    }
    Ok(moves)
}

/// Actions as a request says them; as in the original, an empty text says nothing.
pub(super) fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Actions, D::Error> {
    let written = Value::deserialize(deserializer)?;
    without_blanks(written).map_err(D::Error::custom)
}

fn without_blanks(mut written: Value) -> Result<Actions, serde_json::Error> {
    if let Value::Object(members) = &mut written {
        members.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    }
    Actions::deserialize(written)
}

/// The same where they may be left out.
pub(super) fn maybe_said<'de, D>(deserializer: D) -> Result<Option<Actions>, D::Error>
where
    D: Deserializer<'de>,
{
    let written = Option::<Value>::deserialize(deserializer)?;
    written.map(without_blanks).transpose().map_err(D::Error::custom)
}
