//! `group_rule.dry_run`: what a group rule would have made of the alerts of the last days, before it is saved.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CreateGroupRule, GroupRuleInfo, existing, info, made};
use crate::{
    api::{Call, Moment, replayed},
    domain::{
        group_rule::{GroupRule, Grouped, Replay, Seen},
        words::RecoveryMode,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// How many days are looked back where nothing is said, and at most.
const DAYS: u32 = 7;
const MOST_DAYS: u32 = 30;

/// How many groups are shown.
const SHOWN: usize = 20;

/// Asks what a group rule would have done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunGroupRule {
    /// The rule that is tried; the one that is saved where absent.
    group_rule: Option<CreateGroupRule>,
    /// The saved rule that is tried.
    group_rule_id: Option<Id<GroupRule>>,
    /// How many days to look back, 7 by default and 30 at most.
    days: Option<u32>,
}

/// What a group rule would have done, alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupDryRunInfo {
    /// The rule that was tried.
    pub group_rule: GroupRuleInfo,
    /// From when on events were looked at.
    pub since: Moment,
    /// How many events were looked at, newest first.
    pub looked_at: u64,
    /// Whether there are more of that time than were looked at.
    pub is_partial: bool,
    /// How many alerts would have opened without any group rule.
    pub alerts_without: u64,
    /// How many alerts would have opened and told people with it.
    pub alerts_with: u64,
    /// How many groups it would have seen.
    pub groups: u64,
    /// The largest of them.
    pub examples: Vec<GroupInfo>,
    /// What a person should know before it is saved.
    pub warnings: Vec<String>,
}

/// A group as it would have been.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupInfo {
    /// The values that it shares.
    pub values: String,
    /// How many alerts would have led it, one after another.
    pub leads: u64,
    /// How many alerts would have been parts of these.
    pub members: u64,
    /// How many events would have stayed without an alert.
    pub below: u64,
}

/// What a group rule would have made of the last days. Nothing is changed.
pub fn dry_run(tx: &dyn Tx, call: &Call, request: DryRunGroupRule) -> Result<GroupDryRunInfo> {
    let days = request.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("`days` is from 1 to {MOST_DAYS}");
        return Err(Error::at(Code::InvalidParameter, "/days", detail));
    }
    let rule = match (request.group_rule, request.group_rule_id) {
        (Some(asked), _) => made(tx, call, asked)?,
        (None, Some(id)) => existing(tx, call, &id)?,
        (None, None) => return Err(Error::required("group_rule")),
    };
    let scope = &call.caller.scope;
    let config = tx.alert_config(scope, &rule.home.project_id)?;
    let mode = config.map_or(RecoveryMode::Auto, |config| config.policy.recovery_mode);
    let since = call.now - TimeDelta::days(days.into());
    let condition = json!({ "k": "project_id", "v": rule.home.project_id, "o": "eq" });
    let mut seen = Vec::new();
    let replayed = replayed::events(tx, scope, (condition, since, call.now), &mut |event| {
        seen.push(Seen::of(&event, &rule));
        Ok(())
    })?;
    seen.reverse();
    let replay = Replay::of(&rule, &seen, mode);
    Ok(told(info(tx, &rule)?, (since.into(), replayed), replay))
}

fn told(
    group_rule: GroupRuleInfo,
    (since, replayed): (Moment, replayed::Replayed),
    replay: Replay,
) -> GroupDryRunInfo {
    let Replay { opened_without, opened_with, groups } = replay;
    let mut warnings = Vec::new();
    if replayed.looked_at > 0 && groups.is_empty() {
        warnings.push(
            "it concerns none of these events: a condition fails, or a field is missing".to_owned(),
        );
    }
    let lost = groups.values().filter(|group| group.leads == 0).count();
    if lost > 0 {
        warnings.push(format!("{lost} groups would never have opened an alert"));
    }
    let count = groups.len() as u64;
    let mut groups: Vec<Grouped> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.leads + group.members + group.below));
    groups.truncate(SHOWN);
    let examples = groups.into_iter().map(|Grouped { values, leads, members, below }| GroupInfo {
        values,
        leads,
        members,
        below,
    });
    GroupDryRunInfo {
        group_rule,
        since,
        looked_at: replayed.looked_at,
        is_partial: replayed.is_partial,
        alerts_without: opened_without,
        alerts_with: opened_with,
        groups: count,
        examples: examples.collect(),
        warnings,
    }
}
