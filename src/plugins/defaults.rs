//! What a project gets with its first webhook of a provider: rules that its audit feeds or noisy senders nearly always
//! need. From then on they are the project's own, to change or delete.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::Timestamp,
    domain::{
        event_rule::{Actions, EventRule, RuleCondition, RulePlace},
        group_rule::{GREATEST_THRESHOLD, GroupField, GroupRule, LONGEST_WINDOW, MOST_FIELDS},
        scope::Home,
        words::ConditionsPolicy,
    },
    id::Mint,
};

/// The tag of a rule that came with a provider; its value is the provider's name.
pub const CAME_WITH: &str = "came_with";

/// The rules that a provider brings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Event rules of the project.
    event_rules: Vec<BroughtEventRule>,
    /// Group rules of the project.
    group_rules: Vec<BroughtGroupRule>,
}

/// An event rule, as a manifest has it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BroughtEventRule {
    /// What people call it.
    name: String,
    /// Each of these must hold of an event.
    conditions: Vec<Condition>,
    /// What it does to the event.
    actions: SomeActions,
}

/// A group rule, as a manifest has it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenGroupRule")]
#[schemars(with = "WrittenGroupRule")]
struct BroughtGroupRule(WrittenGroupRule);

/// A group rule whose numbers were not looked at yet.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenGroupRule {
    /// What people call it.
    name: String,
    /// Each of these must hold of an event that it concerns.
    conditions: Vec<Condition>,
    /// The fields whose values the events of a group share.
    fields: Vec<Field>,
    /// Within how many seconds events reach the threshold, and alerts become parts of another.
    window: u32,
    /// How many events of a group open an alert.
    threshold: u32,
}

/// A condition, as event rules have it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Value")]
#[schemars(with = "BTreeMap<String, Value>")]
struct Condition(RuleCondition);

/// A field whose values events share.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Field(GroupField);

/// Actions that a manifest may have: those that name nothing of an installation.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Actions")]
#[schemars(with = "Actions")]
struct SomeActions(Actions);

/// The rules that a project gets.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// Its event rules.
    pub event_rules: Vec<EventRule>,
    /// Its group rules.
    pub group_rules: Vec<GroupRule>,
}

impl TryFrom<Value> for Condition {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, String> {
        RuleCondition::parse(&written, "", Timestamp::UNIX_EPOCH)
            .map(Self)
            .map_err(|error| format!("{}: {}", error.pointer, error.detail))
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        GroupField::parse(&written).map(Self)
    }
}

impl TryFrom<Actions> for SomeActions {
    type Error = String;

    fn try_from(actions: Actions) -> Result<Self, String> {
        if let Some((action, detail)) = actions.faults().into_iter().next() {
            return Err(format!("{action}: {detail}"));
        }
        let names_something = actions.change_project.is_some()
            || actions.change_assignee.is_some()
            || actions.change_escalation_policy.is_some();
        if names_something || actions.is_nothing() {
            let wanted = "expected an action that names no project, user or escalation policy";
            return Err(wanted.to_owned());
        }
        Ok(Self(actions))
    }
}

impl TryFrom<WrittenGroupRule> for BroughtGroupRule {
    type Error = String;

    fn try_from(written: WrittenGroupRule) -> Result<Self, String> {
        let longest = LONGEST_WINDOW.num_seconds();
        if !(1..=longest).contains(&written.window.into()) {
            return Err(format!("a `window` has 1 to {longest} seconds"));
        }
        if !(1..=GREATEST_THRESHOLD).contains(&written.threshold) {
            return Err(format!("a `threshold` is 1 to {GREATEST_THRESHOLD} events"));
        }
        if !(1..=MOST_FIELDS).contains(&written.fields.len()) {
            return Err(format!("a group shares the values of 1 to {MOST_FIELDS} `fields`"));
        }
        Ok(Self(written))
    }
}

impl Defaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.event_rules.is_empty() && self.group_rules.is_empty()
    }

    /// The rules for a project, each in the order of the manifest, from one.
    pub fn brought(&self, provider: &str, home: &Home, (mint, now): (&Mint, Timestamp)) -> Brought {
        let tags: BTreeMap<String, Value> = [(CAME_WITH.to_owned(), json!(provider))].into();
        let asked = |all: &[Condition]| all.iter().map(|one| one.0.clone()).collect();
        let event_rules = (1..).zip(&self.event_rules).map(|(order, rule)| EventRule {
            event_rule_id: mint.id(now),
            name: rule.name.clone(),
            order,
            policy: ConditionsPolicy::All,
            conditions: asked(&rule.conditions),
            actions: rule.actions.0.clone(),
            stop_processing: false,
            place: RulePlace::Project(home.clone()),
            tags: tags.clone(),
            created_at: now,
        });
        let group_rules =
            (1..).zip(&self.group_rules).map(|(order, BroughtGroupRule(rule))| GroupRule {
                group_rule_id: mint.id(now),
                name: rule.name.clone(),
                order,
                conditions: asked(&rule.conditions),
                fields: rule.fields.iter().map(|field| field.0.clone()).collect(),
                window: TimeDelta::seconds(rule.window.into()),
                threshold: rule.threshold,
                home: home.clone(),
                tags: tags.clone(),
                created_at: now,
            });
        Brought { event_rules: event_rules.collect(), group_rules: group_rules.collect() }
    }
}
