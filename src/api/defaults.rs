//! The rules that a project gets with its first webhook of a provider.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Call, call::seen, event_rule::EventRuleInfo, group_rule::GroupRuleInfo};
use crate::{
    clock::Timestamp,
    domain::{
        audit::Trail,
        event_rule::{MOST_RULES, RulePlace},
        group_rule::MOST_GROUP_RULES,
        scope::{Home, Reach, Scope},
        webhook::Webhook,
    },
    error::Result,
    id::Mint,
    plugins::{Brought, CAME_WITH, Defaults},
    store::{Hit, Tx},
};

/// A rule that a project got with its first webhook of a provider.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BroughtInfo {
    /// What it is: `event_rule` or `group_rule`.
    pub kind: &'static str,
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// Gives a project the rules of a provider, unless it has some that came with the same provider before; which ones it got.
///
/// # Errors
/// Where the store cannot take them.
pub fn bring(
    tx: &mut dyn Tx,
    home: &Home,
    (provider, defaults): (&str, &Defaults),
    moment: (&Mint, Timestamp),
) -> Result<Brought> {
    if defaults.is_empty() {
        return Ok(Brought::default());
    }
    let event_rules = tx.event_rules_of(&RulePlace::Project(home.clone()))?;
    let mut group_rules = tx.group_rules(&Scope::EVERYTHING)?;
    group_rules.retain(|rule| rule.home == *home);
    let mut tags =
        event_rules.iter().map(|rule| &rule.tags).chain(group_rules.iter().map(|rule| &rule.tags));
    if tags.any(|tags| tags.get(CAME_WITH).is_some_and(|came| came == provider)) {
        return Ok(Brought::default());
    }
    let mut brought = defaults.brought(provider, home, moment);
    // What does not fit any more is left out: a webhook is not refused for it.
    brought.event_rules.truncate(MOST_RULES.saturating_sub(event_rules.len()));
    brought.group_rules.truncate(MOST_GROUP_RULES.saturating_sub(group_rules.len()));
    let last = event_rules.iter().map(|rule| rule.order).max().unwrap_or(0);
    for rule in &mut brought.event_rules {
        rule.order = rule.order.saturating_add(last);
        tx.put_event_rule(rule)?;
    }
    let last = group_rules.iter().map(|rule| rule.order).max().unwrap_or(0);
    for rule in &mut brought.group_rules {
        rule.order = rule.order.saturating_add(last);
        tx.put_group_rule(rule)?;
    }
    Ok(brought)
}

/// The number of the newest record of the own trail of a project's domain; what comes after it is fed to a webhook that is
/// made now.
///
/// # Errors
/// Where the store cannot be asked.
pub fn newest(tx: &dyn Tx, home: &Home) -> Result<u64> {
    let reach = Scope { domains: Reach::one(home.domain_id.clone()), ..Scope::EVERYTHING };
    let heads = tx.heads(&reach)?;
    Ok(heads.iter().find(|head| head.trail == Trail::Own).map_or(0, |head| head.last.sequence))
}

/// Gives the project of a new webhook the rules of its provider, and notes them for the audit trail.
pub(super) fn given(tx: &mut dyn Tx, call: &Call, webhook: &Webhook) -> Result<Vec<BroughtInfo>> {
    let provider = webhook.plugin.as_str();
    let defaults = (call.defaults)(provider);
    let brought = bring(tx, &webhook.home, (provider, &defaults), (&call.mint, call.now))?;
    let shown = shown(&brought);
    for rule in brought.event_rules {
        let view = EventRuleInfo::new(&rule, Hit::default());
        call.touched("event_rule", &rule.event_rule_id, None, seen(&view));
    }
    for rule in brought.group_rules {
        let view = GroupRuleInfo::new(&rule, Hit::default());
        call.touched("group_rule", &rule.group_rule_id, None, seen(&view));
    }
    Ok(shown)
}

/// The rules that a project got, as they are shown.
fn shown(brought: &Brought) -> Vec<BroughtInfo> {
    let event_rules = brought.event_rules.iter().map(|rule| BroughtInfo {
        kind: "event_rule",
        id: rule.event_rule_id.to_string(),
        name: rule.name.clone(),
    });
    let group_rules = brought.group_rules.iter().map(|rule| BroughtInfo {
        kind: "group_rule",
        id: rule.group_rule_id.to_string(),
        name: rule.name.clone(),
    });
    event_rules.chain(group_rules).collect()
}
