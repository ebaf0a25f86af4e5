//! `event_rule.*`: what is changed of events before they become alerts.

mod dry_run;
mod form;
mod info;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) use self::form::conditions;
pub use self::{
    dry_run::{DryRunEventRule, DryRunInfo, dry_run},
    info::{ConditionInfo, EventRuleInfo, RuleOptionsInfo},
};
use super::{
    Call, Done, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
};
use crate::{
    domain::{
        event_rule::{Actions, EventRule, MOST_RULES},
        project::{Domain, Project, Workspace},
        scope::Scope,
        webhook::Webhook,
        words::{ConditionsPolicy, ResourceGroup},
    },
    error::{Code, Error, Result},
    id::Id,
    query::EVENT_RULES,
    store::{HitKind, Tx},
};

/// How many rules are listed that were numbered anew.
const LISTED: usize = 100;

/// Asks for a new event rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEventRule {
    /// What people call it.
    #[serde(default)]
    name: String,
    /// Whose events it is asked about.
    resource_group: ResourceGroup,
    /// The workspace, of a rule with `resource_group` WORKSPACE; `default` where the caller has several.
    workspace_id: Option<Id<Workspace>>,
    /// The project, of a rule with `resource_group` PROJECT.
    project_id: Option<Id<Project>>,
    /// The webhook, of a rule with `resource_group` WEBHOOK.
    webhook_id: Option<Id<Webhook>>,
    /// What it asks.
    #[serde(default)]
    #[schemars(with = "Vec<ConditionInfo>")]
    conditions: Vec<Value>,
    /// How many of the conditions must hold.
    conditions_policy: ConditionsPolicy,
    /// What it does.
    #[serde(deserialize_with = "form::said")]
    actions: Actions,
    /// Whether no further rule is asked once it matched.
    stop_processing: Option<bool>,
    /// The same, as the original has it.
    #[serde(default)]
    options: OptionsRequest,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// How a rule is followed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OptionsRequest {
    /// Whether no further rule is asked once it matched.
    stop_processing: Option<bool>,
}

/// Makes an event rule, the last one of its webhook, project or workspace.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateEventRule) -> Result<EventRuleInfo> {
    let rule = form::made(tx, call, request)?;
    call.touches("event_rule", &rule.event_rule_id);
    let known = tx.event_rules_of(&rule.place)?.len();
    if known >= MOST_RULES {
        let detail = format!("there are {known} rules there already, which is the most");
        return Err(Error::new(Code::InvalidParameter, detail));
    }
    let order = u32::try_from(known + 1).unwrap_or(u32::MAX);
    keep(tx, call, None, EventRule { order, ..rule })
}

/// Asks to change an event rule; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateEventRule {
    /// Its identifier.
    event_rule_id: Id<EventRule>,
    /// What people call it.
    name: Option<String>,
    /// What it asks.
    #[schemars(with = "Option<Vec<ConditionInfo>>")]
    conditions: Option<Vec<Value>>,
    /// How many of the conditions must hold.
    conditions_policy: Option<ConditionsPolicy>,
    /// What it does; these replace all that it did.
    #[serde(default, deserialize_with = "form::maybe_said")]
    actions: Option<Actions>,
    /// Whether no further rule is asked once it matched.
    stop_processing: Option<bool>,
    /// The same, as the original has it.
    #[serde(default)]
    options: OptionsRequest,
    /// The users' own labels.
    tags: Option<Map<String, Value>>,
}

/// Changes an event rule. Its actions are replaced as a whole.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateEventRule) -> Result<EventRuleInfo> {
    let before = changeable(tx, call, &request.event_rule_id)?;
    let after = form::changed(tx, call, (before.clone(), request))?;
    keep(tx, call, Some(before), after)
}

/// Asks for another place of an event rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrder {
    /// Its identifier.
    event_rule_id: Id<EventRule>,
    /// Its place among the rules of its webhook, project or workspace, from one.
    order: u32,
}

/// Moves an event rule among those of its webhook, project or workspace.
pub fn change_order(tx: &mut dyn Tx, call: &Call, request: ChangeOrder) -> Result<EventRuleInfo> {
    let rule = changeable(tx, call, &request.event_rule_id)?;
    let mut rules = tx.event_rules_of(&rule.place)?;
    let to = request.order as usize;
    if !(1..=rules.len()).contains(&to) {
        let detail = format!("there are {} rules there, so a place is from 1 to that", rules.len());
        return Err(Error::at(Code::InvalidParameter, "/order", detail));
    }
    let Some(from) = rules.iter().position(|one| one.event_rule_id == rule.event_rule_id) else {
        return Err(Error::not_found("event rule", &rule.event_rule_id));
    };
    let moved = rules.remove(from);
    rules.insert(to - 1, moved);
    renumber(tx, call, (&rule, rules))?;
    let after = EventRule { order: request.order, ..rule.clone() };
    let (before, after) = (info(tx, &rule)?, info(tx, &after)?);
    call.touched("event_rule", &rule.event_rule_id, seen(&before), seen(&after));
    Ok(after)
}

/// Numbers rules anew, in this order.
fn renumber(
    tx: &mut dyn Tx,
    call: &Call,
    (about, rules): (&EventRule, Vec<EventRule>),
) -> Result<()> {
    let mut moved = Vec::new();
    for (order, rule) in (1..).zip(rules) {
        if rule.order != order {
            if rule.event_rule_id != about.event_rule_id {
                moved.push(json!({ "id": rule.event_rule_id, "from": rule.order, "to": order }));
            }
            tx.put_event_rule(&EventRule { order, ..rule })?;
        }
    }
    if !moved.is_empty() {
        let count = moved.len();
        moved.truncate(LISTED);
        let moved = json!({ "count": count, "which": moved });
        call.took_along(("event_rule", &about.event_rule_id), "renumbered", moved);
    }
    Ok(())
}

/// Names one event rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneEventRule {
    /// Its identifier.
    event_rule_id: Id<EventRule>,
}

/// Deletes an event rule; those behind it move up.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneEventRule) -> Result<Done> {
    let rule = changeable(tx, call, &request.event_rule_id)?;
    let before = info(tx, &rule)?;
    tx.delete_event_rule(&rule)?;
    let rest = tx.event_rules_of(&rule.place)?;
    renumber(tx, call, (&rule, rest))?;
    call.touched("event_rule", &rule.event_rule_id, seen(&before), None);
    Ok(Done {})
}

/// One event rule, with how often it matched.
pub fn get(tx: &dyn Tx, call: &Call, request: OneEventRule) -> Result<EventRuleInfo> {
    info(tx, &existing(tx, call, &request.event_rule_id)?)
}

list_request! {
    /// Asks for event rules.
    ListEventRules: Asked,
    /// Asks for statistics of event rules.
    StatEventRules: AskedStat
    of EVENT_RULES {
        /// Only the one with this identifier.
        event_rule_id: Id<EventRule>,
        /// Only those of exactly this name.
        name: String,
        /// Only those that are asked about these events.
        resource_group: ResourceGroup,
        /// Only those of this webhook.
        webhook_id: Id<Webhook>,
        /// Only those of this project; those of whole workspaces have `*`.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Event rules, in their order where none is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListEventRules,
) -> Result<Page<Shown<EventRuleInfo>>> {
    let query = request.checked(call.now)?;
    Page::listed(views(tx, &call.caller.scope)?, &query, &EVENT_RULES)
}

/// Statistics of event rules.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatEventRules) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(views(tx, &call.caller.scope)?.into_iter(), &stat)
}

fn views(tx: &dyn Tx, scope: &Scope) -> Result<Vec<EventRuleInfo>> {
    tx.event_rules(scope)?.iter().map(|rule| info(tx, rule)).collect()
}

fn info(tx: &dyn Tx, rule: &EventRule) -> Result<EventRuleInfo> {
    let hits = tx.hits(HitKind::EventRule, rule.event_rule_id.as_str())?;
    Ok(EventRuleInfo::new(rule, hits))
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<EventRule>) -> Result<EventRule> {
    call.touches("event_rule", id);
    tx.event_rule(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("event rule", id))
}

/// A rule that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<EventRule>) -> Result<EventRule> {
    let rule = existing(tx, call, id)?;
    form::may_change(call, &rule.place)?;
    Ok(rule)
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<EventRule>,
    after: EventRule,
) -> Result<EventRuleInfo> {
    let before = before.map(|before| info(tx, &before)).transpose()?;
    tx.put_event_rule(&after)?;
    let view = info(tx, &after)?;
    let before = before.as_ref().and_then(seen);
    call.touched("event_rule", &view.event_rule_id, before, seen(&view));
    Ok(view)
}

/// A name that a person gave or left out.
pub(super) fn name(text: &str) -> Result<String> {
    if text.trim().is_empty() { Ok(String::new()) } else { asked::name("name", text) }
}
