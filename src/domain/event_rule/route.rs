//! Asking the rules: what becomes of a draft before it is an event.
//!
//! The rules of the webhook are asked first, then those of the project that the event is in, then those of its workspace.
//! A rule that sends the event to another project has that project's rules asked at once, then goes on itself. The rules
//! of a project are never asked while they are being asked, and an event is sent on so often at most, so it ends.

use std::sync::Arc;

use super::{Actions, ConditionsPolicy, EventRule, RuleStep, Template, subject::Subject};
use crate::{
    clock::Timestamp,
    domain::{
        escalation::EscalationPolicy,
        event::Draft,
        project::Project,
        scope::Home,
        setup::Setup,
        webhook::Webhook,
        words::{EventType, Urgency},
    },
    id::Id,
};

/// How often an event is sent on at most.
const MOST_MOVES: usize = 32;

/// How many rules that did not match are told one by one.
const MOST_TOLD: usize = 100;

/// The most texts that rules write below one alert.
const MOST_NOTES: usize = 20;

/// The longest key that a rule makes, in characters.
const LONGEST_KEY: usize = 1000;

/// A draft that the rules were asked about.
#[derive(Clone, Debug)]
pub struct Routed {
    /// What the event says now.
    pub draft: Draft,
    /// Where it goes.
    pub home: Home,
    /// What was said of the alert that it may open.
    pub routing: Routing,
    /// What each rule said, in order.
    pub steps: Vec<RuleStep>,
    /// The projects whose rules were asked, as they were then.
    pub consulted: Vec<Arc<Setup>>,
}

/// What rules said of the alert that an event may open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    /// Who should act.
    pub assignee: Option<String>,
    /// The urgency, instead of the one that follows from the severity.
    pub urgency: Option<Urgency>,
    /// The escalation policy, instead of the project's.
    pub escalation_policy_id: Option<Id<EscalationPolicy>>,
    /// Whether it notifies nobody, ever.
    pub no_notification: bool,
    /// The rule by which it is muted, and its name.
    pub suppress: Option<(Id<EventRule>, String)>,
    /// What is written below it, and the rule that says so.
    pub notes: Vec<(Id<EventRule>, String)>,
    /// The rule by which the event is kept without touching any alert, and its name.
    pub drop: Option<(Id<EventRule>, String)>,
    /// While the alert of this key is open in its project, it is muted; by which rule.
    pub inhibit_by: Option<InhibitBy>,
}

/// That an alert is muted while another one is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InhibitBy {
    /// The key of the other alert.
    pub event_key: String,
    /// The rule that says so.
    pub event_rule_id: Id<EventRule>,
    /// What people call it.
    pub name: String,
}

/// Finds how a project is looked after, if alerting is on for it.
pub type FindSetup<'a> = dyn Fn(&Id<Project>) -> Option<Arc<Setup>> + 'a;

/// Asks the rules about a draft that came through `webhook` at `now`. `find` tells how a project is looked after.
pub fn route(draft: Draft, webhook: &Webhook, find: &FindSetup<'_>, now: Timestamp) -> Routed {
    let home = &webhook.home;
    let setup = find(&home.project_id);
    let consulted = setup.iter().cloned().collect();
    let asks = |setup: &Arc<Setup>| !setup.event_rules.are_none_for(&webhook.webhook_id);
    let Some(setup) = setup.filter(asks) else {
        let (routing, steps) = (Routing::default(), Vec::new());
        return Routed { draft, home: home.clone(), routing, steps, consulted };
    };
    let mut walk = Walk {
        find,
        now,
        subject: Subject::new(draft, webhook, now),
        routing: Routing::default(),
        steps: Vec::new(),
        untold: 0,
        asking: Vec::new(),
        moves: 0,
        consulted,
    };
    walk.all(&setup, webhook);
    walk.done()
}

/// Whether further rules of a list are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Stopped,
}

struct Walk<'a> {
    find: &'a FindSetup<'a>,
    now: Timestamp,
    subject: Subject,
    routing: Routing,
    steps: Vec<RuleStep>,
    /// How many rules that did not match are not among the steps.
    untold: u32,
    /// The projects whose rules are being asked, outermost first.
    asking: Vec<Id<Project>>,
    /// How often the event was sent on.
    moves: usize,
    consulted: Vec<Arc<Setup>>,
}

impl Walk<'_> {
    fn all(&mut self, setup: &Setup, webhook: &Webhook) {
        let rules = &setup.event_rules;
        if self.ask(rules.of_webhook(&webhook.webhook_id)) == Flow::Stopped {
            return;
        }
        // Where a rule of the webhook sent it on, the rules there were asked then.
        let is_asked = self.moves > 0;
        if !is_asked && self.ask_those_of(setup) == Flow::Stopped {
            return;
        }
        self.ask(&rules.workspace);
    }

    /// Asks the rules of a project.
    fn ask_those_of(&mut self, setup: &Setup) -> Flow {
        self.asking.push(setup.home.project_id.clone());
        let flow = self.ask(&setup.event_rules.project);
        self.asking.pop();
        flow
    }

    fn ask(&mut self, rules: &[Arc<EventRule>]) -> Flow {
        for rule in rules {
            if let Some(because) = self.matched(rule) {
                self.apply(rule, because);
                if rule.stop_processing {
                    return Flow::Stopped;
                }
            }
        }
        Flow::On
    }

    /// Why a rule matches; tells why it does not where it does not.
    fn matched(&mut self, rule: &EventRule) -> Option<String> {
        match judged(rule, self.subject.record(), self.now) {
            Ok(because) => Some(because),
            Err(_) if self.steps.len() >= MOST_TOLD => {
                self.untold += 1;
                None
            }
            Err(because) => {
                let (event_rule_id, name) = rule.named();
                self.steps.push(RuleStep::NotMatched { event_rule_id, name, because });
                None
            }
        }
    }

    fn apply(&mut self, rule: &EventRule, because: String) {
        let (event_rule_id, name) = rule.named();
        let stopped = rule.stop_processing;
        let at = self.steps.len();
        self.steps.push(RuleStep::Matched {
            event_rule_id,
            name,
            because,
            did: Vec::new(),
            stopped,
        });
        let done = self.act(rule);
        if let Some(RuleStep::Matched { did, .. }) = self.steps.get_mut(at) {
            *did = done;
        }
    }

    /// Does what a rule says; what was done, each in a few words.
    fn act(&mut self, rule: &EventRule) -> Vec<String> {
        let Actions {
            change_project,
            change_assignee,
            change_urgency,
            change_escalation_policy,
            add_additional_info,
            no_notification,
            change_severity,
            change_title,
            set_event_key,
            add_note,
            suppress,
            drop,
            inhibit_by,
        } = &rule.actions;
        let mut did = Vec::new();
        if let Some(project) = change_project {
            did.extend(self.send(rule, project));
        }
        if let Some(assignee) = change_assignee {
            self.routing.assignee = Some(assignee.trim().to_owned());
            did.push(format!("assignee is {assignee}"));
        }
        if let Some(urgency) = change_urgency {
            self.routing.urgency = Some(*urgency);
            did.push(format!("urgency is {urgency}"));
        }
        if let Some(policy) = change_escalation_policy {
            self.routing.escalation_policy_id = Some(policy.clone());
            did.push(format!("escalation policy is {policy}"));
        }
        if !add_additional_info.is_empty() {
            self.subject.add_info(add_additional_info);
            let names: Vec<&str> = add_additional_info.keys().map(String::as_str).collect();
            did.push(format!("added {}", names.join(", ")));
        }
        if let Some(silent) = no_notification {
            self.routing.no_notification = *silent;
            let what = if *silent { "notifies nobody" } else { "notifies" };
            did.push(what.to_owned());
        }
        if let Some(severity) = change_severity {
            self.subject.draft.severity = *severity;
            self.subject.say("severity", severity.as_str());
            did.push(format!("severity is {severity}"));
        }
        did.extend(change_title.as_ref().map(|title| self.retitle(title)));
        did.extend(set_event_key.as_ref().map(|key| self.regroup(key)));
        did.extend(add_note.as_ref().map(|note| self.note(rule, note)));
        if *suppress {
            self.routing.suppress = Some(rule.named());
            did.push("muted".to_owned());
        }
        if *drop {
            did.push(self.drop(rule));
        }
        did.extend(inhibit_by.as_ref().map(|key| self.inhibit(rule, key)));
        did
    }

    /// Sends the event to another project and asks the rules there; what is told of it.
    fn send(&mut self, rule: &EventRule, project: &Id<Project>) -> Option<String> {
        if self.subject.home.project_id == *project {
            return Some(format!("it is in project {project} already"));
        }
        let (event_rule_id, name) = rule.named();
        let project_id = project.clone();
        if self.asking.contains(project) {
            self.steps.push(RuleStep::Loop { event_rule_id, name, project_id });
            return None;
        }
        let target = match self.target(project) {
            Ok(target) => target,
            Err(because) => {
                self.steps.push(RuleStep::Unmoved { event_rule_id, name, project_id, because });
                return None;
            }
        };
        self.moves += 1;
        self.subject.moved_to(target.home.clone());
        self.routing.assignee = None;
        self.routing.escalation_policy_id = None;
        if !self.consulted.iter().any(|known| known.home == target.home) {
            self.consulted.push(Arc::clone(&target));
        }
        self.ask_those_of(&target);
        Some(format!("sent to project {project}"))
    }

    /// The project that an event is sent to, or why it cannot go there.
    fn target(&self, project: &Id<Project>) -> Result<Arc<Setup>, String> {
        if self.moves >= MOST_MOVES {
            return Err(format!("it was sent on {MOST_MOVES} times already"));
        }
        let Some(target) = (self.find)(project) else {
            return Err("there is no such project, or alerting is off there".to_owned());
        };
        let here = &self.subject.home;
        let is_near = target.home.domain_id == here.domain_id
            && target.home.workspace_id == here.workspace_id;
        if is_near { Ok(target) } else { Err("it is in another workspace".to_owned()) }
    }

    fn retitle(&mut self, title: &Template) -> String {
        let made = title.made_of(self.subject.record());
        if made.text.is_empty() {
            return format!("the title stays: nothing was found for {}", made.missing.join(", "));
        }
        self.subject.say("title", &made.text);
        let told = format!("title is {}", made.text);
        self.subject.draft.title = Some(made.text);
        told
    }

    /// Gives the event another key. One with an empty hole would lump together what has nothing in common.
    fn regroup(&mut self, key: &Template) -> String {
        match self.key_made_of(key) {
            Ok(key) => {
                self.subject.say("event_key", &key);
                let told = format!("event key is {key}");
                self.subject.draft.event_key = key;
                told
            }
            Err(why) => format!("the event key stays: {why}"),
        }
    }

    fn inhibit(&mut self, rule: &EventRule, key: &Template) -> String {
        match self.key_made_of(key) {
            Ok(event_key) => {
                let (event_rule_id, name) = rule.named();
                let told = format!("muted while alert {event_key} is open");
                self.routing.inhibit_by = Some(InhibitBy { event_key, event_rule_id, name });
                told
            }
            Err(why) => format!("inhibited by nothing: {why}"),
        }
    }

    fn key_made_of(&self, key: &Template) -> Result<String, String> {
        let made = key.made_of(self.subject.record());
        if !made.missing.is_empty() {
            return Err(format!("nothing was found for {}", made.missing.join(", ")));
        }
        if made.text.is_empty() {
            return Err("it would be empty".to_owned());
        }
        if made.text.chars().count() > LONGEST_KEY {
            return Err(format!("it would have more than {LONGEST_KEY} characters"));
        }
        Ok(made.text)
    }

    fn note(&mut self, rule: &EventRule, note: &Template) -> String {
        let made = note.made_of(self.subject.record());
        if made.text.is_empty() || self.routing.notes.len() >= MOST_NOTES {
            return "no note".to_owned();
        }
        self.routing.notes.push((rule.event_rule_id.clone(), made.text));
        "a note".to_owned()
    }

    fn drop(&mut self, rule: &EventRule) -> String {
        match self.subject.draft.event_type {
            EventType::Recovery => "not dropped: a recovery may close an alert".to_owned(),
            EventType::Alert | EventType::Error => {
                self.routing.drop = Some(rule.named());
                "dropped: kept without touching any alert".to_owned()
            }
        }
    }

    fn done(self) -> Routed {
        let Self { subject, routing, mut steps, untold, consulted, .. } = self;
        if untold > 0 {
            steps.push(RuleStep::Omitted { rules: untold });
        }
        let (draft, home) = subject.parted();
        Routed { draft, home, routing, steps, consulted }
    }
}

/// Why a rule matches a record, or why it does not.
fn judged(rule: &EventRule, record: &serde_json::Value, now: Timestamp) -> Result<String, String> {
    let conditions = &rule.conditions;
    match rule.policy {
        ConditionsPolicy::Always => Ok("always".to_owned()),
        ConditionsPolicy::All => match conditions.iter().find(|it| !it.is_met(record, now)) {
            Some(failed) => Err(failed.held_against(record)),
            None if conditions.is_empty() => Err("it has no conditions".to_owned()),
            None => Ok(told(rule, record)),
        },
        ConditionsPolicy::Any => match conditions.iter().find(|it| it.is_met(record, now)) {
            Some(met) => Ok(met.held_against(record)),
            None => Err(format!("none of: {}", told(rule, record))),
        },
    }
}

/// The first conditions of a rule, each with what it is held against.
fn told(rule: &EventRule, record: &serde_json::Value) -> String {
    const SHOWN: usize = 5;
    let shown = rule.conditions.iter().take(SHOWN);
    let mut told: Vec<String> = shown.map(|condition| condition.held_against(record)).collect();
    if rule.conditions.len() > SHOWN {
        told.push(format!("{} more", rule.conditions.len() - SHOWN));
    }
    told.join("; ")
}
