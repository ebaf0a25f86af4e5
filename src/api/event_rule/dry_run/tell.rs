//! What a dry run tells.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{ChangeInfo, DryRunInfo, ExampleInfo, key_of};
use crate::{
    api::{event_rule::EventRuleInfo, replayed::Replayed},
    clock::Timestamp,
    domain::{
        alert::Alert,
        event::{Draft, Event},
        event_rule::{EventRule, Routed, Routing, RuleStep},
        project::Project,
        scope::Home,
        words::EventType,
    },
    id::Id,
};

/// How many events are shown.
const EXAMPLES: usize = 20;

/// How many keys are remembered to see whether recoveries would still meet their problems.
const MOST_KEYS: usize = 20_000;

/// A key in a project.
type Key = (Id<Project>, String);

/// What is said instead of what a rule says whose project the caller does not reach.
const UNSEEN: &str = "a rule of a project that you do not reach";

/// The rules that the caller may read about.
pub(super) type Seen = BTreeSet<Id<EventRule>>;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Told {
    /// The rules that are named; what others say is not told.
    seen: Seen,
    matched: u64,
    alerts: BTreeSet<Id<Alert>>,
    changed: BTreeMap<String, u64>,
    examples: Vec<ExampleInfo>,
    loops: u64,
    unmoved: u64,
    /// By the key that events have without the rule: those that firings and recoveries would have with it.
    keys: HashMap<Key, [BTreeSet<Key>; 2]>,
}

impl Told {
    /// Nothing so far; these rules, and the one that is tried, are named.
    pub(super) fn naming(seen: Seen) -> Self {
        Self { seen, ..Self::default() }
    }

    /// What a rule said of an event, as far as the caller may read it.
    fn sentence(&self, step: &RuleStep) -> String {
        let is_seen = step.event_rule_id().is_none_or(|id| self.seen.contains(id));
        if is_seen { step.sentence() } else { format!("{UNSEEN}: {}", step.verdict()) }
    }

    /// Takes in what came out of one event, without the rule and with it.
    pub(super) fn add(
        &mut self,
        rule: &EventRule,
        event: &Event,
        (before, after): (&Routed, &Routed),
    ) {
        self.remember(before, after);
        let of_it = |step: &&RuleStep| step.event_rule_id() == Some(&rule.event_rule_id);
        let steps: Vec<&RuleStep> = after.steps.iter().filter(of_it).collect();
        let has = |verdict| steps.iter().any(|step| step.verdict() == verdict);
        self.loops += u64::from(has("loop"));
        self.unmoved += u64::from(has("unmoved"));
        if !has("matched") {
            return;
        }
        self.matched += 1;
        self.alerts.extend(event.alert_id.clone());
        let changes = changes((before, after), &self.seen);
        for what in changes.keys() {
            *self.changed.entry(what.clone()).or_default() += 1;
        }
        if self.examples.len() < EXAMPLES {
            self.examples.push(ExampleInfo {
                event_id: event.event_id.clone(),
                created_at: event.created_at.into(),
                title: event.draft.title.clone(),
                steps: after.steps.iter().map(|step| self.sentence(step)).collect(),
                changes,
            });
        }
    }

    fn remember(&mut self, before: &Routed, after: &Routed) {
        let key = key_of(before);
        if self.keys.len() >= MOST_KEYS && !self.keys.contains_key(&key) {
            return;
        }
        let way = match after.draft.event_type {
            EventType::Alert | EventType::Error => 0,
            EventType::Recovery => 1,
        };
        self.keys.entry(key).or_default()[way].insert(key_of(after));
    }

    /// How many keys have recoveries of which none would meet a problem that they meet without the rule.
    fn parted(&self) -> usize {
        let parted = |[firings, recoveries]: &&[BTreeSet<Key>; 2]| {
            !firings.is_empty() && !recoveries.is_empty() && !firings.is_subset(recoveries)
        };
        self.keys.values().filter(parted).count()
    }

    fn warnings(&self, looked_at: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        if looked_at > 0 && self.matched == 0 {
            warnings.push(format!("it matches none of {looked_at} events"));
        }
        if looked_at > 1 && self.matched == looked_at {
            warnings.push(format!("it matches each of {looked_at} events"));
        }
        let parted = self.parted();
        if parted > 0 {
            warnings.push(format!(
                "the recoveries of {parted} keys would no longer meet their problems, whose alerts would stay open: the rule gives a problem another project or key than its recovery"
            ));
        }
        if self.loops > 0 {
            warnings.push(format!(
                "it would send {} events back where they came from; they stay",
                self.loops
            ));
        }
        if self.unmoved > 0 {
            warnings.push(format!("it could not send on {} events; they stay", self.unmoved));
        }
        warnings
    }

    pub(super) fn info(
        self,
        event_rule: EventRuleInfo,
        since: Timestamp,
        replayed: Replayed,
    ) -> DryRunInfo {
        let Replayed { looked_at, is_partial } = replayed;
        let warnings = self.warnings(looked_at);
        let Self { matched, alerts, changed, examples, .. } = self;
        DryRunInfo {
            event_rule,
            since: since.into(),
            looked_at,
            is_partial,
            matched,
            alerts: alerts.len() as u64,
            changed,
            warnings,
            examples,
        }
    }
}

/// What differs between two outcomes.
fn changes((before, after): (&Routed, &Routed), seen: &Seen) -> BTreeMap<String, ChangeInfo> {
    let (before, after) = (outcome(before, seen), outcome(after, seen));
    let pairs = before.into_iter().zip(after);
    let differing = pairs.filter(|((_, before), (_, after))| before != after);
    let told = differing
        .map(|((name, before), (_, after))| (name.to_owned(), ChangeInfo { before, after }));
    told.collect()
}

/// What rules may change of an event and of what is done for its alert.
fn outcome(routed: &Routed, seen: &Seen) -> Vec<(&'static str, Value)> {
    let Routed { draft, home, routing, steps: _, consulted: _ } = routed;
    let Draft { event_key, severity, title, additional_info, .. } = draft;
    let Home { project_id, .. } = home;
    let Routing {
        assignee,
        urgency,
        escalation_policy_id,
        no_notification,
        suppress,
        notes,
        drop,
        inhibit_by,
    } = routing;
    let told = |id: &Id<EventRule>, text: &str| {
        if seen.contains(id) { text.to_owned() } else { UNSEEN.to_owned() }
    };
    let name = |by: &Option<(Id<EventRule>, String)>| by.as_ref().map(|(id, name)| told(id, name));
    vec![
        ("project_id", json!(project_id)),
        ("event_key", json!(event_key)),
        ("severity", json!(severity)),
        ("title", json!(title)),
        ("additional_info", json!(additional_info)),
        ("assignee", json!(assignee)),
        ("urgency", json!(urgency)),
        ("escalation_policy_id", json!(escalation_policy_id)),
        ("no_notification", json!(no_notification)),
        ("suppress", json!(name(suppress))),
        ("notes", notes.iter().map(|(id, note)| told(id, note)).collect()),
        ("drop", json!(name(drop))),
        ("inhibit_by", json!(inhibit_by.as_ref().map(|by| &by.event_key))),
    ]
}
