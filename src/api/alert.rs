//! `alert.*`: what needs attention.

mod act;
mod bulk;
pub mod explain;
mod history;
mod raise;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AnalysisInfo, Call, Moment, Page, Shown, StatInfo, asked::list_request, unwound};
use crate::{
    domain::{
        alert::{Alert, Standing},
        escalation::EscalationPolicy,
        project::{Domain, Project, ProjectAlertConfig, Workspace},
        scope::Home,
        webhook::Webhook,
        words::{AlertState, Severity, Urgency},
    },
    error::{Code, Error, Result},
    id::Id,
    query::ALERTS,
    store::Tx,
};

pub use self::{
    act::{
        AssignUser, MergeAlert, OneAlert, SnoozeAlert, UnmergeAlert, UpdateAlert, assign_user,
        delete, merge, snooze, unmerge, unsnooze, update,
    },
    bulk::{BulkAlerts, BulkInfo, bulk},
    history::{AlertHistory, HistoryInfo, HistoryPage, history},
    raise::{CreateAlert, create},
};

/// Something that needs attention: the events that share a key, from first to recovery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlertInfo {
    /// Its number in its workspace.
    pub alert_number: u64,
    /// Its identifier.
    pub alert_id: Id<Alert>,
    /// What a person reads first.
    pub title: Option<String>,
    /// Where it stands.
    pub state: AlertState,
    /// What a person reads next.
    pub description: Option<String>,
    /// Who should act.
    pub assignee: Option<String>,
    /// Who acknowledged it.
    pub responder: Option<String>,
    /// How soon a person must look.
    pub urgency: Urgency,
    /// The worst severity of its events.
    pub severity: Severity,
    /// The rule or check of the sender that spoke.
    pub rule: Option<String>,
    /// A picture that shows it.
    pub image_url: Option<String>,
    /// What it is about.
    pub resources: Vec<ResourceInfo>,
    /// Whose resources they are; null only where it was imported without.
    pub provider: Option<String>,
    /// Which account of that provider; null only where it was imported without.
    pub account: Option<String>,
    /// Whatever else its first event said.
    pub additional_info: Map<String, Value>,
    /// Which step of its escalation is next.
    pub escalation_step: u32,
    /// How often its escalation goes on.
    pub escalation_ttl: u32,
    /// Who made it: a webhook, or a person.
    pub triggered_by: String,
    /// The webhook its first event came through.
    pub webhook_id: Option<Id<Webhook>>,
    /// Its escalation policy.
    pub escalation_policy_id: Option<Id<EscalationPolicy>>,
    /// Its project.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
    /// When anything of it changed.
    pub updated_at: Moment,
    /// When someone acknowledged it.
    pub acknowledged_at: Option<Moment>,
    /// When it was resolved.
    pub resolved_at: Option<Moment>,
    /// When it was escalated.
    pub escalated_at: Option<Moment>,
    /// What its events have in common.
    pub event_key: String,
    /// How many events it has.
    pub event_count: u64,
    /// When its first event arrived.
    pub first_event_at: Moment,
    /// When its newest event arrived.
    pub last_event_at: Moment,
    /// Why it was resolved, in a sentence.
    pub resolved_reason: Option<String>,
    /// What mutes it, e.g. `silence:silence-0198…`.
    pub muted_by: Option<String>,
    /// Until when a person put it off.
    pub snoozed_until: Option<Moment>,
    /// When its acknowledgement runs out.
    pub acknowledged_until: Option<Moment>,
    /// Since when it opens and recovers too often.
    pub flapping_since: Option<Moment>,
    /// The alert that it is part of.
    pub merged_into: Option<Id<Alert>>,
    /// How it ended: RESOLVED by a recovery, a person or a timer; EXPIRED because its sender fell silent.
    pub resolved_as: Option<&'static str>,
}

/// What an alert is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ResourceInfo {
    /// Always null; for clients of the original.
    resource_id: Option<String>,
    /// Always null; for clients of the original.
    resource_type: Option<String>,
    /// Its name.
    name: String,
}

impl From<Alert> for AlertInfo {
    fn from(alert: Alert) -> Self {
        let Alert { standing, home, ending, created_at, care, .. } = alert;
        let Standing { alert_id, state, severity, urgency, event_count, .. } = standing;
        let Home { domain_id, workspace_id, project_id } = home;
        let ended_as = if care.expired { "EXPIRED" } else { "RESOLVED" };
        let resolved_as = ending.as_ref().map(|_| ended_as);
        let name = |name| ResourceInfo { resource_id: None, resource_type: None, name };
        Self {
            alert_number: alert.alert_number,
            alert_id,
            title: alert.title,
            state,
            description: alert.description,
            assignee: alert.assignee,
            responder: alert.responder,
            urgency,
            severity,
            rule: alert.rule,
            image_url: alert.image_url,
            resources: alert.resources.into_iter().map(name).collect(),
            provider: alert.provider,
            account: alert.account,
            additional_info: alert.additional_info.into_iter().collect(),
            escalation_step: care.escalation.step,
            escalation_ttl: care.escalation.ttl,
            triggered_by: alert.triggered_by,
            webhook_id: alert.webhook_id,
            escalation_policy_id: care.escalation.policy_id,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
            updated_at: standing.updated_at.into(),
            acknowledged_at: alert.acknowledged_at.map(Moment),
            resolved_at: ending.as_ref().map(|ending| ending.resolved_at.into()),
            escalated_at: care.escalation.escalated_at.map(Moment),
            event_key: alert.event_key,
            event_count,
            first_event_at: created_at.into(),
            last_event_at: standing.last_event_at.into(),
            resolved_reason: ending.map(|ending| ending.reason),
            muted_by: care.mute.map(|mute| mute.by),
            snoozed_until: care.snooze.map(|snooze| snooze.until.into()),
            acknowledged_until: care.acknowledged_until.map(Moment),
            flapping_since: care.flapping.map(|flapping| flapping.since.into()),
            merged_into: care.merged_into,
            resolved_as,
        }
    }
}

/// Asks for one alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAlert {
    /// Its identifier.
    alert_id: Id<Alert>,
}

/// One alert.
pub fn get(tx: &dyn Tx, call: &Call, request: GetAlert) -> Result<AlertInfo> {
    existing(tx, call, &request.alert_id).map(AlertInfo::from)
}

pub(super) fn existing(tx: &dyn Tx, call: &Call, id: &Id<Alert>) -> Result<Alert> {
    tx.alert(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("alert", id))
}

list_request! {
    /// Asks for alerts.
    ListAlerts: Asked,
    /// Asks for statistics of alerts.
    StatAlerts: AskedStat,
    /// Asks for an analysis of alerts.
    AnalyzeAlerts: AskedAnalysis
    of ALERTS {
        /// Only the one with this number.
        alert_number: u64,
        /// Only the one with this identifier.
        alert_id: Id<Alert>,
        /// Only those with exactly this title.
        title: String,
        /// Only those that stand so.
        state: AlertState,
        /// Only those that this person should act on.
        assignee: String,
        /// Only those that this person acknowledged.
        responder: String,
        /// Only those of this urgency.
        urgency: Urgency,
        /// Only those of this severity.
        severity: Severity,
        /// Only those about this.
        resource: String,
        /// Only those of this provider.
        provider: String,
        /// Only those of this account.
        account: String,
        /// Only those that this webhook or person made.
        triggered_by: String,
        /// Only those with this key.
        event_key: String,
        /// Only those whose first event came through this webhook.
        webhook_id: Id<Webhook>,
        /// Only those with this escalation policy.
        escalation_policy_id: String,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Alerts, newest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListAlerts) -> Result<Page<Shown<AlertInfo>>> {
    let query = request.checked(call.now)?;
    let scope = &call.caller.scope;
    if query.unwind.is_some() {
        return unwound::page(&query, &ALERTS, |scan, each| tx.visit_alerts(scope, scan, each));
    }
    let found = tx.alerts(scope, &query)?;
    let shown = found.rows.into_iter().map(|alert| {
        let view = AlertInfo::from(alert);
        Shown::shaped(view, &query.shape, &ALERTS)
    });
    Ok(Page::new(shown.collect::<Result<_>>()?, found.total, found.next_cursor))
}

/// Statistics of alerts.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatAlerts) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    Ok(StatInfo::new(&stat, tx.alert_stat(&call.caller.scope, &stat)?))
}

/// An analysis of alerts.
pub fn analyze(tx: &dyn Tx, call: &Call, request: AnalyzeAlerts) -> Result<AnalysisInfo> {
    let analysis = request.checked(call.now)?;
    Ok(AnalysisInfo::new(&analysis, tx.alert_stat(&call.caller.scope, &analysis.stat)?))
}

/// How the project is alerted; an error if there is no such project, or alerting is off for it.
pub(super) fn alerted(
    tx: &dyn Tx,
    call: &Call,
    project: &Id<Project>,
) -> Result<ProjectAlertConfig> {
    let scope = &call.caller.scope;
    if tx.project(scope, project)?.is_none() {
        return Err(Error::not_found("project", project));
    }
    tx.alert_config(scope, project)?.ok_or_else(|| {
        let detail = format!(
            "alerting is off for project `{project}`; switch it on with project-alert-config/create"
        );
        Error::at(Code::AlertFeatureIsNotActivated, "/project_id", detail)
    })
}
