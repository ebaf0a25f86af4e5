//! `group_rule.*`: grouping beyond the key.

mod dry_run;
mod info;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use self::{
    dry_run::{DryRunGroupRule, GroupDryRunInfo, dry_run},
    info::GroupRuleInfo,
};
use super::{
    Call, Done, Page, Shown, StatInfo,
    asked::list_request,
    call::seen,
    event_rule::{self, ConditionInfo},
};
use crate::{
    domain::{
        group_rule::{
            GREATEST_THRESHOLD, GroupField, GroupRule, LONGEST_WINDOW, MOST_FIELDS,
            MOST_GROUP_RULES,
        },
        project::{Domain, Project, Workspace},
        scope::Scope,
    },
    error::{Code, Error, Result},
    id::Id,
    query::GROUP_RULES,
    store::{HitKind, Tx},
};

/// Asks for a new group rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroupRule {
    /// The project.
    project_id: Id<Project>,
    /// What people call it.
    #[serde(default)]
    name: String,
    /// Each of these must hold of an event that it concerns; all events where there are none.
    #[serde(default)]
    #[schemars(with = "Vec<ConditionInfo>")]
    conditions: Vec<Value>,
    /// The fields whose values the events of a group share, such as `additional_info.cluster`.
    fields: Vec<String>,
    /// Within how many seconds events reach the threshold, and alerts become parts of another.
    window: u32,
    /// How many events of a group open an alert; 1, so that each does, where absent.
    threshold: Option<u32>,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
}

/// Makes a group rule, the last one of its project.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateGroupRule) -> Result<GroupRuleInfo> {
    let rule = made(tx, call, request)?;
    call.touches("group_rule", &rule.group_rule_id);
    let rules = tx.group_rules(&Scope::EVERYTHING)?;
    let others = rules.iter().filter(|other| other.home == rule.home);
    let (known, last) =
        others.fold((0, 0), |(count, last), other| (count + 1, other.order.max(last)));
    if known >= MOST_GROUP_RULES {
        let detail = format!("the project has {known} group rules already, which is the most");
        return Err(Error::new(Code::InvalidParameter, detail));
    }
    keep(tx, call, None, GroupRule { order: last.saturating_add(1), ..rule })
}

/// The rule that a request asks for.
fn made(tx: &dyn Tx, call: &Call, request: CreateGroupRule) -> Result<GroupRule> {
    let CreateGroupRule { project_id, name, conditions, fields, window, threshold, tags } = request;
    let project = tx.project(&call.caller.scope, &project_id)?;
    let project = project.ok_or_else(|| Error::not_found("project", &project_id))?;
    Ok(GroupRule {
        group_rule_id: call.mint.id(call.now),
        name: event_rule::name(&name)?,
        order: 1,
        conditions: event_rule::conditions(&conditions, call)?,
        fields: self::fields(&fields)?,
        window: self::window(window)?,
        threshold: self::threshold(threshold.unwrap_or(1))?,
        home: project.home,
        tags: tags.into_iter().collect(),
        created_at: call.now,
    })
}

fn fields(written: &[String]) -> Result<Vec<GroupField>> {
    let refused = |pointer: String, detail| Err(Error::at(Code::InvalidParameter, pointer, detail));
    if !(1..=MOST_FIELDS).contains(&written.len()) {
        let detail = format!("a group shares the values of 1 to {MOST_FIELDS} fields");
        return refused("/fields".to_owned(), detail);
    }
    let mut fields = Vec::new();
    for (at, written) in written.iter().enumerate() {
        match GroupField::parse(written) {
            Ok(field) => fields.push(field),
            Err(detail) => return refused(format!("/fields/{at}"), detail),
        }
    }
    Ok(fields)
}

fn window(seconds: u32) -> Result<TimeDelta> {
    let window = TimeDelta::seconds(seconds.into());
    if window <= TimeDelta::zero() || window > LONGEST_WINDOW {
        let detail = format!("a window has 1 to {} seconds", LONGEST_WINDOW.num_seconds());
        return Err(Error::at(Code::InvalidParameter, "/window", detail));
    }
    Ok(window)
}

fn threshold(events: u32) -> Result<u32> {
    if !(1..=GREATEST_THRESHOLD).contains(&events) {
        let detail = format!("a threshold is 1 to {GREATEST_THRESHOLD} events");
        return Err(Error::at(Code::InvalidParameter, "/threshold", detail));
    }
    Ok(events)
}

/// Asks to change a group rule; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroupRule {
    /// Its identifier.
    group_rule_id: Id<GroupRule>,
    /// What people call it.
    name: Option<String>,
    /// Each of these must hold of an event that it concerns.
    #[schemars(with = "Option<Vec<ConditionInfo>>")]
    conditions: Option<Vec<Value>>,
    /// The fields whose values the events of a group share.
    fields: Option<Vec<String>>,
    /// Within how many seconds events reach the threshold, and alerts become parts of another.
    window: Option<u32>,
    /// How many events of a group open an alert.
    threshold: Option<u32>,
    /// The users' own labels.
    tags: Option<Map<String, Value>>,
}

/// Changes a group rule. Groups that wait or are open go on where they still fit.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateGroupRule) -> Result<GroupRuleInfo> {
    let before = existing(tx, call, &request.group_rule_id)?;
    let mut after = before.clone();
    if let Some(name) = request.name {
        after.name = event_rule::name(&name)?;
    }
    if let Some(conditions) = request.conditions {
        after.conditions = event_rule::conditions(&conditions, call)?;
    }
    if let Some(written) = request.fields {
        after.fields = fields(&written)?;
    }
    if let Some(seconds) = request.window {
        after.window = window(seconds)?;
    }
    if let Some(events) = request.threshold {
        after.threshold = threshold(events)?;
    }
    if let Some(tags) = request.tags {
        after.tags = tags.into_iter().collect();
    }
    keep(tx, call, Some(before), after)
}

/// Names one group rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneGroupRule {
    /// Its identifier.
    group_rule_id: Id<GroupRule>,
}

/// Deletes a group rule. Alerts that are parts of others stay so.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneGroupRule) -> Result<Done> {
    let rule = existing(tx, call, &request.group_rule_id)?;
    let before = info(tx, &rule)?;
    tx.delete_group_rule(&rule)?;
    call.touched("group_rule", &rule.group_rule_id, seen(&before), None);
    Ok(Done {})
}

/// One group rule, with how many events it concerned.
pub fn get(tx: &dyn Tx, call: &Call, request: OneGroupRule) -> Result<GroupRuleInfo> {
    info(tx, &existing(tx, call, &request.group_rule_id)?)
}

list_request! {
    /// Asks for group rules.
    ListGroupRules: Asked,
    /// Asks for statistics of group rules.
    StatGroupRules: AskedStat
    of GROUP_RULES {
        /// Only the one with this identifier.
        group_rule_id: Id<GroupRule>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Group rules, in their order where none is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListGroupRules,
) -> Result<Page<Shown<GroupRuleInfo>>> {
    let query = request.checked(call.now)?;
    Page::listed(views(tx, &call.caller.scope)?, &query, &GROUP_RULES)
}

/// Statistics of group rules.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatGroupRules) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(views(tx, &call.caller.scope)?.into_iter(), &stat)
}

fn views(tx: &dyn Tx, scope: &Scope) -> Result<Vec<GroupRuleInfo>> {
    tx.group_rules(scope)?.iter().map(|rule| info(tx, rule)).collect()
}

fn info(tx: &dyn Tx, rule: &GroupRule) -> Result<GroupRuleInfo> {
    let hits = tx.hits(HitKind::GroupRule, rule.group_rule_id.as_str())?;
    Ok(GroupRuleInfo::new(rule, hits))
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<GroupRule>) -> Result<GroupRule> {
    call.touches("group_rule", id);
    tx.group_rule(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("group rule", id))
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<GroupRule>,
    after: GroupRule,
) -> Result<GroupRuleInfo> {
    let before = before.map(|before| info(tx, &before)).transpose()?;
    tx.put_group_rule(&after)?;
    let view = info(tx, &after)?;
    let before = before.as_ref().and_then(seen);
    call.touched("group_rule", &view.group_rule_id, before, seen(&view));
    Ok(view)
}
