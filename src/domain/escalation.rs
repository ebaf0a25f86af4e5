//! Who is told next when nobody answers: policies of steps, and the decision what follows from one of them now.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use serde_json::Value;

pub use self::history::{EscalationStep, Stop};
use super::{
    alert::Alert,
    care::Escalation,
    channel::Place,
    notice::NotificationLevel,
    people::{OnCall, Target},
    project::Workspace,
    words::{AlertState, words},
};
use crate::{
    clock::Timestamp,
    digest::sha256,
    id::{Id, Identified},
};

mod history;

words! {
    /// What ends an escalation before its last step.
    FinishCondition {
        /// Someone acknowledges the alert, or it is resolved.
        Acknowledged = "ACKNOWLEDGED",
        /// It is resolved; whoever acknowledges it hears of it again.
        Resolved = "RESOLVED",
    }
}

/// How many steps a policy has at most.
pub const MOST_STEPS: usize = 100;

/// How many targets a step names at most.
pub const MOST_TARGETS: usize = 50;

/// How many minutes a step waits at most: thirty days.
pub const MOST_MINUTES: u32 = 30 * 24 * 60;

/// How often a policy is repeated at most.
pub const MOST_REPEATS: u32 = 1000;

/// By how much a timer may be late for the next one still to be counted from when this one was due. One that is later
/// than that was missed, since the server was down: people then get their whole time from now on.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// Who is told of an alert, one step after the other, until someone answers.
#[derive(Clone, Debug, PartialEq)]
pub struct EscalationPolicy {
    /// Its identifier.
    pub escalation_policy_id: Id<EscalationPolicy>,
    /// What people call it; unique in its workspace.
    pub name: String,
    /// Whether projects of its workspace have it that name none.
    pub is_default: bool,
    /// Its steps in order, at least one.
    pub rules: Vec<EscalationRule>,
    /// How often it begins anew after its last step.
    pub repeat_count: u32,
    /// What ends it.
    pub finish_condition: FinishCondition,
    /// Where it holds: in a workspace or in one project.
    pub place: Place,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One step of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationRule {
    /// The channels of which level are told.
    pub notification_level: NotificationLevel,
    /// How many minutes the next step waits for an answer to this one.
    pub escalate_minutes: u32,
    /// Who is told beside them.
    pub targets: Vec<Target>,
}

/// The policies that a project's alerts may have, and the one they have where nothing else is said.
#[derive(Clone, Debug, Default)]
pub struct Escalations {
    /// The project's own choice.
    pub chosen: Option<Id<EscalationPolicy>>,
    /// The policies of the project and its workspace.
    pub policies: BTreeMap<Id<EscalationPolicy>, Arc<EscalationPolicy>>,
}

/// What follows for an alert now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The alert is announced, and stands here in its policy from then on.
    Announce(Escalation),
    /// Nothing until then.
    Wait(Timestamp),
    /// Nothing any more.
    End,
}

/// Why this follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was not announced yet.
    First,
    /// Nobody answered the step before in so many minutes.
    Unanswered(u32),
    /// Nobody answered the last step in so many minutes, and the policy is repeated.
    Again(u32),
    /// The time of the step is not over.
    NotDue,
    /// Nobody answered, and the last step of the last pass is over.
    Exhausted,
    /// There is no more to come.
    Over(Stop),
}

impl Identified for EscalationPolicy {
    const PREFIX: &'static str = "ep";
}

impl EscalationPolicy {
    /// The policy that a workspace has from the beginning: everyone is told, once. Its identifier is always the same for
    /// the same workspace.
    pub fn default_of(place: Place, created_at: Timestamp) -> Self {
        let rule = EscalationRule {
            notification_level: NotificationLevel::All,
            escalate_minutes: 0,
            targets: Vec::new(),
        };
        Self {
            escalation_policy_id: Self::default_id(place.workspace_id()),
            name: "Default".to_owned(),
            is_default: true,
            rules: vec![rule],
            repeat_count: 0,
            finish_condition: FinishCondition::Acknowledged,
            place,
            tags: BTreeMap::new(),
            created_at,
        }
    }

    /// The identifier of the policy that a workspace has from the beginning.
    fn default_id(workspace: &Id<Workspace>) -> Id<Self> {
        let digest = sha256(format!("default escalation policy of {workspace}").as_bytes());
        let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        format!("{}-{}", Self::PREFIX, digits.collect::<String>()).into()
    }

    /// Whether one of its steps names this schedule.
    pub fn names(&self, schedule: &Id<OnCall>) -> bool {
        let names = |target: &Target| matches!(target, Target::OnCall(id) if id == schedule);
        self.rules.iter().any(|rule| rule.targets.iter().any(names))
    }

    /// How many steps it has; at least one, for one without steps would tell nobody.
    pub fn steps(&self) -> u32 {
        u32::try_from(self.rules.len()).unwrap_or(u32::MAX).max(1)
    }

    /// How often its steps are gone through in all.
    pub fn passes(&self) -> u32 {
        self.repeat_count.saturating_add(1)
    }

    /// The step of this number, from one; the last one where there are fewer by now.
    pub fn rule(&self, step: u32) -> Option<&EscalationRule> {
        let at = usize::try_from(step.clamp(1, self.steps()) - 1).ok()?;
        self.rules.get(at)
    }

    /// Where an alert stands that begins with it now.
    pub fn beginning(&self) -> Escalation {
        Escalation {
            policy_id: Some(self.escalation_policy_id.clone()),
            is_given: false,
            step: 1,
            ttl: self.passes(),
            escalated_at: None,
            no_notification: false,
        }
    }

    /// How many minutes the step of an alert waits for an answer. A policy begins anew after a minute at the soonest: told
    /// each second, nobody could answer.
    fn wait(&self, at: &Escalation) -> u32 {
        let minutes = self.rule(at.step).map_or(0, |rule| rule.escalate_minutes);
        if self.is_last(at) && at.ttl > 1 { minutes.max(1) } else { minutes }
    }

    fn is_last(&self, at: &Escalation) -> bool {
        at.step >= self.steps()
    }

    /// When something follows for an alert that stands at `at`: never where nobody was told yet, and where the last step
    /// of the last pass waits for nothing.
    pub fn due_at(&self, at: &Escalation) -> Option<Timestamp> {
        let wait = self.wait(at);
        if at.ttl == 0 || (self.is_last(at) && at.ttl == 1 && wait == 0) {
            return None;
        }
        at.escalated_at?.checked_add_signed(TimeDelta::minutes(wait.into()))
    }

    /// The number of the pass that an alert is in, from one.
    pub fn pass(&self, at: &Escalation) -> u32 {
        self.passes().saturating_sub(at.ttl).saturating_add(1).min(self.passes())
    }
}

impl Escalations {
    /// The policy of an alert: the one it was given, else the project's, else its workspace's; with why.
    pub fn policy(
        &self,
        given: Option<&Id<EscalationPolicy>>,
    ) -> Option<(&Arc<EscalationPolicy>, &'static str)> {
        let find = |id: &Id<EscalationPolicy>| self.policies.get(id);
        if let Some(policy) = given.and_then(find) {
            return Some((policy, "it was given to the alert"));
        }
        if let Some(policy) = self.chosen.as_ref().and_then(find) {
            return Some((policy, "it is the project's"));
        }
        let default = self.policies.values().find(|policy| policy.is_default);
        default.map(|policy| (policy, "it is the default of the workspace"))
    }
}

/// What follows for `alert` at `now` by its policy, and why.
pub fn next_step(alert: &Alert, policy: &EscalationPolicy, now: Timestamp) -> (Next, Why) {
    let at = &alert.care.escalation;
    if let Some(stop) = over(alert, policy) {
        return (Next::End, Why::Over(stop));
    }
    if at.escalated_at.is_none() {
        return (Next::Announce(Escalation { escalated_at: Some(now), ..at.clone() }), Why::First);
    }
    let Some(due_at) = policy.due_at(at) else { return (Next::End, Why::Exhausted) };
    if now < due_at {
        return (Next::Wait(due_at), Why::NotDue);
    }
    let on_time = now - due_at < LATE;
    let escalated_at = Some(if on_time { due_at } else { now });
    if !policy.is_last(at) {
        let next = Escalation { step: at.step + 1, escalated_at, ..at.clone() };
        return (Next::Announce(next), Why::Unanswered(policy.wait(at)));
    }
    if at.ttl <= 1 {
        return (Next::End, Why::Exhausted);
    }
    let next = Escalation { step: 1, ttl: at.ttl - 1, escalated_at, ..at.clone() };
    (Next::Announce(next), Why::Again(policy.wait(at)))
}

/// Why nothing follows for an alert whatever the time, if that is so.
fn over(alert: &Alert, policy: &EscalationPolicy) -> Option<Stop> {
    if alert.care.escalation.no_notification {
        return Some(Stop::NoNotification);
    }
    if alert.care.merged_into.is_some() {
        return Some(Stop::Merged);
    }
    match (alert.standing.state, policy.finish_condition) {
        (AlertState::Resolved, _) => return Some(Stop::Resolved),
        (AlertState::Acknowledged, FinishCondition::Acknowledged) => {
            return Some(Stop::Acknowledged);
        }
        (AlertState::Acknowledged, FinishCondition::Resolved)
        | (AlertState::Triggered | AlertState::Error, _) => {}
    }
    (alert.care.escalation.ttl == 0).then_some(Stop::Ended)
}

#[cfg(test)]
mod tests;
