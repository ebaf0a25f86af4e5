//! Grouping beyond the key: events that share the values of some fields open one alert together, or only once there are
//! enough of them.
//!
//! A rule names fields, a window and a threshold. An event opens an alert only as the last of so many of its group within
//! the window; the first alert of a group leads it, and those that open within the window of the newest member become
//! parts of it, which notify nothing. What lacks one of the fields is not grouped.

mod replay;
mod step;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use serde_json::Value;

pub use self::{
    replay::{Grouped, Replay, Seen},
    step::GroupStep,
};
use super::{
    alert::Alert,
    event::Event,
    event_rule::{
        RuleCondition,
        subject::{KNOWN, record_of, said},
    },
    scope::Home,
};
use crate::{
    clock::Timestamp,
    digest::{hex, sha256},
    id::{Id, Identified},
    load_error::did_you_mean,
};

/// The most group rules of one project.
pub const MOST_GROUP_RULES: usize = 50;

/// The most fields of one rule.
pub const MOST_FIELDS: usize = 10;

/// The longest window.
pub const LONGEST_WINDOW: TimeDelta = TimeDelta::days(1);

/// The greatest threshold: so many events may wait for each group.
pub const GREATEST_THRESHOLD: u32 = 1000;

/// What makes one alert of several.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRule {
    /// Its identifier.
    pub group_rule_id: Id<GroupRule>,
    /// What people call it; may be empty.
    pub name: String,
    /// Its place among the rules of its project, from one. The first one that concerns an event decides.
    pub order: u32,
    /// Each of these must hold of an event that it concerns.
    pub conditions: Vec<RuleCondition>,
    /// The fields whose values the events of a group share.
    pub fields: Vec<GroupField>,
    /// Within which time events reach the threshold, and alerts become parts of another.
    pub window: TimeDelta,
    /// How many events of a group open an alert; one where each does.
    pub threshold: u32,
    /// The project.
    pub home: Home,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A field of an event, and the way on below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupField(String);

/// The group rules of a project, in order.
#[derive(Clone, Debug, Default)]
pub struct GroupRules {
    /// The rules.
    pub rules: Vec<Arc<GroupRule>>,
}

/// The group that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it is kept by: the rule, and a digest of the values.
    pub subject: String,
    /// The values, for people, e.g. `additional_info.cluster eu1`.
    pub values: String,
}

/// What is known of a group when an event of it would open an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The open alert that leads it, and when it or its newest member opened.
    pub lead: Option<(Id<Alert>, Timestamp)>,
    /// How many events of it wait, of those that are within the window.
    pub waiting: u32,
}

/// What becomes of an alert that would open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opens as a part of this alert.
    Member(Id<Alert>),
    /// It does not open yet: with this event there are so many.
    Below(u32),
    /// It opens and leads the group from now on; with its event there were so many.
    Lead(u32),
}

impl Identified for GroupRule {
    const PREFIX: &'static str = "gr";
}

impl GroupRule {
    /// Its identifier, and what it is called: its name, or its identifier where it has none.
    pub fn named(&self) -> (Id<Self>, String) {
        let id = self.group_rule_id.clone();
        let name = if self.name.is_empty() { id.as_str() } else { &self.name }.to_owned();
        (id, name)
    }

    /// The group that an event belongs to, or why it is not concerned.
    pub fn group_of(&self, event: &Event) -> Result<Group, String> {
        self.group_in(&record_of(event), event.created_at)
    }

    fn group_in(&self, record: &Value, now: Timestamp) -> Result<Group, String> {
        if let Some(failed) = self.conditions.iter().find(|it| !it.is_met(record, now)) {
            return Err(failed.held_against(record));
        }
        let (mut key, mut values) = (Vec::new(), Vec::new());
        for GroupField(field) in &self.fields {
            let path: Vec<String> = field.split('.').map(str::to_owned).collect();
            let Some(value) = said(record, &path) else {
                return Err(format!("{field}: it is not there"));
            };
            values.push(format!("{field} {}", value.chars().take(80).collect::<String>()));
            key.push(value);
        }
        let digest = sha256(Value::from(key).to_string().as_bytes());
        let subject = format!("{}:{}", self.group_rule_id, hex(&digest[..16]));
        Ok(Group { subject, values: values.join(", ") })
    }

    /// What becomes of an alert of a group that would open at `now`.
    pub fn decide(&self, known: Known, now: Timestamp) -> Verdict {
        if let Some((lead, last)) = known.lead
            && now - last <= self.window
        {
            return Verdict::Member(lead);
        }
        let count = known.waiting.saturating_add(1);
        if count < self.threshold { Verdict::Below(count) } else { Verdict::Lead(count) }
    }
}

impl GroupRules {
    /// The first rule that concerns an event, with its group; and why those before it do not.
    pub fn concerning(&self, event: &Event) -> (Option<(&Arc<GroupRule>, Group)>, Vec<GroupStep>) {
        let mut passed = Vec::new();
        if self.rules.is_empty() {
            return (None, passed);
        }
        let record = record_of(event);
        for rule in &self.rules {
            match rule.group_in(&record, event.created_at) {
                Ok(group) => return (Some((rule, group)), passed),
                Err(because) => {
                    let (group_rule_id, name) = rule.named();
                    passed.push(GroupStep::Passed { group_rule_id, name, because });
                }
            }
        }
        (None, passed)
    }
}

impl GroupField {
    /// The field that is written so.
    ///
    /// # Errors
    /// What is wrong with it: events have no such field, or none whose values they share.
    pub fn parse(written: &str) -> Result<Self, String> {
        let written = if written == "resource" { "resources" } else { written };
        let name = written.split('.').next().unwrap_or_default();
        if !KNOWN.contains(&name) {
            let hint = did_you_mean(name, KNOWN.iter().copied());
            return Err(format!("unknown field `{name}`{hint}"));
        }
        if matches!(name, "created_at" | "occurred_at") {
            return Err(format!("`{name}` differs with each event, so nothing would share it"));
        }
        if written == "additional_info" || written.split('.').any(str::is_empty) {
            return Err(format!("`{written}` is no path, such as `additional_info.cluster`"));
        }
        if written.len() > 1000 {
            return Err("a field has at most 1000 bytes".to_owned());
        }
        Ok(Self(written.to_owned()))
    }

    /// The field as it was kept.
    pub fn restored(written: String) -> Self {
        Self(written)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
