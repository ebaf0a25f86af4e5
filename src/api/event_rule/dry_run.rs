//! `event_rule.dry_run`: what a rule would have done to the events that were stored lately, before it is saved.
//!
//! Each event is sent through the rules twice, without the rule and with it, and what differs is told. Stored events have
//! been through the rules of their time; what these changed is what the rule is asked about.

mod tell;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::tell::Told;
use super::{CreateEventRule, EventRuleInfo, form, info};
use crate::{
    api::{Call, Moment, replayed},
    domain::{
        event::Event,
        event_rule::{EventRule, EventRules, Routed, RulePlace, route},
        project::Project,
        scope::{Home, Scope},
        setup::Setup,
        webhook::Webhook,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// How many days are looked back where nothing is said, and at most.
pub(in crate::api) const DAYS: u32 = 7;
const MOST_DAYS: u32 = 30;

/// Asks what an event rule would have done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunEventRule {
    /// The rule that is tried; the one that is saved where absent.
    event_rule: Option<CreateEventRule>,
    /// The saved rule that it would replace, or that is tried itself. A new rule comes behind those that there are.
    event_rule_id: Option<Id<EventRule>>,
    /// How many days to look back, 7 by default and 30 at most.
    days: Option<u32>,
}

/// What an event rule would have done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DryRunInfo {
    /// The rule that was tried.
    pub event_rule: EventRuleInfo,
    /// From when on events were looked at.
    pub since: Moment,
    /// How many events were looked at, newest first.
    pub looked_at: u64,
    /// Whether there are more of that time than were looked at.
    pub is_partial: bool,
    /// How many of them the rule matches.
    pub matched: u64,
    /// How many alerts the matched events belong to.
    pub alerts: u64,
    /// How many events would come out differently, by what differs, e.g. `severity`.
    pub changed: BTreeMap<String, u64>,
    /// What a person should know before it is saved.
    pub warnings: Vec<String>,
    /// The newest events that it matches.
    pub examples: Vec<ExampleInfo>,
}

/// What an event rule would have done to one event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExampleInfo {
    /// The event.
    pub event_id: Id<Event>,
    /// When it arrived.
    pub created_at: Moment,
    /// What a person reads first.
    pub title: Option<String>,
    /// What each rule said of it, in a sentence each.
    pub steps: Vec<String>,
    /// What would differ: before and after.
    pub changes: BTreeMap<String, ChangeInfo>,
}

/// One difference.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChangeInfo {
    /// What comes out without the rule.
    pub before: Value,
    /// What comes out with it.
    pub after: Value,
}

/// What a rule would have done to the events of the last days. Nothing is changed.
pub fn dry_run(tx: &dyn Tx, call: &Call, request: DryRunEventRule) -> Result<DryRunInfo> {
    let days = request.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("`days` is from 1 to {MOST_DAYS}");
        return Err(Error::at(Code::InvalidParameter, "/days", detail));
    }
    let rule = tried(tx, call, request)?;
    let since = call.now - TimeDelta::days(days.into());
    let Some(filter) = concerned(tx, &rule.place)? else {
        return Ok(Told::default().info(info(tx, &rule)?, since, replayed::Replayed::default()));
    };
    let rule = Arc::new(rule);
    let trial = Trial::new(tx, &rule);
    let scope = &call.caller.scope;
    let seen = tx.event_rules(scope)?.into_iter().map(|rule| rule.event_rule_id);
    let mut told = Told::naming(seen.chain([rule.event_rule_id.clone()]).collect());
    let replayed = replayed::events(tx, scope, (filter, since, call.now), &mut |event| {
        let Some(webhook) = trial.webhook(&event)? else { return Ok(()) };
        let (before, after) = trial.routed(&event, &webhook);
        trial.fault()?;
        told.add(&rule, &event, (&before, &after));
        Ok(())
    })?;
    Ok(told.info(info(tx, &rule)?, since, replayed))
}

/// The rule that is tried.
fn tried(tx: &dyn Tx, call: &Call, request: DryRunEventRule) -> Result<EventRule> {
    let saved = request.event_rule_id.map(|id| super::existing(tx, call, &id)).transpose()?;
    match (request.event_rule, saved) {
        (None, Some(saved)) => Ok(saved),
        (Some(asked), saved) => {
            let rule = form::made(tx, call, asked)?;
            Ok(match saved {
                // It takes the place of the saved one, if it is of the same webhook, project or workspace.
                Some(saved) => {
                    EventRule { event_rule_id: saved.event_rule_id, order: saved.order, ..rule }
                }
                None => rule,
            })
        }
        (None, None) => Err(Error::required("event_rule")),
    }
}

/// Which stored events a rule is asked about; `None` where there can be none.
fn concerned(tx: &dyn Tx, place: &RulePlace) -> Result<Option<Value>> {
    Ok(match place {
        RulePlace::Webhook(_, webhook) => {
            Some(json!({ "k": "webhook_id", "v": webhook, "o": "eq" }))
        }
        RulePlace::Project(home) => {
            let webhooks = tx.webhooks(&Scope::EVERYTHING)?;
            let own = webhooks.iter().filter(|webhook| webhook.home == *home);
            let own: Vec<&str> = own.map(|webhook| webhook.webhook_id.as_str()).collect();
            (!own.is_empty()).then(|| json!({ "k": "webhook_id", "v": own, "o": "in" }))
        }
        RulePlace::Workspace(_, workspace) => {
            Some(json!({ "k": "workspace_id", "v": workspace, "o": "eq" }))
        }
    })
}

/// The setups of today, with and without the rule, each read once.
struct Trial<'a> {
    tx: &'a dyn Tx,
    rule: &'a Arc<EventRule>,
    setups: RefCell<HashMap<Id<Project>, Both>>,
    webhooks: RefCell<HashMap<Id<Webhook>, Option<Arc<Webhook>>>>,
    fault: RefCell<Option<Error>>,
}

/// How a project is looked after without the rule and with it.
type Both = [Option<Arc<Setup>>; 2];

/// Which of the two is asked.
#[derive(Clone, Copy)]
enum Side {
    Without,
    With,
}

impl<'a> Trial<'a> {
    fn new(tx: &'a dyn Tx, rule: &'a Arc<EventRule>) -> Self {
        let (setups, webhooks, fault) =
            (RefCell::default(), RefCell::default(), RefCell::default());
        Self { tx, rule, setups, webhooks, fault }
    }

    /// The webhook of an event, deleted ones excepted.
    fn webhook(&self, event: &Event) -> Result<Option<Arc<Webhook>>> {
        let id = &event.webhook_id;
        if let Some(known) = self.webhooks.borrow().get(id) {
            return Ok(known.clone());
        }
        let found = self.tx.webhook(&Scope::EVERYTHING, id)?.map(Arc::new);
        self.webhooks.borrow_mut().insert(id.clone(), found.clone());
        Ok(found)
    }

    fn routed(&self, event: &Event, webhook: &Webhook) -> (Routed, Routed) {
        let at = event.created_at;
        let route =
            |side| route(event.draft.clone(), webhook, &|project| self.setup(project, side), at);
        (route(Side::Without), route(Side::With))
    }

    fn setup(&self, project: &Id<Project>, side: Side) -> Option<Arc<Setup>> {
        if let Some(known) = self.setups.borrow().get(project) {
            return known[side as usize].clone();
        }
        let both = match self.tx.setup(project) {
            Ok(Some(setup)) => self.both(&setup).map(Some),
            Ok(None) => [None, None],
            Err(error) => {
                self.fault.replace(Some(error));
                [None, None]
            }
        };
        let found = both[side as usize].clone();
        self.setups.borrow_mut().insert(project.clone(), both);
        found
    }

    fn both(&self, setup: &Arc<Setup>) -> [Arc<Setup>; 2] {
        let rules = &setup.event_rules;
        let without = rules.clone().without(&self.rule.event_rule_id);
        let with = if self.rule.place.concerns(&setup.home) {
            rules.clone().with(self.rule)
        } else {
            without.clone()
        };
        [without, with]
            .map(|event_rules: EventRules| Arc::new(Setup { event_rules, ..Setup::clone(setup) }))
    }

    fn fault(&self) -> Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }
}

/// Where an event would be, for the keys of alerts.
pub(super) fn key_of(routed: &Routed) -> (Id<Project>, String) {
    let Home { project_id, .. } = &routed.home;
    (project_id.clone(), routed.draft.event_key.clone())
}
